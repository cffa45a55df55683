"""What the writer promises: order, one transaction per call, gapless numbers, idempotence, honest failure."""

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, entry_from_event
from mexc_sniper.model.entries import (
    BarsRecorded,
    CommandFinished,
    ComponentChanged,
    ComponentFigures,
    ConfigChanged,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    MonitorProgressed,
    SymbolsLearned,
)
from mexc_sniper.model.health import ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.model.listing import ListingKind, Outcome, Phase
from mexc_sniper.model.market import Bar
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import (
    T0_NS,
    a_calendar_line,
    a_component,
    a_config,
    a_listing,
    a_result,
    a_signal,
    a_symbol,
    id_of,
    ns,
)
from tests.ledger.conftest import StartWriter

ONE_OF_EACH: list[LedgerEntry] = [
    ListingChanged(listing=a_listing()),
    a_signal(),
    SymbolsLearned(symbols=(a_symbol("OLDUSDT"), a_symbol("OLDERUSDT"))),
    a_calendar_line(),
    ComponentChanged(component=a_component(figures={"lag_ms_p50": 1.5, "note": None, "connections": 3})),
    MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING)),
    CommandFinished(result=a_result("C1", result={"listing": {"id": "L1"}})),
    ConfigChanged(version=a_config(trade_usdt="12.50")),
]


async def test_appended_entries_come_back_as_they_were(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append(ONE_OF_EACH)
    await writer.flush(deadline_s=5)

    listing, signal, symbols, line, component, monitor, result, config = ONE_OF_EACH
    assert reader.listing(id_of("ALPHAUSDT")) == listing.listing
    assert reader.signals(id_of("ALPHAUSDT")) == [signal.signal]
    with reader.snapshot() as view:
        assert sorted(view.known_symbols(), key=lambda known: known.symbol) == sorted(
            symbols.symbols, key=lambda known: known.symbol
        )
    assert reader.calendar(limit=10) == ([line], 1)
    assert reader.components() == [component.component]
    assert reader.monitor() == monitor.state
    assert reader.command_result("C1") == result.result
    assert reader.config() == config.version


async def test_events_carry_the_entries_in_the_order_appended(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append(ONE_OF_EACH[:3])
    writer.append(ONE_OF_EACH[3:])
    await writer.flush(deadline_s=5)

    events = reader.events(after=0, limit=100)
    told = [entry for entry in ONE_OF_EACH if entry.event is not None]
    assert [event.seq for event in events] == list(range(1, len(told) + 1))
    assert [entry_from_event(event.kind, event.payload) for event in events] == told


async def test_figures_and_progress_replace_rows_without_an_event(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append(
        [
            ComponentChanged(component=a_component(figures={"lag": 1})),
            MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING)),
            ComponentFigures(component=a_component(figures={"lag": 2})),
            MonitorProgressed(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING, last_event_ns=7)),
        ]
    )
    await writer.flush(deadline_s=5)
    assert reader.last_seq() == 2
    assert reader.components()[0].figures == {"lag": 2}
    monitor = reader.monitor()
    assert monitor is not None
    assert monitor.last_event_ns == 7


async def test_numbers_go_on_without_a_gap_after_a_restart(start_writer: StartWriter, reader: LedgerReader) -> None:
    for life in range(3):
        writer = start_writer()
        for turn in range(5):
            writer.append([a_signal(seconds=life * 10 + turn), SymbolsLearned(symbols=(a_symbol(),)), a_signal()])
        await writer.aclose()
    assert [event.seq for event in reader.events(after=0, limit=100)] == list(range(1, 31))


