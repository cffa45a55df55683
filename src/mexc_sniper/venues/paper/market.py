"""The live market as the paper venue knows it: books, rules, fees and the bounds of belief, by symbol."""

from decimal import Decimal

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.precision import MAX_DECIMALS
from mexc_sniper.core.values import Price, Symbol
from mexc_sniper.model.events import BookSeen, ClockSynced, Event, InstrumentsRead, QuoteSeen, TradesSeen
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Level, Side, Stamp
from mexc_sniper.venues.paper.book import LiveBook
from mexc_sniper.venues.paper.matching import within
from mexc_sniper.venues.paper.options import MAX_BOOKS, PaperOptions
from mexc_sniper.venues.paper.rules import band_of, market_limit


class PaperMarket:
    """Follows what the market gateway says."""

    def __init__(self, clock: ClockReader, options: PaperOptions) -> None:
        self._clock = clock
        self._options = options
        self._books: dict[Symbol, LiveBook] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self._names: frozenset[Symbol] = frozenset()
        self._offset_ns = 0

    # ------------------------------------------------------------------ seeing

    def see(self, event: Event) -> Symbol | None:
        """Take an event in; returns the symbol whose book moved, if one did."""
        match event:
            case BookSeen(book=book):
                self.book(book.symbol).see_book(book)
                return book.symbol
            case QuoteSeen(quote=quote, stamp=stamp):
                self.book(quote.symbol).see_quote(quote, stamp)
                return quote.symbol
            case TradesSeen(symbol=symbol, trades=trades):
                self.book(symbol).see_trades(trades)
            case InstrumentsRead(changed=changed, names=names):
                self._instruments.update({row.symbol: row for row in changed})
                self._names = names
            case ClockSynced(offset_ns=offset_ns):
                self._offset_ns = offset_ns
            case _:
                pass
        return None

    def book(self, symbol: Symbol) -> LiveBook:
        """Return what is known of a symbol's book; of too many, the one first seen is forgotten."""
        book = self._books.get(symbol)
        if book is None:
            if len(self._books) >= MAX_BOOKS:
                del self._books[next(iter(self._books))]
            book = self._books[symbol] = LiveBook()
        return book

    # ------------------------------------------------------------------ asking

    @property
    def venue_ns(self) -> int:
        """The venue's wall time."""
        return self._clock.wall_ns() + self._offset_ns

    def stamp(self) -> Stamp:
        """Stamp a statement of the venue: its time and ours."""
        return Stamp(self.venue_ns, self._clock.wall_ns(), self._clock.mono_ns())

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """Return a symbol's rules; None when the venue does not list it (any more), or lists nonsense."""
        row = self._instruments.get(symbol) if symbol in self._names else None
        if row is None or max(row.price_decimals, row.quantity_decimals) > MAX_DECIMALS:
            return None
        return row

    def fees(self, symbol: Symbol) -> tuple[Decimal, Decimal]:
        """Return the taker and the maker rate, as fractions."""
        row, options = self._instruments.get(symbol), self._options
        if row is None:
            return options.taker_fee, options.maker_fee
        taker = options.taker_fee if row.taker_fee is None else row.taker_fee
        return taker, options.maker_fee if row.maker_fee is None else row.maker_fee

    def market_limit(self, symbol: Symbol, side: Side) -> Price | None:
        """Return the worst price a market order would trade at now; None without any price to go by.

        Before the first trade the best price it faces stands in for the last one.
        """
        instrument, book = self.instrument(symbol), self.book(symbol)
        facing = book.asks if side is Side.BUY else book.bids
        reference = book.last if book.last is not None or not facing else facing[0].price
        if instrument is None or reference is None:
            return None
        return market_limit(side, instrument, reference, self._options.market_cap)

    def levels(self, instrument: Instrument, side: Side) -> list[Level]:
        """Return what a resting side has for us at prices that are believable, best first."""
        book, options = self.book(instrument.symbol), self._options
        levels = book.available(side, queue_share=options.queue_share, decimals=instrument.quantity_decimals)
        if book.day_range is None:
            return levels
        return within(levels, band_of(instrument.price_band or options.range_band, *book.day_range))

    def is_fresh(self, symbol: Symbol) -> bool:
        """Tell whether a symbol's book is young enough to fill against."""
        return self.book(symbol).is_fresh(self._clock.mono_ns(), self._options.max_book_age_ns)

    def why_not_fresh(self, symbol: Symbol) -> str:
        """Say what is wrong with a book that is not fresh."""
        confirmed_ns = self.book(symbol).confirmed_mono_ns
        if confirmed_ns is None:
            return "no book was ever seen"
        return f"the book is {(self._clock.mono_ns() - confirmed_ns) / NS_PER_S:.1f} s old"
