"""What the engine hears: everything `engine.handle` accepts. Past tense, frozen; facts, never requests.

A complete answer names every symbol it held (``names``) besides the rows that changed since the source's
previous answer, so that the engine can tell absence from silence.
"""

from enum import StrEnum

import msgspec

from mexc_sniper.core.values import Symbol
from mexc_sniper.model.commands import Command
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.listing import Announcement, CalendarEntry, OfflineSymbol, WebSymbol
from mexc_sniper.model.market import Candle, MiniTicker, PublicTrade, Quote, Stamp


class SourceName(StrEnum):
    """Every source that can be polled or listened to; the suffix of its component's name."""

    EXCHANGE_INFO = "exchange_info"
    DEFAULT_SYMBOLS = "default_symbols"
    SELF_SYMBOLS = "self_symbols"
    CALENDAR = "calendar"
    WEB_SYMBOLS = "web_symbols"
    ANNOUNCEMENTS = "announcements"
    OFFLINE = "offline"
    STREAM = "stream"


class InstrumentsRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete, plausible exchangeInfo answer: rows new or changed since the last one, and all names."""

    stamp: Stamp
    changed: tuple[Instrument, ...]
    names: frozenset[Symbol]


class TradableNamesRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete defaultSymbols or selfSymbols answer."""

    stamp: Stamp
    source: SourceName
    names: frozenset[Symbol]


class CalendarRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete web calendar answer."""

    stamp: Stamp
    entries: tuple[CalendarEntry, ...]


class WebSymbolsRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete symbolsV2 answer: rows new or changed since the last one, and all (base+quote) names."""

    stamp: Stamp
    changed: tuple[WebSymbol, ...]
    names: frozenset[Symbol]


class AnnouncementsRead(msgspec.Struct, frozen=True, kw_only=True):
    """Posts not seen in the source's earlier answers that look like spot listings."""

    stamp: Stamp
    posts: tuple[Announcement, ...]


class OfflineRead(msgspec.Struct, frozen=True, kw_only=True):
    """A complete symbol/offline answer: rows new or changed since the last one."""

    stamp: Stamp
    changed: tuple[OfflineSymbol, ...]


class MiniTickersSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Names in one miniTickers frame that this connection had not shown before (?: may be the whole list)."""

    stamp: Stamp
    tickers: tuple[MiniTicker, ...]


class QuoteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A best bid/ask of a watched symbol."""

    stamp: Stamp
    quote: Quote


class TradesSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Public trades of a watched symbol, oldest first."""

    stamp: Stamp
    symbol: Symbol
    trades: tuple[PublicTrade, ...]


class CandlesRead(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an age probe: the oldest candles the venue holds, oldest first; empty: none exist.

    ``error`` is set when the probe failed for good; then nothing is proven.
    """

    stamp: Stamp
    symbol: Symbol
    candles: tuple[Candle, ...]
    error: str = ""


class ClockSynced(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's clock minus ours, and how wrong that may be (both ns)."""

    stamp: Stamp
    offset_ns: int
    uncertainty_ns: int


class SourceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A source's state changed, or its figures did (at most once a second for figures alone)."""

    stamp: Stamp
    source: SourceName
    status: ComponentStatus
    detail: str = ""
    figures: dict[str, int | float | str | None] = msgspec.field(default_factory=dict)


class CommandReceived(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's command reached the engine."""

    stamp: Stamp
    command: Command


class Ticked(msgspec.Struct, frozen=True, kw_only=True):
    """Time passed: sent once a second while the engine runs, and at instants the engine asked for."""

    stamp: Stamp


Event = (
    InstrumentsRead
    | TradableNamesRead
    | CalendarRead
    | WebSymbolsRead
    | AnnouncementsRead
    | OfflineRead
    | MiniTickersSeen
    | QuoteSeen
    | TradesSeen
    | CandlesRead
    | ClockSynced
    | SourceChanged
    | CommandReceived
    | Ticked
)
