"""`ports.OrderGateway` for the paper account: the same life of an order as live, without the venue (DESIGN 1).

The runtime feeds it the market through `see`. Everything it says goes through the same events as the live gateway's,
so that engine, risk, order table and reconciliation are one code for both accounts.
"""

from collections import deque
from collections.abc import Sequence
from functools import partial
from random import Random

import msgspec
import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.events import (
    Event,
    FillsReported,
    LookUpKind,
    OrderLookedUp,
    OrderReported,
    VenueSwept,
)
from mexc_sniper.model.order import Approved, Order, OrderStatus, ReportSource
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Clock, Emit
from mexc_sniper.venues.paper.exchange import PaperExchange
from mexc_sniper.venues.paper.latency import Latency
from mexc_sniper.venues.paper.market import PaperMarket
from mexc_sniper.venues.paper.options import MAX_OPEN_ORDERS, Fault, PaperOptions
from mexc_sniper.venues.paper.orders import PaperOrder
from mexc_sniper.venues.paper.restore import LOST, account_of, orders_of
from mexc_sniper.venues.paper.rules import Refusal
from mexc_sniper.venues.paper.timers import Timers

S = OrderStatus
RECENT_NS = 300 * NS_PER_S
"""How far back a sweep shows ended orders."""
_BUSY = Refusal(429, "too many requests")
_log = structlog.get_logger("mexc_sniper.paper")


