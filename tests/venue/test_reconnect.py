"""Reconnecting by the clock: backoff, reachability, storms, the 24 h cut. No sockets, no real time."""

from itertools import pairwise

from mexc_sniper.venues.mexc.backoff import ATTEMPTS_PER_MINUTE
from mexc_sniper.venues.mexc.channels import PING
from mexc_sniper.venues.mexc.errors import HandshakeFailed
from mexc_sniper.venues.mexc.shard import StreamOptions
from tests.venue.clock import ManualClock
from tests.venue.samples import a_quote_frame, a_tickers_frame
from tests.venue.scripted import WireOnly
from tests.venue.streaming import streaming

URL = "ws://venue/ws"


async def _pass(clock, wire, seconds, *, step_s=0.5):
    """Let time pass on a venue that answers pings."""
    for _ in range(round(seconds / step_s)):
        for end in wire.open:
            end.say('{"id":0,"code":0,"msg":"PONG"}')
            end.say(a_tickers_frame("AUSDT"))
        await clock.advance(step_s)


async def test_address_out_of_reach_is_tried_ever_more_seldom():
    clock, wire = ManualClock(), WireOnly()
    wire.up = False
    async with streaming(URL, wire, clock) as (_, heard):
        await clock.advance(0)
        instants = []
        for _ in range(1200):
            before = wire.attempts
            await clock.advance(0.1)
            if wire.attempts > before:
                instants.append(clock.now)
        gaps = [(after - before) / 1e9 for before, after in pairwise(instants)]
        assert heard.states == ["down"]
        for gap, step in zip(gaps, [2, 4, 8, 16, 30], strict=False):
            assert 0.7 * step <= gap <= 1.3 * step


async def test_service_returns_within_three_seconds_however_long_it_was_away():
    clock, wire = ManualClock(), WireOnly()
    async with streaming(URL, wire, clock) as (_, heard):
        await _pass(clock, wire, 2)
        assert heard.states == ["ok"]
        for away_s in (1, 20, 600):
            wire.up = False
            wire.cut()
            await clock.advance(away_s)
            assert heard.states[-1] == "down"
            wire.up = True
            await clock.advance(3)
            assert heard.states[-1] == "ok"


async def test_venue_that_refuses_the_upgrade_is_not_stormed_although_reachable():
    clock, wire = ManualClock(), WireOnly()
    wire.error = HandshakeFailed("status 403")
    async with streaming(URL, wire, clock) as (_, heard):
        await clock.advance(120)
        assert 5 <= wire.attempts <= 9
        assert heard.states == ["down"]
        assert heard.last_state.figures["next_attempt_s"] <= 30


async def test_venue_that_serves_and_hangs_up_at_once_is_asked_often_but_not_stormed():
    clock, wire = ManualClock(), WireOnly()
    async with streaming(URL, wire, clock) as (_, heard):
        for _ in range(1200):
            await clock.advance(0.1)
            for end in wire.open[:]:
                end.say(a_tickers_frame("AUSDT"))
                end.abort()
        assert 2 * 60 / 3 <= wire.attempts <= 2 * ATTEMPTS_PER_MINUTE
        assert heard.last_state.detail == "cut"


async def test_connection_is_replaced_before_the_end_of_its_life():
    clock, wire = ManualClock(), WireOnly()
    options = StreamOptions(life_s=300, life_jitter_s=15)
    async with streaming(URL, wire, clock, options) as (_, heard):
        await _pass(clock, wire, 284)
        assert wire.attempts == 1
        await _pass(clock, wire, 34)
        assert wire.attempts == 2
        assert len(wire.open) == 1
        assert heard.states == ["ok"]


def test_life_of_a_connection_ends_before_the_venue_ends_it():
    assert StreamOptions().life_s + StreamOptions().life_jitter_s < 24 * 3600


async def test_renewal_that_fails_keeps_the_old_connection():
    clock, wire = ManualClock(), WireOnly()
    options = StreamOptions(life_s=60, life_jitter_s=0)
    async with streaming(URL, wire, clock, options) as (_, heard):
        await _pass(clock, wire, 58)
        (first,) = wire.open
        wire.error = HandshakeFailed("status 503")
        await _pass(clock, wire, 20)
        assert wire.open == [first]
        assert wire.attempts > 2
        wire.error = None
        await _pass(clock, wire, 40)
        assert len(wire.open) == 1
        assert wire.open != [first]
        assert heard.states == ["ok"]


async def test_quiet_connection_is_pinged_every_second_and_dropped_after_three():
    clock, wire = ManualClock(), WireOnly()
    async with streaming(URL, wire, clock):
        await clock.advance(0.5)
        (end,) = wire.open
        await clock.advance(2.4)
        assert [asked["method"] for asked in end.sent].count("PING") == 2
        assert PING == '{"method":"PING"}'
        assert wire.open == [end]
        await clock.advance(0.6)
        assert end not in wire.open


async def test_symbol_that_never_spoke_is_subscribed_again():
    clock, wire = ManualClock(), WireOnly()
    async with streaming(URL, wire, clock) as (stream, _):
        await _pass(clock, wire, 1)
        stream.watch("NEWUSDT")
        await _pass(clock, wire, 20)
        (end,) = wire.open
        asked = [asked["params"] for asked in end.sent if asked["method"] == "SUBSCRIPTION"]
        assert sum(any("NEWUSDT" in channel for channel in params) for params in asked) == 2


async def test_symbol_that_fell_silent_on_a_living_connection_is_subscribed_again():
    clock, wire = ManualClock(), WireOnly()
    async with streaming(URL, wire, clock) as (stream, _):
        await _pass(clock, wire, 1)
        stream.watch("NEWUSDT")
        await _pass(clock, wire, 1)
        (end,) = wire.open
        end.say(a_quote_frame())
        await _pass(clock, wire, 55)
        asked = [channel for request in end.sent for channel in request.get("params", ())]
        assert sum("NEWUSDT" in channel for channel in asked) == 3
        await _pass(clock, wire, 10)
        asked = [channel for request in end.sent for channel in request.get("params", ())]
        assert sum("NEWUSDT" in channel for channel in asked) == 6
