"""Runs the engine: every event is handled at once on the loop's thread, one after the other."""

import asyncio
import contextlib
import heapq
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from mexc_sniper import telemetry
from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.commands import Command
from mexc_sniper.model.events import CommandReceived, Event, GateSignaled, QuoteSeen, Ticked, TradesSeen
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Clock, CommandInbox, Ledger, LiveFigures, MarketGateway
from mexc_sniper.runtime.bars import Bars
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.dispatch import Dispatch
from mexc_sniper.runtime.gateway_runner import GatewayRunner
from mexc_sniper.runtime.journal_keeper import JournalKeeper
from mexc_sniper.runtime.marks import Marks
from mexc_sniper.runtime.preparer import Preparer
from mexc_sniper.runtime.rehearsal import LOOK_EVERY_S, Rehearsal, opening_is_due, rehearse_every_s
from mexc_sniper.runtime.trading_figures import TradingFigures
from mexc_sniper.runtime.trading_parts import TradingParts

log = structlog.get_logger()

STALL_NS = 250 * NS_PER_MS
"""A tick later than this means that the view of the market may be old (RELIABILITY 2.4, row 63)."""
FLUSH_DEADLINE_S = 5.0


@dataclass(frozen=True)
class Pace:
    """How often the loop does what nothing asked for, in seconds."""

    tick_s: float = 1.0
    figures_s: float = 0.25
    """Heartbeat and marks."""
    rehearses: bool = True
    """Walk the way of an entry dry while an opening is near; for the processor's caches alone."""
    renders_metrics: bool = True
    """Write the Prometheus text at every tick."""


