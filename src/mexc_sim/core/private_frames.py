"""Encoding of private pushes (REFERENCE 2.3, 2.4)."""

from decimal import Decimal

from mexc_proto import PushDataV3ApiWrapper
from mexc_sim.core.instrument import coin_id
from mexc_sim.core.numbers import text_of
from mexc_sim.core.orders import FOK, IOC, LIMIT, LIMIT_MAKER, MARKET, Fill, Order
from mexc_sim.core.wallet import Movement, plain

ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
ACCOUNT = "spot@private.account.v3.api.pb"
CHANNELS = (ORDERS, DEALS, ACCOUNT)
_TYPES = {LIMIT: 1, LIMIT_MAKER: 2, IOC: 3, FOK: 4, MARKET: 5}
_STATUSES = {"NEW": 1, "FILLED": 2, "PARTIALLY_FILLED": 3, "CANCELED": 4, "PARTIALLY_CANCELED": 5}


def order_frame(order: Order, fill: Fill | None, now_ms: int) -> bytes:
    """The state of an order after a change; ``fill`` is the execution that made it."""
    market, ticket = order.market, order.ticket
    frame = PushDataV3ApiWrapper(channel=ORDERS, symbol=market.symbol, sendTime=now_ms)
    body = frame.privateOrders
    body.id, body.clientId = order.id, ticket.client_id or ""
    body.price, body.quantity = market.price_text(order.price), market.quantity_text(order.quantity)
    body.amount = "0" if ticket.amount is None else market.turnover_text(ticket.amount)
    body.avgPrice = _average(order)
    body.orderType, body.tradeType = _TYPES[ticket.type], 1 if ticket.is_buy else 2
    body.isMaker = fill is not None and fill.is_maker
    held = ticket.amount if ticket.amount is not None else order.price * order.quantity
    body.remainAmount = market.turnover_text(max(0, held - order.spent)) if ticket.is_buy else "0"
    body.remainQuantity = market.quantity_text(order.remaining)
    if fill is not None:
        body.lastDealQuantity = market.quantity_text(fill.quantity)
    body.cumulativeQuantity = market.quantity_text(order.executed)
    body.cumulativeAmount = market.turnover_text(order.spent)
    body.status, body.createTime = _STATUSES[order.status], order.created_ms
    return bytes(frame.SerializeToString(deterministic=True))


def deal_frame(order: Order, fill: Fill, now_ms: int) -> bytes:
    """One execution."""
    market = order.market
    frame = PushDataV3ApiWrapper(channel=DEALS, symbol=market.symbol, sendTime=now_ms)
    body = frame.privateDeals
    body.price, body.quantity = market.price_text(fill.price), market.quantity_text(fill.quantity)
    body.amount = market.turnover_text(fill.amount)
    body.tradeType = 1 if order.ticket.is_buy else 2
    body.isMaker, body.isSelfTrade = fill.is_maker, fill.is_self_trade
    body.tradeId, body.clientOrderId, body.orderId = fill.stream_trade_id, order.ticket.client_id or "", order.id
    body.feeAmount, body.feeCurrency, body.time = plain(fill.fee), fill.fee_asset, fill.time_ms
    return bytes(frame.SerializeToString(deterministic=True))


def account_frame(movement: Movement, now_ms: int) -> bytes:
    """One change of a holding."""
    frame = PushDataV3ApiWrapper(channel=ACCOUNT, createTime=now_ms, sendTime=now_ms)
    body = frame.privateAccount
    body.vcoinName, body.coinId = movement.asset, coin_id(movement.asset)
    body.balanceAmount, body.balanceAmountChange = plain(movement.after.free), plain(movement.free)
    body.frozenAmount, body.frozenAmountChange = plain(movement.after.locked), plain(movement.locked)
    body.type, body.time = movement.reason, now_ms
    return bytes(frame.SerializeToString(deterministic=True))


def _average(order: Order) -> str:
    """Mean price, cut to the tick; empty before the first fill."""
    if not order.executed:
        return ""
    scale = order.market.instrument.price_scale
    return plain(Decimal(text_of(order.spent // order.executed, scale)))
