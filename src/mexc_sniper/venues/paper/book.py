"""One symbol as the paper venue sees it: the live book less what our own orders took, the last price, the day's range.

Nothing here invents liquidity. What we take stays gone until the venue shows another quantity at that level
(FIELD 4.4, row 2), and a book nobody has confirmed lately is none (row 4).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.precision import order_quantity
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.market import Book, Level, PublicTrade, Quote, Side, Stamp
from mexc_sniper.venues.paper.exact import minus, times

ZERO = Decimal(0)
_DAY_NS = 86_400 * NS_PER_S
_LATE_NS = 5 * NS_PER_S


class _Taken(NamedTuple):
    """What we took of a level, and the quantity the venue showed there when we did."""

    shown: Quantity
    taken: Decimal


class LiveBook:
    """Follows one symbol's books, quotes and trades."""

    def __init__(self) -> None:
        self.bids: list[Level] = []
        self.asks: list[Level] = []
        self.last: Price | None = None
        """Price of the newest public trade."""
        self.confirmed_mono_ns: int | None = None
        """When the venue last said what the book is; None: never."""
        self._event_ns = 0
        self._taken: dict[tuple[Side, Price], _Taken] = {}
        self._day = -1
        self._low: Price | None = None
        self._high: Price | None = None

    # ------------------------------------------------------------------ seeing

    def see_book(self, book: Book) -> None:
        """Take the visible levels as they are now."""
        if self._is_old(book.stamp):
            return
        self.bids, self.asks = list(book.bids), list(book.asks)
        self._confirm(book.stamp)

    def see_quote(self, quote: Quote, stamp: Stamp) -> None:
        """Take the best of both sides: it comes more often than the book and proves deeper levels gone or new."""
        if self._is_old(stamp):
            return
        _top(self.asks, quote.ask, quote.ask_quantity, ascending=True)
        _top(self.bids, quote.bid, quote.bid_quantity, ascending=False)
        self._confirm(stamp)

    def see_trades(self, trades: Sequence[PublicTrade]) -> None:
        """Take the last price and the day's range."""
        for trade in trades:
            day = trade.ts_event_ns // _DAY_NS
            if day > self._day:
                self._day, self._low, self._high = day, trade.price, trade.price
            if self._low is None or trade.price < self._low:
                self._low = trade.price
            if self._high is None or trade.price > self._high:
                self._high = trade.price
            self.last = trade.price

    def take(self, side: Side, price: Price, quantity: Quantity) -> None:
        """Remember that we took ``quantity`` from a level of the side we traded against (SELL: the asks)."""
        shown = self.shown_at(side, price)
        before = self._taken.get((side, price))
        self._taken[(side, price)] = _Taken(shown, quantity if before is None else before.taken + quantity)

    # ------------------------------------------------------------------ asking

    def facing(self, side: Side) -> list[Level]:
        """Return the levels of a resting side as the venue shows them: SELL the asks, BUY the bids."""
        return self.asks if side is Side.SELL else self.bids

    def available(self, side: Side, *, queue_share: Decimal, decimals: int) -> list[Level]:
        """Return what is ours to take of a resting side, best first, on the quantity grid; used-up levels are left out.

        ``queue_share`` applies to the best level the venue shows: that one is contested.
        """
        levels = []
        for index, level in enumerate(self.facing(side)):
            ours = times(level.quantity, queue_share) if index == 0 else level.quantity
            taken = self._taken.get((side, level.price))
            left = order_quantity(ours if taken is None else minus(ours, taken.taken), decimals)
            if left > 0 and level.price > 0:
                levels.append(Level(level.price, left))
        return levels

    def shown_at(self, side: Side, price: Price) -> Quantity:
        """Return the quantity the venue shows at exactly a price of a side."""
        return next((level.quantity for level in self.facing(side) if level.price == price), Quantity(ZERO))

    def is_fresh(self, mono_ns: int, max_age_ns: int) -> bool:
        """Tell whether the book is young enough to fill against."""
        return self.confirmed_mono_ns is not None and mono_ns - self.confirmed_mono_ns <= max_age_ns

    @property
    def reference(self) -> Price | None:
        """The last price, or what stands in for it before the first trade: the middle, or the only side there is."""
        if self.last is not None:
            return self.last
        bid = self.bids[0].price if self.bids else None
        ask = self.asks[0].price if self.asks else None
        if bid is not None and ask is not None:
            return Price((bid + ask) / 2)
        return ask if bid is None else bid

    @property
    def day_range(self) -> tuple[Price, Price] | None:
        """Lowest and highest price traded on the newest UTC day seen; None before the first trade."""
        return None if self._low is None or self._high is None else (self._low, self._high)

    # ------------------------------------------------------------------ inside

    def _is_old(self, stamp: Stamp) -> bool:
        """Book and quote come over different channels: the one sent first may arrive last.

        One that is older by far is believed: then it was the newest that told a wrong time.
        """
        return stamp.ts_event_ns is not None and 0 < self._event_ns - stamp.ts_event_ns < _LATE_NS

    def _confirm(self, stamp: Stamp) -> None:
        self.confirmed_mono_ns = stamp.mono_ns
        self._event_ns = stamp.ts_event_ns or self._event_ns
        if not self._taken:
            return
        for (side, price), taken in tuple(self._taken.items()):
            if self.shown_at(side, price) != taken.shown:
                del self._taken[(side, price)]


def _top(levels: list[Level], price: Price | None, quantity: Quantity | None, *, ascending: bool) -> None:
    """Give a side of the book a new best level, in place: this runs at every quote. None empties the side."""
    if price is None or quantity is None:
        levels.clear()
        return
    while levels and (levels[0].price < price if ascending else levels[0].price > price):
        del levels[0]
    if levels and levels[0].price == price:
        levels[0] = Level(price, quantity)
    else:
        levels.insert(0, Level(price, quantity))
