"""Orders, trades and positions with sensible defaults: name only what the test is about."""

from decimal import Decimal
from typing import Any

import msgspec

from mexc_sniper.core.ids import ClientOrderId, IntentId, ListingId, PositionId, TradeId, VenueOrderId, client_order_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import ExitPlan, Position, TakeProfitLeg
from mexc_sniper.model.trading import Attention, AttentionKind, Decision, Guard, Trade, TradeStatus, Trigger
from tests.builders import ns

MS = 1_000_000


def price(text: str) -> Price:
    return Price(Decimal(text))


def quantity(text: str) -> Quantity:
    return Quantity(Decimal(text))


def intent_name(number: int) -> IntentId:
    return IntentId(f"{number:014x}")


def order_name(number: int = 1, attempt: int = 0, account: Account = Account.PAPER) -> ClientOrderId:
    return client_order_id(account.value, 7, intent_name(number), 0, attempt)


def a_trade(number: int = 1, *, seconds: float = 0.0, symbol: str = "ALPHAUSDT", **changed: Any) -> Trade:
    """A filled dry-run buy of 20 USDT, ``seconds`` after T0."""
    trade = Trade(
        id=TradeId(f"T{intent_name(number)}"),
        account=Account.PAPER,
        symbol=Symbol(symbol),
        side=Side.BUY,
        role=OrderRole.ENTRY,
        type=OrderType.MARKET,
        status=TradeStatus.FILLED,
        created_ns=ns(seconds),
        updated_ns=ns(seconds + 1),
        requested_quote=Decimal(20),
        quote_quantity=Decimal("19.99"),
        base_quantity=quantity("1332.6"),
        average_price=price("0.0150007"),
        config_version=1,
        attempts=1,
        evidence="book",
        client_order_id=order_name(number),
        source_lag_ns=12 * MS,
        tick_to_trade_ns=64_321,
        round_trip_ns=41 * MS,
    )
    return msgspec.structs.replace(trade, **changed)


def an_order(number: int = 1, *, attempt: int = 0, symbol: str = "ALPHAUSDT", **changed: Any) -> Order:
    """An attempt of `a_trade`'s decision: accepted, nothing filled."""
    account = changed.pop("account", Account.PAPER)
    intent = OrderIntent(
        id=intent_name(number),
        client_order_id=order_name(number, attempt, account),
        account=account,
        symbol=Symbol(symbol),
        base=Asset(symbol.removesuffix("USDT")),
        quote=Asset("USDT"),
        side=Side.BUY,
        role=OrderRole.ENTRY,
        type=OrderType.MARKET,
        quote_quantity=Decimal(20),
        worst_notional=Decimal("20.01"),
        attempt=attempt,
        config_version=1,
    )
    order = Order(
        intent=intent,
        status=OrderStatus.ACCEPTED,
        venue_order_id=VenueOrderId(f"V{number}{attempt}"),
        created_ns=ns(attempt),
        submitted_ns=ns(attempt),
    )
    return msgspec.structs.replace(order, **changed)


def a_fill(number: int = 1, *, attempt: int = 0, execution: str = "1", symbol: str = "ALPHAUSDT") -> Fill:
    return Fill(
        trade_id=execution,
        client_order_id=order_name(number, attempt),
        account=Account.PAPER,
        symbol=Symbol(symbol),
        side=Side.BUY,
        price=price("0.0000150"),
        quantity=quantity("1000"),
        quote_quantity=Decimal("0.015"),
        fee=Decimal("0.0000075"),
        fee_asset=Asset("USDT"),
        is_maker=False,
        ts_event_ns=ns(1),
        ts_recv_ns=ns(1.01),
        evidence="book",
    )


def a_position(number: int = 1, *, symbol: str = "ALPHAUSDT", **changed: Any) -> Position:
    """A dry-run holding of 100 coins for 10 USDT with a plan to get out."""
    position = Position(
        id=PositionId(f"P{number}"),
        account=Account.PAPER,
        symbol=Symbol(symbol),
        base=Asset(symbol.removesuffix("USDT")),
        quote=Asset("USDT"),
        quantity=quantity("100"),
        bought_quantity=quantity("100"),
        cost=Decimal(10),
        entry_price=price("0.1"),
        plan=ExitPlan(
            take_profit=(TakeProfitLeg(price("0.125"), quantity("40")),), stop_price=price("0.085"), trailing_bps=1000
        ),
        opened_ns=ns(number),
        config_version=1,
    )
    return msgspec.structs.replace(position, **changed)


def a_decision(number: int = 1, *, listing: str | None = None, symbol: str = "ALPHAUSDT", **changed: Any) -> Decision:
    decision = Decision(
        id=intent_name(number),
        listing_id=None if listing is None else ListingId(listing),
        symbol=Symbol(symbol),
        account=Account.PAPER,
        trigger=Trigger.MANUAL,
        decided_ns=ns(0),
        config_version=1,
        guards=(
            Guard(name=Reason.SPREAD_TOO_WIDE.value, passed=True, measured="120 bps", limit="500 bps"),
            Guard(name=Reason.SIGNAL_TOO_OLD.value, passed=None),
            Guard(name="a check of a newer engine", passed=False),
        ),
    )
    return msgspec.structs.replace(decision, **changed)


def an_attention(name: str = "in_doubt:1", **changed: Any) -> Attention:
    attention = Attention(
        id=name,
        kind=AttentionKind.IN_DOUBT,
        account=Account.LIVE,
        symbol=Symbol("ALPHAUSDT"),
        text="An order's outcome has been unknown for a minute. Look for it at MEXC.",
        raised_ns=ns(0),
    )
    return msgspec.structs.replace(attention, **changed)
