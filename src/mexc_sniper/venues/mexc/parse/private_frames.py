"""Frames of the private stream (REFERENCE 2.3, 2.4): orders, executions, balances. The symbol is the wrapper's."""

from dataclasses import dataclass
from decimal import Decimal

from google.protobuf.message import DecodeError

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import (
    Asset,
    MalformedNumber,
    Price,
    Quantity,
    Symbol,
    decimal_from_text,
    price_from_text,
    quantity_from_text,
)
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.venues.mexc.parse.orders import id_of
from mexc_sniper.venues.mexc.parse.text import Bad, asset_of, ns_or_none, symbol_of

ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
ACCOUNT = "spot@private.account.v3.api.pb"
PRIVATE_CHANNELS = (ORDERS, DEALS, ACCOUNT)

_STATUS = {
    1: OrderStatus.ACCEPTED,
    2: OrderStatus.FILLED,
    3: OrderStatus.PARTIALLY_FILLED,
    4: OrderStatus.CANCELED,
    5: OrderStatus.CANCELED,  # partially canceled: final, holds what was filled (REFERENCE 5, trap 16)
}
_SIDES = {1: Side.BUY, 2: Side.SELL}


@dataclass(frozen=True, slots=True)
class OrderFrame:
    """One order's state. ``status`` None: a number the reference does not know, so the venue must be asked."""

    symbol: Symbol
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    status: OrderStatus | None
    filled_quantity: Quantity | None
    filled_quote: Decimal | None
    sent_at_ns: int | None


@dataclass(frozen=True, slots=True)
class DealFrame:
    """One execution. ``fee_asset`` is empty where the venue names none, which it may only where the fee is zero."""

    symbol: Symbol
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    trade_id: str
    side: Side
    price: Price
    quantity: Quantity
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: Asset
    is_maker: bool
    happened_ns: int
    sent_at_ns: int | None


@dataclass(frozen=True, slots=True)
class BalanceFrame:
    """One asset's balance after a change."""

    balance: Balance
    sent_at_ns: int | None


PrivateFrame = OrderFrame | DealFrame | BalanceFrame


def decode_private(payload: bytes, account: Account) -> PrivateFrame | None:
    """Decode one frame; None for a channel that is not private.

    Raises:
        ProtocolError: no envelope, or a private body that cannot be read whole: something was missed then.
    """
    try:
        wrapper = PushDataV3ApiWrapper.FromString(payload)
    except DecodeError:
        raise ProtocolError(f"private frame is no protobuf envelope: {len(payload)} bytes") from None
    body = wrapper.WhichOneof("body")
    sent_at = ns_or_none(wrapper.sendTime or wrapper.createTime)
    try:
        if body == "privateOrders":
            return _order(wrapper, sent_at)
        if body == "privateDeals":
            return _deal(wrapper, sent_at)
        if body == "privateAccount":
            return _balance(wrapper, account, sent_at)
    except (Bad, MalformedNumber) as error:
        raise ProtocolError(f"frame of {wrapper.channel[:100]!r}: {error}") from None
    if body is None:
        raise ProtocolError(f"frame of {wrapper.channel[:100]!r} is empty")
    return None


def _order(wrapper: PushDataV3ApiWrapper, sent_at: int | None) -> OrderFrame:
    body = wrapper.privateOrders
    paid = decimal_from_text(body.cumulativeAmount) if body.cumulativeAmount else None
    if paid is not None and paid < 0:
        raise Bad("a negative amount")
    return OrderFrame(
        symbol=symbol_of(wrapper.symbol or body.market),
        client_order_id=ClientOrderId(body.clientId),
        venue_order_id=VenueOrderId(id_of(body.id, "order id")),
        status=_STATUS.get(body.status),
        filled_quantity=quantity_from_text(body.cumulativeQuantity) if body.cumulativeQuantity else None,
        filled_quote=paid,
        sent_at_ns=sent_at,
    )


def _deal(wrapper: PushDataV3ApiWrapper, sent_at: int | None) -> DealFrame:
    body = wrapper.privateDeals
    price, quantity = price_from_text(body.price), quantity_from_text(body.quantity)
    side = _SIDES.get(body.tradeType)
    happened = ns_or_none(body.time)
    if side is None or happened is None or quantity == 0:
        raise Bad(f"side {body.tradeType}, time {body.time}, quantity {body.quantity[:40]!r}")
    fee = decimal_from_text(body.feeAmount) if body.feeAmount else Decimal(0)
    if fee and not body.feeCurrency:
        raise Bad("a fee in an asset without a name")
    return DealFrame(
        symbol=symbol_of(wrapper.symbol),
        client_order_id=ClientOrderId(body.clientOrderId),
        venue_order_id=VenueOrderId(id_of(body.orderId, "order id")),
        trade_id=id_of(body.tradeId, "trade id"),
        side=side,
        price=price,
        quantity=quantity,
        quote_quantity=decimal_from_text(body.amount) if body.amount else price * quantity,
        fee=fee,
        fee_asset=asset_of(body.feeCurrency) if body.feeCurrency else Asset(""),
        is_maker=body.isMaker,
        happened_ns=happened,
        sent_at_ns=sent_at,
    )


def _balance(wrapper: PushDataV3ApiWrapper, account: Account, sent_at: int | None) -> BalanceFrame:
    body = wrapper.privateAccount
    free, locked = decimal_from_text(body.balanceAmount), decimal_from_text(body.frozenAmount or "0")
    if free < 0 or locked < 0:
        raise Bad("a negative balance")
    return BalanceFrame(Balance(account, asset_of(body.vcoinName), free, locked), sent_at)
