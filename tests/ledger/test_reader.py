"""What pages ask for: filters, order, pages, and exactly what was written, whatever the venue calls its coins."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, entry_from_event
from mexc_sniper.ledger.codec import INT64_MAX, column_text, storable
from mexc_sniper.ledger.memory import ListedTimes
from mexc_sniper.model.entries import (
    CalendarChanged,
    CommandFinished,
    ComponentChanged,
    ConfigChanged,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    SignalReceived,
    SymbolsLearned,
)
from mexc_sniper.model.health import MonitorState
from mexc_sniper.model.listing import KnownSymbol, Outcome, Phase, Source
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import a_calendar_line, a_component, a_config, a_listing, a_result, a_signal, id_of, ns

SIX = [
    a_listing("ALPHAUSDT", listed_s=1, phase=Phase.OPEN),
    a_listing("BETAUSDT", listed_s=2, source=Source.MEXC_WEBSOCKET),
    a_listing("GAMMAUSDT", listed_s=3, outcome=Outcome.SKIPPED, reason=Reason.MONITOR_ONLY),
    a_listing("100%_SUREUSDT", listed_s=4),
    a_listing("СНЕГUSDT", listed_s=5, full_name="Снегопад \\ Кoin"),
    a_listing("FOXUSDT", listed_s=5, base=Asset("FOX"), full_name="Der Fuß"),
]


@pytest.fixture
async def six(writer: LedgerWriter, reader: LedgerReader) -> LedgerReader:
    writer.append([ListingChanged(listing=listing) for listing in SIX])
    await writer.flush(deadline_s=5)
    return reader


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"ALPHAUSDT", "BETAUSDT", "GAMMAUSDT", "100%_SUREUSDT", "СНЕГUSDT", "FOXUSDT"}),
        ({"phase": Phase.OPEN}, {"ALPHAUSDT"}),
        ({"source": Source.MEXC_WEBSOCKET}, {"BETAUSDT"}),
        ({"outcome": Outcome.SKIPPED}, {"GAMMAUSDT"}),
        ({"since_ns": ns(4)}, {"100%_SUREUSDT", "СНЕГUSDT", "FOXUSDT"}),
        ({"text": "bet"}, {"BETAUSDT"}),
        ({"text": "%_s"}, {"100%_SUREUSDT"}),
        ({"text": "снегоПАД \\"}, {"СНЕГUSDT"}),
        ({"text": "FUSS"}, {"FOXUSDT"}),
        ({"text": "\x00"}, set()),
        ({"text": "usdt", "phase": Phase.SIGNALED, "since_ns": ns(3), "outcome": Outcome.SKIPPED}, {"GAMMAUSDT"}),
    ],
)
async def test_listings_are_filtered(six: LedgerReader, filters: dict[str, Any], found: set[str]) -> None:
    listings, total = six.listings(limit=50, **filters)
    assert {listing.symbol for listing in listings} == found
    assert total == len(found)


async def test_listings_come_newest_first_page_by_page_without_overlap(six: LedgerReader) -> None:
    pages = [six.listings(limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert {total for _, total in pages} == {6}
    shown = [listing for page, _ in pages for listing in page]
    assert [listing.detected_at_ns for listing in shown] == [ns(s) for s in (5, 5, 4, 3, 2, 1)]
    assert len({listing.id for listing in shown}) == 6


async def test_calendar_is_soonest_first_undetermined_last_withdrawn_apart(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    lines = [
        a_calendar_line("tbd", opens_s=None),
        a_calendar_line("late", opens_s=90),
        a_calendar_line("soon", opens_s=30),
        a_calendar_line("past", opens_s=-30),
        a_calendar_line("gone", opens_s=40, withdrawn=True),
    ]
    writer.append(lines)
    await writer.flush(deadline_s=5)

    def ids(**query: Any) -> list[str]:
        return [line.entry.coin_id for line in reader.calendar(limit=10, **query)[0]]

    assert ids(from_ns=ns(0)) == ["soon", "late", "tbd"]
    assert ids() == ["past", "soon", "late", "tbd"]
    assert ids(withdrawn=True, from_ns=ns(0)) == ["soon", "gone", "late", "tbd"]
    assert reader.calendar(from_ns=ns(0), limit=1, offset=1) == ([lines[1]], 3)


async def test_calendar_line_that_moves_stays_one_row_and_one_that_returns_is_another(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    writer.append([a_calendar_line("a", opens_s=10), a_calendar_line("a", opens_s=20)])
    writer.append([a_calendar_line("a", opens_s=20, withdrawn=True)])
    writer.append([a_calendar_line("a", opens_s=99, first_seen_s=50)])
    writer.append([a_calendar_line("", opens_s=5)])
    await writer.flush(deadline_s=5)
    assert reader.calendar(limit=10)[1] == 2
    assert reader.calendar(limit=10, withdrawn=True)[1] == 3


async def test_configuration_history_is_newest_first_and_each_version_can_be_read(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    writer.append([ConfigChanged(version=a_config(version)) for version in (1, 2, 3)])
    await writer.flush(deadline_s=5)
    history, total = reader.config_history(limit=2, offset=0)
    assert ([version.version for version in history], total) == ([3, 2], 3)
    assert reader.config() == a_config(3)
    assert reader.config(1) == a_config(1)
    assert reader.config(9) is None


async def test_history_of_one_listing_holds_its_events_alone(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append([ListingChanged(listing=a_listing("ALPHAUSDT")), ListingChanged(listing=a_listing("BETAUSDT"))])
    writer.append([a_signal("ALPHAUSDT"), ListingChanged(listing=a_listing("ALPHAUSDT", phase=Phase.OPEN))])
    await writer.flush(deadline_s=5)
    assert [event.seq for event in reader.history(id_of("ALPHAUSDT"))] == [1, 3, 4]


async def test_two_readers_in_threads_and_a_writer_do_not_disturb_each_other(
    location: LedgerLocation, writer: LedgerWriter
) -> None:
    over = asyncio.Event()

    def read_on() -> int:
        reader = LedgerReader(location)
        reads = 0
        while not over.is_set():
            listings, total = reader.listings(limit=20)
            assert len(listings) == min(total, 20)
            reads += 1
        reader.close()
        return reads

    reading = [asyncio.create_task(asyncio.to_thread(read_on)) for _ in range(2)]
    for number in range(200):
        writer.append([ListingChanged(listing=a_listing(f"S{number}USDT", listed_s=number))])
        await asyncio.sleep(0.001)
    await writer.flush(deadline_s=10)
    over.set()
    assert all(reads > 0 for reads in await asyncio.gather(*reading))
    assert writer.failed is None


def test_event_of_an_unknown_kind_is_none() -> None:
    assert entry_from_event("from_the_future", b"{}") is None


def test_column_text_keeps_different_texts_different() -> None:
    texts = ["a\x00b", "a\\0b", "a\\\x00b", "a\\\\0b", "ab"]
    assert len({column_text(text) for text in texts}) == len(texts)
    assert all("\x00" not in column_text(text) for text in texts)


def test_listed_times_at_the_end_of_time_still_differ() -> None:
    times = ListedTimes()
    first = times.settle(a_listing(episode=0, listed_at_ns=2**70))
    second = times.settle(a_listing(episode=1, listed_at_ns=INT64_MAX))
    assert (first.listed_at_ns, second.listed_at_ns) == (INT64_MAX, INT64_MAX - 1)


# ---- every entry, with every text a venue or a browser could send ---------------------------------------------------

HOSTILE = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["", "\x00", "a\x00b", "\\0", "'; DROP TABLE events; --", "%s", ":id", "\ud800", "x\udfff", "\u202egpj", "𝒳" * 9]
)
TIMES = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)
st.register_type_strategy(Symbol, HOSTILE.map(Symbol))


def struct(kind: type[Any], **fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **fields)


TEXT_FIELDS = {"full_name": HOSTILE, "coin_id": HOSTILE, "contract_address": HOSTILE}
LISTING = st.builds(
    a_listing,
    HOSTILE,
    st.integers(0, 3),
    base=HOSTILE,
    quote=HOSTILE,
    newness_proof=HOSTILE,
    listed_at_ns=TIMES,
    detected_at_ns=TIMES,
    opened_at_ns=st.none() | TIMES,
    **TEXT_FIELDS,
)
ENTRIES: st.SearchStrategy[LedgerEntry] = st.one_of(
    LISTING.map(lambda listing: ListingChanged(listing=listing)),
    st.builds(a_signal, HOSTILE, st.floats(0, 1e6), HOSTILE),
    st.builds(
        KnownSymbol,
        symbol=HOSTILE,
        base=HOSTILE,
        quote=HOSTILE,
        first_seen_ns=TIMES,
        coin_id=HOSTILE,
        contract_address=HOSTILE,
        first_open_time_ns=st.none() | TIMES,
        api_trading=st.booleans(),
        in_exchange_info=st.booleans(),
        in_default_symbols=st.booleans(),
        absent_since_ns=st.none() | TIMES,
        episodes=st.integers(0, 9),
    ).map(lambda known: SymbolsLearned(symbols=(known,))),
    st.builds(a_calendar_line, HOSTILE, opens_s=st.none() | st.floats(0, 1e6), listing_id=st.none() | HOSTILE),
    st.builds(
        a_component, HOSTILE, detail=HOSTILE, figures=st.dictionaries(HOSTILE, st.none() | HOSTILE | TIMES, max_size=3)
    ).map(lambda component: ComponentChanged(component=component)),
    st.builds(a_result, HOSTILE, message=HOSTILE, result=st.dictionaries(HOSTILE, JSON, max_size=3)).map(
        lambda result: CommandFinished(result=result)
    ),
    HOSTILE.map(
        lambda error: MonitorChanged(state=MonitorState(wanted=True, status="running", last_error=error))  # type: ignore[arg-type]
    ),
)


def clean(entry: LedgerEntry) -> LedgerEntry:
    """What may be expected back: lone surrogates are no text and become U+FFFD."""
    return storable(entry)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(entries=st.lists(ENTRIES, min_size=1, max_size=12))
def test_whatever_the_texts_every_entry_comes_back_as_written(
    location: LedgerLocation, entries: list[LedgerEntry]
) -> None:
    async def write() -> None:
        writer = LedgerWriter(location, LoopClock())
        writer.start()
        writer.append(entries)
        await writer.aclose()

    reader = LedgerReader(location)
    before = reader.last_seq()
    asyncio.run(write())
    written = [clean(entry) for entry in entries]
    told = [entry_from_event(event.kind, event.payload) for event in reader.events(before, 1_000)]
    numbered = [entry for entry in written if entry.event is not None]
    assert [_without_bump(entry) for entry in told] == [_without_bump(entry) for entry in numbered]
    with reader.snapshot() as view:
        for entry in _last_of_each(written):
            assert _read_back(view, entry) == _without_bump(entry)
    reader.close()


def _without_bump(entry: Any) -> Any:
    """``listed_at`` may have moved by nanoseconds to stay unique; tested on its own above."""
    if isinstance(entry, ListingChanged):
        import msgspec

        return ListingChanged(listing=msgspec.structs.replace(entry.listing, listed_at_ns=0))
    return entry


def _last_of_each(entries: list[LedgerEntry]) -> list[LedgerEntry]:
    last: dict[Any, LedgerEntry] = {}
    for entry in entries:
        match entry:
            case ListingChanged(listing=listing):
                last["listing", listing.id] = entry
            case SymbolsLearned(symbols=symbols):
                last["symbol", symbols[0].symbol] = entry
            case ComponentChanged(component=component):
                last["component", component.name] = entry
            case MonitorChanged():
                last["monitor"] = entry
            case CommandFinished() | SignalReceived() | CalendarChanged() | ConfigChanged():
                pass  # the first answer stands; the others are compared as events above
    return list(last.values())


def _read_back(view: Any, entry: LedgerEntry) -> Any:
    match entry:
        case ListingChanged(listing=listing):
            return _without_bump(ListingChanged(listing=view.listing(listing.id)))
        case SymbolsLearned(symbols=symbols):
            return SymbolsLearned(symbols=tuple(k for k in view.known_symbols() if k.symbol == symbols[0].symbol))
        case ComponentChanged(component=component):
            return ComponentChanged(component=next(c for c in view.components() if c.name == component.name))
        case _:
            return MonitorChanged(state=view.monitor())
