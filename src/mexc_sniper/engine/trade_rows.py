"""The rows of the trade list: one for each decision, as its orders come to be known."""

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.ids import TradeId, position_of
from mexc_sniper.core.precision import average_price, distance_bps
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import TradeChanged
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order, OrderStatus
from mexc_sniper.model.trading import Trade, TradeStatus, Trigger

S = OrderStatus
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


class TradeRows:
    """Operations on the trades. Holds no state of its own."""

    def __init__(self, state: EngineState, holdings: Holdings) -> None:
        self._state = state
        self._holdings = holdings

    def begin(self, turn: Turn, order: Order, trigger: Trigger, source_lag_ns: int | None) -> None:
        """Write the row of an intent; a further attempt continues the row of the first."""
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
        turn.entry(TradeChanged(trade=trade))

    def update(self, turn: Turn, order: Order) -> None:
        """Bring the row of an order up to what is known of it; a row that a further attempt has taken over stays."""
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

    def fee(self, fill: Fill) -> None:
        """Add the fee of an execution, and what shows that it took place."""
        trading = self._state.trading
        order = trading.orders[fill.client_order_id]
        trade_id = trading.trade_of.get(order.intent.id)
        trade = trading.trades.get(trade_id) if trade_id else None
        if trade is not None and trade_id is not None:
            trading.trades[trade_id] = replace(
                trade, fee=trade.fee + fill.fee, fee_asset=fill.fee_asset or trade.fee_asset, evidence=fill.evidence
            )


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_PER_MS
