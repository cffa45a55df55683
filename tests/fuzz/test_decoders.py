"""Whatever the venue sends, a decoder returns something sound or raises an error of the venue; nothing else."""

import contextlib
import json
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mexc_sniper.core.errors import VenueError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.model.account import Account
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.venues.mexc.http_answer import AnswerReader
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.lines import Exchange
from mexc_sniper.venues.mexc.order_verdict import judge
from mexc_sniper.venues.mexc.parse.account import account_of, listen_key_of, uid_of
from mexc_sniper.venues.mexc.parse.control import control_answer
from mexc_sniper.venues.mexc.parse.frames import decode_frame
from mexc_sniper.venues.mexc.parse.orders import executions, one_order, order_list
from mexc_sniper.venues.mexc.parse.private_frames import decode_private
from tests.fuzz import strategies
from tests.venue.test_fuzz import PARSERS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
"""Cases of each test; ``make fuzz`` takes more."""
some = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

LIVE, ID = Account.LIVE, ClientOrderId("msl0001aaaaaaaaaaaaaa00")
READERS: dict[str, Callable[[bytes], Any]] = {
    **PARSERS,
    "one_order": lambda body: one_order(body, LIVE, wall_ns=1, mono_ns=1),
    "order_list": lambda body: order_list(body, LIVE, wall_ns=1, mono_ns=1),
    "executions": lambda body: executions(body, LIVE, ID, wall_ns=1),
    "account": lambda body: account_of(body, LIVE),
    "listen_key": listen_key_of,
    "uid": uid_of,
    "control": control_answer,
}
any_frame = strategies.frames() | strategies.damaged(strategies.frames() | st.sampled_from(strategies.FRAME_BYTES))
any_body = (
    strategies.bodies()
    | strategies.damaged(strategies.bodies())
    | strategies.values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
)


def sound(value: Any) -> None:
    """What was decoded holds no number that is none, however deep."""
    if isinstance(value, Decimal):
        assert value.is_finite(), value
    elif isinstance(value, tuple | list):
        for item in value:
            sound(item)
    elif isinstance(value, dict):
        for item in value.values():
            sound(item)
    else:
        names = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", ())
        for name in names:
            sound(getattr(value, name))


@some
@given(any_frame)
def test_public_frame(payload: bytes) -> None:
    with contextlib.suppress(VenueError):
        sound(decode_frame(payload))


@some
@given(any_frame)
def test_private_frame(payload: bytes) -> None:
    with contextlib.suppress(VenueError):
        sound(decode_private(payload, LIVE))


@some
@given(st.lists(any_frame, max_size=4))
def test_sequence_of_frames(payloads: list[bytes]) -> None:
    interpreter = FrameInterpreter()
    for number, payload in enumerate(payloads):
        with contextlib.suppress(VenueError):
            interpreter.read(number % 2, payload, 1, 1)


@pytest.mark.parametrize("name", READERS)
@some
@given(body=any_body)
def test_body(name: str, body: bytes) -> None:
    with contextlib.suppress(VenueError):
        sound(READERS[name](body))


@some
@given(
    body=any_body | st.binary(max_size=200),
    status=st.sampled_from([200, 201, 204, 400, 403, 404, 418, 429, 500, 502, 503, 504, 302, 999]),
    head=st.lists(strategies.text.map(lambda value: value.encode("utf-8", "replace")[:60]), max_size=3),
    cut=st.integers(0, 400),
    pieces=st.integers(1, 50),
)
def test_answer_to_an_order_is_accepted_refused_or_in_doubt(
    body: bytes, status: int, head: list[bytes], cut: int, pieces: int
) -> None:
    """And it is never called refused because it could not be read."""
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *(b"X-A: " + part for part in head)]
    whole = b"\r\n".join(lines) + b"\r\n\r\n" + body
    raw = whole[: max(1, len(whole) - cut)] if cut < 100 else whole
    reader, answer = AnswerReader(), None
    try:
        for at in range(0, len(raw), max(1, len(raw) // pieces)):
            answer = reader.feed(raw[at : at + max(1, len(raw) // pieces)], 1) or answer
    except VenueError:
        answer = None
    verdict = judge("NEWUSDT", ID, Exchange(answer=answer, why="cut", mono_ns=1))
    assert verdict.status in (OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.IN_DOUBT)
    if answer is None:
        assert verdict.status is OrderStatus.IN_DOUBT
    if verdict.status is OrderStatus.ACCEPTED:
        assert verdict.venue_order_id
