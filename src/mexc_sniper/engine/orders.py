"""Orders on their way: submit, hear reports and fills, end them, and settle."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.attention import about_order, raise_attention
from mexc_sniper.engine.doubts import Doubts
from mexc_sniper.engine.effects import CancelOrder, LookUp, ReadFills, Submit, WakeAt
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trade_rows import TradeRows
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import FillRecorded, OrderChanged
from mexc_sniper.model.events import FillsReported, LookUpKind, OrderLookedUp, OrderReported
from mexc_sniper.model.order import (
    RESTING,
    WITHOUT_TRACE,
    Approved,
    ExecutionReport,
    Fill,
    Order,
    OrderRole,
    OrderStatus,
    ReportSource,
)
from mexc_sniper.model.trading import AttentionKind, Trigger
from mexc_sniper.policy.executions import Executions
from mexc_sniper.policy.order_table import SETTLE_NS, apply_report, see_end_again

MAX_FORGOTTEN = 20_000
"""Ids of settled orders kept so that the venue's lists do not make strangers of them; far more than a day holds."""
CANCEL_AGAIN_NS = 2 * NS_PER_S
POLL_NS = 2 * NS_PER_S
"""How often a live order is asked for while the private stream is away or silent about it."""
POLL_RESTING_NS = 10 * NS_PER_S
"""The same for an order that waits at the venue."""

S = OrderStatus
ZERO = Decimal(0)


