"""The engine's loop on a real SQLite ledger and inbox; only the venue is a scripted stand-in here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Symbol
from mexc_sniper.ledger import EngineInbox, LedgerLocation, LedgerReader, LedgerWriter, LiveStore, WebInbox, locate
from mexc_sniper.ledger import migrations as ledger_migrations
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.events import CandlesRead, InstrumentsRead, SourceName, TradableNamesRead
from mexc_sniper.model.health import MonitorStatus
from mexc_sniper.model.market import Stamp
from mexc_sniper.ports import Emit
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.runtime.loop import EngineLoop
from mexc_sniper.runtime.process import run_engine
from tests.builders import an_instrument

CLOCK = LoopClock()


def _now() -> Stamp:
    return Stamp(None, CLOCK.wall_ns(), CLOCK.mono_ns())


class ScriptedGateway:
    """Says what a test tells it to; answers age probes with "no candle yet"."""

    def __init__(self) -> None:
        self.emit: Emit | None = None
        self.lives = 0
        self.watched: dict[Symbol, None] = {}
        self.listening = asyncio.Event()
        self.break_with: Exception | None = None
        self._probes: list[Symbol] = []

    async def run(self, emit: Emit) -> None:
        self.lives += 1
        self.emit = emit
        self.listening.set()
        self._answer_probes()
        try:
            while self.break_with is None:
                await asyncio.sleep(0.005)
            raise self.break_with
        finally:
            self.listening.clear()

    def watch(self, symbol: Symbol) -> None:
        self.watched[symbol] = None

    def unwatch(self, symbol: Symbol) -> None:
        self.watched.pop(symbol, None)

    def read_book(self, symbol: Symbol) -> None: ...

    def probe_age(self, symbol: Symbol) -> None:
        self._probes.append(symbol)
        self._answer_probes()

    def _answer_probes(self) -> None:
        while self.emit is not None and self._probes:
            self.emit(CandlesRead(stamp=_now(), symbol=self._probes.pop(), candles=()))

    def expect_openings(self, opens_at_ns: Sequence[int]) -> None: ...

    def refresh(self, source: SourceName) -> None: ...

    def say_lists(self, *names: str) -> None:
        assert self.emit is not None
        rows = tuple(an_instrument(name) for name in names)
        symbols = frozenset(row.symbol for row in rows)
        self.emit(InstrumentsRead(stamp=_now(), changed=rows, names=symbols))
        self.emit(TradableNamesRead(stamp=_now(), source=SourceName.DEFAULT_SYMBOLS, names=symbols))


class Life:
    """One life of the engine on a ledger."""

    def __init__(self, location: LedgerLocation) -> None:
        self.gateway = ScriptedGateway()
        self.reader = LedgerReader(location)
        self.inbox = WebInbox(location)
        self.loop: EngineLoop | None = None
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def eventually(self, holds: Callable[[], bool], within_s: float = 5) -> None:
        deadline_ns = CLOCK.mono_ns() + int(within_s * NS_PER_S)
        while not holds():
            assert CLOCK.mono_ns() < deadline_ns, "it never became true"
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _life(location: LedgerLocation, *, force_running: bool = False) -> AsyncIterator[Life]:
    life = Life(location)
    writer = LedgerWriter(location, CLOCK)
    figures = LiveStore(location, CLOCK)
    writer.start()
    figures.start()
    ready = asyncio.Event()
    life.task = asyncio.create_task(
        run_engine(
            ledger=writer,
            inbox=EngineInbox(location, CLOCK),
            gateway=life.gateway,
            figures=figures,
            clock=CLOCK,
            restored=writer.restore(),
            stop=life.stop,
            force_running=force_running,
            on_ready=ready.set,
        )
    )
    try:
        await asyncio.wait_for(ready.wait(), 5)
        yield life
    finally:
        life.stop.set()
        await asyncio.gather(life.task, return_exceptions=True)
        await writer.aclose()
        await figures.aclose()
        life.reader.close()


@pytest.fixture
def location(tmp_path: Path) -> LedgerLocation:
    place = locate(None, tmp_path)
    ledger_migrations.upgrade(place)
    return place


async def test_listing_heard_by_the_gateway_is_a_row_in_the_ledger(location):
    async with _life(location, force_running=True) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        life.gateway.say_lists("OLDUSDT")
        life.gateway.say_lists("OLDUSDT", "ALPHAUSDT")
        await life.eventually(lambda: life.reader.listings(limit=10, offset=0)[1] == 1)
        assert list(life.gateway.watched) == ["ALPHAUSDT"]


async def test_first_start_waits_and_a_start_command_makes_it_listen(location):
    async with _life(location) as life:
        assert life.gateway.lives == 0
        command = life.inbox.put(Verb.START_MONITOR, {}, "tester", "key-1", CLOCK.wall_ns())
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        await life.eventually(lambda: life.reader.command_result(command.id) is not None)
        result = life.reader.command_result(command.id)
        assert result is not None
        assert result.status is CommandStatus.DONE


async def test_stop_then_start_listens_anew_with_one_gateway_at_a_time(location):
    async with _life(location, force_running=True) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        life.inbox.put(Verb.STOP_MONITOR, {}, "tester", None, CLOCK.wall_ns())
        await life.eventually(lambda: not life.gateway.listening.is_set())
        life.inbox.put(Verb.START_MONITOR, {}, "tester", None, CLOCK.wall_ns())
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        assert life.gateway.lives == 2


async def test_next_life_knows_what_the_last_one_knew(location):
    async with _life(location, force_running=True) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        life.gateway.say_lists("OLDUSDT")
        life.gateway.say_lists("OLDUSDT", "ALPHAUSDT")
    async with _life(location) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        life.gateway.say_lists("OLDUSDT", "ALPHAUSDT")
        life.gateway.say_lists("OLDUSDT", "ALPHAUSDT", "BETAUSDT")
        await life.eventually(lambda: life.reader.listings(limit=10, offset=0)[1] == 2)
        monitor = life.reader.monitor()
        assert monitor is not None
        assert monitor.status is not MonitorStatus.STOPPED


async def test_error_in_a_decision_ends_the_process_instead_of_hiding(location):
    async with _life(location, force_running=True) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        assert life.gateway.emit is not None
        life.gateway.emit("no event at all")  # type: ignore[arg-type]
        assert life.task is not None
        with pytest.raises(AttributeError):
            await asyncio.wait_for(life.task, 5)


async def test_gateway_that_breaks_ends_the_process(location):
    async with _life(location, force_running=True) as life:
        await asyncio.wait_for(life.gateway.listening.wait(), 5)
        life.gateway.break_with = RuntimeError("a bug of ours")
        assert life.task is not None
        with pytest.raises(RuntimeError, match="a bug of ours"):
            await asyncio.wait_for(life.task, 5)


async def test_heartbeat_and_metrics_reach_the_live_figures(location):
    async with _life(location, force_running=True) as life:
        figures = LiveStore(location, CLOCK)
        await life.eventually(lambda: {"heartbeat", "metrics"} <= figures.get_all().keys())
        figures.close_reader()
