"""A price known from elsewhere, to tell an implausible one: a slipped decimal, another coin of the same ticker.

Two sources exist: the operator's own word for a pair, and the same coin's other pair on this venue while it is
streamed. Others (other venues, pre-market pages) are not read by this program.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Price, Symbol, price_from_text
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Book

FRESH_NS = 60 * NS_PER_S
"""A book older than this says nothing about now."""
_DOLLARS = frozenset({"USDT", "USDC", "USD1", "USDE", "FDUSD", "TUSD", "DAI", "USDD", "PYUSD", "RLUSD"})
"""Taken as one dollar each: what one of them strays from it is nothing beside the ratio that is asked for."""


class KnownReference(msgspec.Struct, frozen=True):
    """A price in the pair's own quote currency, and where it comes from, in words."""

    price: Price
    source: str


def known_reference(
    config: TradeConfig,
    instrument: Instrument,
    books: Mapping[Symbol, Book],
    instruments: Mapping[Symbol, Instrument],
    *,
    now_ns: int,
) -> KnownReference | None:
    """Return what a pair's price is compared with; None: nothing is known.

    Args:
        config: the operator's prices, which go before all else.
        instrument: the pair to be entered.
        books: of the pairs that are streamed; a handful.
        instruments: rules, for base and quote of those pairs.
        now_ns: our wall time.
    """
    told = operators_price(config, instrument.symbol)
    if told is not None:
        return KnownReference(told, "the operator's reference price")
    for symbol, book in books.items():
        other = instruments.get(symbol)
        if other is None or other.base != instrument.base or symbol == instrument.symbol:
            continue
        price = _middle(book, now_ns)
        rate = _rate(other.quote, instrument.quote, books, now_ns)
        if price is not None and rate is not None:
            return KnownReference(Price(price * rate), f"the price of {symbol}")
    return None


def operators_price(config: TradeConfig, symbol: Symbol) -> Price | None:
    """Return what the operator wrote for a pair (``PAIR=PRICE``)."""
    for line in config.reference_prices:
        name, _, price = line.partition("=")
        if name == symbol:
            return price_from_text(price)
    return None


def _middle(book: Book | None, now_ns: int) -> Decimal | None:
    if book is None or book.bid is None or book.ask is None or now_ns - book.stamp.ts_recv_ns > FRESH_NS:
        return None
    return (book.bid + book.ask) / 2


def _rate(given: Asset, wanted: Asset, books: Mapping[Symbol, Book], now_ns: int) -> Decimal | None:
    """Return how much of one quote currency another is worth, where that is known now."""
    if given == wanted or (given in _DOLLARS and wanted in _DOLLARS):
        return Decimal(1)
    straight = _middle(books.get(Symbol(f"{given}{wanted}")), now_ns)
    if straight is not None:
        return straight
    inverse = _middle(books.get(Symbol(f"{wanted}{given}")), now_ns)
    return None if inverse is None else 1 / inverse
