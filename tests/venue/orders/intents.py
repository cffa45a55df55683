"""Intents and orders for the tests of order entry."""

from decimal import Decimal
from itertools import count

from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Order, OrderIntent, OrderRole, OrderStatus, OrderType

_numbers = count(1)


def an_intent(**changes) -> OrderIntent:
    number = next(_numbers)
    fields = {
        "id": f"{number:014x}",
        "client_order_id": f"msl0001{number:014x}00",
        "account": Account.LIVE,
        "symbol": "NEWUSDT",
        "base": "NEW",
        "quote": "USDT",
        "side": Side.BUY,
        "role": OrderRole.ENTRY,
        "type": OrderType.MARKET,
        "quote_quantity": Decimal("20"),
    }
    return OrderIntent(**(fields | changes))


def approved(**changes) -> Approved:
    return Approved(intent=an_intent(**changes), generation=1)


def an_order(intent: OrderIntent | None = None, **changes) -> Order:
    fields = {"intent": intent or an_intent(), "status": OrderStatus.IN_DOUBT, "created_ns": 1_795_000_000_000_000_000}
    return Order(**(fields | changes))