class PaperGateway:
    """The dry-run account's way to its venue.

    Args:
        clock: drives every delay; a virtual one makes a simulation.
        options: how strict it is.
        random: the only source of chance; the same seed and events give the same fills.
        epoch: number of this life of the engine, part of the venue order ids.
        restored: what the ledger holds of the account; nothing on a first start.
    """

    def __init__(
        self,
        clock: Clock,
        options: PaperOptions,
        *,
        random: Random,
        epoch: int = 0,
        restored: Restored | None = None,
    ) -> None:
        restored = restored or Restored()
        self._clock = clock
        self._options = options
        self._random = random
        self._latency = Latency(options.latency, random)
        self._timers = Timers(clock)
        self._emit: Emit | None = None
        self._unsaid: deque[Event] = deque()
        self._rehearsed: deque[Fault] = deque()
        self._market = PaperMarket(clock, options)
        account = account_of(restored, options)
        self._exchange = PaperExchange(self._market, account, epoch=epoch, say=self._say)
        self._lost = self._exchange.restore(orders_of(restored))
        self._told_of_restart = False

    @property
    def account(self) -> Account:
        """Always the paper account."""
        return Account.PAPER

    @property
    def balances(self) -> tuple[Balance, ...]:
        """What the account holds now; zero ones are left out."""
        return self._exchange.account.all()

    @property
    def latency_basis(self) -> str:
        """``measured`` or ``assumed``, and how stressed: what to write beside results."""
        return self._latency.basis

    def note_round_trip(self, ns: int) -> None:
        """Learn from a live request how long one takes, send to answer."""
        self._latency.note_round_trip(ns)

    def rehearse(self, fault: Fault) -> None:
        """Let a fault strike the next submit that none is planned for yet."""
        self._rehearsed.append(fault)

    def see(self, event: Event) -> None:
        """Take market data in. What fell due before it arrived meets the market as it was."""
        stamp = getattr(event, "stamp", None)
        if stamp is not None and self._emit is not None:
            self._timers.run_due(stamp.mono_ns - 1)
        self._exchange.see(event)

    async def run(self, emit: Emit) -> None:
        """Let orders arrive until cancelled."""
        self._emit = emit
        try:
            while self._unsaid:
                emit(self._unsaid.popleft())
            self._tell_of_restart()
            self._exchange.say_all_balances()
            await self._timers.run()
        finally:
            self._emit = None

    # ------------------------------------------------------------------ orders

    def submit(self, approved: Approved) -> None:
        """Send an order on its way; it meets the book when it arrives."""
        intent = approved.intent
        if intent.client_order_id in self._exchange.orders:
            _log.error("paper_order_repeated", client_order_id=intent.client_order_id)  # the first one stands
            return
        order = PaperOrder(intent=intent, created_ns=self._clock.wall_ns())
        fault = self._fault()
        if fault is Fault.NOT_SENT or len(self._timers) >= 2 * MAX_OPEN_ORDERS:
            self._exchange.end(order, S.NOT_SENT, "no connection", Reason.NOT_SENT)
            return
        sent_ns = self._clock.mono_ns()
        self._exchange.announce(order)
        self._report(order, sent_mono_ns=sent_ns)
        arrives_ns = sent_ns + self._latency.draw()
        match fault:
            case Fault.BUSY:
                self._timers.at(arrives_ns, partial(self._exchange.refuse, order, _BUSY))
            case Fault.LOST_BEFORE:
                self._timers.at(arrives_ns, partial(self._doubt, order, arrives=False))
            case Fault.LOST_AFTER:
                self._timers.at(sent_ns + 1, partial(self._doubt, order, arrives=True))
                self._timers.at(arrives_ns, partial(self._exchange.arrive, order))
            case _:
                self._timers.at(arrives_ns, partial(self._exchange.arrive, order))

    def prepare(self, symbol: Symbol, approved: Sequence[Approved]) -> None:
        """Nothing to prepare: a paper order has no bytes."""

    def unprepare(self, symbol: Symbol) -> None:
        """Nothing was prepared."""

    def cancel(self, order: Order) -> None:
        """Send a cancel on its way; it may cross a fill."""
        name = order.intent.client_order_id
        if len(self._timers) < 4 * MAX_OPEN_ORDERS:  # asked again by the engine until an end is seen
            self._timers.at(self._clock.mono_ns() + self._latency.draw(), partial(self._exchange.cancel, name))

    # ------------------------------------------------------------------ questions

    def look_up(self, order: Order, kind: LookUpKind) -> None:
        """Answer from the venue's own books, at once."""
        stamp = self._market.stamp()
        known = self._exchange.orders.get(order.intent.client_order_id)
        shown = known is not None and (known.resting if kind is LookUpKind.OPEN_ORDERS else known.known)
        self._say(
            OrderLookedUp(
                stamp=stamp,
                account=Account.PAPER,
                client_order_id=order.intent.client_order_id,
                kind=kind,
                found=known.report(stamp, source=ReportSource.QUERY) if known is not None and shown else None,
                asked_ns=stamp.ts_recv_ns,
            )
        )

    def read_fills(self, order: Order) -> None:
        """Repeat every execution of an order."""
        known = self._exchange.orders.get(order.intent.client_order_id)
        fills = () if known is None else tuple(known.fills)
        stamp = self._market.stamp()
        self._say(FillsReported(stamp=stamp, account=Account.PAPER, fills=fills, source=ReportSource.PAPER))

    def sweep(self, symbols: Sequence[Symbol], orders: Sequence[Order] = ()) -> None:
        """Show all waiting orders, what some symbols saw of late, some orders by name, and all balances."""
        stamp = self._market.stamp()
        since_ns = stamp.ts_recv_ns - RECENT_NS
        named = {order.intent.client_order_id for order in orders}
        known = [order for order in self._exchange.orders.values() if order.known]
        recent = [
            order
            for order in known
            if (order.intent.symbol in symbols and order.changed_ns >= since_ns)
            or order.intent.client_order_id in named
        ]
        self._say(
            VenueSwept(
                stamp=stamp,
                account=Account.PAPER,
                open_orders=tuple(order.listed(stamp) for order in known if order.resting),
                recent_orders=tuple(order.listed(stamp) for order in recent),
                balances=self.balances,
                asked_ns=stamp.ts_recv_ns,
            )
        )

    # ------------------------------------------------------------------ inside

    def _fault(self) -> Fault | None:
        if self._rehearsed:
            return self._rehearsed.popleft()
        odds = self._options.faults
        chances = (
            (Fault.NOT_SENT, odds.not_sent),
            (Fault.BUSY, odds.busy),
            (Fault.LOST_BEFORE, odds.lost_before),
            (Fault.LOST_AFTER, odds.lost_after),
        )
        if not any(chance for _, chance in chances):
            return None
        drawn = self._random.random()
        for fault, chance in chances:
            if drawn < chance:
                return fault
            drawn -= chance
        return None

    def _doubt(self, order: PaperOrder, *, arrives: bool) -> None:
        stamp = self._market.stamp()
        report = order.report(stamp, source=ReportSource.LOCAL)
        doubt = msgspec.structs.replace(report, status=S.IN_DOUBT, text="the connection was lost")
        self._say(OrderReported(stamp=stamp, report=doubt))
        if not arrives:
            self._exchange.end(order, S.NEVER_ARRIVED, silently=True)

    def _tell_of_restart(self) -> None:
        """Say once how the orders ended that were on their way when the last life did."""
        if self._told_of_restart:
            return
        self._told_of_restart = True
        for order in self._lost:
            self._report(order)  # SUBMITTED first: one that was only intended may have left
            self._exchange.end(order, S.CANCELED, LOST)

    def _report(self, order: PaperOrder, *, sent_mono_ns: int | None = None) -> None:
        stamp = self._market.stamp()
        self._say(OrderReported(stamp=stamp, report=order.report(stamp, sent_mono_ns=sent_mono_ns)))

    def _say(self, event: Event) -> None:
        """Emit, or keep until `run` has begun: before it only a restart's questions come."""
        if self._emit is None:
            self._unsaid.append(event)
        else:
            self._emit(event)
