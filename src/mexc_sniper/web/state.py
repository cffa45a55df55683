"""What is true now, put together from ledger and live figures: health, monitor, and the page's snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from mexc_sniper.core.clock import NS_PER_S, ClockReader, iso_from_ns
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState
from mexc_sniper.web import convert, convert_trading, risk, views
from mexc_sniper.web.notices import Notices
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.store import Store
from mexc_sniper.web.views_trading import RiskMetricsView

HEARTBEAT = "heartbeat"
SNAPSHOT_LISTINGS = 200
SNAPSHOT_CALENDAR = 500
SNAPSHOT_POSITIONS = 500
SNAPSHOT_TRADES = 100
CALENDAR_PAST_S = 3_600
"""How long an opening stays on the calendar after its time."""

Figures = Mapping[str, tuple[bytes, int]]


class _Heartbeat(msgspec.Struct):
    wall_ns: int
    ledger_trouble: str = ""


_decode_heartbeat = msgspec.json.Decoder(_Heartbeat).decode


@dataclass(frozen=True, slots=True)
class EngineLife:
    """Whether the engine lives, by the age of its heartbeat, and what keeps it from writing the ledger."""

    alive: bool
    heartbeat_ns: int | None
    ledger_trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One consistent read: the frame, and the components later events build on."""

    frame: views.SnapshotFrame
    components: dict[str, Component]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Health and monitor now, and the components they were made from."""

    frame: views.StatusFrame
    components: dict[str, Component]


class Overview:
    """Answers about the whole program."""

    def __init__(self, options: WebOptions, store: Store, clock: ClockReader, notices: Notices) -> None:
        self._notices = notices
        self._options = options
        self._store = store
        self._clock = clock

    async def engine_life(self) -> EngineLife:
        """Read whether the engine lives; an unreadable figure counts as no engine."""
        try:
            return self.life_from(await self._store.figures())
        except StoreError:
            return EngineLife(alive=False, heartbeat_ns=None)

    def life_from(self, figures: Figures) -> EngineLife:
        """Judge a heartbeat. Both clocks are taken to agree within `WebOptions.engine_stale_s`."""
        written = figures.get(HEARTBEAT)
        if written is None:
            return EngineLife(alive=False, heartbeat_ns=None)
        try:
            beat = _decode_heartbeat(written[0])
        except msgspec.MsgspecError:
            return EngineLife(alive=False, heartbeat_ns=None)
        age_ns = abs(self._clock.wall_ns() - beat.wall_ns)
        alive = age_ns <= self._options.engine_stale_s * NS_PER_S
        return EngineLife(alive=alive, heartbeat_ns=beat.wall_ns, ledger_trouble=beat.ledger_trouble if alive else "")

    async def health(self) -> views.HealthView:
        """Sum up; answers even when the ledger does not."""
        life = await self.engine_life()
        try:
            components, monitor = await self._store.read(lambda reader: (reader.components(), reader.monitor()))
        except StoreError:
            components, monitor = [self._unreadable_ledger()], None
        return self._health(life, components, monitor)

    async def status(self) -> Status:
        """Read health and monitor together."""
        life = await self.engine_life()
        state, components = await self._store.read(lambda reader: (reader.monitor(), reader.components()))
        frame = views.StatusFrame(
            health=self._health(life, components, state),
            monitor=convert.monitor_view(state, components, self._clock.wall_ns()),
        )
        return Status(frame=frame, components={part.name: part for part in components})

    async def monitor(self) -> views.MonitorView:
        """Read the monitor with its sources."""
        state, components = await self._store.read(lambda reader: (reader.monitor(), reader.components()))
        return convert.monitor_view(state, components, self._clock.wall_ns())

    async def snapshot(self) -> Snapshot:
        """Read everything a page shows in one transaction, so that its number and its rows agree."""
        try:
            figures: Figures = await self._store.figures()
        except StoreError:
            figures = {}
        return await self._store.read(lambda reader: self._read_snapshot(reader, figures))

    async def marks(self) -> dict[str, views.MarkView]:
        """Read the prices of the moment by symbol; none when they cannot be read."""
        try:
            figures: Figures = await self._store.figures()
        except StoreError:
            return {}
        return convert.mark_views(figures, self._clock.wall_ns())

    async def risk(self) -> RiskMetricsView:
        """Read what is at stake against what is allowed."""
        try:
            figures: Figures = await self._store.figures()
        except StoreError:
            figures = {}
        now_ns = self._clock.wall_ns()

        def read(reader: LedgerReader) -> risk.RiskRecords:
            with reader.snapshot() as view:
                return risk.read_records(view, now_ns)

        return risk.risk_view(await self._store.read(read), risk.trading_figure(figures, now_ns), now_ns)

    def calendar_from_ns(self) -> int:
        """The earliest opening the calendar still shows."""
        return self._clock.wall_ns() - CALENDAR_PAST_S * NS_PER_S

    def _read_snapshot(self, reader: LedgerReader, figures: Figures) -> Snapshot:
        now_ns = self._clock.wall_ns()
        with reader.snapshot() as view:
            seq = view.last_seq()
            listings, total = view.listings(limit=SNAPSHOT_LISTINGS, offset=0)
            calendar, _ = view.calendar(from_ns=self.calendar_from_ns(), limit=SNAPSHOT_CALENDAR, offset=0)
            components = view.components()
            monitor = view.monitor()
            config = view.config()
            trading = view.trading()
            positions, _ = view.positions(open_only=True, limit=SNAPSHOT_POSITIONS)
            trades, trades_total = view.trades(limit=SNAPSHOT_TRADES)
            attention = view.attention()
        marks = convert.mark_views(figures, now_ns)
        frame = views.SnapshotFrame(
            seq=seq,
            server_time=iso_from_ns(now_ns),
            health=self._health(self.life_from(figures), components, monitor),
            monitor=convert.monitor_view(monitor, components, now_ns),
            listings=[convert.listing_view(listing) for listing in listings],
            listings_total=total,
            calendar=[convert.calendar_view(line) for line in calendar],
            config=None if config is None else convert.config_view(config),
            marks=list(marks.values()),
            trading=convert_trading.trading_view(trading, now_ns),
            positions=[convert_trading.position_view(position, marks) for position in positions],
            trades=[convert_trading.trade_view(trade) for trade in trades],
            trades_total=trades_total,
            attention=[convert_trading.attention_view(item) for item in attention],
        )
        return Snapshot(frame=frame, components={part.name: part for part in components})

    def _health(self, life: EngineLife, components: list[Component], monitor: MonitorState | None) -> views.HealthView:
        if life.ledger_trouble and all(part.name != "ledger" for part in components):
            components = [*components, self._troubled_ledger(life.ledger_trouble)]
        components = [*components, *self._notices.components]
        return views.HealthView(
            status=convert.health_status(engine_alive=life.alive, components=components, monitor=monitor),
            version=self._options.version,
            environment=self._options.environment,
            mode=self._options.mode,
            engine_alive=life.alive,
            engine_heartbeat_at=convert.iso(life.heartbeat_ns),
            server_time=iso_from_ns(self._clock.wall_ns()),
            components=[convert.component_view(part) for part in components],
        )

    def _troubled_ledger(self, why: str) -> Component:
        return Component(name="ledger", status=ComponentStatus.DOWN, since_ns=self._clock.wall_ns(), detail=why)

    def _unreadable_ledger(self) -> Component:
        return Component(
            name="ledger",
            status=ComponentStatus.DOWN,
            since_ns=self._clock.wall_ns(),
            detail="The ledger cannot be read (yet). `mexc-sniper doctor` tells why.",
        )
