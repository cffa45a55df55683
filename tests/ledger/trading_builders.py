"""Trading's entries with sensible defaults."""

from decimal import Decimal
from typing import Any

from mexc_sniper.core.ids import ClientOrderId, IntentId, PositionId, TradeId
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order, OrderIntent, OrderRole, OrderType
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, AttentionKind, Decision, Guard, Trade, TradeStatus, Trigger
from tests.builders import T0_NS


def an_order(name: str = "o1", *, symbol: str = "ALPHAUSDT", account: Account = Account.PAPER, **changes: Any) -> Order:
    intent = OrderIntent(
        id=IntentId(f"i{name}"),
        client_order_id=ClientOrderId(name),
        account=account,
        symbol=Symbol(symbol),
        base=Asset(symbol.removesuffix("USDT")),
        quote=Asset("USDT"),
        side=Side.BUY,
        role=OrderRole.ENTRY,
        type=OrderType.MARKET,
        quote_quantity=Decimal("20.50"),
        worst_notional=Decimal("20.55"),
        config_version=3,
    )
    return Order(**{"intent": intent, "created_ns": T0_NS, **changes})


def a_fill(name: str = "o1", trade: str = "t1", **changes: Any) -> Fill:
    values: dict[str, Any] = {
        "trade_id": trade,
        "client_order_id": ClientOrderId(name),
        "account": Account.PAPER,
        "symbol": Symbol("ALPHAUSDT"),
        "side": Side.BUY,
        "price": Price(Decimal("0.000012345678")),
        "quantity": Quantity(Decimal("1000000.00000001")),
        "quote_quantity": Decimal("12.345678"),
        "fee": Decimal("0.0061"),
        "fee_asset": Asset("USDT"),
        "is_maker": False,
        "ts_event_ns": T0_NS,
        "ts_recv_ns": T0_NS,
        "evidence": "book",
    }
    return Fill(**{**values, **changes})


def a_position(name: str = "p1", *, symbol: str = "ALPHAUSDT", **changes: Any) -> Position:
    values: dict[str, Any] = {
        "id": PositionId(name),
        "account": Account.PAPER,
        "symbol": Symbol(symbol),
        "base": Asset(symbol.removesuffix("USDT")),
        "quote": Asset("USDT"),
        "opened_ns": T0_NS,
    }
    return Position(**{**values, **changes})


def a_trade(name: str = "T1", **changes: Any) -> Trade:
    values: dict[str, Any] = {
        "id": TradeId(name),
        "account": Account.PAPER,
        "symbol": Symbol("ALPHAUSDT"),
        "side": Side.BUY,
        "role": OrderRole.ENTRY,
        "type": OrderType.MARKET,
        "status": TradeStatus.FILLED,
        "created_ns": T0_NS,
        "updated_ns": T0_NS,
    }
    return Trade(**{**values, **changes})


def a_decision(listing: str | None = "L1", **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "id": IntentId("i1"),
        "listing_id": listing,
        "symbol": Symbol("ALPHAUSDT"),
        "account": Account.PAPER,
        "trigger": Trigger.FIRST_TRADE,
        "decided_ns": T0_NS,
        "config_version": 3,
        "guards": (Guard(name="spread", passed=True, measured="40", limit="500"),),
    }
    return Decision(**{**values, **changes})


def an_attention(name: str = "a1", **changes: Any) -> Attention:
    values: dict[str, Any] = {
        "id": name,
        "kind": AttentionKind.DISCREPANCY,
        "account": Account.LIVE,
        "symbol": Symbol("ALPHAUSDT"),
        "text": "The venue holds 5 ALPHA more than we know of.",
        "raised_ns": T0_NS,
    }
    return Attention(**{**values, **changes})
