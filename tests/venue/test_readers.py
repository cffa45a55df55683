"""Readers of polled sources: what changed, what is the whole truth, and what two sockets repeat."""

import json

import pytest

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.model.events import InstrumentsRead, MiniTickersSeen, QuoteSeen, TradesSeen
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.sources.age import CandlePair
from mexc_sniper.venues.mexc.sources.announcements import AnnouncementsReader
from mexc_sniper.venues.mexc.sources.calendar import CalendarReader
from mexc_sniper.venues.mexc.sources.completeness import Census, Completeness
from mexc_sniper.venues.mexc.sources.exchange_info import ExchangeInfoReader
from mexc_sniper.venues.mexc.sources.offline import OfflineReader
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Unconfirmed, finish
from mexc_sniper.venues.mexc.sources.symbol_lists import DefaultSymbolsReader, SelfSymbolsReader
from mexc_sniper.venues.mexc.sources.web_symbols import WebSymbolsReader
from tests.venue.samples import (
    a_quote_frame,
    a_row,
    a_tickers_frame,
    a_trades_frame,
    exchange_info,
    sample,
    symbol_list,
)


def _read(reader, body):
    return finish(reader.read(body, 5, 6))


def _names(count):
    return [f"S{number}USDT" for number in range(count)]


def _primed(rows):
    reader = ExchangeInfoReader(Census())
    with pytest.raises(Unconfirmed):
        _read(reader, exchange_info(rows))
    reading = _read(reader, exchange_info(rows))
    return reader, reading


def test_first_complete_answer_reads_every_row_and_names_all():
    rows = [a_row(name) for name in _names(250)]
    _, reading = _primed(rows)
    (event,) = reading.events
    assert isinstance(event, InstrumentsRead)
    assert [read.symbol for read in event.changed] == _names(250)
    assert event.names == set(_names(250))
    assert event.stamp.ts_event_ns == 1767211147355_000_000
    assert (event.stamp.ts_recv_ns, event.stamp.mono_ns) == (5, 6)


def test_later_answer_reads_only_new_and_changed_rows():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    rows[3]["isSpotTradingAllowed"] = True
    (event,) = _read(reader, exchange_info([*rows[::-1], a_row("FRESHUSDT")], serverTime=1767211149999)).events
    assert [read.symbol for read in event.changed] == ["S3USDT", "FRESHUSDT"]
    assert event.names == {*_names(30), "FRESHUSDT"}


def test_unchanged_answer_still_names_every_symbol():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    (event,) = _read(reader, exchange_info(rows)).events
    assert event.changed == ()
    assert len(event.names) == 30


@pytest.mark.parametrize(
    "body", [b"{}", b"<html>403</html>", exchange_info([]), exchange_info([a_row(n) for n in _names(15)])]
)
def test_implausible_answer_is_no_reading_and_spoils_nothing(body):
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    with pytest.raises(ProtocolError):
        _read(reader, body)
    (event,) = _read(reader, exchange_info(rows)).events
    assert (len(event.changed), len(event.names)) == (0, 30)


def test_half_a_list_at_the_start_is_not_believed_when_the_next_one_is_whole():
    reader = ExchangeInfoReader(Census())
    for size in (15, 30):
        with pytest.raises(Unconfirmed):
            _read(reader, exchange_info([a_row(name) for name in _names(size)]))
    (event,) = _read(reader, exchange_info([a_row(name) for name in _names(30)])).events
    assert len(event.names) == 30


def test_one_unreadable_row_hides_no_other_and_is_told():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    rows.append(a_row("ODDUSDT", baseSizePrecision="?"))
    rows.append(a_row("FRESHUSDT"))
    reading = _read(reader, exchange_info(rows))
    (event,) = reading.events
    assert [read.symbol for read in event.changed] == ["FRESHUSDT"]
    assert "ODDUSDT" in event.names
    assert "1 of 32 rows cannot be read" in reading.trouble
    rows[30] = a_row("ODDUSDT")
    (event,) = _read(reader, exchange_info(rows)).events
    assert [read.symbol for read in event.changed] == ["ODDUSDT"]


def test_another_schema_in_all_rows_is_refused_as_a_whole():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    with pytest.raises(Incomplete, match="another schema"):
        _read(reader, exchange_info([{**row, "baseSizePrecision": None} for row in rows]))


