"""Market data as the rest of the program reads it. Times are UNIX nanoseconds, UTC."""

from enum import StrEnum

import msgspec

from mexc_sniper.core.values import Price, Quantity, Symbol


class Stamp(msgspec.Struct, frozen=True):
    """When something happened and when we learned of it.

    Attributes:
        ts_event_ns: the venue's own time of the event, in its clock; None where the message names none.
        ts_recv_ns: our wall time when the bytes arrived.
        mono_ns: our monotonic time when the bytes arrived.
    """

    ts_event_ns: int | None
    ts_recv_ns: int
    mono_ns: int


class Side(StrEnum):
    """The taker's side of a public trade."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = "unknown"


class Quote(msgspec.Struct, frozen=True):
    """Best bid and ask; a missing side is None, never zero (one-sided books are normal at an opening)."""

    symbol: Symbol
    bid: Price | None
    bid_quantity: Quantity | None
    ask: Price | None
    ask_quantity: Quantity | None


class PublicTrade(msgspec.Struct, frozen=True):
    """Someone else's execution."""

    price: Price
    quantity: Quantity
    side: Side
    ts_event_ns: int


class MiniTicker(msgspec.Struct, frozen=True):
    """One line of the all-symbols ticker: the last price only, the rest is derived elsewhere."""

    symbol: Symbol
    price: Price | None


class Candle(msgspec.Struct, frozen=True):
    """One candle; only what the age of a coin needs. ``interval_s`` is its width (86400: a day's candle)."""

    open_time_ns: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity
    interval_s: int = 60


class Bar(msgspec.Struct, frozen=True):
    """What a symbol's public trades did in one second or minute, as far as we saw them (DESIGN 6, ``bars``)."""

    symbol: Symbol
    interval_s: int
    open_ns: int
    """Where the interval begins, the venue's clock."""
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity
    """Base asset."""
    trades: int


class Level(msgspec.Struct, frozen=True):
    """One price level of a book."""

    price: Price
    quantity: Quantity


class Book(msgspec.Struct, frozen=True):
    """The visible levels of a symbol: bids best first (highest), asks best first (lowest). A side may be empty."""

    symbol: Symbol
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    stamp: Stamp

    @property
    def bid(self) -> Price | None:
        return self.bids[0].price if self.bids else None

    @property
    def ask(self) -> Price | None:
        return self.asks[0].price if self.asks else None
