"""What all parts of the exchange share: its pairs, its posts, its clock and its planned work."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from msgspec import json

from mexc_sim.core.actors import CalmCrowd
from mexc_sim.core.market import Market
from mexc_sim.core.stamps import Stamps
from mexc_sim.core.timers import Timers
from mexc_sim.core.venue_time import VenueTime


@dataclass(slots=True)
class CalendarLine:
    """One line of the web calendar; ``opens_ms`` None is a time "to be determined"."""

    coin_id: str
    base: str
    full_name: str
    opens_ms: int | None
    zone: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Post:
    """One announcement."""

    number: int
    title: str
    posted_ms: int
    symbol: str = ""

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://www.mexc.com/announcements/article/{self.number}"


@dataclass(slots=True)
class OfflineLine:
    """One row of symbol/offline: state 2 suspended, 3 delisted (REFERENCE 1.5)."""

    symbol: str
    state: int
    offline_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How strict the exchange is; every default is the strictest reading of the reference."""

    ip_weight: int = 300
    """Weight per address and 10 s over all endpoints together (REFERENCE 1.3: 300 or 500; unresolved)."""
    requests_per_s: int = 0
    """Requests per second and address, 0 = not limited (MEXC support named 20 in 2026-01; unverified)."""
    ban_after: int = 5
    """Requests made while limited before 429 turns into 418."""
    first_ban_s: int = 120
    longest_ban_s: int = 259_200
    subscriptions_per_connection: int = 30
    no_subscription_s: float = 30.0
    idle_s: float = 60.0
    connection_life_s: float = 86_400.0
    socket_requests_per_s: int = 100
    mini_tickers: str = "all"
    """``all`` pairs in every push, or only the ``changed`` ones (REFERENCE 2.3: which is true is unknown)."""
    unknown_symbols: str = "accept"
    """What a subscription to a symbol nobody knows gets: ``accept`` (and silence) or ``reject`` (unknown, too)."""
    orders_per_s: int = 12
    """Order requests (place, batch, cancel, cancel all) in any second, together (REFERENCE 1.3)."""
    most_open_orders: int = 500
    listen_key_life_s: float = 3_600.0
    deal_push_delay_ms: float = 50.0
    """How much later than the order push a deal push comes: 51 ms in the documents' sample (REFERENCE 2.4)."""
    market_cap: float = 0.05
    """How far from the last price a market order may fill (REFERENCE 1.8)."""
    duplicate_client_ids: str = "accept"
    """What a second order with a used client id gets: ``accept`` or ``refuse`` (REFERENCE 1.7: unknown)."""
    stream_trade_ids: str = "same"
    """Whether a fill has the ``same`` id in the deal push and in myTrades, or ``other`` ones (unknown)."""
    fees: str = "quote"
    """What fees are paid in: ``quote``, ``base`` (what a buy brings; sells pay quote) or ``mx`` (REFERENCE 4.5)."""


@dataclass(slots=True)
class World:
    """The exchange's state. Only the parts in `mexc_sim.core` change it."""

    seed: int
    timers: Timers
    time: VenueTime
    rules: Rules
    random: Random
    markets: dict[str, Market] = field(default_factory=dict)
    calendar: list[CalendarLine] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    offline: list[OfflineLine] = field(default_factory=list)
    stamps: Stamps = field(default_factory=Stamps)
    fee_asset: str = ""
    """``quote``, ``base`` or ``mx``: the rule, until the account's MX deduction is switched."""
    _rows: dict[str, bytes] = field(default_factory=dict)
    _joined: bytes | None = None
    _calm: dict[str, CalmCrowd] = field(default_factory=dict)
    _watchers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fee_asset = self.fee_asset or self.rules.fees

    @property
    def now_ms(self) -> int:
        """The venue's clock, with its skew."""
        return self.time.ms(self.timers.now_ns)

    def market_changed(self, symbol: str) -> None:
        """A pair's row or visibility changed: the cached exchangeInfo is stale."""
        self._rows.pop(symbol, None)
        self._joined = None

    def row_bytes(self, market: Market) -> bytes:
        """A pair's exchangeInfo row as JSON, encoded once per change."""
        row = self._rows.get(market.symbol)
        if row is None:
            row = json.encode(market.instrument.row(spot_allowed=market.spot_allowed, status=market.status))
            self._rows[market.symbol] = row
        return row

    def all_rows_bytes(self) -> bytes:
        """All visible rows joined by commas, joined once per change."""
        if self._joined is None:
            self._joined = b",".join(self.row_bytes(m) for m in self.markets.values() if m.in_exchange_info)
        return self._joined

    def known(self, symbol: str | None) -> Market | None:
        """A pair that market data exists for: listed anywhere, or already quoting."""
        market = self.markets.get(symbol or "")
        if market is None or not (market.in_exchange_info or market.in_web_symbols or market.quoting):
            return None
        return market

    def wake(self, market: Market) -> None:
        """Give a sleeping old pair a book, because someone asked for it."""
        if market.sleeps and market.quoting and not len(market.book):
            CalmCrowd(market, self.timers, self.time).fill_once()

    def watch(self, market: Market) -> None:
        """Someone subscribed to a pair: an old one begins to move."""
        watchers = self._watchers.get(market.symbol, 0)
        self._watchers[market.symbol] = watchers + 1
        if watchers == 0 and market.sleeps and market.quoting and market.symbol not in self._calm:
            crowd = self._calm[market.symbol] = CalmCrowd(market, self.timers, self.time)
            crowd.start()

    def silence(self, market: Market) -> None:
        """A sleeping pair gets a life cycle of its own: its calm crowd leaves for good."""
        market.sleeps = False
        crowd = self._calm.pop(market.symbol, None)
        if crowd is not None:
            crowd.stop()

    def unwatch(self, symbol: str) -> None:
        """A subscription ended; with the last one the calm crowd leaves."""
        watchers = self._watchers.get(symbol, 0) - 1
        if watchers > 0:
            self._watchers[symbol] = watchers
            return
        self._watchers.pop(symbol, None)
        crowd = self._calm.pop(symbol, None)
        if crowd is not None:
            crowd.stop()


def encode(value: Any) -> bytes:
    """JSON as the venue writes it: compact, UTF-8."""
    return json.encode(value)