class EngineLoop:
    """Joins engine, gateway, ledger and inbox. `emit` is the only way in."""

    def __init__(
        self,
        *,
        engine: Engine,
        ledger: Ledger,
        inbox: CommandInbox,
        gateway: MarketGateway,
        figures: LiveFigures,
        clock: Clock,
        trading: TradingParts | None = None,
        pace: Pace | None = None,
    ) -> None:
        """``trading`` None: no account is plugged in; the engine then only watches (every order is NOT_SENT)."""
        self._pace = pace or Pace()
        self._engine = engine
        self._ledger = ledger
        self._inbox = inbox
        self._figures = figures
        self._clock = clock
        self._gateway = gateway
        self._runner = GatewayRunner(gateway, self.emit)
        parts = self._trading = trading or TradingParts()
        self._desk = OrderDesk(
            gateways=parts.gateways,
            throttles=parts.throttles,
            journal=parts.journal,
            latch=parts.latch,
            clock=clock,
            emit=self.emit,
            wake_at=self.wake_at,
        )
        self._preparer = Preparer(parts.gateways, parts.journal, clock, self.emit)
        self._keeper = None if parts.journal is None else JournalKeeper(parts.journal, ledger, clock)
        self._dispatch = Dispatch(
            keeper=self._keeper,
            ledger=ledger,
            gateway=gateway,
            runner=self._runner,
            desk=self._desk,
            orders=parts.gateways,
            preparer=self._preparer,
            wake_at=self.wake_at,
        )
        engine.carry_out = self._dispatch.urgent
        self._trading_figures = TradingFigures(
            engine,
            self._desk,
            parts.throttles,
            figures,
            clock,
            banned_for_s=parts.banned_for_s,
            weight_used=parts.weight_used,
        )
        self._signaled: set[Reason] = set()
        self._wakes: list[int] = []
        self._wake_changed = asyncio.Event()
        self._marks = Marks(figures)
        self._bars = Bars(ledger)
        self._queue: deque[Event] = deque()
        self._handling = False
        self._fatal: asyncio.Future[None] | None = None
        self._loop_lag_ms = 0.0

    def emit(self, event: Event) -> None:
        """Handle an event now, or right after the one being handled. Never raises: an error ends the process."""
        self._queue.append(event)
        if self._handling:
            return
        self._handling = True
        try:
            while self._queue:
                self._handle(self._queue.popleft())
        except Exception as error:  # the caller is a socket's callback; only the process's end may follow
            self.fail(error)
        finally:
            self._handling = False

    def wake_at(self, wall_ns: int) -> None:
        """Have the engine hear a tick at this wall time, besides the one of every second."""
        heapq.heappush(self._wakes, wall_ns)
        if self._wakes[0] == wall_ns:
            self._wake_changed.set()

    def fail(self, error: BaseException) -> None:
        """End `run` with an error; start-up is the recovery path."""
        if self._fatal is not None and not self._fatal.done():
            self._fatal.set_exception(error)

    async def run(
        self,
        restored: Restored,
        *,
        stop: asyncio.Event,
        force_running: bool = False,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """Run until ``stop`` is set; whatever was handled is committed before it returns.

        Raises:
            Exception: whatever ended a part of it; the process should end too.
        """
        self._fatal = asyncio.get_running_loop().create_future()
        parts = self._trading
        self._dispatch.run(
            self._engine.start(
                restored,
                self._stamp(),
                force_running=force_running,
                live=parts.live,
                epoch=parts.epoch,
                prepare=parts.prepare,
            )
        )
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("gateway", self._runner.run()),
                ("inbox", self._inbox.run(self._receive)),
                ("ticks", self._tick()),
                ("figures", self._write_figures()),
                ("wakes", self._wake()),
                *((("awake", self._stay_awake()),) if parts.stay_awake else ()),
                *((("rehearsal", self._rehearse()),) if self._pace.rehearses else ()),
                *(() if self._keeper is None else (("journal", self._keeper.run()),)),
                *((f"orders.{account}", gateway.run(self.emit)) for account, gateway in parts.gateways.items()),
                *((f"helper.{number}", work(self.emit)) for number, work in enumerate(parts.helpers)),
            )
        ]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        ends: list[asyncio.Future[Any]] = [*tasks, self._fatal]
        if on_ready is not None:
            on_ready()
        try:
            await asyncio.wait((*ends, stopping), return_when=asyncio.FIRST_COMPLETED)
            for ended in ends:
                if ended.done():
                    ended.result()
                    raise RuntimeError("a part of the engine ended without being asked to")
        finally:
            self._preparer.close()
            self._desk.close()
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
            await self._ledger.flush(deadline_s=FLUSH_DEADLINE_S)

    def _handle(self, event: Event) -> None:
        started = self._clock.mono_ns()
        effects = self._engine.handle(event)
        for see in self._trading.watchers:  # after the engine, whose order must not wait; before anything is answered
            see(event)
        self._dispatch.run(effects)
        telemetry.HANDLE_SECONDS.labels(event=type(event).__name__).observe(
            (self._clock.mono_ns() - started) / NS_PER_S
        )
        if isinstance(event, (QuoteSeen, TradesSeen)):
            self._marks.see(event)
            self._bars.see(event)

    def _receive(self, command: Command) -> None:
        self.emit(CommandReceived(stamp=self._stamp(), command=command))

    def _stamp(self) -> Stamp:
        return Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())

    async def _tick(self) -> None:
        due_ns = self._clock.mono_ns()
        while True:
            due_ns += int(self._pace.tick_s * NS_PER_S)
            await self._clock.until(due_ns)
            late_ns = self._clock.mono_ns() - due_ns
            self._loop_lag_ms = late_ns / NS_PER_MS
            telemetry.LOOP_LAG_SECONDS.set(late_ns / NS_PER_S)
            if late_ns > NS_PER_S:
                due_ns = self._clock.mono_ns()  # the machine slept; do not catch up tick by tick
            self._signal(
                Reason.LOOP_STALLED, late_ns > STALL_NS, f"the loop was held up for {late_ns / NS_PER_MS:.0f} ms"
            )
            self._signal(Reason.DATABASE_DOWN, bool(self._ledger.trouble), self._ledger.trouble)
            self._desk.look_at_latch()
            self._desk.wake()
            self.emit(Ticked(stamp=self._stamp()))
            self._bars.write()
            for prices in (self._marks, self._bars):
                prices.forget_except(self._dispatch.watched)
            self._trading_figures.write()
            if self._pace.renders_metrics:
                self._figures.put("metrics", telemetry.render())

    def _signal(self, reason: Reason, closed: bool, detail: str) -> None:
        """Tell the engine when a condition that the runtime measures begins or ends."""
        if closed != (reason in self._signaled):
            (self._signaled.add if closed else self._signaled.discard)(reason)
            self.emit(GateSignaled(stamp=self._stamp(), reason=reason, closed=closed, detail=detail))

    async def _rehearse(self) -> None:
        rehearsal = Rehearsal(self._clock, self._trading.latch)
        while True:
            pause_s = rehearse_every_s(self._engine.state)
            if pause_s is None:
                await self._clock.sleep(LOOK_EVERY_S)
                continue
            for _ in range(int(LOOK_EVERY_S / pause_s)):
                await self._clock.sleep(pause_s)
                if not self._preparer.is_due_soon():
                    self._gateway.rehearse()
                    rehearsal.play()
                    self._desk.rehearse()

    async def _stay_awake(self) -> None:
        """Let the processor not sleep while an announced opening is due: to wake it costs more than an order's way."""
        alone = (os.cpu_count() or 1) < 2
        while True:
            if alone or not opening_is_due(self._engine.state):
                await self._clock.sleep(LOOK_EVERY_S)
                continue
            until_ns = self._clock.mono_ns() + int(LOOK_EVERY_S * NS_PER_S)
            while self._clock.mono_ns() < until_ns:
                await asyncio.sleep(0)

    async def _wake(self) -> None:
        while True:
            if not self._wakes:
                self._wake_changed.clear()
                await self._wake_changed.wait()
                continue
            left_ns = self._wakes[0] - self._clock.wall_ns()
            if left_ns > 0:
                self._wake_changed.clear()
                with contextlib.suppress(TimeoutError):  # not `wait_for`: it may swallow a cancellation on 3.11
                    async with asyncio.timeout(left_ns / NS_PER_S):
                        await self._wake_changed.wait()
                continue
            now_ns = self._clock.wall_ns()
            while self._wakes and self._wakes[0] <= now_ns:
                heapq.heappop(self._wakes)
            self._desk.wake()
            self.emit(Ticked(stamp=self._stamp()))

    async def _write_figures(self) -> None:
        while True:
            beat = {
                "wall_ns": self._clock.wall_ns(),
                "pid": os.getpid(),
                "loop_lag_ms": self._loop_lag_ms,
                "ledger_trouble": self._ledger.trouble,  # what the ledger itself cannot tell while it cannot be written
            }
            self._figures.put("heartbeat", msgspec.json.encode(beat))
            self._marks.write()
            await self._clock.sleep(self._pace.figures_s)
