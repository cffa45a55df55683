"""Whatever the sources say, in whatever order: rules that hold for every listing (STYLE 6, DESIGN 4.1)."""

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given, settings

from mexc_sniper.engine.effects import Record
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.entries import ListingChanged
from mexc_sniper.model.listing import ListingKind, Outcome, Phase
from tests.builders import (
    a_calendar_entry,
    a_command,
    a_quote,
    a_tick,
    a_trade,
    an_instrument,
    calendar_read,
    candles_read,
    default_symbols_read,
    instruments_read,
    tickers_seen,
)
from tests.engine_world import OLD, World

ASSETS = ("ALPHA", "BETA", "ВЕТА", "币安人生")
_assets = st.sampled_from(ASSETS)
_quotes = st.sampled_from(("USDT", "USDC"))
_seconds = st.floats(min_value=0, max_value=5000, allow_nan=False)
_some_names = st.sets(st.sampled_from([f"{a}{q}" for a in ASSETS for q in ("USDT", "USDC")]), max_size=6)


@st.composite
def _step(draw: st.DrawFn):
    """One event as a function of the time at which it happens."""
    kind = draw(st.integers(min_value=0, max_value=9))
    asset, quote = draw(_assets), draw(_quotes)
    symbol = f"{asset}{quote}"
    names = draw(_some_names)
    opens = draw(st.one_of(st.none(), _seconds))
    flag = draw(st.booleans())
    verb = draw(st.sampled_from([Verb.START_MONITOR, Verb.STOP_MONITOR]))
    ages = draw(st.lists(st.floats(min_value=-9e6, max_value=5000, allow_nan=False), max_size=2))
    row = an_instrument(symbol, quote=quote, api_trading=flag, first_open_s=opens)
    return (
        lambda t: instruments_read(t, row, names=names | set(OLD)),
        lambda t: default_symbols_read(t, *OLD, *sorted(names)),
        lambda t: calendar_read(t, *([] if flag else [a_calendar_entry(asset, opens_s=opens)])),
        lambda t: tickers_seen(t, *sorted(names)),
        lambda t: a_quote(t, symbol, ask="1.01" if flag else None),
        lambda t: a_trade(t, symbol),
        lambda t: candles_read(t, symbol, *sorted(ages), error="x" if flag else ""),
        lambda t: a_tick(t),
        lambda t: a_command(t, verb),
        lambda t: a_command(t, Verb.INJECT_LISTING, symbol=symbol),
    )[kind]


_RANK = {Phase.SIGNALED: 0, Phase.SCHEDULED: 1, Phase.PRE_OPEN: 2, Phase.OPEN: 3, Phase.WITHDRAWN: 4}


@settings(max_examples=300)
@given(
    steps=st.lists(st.tuples(_step(), st.floats(min_value=0.01, max_value=90)), min_size=1, max_size=40),
    restart_at=st.integers(min_value=0, max_value=40),
)
def test_every_listing_keeps_its_rules_whatever_the_sources_say(steps, restart_at):
    world = World()
    second = 0.0
    versions: dict[str, list] = {}

    def check(lived: World) -> None:
        for entry in lived.entries:
            if isinstance(entry, ListingChanged):
                versions.setdefault(entry.listing.id, []).append(entry.listing)

    for number, (step, pause) in enumerate(steps):
        second += pause
        if number == restart_at:
            check(world)
            world = World(world.restored(), seconds=second, running=False)
        world.hear(step(second))
    check(world)

    for history in versions.values():
        outcome = Outcome.PENDING
        for before, after in pairwise(history):
            assert before.symbol == after.symbol
            postponed = (before.phase, after.phase) == (Phase.SCHEDULED, Phase.SIGNALED)
            revived = before.phase is Phase.WITHDRAWN and after.phase is Phase.OPEN
            assert _RANK[after.phase] >= _RANK[before.phase] or postponed or revived
            if before.listed_at_frozen:
                assert after.listed_at_ns == before.listed_at_ns
            if before.kind not in (ListingKind.UNPROVEN, ListingKind.NEW):
                assert after.kind is before.kind
        for listing in history:
            assert (listing.outcome is Outcome.PENDING) == (listing.reason is None)
            if outcome is not Outcome.PENDING:
                assert listing.outcome is outcome
            outcome = listing.outcome
            assert len({source.kind for source in listing.sources}) == len(listing.sources)
            assert listing.detection_lag_ns is None or listing.detection_lag_ns >= 0

    open_now: dict[str, int] = {}
    for history in versions.values():
        last = history[-1]
        if last.kind is not ListingKind.INJECTED and last.outcome is Outcome.PENDING:
            open_now[last.symbol] = open_now.get(last.symbol, 0) + 1
    assert all(number == 1 for number in open_now.values()), "one symbol has one pending episode"


@settings(max_examples=100)
@given(steps=st.lists(st.tuples(_step(), st.floats(min_value=0.01, max_value=90)), min_size=1, max_size=25))
def test_same_events_twice_give_the_same_effects(steps):
    """Determinism (RELIABILITY I16): nothing but state and event decides."""
    events, second = [], 0.0
    for step, pause in steps:
        second += pause
        events.append(step(second))

    def live() -> list:
        return [effect for world in [World()] for event in events for effect in world.engine.handle(event)]

    first, second_run = live(), live()
    assert first == second_run
    assert all(effect.entries for effect in first if isinstance(effect, Record)), "an empty record is never asked for"
