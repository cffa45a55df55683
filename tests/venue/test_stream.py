"""The stream on real sockets: half-open, cuts, renewal, refusals, sharding."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mexc_sniper.model.events import MiniTickersSeen, QuoteSeen, TradesSeen
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.venues.mexc.channels import TICKERS, symbol_channels
from mexc_sniper.venues.mexc.session import SessionLimits
from mexc_sniper.venues.mexc.shard import StreamOptions
from mexc_sniper.venues.mexc.wire import MAX_MESSAGE_BYTES, PicowsWire
from tests.venue.samples import a_quote_frame, a_tickers_frame, a_trades_frame
from tests.venue.scripted import ScriptedVenue
from tests.venue.streaming import eventually, streaming

CLOCK = LoopClock()


@pytest.fixture
async def venue() -> AsyncIterator[ScriptedVenue]:
    scripted = ScriptedVenue()
    await scripted.start()
    yield scripted
    await scripted.stop()


def _running(venue: ScriptedVenue, options: StreamOptions | None = None):
    return streaming(venue.url, PicowsWire(CLOCK), CLOCK, options)


def _all_channels(venue: ScriptedVenue) -> list[list[str]]:
    return [venue.channels[connection] for connection in venue.connections]


async def test_stream_subscribes_the_tickers_and_hands_on_what_it_hears(venue):
    async with _running(venue) as (stream, heard):
        await eventually(lambda: heard.states == ["ok"])
        assert _all_channels(venue) == [[TICKERS]]
        stream.watch("NEWUSDT")
        await eventually(lambda: _all_channels(venue) == [[TICKERS, *symbol_channels("NEWUSDT")]])
        await venue.send(a_tickers_frame("AUSDT"))
        await venue.send(a_quote_frame())
        await venue.send(a_trades_frame("NEWUSDT", ("1", 1767211147355, "a")))
        await eventually(lambda: heard.of(TradesSeen))
        assert [ticker.symbol for ticker in heard.of(MiniTickersSeen)[0].tickers] == ["AUSDT"]
        quote = heard.of(QuoteSeen)[0]
        assert quote.quote.symbol == "NEWUSDT"
        assert quote.stamp.ts_event_ns == 1767211147355_000_000
        assert 0 <= CLOCK.mono_ns() - quote.stamp.mono_ns < 5_000_000_000


async def test_half_open_connection_is_noticed_within_three_and_a_half_seconds(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        venue.frozen = True
        took = await eventually(lambda: heard.states[-1] == "down", within_s=6)
        assert took <= 3.5
        assert "silent for" in heard.last_state.detail
        venue.frozen = False
        await eventually(lambda: heard.states[-1] == "ok", within_s=3)


async def test_quiet_but_living_connection_is_kept(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        await asyncio.sleep(4)
        assert heard.states == ["ok"]
        assert venue.opened == 1


async def test_cut_connection_comes_back_with_all_its_channels(venue):
    async with _running(venue) as (stream, heard):
        stream.watch("NEWUSDT")
        await eventually(lambda: heard.states == ["ok"])
        await venue.send(a_quote_frame(version="1"))
        await eventually(lambda: heard.of(QuoteSeen))
        venue.cut()
        await eventually(lambda: venue.opened == 2, within_s=2)
        await eventually(lambda: _all_channels(venue) == [[TICKERS, *symbol_channels("NEWUSDT")]], within_s=2)
        await venue.send(a_quote_frame(version="2"))
        await eventually(lambda: len(heard.of(QuoteSeen)) == 2)
        assert heard.last_state.figures["reconnects"] == 1


async def test_service_is_back_within_three_seconds_of_a_long_absence(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        await venue.stop()
        await eventually(lambda: heard.states[-1] == "down")
        await asyncio.sleep(5)  # by now the backoff waits for four seconds or more
        await venue.start()
        took = await eventually(lambda: heard.states[-1] == "ok", within_s=6)
        assert took <= 3


async def test_life_of_a_connection_ends_without_a_missed_or_doubled_frame(venue):
    options = StreamOptions(life_s=1.5, life_jitter_s=0.1)
    async with _running(venue, options) as (stream, heard):
        stream.watch("NEWUSDT")
        await eventually(lambda: heard.states == ["ok"])
        sent = 0
        while venue.opened < 4:  # three renewals
            sent += 1
            await venue.send(a_quote_frame(version=str(sent), sent_ms=1767211147355 + sent))
            await venue.send(a_trades_frame("NEWUSDT", ("1", 1767211147355 + sent, f"t{sent}")))
            await asyncio.sleep(0.01)
        await eventually(lambda: len(heard.of(TradesSeen)) >= sent)
        traded = [event.trades[0].ts_event_ns // 1_000_000 - 1767211147355 for event in heard.of(TradesSeen)]
        assert sorted(traded) == list(range(1, sent + 1))
        quoted = [event.stamp.ts_event_ns // 1_000_000 - 1767211147355 for event in heard.of(QuoteSeen)]
        assert quoted == sorted(set(quoted))
        assert quoted[-1] == sent
        assert sent - len(quoted) <= 3  # at each renewal one may be overtaken by its successor on the other socket
        assert heard.states == ["ok"]


async def test_refused_channel_is_seen_and_asked_for_again(venue):
    refused = set(symbol_channels("NEWUSDT"))
    venue.refuse = lambda channel: channel in refused
    async with _running(venue) as (stream, heard):
        await eventually(lambda: heard.states == ["ok"])
        stream.watch("NEWUSDT")
        await eventually(lambda: heard.states == ["ok", "degraded"])
        assert "Not Subscribed" in heard.last_state.detail
        refused.clear()
        await eventually(lambda: heard.states == ["ok", "degraded", "ok"], within_s=8)
        assert venue.opened == 1


async def test_unconfirmed_subscription_is_retried_on_a_new_connection(venue):
    venue.acknowledge = False
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["down"], within_s=4)
        assert "no confirmation" in heard.last_state.detail
        venue.acknowledge = True
        await eventually(lambda: heard.states[-1] == "ok", within_s=5)
        assert venue.opened >= 2


async def test_thirty_one_channels_need_a_second_connection(venue):
    async with _running(venue) as (stream, heard):
        await eventually(lambda: heard.states == ["ok"])
        for number in range(9):
            stream.watch(f"S{number}USDT")
        await eventually(lambda: [len(channels) for channels in _all_channels(venue)] == [28])
        stream.watch("S9USDT")
        await eventually(lambda: sorted(len(channels) for channels in _all_channels(venue)) == [3, 28])
        for number in range(10, 31):
            stream.watch(f"S{number}USDT")
        await eventually(lambda: sorted(len(channels) for channels in _all_channels(venue)) == [6, 28, 30, 30])
        await eventually(lambda: heard.states[-1] == "ok")
        assert all(len(set(channels)) == len(channels) for channels in _all_channels(venue))


async def test_unwatched_symbols_leave_no_connection_behind(venue):
    async with _running(venue) as (stream, _):
        names = [f"S{number}USDT" for number in range(20)]
        for name in names:
            stream.watch(name)
        await eventually(lambda: len(venue.connections) == 3)
        await eventually(lambda: sum(map(len, _all_channels(venue))) == 61)
        for name in names:
            stream.unwatch(name)
        await eventually(lambda: _all_channels(venue) == [[TICKERS]])


async def test_malformed_frames_are_borne_up_to_twenty_a_minute(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        for _ in range(19):
            await venue.send(b"\xff\xff garbage")
        await venue.send(a_tickers_frame("AUSDT"))
        await eventually(lambda: heard.of(MiniTickersSeen))
        assert venue.opened == 1
        await venue.send("<html>blocked</html>")
        await eventually(lambda: venue.opened == 2)


async def test_frame_beyond_the_size_cap_closes_the_connection(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        await venue.send(a_tickers_frame("A" * 90) + b"\x00" * (MAX_MESSAGE_BYTES + 1))
        await eventually(lambda: venue.opened == 2)
        assert not heard.of(MiniTickersSeen)


async def test_tickers_that_stop_while_the_venue_answers_are_asked_for_again_and_then_replaced(venue):
    options = StreamOptions(limits=SessionLimits(tickers_silent_s=0.6))
    async with _running(venue, options) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
        await eventually(lambda: _all_channels(venue) == [[TICKERS, TICKERS]])
        await eventually(lambda: venue.opened == 2, within_s=3)


async def test_stream_that_is_stopped_says_nothing_more(venue):
    async with _running(venue) as (_, heard):
        await eventually(lambda: heard.states == ["ok"])
    said = len(heard)
    await eventually(lambda: not venue.connections)
    assert len(heard) == said
    assert heard.states == ["ok"]


async def test_failure_of_the_engine_ends_the_stream_and_is_not_swallowed(venue):
    class Bug(Exception):
        pass

    def fail(event):
        raise Bug

    async def run_into_it():
        async with _running(venue) as (stream, heard):
            await eventually(lambda: heard.states == ["ok"])
            stream._emit = fail
            await venue.send(a_tickers_frame("AUSDT"))
            await eventually(lambda: not venue.connections)

    with pytest.raises(ExceptionGroup) as caught:
        await run_into_it()
    assert [type(error) for error in caught.value.exceptions] == [Bug]
