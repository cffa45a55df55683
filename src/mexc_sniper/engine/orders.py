"""Orders on their way: submit, hear reports and fills, resolve doubt by proof, settle, and keep the operator's view."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ClientOrderId, TradeId, position_of
from mexc_sniper.core.precision import average_price, distance_bps
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import CancelOrder, LookUp, ReadFills, Submit, WakeAt
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Doubt
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.doubt import FENCE_NS
from mexc_sniper.model.entries import AttentionChanged, FillRecorded, OrderChanged, TradeChanged
from mexc_sniper.model.events import FillsReported, LookUpKind, OrderLookedUp, OrderReported
from mexc_sniper.model.market import Side
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
from mexc_sniper.model.trading import Attention, AttentionKind, Trade, TradeStatus, Trigger
from mexc_sniper.policy.executions import Executions
from mexc_sniper.policy.order_table import SETTLE_NS, apply_report, see_end_again

PLACES = frozenset((LookUpKind.ORDER, LookUpKind.ALL_ORDERS, LookUpKind.OPEN_ORDERS))
"""Where an order would be seen: absence from all of them and balances that explain themselves are the proof."""
DOUBT_WEIGHT, PROOF_WEIGHT = 5, 15
"""Request weight of asking about one doubt before and after its grace: order 2, openOrders 3, allOrders 10
(REFERENCE 1.3)."""
NS_PER_DOUBT_WEIGHT = NS_PER_S // 10
"""A third of the venue's 300 in 10 s is for doubts: what protects positions and sees listings goes on."""
DOUBT_BURST_NS = 4 * NS_PER_S
"""The first few doubts do not wait."""
DOUBT_ALARM_NS = 60 * NS_PER_S
"""A doubt older than this needs a person."""
MAX_FORGOTTEN = 20_000
"""Ids of settled orders kept so that the venue's lists do not make strangers of them; far more than a day holds."""
CANCEL_AGAIN_NS = 2 * NS_PER_S
POLL_NS = 2 * NS_PER_S
"""How often a live order is asked for while the private stream is away or silent about it."""
POLL_RESTING_NS = 10 * NS_PER_S
"""The same for an order that waits at the venue."""

S = OrderStatus
ZERO = Decimal(0)
_TRADE_STATUS = {
    S.INTENDED: TradeStatus.PENDING,
    S.SUBMITTED: TradeStatus.PENDING,
    S.ACCEPTED: TradeStatus.PENDING,
    S.PARTIALLY_FILLED: TradeStatus.PARTIALLY_FILLED,
    S.FILLED: TradeStatus.FILLED,
    S.CANCEL_PENDING: TradeStatus.PENDING,
    S.CANCELED: TradeStatus.CANCELED,
    S.EXPIRED: TradeStatus.CANCELED,
    S.REJECTED: TradeStatus.REJECTED,
    S.NOT_SENT: TradeStatus.FAILED,
    S.NEVER_ARRIVED: TradeStatus.FAILED,
    S.IN_DOUBT: TradeStatus.IN_DOUBT,
}


