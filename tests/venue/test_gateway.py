"""The gateway against the simulator over real sockets: what it sees, how soon, and what it bears."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.model.events import (
    CalendarRead,
    CandlesRead,
    ClockSynced,
    InstrumentsRead,
    MiniTickersSeen,
    OfflineRead,
    QuoteSeen,
    SourceChanged,
    SourceName,
    TradableNamesRead,
    TradesSeen,
    WebSymbolsRead,
)
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.gateway import GatewayOptions, MexcMarketGateway
from mexc_sniper.venues.mexc.planner import PollingOptions
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.support.simulator import SimulatorProcess
from tests.venue.streaming import Heard, eventually

CLOCK = LoopClock()


@pytest.fixture(scope="module")
def venue():
    with SimulatorProcess(symbols=300) as process:
        yield process


@pytest.fixture(autouse=True)
def _no_faults_left(request):
    yield
    if "venue" in request.fixturenames:
        request.getfixturevalue("venue").delete("/sim/faults")
        request.getfixturevalue("venue").post("/sim/limits/forgive")  # each test is a new start at the same address


@asynccontextmanager
async def running(venue, *, heard=None, **options):
    offload = ThreadOffload()
    gateway = MexcMarketGateway(
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
        web_url=venue.web_url,
        clock=CLOCK,
        offload=offload,
        wire=PicowsWire(CLOCK),
        options=GatewayOptions(polling=PollingOptions(**options), seed=1),
    )
    heard = Heard() if heard is None else heard
    task = asyncio.create_task(gateway.run(heard.append))
    try:
        yield gateway, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        offload.close()


def _status(heard, source):
    found = [event for event in heard.of(SourceChanged) if event.source is source]
    return found[-1].status.value if found else None


def _ask(function, *arguments, **named):
    return asyncio.to_thread(lambda: function(*arguments, **named))


async def test_every_source_of_a_healthy_venue_speaks(venue):
    async with running(venue) as (_, heard):
        wanted = set(SourceName) - {SourceName.SELF_SYMBOLS}
        await eventually(lambda: {s for s in wanted if _status(heard, s) == "ok"} == wanted, within_s=8)
        for kind in (InstrumentsRead, TradableNamesRead, CalendarRead, WebSymbolsRead, OfflineRead, ClockSynced):
            assert heard.of(kind), kind
        assert len(heard.of(InstrumentsRead)[0].names) >= 300
        assert heard.of(InstrumentsRead)[0].changed
        assert abs(heard.of(ClockSynced)[-1].offset_ns) < 100_000_000
        await eventually(lambda: heard.of(MiniTickersSeen), within_s=5)


async def test_unannounced_listing_is_seen_on_every_channel(venue):
    async with running(venue, exchange_info_interval_ms=2_500) as (gateway, heard):
        await eventually(lambda: heard.of(InstrumentsRead) and heard.of(TradableNamesRead))
        listing = await _ask(venue.list_symbol, base="SUDDEN", rowInS=0.5, flagInS=0.5, quoteInS=0.8, tradeInS=1)
        symbol = listing["symbol"]
        gateway.watch(symbol)
        gateway.watch(symbol)
        await eventually(lambda: symbol in heard.of(TradableNamesRead)[-1].names, within_s=4)
        await eventually(lambda: [q for q in heard.of(QuoteSeen) if q.quote.symbol == symbol], within_s=4)
        await eventually(lambda: [t for t in heard.of(TradesSeen) if t.symbol == symbol], within_s=4)
        await eventually(lambda: symbol in heard.of(InstrumentsRead)[-1].names, within_s=4)
        gateway.probe_age(symbol)
        await eventually(lambda: [c for c in heard.of(CandlesRead) if c.symbol == symbol], within_s=4)
        (answer,) = [c for c in heard.of(CandlesRead) if c.symbol == symbol]
        assert answer.error == ""


async def test_old_coin_shows_old_candles(venue):
    async with running(venue) as (gateway, heard):
        await eventually(lambda: heard.of(InstrumentsRead))
        symbol = sorted(heard.of(InstrumentsRead)[0].names)[0]
        gateway.probe_age(symbol)
        await eventually(lambda: heard.of(CandlesRead))
        (answer,) = heard.of(CandlesRead)
        assert answer.candles[0].open_time_ns < CLOCK.wall_ns() - 30 * 86_400 * 1_000_000_000


async def test_web_pages_behind_a_firewall_are_unavailable_and_nothing_else_suffers(venue):
    await _ask(venue.post, "/sim/faults", {"target": "calendar", "kind": "forbidden"})
    async with running(venue) as (_, heard):
        await eventually(lambda: _status(heard, SourceName.CALENDAR) == "unavailable")
        await eventually(lambda: _status(heard, SourceName.DEFAULT_SYMBOLS) == "ok")
        await eventually(lambda: _status(heard, SourceName.STREAM) == "ok")
        assert not heard.of(CalendarRead)


async def test_order_to_slow_down_is_obeyed(venue):
    async with running(venue) as (_, heard):
        await eventually(lambda: heard.of(TradableNamesRead))
        await _ask(
            venue.post,
            "/sim/faults",
            {"target": "defaultSymbols", "kind": "rate_limit", "retryAfterS": 2, "times": 1},
        )
        await eventually(lambda: _status(heard, SourceName.DEFAULT_SYMBOLS) == "degraded")
        count = len(heard.of(TradableNamesRead))
        await asyncio.sleep(1.2)
        assert len(heard.of(TradableNamesRead)) == count
        await eventually(lambda: _status(heard, SourceName.DEFAULT_SYMBOLS) == "ok", within_s=4)


async def test_frozen_stream_is_noticed_and_back_after_it_thaws(venue):
    async with running(venue) as (_, heard):
        await eventually(lambda: _status(heard, SourceName.STREAM) == "ok")
        await _ask(venue.post, "/sim/stream/freeze")
        took = await eventually(lambda: _status(heard, SourceName.STREAM) == "down", within_s=6)
        assert took <= 3.5
        await eventually(lambda: _status(heard, SourceName.STREAM) == "ok", within_s=6)


async def test_monitor_may_stop_and_start_again(venue):
    heard = Heard()
    offload = ThreadOffload()
    gateway = MexcMarketGateway(
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
        web_url="",
        clock=CLOCK,
        offload=offload,
        wire=PicowsWire(CLOCK),
    )
    gateway.probe_age("S1USDT")  # asked while stopped: answered in the next run
    for _ in range(2):
        heard.clear()
        task = asyncio.create_task(gateway.run(heard.append))
        await eventually(lambda: heard.of(InstrumentsRead))
        assert heard.of(InstrumentsRead)[0].changed, "a new run knows nothing of the one before"
        assert _status(heard, SourceName.CALENDAR) == "unavailable"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        said = len(heard)
        await asyncio.sleep(0.6)
        assert len(heard) == said
    gateway.watch("AUSDT")
    gateway.refresh(SourceName.CALENDAR)
    gateway.expect_openings([])
    gateway.unwatch("AUSDT")
    offload.close()


async def test_venue_that_is_not_there_is_a_state_and_not_an_end(unused_tcp_port):
    class Nowhere:
        rest_url = web_url = f"http://127.0.0.1:{unused_tcp_port}"
        ws_url = f"ws://127.0.0.1:{unused_tcp_port}/ws"

    async with running(Nowhere()) as (_, heard):
        await eventually(lambda: _status(heard, SourceName.STREAM) == "down")
        await eventually(lambda: _status(heard, SourceName.DEFAULT_SYMBOLS) == "degraded")
        await eventually(lambda: _status(heard, SourceName.CALENDAR) == "unavailable")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"rest_url": "api.mexc.com"}, "MEXC_SNIPER_VENUE__REST_URL"),
        ({"ws_url": "http://x"}, "MEXC_SNIPER_VENUE__WS_URL"),
        ({"web_url": "http://[bad"}, "MEXC_SNIPER_VENUE__WEB_URL"),
        ({"rest_url": "http://x:99999"}, "MEXC_SNIPER_VENUE__REST_URL"),
        ({"ws_url": "ws://" + "a" * 70 + ".com/ws"}, "MEXC_SNIPER_VENUE__WS_URL"),
        (
            {"options": GatewayOptions(polling=PollingOptions(exchange_info_interval_ms=500))},
            "EXCHANGE_INFO_INTERVAL_MS",
        ),
    ],
)
def test_wrong_setting_is_refused_by_name_before_anything_starts(wrong, word):
    offload = ThreadOffload()
    with pytest.raises(ConfigError, match=word):
        MexcMarketGateway(clock=CLOCK, offload=offload, wire=PicowsWire(CLOCK), **wrong)
    offload.close()
