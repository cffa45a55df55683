"""A tape of a live run replays into the same events the live run emitted (DESIGN 3)."""

import asyncio
from contextlib import suppress

from mexc_sniper.model.events import (
    AnnouncementsRead,
    CalendarRead,
    CandlesRead,
    InstrumentsRead,
    MiniTickersSeen,
    OfflineRead,
    QuoteSeen,
    TradableNamesRead,
    TradesSeen,
    WebSymbolsRead,
)
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.tape.player import TapePlayer
from mexc_sniper.tape.recorder import TapeRecorder
from mexc_sniper.tape.replay import Replay
from mexc_sniper.venues.mexc.gateway import MexcMarketGateway
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.support.simulator import SimulatorProcess
from tests.venue.streaming import Heard, eventually

STREAMED = (MiniTickersSeen, QuoteSeen, TradesSeen)
POLLED = (
    AnnouncementsRead,
    CalendarRead,
    InstrumentsRead,
    OfflineRead,
    TradableNamesRead,
    WebSymbolsRead,
)


async def test_tape_of_a_listing_replays_into_the_events_of_the_live_run(tmp_path):
    clock, offload, heard = LoopClock(), ThreadOffload(), Heard()
    recorder = TapeRecorder(tmp_path / "listing.tape")
    recorder.start()
    with SimulatorProcess(symbols=200) as venue:
        gateway = MexcMarketGateway(
            rest_url=venue.rest_url,
            ws_url=venue.ws_url,
            web_url=venue.web_url,
            clock=clock,
            offload=offload,
            wire=PicowsWire(clock),
            frame_tap=recorder,
        )
        run = asyncio.create_task(gateway.run(heard.append))
        await eventually(lambda: heard.of(InstrumentsRead) and heard.of(TradableNamesRead))
        listing = await asyncio.to_thread(
            lambda: venue.list_symbol(base="TAPED", rowInS=0.2, flagInS=0.3, quoteInS=0.5, tradeInS=0.7)
        )
        symbol = listing["symbol"]
        gateway.watch(symbol)
        gateway.probe_age(symbol)
        await eventually(lambda: symbol in heard.of(TradableNamesRead)[-1].names, within_s=8)
        await eventually(lambda: len(heard.of(TradesSeen)) > 5 and heard.of(CandlesRead), within_s=8)
        await asyncio.to_thread(venue.post, "/sim/stream/cut")
        before = len(heard.of(QuoteSeen))
        await eventually(lambda: len(heard.of(QuoteSeen)) > before + 5, within_s=8)
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run
    await asyncio.to_thread(recorder.close)
    offload.close()
    assert (recorder.dropped, recorder.failed) == (0, None)

    with TapePlayer(recorder.path) as player:
        replayed = list(Replay().events(player))
        assert player.truncated_at is None
    assert [e for e in replayed if isinstance(e, STREAMED)] == [e for e in heard if isinstance(e, STREAMED)]
    for kind in POLLED:
        assert [e for e in replayed if isinstance(e, kind)] == heard.of(kind)
    assert [e.candles for e in replayed if isinstance(e, CandlesRead)] == [e.candles for e in heard.of(CandlesRead)]
