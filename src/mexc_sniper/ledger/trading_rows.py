"""The rows of trading's entries."""

from collections.abc import Callable
from typing import Any, assert_never

from mexc_sniper.ledger.codec import column_text, int64, int64_or_none, to_json
from mexc_sniper.ledger.statements import Row, Write
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import (
    AttentionChanged,
    BalancesChanged,
    DecisionMade,
    FillRecorded,
    LedgerEntry,
    OrderChanged,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)

TradingEntry = (
    DecisionMade
    | OrderChanged
    | FillRecorded
    | PositionChanged
    | TradeChanged
    | TradingChanged
    | BalancesChanged
    | AttentionChanged
)


def trading_ref(entry: TradingEntry) -> str:
    """What an event is about: the listing a decision is on, otherwise the own id of the order, position, trade."""
    match entry:
        case DecisionMade(decision=decision):
            return decision.listing_id or decision.id
        case OrderChanged(order=order):
            return order.intent.client_order_id
        case FillRecorded(fill=fill):
            return fill.client_order_id
        case PositionChanged(position=position):
            return position.id
        case TradeChanged(trade=trade):
            return trade.id
        case AttentionChanged(attention=attention):
            return attention.id
        case TradingChanged() | BalancesChanged():
            return ""
    assert_never(entry)


def is_paper_money(entry: LedgerEntry) -> bool:
    """Whether nobody could ever tell it again: the paper venue has no other memory (DESIGN 2, classes)."""
    match entry:
        case OrderChanged(order=order):
            return order.intent.account is Account.PAPER
        case FillRecorded(fill=fill):
            return fill.account is Account.PAPER
        case BalancesChanged(balances=balances):
            return any(balance.account is Account.PAPER for balance in balances)
        case _:
            return False


def _decision(entry: DecisionMade, seq: int) -> list[tuple[Write, Row]]:
    decision = entry.decision
    row = {
        "seq": seq,
        "id": column_text(decision.id),
        "listing_id": _key(decision.listing_id),
        "account": decision.account.value,
        "symbol": column_text(decision.symbol),
        "reason": None if decision.reason is None else decision.reason.value,
        "decided_ns": int64(decision.decided_ns),
        "body": to_json(decision),
    }
    return [(Write.DECISION, row)]


def _order(entry: OrderChanged, _seq: int) -> list[tuple[Write, Row]]:
    order, intent = entry.order, entry.order.intent
    row = {
        "account": intent.account.value,
        "client_order_id": column_text(intent.client_order_id),
        "symbol": column_text(intent.symbol),
        "side": intent.side.value,
        "role": intent.role.value,
        "status": order.status.value,
        "created_ns": int64(order.created_ns),
        "settled_ns": int64_or_none(order.settled_ns),
        "body": to_json(order),
    }
    return [(Write.ORDER, row)]


def _fill(entry: FillRecorded, _seq: int) -> list[tuple[Write, Row]]:
    fill = entry.fill
    row = {
        "account": fill.account.value,
        "client_order_id": column_text(fill.client_order_id),
        "trade_id": column_text(fill.trade_id),
        "symbol": column_text(fill.symbol),
        "ts_event_ns": int64(fill.ts_event_ns),
        "ts_recv_ns": int64(fill.ts_recv_ns),
        "body": to_json(fill),
    }
    return [(Write.FILL, row)]


def _position(entry: PositionChanged, _seq: int) -> list[tuple[Write, Row]]:
    position = entry.position
    row = {
        "id": column_text(position.id),
        "account": position.account.value,
        "symbol": column_text(position.symbol),
        "base": column_text(position.base),
        "status": position.status.value,
        "opened_ns": int64(position.opened_ns),
        "closed_ns": int64_or_none(position.closed_ns),
        "body": to_json(position),
    }
    return [(Write.POSITION, row)]


def _trade(entry: TradeChanged, _seq: int) -> list[tuple[Write, Row]]:
    trade = entry.trade
    row = {
        "id": column_text(trade.id),
        "account": trade.account.value,
        "symbol": column_text(trade.symbol),
        "side": trade.side.value,
        "status": trade.status.value,
        "created_ns": int64(trade.created_ns),
        "client_order_id": _key(trade.client_order_id),
        "source_lag_ns": int64_or_none(trade.source_lag_ns),
        "tick_to_trade_ns": int64_or_none(trade.tick_to_trade_ns),
        "round_trip_ns": int64_or_none(trade.round_trip_ns),
        "ack_to_fill_ns": int64_or_none(trade.ack_to_fill_ns),
        "open_to_order_ns": int64_or_none(trade.open_to_order_ns),
        "body": to_json(trade),
    }
    return [(Write.TRADE, row)]


def _balances(entry: BalancesChanged, _seq: int) -> list[tuple[Write, Row]]:
    return [
        (
            Write.BALANCE,
            {"account": balance.account.value, "asset": column_text(balance.asset), "body": to_json(balance)},
        )
        for balance in entry.balances
    ]


def _attention(entry: AttentionChanged, _seq: int) -> list[tuple[Write, Row]]:
    attention = entry.attention
    row = {
        "id": column_text(attention.id),
        "kind": attention.kind.value,
        "raised_ns": int64(attention.raised_ns),
        "resolved_ns": int64_or_none(attention.resolved_ns),
        "body": to_json(attention),
    }
    return [(Write.ATTENTION, row)]


def _key(text: str | None) -> str | None:
    return None if text is None else column_text(text)


TRADING_ROWS: dict[type[Any], Callable[[Any, int], list[tuple[Write, Row]]]] = {
    DecisionMade: _decision,
    OrderChanged: _order,
    FillRecorded: _fill,
    PositionChanged: _position,
    TradeChanged: _trade,
    TradingChanged: lambda entry, _: [(Write.TRADING, {"id": 1, "body": to_json(entry.status)})],
    BalancesChanged: _balances,
    AttentionChanged: _attention,
}
