"""Orders and executions as REST tells them (REFERENCE 1.7). Strings or numbers, as the venue likes."""

from decimal import Decimal
from typing import TypeVar

import msgspec

from mexc_sniper.core.clock import ns_from_ms
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import Asset, MalformedNumber, Price, Quantity, Symbol, decimal_from_text
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import VenueOrder
from mexc_sniper.model.market import Side, Stamp
from mexc_sniper.model.order import ExecutionReport, Fill, OrderStatus, ReportSource
from mexc_sniper.venues.mexc.parse.text import Bad, Code, Number, accept, asset_of, decode, free_text, ns_or_none

T = TypeVar("T")

STATUS = {
    "NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "PARTIALLY_CANCELED": OrderStatus.CANCELED,  # final, and holds what was filled
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
"""The last two stand in clients' tables only; anything else is not guessed at."""
MAX_ID = 80


class _Order(msgspec.Struct, rename="camel"):
    symbol: str | None = None
    order_id: str | int | None = None
    client_order_id: str | None = None
    orig_client_order_id: str | None = None
    price: Number = None
    orig_qty: Number = None
    qty: Number = msgspec.field(default=None, name="Qty")  # so the documents print it
    executed_qty: Number = None
    cummulative_quote_qty: Number = None  # the venue's spelling
    status: str | None = None
    side: str | None = None
    time: Number = None
    update_time: Number = None
    code: Code = None
    msg: str | None = None


class _Trade(msgspec.Struct, rename="camel"):
    id: str | int
    order_id: str | int
    symbol: str
    price: Number
    qty: Number
    quote_qty: Number = None
    commission: Number = None
    commission_asset: str | None = None
    time: Number = None
    is_buyer: bool | None = None
    is_maker: bool | None = None
    client_order_id: str | None = None


class _Error(msgspec.Struct):
    code: Code = None
    msg: str | None = None


_order = msgspec.json.Decoder(_Order)
_orders = msgspec.json.Decoder(list[msgspec.Raw])
_trades = msgspec.json.Decoder(list[_Trade])
_error = msgspec.json.Decoder(_Error)


def one_order(body: bytes, account: Account, *, wall_ns: int, mono_ns: int) -> VenueOrder:
    """Read the answer to GET or DELETE order.

    Raises:
        ProtocolError: not the promised shape, or a status the reference does not know.
        VenueError: the body is an error answer.
    """
    read = decode(_order, body, "order")
    if read.order_id is None:
        accept(read.code, read.msg)
    return _venue_order(read, account, wall_ns, mono_ns)


def order_list(body: bytes, account: Account, *, wall_ns: int, mono_ns: int) -> tuple[VenueOrder, ...]:
    """Read openOrders or allOrders; one unreadable row makes the whole list unreadable, for absence is evidence.

    Raises:
        ProtocolError: not the promised shape.
        VenueError: the body is an error answer.
    """
    rows = _list(_orders, body, "order list")
    return tuple(_venue_order(decode(_order, row, "order list"), account, wall_ns, mono_ns) for row in rows)


def executions(
    body: bytes, account: Account, client_order_id: ClientOrderId, *, wall_ns: int
) -> tuple[tuple[Fill, str, int], ...]:
    """Read myTrades; each execution with its order's id at the venue and its time (ms).

    The rows name no client id in practice (REFERENCE 1.7): they are taken for those of ``client_order_id``.

    Raises:
        ProtocolError: not the promised shape.
        VenueError: the body is an error answer.
    """
    try:
        return tuple(_execution(row, account, client_order_id, wall_ns) for row in _list(_trades, body, "executions"))
    except (Bad, MalformedNumber) as error:
        raise ProtocolError(f"executions: {error}") from None


def decimal_of(value: Number) -> Decimal | None:
    """A number that may be quoted, None where it is absent or empty.

    Raises:
        MalformedNumber: no plain number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise MalformedNumber("true or false is no number")
    if isinstance(value, float):  # JSON numbers of a few digits; the shortest text that means the same
        return decimal_from_text(format(Decimal(repr(value)), "f"))
    return decimal_from_text(str(value))


def id_of(value: str | int | None, what: str) -> str:
    """An id of the venue: opaque printable text.

    Raises:
        Bad: absent, too long or unprintable.
    """
    text = "" if value is None else str(value)
    if not text or len(text) > MAX_ID or not text.isprintable():
        raise Bad(f"{what} {text[:40]!r}")
    return text


def _list(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    if body.lstrip()[:1] == b"{":
        error = decode(_error, body, what)
        accept(error.code, error.msg)
        raise ProtocolError(f"{what}: an object instead of a list")
    return decode(decoder, body, what)


def _venue_order(read: _Order, account: Account, wall_ns: int, mono_ns: int) -> VenueOrder:
    try:
        if read.status not in STATUS:
            raise Bad(f"status {str(read.status)[:40]!r}")
        if not read.symbol:
            raise Bad("no symbol")
        # A cancel names the order in origClientOrderId and itself in clientOrderId.
        client_id = read.orig_client_order_id or read.client_order_id or ""
        price, quantity = decimal_of(read.price), decimal_of(read.orig_qty if read.orig_qty is not None else read.qty)
        filled, paid = decimal_of(read.executed_qty), decimal_of(read.cummulative_quote_qty)
        if any(value is not None and value < 0 for value in (price, quantity, filled, paid)):
            raise Bad("a negative amount")
        created = ns_or_none(read.time)
        return VenueOrder(
            symbol=Symbol(read.symbol),
            client_order_id=client_id,
            report=ExecutionReport(
                stamp=Stamp(ns_or_none(read.update_time) or created, wall_ns, mono_ns),
                account=account,
                client_order_id=ClientOrderId(client_id),
                status=STATUS[read.status],
                source=ReportSource.QUERY,
                venue_order_id=VenueOrderId(id_of(read.order_id, "order id")),
                filled_quantity=None if filled is None else Quantity(filled),
                filled_quote=paid,
            ),
            side=(read.side or "").lower(),
            price=Price(price) if price else None,
            quantity=Quantity(quantity) if quantity is not None else None,
            created_ns=created or 0,
        )
    except (Bad, MalformedNumber) as error:
        raise ProtocolError(f"order {free_text(str(read.order_id))[:MAX_ID]!r}: {error}") from None


def _execution(row: _Trade, account: Account, client_order_id: ClientOrderId, wall_ns: int) -> tuple[Fill, str, int]:
    price, quantity = decimal_of(row.price), decimal_of(row.qty)
    if price is None or quantity is None or price <= 0 or quantity <= 0:
        raise Bad(f"price {row.price!r}, quantity {row.qty!r}")
    if row.is_buyer is None:
        raise Bad("no side")
    happened = ns_or_none(row.time)
    if happened is None:
        raise Bad(f"time {row.time!r}")
    fee = decimal_of(row.commission) or Decimal(0)
    paid = decimal_of(row.quote_qty)
    fill = Fill(
        trade_id=id_of(row.id, "trade id"),
        client_order_id=client_order_id,
        account=account,
        symbol=Symbol(row.symbol),
        side=Side.BUY if row.is_buyer else Side.SELL,
        price=Price(price),
        quantity=Quantity(quantity),
        quote_quantity=price * quantity if paid is None else paid,
        fee=fee,
        fee_asset=asset_of(row.commission_asset) if row.commission_asset else _no_asset(fee),
        is_maker=bool(row.is_maker),
        ts_event_ns=happened,
        ts_recv_ns=wall_ns,
    )
    return fill, id_of(row.order_id, "order id"), happened // ns_from_ms(1)


def _no_asset(fee: Decimal) -> Asset:
    if fee:
        raise Bad("a fee in an asset without a name")
    return Asset("")
