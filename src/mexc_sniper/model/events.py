"""What the engine hears: everything `engine.handle` accepts. Past tense, frozen; facts, never requests.

A complete answer names every symbol it held (``names``) besides the rows that changed since the source's
previous answer, so that the engine can tell absence from silence.
"""

from enum import StrEnum

import msgspec

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.commands import Command
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.listing import Announcement, CalendarEntry, OfflineSymbol, WebSymbol
from mexc_sniper.model.market import Book, Candle, MiniTicker, PublicTrade, Quote, Stamp
from mexc_sniper.model.order import ExecutionReport, Fill, ReportSource


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


class OpeningReached(msgspec.Struct, frozen=True, kw_only=True):
    """An instant the engine asked for has come (`FireAt`); ``due_ns`` is that instant, our wall clock."""

    stamp: Stamp
    symbol: Symbol
    due_ns: int


class BookSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The visible levels of a watched symbol."""

    stamp: Stamp
    book: Book


class OrderReported(msgspec.Struct, frozen=True, kw_only=True):
    """Something was said of one of our orders: ack, refusal, progress, end, or that the answer is missing."""

    stamp: Stamp
    report: ExecutionReport


class FillsReported(msgspec.Struct, frozen=True, kw_only=True):
    """Executions of one order of ours; may repeat what was said before (`policy.executions` tells them apart)."""

    stamp: Stamp
    account: Account
    fills: tuple[Fill, ...]
    source: ReportSource


class BalancesRead(msgspec.Struct, frozen=True, kw_only=True):
    """Balances of an account. ``complete``: every asset it holds; otherwise only those that changed."""

    stamp: Stamp
    account: Account
    balances: tuple[Balance, ...]
    complete: bool


class LookUpKind(StrEnum):
    """Where an order was looked for (RELIABILITY 3.3)."""

    ORDER = "order"
    OPEN_ORDERS = "open_orders"
    ALL_ORDERS = "all_orders"


class OrderLookedUp(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one `LookUp`. ``found`` None: the venue does not know it there, which is evidence, not proof.

    ``failed`` is set when the venue could not be asked; then nothing was learned. ``asked_ns`` is our wall time when
    the question left.
    """

    stamp: Stamp
    account: Account
    client_order_id: ClientOrderId
    kind: LookUpKind
    found: ExecutionReport | None
    asked_ns: int
    failed: str = ""


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a list of the venue shows it, ours or not."""

    symbol: Symbol
    client_order_id: str
    report: ExecutionReport
    side: str
    price: Price | None
    quantity: Quantity | None
    created_ns: int


class VenueSwept(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a `Sweep`: all open orders, the recent orders of the symbols asked for with the orders that were
    asked for by themselves, and all balances.

    ``asked_ns`` is our wall time when the question was put; the parts may be read seconds apart after it.
    """

    stamp: Stamp
    account: Account
    open_orders: tuple[VenueOrder, ...]
    recent_orders: tuple[VenueOrder, ...]
    balances: tuple[Balance, ...]
    asked_ns: int
    failed: str = ""


class PrivateStreamChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The private stream of an account came or went; orders are polled while it is away."""

    stamp: Stamp
    account: Account
    connected: bool
    detail: str = ""


class GateSignaled(msgspec.Struct, frozen=True, kw_only=True):
    """A self-clearing condition began or ended: the runtime measures it, the engine counts it into the gate."""

    stamp: Stamp
    reason: Reason
    closed: bool
    detail: str = ""


class KeyChecked(msgspec.Struct, frozen=True, kw_only=True):
    """The live account's key was tried against the venue; ``problems`` empty: fit for arming.

    ``canary_passed_ns``: when a canary passed with this key at this venue; None: never. ``uid``: the account's number,
    None while the venue does not tell it. ``fingerprint`` names the key without telling it.
    ``condemned`` False: something could not be found out (the venue was not reachable, or asked us to wait), which
    proves nothing against the key.
    """

    stamp: Stamp
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    canary_passed_ns: int | None = None
    uid: str | None = None
    fingerprint: str = ""
    condemned: bool = True


class KillLatched(msgspec.Struct, frozen=True, kw_only=True):
    """The latch file was found: act on it even if no command ever arrives. ``action``: pause, cancel or flatten."""

    stamp: Stamp
    action: str
    actor: str


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
    | OpeningReached
    | BookSeen
    | OrderReported
    | FillsReported
    | BalancesRead
    | OrderLookedUp
    | VenueSwept
    | PrivateStreamChanged
    | GateSignaled
    | KeyChecked
    | KillLatched
)