def test_unknown_status_word_in_all_rows_is_refused_as_a_whole():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    with pytest.raises(Incomplete, match="status word"):
        _read(reader, exchange_info([{**row, "status": "TRADING"} for row in rows]))


def test_status_word_of_2024_reads_as_online_in_all_rows():
    rows = [a_row(name) for name in _names(30)]
    reader, _ = _primed(rows)
    (event,) = _read(reader, exchange_info([{**row, "status": "ENABLED"} for row in rows])).events
    assert {read.status.value for read in event.changed} == {"online"}


def test_work_is_cut_into_slices():
    reader = ExchangeInfoReader(Census())
    body = exchange_info([a_row(name) for name in _names(1000)])
    with pytest.raises(Unconfirmed):
        _read(reader, body)
    assert sum(1 for _ in reader.read(body, 1, 1)) >= 10


def test_first_list_needs_a_second_that_agrees():
    reader = DefaultSymbolsReader(Census())
    with pytest.raises(Unconfirmed):
        _read(reader, symbol_list(_names(1000)))
    (event,) = _read(reader, symbol_list(_names(1005))).events
    assert len(event.names) == 1005


@pytest.mark.parametrize(("size", "accepted"), [(2000, True), (2050, True), (1900, True), (1500, False), (4000, False)])
def test_list_may_grow_and_shrink_only_so_much_at_once(size, accepted):
    judge = Completeness(DefaultSymbolsReader.source, Census())
    with pytest.raises(Unconfirmed):
        judge.check(2000)
    judge.check(2000)
    if accepted:
        judge.check(size)
    else:
        with pytest.raises(Incomplete):
            judge.check(size)
        judge.check(2001)


def test_first_list_much_shorter_than_another_source_is_not_believed():
    census = Census()
    census.sizes[DefaultSymbolsReader.source] = 1900
    with pytest.raises(Incomplete, match="1900"):
        Completeness(ExchangeInfoReader.source, census).check(900)


def test_key_without_any_symbol_is_a_true_answer():
    reader = SelfSymbolsReader(Census())
    with pytest.raises(Unconfirmed):
        _read(reader, symbol_list([]))
    (event,) = _read(reader, symbol_list([])).events
    assert event.names == frozenset()


def test_calendar_that_lost_its_lines_is_believed_only_the_third_time():
    line = {"vcoinId": "a", "vcoinName": "A", "firstOpenTime": 1795341600000}
    full = json.dumps({"data": {"newCoins": [line, {**line, "vcoinId": "b"}, {**line, "vcoinId": "c"}]}}).encode()
    empty = json.dumps({"data": {"newCoins": []}}).encode()
    reader = CalendarReader()
    _read(reader, full)
    for _ in range(2):
        with pytest.raises(Incomplete):
            _read(reader, empty)
    (event,) = _read(reader, empty).events
    assert event.entries == ()


def test_web_symbols_hand_on_changed_rows_only():
    body = sample("shape_only", "symbolsV2.json")
    reader = WebSymbolsReader(Census())
    with pytest.raises(Unconfirmed):
        _read(reader, body)
    (event,) = _read(reader, body).events
    assert [read.base for read in event.changed] == ["EXMPL"]
    assert event.names == {"EXMPLUSDT"}
    changed = json.loads(body)
    changed["data"]["symbols"]["USDT"][0]["sts"] = 3
    assert [read.status_codes for read in _read(reader, json.dumps(changed).encode()).events[0].changed] == ["3/2/4"]
    assert _read(reader, json.dumps(changed).encode()).events[0].changed == ()


def test_listing_post_is_handed_on_once():
    reader = AnnouncementsReader()
    post = {"title": "MEXC Will List Foo (FOO)", "url": "https://www.mexc.com/help/foo", "postTime": 1761620404821}
    body = json.dumps({"code": 0, "data": [{"details": [post, {"title": "Maintenance"}]}]}).encode()
    (event,) = _read(reader, body).events
    assert [announced.assets for announced in event.posts] == [("FOO",)]
    assert _read(reader, body).events == ()


def test_offline_rows_are_handed_on_when_they_change():
    reader = OfflineReader()
    body = sample("rest", "docs", "symbol_offline.json")
    assert len(_read(reader, body).events[0].changed) == 7
    assert _read(reader, body).events[0].changed == ()
    changed = body.replace(b'"state": 3\n', b'"state": 2\n', 1)
    assert changed != body
    assert [row.symbol for row in _read(reader, changed).events[0].changed] == ["LVNUSDT"]


