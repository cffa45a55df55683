"""depth (REFERENCE 1.5): the visible book of one symbol, asked once."""

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol, price_from_text, quantity_from_text
from mexc_sniper.model.market import Book, Level, Stamp
from mexc_sniper.venues.mexc.parse.text import Code, accept, decode


class _Answer(msgspec.Struct):
    bids: list[tuple[str, str]] | None = None
    asks: list[tuple[str, str]] | None = None
    code: Code = None
    msg: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def book_of(body: bytes, symbol: Symbol, stamp: Stamp) -> Book:
    """Read a book, best levels first; a side may be empty.

    Raises:
        ProtocolError: a side is missing, malformed, or both cross.
        VenueError: the body is an error answer.
    """
    answer = decode(_answer, body, "depth")
    accept(answer.code, answer.msg)
    if answer.bids is None or answer.asks is None:
        raise ProtocolError(f"depth of {symbol!r}: a side is missing")
    try:
        bids, asks = (
            tuple(Level(price_from_text(price), quantity_from_text(quantity)) for price, quantity in side)
            for side in (answer.bids, answer.asks)
        )
    except ValueError as error:
        raise ProtocolError(f"depth of {symbol!r}: {error}") from None
    book = Book(
        symbol,
        tuple(sorted(bids, key=lambda level: -level.price)),
        tuple(sorted(asks, key=lambda level: level.price)),
        stamp,
    )
    if book.bid is not None and book.ask is not None and book.bid >= book.ask:
        raise ProtocolError(f"depth of {symbol!r}: bid {book.bid} is not below ask {book.ask}")
    return book
