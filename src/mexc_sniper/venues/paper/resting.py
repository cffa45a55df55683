"""Limit orders that wait: when others reach them, and how many stand before them in the queue (FIELD 4.4, row 6).

An order is reached by a public trade at its price or beyond, or by a book whose other side has come to it. At its own
price it waits until what stood there before it has traded; beyond its price everybody before it has been served.
"""

from collections.abc import Sequence
from decimal import Decimal

from mexc_sniper.core.precision import order_quantity
from mexc_sniper.core.values import Quantity, Symbol
from mexc_sniper.model.market import PublicTrade, Side
from mexc_sniper.venues.paper.book import LiveBook
from mexc_sniper.venues.paper.exact import minus
from mexc_sniper.venues.paper.orders import PaperOrder

ZERO = Decimal(0)


class Resting:
    """The resting orders of every symbol, in price-time priority."""

    def __init__(self) -> None:
        self._orders: dict[Symbol, list[PaperOrder]] = {}
        self.count = 0

    def add(self, order: PaperOrder) -> None:
        """Let an order wait behind those of a better or the same price."""
        waiting = self._orders.setdefault(order.intent.symbol, [])
        waiting.append(order)
        waiting.sort(key=_priority)  # stable: time decides between equals
        self.count += 1

    def remove(self, order: PaperOrder) -> None:
        """Take an order out; it must be there."""
        waiting = self._orders[order.intent.symbol]
        waiting.remove(order)
        self.count -= 1
        if not waiting:
            del self._orders[order.intent.symbol]

    def of(self, symbol: Symbol) -> tuple[PaperOrder, ...]:
        """Return the waiting orders of a symbol, best price first within a side."""
        return tuple(self._orders.get(symbol, ()))


def look_at_queue(order: PaperOrder, book: LiveBook) -> None:
    """Learn how much stands before an order at its price; it only ever becomes less.

    A price deeper than the visible levels stays unknown: nobody can say who waits there.
    """
    price, own = order.intent.price, order.intent.side
    levels = book.facing(own)
    if price is None or (levels and (levels[-1].price > price if own is Side.BUY else levels[-1].price < price)):
        return
    shown = book.shown_at(own, price)
    order.ahead = shown if order.ahead is None else min(order.ahead, shown)


def reached_by(orders: Sequence[PaperOrder], trade: PublicTrade, *, decimals: int) -> list[tuple[PaperOrder, Quantity]]:
    """Return which orders a public trade would have filled, and how much; its quantity is given out once.

    Only trades after an order began to rest count, and only those whose taker came from the other side.
    """
    pool, filled = Decimal(trade.quantity), []
    for order in orders:
        price, side = order.intent.price, order.intent.side
        if price is None or trade.side is not order.faces or trade.ts_event_ns <= order.rests_since_ns:
            continue
        if trade.price < price if side is Side.SELL else trade.price > price:
            continue
        if trade.price == price:
            if order.ahead is None:
                continue
            served = min(order.ahead, pool)
            order.ahead, pool = minus(order.ahead, served), minus(pool, served)
        part = order_quantity(min(pool, order.left), decimals)
        if part > 0:
            filled.append((order, part))
            pool = minus(pool, part)
    return filled


def _priority(order: PaperOrder) -> Decimal:
    price = order.intent.price or ZERO
    return price if order.intent.side is Side.SELL else -price
