"""The order desk: the last stop before a venue. Gate, throttle, journal, gateway, in this order and without waiting.

Only a live exit waits, for its intent to be on the disk: a power cut must not make us sell twice, and a millisecond
costs it little. Whatever stops an order here is told to the engine as NOT_SENT, with its reason; nothing is dropped in
silence.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from mexc_sniper import telemetry
from mexc_sniper.core.errors import InvariantError, StoreError
from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event, GateSignaled, KillLatched, OrderReported
from mexc_sniper.model.latch import decode_latch
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import Approved, ExecutionReport, Order, OrderStatus, ReportSource
from mexc_sniper.ports import Clock, Journal, OrderGateway
from mexc_sniper.runtime.throttle import Lane, Throttle, WaitingOrders

log = structlog.get_logger()

ENTRY_LIFE_NS = 2_000_000_000
"""An entry that does not say so itself has lost its point after waiting this long for the rate limit."""
EXIT_LIFE_NS = 60_000_000_000
"""An exit is decided anew by then."""
EXIT_FSYNC_S = 0.25
"""A disk that hangs must not keep a position from being sold: from then on the exit is covered by the grant."""
CANCEL_LIFE_NS = 2_000_000_000
"""A cancel is asked for again by then, until its end is seen."""


class OrderDesk:
    """Sends approved orders to their account's gateway."""

    def __init__(
        self,
        *,
        gateways: Mapping[Account, OrderGateway],
        throttles: Mapping[Account, Throttle],
        journal: Journal | None,
        latch: Path | None,
        clock: Clock,
        emit: Callable[[Event], None],
        wake_at: Callable[[int], None],
    ) -> None:
        """``journal`` None: no live account is plugged in. ``latch``: the kill switch's file."""
        self._gateways = gateways
        self._waiting = {account: WaitingOrders[Approved | Order](throttle) for account, throttle in throttles.items()}
        self._journal = journal
        self._latch = latch
        self._clock = clock
        self._emit = emit
        self._wake_at = wake_at
        self._gates: dict[Account, Gate] = {}
        self._seen: tuple[int, int] | None = None
        """Inode and time of the latch file that was acted on."""
        self.latched = False
        self._writing: dict[asyncio.Task[None], None] = {}
        """Exits whose intents are being fsynced."""
        self._written: deque[Approved] = deque()

    @property
    def waiting(self) -> int:
        """Orders that wait for the rate limit."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def set_gate(self, account: Account, gate: Gate) -> None:
        """Take over the gate in force."""
        self._gates[account] = gate

    def submit(self, approved: Approved) -> None:
        """Send an order now, or when the rate limit has room for it; a live exit once its intent is on the disk."""
        if not self._may_leave(approved):
            return
        intent = approved.intent
        if intent.role.reduces_risk and intent.account is Account.LIVE and self._journal is not None:
            task = asyncio.create_task(self._write_exit(self._journal, approved))
            self._writing[task] = None
            task.add_done_callback(self._writing.pop)
            return
        self._leave(approved)

    def close(self) -> None:
        """Let go of exits that are being written; whether they left is asked of the venue by the next life."""
        for task in self._writing:
            task.cancel()

    async def _write_exit(self, journal: Journal, approved: Approved) -> None:
        try:
            async with asyncio.timeout(EXIT_FSYNC_S):
                await journal.write_durably([approved])
        except TimeoutError:
            log.warning("exit_not_fsynced", client_order_id=approved.intent.client_order_id, waited_s=EXIT_FSYNC_S)
        except (StoreError, InvariantError):
            pass  # the write right before the send fails too, and tells
        self._written.append(approved)
        self._wake_at(self._clock.wall_ns())

    def _leave(self, approved: Approved) -> None:
        entry = not approved.intent.role.reduces_risk
        lane = Lane.ENTRY if entry else Lane.EXIT
        waiting = self._waiting[approved.intent.account]
        now_ns = self._clock.mono_ns()
        if waiting.may_leave(lane, now_ns):
            self._send(approved)
            return
        expires_ns = now_ns + (self._entry_life_ns(approved) if entry else EXIT_LIFE_NS)
        turned_away = waiting.add(approved, lane, value=float(approved.intent.worst_notional), expires_ns=expires_ns)
        self._turn_away(turned_away)
        self._plan_wake(waiting, now_ns)

    def cancel(self, order: Order) -> None:
        """Ask for a cancel now, or as soon as the venue's limit has room: before every order that waits."""
        waiting = self._waiting[order.intent.account]
        now_ns = self._clock.mono_ns()
        if waiting.may_leave(Lane.CANCEL, now_ns):
            self._gateways[order.intent.account].cancel(order)
            return
        self._turn_away(waiting.add(order, Lane.CANCEL, value=0.0, expires_ns=now_ns + CANCEL_LIFE_NS))
        self._plan_wake(waiting, now_ns)

    def _entry_life_ns(self, approved: Approved) -> int:
        """An entry waits for the rate limit as long as its signal may be old (``maxSignalAgeMs``)."""
        good_until_ns = approved.intent.good_until_ns
        return good_until_ns - self._clock.wall_ns() if good_until_ns else ENTRY_LIFE_NS

    def wake(self) -> None:
        """Send what is on the disk by now, and what waited for the rate limit and still may leave."""
        while self._written:
            self._leave(self._written.popleft())
        for waiting in self._waiting.values():
            if not len(waiting):
                continue
            now_ns = self._clock.mono_ns()
            for late in waiting.expired(now_ns):
                self._turn_away(late)
            for due in waiting.due(now_ns):
                if isinstance(due, Order):
                    self._gateways[due.intent.account].cancel(due)
                elif self._may_leave(due):
                    self._send(due)
            self._plan_wake(waiting, now_ns)

    def _turn_away(self, late: Approved | Order | None) -> None:
        """Tell of an order that found no room; a cancel is repeated by who asked for it."""
        if isinstance(late, Approved):
            self._not_sent(late, Reason.THROTTLED)

    def _plan_wake(self, waiting: WaitingOrders[Approved | Order], now_ns: int) -> None:
        due_ns = waiting.wake_ns(now_ns)
        if due_ns is not None:
            self._wake_at(self._clock.wall_ns() + max(0, due_ns - now_ns))

    def look_at_latch(self) -> None:
        """Find the kill switch's file even if no command ever arrives; at every turn of the loop (2 µs).

        A file that was replaced by a graver one is acted on again.
        """
        if self._latch is None:
            return
        try:
            found = self._latch.stat()
        except FileNotFoundError:
            return
        except OSError:
            found = None  # it cannot be looked at: as good as set
        seen = (0, 0) if found is None else (found.st_ino, found.st_mtime_ns)
        if seen == self._seen:
            return
        self._seen = seen
        self.latched = True
        try:
            latch = decode_latch(self._latch.read_bytes())
        except OSError:
            latch = decode_latch(b"")
        self._emit(KillLatched(stamp=self._stamp(), action=latch.action, actor=latch.actor or "latch file"))

    def rehearse(self) -> None:
        """Look at everything that is looked at last before an order leaves."""
        self.look_at_latch()
        if self._journal is not None:
            self._journal.rehearse()

    def lift_latch(self) -> None:
        """Take the file away after a resume, unless another hand has set it anew meanwhile."""
        if self._latch is None:
            return
        try:
            found = self._latch.stat()
            if self._seen in (None, (found.st_ino, found.st_mtime_ns)):
                self._latch.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as error:
            log.error("latch_not_lifted", error=str(error))
            return
        self.latched, self._seen = False, None

    def _may_leave(self, approved: Approved) -> bool:
        """Ask the gate again, after the last wait and right before the write (RELIABILITY I4, I5)."""
        if approved.intent.role.reduces_risk:
            return True
        self.look_at_latch()
        gate = self._gates.get(approved.intent.account)
        if self.latched:
            self._not_sent(approved, Reason.KILL_LATCHED)
            return False
        if gate is None or gate.generation != approved.generation:
            closed = gate.closed[0] if gate is not None and gate.closed else Reason.NOT_SENT
            self._not_sent(approved, closed)
            return False
        return True

    def _send(self, approved: Approved) -> None:
        account = approved.intent.account
        if account is Account.LIVE and not self._journaled(approved):
            return
        self._gateways[account].submit(approved)

    def _journaled(self, approved: Approved) -> bool:
        if self._journal is None:
            self._not_sent(approved, Reason.JOURNAL_UNHEALTHY)
            return False
        try:
            if self._journal.write(approved):
                return True
        except StoreError as error:
            log.error("journal_failed", error=str(error))
            self._emit(
                GateSignaled(stamp=self._stamp(), reason=Reason.JOURNAL_UNHEALTHY, closed=True, detail=str(error))
            )
            self._not_sent(approved, Reason.JOURNAL_UNHEALTHY)
            return False
        self._not_sent(approved, Reason.GRANT_EXHAUSTED)
        return False

    def _not_sent(self, approved: Approved, reason: Reason) -> None:
        telemetry.ORDERS_NOT_SENT.labels(reason=str(reason)).inc()
        report = ExecutionReport(
            stamp=self._stamp(),
            account=approved.intent.account,
            client_order_id=approved.intent.client_order_id,
            status=OrderStatus.NOT_SENT,
            source=ReportSource.LOCAL,
            reason=reason,
        )
        self._emit(OrderReported(stamp=report.stamp, report=report))

    def _stamp(self) -> Stamp:
        return Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
