"""Private orders and fills as the exchange keeps them. Prices in ticks, quantities in steps, amounts ticks x steps."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mexc_sim.core.book import RestingOrder
from mexc_sim.core.market import Market
from mexc_sim.core.numbers import text_of
from mexc_sim.core.wallet import ZERO, plain

LIMIT = "LIMIT"
LIMIT_MAKER = "LIMIT_MAKER"
IOC = "IMMEDIATE_OR_CANCEL"
FOK = "FILL_OR_KILL"
MARKET = "MARKET"
TYPES = (LIMIT, LIMIT_MAKER, IOC, FOK, MARKET)
NEW, PARTIALLY_FILLED, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
CANCELED, PARTIALLY_CANCELED = "CANCELED", "PARTIALLY_CANCELED"
FINAL = (FILLED, CANCELED, PARTIALLY_CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A checked order request."""

    market: Market
    is_buy: bool
    type: str
    price: int | None = None
    """Limit in ticks; None for MARKET."""
    quantity: int | None = None
    amount: int | None = None
    """Quote amount to spend, for a MARKET buy."""
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of a private order."""

    trade_id: str
    stream_trade_id: str
    ns: int
    time_ms: int
    price: int
    quantity: int
    is_maker: bool
    is_self_trade: bool
    fee: Decimal
    fee_asset: str

    @property
    def amount(self) -> int:
        """Quote amount in ticks x steps."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Moment:
    """What an order looked like from an instant on."""

    ns: int
    time_ms: int
    status: str
    executed: int
    spent: int
    fills: int


@dataclass(slots=True, kw_only=True)
class Order:
    """One accepted order."""

    number: int
    id: str
    ticket: Ticket
    price: int
    """Limit, or the protection cap of a MARKET order (REFERENCE 1.8)."""
    quantity: int
    """Steps asked for; for a MARKET buy by amount what the cap would buy, and what it bought once it is over."""
    created_ns: int
    created_ms: int
    arrived_ns: int
    by_hand: bool = False
    status: str = NEW
    executed: int = 0
    spent: int = 0
    resting: RestingOrder | None = None
    lock_asset: str = ""
    locked: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    visible_ns: int = 0
    """REST reads deny the order before this instant (RELIABILITY 2.3, row 37)."""

    @property
    def market(self) -> Market:
        return self.ticket.market

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def remaining(self) -> int:
        return max(0, self.quantity - self.executed)

    def note(self, ns: int, time_ms: int) -> None:
        """Keep the present state for stale reads."""
        self.moments.append(Moment(ns, time_ms, self.status, self.executed, self.spent, len(self.fills)))

    def seen_at(self, ns: int) -> Moment | None:
        """The order as a read of that age shows it; None before it existed."""
        return next((moment for moment in reversed(self.moments) if moment.ns <= ns), None)

    def amount_text(self) -> str:
        """`origQuoteOrderQty`: for MARKET what was asked, or quantity x cap; nothing otherwise."""
        if self.ticket.amount is not None:
            return self.market.turnover_text(self.ticket.amount)
        return self.market.turnover_text(self.price * self.quantity) if self.ticket.type == MARKET else "0"

    def row(self, moment: Moment) -> dict[str, Any]:
        """As GET order and the lists show it, with the keys of the recorded answer (REFERENCE 1.7)."""
        market = self.market
        quantity = self.quantity
        if self.ticket.amount is not None and moment.status in FINAL:
            quantity = moment.executed
        return {
            "symbol": market.symbol,
            "orderId": self.id,
            "orderListId": -1,
            "clientOrderId": self.ticket.client_id,
            "price": market.price_text(self.price),
            "origQty": market.quantity_text(quantity),
            "executedQty": market.quantity_text(moment.executed),
            "cummulativeQuoteQty": market.turnover_text(moment.spent),
            "status": moment.status,
            "timeInForce": None,
            "type": self.ticket.type,
            "side": "BUY" if self.ticket.is_buy else "SELL",
            "stopPrice": None,
            "icebergQty": None,
            "time": self.created_ms,
            "updateTime": moment.time_ms,
            "isWorking": True,
            "stpMode": "",
            "cancelReason": None,
            "origQuoteOrderQty": self.amount_text(),
        }

    def trade_row(self, fill: Fill) -> dict[str, Any]:
        """One fill as myTrades shows it."""
        market = self.market
        return {
            "symbol": market.symbol,
            "id": fill.trade_id,
            "orderId": self.id,
            "orderListId": -1,
            "price": market.price_text(fill.price),
            "qty": market.quantity_text(fill.quantity),
            "quoteQty": market.turnover_text(fill.amount),
            "commission": plain(fill.fee),
            "commissionAsset": fill.fee_asset,
            "time": fill.time_ms,
            "isBuyer": self.ticket.is_buy,
            "isMaker": fill.is_maker,
            "isBestMatch": True,
            "isSelfTrade": fill.is_self_trade,
            "clientOrderId": None,
        }

    def view(self) -> dict[str, Any]:
        """The whole truth, for the control API."""
        market = self.market
        return {
            "orderId": self.id,
            "clientOrderId": self.ticket.client_id,
            "symbol": market.symbol,
            "side": "BUY" if self.ticket.is_buy else "SELL",
            "type": self.ticket.type,
            "price": market.price_text(self.price),
            "quantity": market.quantity_text(self.quantity),
            "quoteOrderQty": None if self.ticket.amount is None else market.turnover_text(self.ticket.amount),
            "byHand": self.by_hand,
            "arrivedWallNs": self.arrived_ns,
            "acceptedNs": self.created_ns,
            "visibleFromNs": self.visible_ns,
            "status": self.status,
            "executedQty": market.quantity_text(self.executed),
            "cummulativeQuoteQty": market.turnover_text(self.spent),
            "updatedNs": self.moments[-1].ns if self.moments else self.created_ns,
            "fills": [
                {
                    "tradeId": fill.trade_id,
                    "ns": fill.ns,
                    "price": market.price_text(fill.price),
                    "quantity": market.quantity_text(fill.quantity),
                    "quoteQty": market.turnover_text(fill.amount),
                    "fee": plain(fill.fee),
                    "feeAsset": fill.fee_asset,
                    "maker": fill.is_maker,
                }
                for fill in self.fills
            ],
        }


def as_quantity(market: Market, steps: int) -> Decimal:
    """Steps as a decimal of the base asset."""
    return Decimal(text_of(steps, market.instrument.quantity_scale))


def as_amount(market: Market, units: int) -> Decimal:
    """Ticks x steps as a decimal of the quote asset."""
    return Decimal(market.turnover_text(units))
