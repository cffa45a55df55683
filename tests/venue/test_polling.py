"""The polling loop by the clock: intervals, failures, waits the venue ordered, refreshes, what the operator sees."""

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from random import Random

import pytest

from mexc_sniper.core.errors import ConnectFailed, FirewallBlocked, RateLimited, VenueUnavailable
from mexc_sniper.model.events import CandlesRead, SourceChanged, TradableNamesRead
from mexc_sniper.venues.mexc.budget import AWAITED_SHARE, HEAVY_SHARE, READS_SHARE, WEIGHT_LIMIT, WeightBudget, part
from mexc_sniper.venues.mexc.planner import Planner, PollingOptions
from mexc_sniper.venues.mexc.rest import Answer
from mexc_sniper.venues.mexc.sources.age import ATTEMPTS, AgeProbes
from mexc_sniper.venues.mexc.sources.calendar import CalendarReader
from mexc_sniper.venues.mexc.sources.completeness import Census
from mexc_sniper.venues.mexc.sources.exchange_info import ExchangeInfoReader
from mexc_sniper.venues.mexc.sources.polling import PolledSource
from mexc_sniper.venues.mexc.sources.symbol_lists import DefaultSymbolsReader
from mexc_sniper.venues.mexc.urls import Endpoint
from tests.venue.clock import ManualClock, settle
from tests.venue.samples import a_row, exchange_info, symbol_list

NAMES = symbol_list([f"S{number}USDT" for number in range(50)])
ROWS = exchange_info([a_row(f"S{number}USDT") for number in range(50)])


class Desk:
    """Stands in for the client: answers at once with what the test put there."""

    def __init__(self, clock, answer):
        self.clock = clock
        self.answer = answer
        self.asked = []
        self.shares = []
        self.budget = WeightBudget(clock)

    async def get(self, endpoint, parameters=None, *, share=lambda: 1.0, pace=1.0):
        await self.budget.acquire(endpoint.weight, deadline_s=10, share=share)
        self.asked.append(self.clock.now)
        self.shares.append(part(share))
        found = self.answer(endpoint, parameters) if callable(self.answer) else self.answer
        if isinstance(found, Exception):
            raise found
        return Answer(found, self.clock.wall_ns(), self.clock.now, self.clock.now)


@asynccontextmanager
async def polling(answer, reader=None, options=None):
    clock, heard = ManualClock(), []
    desk = Desk(clock, answer)
    planner = Planner(options or PollingOptions(), clock, Random(1))
    source = PolledSource(reader or DefaultSymbolsReader(Census()), desk, planner, clock, heard.append, lambda: 0)
    task = asyncio.create_task(source.run())
    await settle()
    try:
        yield source, desk, clock, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _states(heard):
    return [event.status.value for event in heard if isinstance(event, SourceChanged)]


async def test_unannounced_name_is_asked_for_at_least_once_a_second():
    async with polling(NAMES, options=PollingOptions(default_symbols_interval_ms=1000)) as (_, desk, clock, heard):
        await clock.advance(60)
        gaps = [(b - a) / 1e9 for a, b in zip(desk.asked, desk.asked[1:], strict=False)]
        assert max(gaps) <= 1.1
        assert len({round(gap, 3) for gap in gaps}) > 10  # jitter
        assert len([event for event in heard if isinstance(event, TradableNamesRead)]) == len(desk.asked) - 1
        assert set(_states(heard)) == {"ok"}


async def test_figures_are_told_at_most_once_a_second():
    async with polling(NAMES) as (_, desk, clock, heard):
        await clock.advance(30)
        assert len(desk.asked) > 50
        assert len(_states(heard)) <= 31


async def test_absent_network_is_tried_every_second_and_the_first_failure_alarms_nobody():
    async with polling(ConnectFailed("no route")) as (_, desk, clock, heard):
        assert _states(heard) == []
        await clock.advance(5)
        assert set(_states(heard)) == {"degraded"}
        await clock.advance(60)
        assert _states(heard)[-1] == "down"
        assert max(b - a for a, b in zip(desk.asked, desk.asked[1:], strict=False)) <= 1_100_000_000
        desk.answer = NAMES
        await clock.advance(3)
        assert _states(heard)[-1] == "ok"


async def test_failing_venue_is_asked_ever_more_seldom():
    async with polling(VenueUnavailable("HTTP 503")) as (_, desk, clock, _heard):
        await clock.advance(300)
        assert len(desk.asked) < 25
        assert desk.asked[-1] - desk.asked[-2] <= 30_100_000_000


async def test_wait_the_venue_ordered_is_kept_even_when_a_refresh_is_asked_for():
    async with polling(RateLimited("HTTP 429", retry_after_s=30)) as (source, desk, clock, heard):
        for _ in range(29):
            source.refresh()
            await clock.advance(1)
        assert len(desk.asked) == 1
        assert _states(heard) == ["degraded"]
        assert heard[-1].figures["next_attempt_s"] == 30
        await clock.advance(1)
        assert len(desk.asked) == 2


