"""The tape: what goes on comes back; damage is named, an unclean end is borne."""

import asyncio
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.events import CandlesRead, MiniTickersSeen, QuoteSeen, TradableNamesRead
from mexc_sniper.tape.format import HEAD, HEADER, TapeRecord, encode
from mexc_sniper.tape.player import TapePlayer
from mexc_sniper.tape.recorder import TapeRecorder
from mexc_sniper.tape.replay import Replay
from mexc_sniper.venues.mexc.tap import RawKind
from tests.venue.samples import a_quote_frame, a_tickers_frame, symbol_list

RECORDS = [
    TapeRecord(RawKind.TEXT_FRAME, 1, "", b'{"msg":"PONG"}', 1_795_000_000_000_000_001, 17),
    TapeRecord(RawKind.BINARY_FRAME, 4_000_000_000, "", a_quote_frame(), 2, 2**62),
    TapeRecord(RawKind.ANSWER, 0, "klines?symbol=币安人生USDT", b"[]" * 1000, 3, 3),
    TapeRecord(RawKind.CLOSED, 1, "", b"", -1, 0),
]


def _tape(path, records=RECORDS):
    path.write_bytes(HEAD + b"".join(map(encode, records)))
    return path


def _play(path):
    with TapePlayer(path) as player:
        return list(player), player.truncated_at


def test_what_is_recorded_comes_back(tmp_path):
    recorder = TapeRecorder(tmp_path / "a.tape")
    recorder.start()
    for record in RECORDS:
        recorder.record(record.kind, record.connection, record.label, record.payload, record.wall_ns, record.mono_ns)
    recorder.close()
    recorder.close()
    assert (recorder.written, recorder.dropped, recorder.failed) == (4, 0, None)
    assert _play(recorder.path) == (RECORDS, None)


@given(
    st.lists(
        st.builds(
            TapeRecord,
            st.sampled_from(RawKind),
            st.integers(0, 2**32 - 1),
            st.text(max_size=10),
            st.binary(max_size=50),
            st.integers(-(2**63), 2**63 - 1),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=5,
    )
)
def test_any_records_come_back(tmp_path_factory, records):
    path = _tape(tmp_path_factory.mktemp("tape") / "a.tape", records)
    assert _play(path) == (records, None)


def test_tape_that_is_full_of_queued_records_drops_and_counts(tmp_path):
    recorder = TapeRecorder(tmp_path / "a.tape", queue_bytes=1000)
    for _ in range(10):  # not started yet: nothing drains the queue
        recorder.record(RawKind.TEXT_FRAME, 1, "", b"x" * 200, 1, 1)
    assert 5 <= recorder.dropped <= 7
    recorder.start()
    recorder.close()
    assert recorder.written + recorder.dropped == 10


def test_disk_that_is_full_ends_the_recording_and_says_so(tmp_path):
    recorder = TapeRecorder(tmp_path / "a.tape")
    recorder.start()
    recorder._file.close()
    recorder._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    recorder.record(RawKind.TEXT_FRAME, 1, "", b"x", 1, 1)
    recorder.close()
    assert recorder.failed is not None
    assert "No space left" in str(recorder.failed)
    recorder.record(RawKind.TEXT_FRAME, 1, "", b"x", 1, 1)
    assert recorder.dropped == 1


def test_existing_file_is_never_overwritten(tmp_path):
    path = _tape(tmp_path / "a.tape")
    with pytest.raises(StoreError, match="exists already"):
        TapeRecorder(path).start()
    assert _play(path) == (RECORDS, None)


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"cannot create the tape .*nowhere"):
        TapeRecorder(tmp_path / "nowhere" / "a.tape").start()


def test_every_cut_of_the_last_record_is_borne_and_reported(tmp_path):
    whole = _tape(tmp_path / "whole.tape").read_bytes()
    last = len(whole) - len(encode(RECORDS[-1]))
    for size in range(last + 1, len(whole)):
        path = tmp_path / "cut.tape"
        path.write_bytes(whole[:size])
        assert _play(path) == (RECORDS[:-1], last)


def test_zeros_behind_the_last_record_are_an_unclean_end(tmp_path):
    path = _tape(tmp_path / "a.tape")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert _play(path) == (RECORDS, size)


def test_every_flipped_byte_in_the_middle_is_found_and_named(tmp_path):
    whole = bytearray(_tape(tmp_path / "a.tape").read_bytes())
    second = len(HEAD) + len(encode(RECORDS[0]))
    end = second + len(encode(RECORDS[1]))
    path = tmp_path / "bad.tape"
    for at in range(second, end):
        damaged = bytes(whole[:at]) + bytes([whole[at] ^ 0xFF]) + bytes(whole[at + 1 :])
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=rf"bad\.tape is damaged at offset {second}: .*truncate") as caught:
            _play(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "is no tape"), (b"SQLite format 3\x00", "is no tape"), (b"MXTAPE\x00\x09more", "another version")],
)
def test_file_that_is_no_tape_is_named(tmp_path, content, word):
    path = tmp_path / "x.tape"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=word):
        _play(path)


def test_missing_tape_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"cannot read the tape .*none\.tape: No such file"):
        _play(tmp_path / "none.tape")


def test_header_with_an_unknown_kind_is_damage(tmp_path):
    record = bytearray(encode(RECORDS[0]))
    record[2] = 99
    struct.pack_into("<I", record, HEADER.size, zlib.crc32(record[: HEADER.size]))
    path = tmp_path / "a.tape"
    path.write_bytes(HEAD + bytes(record) + encode(RECORDS[1]))
    with pytest.raises(StoreError, match="unknown kind 99"):
        _play(path)


def _frame(payload, connection=1):
    return TapeRecord(RawKind.BINARY_FRAME, connection, "", payload, 5, 6)


def _answer(label, body):
    return TapeRecord(RawKind.ANSWER, 0, label, body, 5, 6)


def test_replay_reads_frames_and_answers_as_the_live_sources_do():
    names = symbol_list(["AUSDT", "BUSDT"])
    replay = Replay()
    events = list(
        replay.events(
            [
                _answer("default_symbols", names),
                _answer("default_symbols", names),
                _frame(a_tickers_frame("AUSDT")),
                _frame(a_quote_frame(version="5")),
                _frame(a_quote_frame(version="5"), connection=2),
                _frame(b"garbage"),
                _answer("time", b'{"serverTime":1767211150479}'),
                _answer("klines?symbol=NEWUSDT&interval=1d&limit=500", b"[]"),
                _answer("klines?symbol=NEWUSDT&interval=1m&limit=500", b"[]"),
                TapeRecord(RawKind.CLOSED, 1, "", b"cut", 5, 6),
                _frame(a_tickers_frame("AUSDT")),
            ]
        )
    )
    assert [type(event) for event in events] == [
        TradableNamesRead,
        MiniTickersSeen,
        QuoteSeen,
        CandlesRead,
        MiniTickersSeen,
    ]
    assert replay.unread == 2  # the first list (waits for a second that agrees) and the garbage


async def test_recording_never_waits_for_the_disk(tmp_path):
    recorder = TapeRecorder(tmp_path / "a.tape")
    await asyncio.to_thread(recorder.start)
    for _ in range(1000):
        recorder.record(RawKind.BINARY_FRAME, 1, "", b"x" * 1000, 1, 1)
        await asyncio.sleep(0)
    await asyncio.to_thread(recorder.close)
    assert len((await asyncio.to_thread(_play, recorder.path))[0]) == 1000