async def test_listing_changed_again_replaces_its_row(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append([ListingChanged(listing=a_listing(phase=Phase.SIGNALED))])
    writer.append([ListingChanged(listing=a_listing(phase=Phase.OPEN, listed_s=5.0))])
    await writer.flush(deadline_s=5)
    listings, total = reader.listings(limit=10)
    assert total == 1
    assert (listings[0].phase, listings[0].listed_at_ns) == (Phase.OPEN, ns(5.0))


async def test_two_episodes_on_one_instant_keep_both_the_later_word_a_nanosecond_later(
    start_writer: StartWriter, reader: LedgerReader
) -> None:
    writer = start_writer()
    writer.append([ListingChanged(listing=a_listing(episode=0)), ListingChanged(listing=a_listing(episode=1))])
    await writer.aclose()
    again = start_writer()  # who holds what must survive a restart
    again.append([ListingChanged(listing=a_listing(episode=2)), ListingChanged(listing=a_listing(episode=1))])
    await again.flush(deadline_s=5)

    at = {listing.id: listing.listed_at_ns for listing in reader.listings(limit=10)[0]}
    assert at == {id_of("ALPHAUSDT", episode): T0_NS + episode for episode in range(3)}
    last = reader.events(after=3, limit=1)[0]
    told = entry_from_event(last.kind, last.payload)
    assert isinstance(told, ListingChanged)
    assert told.listing.listed_at_ns == T0_NS + 1


async def test_command_answered_twice_keeps_the_first_answer(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append([CommandFinished(result=a_result("C1", message="first"))])
    writer.append([CommandFinished(result=a_result("C1", message="second"))])
    await writer.flush(deadline_s=5)
    answer = reader.command_result("C1")
    assert answer is not None
    assert answer.message == "first"


async def test_configuration_version_written_twice_fails_the_ledger_and_keeps_the_first(
    start_writer: StartWriter, reader: LedgerReader
) -> None:
    failures: list[StoreError] = []
    writer = start_writer(on_failure=failures.append)
    writer.append([ConfigChanged(version=a_config(actor="first"))])
    await writer.flush(deadline_s=5)
    writer.append([a_signal(), ConfigChanged(version=a_config(actor="second"))])
    with pytest.raises(StoreError):
        await writer.flush(deadline_s=5)

    assert writer.failed is not None
    assert failures == [writer.failed]
    config = reader.config()
    assert config is not None
    assert config.actor == "first"
    assert reader.last_seq() == 1, "nothing of the refused transaction may be visible"
    with pytest.raises(StoreError):
        await writer.aclose()


async def test_entries_of_one_call_become_visible_together(writer: LedgerWriter, reader: LedgerReader) -> None:
    seen: set[int] = set()

    async def write() -> None:
        for _ in range(40):
            writer.append([a_signal() for _ in range(50)])
            await asyncio.sleep(0)
        await writer.flush(deadline_s=20)

    async def look() -> None:
        while reader.last_seq() < 2_000:
            seen.add(reader.last_seq() % 50)
            await asyncio.sleep(0)

    await asyncio.gather(write(), look())
    assert seen == {0}


async def test_snapshot_does_not_see_what_is_committed_after_it_began(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    writer.append([MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING))])
    await writer.flush(deadline_s=5)
    with reader.snapshot() as view:
        before = view.monitor()
        writer.append([MonitorChanged(state=MonitorState(wanted=False, status=MonitorStatus.STOPPED))])
        await writer.flush(deadline_s=5)
        assert (view.last_seq(), view.monitor()) == (1, before)
    assert reader.last_seq() == 2


async def test_rows_and_last_seq_of_a_snapshot_agree_while_the_writer_works(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    def look() -> list[tuple[int, int]]:
        pairs = []
        while True:
            with reader.snapshot() as view:
                monitor = view.monitor()
                pairs.append((0 if monitor is None else monitor.listings_detected, view.last_seq()))
            if pairs[-1][1] >= 300:
                return pairs

    looking = asyncio.gather(asyncio.to_thread(look), asyncio.to_thread(look))
    for number in range(1, 301):
        state = MonitorState(wanted=True, status=MonitorStatus.RUNNING, listings_detected=number)
        writer.append([MonitorChanged(state=state)])
        await asyncio.sleep(0)
    for pairs in await looking:
        assert all(counted == seq for counted, seq in pairs)


async def test_full_queue_drops_signals_first_and_then_fails_rather_than_leave_out_a_row(
    location: LedgerLocation,
) -> None:
    writer = LedgerWriter(location, LoopClock(), queue_entries=10)  # not started: nothing leaves the queue
    writer.append([ComponentChanged(component=a_component())] * 8)
    writer.append([a_signal()])
    assert (writer.waiting, writer.dropped_signals, writer.failed) == (8, 1, None)
    writer.append([BarsRecorded(bars=())])
    assert (writer.waiting, writer.dropped_signals, writer.failed) == (8, 1, None), "bars are left out, uncounted"
    writer.append([a_signal(), ComponentChanged(component=a_component())])
    assert (writer.waiting, writer.dropped_signals, writer.failed) == (9, 2, None)
    writer.append([ComponentChanged(component=a_component())] * 2)
    assert isinstance(writer.failed, StoreError)
    assert writer.waiting == 9


async def test_bars_come_back_by_time_and_old_ones_are_forgotten(
    start_writer: StartWriter, reader: LedgerReader
) -> None:
    def bar(seconds: float, close: str = "2") -> Bar:
        price = Price(Decimal(1))
        end = Price(Decimal(close))
        return Bar(Symbol("ALPHAUSDT"), 1, ns(seconds), price, end, price, end, Quantity(Decimal("3.5")), 4)

    def kept(from_s: float) -> list[Bar]:
        with reader.snapshot() as view:
            return view.bars(Symbol("ALPHAUSDT"), from_ns=ns(from_s), to_ns=ns(9_000))

    first = start_writer()
    first.append([BarsRecorded(bars=tuple(bar(i) for i in range(1_200)))])
    first.append([BarsRecorded(bars=(bar(1_199, "8"),))])
    await first.aclose()
    assert kept(1_198) == [bar(1_198), bar(1_199, "8")], "the later word on a bar stands"

    start_writer(retention_s=0.0)
    async with asyncio.timeout(20):
        while kept(0):
            await asyncio.sleep(0.02)


async def test_old_events_and_signals_are_forgotten_and_nothing_else(
    start_writer: StartWriter, reader: LedgerReader
) -> None:
    first = start_writer()
    first.append([ListingChanged(listing=a_listing()), *[a_signal(seconds=-i) for i in range(1_200)]])
    await first.aclose()

    start_writer(retention_s=0.0)
    async with asyncio.timeout(20):
        while reader.first_seq() != 1_201 or reader.signals(id_of("ALPHAUSDT")):
            await asyncio.sleep(0.02)
    assert reader.last_seq() == 1_201, "the newest event holds the count and stays"
    assert reader.listings(limit=1)[1] == 1


async def test_restore_finds_what_a_start_needs(start_writer: StartWriter, location: LedgerLocation) -> None:
    now = LoopClock().wall_ns()
    hour, day = 3_600 * 10**9, 86_400 * 10**9
    done = {"outcome": Outcome.SKIPPED, "phase": Phase.OPEN}
    writer = start_writer()
    line = a_calendar_line()
    writer.append(
        [
            ListingChanged(listing=a_listing("PENDINGUSDT")),
            ListingChanged(listing=a_listing("WATCHEDUSDT", opened_at_ns=now - hour // 2, **done)),
            ListingChanged(listing=a_listing("PASTUSDT", opened_at_ns=now - 2 * hour, **done)),
            ListingChanged(listing=a_listing("RELISTUSDT", kind=ListingKind.RELIST)),
            ListingChanged(listing=a_listing("TESTUSDT", kind=ListingKind.INJECTED)),
            SymbolsLearned(symbols=(a_symbol("OLDUSDT"),)),
            line,
            CommandFinished(result=a_result("recent", finished_ns=now - day // 2)),
            CommandFinished(result=a_result("ancient", finished_ns=now - 40 * day)),
            ConfigChanged(version=a_config(1)),
            ConfigChanged(version=a_config(2)),
        ]
    )
    await writer.flush(deadline_s=5)

    restored = writer.restore()
    assert {listing.symbol for listing in restored.listings} == {"PENDINGUSDT", "WATCHEDUSDT", "RELISTUSDT"}
    assert [known.symbol for known in restored.symbols] == ["OLDUSDT"]
    assert [(kept.entry, kept.first_seen_ns) for kept in restored.calendar] == [(line.entry, line.first_seen_ns)]
    assert restored.finished_commands == {"recent"}
    assert restored.config == a_config(2)
    assert restored.monitor is None
    assert restored.listings_detected == 3


async def test_flush_without_a_running_writer_says_so(location: LedgerLocation) -> None:
    with pytest.raises(StoreError, match="not running"):
        await LedgerWriter(location, LoopClock()).flush(deadline_s=1)


async def test_sqlite_locked_by_somebody_else_fails_after_the_busy_timeout_and_loses_nothing_written(
    sqlite_location: LedgerLocation,
) -> None:
    writer, reader = LedgerWriter(sqlite_location, LoopClock()), LedgerReader(sqlite_location)
    writer.start()
    writer.append([ComponentChanged(component=a_component(status=ComponentStatus.OK))])
    await writer.flush(deadline_s=5)
    with closing(sqlite3.connect(sqlite_location.sqlite.ledger, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        writer.append([ComponentChanged(component=a_component(status=ComponentStatus.DOWN))])
        with pytest.raises(StoreError, match="locked by another program"):
            await writer.flush(deadline_s=10)
    assert reader.components()[0].status is ComponentStatus.OK
