"""No bytes whatever make a decoder raise anything but an error of the venue."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.core.errors import VenueError
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.parse.announcements import announcements
from mexc_sniper.venues.mexc.parse.candles import candles
from mexc_sniper.venues.mexc.parse.control import control_answer
from mexc_sniper.venues.mexc.parse.exchange_info import instrument, name_of
from mexc_sniper.venues.mexc.parse.frames import decode_frame
from mexc_sniper.venues.mexc.parse.names import offline_symbols, server_time, tradable_names
from mexc_sniper.venues.mexc.parse.web import calendar, split_symbols, web_symbol
from mexc_sniper.venues.mexc.sources.catalogue import readers
from mexc_sniper.venues.mexc.sources.reading import finish
from tests.venue.samples import FIXTURES, FRAMES, MEXC, a_row

Parser = Callable[[bytes], Any]

PARSERS: dict[str, Parser] = {
    "instrument": instrument,
    "name_of": name_of,
    "tradable_names": tradable_names,
    "offline_symbols": offline_symbols,
    "server_time": server_time,
    "candles": lambda body: candles(body, 60),
    "calendar": calendar,
    "split_symbols": split_symbols,
    "web_symbol": lambda body: web_symbol("USDT", body),
    "announcements": announcements,
    "control_answer": control_answer,
} | {
    f"reader_{reader.source.value}": (lambda body, reader=reader: finish(reader.read(body, 1, 1)))
    for reader in readers(with_key=True, with_web=True)
}
CORPUS = FIXTURES / "corpus"
_EVERY_FRAME = [bytes.fromhex(entry["hex"]) for entry in FRAMES] + [
    path.read_bytes() for path in sorted((CORPUS / "frames").iterdir())
]
_EVERY_JSON = [path.read_bytes() for path in sorted((*CORPUS.glob("json/*"), *MEXC.rglob("*.json")))]

_scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_json = st.recursive(
    _scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def _mutations(draw, originals):
    body = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 5))):
        if not body:
            break
        at = draw(st.integers(0, len(body) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                body[at] = draw(st.integers(0, 255))
            case 1:
                del body[at : at + draw(st.integers(1, 20))]
            case _:
                body[at:at] = draw(st.binary(max_size=8))
    return bytes(body)


damaged_frames = st.composite(_mutations)(_EVERY_FRAME)
damaged_json = st.composite(_mutations)([body for body in _EVERY_JSON if len(body) < 20_000])


def _survives(parse: Parser, body: bytes) -> None:
    with contextlib.suppress(VenueError):
        parse(body)


@pytest.mark.parametrize("path", sorted((CORPUS / "frames").iterdir()), ids=lambda path: path.name)
def test_frame_of_the_corpus_raises_only_venue_errors(path: Path):
    _survives(decode_frame, path.read_bytes())


@pytest.mark.parametrize("name", PARSERS)
def test_corpus_and_samples_raise_only_venue_errors_in_every_parser(name):
    for body in _EVERY_JSON + _EVERY_FRAME:
        _survives(PARSERS[name], body)


@given(st.binary(max_size=300) | damaged_frames)
def test_any_bytes_in_the_frame_decoder_raise_only_venue_errors(body):
    _survives(decode_frame, body)


@given(st.lists(damaged_frames, max_size=4))
def test_any_frames_in_the_interpreter_raise_only_venue_errors(bodies):
    interpreter = FrameInterpreter()
    for number, body in enumerate(bodies):
        _survives(lambda payload, number=number: interpreter.read(number % 2, payload, 1, 1), body)


@pytest.mark.parametrize("name", PARSERS)
@given(body=st.binary(max_size=300) | damaged_json | _json.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_in_a_json_parser_raise_only_venue_errors(name, body):
    _survives(PARSERS[name], body)


@given(st.dictionaries(st.sampled_from(sorted(a_row())), _json, max_size=3))
def test_any_values_in_a_row_of_exchange_info_raise_only_venue_errors(changes):
    _survives(instrument, json.dumps(a_row() | changes).encode())