_DAY_MS = 86_400_000
_T_MS = 1767204000000


def _candle(open_ms):
    return [open_ms, "1", "2", "1", "2", "10", open_ms, "20"]


def test_old_coin_is_proven_by_its_days():
    pair = CandlePair()
    pair.take("1d", json.dumps([_candle(_T_MS - n * _DAY_MS) for n in range(400)]).encode())
    pair.take("1m", json.dumps([_candle(_T_MS - n * 60_000) for n in range(500)]).encode())
    assert pair.complete
    oldest = pair.oldest()
    assert oldest[0].open_time_ns == (_T_MS - 399 * _DAY_MS) * 1_000_000
    assert oldest[0].interval_s == 86_400


def test_young_coin_tells_its_first_minute():
    pair = CandlePair()
    pair.take("1d", json.dumps([_candle(_T_MS - 3_600_000)]).encode())
    pair.take("1m", json.dumps([_candle(_T_MS), _candle(_T_MS + 60_000)]).encode())
    assert [(c.open_time_ns, c.interval_s) for c in pair.oldest()] == [
        (_T_MS * 1_000_000, 60),
        ((_T_MS + 60_000) * 1_000_000, 60),
    ]


def test_coin_without_candles_has_none():
    pair = CandlePair()
    pair.take("1d", b"[]")
    pair.take("1m", b"[]")
    assert pair.oldest() == ()


def _events(interpreter, *frames):
    """Frames are (connection, payload)."""
    read = [interpreter.read(connection, payload, 1, 1).event for connection, payload in frames]
    return [event for event in read if event is not None]


def test_quote_that_two_connections_carry_is_news_once():
    frame = a_quote_frame(version="9")
    assert len(_events(FrameInterpreter(), (1, frame), (2, frame), (1, a_quote_frame(version="10")))) == 2


def test_quote_overtaken_by_a_newer_one_is_dropped():
    newer, older = a_quote_frame(version="9", bid="2"), a_quote_frame(version="8", bid="1")
    (event,) = _events(FrameInterpreter(), (1, newer), (2, older))
    assert isinstance(event, QuoteSeen)
    assert event.quote.bid == 2


def test_quote_passes_when_the_venue_counts_anew():
    before = a_quote_frame(version="900", sent_ms=1767211147000)
    after = a_quote_frame(version="1", sent_ms=1767211148000)
    assert len(_events(FrameInterpreter(), (1, before), (1, after))) == 2


def test_trade_with_an_id_is_news_once():
    frame = a_trades_frame("NEWUSDT", ("1", 1767211147355, "a"), ("1", 1767211147355, "b"))
    events = _events(FrameInterpreter(), (1, frame), (2, frame), (1, frame))
    assert [len(event.trades) for event in events] == [2]


def test_equal_trades_without_ids_are_two_on_one_connection_and_none_on_the_second():
    frame = a_trades_frame("NEWUSDT", ("1", 1767211147355, ""), ("1", 1767211147355, ""))
    events = _events(FrameInterpreter(), (1, frame), (2, frame))
    assert [len(event.trades) for event in events] == [2]


def test_trades_of_a_forgotten_symbol_are_news_again():
    interpreter = FrameInterpreter()
    frame = a_trades_frame("NEWUSDT", ("1", 1767211147355, "a"))
    assert isinstance(_events(interpreter, (1, frame))[0], TradesSeen)
    interpreter.forget("NEWUSDT")
    assert len(_events(interpreter, (1, frame))) == 1


def test_tickers_name_only_what_the_connection_had_not_shown():
    interpreter = FrameInterpreter()
    first, second = a_tickers_frame("AUSDT", "BUSDT"), a_tickers_frame("AUSDT", "CUSDT")
    events = _events(interpreter, (1, first), (1, second), (1, second))
    assert all(isinstance(event, MiniTickersSeen) for event in events)
    assert [[ticker.symbol for ticker in event.tickers] for event in events] == [["AUSDT", "BUSDT"], ["CUSDT"]]


def test_impossible_name_in_the_tickers_hides_no_other():
    (event,) = _events(FrameInterpreter(), (1, a_tickers_frame("", "A\nB", "CUSDT")))
    assert [ticker.symbol for ticker in event.tickers] == ["CUSDT"]
