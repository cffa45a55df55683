"""Everything goes wrong at once, and nothing but states comes of it."""

import asyncio
from contextlib import suppress

from mexc_sniper.model.events import InstrumentsRead, SourceChanged, SourceName, TradableNamesRead
from tests.support.simulator import SimulatorProcess
from tests.venue.streaming import eventually
from tests.venue.test_gateway import _ask, _status, running

REST_FAULTS = ("hang", "reset", "truncate", "content_type", "not_json", "empty", "server_error")
STREAM_FAULTS = ("drop", "duplicate", "reorder", "corrupt", "unknown_fields", "text", "no_ack", "reject")


async def test_venue_full_of_faults_never_ends_the_run_and_recovers_when_they_are_lifted():
    with SimulatorProcess(symbols=200) as venue:
        async with running(venue) as (gateway, heard):
            await eventually(lambda: heard.of(InstrumentsRead) and heard.of(TradableNamesRead))
            known = heard.of(InstrumentsRead)[0].names
            for name in sorted(known)[:20]:
                gateway.watch(name)
                gateway.probe_age(name)
            for kind in REST_FAULTS:
                for target in ("exchangeInfo", "defaultSymbols", "klines", "time", "calendar", "symbolsV2", "offline"):
                    fault = {"target": target, "kind": kind, "probability": 0.25}
                    with suppress(AssertionError):  # a kind the target does not know
                        await _ask(venue.post, "/sim/faults", fault)
            for kind in STREAM_FAULTS:
                fault = {"target": "stream", "kind": kind, "probability": 0.1}
                await _ask(venue.post, "/sim/faults", fault)
            for _ in range(8):
                for source in SourceName:
                    gateway.refresh(source)
                await asyncio.sleep(1)
            await _ask(venue.delete, "/sim/faults")
            await _ask(venue.post, "/sim/limits/forgive")
            await _ask(venue.post, "/sim/stream/cut")
            await eventually(lambda: _status(heard, SourceName.STREAM) == "ok", within_s=10)
            await eventually(lambda: _status(heard, SourceName.DEFAULT_SYMBOLS) == "ok", within_s=40)
            await eventually(lambda: _status(heard, SourceName.EXCHANGE_INFO) == "ok", within_s=40)
        assert all(event.names == known for event in heard.of(InstrumentsRead)), "no cut list passed for a whole one"
        assert any(event.status.value == "degraded" for event in heard.of(SourceChanged))