class Orders:
    """Operations on the engine's orders. Holds no state of its own."""

    def __init__(self, state: EngineState, holdings: Holdings) -> None:
        self._state = state
        self._holdings = holdings
        self._doubts = Doubts(state, holdings)
        self._rows = TradeRows(state, holdings)

    # ------------------------------------------------------------------ sending

    def submit(self, turn: Turn, approved: Approved, *, trigger: Trigger, source_lag_ns: int | None = None) -> Order:
        """Send an approved order: the intent is counted before anything leaves."""
        intent = approved.intent
        trading = self._state.trading
        order = Order(intent=intent, created_ns=turn.now_ns)
        trading.orders[intent.client_order_id] = order
        trading.touched += 1
        if intent.role is OrderRole.ENTRY and intent.listing_id is not None:
            trading.entry_of[intent.listing_id] = intent.client_order_id
        turn.ask(Submit(approved))
        turn.entry(OrderChanged(order=order))
        self._rows.begin(turn, order, trigger, source_lag_ns)
        return order

    def cancel(self, turn: Turn, order: Order, reason: Reason) -> None:
        """Ask for a cancel; asked again until an end is seen."""
        if order.status not in RESTING:
            return
        changed = order if order.status is S.CANCEL_PENDING else replace(order, status=S.CANCEL_PENDING, reason=reason)
        self._put(turn, changed)
        self._state.trading.cancel_again_ns[order.intent.client_order_id] = turn.now_ns + CANCEL_AGAIN_NS
        turn.ask(CancelOrder(changed))

    # ------------------------------------------------------------------ hearing

    def reported(self, turn: Turn, event: OrderReported) -> Order | None:
        """Apply a statement about an order; returns the order when it has just ended, else None."""
        return self._apply(turn, event.report)

    def fills(self, turn: Turn, event: FillsReported) -> None:
        """Count executions, each once."""
        trading = self._state.trading
        touched: dict[ClientOrderId, None] = {}
        for fill in self._uncounted(event):
            order = trading.orders[fill.client_order_id]
            if (
                order.terminal
                and trading.booked.get(fill.client_order_id, ZERO) + fill.quantity > order.filled_quantity
            ):
                # The stream and the trade list may name one execution differently: what the ended order does not
                # account for is not counted. A real late fill first raises the order's own quantity.
                turn.note("fill_beyond_order", symbol=fill.symbol, trade_id=fill.trade_id, quantity=str(fill.quantity))
                turn.ask(LookUp(order, LookUpKind.ORDER))
                continue
            if self._holdings.entry_unbooked(order):
                turn.note("fill_before_entry", symbol=fill.symbol, trade_id=fill.trade_id)
                continue  # read again until what was bought is booked
            trading.executions[fill.client_order_id].count(fill, event.source)
            if fill.account is Account.LIVE:
                trading.filled_live_ns = turn.now_ns
            booked = trading.booked.get(fill.client_order_id, Decimal(0))
            trading.booked[fill.client_order_id] = booked + fill.quantity
            turn.entry(FillRecorded(fill=fill))
            self._holdings.fill(turn, order, fill)
            touched[fill.client_order_id] = None
            self._rows.fee(fill)
        for client_order_id in touched:
            order = trading.orders[client_order_id]
            self._rows.update(turn, order)
            if order.terminal:
                self._holdings.finish(turn, order)
            for waiting in self._holdings.exits_unbooked(order):
                turn.ask(ReadFills(waiting))

    def _uncounted(self, event: FillsReported) -> list[Fill]:
        """Return the executions of orders we have that are not counted yet."""
        trading = self._state.trading
        told: dict[ClientOrderId, list[Fill]] = {}
        for fill in event.fills:
            if fill.client_order_id in trading.orders:
                told.setdefault(fill.client_order_id, []).append(fill)
        fresh: list[Fill] = []
        for client_order_id, fills in told.items():
            known = trading.executions.setdefault(client_order_id, Executions())
            fresh += known.unknown(event.source, tuple(fills))
        return fresh

    def looked_up(self, turn: Turn, event: OrderLookedUp) -> Order | None:
        """Take the answer to a question about an order; "not found" is evidence and becomes proof only with others."""
        trading = self._state.trading
        order = trading.orders.get(event.client_order_id)
        if order is None or event.failed:
            return None
        if event.found is not None:
            self._doubts.seen(event.client_order_id)
            ended = self._apply(turn, event.found)
            self._confirm_end(turn, event.client_order_id, event.found)
            return ended
        if order.status is S.IN_DOUBT:
            self._doubts.not_found(order, event)
            return self._end_if_absent(turn, order)
        return None

    def prove_absent(self, turn: Turn) -> list[Order]:
        """Look at every doubt again, now that balances were read; returns the orders that never arrived."""
        doubtful = [order for order in self._state.trading.orders.values() if order.status is S.IN_DOUBT]
        ended = [self._end_if_absent(turn, order) for order in doubtful]
        return [order for order in ended if order is not None]

    # ------------------------------------------------------------------ time

    def tend(self, turn: Turn) -> None:
        """Ask again about doubts and ends, cancel again what was not canceled. Cheap when nothing is alive."""
        trading = self._state.trading
        for client_order_id, order in tuple(trading.orders.items()):
            if order.settled:
                if order.settled_ns is not None and turn.now_ns - order.settled_ns > 600 * NS_PER_S:
                    del trading.orders[client_order_id]
                    trading.executions.pop(client_order_id, None)
                    trading.forgotten[client_order_id] = None
                    if len(trading.forgotten) > MAX_FORGOTTEN:
                        del trading.forgotten[next(iter(trading.forgotten))]
                continue
            if order.status is S.IN_DOUBT:
                self._doubts.ask(turn, order)
            elif order.end_seen_ns is not None and turn.now_ns - order.end_seen_ns >= SETTLE_NS:
                self._settle(turn, order)
            elif order.status is S.CANCEL_PENDING and turn.now_ns >= trading.cancel_again_ns.get(client_order_id, 0):
                trading.cancel_again_ns[client_order_id] = turn.now_ns + CANCEL_AGAIN_NS
                turn.ask(CancelOrder(order))
                turn.ask(LookUp(order, LookUpKind.ORDER))
            elif order.intent.account is Account.LIVE and order.status in (S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED):
                self._poll(turn, order)

    # ------------------------------------------------------------------ inside

    def _apply(self, turn: Turn, report: ExecutionReport) -> Order | None:
        trading = self._state.trading
        order = trading.orders.get(report.client_order_id)
        if order is None:
            return None  # not ours, or long settled: reconciliation looks at it
        if (
            order.status in WITHOUT_TRACE
            and report.status not in WITHOUT_TRACE
            and report.source is not ReportSource.LOCAL
        ):
            self._contradiction(turn, order, report)
        changed = apply_report(order, report)
        if report.sent_mono_ns is not None and changed.tick_to_trade_ns is None and order.intent.trigger_mono_ns:
            changed = replace(changed, tick_to_trade_ns=report.sent_mono_ns - order.intent.trigger_mono_ns)
        if changed.acked_ns and changed.submitted_ns and changed.round_trip_ns is None:
            changed = replace(changed, round_trip_ns=changed.acked_ns - changed.submitted_ns)
        if changed == order:
            return None
        self._put(turn, changed)
        if changed.late_fills > order.late_fills:
            text = f"A fill of {order.intent.symbol} arrived after the order had ended; it was counted."
            raise_attention(self._state, turn, about_order(turn, order, AttentionKind.DISCREPANCY, text))
        if changed.status is S.IN_DOUBT and order.status is not S.IN_DOUBT:
            self._doubts.begin(turn, changed)
        elif changed.status is not S.IN_DOUBT:
            trading.doubts.pop(changed.intent.client_order_id, None)
        if changed.filled_quantity > order.filled_quantity and changed.intent.account is Account.LIVE:
            turn.ask(ReadFills(changed))  # fees are known from the executions alone (REFERENCE 4.6)
        if changed.terminal and not order.terminal:
            if changed.filled_quantity <= 0:
                self._holdings.entry_came_to_nothing(turn, changed)
            self._holdings.finish(turn, changed)
            turn.ask(WakeAt(turn.now_ns + SETTLE_NS))
            return changed
        return None

    def _end_if_absent(self, turn: Turn, order: Order) -> Order | None:
        proof = self._doubts.proof_of_absence(turn, order)
        return None if proof is None else self._apply(turn, proof)

    def _settle(self, turn: Turn, order: Order) -> None:
        if order.intent.account is Account.PAPER:
            self._put(turn, see_end_again(order, turn.now_ns))
        else:
            turn.ask(LookUp(order, LookUpKind.ORDER))
            turn.ask(WakeAt(turn.now_ns + POLL_NS))

    def _confirm_end(self, turn: Turn, client_order_id: ClientOrderId, found: ExecutionReport) -> None:
        order = self._state.trading.orders.get(client_order_id)
        if order is None or not order.terminal or order.settled:
            return
        same = found.status is order.status and (found.filled_quantity or Decimal(0)) <= order.filled_quantity
        counted = self._holdings.filled_of(order) >= order.filled_quantity
        if same and counted:
            settled = see_end_again(order, turn.now_ns)
            if settled is not order:
                self._put(turn, settled)
        elif not counted and not self._holdings.entry_unbooked(order):
            turn.ask(ReadFills(order))

    def _poll(self, turn: Turn, order: Order) -> None:
        due = self._state.trading.cancel_again_ns
        key = order.intent.client_order_id
        pause_ns = POLL_NS
        if order.intent.rests and order.status in RESTING:
            # It may wait for hours. The private stream tells of it, and the comparison lists it every half a minute.
            pause_ns = POLL_RESTING_NS
            if self._state.trading.private_stream:
                return
        if turn.now_ns >= due.get(key, (order.submitted_ns or turn.now_ns) + POLL_NS // 4):
            due[key] = turn.now_ns + pause_ns
            turn.ask(LookUp(order, LookUpKind.ORDER))

    def _contradiction(self, turn: Turn, order: Order, report: ExecutionReport) -> None:
        text = (
            f"The order for {order.intent.symbol} was recorded as {order.status}, and the venue now says "
            f"{report.status}. Look at the venue's own order list and decide."
        )
        raise_attention(self._state, turn, about_order(turn, order, AttentionKind.DISCREPANCY, text))

    def _put(self, turn: Turn, order: Order) -> None:
        self._state.trading.orders[order.intent.client_order_id] = order
        self._state.trading.touched += 1
        turn.entry(OrderChanged(order=order))
        self._rows.update(turn, order)
