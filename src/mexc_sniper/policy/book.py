"""Keeping a visible book right between its own pushes."""

from mexc_sniper.core.values import Quantity
from mexc_sniper.model.market import Book, Level, Quote, Stamp


def with_top(book: Book | None, quote: Quote, stamp: Stamp) -> Book:
    """Return the book with the newer best bid and ask on top.

    Levels that the quote has made impossible (better than the best) are gone; deeper ones stay as last seen. Without a
    book the quote is one of a single level a side.
    """
    bids = book.bids if book is not None else ()
    asks = book.asks if book is not None else ()
    if quote.bid is None:
        bids = ()
    else:
        top = Level(quote.bid, quote.bid_quantity or Quantity(quote.bid * 0))
        bids = (top, *(level for level in bids if level.price < top.price))
    if quote.ask is None:
        asks = ()
    else:
        top = Level(quote.ask, quote.ask_quantity or Quantity(quote.ask * 0))
        asks = (top, *(level for level in asks if level.price > top.price))
    return Book(symbol=quote.symbol, bids=bids, asks=asks, stamp=stamp)
