"""From the model of trading to what the API answers with. Profit and value are computed here, never by the page."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.core.reasons import SENTENCES, Reason
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.order import RESTING, Fill, Order, OrderStatus
from mexc_sniper.model.position import ExitPlan, Position
from mexc_sniper.model.trading import Attention, Decision, Guard, Trade, TradingStatus
from mexc_sniper.web import views
from mexc_sniper.web import views_trading as trading_views
from mexc_sniper.web.convert import iso, milliseconds
from mexc_sniper.web.view_base import Mode

_CENT = Decimal("0.01")
_SHOWN = Decimal("0.00000001")
_NO_STATUS = TradingStatus()


def mode_of(account: Account) -> Mode:
    """Name an account as the operator does."""
    return "live" if account is Account.LIVE else "dry-run"


def account_of(mode: Mode) -> Account:
    """Undo `mode_of`."""
    return Account.LIVE if mode == "live" else Account.PAPER


def decimal(value: Decimal | None) -> str | None:
    """Write an optional decimal."""
    return None if value is None else text_from_decimal(value)


def computed(value: Decimal) -> str:
    """Write a derived amount of money: a division may have 28 digits, eight behind the point are the venue's finest."""
    rounded = value.quantize(_SHOWN, ROUND_HALF_EVEN) if abs(value) < Decimal(10) ** 18 else value
    text = text_from_decimal(rounded)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def sentence(reason: Reason | None) -> str:
    """Say a reason in words."""
    return "" if reason is None else SENTENCES[reason]


def trade_view(trade: Trade) -> trading_views.TradeView:
    """Show one trade."""
    return trading_views.TradeView(
        id=trade.id,
        mode=mode_of(trade.account),
        symbol=trade.symbol,
        side=trade.side,
        role=trade.role,
        type=trade.type,
        status=trade.status,
        created_at=iso_from_ns(trade.created_ns),
        updated_at=iso_from_ns(trade.updated_ns),
        requested_quote_qty=decimal(trade.requested_quote),
        requested_base_qty=decimal(trade.requested_quantity),
        quote_qty=text_from_decimal(trade.quote_quantity),
        base_qty=text_from_decimal(trade.base_quantity),
        avg_price=decimal(trade.average_price),
        reference_price=decimal(trade.reference_price),
        slippage_bps=decimal(trade.slippage_bps),
        fee=text_from_decimal(trade.fee),
        fee_asset=trade.fee_asset,
        pnl=decimal(trade.pnl),
        reason=trade.reason,
        reason_text=sentence(trade.reason),
        reason_detail=trade.reason_detail,
        trigger=trade.trigger,
        listing_id=trade.listing_id,
        position_id=trade.position_id,
        command_id=trade.command_id,
        client_order_id=trade.client_order_id,
        venue_order_id=trade.venue_order_id,
        attempts=trade.attempts,
        config_version=trade.config_version,
        evidence=trade.evidence,
        source_lag_ms=milliseconds(trade.source_lag_ns),
        tick_to_trade_ms=milliseconds(trade.tick_to_trade_ns),
        round_trip_ms=milliseconds(trade.round_trip_ns),
        ack_to_fill_ms=milliseconds(trade.ack_to_fill_ns),
        open_to_order_ms=milliseconds(trade.open_to_order_ns),
        confirm_until=iso(trade.confirm_until_ns),
    )


def _guard_view(guard: Guard) -> trading_views.GuardView:
    known = guard.name in Reason.__members__
    return trading_views.GuardView(
        name=guard.name,
        text=SENTENCES[Reason(guard.name)] if known else "",
        passed=guard.passed,
        measured=guard.measured,
        limit=guard.limit,
    )


def decision_view(decision: Decision) -> trading_views.DecisionView:
    """Show one entry decision with every guard."""
    return trading_views.DecisionView(
        id=decision.id,
        listing_id=decision.listing_id,
        symbol=decision.symbol,
        mode=mode_of(decision.account),
        trigger=decision.trigger,
        decided_at=iso_from_ns(decision.decided_ns),
        config_version=decision.config_version,
        guards=[_guard_view(guard) for guard in decision.guards],
        reason=decision.reason,
        reason_text=sentence(decision.reason),
    )


def order_view(order: Order) -> trading_views.OrderView:
    """Show one order."""
    intent = order.intent
    filled = order.filled_quantity
    return trading_views.OrderView(
        client_order_id=intent.client_order_id,
        venue_order_id=order.venue_order_id,
        mode=mode_of(intent.account),
        symbol=intent.symbol,
        side=intent.side,
        role=intent.role,
        type=intent.type,
        status=order.status,
        open=order.status in RESTING or order.status in (OrderStatus.SUBMITTED, OrderStatus.IN_DOUBT),
        price=decimal(intent.price),
        quantity=decimal(intent.quantity),
        quote_qty=decimal(intent.quote_quantity),
        filled_qty=text_from_decimal(filled),
        filled_quote=text_from_decimal(order.filled_quote),
        avg_price=computed(order.filled_quote / filled) if filled > 0 else None,
        worst_notional=text_from_decimal(intent.worst_notional),
        reason=order.reason,
        reason_text=sentence(order.reason),
        code=order.code,
        text=order.text,
        attempt=intent.attempt,
        intent_id=intent.id,
        listing_id=intent.listing_id,
        position_id=intent.position_id,
        command_id=intent.command_id,
        config_version=intent.config_version,
        created_at=iso_from_ns(order.created_ns),
        submitted_at=iso(order.submitted_ns),
        acked_at=iso(order.acked_ns),
        first_fill_at=iso(order.first_fill_ns),
        ended_at=iso(order.ended_ns),
        settled_at=iso(order.settled_ns),
        settled=order.settled,
        in_doubt_since=iso(order.doubt_since_ns),
        late_fills=order.late_fills,
        tick_to_trade_ms=milliseconds(order.tick_to_trade_ns),
        round_trip_ms=milliseconds(order.round_trip_ns),
    )


