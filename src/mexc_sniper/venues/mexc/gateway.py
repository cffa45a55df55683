"""Everything public MEXC says, behind one door (port `MarketGateway`)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from urllib.parse import urlsplit

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import Event, SourceName
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.ports import Clock, Emit, Offload, Wire
from mexc_sniper.venues.mexc.budget import REQUESTS_PER_S, WEIGHT_LIMIT, WeightBudget
from mexc_sniper.venues.mexc.http_client import HttpClient
from mexc_sniper.venues.mexc.http_reads import HttpReads
from mexc_sniper.venues.mexc.planner import Planner, PollingOptions, check_plan
from mexc_sniper.venues.mexc.report import SourceReport
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.shard import StreamOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.sources.age import AgeProbes
from mexc_sniper.venues.mexc.sources.catalogue import readers
from mexc_sniper.venues.mexc.sources.depth import BookReads
from mexc_sniper.venues.mexc.sources.polling import PolledSource
from mexc_sniper.venues.mexc.stream import MarketStream
from mexc_sniper.venues.mexc.tap import FrameTap
from mexc_sniper.venues.mexc.time_sync import TimeSync
from mexc_sniper.venues.mexc.urls import REST_URL, WEB_URL, WS_URL, Host

BOOKS_AFTER_ABSENCE = 60
"""Books asked for when the streams are back, 3 of weight each; far more than are watched at once."""


@dataclass(frozen=True)
class GatewayOptions:
    """How the market is watched. ``seed`` makes jitter repeatable in tests; None draws it."""

    polling: PollingOptions = field(default_factory=PollingOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    weight_limit: int = WEIGHT_LIMIT
    requests_per_s: int = REQUESTS_PER_S
    seed: int | None = None


class MexcMarketGateway:
    """Implements `ports.MarketGateway`. ``run`` may be called again after it was cancelled."""

    def __init__(
        self,
        *,
        clock: Clock,
        offload: Offload,
        wire: Wire,
        rest_url: str = REST_URL,
        ws_url: str = WS_URL,
        web_url: str = WEB_URL,
        options: GatewayOptions | None = None,
        credentials: Credentials | None = None,
        frame_tap: FrameTap | None = None,
        budget: WeightBudget | None = None,
        http: Callable[[], HttpReads] = HttpClient,
    ) -> None:
        """Check addresses and the polling plan; no I/O.

        ``budget`` is shared with the order gateway, for both speak from one address; None makes an own one.
        ``http`` makes what REST calls go through.
        An empty ``web_url`` switches the unofficial sources off; without ``credentials`` selfSymbols is not asked.

        Raises:
            ConfigError: an address is none, or the plan spends more than half of the venue's budget.
        """
        self._options = options or GatewayOptions()
        _check_url("rest_url", rest_url, ("http", "https"))
        _check_url("ws_url", ws_url, ("ws", "wss"))
        if web_url:
            _check_url("web_url", web_url, ("http", "https"))
        check_plan(
            self._options.polling,
            with_key=credentials is not None,
            weight_limit=self._options.weight_limit,
        )
        self._hosts = {Host.API: rest_url, **({Host.WEB: web_url} if web_url else {})}
        self._ws_url = ws_url
        self._clock = clock
        self._offload = offload
        self._wire = wire
        self._credentials = credentials
        self._tap = frame_tap
        self._http = http
        self._random = Random(self._options.seed)  # noqa: S311  # jitter, not a secret
        self._planner = Planner(self._options.polling, clock, self._random)
        self._budget = budget or WeightBudget(
            clock,
            weight_limit=self._options.weight_limit,
            requests_per_s=self._options.requests_per_s,
        )
        self._ages = AgeProbes(clock)
        self._books = BookReads(clock)
        self._sync: TimeSync | None = None
        self._watched: dict[Symbol, None] = {}
        self._stream: MarketStream | None = None
        self._sources: dict[SourceName, PolledSource] = {}

    @property
    def budget(self) -> WeightBudget:
        """The request budget of our address, to be shared by everything that speaks to the venue from it."""
        return self._budget

    @property
    def venue_offset_ns(self) -> int:
        """The venue's clock minus ours, for who signs; the last one known, 0 before the first."""
        return self._sync.offset_ns if self._sync is not None else 0

    def resync_clock(self) -> None:
        """Measure the venue's clock again at once: it refused a timestamp."""
        if self._sync is not None:
            self._sync.hurry()

    async def run(self, emit: Emit) -> None:
        """Listen and poll until cancelled. Raises (in a group) only what ``emit`` raised."""
        rest = RestClient(
            self._hosts,
            self._clock,
            self._offload,
            self._budget,
            venue_offset_ns=lambda: sync.offset_ns,
            credentials=self._credentials,
            tap=self._tap,
            http=self._http(),
        )
        sync = TimeSync(rest, self._clock, emit, interval_s=lambda: self._options.polling.time_interval_ms / 1000)
        self._sync = sync  # kept when the run ends: an old offset is better than none

        def streamed(event: Event) -> None:
            self._books.see(event)
            emit(event)

        self._stream = MarketStream(
            self._ws_url,
            self._wire,
            self._clock,
            self._random,
            self._options.stream,
            emit=streamed,
            venue_offset_ns=lambda: sync.offset_ns,
            restored=self._stream_restored,
            tap=self._tap,
        )
        for symbol in self._watched:
            self._stream.watch(symbol)
        with_web = Host.WEB in self._hosts
        for reader in readers(with_key=self._credentials is not None, with_web=with_web):
            self._sources[reader.source] = PolledSource(
                reader, rest, self._planner, self._clock, emit, lambda: sync.offset_ns
            )
        if not with_web:
            self._report_web_off(emit)
        try:
            async with rest, asyncio.TaskGroup() as tasks:
                tasks.create_task(sync.run())
                tasks.create_task(self._stream.run())
                tasks.create_task(self._ages.run(rest, emit))
                tasks.create_task(self._books.run(rest, emit))
                for source in self._sources.values():
                    tasks.create_task(source.run())
        finally:
            self._stream = None
            self._sources = {}

    def watch(self, symbol: Symbol) -> None:
        """Stream quotes and trades of a symbol from now on, and again in every later run; idempotent."""
        self._watched[symbol] = None
        if self._stream is not None:
            self._stream.watch(symbol)

    def unwatch(self, symbol: Symbol) -> None:
        """Stop streaming a symbol; idempotent."""
        self._watched.pop(symbol, None)
        if self._stream is not None:
            self._stream.unwatch(symbol)

    def probe_age(self, symbol: Symbol) -> None:
        """Ask for the oldest candles; answered by one `CandlesRead`, in the next run if none is under way."""
        self._ages.ask(symbol)

    def read_book(self, symbol: Symbol) -> None:
        """Ask for a symbol's book once; answered by one `BookSeen` unless the stream is faster or the venue fails."""
        self._books.ask(symbol)

    def expect_openings(self, opens_at_ns: Sequence[int]) -> None:
        """Tell which openings lie ahead (our wall clock, ns); polling tightens near the first."""
        before = self._planner.nearness()
        self._planner.expect(opens_at_ns)
        if self._planner.nearness() is not before:
            for source in self._sources.values():
                source.plan_changed()

    def rehearse(self) -> None:
        """Walk the way of a frame up to its event, and tell nobody."""
        if self._stream is not None:
            self._stream.rehearse()

    def hush(self, until_ns: int) -> None:
        """Begin no poll of a heavy source before this wall time (ns), but those asked for by `refresh`."""
        self._planner.hush(until_ns)

    def refresh(self, source: SourceName) -> None:
        """Poll a source as soon as the budget allows; nothing for the stream or a source that is not asked."""
        if (polled := self._sources.get(source)) is not None:
            polled.refresh()

    def _stream_restored(self) -> None:
        """After an absence: what opened meanwhile shows in the lists, and a book that moved meanwhile and rests now
        would not be told again, so look at once."""
        for source in (SourceName.DEFAULT_SYMBOLS, SourceName.EXCHANGE_INFO):
            self.refresh(source)
        for symbol in islice(self._watched, BOOKS_AFTER_ABSENCE):
            self.read_book(symbol)

    def _report_web_off(self, emit: Emit) -> None:
        for source in (SourceName.CALENDAR, SourceName.WEB_SYMBOLS):
            SourceReport(source, self._clock, emit).tell(ComponentStatus.UNAVAILABLE, "no web address is set", {})


def _check_url(name: str, url: str, schemes: tuple[str, ...]) -> None:
    setting = f"MEXC_SNIPER_VENUE__{name.upper()}"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # a name no resolver can be asked for
    except ValueError:
        fits = False
    if not fits:
        raise ConfigError(f"{setting} is {url!r}, which is no address; write it like {schemes[-1]}://host/path")