async def test_refresh_polls_at_once():
    options = PollingOptions(calendar_interval_ms=30_000)
    body = b'{"data":{"newCoins":[{"vcoinId":"a","vcoinName":"A"}]}}'
    async with polling(body, CalendarReader(), options) as (source, desk, clock, _):
        assert len(desk.asked) == 1
        source.refresh()
        await clock.advance(0.2)
        assert len(desk.asked) == 2


async def test_poll_brought_forward_may_fill_more_of_the_weight_than_a_regular_one():
    async with polling(ROWS, ExchangeInfoReader(Census())) as (source, desk, clock, _):
        await clock.advance(12)
        source.refresh()
        await clock.advance(12)
        regular, asked_for = min(desk.shares), max(desk.shares)
        assert regular < asked_for < READS_SHARE, "a listing waits for it, and still our orders come first"
        assert desk.shares.count(asked_for) == 1


async def test_poll_that_waits_for_room_leaves_sooner_once_a_listing_waits_for_it():
    async with polling(ROWS, ExchangeInfoReader(Census())) as (source, desk, clock, _):
        for _ in range(int(WEIGHT_LIMIT * HEAVY_SHARE) - desk.budget.weight_used):
            await desk.budget.acquire(1, deadline_s=0, pace=100)
        await clock.advance(7)
        assert len(desk.asked) == 1, "by its plan it has no room yet"
        source.refresh()
        await clock.advance(0.2)
        assert desk.shares == [HEAVY_SHARE, AWAITED_SHARE]
        await clock.advance(2)
        assert len(desk.asked) == 2, "one poll answers the refresh"


async def test_light_poll_keeps_its_pace_however_many_heavy_ones_listings_bring_forward():
    async def listings(desk):
        while True:
            await desk.budget.acquire(Endpoint.EXCHANGE_INFO.weight, deadline_s=60, share=AWAITED_SHARE)

    options = PollingOptions(default_symbols_interval_ms=500)
    async with polling(NAMES, options=options) as (_, desk, clock, _):
        await clock.advance(10)
        burst = asyncio.create_task(listings(desk))
        await clock.advance(60)
        burst.cancel()
        assert max(b - a for a, b in pairwise([*desk.asked, clock.now])) <= 1_000_000_000
        assert desk.budget.weight_used > WEIGHT_LIMIT * HEAVY_SHARE


async def test_opening_that_comes_near_shortens_the_wait_under_way():
    body = b'{"data":{"newCoins":[{"vcoinId":"a","vcoinName":"A"}]}}'
    async with polling(body, CalendarReader()) as (source, desk, clock, _):
        await clock.advance(6)
        source._planner.expect([clock.wall_ns() + 30_000_000_000])
        source.plan_changed()
        await clock.advance(0.1)
        assert len(desk.asked) == 2


@pytest.mark.parametrize("answer", [FirewallBlocked("HTTP 403", retry_after_s=60), b"<html>", b'{"data":null}'])
async def test_unofficial_source_that_does_not_answer_is_unavailable_and_polite(answer):
    async with polling(answer, CalendarReader()) as (_, desk, clock, heard):
        await clock.advance(600)
        assert set(_states(heard)) == {"unavailable"}
        assert len(desk.asked) <= 12


async def test_implausible_answer_degrades_the_source_and_is_not_emitted():
    async with polling(NAMES) as (_, desk, clock, heard):
        await clock.advance(2)
        emitted = len([event for event in heard if isinstance(event, TradableNamesRead)])
        desk.answer = symbol_list([f"S{number}USDT" for number in range(25)])
        await clock.advance(5)
        assert len([event for event in heard if isinstance(event, TradableNamesRead)]) == emitted
        assert _states(heard)[-1] == "degraded"
        assert "25 names" in heard[-1].detail
        desk.answer = NAMES
        await clock.advance(30)
        assert _states(heard)[-1] == "ok"


@asynccontextmanager
async def probing(answer):
    clock, heard = ManualClock(), []
    desk, probes = Desk(clock, answer), AgeProbes(clock)
    task = asyncio.create_task(probes.run(desk, heard.append))
    await settle()
    try:
        yield probes, desk, clock, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_age_probe_is_answered_once_however_often_it_is_asked():
    async with probing(b"[]") as (probes, desk, clock, heard):
        for _ in range(5):
            probes.ask("NEWUSDT")
        await clock.advance(1)
        assert [(event.symbol, event.candles, event.error) for event in heard] == [("NEWUSDT", (), "")]
        assert len(desk.asked) == 2


async def test_age_probe_that_keeps_failing_proves_nothing_and_says_so():
    async with probing(VenueUnavailable("HTTP 503")) as (probes, desk, clock, heard):
        probes.ask("NEWUSDT")
        await clock.advance(120)
        (event,) = heard
        assert isinstance(event, CandlesRead)
        assert "503" in event.error
        assert len(desk.asked) == ATTEMPTS


async def test_age_probe_under_way_at_a_stop_is_answered_in_the_next_run():
    async with probing(VenueUnavailable("HTTP 503")) as (probes, desk, clock, heard):
        probes.ask("NEWUSDT")
        await clock.advance(0.5)
    desk.answer = b"[]"
    task = asyncio.create_task(probes.run(desk, heard.append))
    await clock.advance(1)
    assert [event.symbol for event in heard] == ["NEWUSDT"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
