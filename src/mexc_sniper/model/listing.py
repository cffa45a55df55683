"""Signals, and the listing the program believes in because of them (DESIGN 4, 4.1)."""

from enum import StrEnum

import msgspec

from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Symbol
from mexc_sniper.model.market import Stamp


class Source(StrEnum):
    """Which channel spoke; the exact kind of signal is `SignalKind`."""

    MEXC_WEBSOCKET = "mexc_websocket"
    MEXC_REST_API = "mexc_rest_api"
    TEST_INJECTION = "test_injection"


class SignalKind(StrEnum):
    """What exactly a source said."""

    CALENDAR = "calendar"
    ANNOUNCEMENT = "announcement"
    WEB_SYMBOL = "web_symbol"
    EXCHANGE_INFO_ROW = "exchange_info_row"
    API_OPENED = "api_opened"
    """isSpotTradingAllowed became true, or the name appeared in defaultSymbols with the flag already true."""
    DEFAULT_SYMBOLS = "default_symbols"
    SELF_SYMBOLS = "self_symbols"
    MINI_TICKERS = "mini_tickers"
    FIRST_QUOTE = "first_quote"
    FIRST_TRADE = "first_trade"
    CANDLES = "candles"
    OFFLINE = "offline"
    TEST_INJECTION = "test_injection"

    @property
    def source(self) -> Source:
        """The channel this kind arrives on."""
        if self in (SignalKind.MINI_TICKERS, SignalKind.FIRST_QUOTE, SignalKind.FIRST_TRADE):
            return Source.MEXC_WEBSOCKET
        if self is SignalKind.TEST_INJECTION:
            return Source.TEST_INJECTION
        return Source.MEXC_REST_API

    @property
    def official(self) -> bool:
        """Whether the venue documents it; the web calendar and symbolsV2 are unofficial (REFERENCE 3.1)."""
        return self not in (SignalKind.CALENDAR, SignalKind.WEB_SYMBOL)


class Phase(StrEnum):
    """The venue's side of a listing's life; moves forward, or to WITHDRAWN."""

    SIGNALED = "signaled"
    SCHEDULED = "scheduled"
    PRE_OPEN = "pre_open"
    OPEN = "open"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """Our side of a listing's life; leaves PENDING once, with exactly one reason."""

    PENDING = "pending"
    ENTERED = "entered"
    SKIPPED = "skipped"
    MISSED = "missed"
    FAILED = "failed"


class ListingKind(StrEnum):
    """What the listing turned out to be. Only NEW counts as a new listing."""

    UNPROVEN = "unproven"
    NEW = "new"
    RELIST = "relist"
    RETURNED = "returned"
    SECOND_QUOTE = "second_quote"
    RENAMED = "renamed"
    LOOK_ALIKE = "look_alike"
    INJECTED = "injected"


class ListedAtBasis(StrEnum):
    """Where ``listed_at`` comes from; the later in this list, the better."""

    FIRST_SEEN = "first_seen"
    ANNOUNCED = "announced"
    INJECTION = "injection"
    FIRST_OPEN_TIME = "first_open_time"
    FIRST_TRADE = "first_trade"


class ListingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One source's word that a symbol is coming or here.

    ``evidence`` is a short plain text of what the source said, for the timeline. ``lag_ns`` is source lag (venue
    time → frame, venue clock); None where the message carries no venue time.
    """

    symbol: Symbol
    kind: SignalKind
    stamp: Stamp
    evidence: str = ""
    lag_ns: int | None = None


class ScheduleChange(msgspec.Struct, frozen=True):
    """One announced opening time; ``opens_at_ns`` None means "to be determined"."""

    noted_at_ns: int
    opens_at_ns: int | None


class SourceTime(msgspec.Struct, frozen=True):
    """When one kind of signal first spoke about a listing."""

    kind: SignalKind
    ts_recv_ns: int
    ts_event_ns: int | None
    lag_ns: int | None


class TimedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's wish to enter at the announced time itself, without a price having been seen (DESIGN 4.1).

    ``cap`` is the most to pay for one coin, in quote asset; ``offset_ms`` is added to the announced time.
    """

    cap: Price
    offset_ms: int = 0
    actor: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One opening episode of a symbol. Unique by (symbol, listed_at_ns); times are UNIX nanoseconds."""

    id: ListingId
    symbol: Symbol
    base: Asset
    quote: Asset
    full_name: str = ""
    kind: ListingKind
    phase: Phase
    outcome: Outcome
    reason: Reason | None = None
    source: Source
    """Which channel spoke first."""
    first_signal: SignalKind
    listed_at_ns: int
    listed_at_basis: ListedAtBasis
    listed_at_frozen: bool = False
    detected_at_ns: int
    """Our wall time of the first signal."""
    scheduled_for_ns: int | None = None
    schedule: tuple[ScheduleChange, ...] = ()
    row_seen_at_ns: int | None = None
    api_opened_at_ns: int | None = None
    first_quote_at_ns: int | None = None
    first_trade_at_ns: int | None = None
    opened_at_ns: int | None = None
    """Our wall time when the phase became OPEN."""
    closed_at_ns: int | None = None
    """Our wall time when the phase became WITHDRAWN."""
    detection_lag_ns: int | None = None
    """Opening (venue clock) → our first signal that it is open; None until open, negative never."""
    late: bool = False
    """It opened while nobody watched."""
    look_alike_of: Symbol | None = None
    related_to: Symbol | None = None
    """The known symbol that makes it a second quote, a rename or a relist."""
    coin_id: str = ""
    contract_address: str = ""
    sources: tuple[SourceTime, ...] = ()
    """First word of every kind of signal, in order of arrival."""
    duplicate_signals: int = 0
    newness_proof: str = ""
    """What proved or disproved that the coin is new, in one plain sentence."""
    prepared_ns: int | None = None
    """Our wall time since which its entry lies ready; None: not prepared."""
    timed_entry: TimedEntry | None = None


class KnownSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the persisted baseline: a symbol that is no news any more.

    ``absent_since_ns`` is set after several complete answers without it; only then can it "return".
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    first_seen_ns: int
    contract_address: str = ""
    coin_id: str = ""
    first_open_time_ns: int | None = None
    api_trading: bool = False
    in_exchange_info: bool = False
    in_default_symbols: bool = False
    absent_since_ns: int | None = None
    episodes: int = 0
    """How many listings this symbol had so far."""


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the venue's web calendar (REFERENCE 3.3); ``opens_at_ns`` None means "to be determined"."""

    coin_id: str
    asset: Asset
    full_name: str = ""
    opens_at_ns: int | None = None
    zone: str = ""


class WebSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """One row of symbolsV2 (REFERENCE 3.3). The codes are kept as they come; their meaning is not verified."""

    symbol_id: str
    coin_id: str
    base: Asset
    quote: Asset
    full_name: str = ""
    contract_address: str = ""
    opens_at_ns: int | None = None
    status_codes: str = ""
    """``sts/st/tt`` as text, for the record."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One post of the venue; ``assets`` are the tickers named in its title."""

    title: str
    url: str
    posted_at_ns: int | None
    assets: tuple[Asset, ...] = ()


class OfflineSymbol(msgspec.Struct, frozen=True):
    """One row of symbol/offline (REFERENCE 1.5): state 2 suspended, 3 delisted."""

    symbol: Symbol
    state: int
    offline_time_ns: int | None = None