def fill_view(fill: Fill) -> trading_views.FillView:
    """Show one execution."""
    return trading_views.FillView(
        id=fill.trade_id,
        client_order_id=fill.client_order_id,
        mode=mode_of(fill.account),
        symbol=fill.symbol,
        side=fill.side,
        price=text_from_decimal(fill.price),
        base_qty=text_from_decimal(fill.quantity),
        quote_qty=text_from_decimal(fill.quote_quantity),
        fee=text_from_decimal(fill.fee),
        fee_asset=fill.fee_asset,
        maker=fill.is_maker,
        at=iso_from_ns(fill.ts_event_ns),
        received_at=iso_from_ns(fill.ts_recv_ns),
        evidence=fill.evidence,
    )


def _plan_view(plan: ExitPlan) -> trading_views.ExitPlanView:
    return trading_views.ExitPlanView(
        take_profit=[
            trading_views.TakeProfitView(
                price=text_from_decimal(leg.price), quantity=text_from_decimal(leg.quantity), done=leg.done
            )
            for leg in plan.take_profit
        ],
        stop_price=decimal(plan.stop_price),
        trailing_pct=computed(Decimal(plan.trailing_bps) / 100) if plan.trailing_bps else None,
        trailing_armed_at=decimal(plan.trailing_armed_at),
        deadline=iso(plan.deadline_ns),
    )


def price_of(mark: views.MarkView) -> Decimal | None:
    """Choose what a holding is valued at: what buyers pay now, else the last trade."""
    text = mark.bid or mark.last
    return None if text is None else Decimal(text)


def position_mark(position: Position, price: Decimal) -> trading_views.PositionMarkView:
    """Value what is left of a position at a price."""
    value = position.quantity * price
    gain = value - position.remaining_cost
    cost = position.remaining_cost
    return trading_views.PositionMarkView(
        id=position.id,
        mark_price=text_from_decimal(price),
        value=computed(value),
        unrealized_pnl=computed(gain),
        unrealized_pct=text_from_decimal((gain / cost * 100).quantize(_CENT)) if cost > 0 else None,
    )


def position_view(position: Position, marks: Mapping[str, views.MarkView]) -> trading_views.PositionView:
    """Show one holding, valued at the mark of the moment, else at the engine's last."""
    mark = marks.get(position.symbol)
    price = (price_of(mark) if mark is not None else None) or position.mark_price
    valued = None if price is None or position.closed else position_mark(position, price)
    return trading_views.PositionView(
        id=position.id,
        mode=mode_of(position.account),
        symbol=position.symbol,
        base=position.base,
        quote=position.quote,
        status=position.status,
        open=not position.closed,
        listing_id=position.listing_id,
        quantity=text_from_decimal(position.quantity),
        bought_qty=text_from_decimal(position.bought_quantity),
        sold_qty=text_from_decimal(position.sold_quantity),
        cost=text_from_decimal(position.cost),
        remaining_cost=computed(position.remaining_cost),
        proceeds=text_from_decimal(position.proceeds),
        realized_pnl=computed(position.realized_pnl),
        fees=dict(position.fees),
        entry_price=decimal(position.entry_price),
        peak_price=decimal(position.peak_price),
        plan=None if position.plan is None else _plan_view(position.plan),
        trailing_armed=position.trailing_armed,
        manual_exit_needed=position.manual_exit_needed,
        exit_role=position.exit_role,
        mark_price=None if valued is None else valued.mark_price,
        value=None if valued is None else valued.value,
        unrealized_pnl=None if valued is None else valued.unrealized_pnl,
        unrealized_pct=None if valued is None else valued.unrealized_pct,
        opened_at=iso_from_ns(position.opened_ns),
        closed_at=iso(position.closed_ns),
        config_version=position.config_version,
    )


def trading_view(status: TradingStatus | None, now_ns: int) -> trading_views.TradingView:
    """Show what is allowed; None: the engine has never said, which is halted."""
    status = status or _NO_STATUS
    armed = status.armed_until_ns is not None and now_ns < status.armed_until_ns
    return trading_views.TradingView(
        state=status.state,
        reason=status.reason,
        actor=status.actor,
        since=iso(status.since_ns or None),
        latched=status.latched,
        armed=armed,
        armed_until=iso(status.armed_until_ns) if armed else None,
        armed_by=status.armed_by if armed else "",
        gates=list(status.gates),
        reconciled=status.reconciled,
        key_fit=status.key_fit,
        canary_passed_at=iso(status.canary_passed_ns),
        account_pin=status.pinned,
    )


def balances_view(balances: Iterable[Balance]) -> list[trading_views.BalanceView]:
    """Show balances."""
    return [
        trading_views.BalanceView(
            mode=mode_of(balance.account),
            asset=balance.asset,
            free=text_from_decimal(balance.free),
            locked=text_from_decimal(balance.locked),
        )
        for balance in balances
    ]


def attention_view(attention: Attention) -> trading_views.AttentionView:
    """Show one thing that needs a person."""
    return trading_views.AttentionView(
        id=attention.id,
        kind=attention.kind,
        mode=mode_of(attention.account),
        symbol=attention.symbol,
        text=attention.text,
        raised_at=iso_from_ns(attention.raised_ns),
        client_order_id=attention.client_order_id,
        position_id=attention.position_id,
        resolved_at=iso(attention.resolved_ns),
        resolved_by=attention.resolved_by,
        resolution=attention.resolution,
    )