class Orders:
    """Operations on the engine's orders. Holds no state of its own."""

    def __init__(self, state: EngineState, holdings: Holdings) -> None:
        self._state = state
        self._holdings = holdings

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
        trade = self._trade(turn, order, trigger, source_lag_ns)
        turn.entry(TradeChanged(trade=trade))
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
            self._fee(fill)
        for client_order_id in touched:
            order = trading.orders[client_order_id]
            self._save_trade(turn, order)
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
            doubt = trading.doubts.get(event.client_order_id)
            if doubt is not None:
                doubt.absent_after_fence.clear()
            ended = self._apply(turn, event.found)
            self._confirm_end(turn, event.client_order_id, event.found)
            return ended
        doubt = trading.doubts.get(event.client_order_id)
        if doubt is None or order.status is not S.IN_DOUBT:
            return None
        if event.asked_ns >= doubt.proof_from_ns:
            doubt.absent_after_fence[event.kind] = event.asked_ns
        if doubt.absent_after_fence.keys() >= PLACES:
            return self._never_arrived(turn, order)
        return None

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
                self._ask_about_doubt(turn, order)
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
            self._attention(
                turn,
                order,
                AttentionKind.DISCREPANCY,
                f"A fill of {order.intent.symbol} arrived after the order had ended; it was counted.",
            )
        if changed.status is S.IN_DOUBT and order.status is not S.IN_DOUBT:
            self._begin_doubt(turn, changed)
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

    def _begin_doubt(self, turn: Turn, order: Order) -> None:
        signed_ns = order.submitted_ns or turn.now_ns
        fence_ns = signed_ns + FENCE_NS
        self._state.trading.doubts[order.intent.client_order_id] = Doubt(since_ns=turn.now_ns, fence_ns=fence_ns)
        turn.note("order_in_doubt", client_order_id=order.intent.client_order_id, symbol=order.intent.symbol)
        self._ask_about_doubt(turn, order)

    def _ask_about_doubt(self, turn: Turn, order: Order) -> None:
        trading = self._state.trading
        doubt = trading.doubts.get(order.intent.client_order_id)
        if doubt is None:
            doubt = trading.doubts[order.intent.client_order_id] = Doubt(
                since_ns=order.doubt_since_ns or turn.now_ns,
                fence_ns=(order.submitted_ns or order.created_ns) + FENCE_NS,
            )
        if turn.now_ns < doubt.next_ask_ns or not self._may_ask(turn):
            return
        turn.ask(LookUp(order, LookUpKind.ORDER))
        turn.ask(LookUp(order, LookUpKind.OPEN_ORDERS))
        weight = DOUBT_WEIGHT
        if turn.now_ns >= doubt.proof_from_ns:
            turn.ask(LookUp(order, LookUpKind.ALL_ORDERS))
            weight = PROOF_WEIGHT
        trading.doubts_paid_until_ns = max(trading.doubts_paid_until_ns, turn.now_ns) + weight * NS_PER_DOUBT_WEIGHT
        # Of many, all are asked about before one is again.
        round_ns = len(trading.doubts) * weight * NS_PER_DOUBT_WEIGHT - DOUBT_BURST_NS
        pause_ns = max(round_ns, min(2 * NS_PER_S, (NS_PER_S // 5) * 2 ** min(doubt.asked, 4)))
        doubt.asked += 1
        doubt.next_ask_ns = turn.now_ns + pause_ns
        turn.ask(WakeAt(doubt.next_ask_ns))
        if not doubt.alarmed and turn.now_ns - doubt.since_ns > DOUBT_ALARM_NS:
            doubt.alarmed = True
            self._attention(
                turn,
                order,
                AttentionKind.IN_DOUBT,
                f"Whether the venue has the order for {order.intent.symbol} is unknown for over a minute; its amount "
                "stays reserved. Look at the venue's own order list.",
            )

    def _may_ask(self, turn: Turn) -> bool:
        """Tell whether the weight set aside for doubts has room; wakes us when it has.

        The first comparison of a life goes first: nothing may be entered before it.
        """
        trading = self._state.trading
        if trading.sweeping and not trading.status.reconciled:
            return False
        room_ns = trading.doubts_paid_until_ns - DOUBT_BURST_NS
        if turn.now_ns < room_ns:
            turn.ask(WakeAt(room_ns))
            return False
        return True

    def prove_absent(self, turn: Turn) -> list[Order]:
        """Look at every doubt again, now that balances were read; returns the orders that never arrived."""
        trading = self._state.trading
        ended = (
            self._never_arrived(turn, trading.orders[client_order_id])
            for client_order_id, doubt in tuple(trading.doubts.items())
            if doubt.absent_after_fence.keys() >= PLACES
        )
        return [order for order in ended if order is not None]

    def _never_arrived(self, turn: Turn, order: Order) -> Order | None:
        """Everything was asked after fence and grace and knows nothing; balances decide last."""
        doubt = self._state.trading.doubts[order.intent.client_order_id]
        if self._state.trading.balances_asked_ns < doubt.proof_from_ns:
            return None
        if not self._holdings.balances_explain_absence(order):
            return None
        report = ExecutionReport(
            stamp=turn.stamp,
            account=order.intent.account,
            client_order_id=order.intent.client_order_id,
            status=S.NEVER_ARRIVED,
            source=ReportSource.LOCAL,
            reason=Reason.NEVER_ARRIVED,
        )
        return self._apply(turn, report)

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
        self._attention(
            turn,
            order,
            AttentionKind.DISCREPANCY,
            f"The order for {order.intent.symbol} was recorded as {order.status}, and the venue now says "
            f"{report.status}. Look at the venue's own order list and decide.",
        )

    def _attention(self, turn: Turn, order: Order, kind: AttentionKind, text: str) -> None:
        key = f"{kind}:{order.intent.client_order_id}"
        if key in self._state.trading.attention:
            return
        attention = Attention(
            id=key,
            kind=kind,
            account=order.intent.account,
            symbol=order.intent.symbol,
            text=text,
            raised_ns=turn.now_ns,
            client_order_id=order.intent.client_order_id,
        )
        self._state.trading.attention[key] = attention
        turn.entry(AttentionChanged(attention=attention))
        turn.note("attention_raised", kind=str(kind), symbol=order.intent.symbol, text=text)

    def _put(self, turn: Turn, order: Order) -> None:
        self._state.trading.orders[order.intent.client_order_id] = order
        self._state.trading.touched += 1
        turn.entry(OrderChanged(order=order))
        self._save_trade(turn, order)

    # ------------------------------------------------------------------ the operator's view

    def _trade(self, turn: Turn, order: Order, trigger: Trigger, source_lag_ns: int | None) -> Trade:
        """Return the trade row of an intent; a further attempt continues the row of the first."""
        trading, intent = self._state.trading, order.intent
        trade_id = trading.trade_of.setdefault(intent.id, TradeId(f"T{intent.id}"))
        old = trading.trades.get(trade_id)
        trade = Trade(
            id=trade_id,
            account=intent.account,
            symbol=intent.symbol,
            side=intent.side,
            role=intent.role,
            type=intent.type,
            status=TradeStatus.PENDING,
            created_ns=old.created_ns if old else turn.now_ns,
            updated_ns=turn.now_ns,
            requested_quote=intent.quote_quantity,
            requested_quantity=intent.quantity,
            reference_price=intent.reference_price,
            trigger=trigger,
            listing_id=intent.listing_id,
            position_id=intent.position_id,
            command_id=intent.command_id,
            client_order_id=intent.client_order_id,
            attempts=intent.attempt + 1,
            config_version=intent.config_version,
            source_lag_ns=source_lag_ns,
            confirm_until_ns=old.confirm_until_ns if old else None,
        )
        trading.trades[trade_id] = trade
        return trade

    def _save_trade(self, turn: Turn, order: Order) -> None:
        trading, intent = self._state.trading, order.intent
        trade_id = trading.trade_of.get(intent.id)
        trade = trading.trades.get(trade_id) if trade_id else None
        if trade is None or trade.client_order_id != intent.client_order_id:
            return
        price = average_price(order.filled_quote, order.filled_quantity)
        slippage = None
        if price is not None and intent.reference_price is not None:
            distance = distance_bps(price, intent.reference_price)
            slippage = distance if intent.side is Side.BUY else -distance
        status = _TRADE_STATUS[order.status]
        if order.status in (S.CANCELED, S.EXPIRED) and order.filled_quantity > 0:
            status = TradeStatus.PARTIALLY_FILLED
        if trade.confirm_until_ns is not None and trade.id in trading.confirmations:
            status = TradeStatus.HIGH_VALUE_PENDING
        listing = next((item for item in self._state.active.values() if item.id == intent.listing_id), None)
        opened_ns = None if listing is None else (listing.first_trade_at_ns or listing.first_quote_at_ns)
        open_to_order = None
        if opened_ns is not None and order.submitted_ns is not None and intent.role.value == "entry":
            open_to_order = max(0, order.submitted_ns + self._state.clock_offset_ns - opened_ns)
        ack_to_fill = None
        if order.first_fill_ns is not None and order.acked_ns is not None:
            ack_to_fill = max(0, order.first_fill_ns - order.acked_ns)
        updated = replace(
            trade,
            status=status,
            updated_ns=turn.now_ns,
            quote_quantity=order.filled_quote,
            base_quantity=order.filled_quantity,
            average_price=price,
            slippage_bps=slippage,
            venue_order_id=order.venue_order_id,
            position_id=intent.position_id or (position_of(intent.id) if order.filled_quantity > 0 else None),
            reason=order.reason,
            reason_detail=f"{order.code}: {order.text}" if order.code is not None else order.text,
            tick_to_trade_ns=order.tick_to_trade_ns,
            round_trip_ns=order.round_trip_ns,
            ack_to_fill_ns=ack_to_fill,
            open_to_order_ns=open_to_order,
            pnl=self._holdings.pnl_of(order),
        )
        trading.trades[trade.id] = updated
        turn.entry(TradeChanged(trade=updated))
        if order.terminal and not order.settled and trade.status is not status:
            turn.note(
                "trade_ended",
                symbol=intent.symbol,
                mode="live" if intent.account is Account.LIVE else "dry-run",
                status=str(status),
                role=str(intent.role),
                tick_to_trade_ms=_ms(updated.tick_to_trade_ns),
                round_trip_ms=_ms(updated.round_trip_ns),
                ack_to_fill_ms=_ms(updated.ack_to_fill_ns),
                open_to_order_ms=_ms(updated.open_to_order_ns),
            )

    def _fee(self, fill: Fill) -> None:
        trading = self._state.trading
        order = trading.orders[fill.client_order_id]
        trade_id = trading.trade_of.get(order.intent.id)
        trade = trading.trades.get(trade_id) if trade_id else None
        if trade is not None and trade_id is not None:
            trading.trades[trade_id] = replace(
                trade, fee=trade.fee + fill.fee, fee_asset=fill.fee_asset or trade.fee_asset, evidence=fill.evidence
            )


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1_000_000
