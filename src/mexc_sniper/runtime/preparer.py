"""Carries out what the engine prepares: requests signed, intents fsynced, and the one instant that must be exact."""

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence

import structlog

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.errors import InvariantError, StoreError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event, OpeningReached
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import Approved
from mexc_sniper.ports import Clock, Journal, OrderGateway

log = structlog.get_logger()

QUIET_NS = 200 * NS_PER_MS
"""Before an exact instant the collector is run once and then kept away, so that it does not run at that instant."""

STILL_NS = 2 * NS_PER_MS
"""No rehearsal begins this shortly before an exact instant: it takes up to a millisecond."""


class Preparer:
    """Keeps what lies ready at gateways and journal; everything here happens well before the trigger."""

    def __init__(
        self,
        gateways: Mapping[Account, OrderGateway],
        journal: Journal | None,
        clock: Clock,
        emit: Callable[[Event], None],
    ) -> None:
        """``journal`` None: no live account is plugged in."""
        self._gateways = gateways
        self._journal = journal
        self._clock = clock
        self._emit = emit
        self._ready: dict[Symbol, tuple[Approved, ...]] = {}
        self._writing: dict[Symbol, asyncio.Task[None]] = {}
        self._timers: dict[Symbol, asyncio.Task[None]] = {}
        self._due_mono_ns: dict[Symbol, int] = {}
        """Instants of which the last stretch is being waited for."""

    def prepare(self, symbol: Symbol, approved: tuple[Approved, ...]) -> None:
        """Sign now, fsync beside the loop; an order that leaves before that is covered by the grant as any other."""
        self._forget(symbol, keep=approved)
        self._ready[symbol] = approved
        account = approved[0].intent.account
        self._gateways[account].prepare(symbol, approved)
        if account is Account.LIVE and self._journal is not None:
            self._writing[symbol] = asyncio.create_task(self._write(self._journal, symbol, approved))

    def unprepare(self, symbol: Symbol) -> None:
        """Throw away what has not left."""
        self._forget(symbol, keep=())
        timer = self._timers.pop(symbol, None)
        if timer is not None:
            timer.cancel()

    def fire_at(self, symbol: Symbol, wall_ns: int) -> None:
        """Tell the engine at this instant; a second call for a pair replaces the first."""
        timer = self._timers.pop(symbol, None)
        if timer is not None:
            timer.cancel()
        self._timers[symbol] = asyncio.create_task(self._fire(symbol, wall_ns))

    def is_due_soon(self) -> bool:
        """Tell whether an exact instant is so near that nothing may hold the loop."""
        return bool(self._due_mono_ns) and self._clock.mono_ns() > min(self._due_mono_ns.values()) - STILL_NS

    def close(self) -> None:
        """Drop everything that has not left: the next life prepares anew, under ids of its own."""
        for symbol in tuple(self._ready):
            self.unprepare(symbol)

    def _forget(self, symbol: Symbol, keep: Sequence[Approved]) -> None:
        before = self._ready.pop(symbol, ())
        writing = self._writing.pop(symbol, None)
        if writing is not None:
            writing.cancel()
        for gateway in self._gateways.values():
            gateway.unprepare(symbol)
        if self._journal is None:
            return
        kept = {one.intent.client_order_id for one in keep}
        dropped = [one.intent.client_order_id for one in before if one.intent.client_order_id not in kept]
        if dropped:
            try:
                self._journal.forget_unsent(dropped)
            except StoreError as error:
                log.warning("journal_not_kept", error=str(error))

    async def _write(self, journal: Journal, symbol: Symbol, approved: tuple[Approved, ...]) -> None:
        try:
            await journal.write_durably(approved)
        except InvariantError:
            return  # one has left meanwhile: it was written as it left, and the others will be
        except StoreError as error:
            log.error("journal_failed", error=str(error))  # the next order's write closes the gate
            return
        log.info("entry_lies_ready", symbol=symbol, attempts=len(approved))

    async def _fire(self, symbol: Symbol, wall_ns: int) -> None:
        await self._clock.until(self._mono_of(wall_ns) - QUIET_NS)
        # The wall clock may have been corrected while we slept (RELIABILITY 2.4, row 60): the last stretch counts anew.
        due_mono_ns = self._mono_of(wall_ns)
        if not self._due_mono_ns:
            gc.collect(0)
            gc.disable()
        self._due_mono_ns[symbol] = due_mono_ns
        try:
            await self._clock.until(due_mono_ns, exact=True)
            stamp = Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
            self._emit(OpeningReached(stamp=stamp, symbol=symbol, due_ns=wall_ns))
        finally:
            del self._due_mono_ns[symbol]
            if not self._due_mono_ns:
                gc.enable()

    def _mono_of(self, wall_ns: int) -> int:
        """Return the monotonic instant of a wall time; wall is read first, so a pause between errs to the late side."""
        left_ns = wall_ns - self._clock.wall_ns()
        return self._clock.mono_ns() + left_ns
