"""Everything the engine knows. One object, one writer."""

from dataclasses import dataclass, field

from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.baseline import Baseline
from mexc_sniper.engine.trading_state import Trading
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.events import SourceName
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.listing import CalendarEntry, KnownSymbol, Listing, ScheduleChange
from mexc_sniper.model.market import Candle


@dataclass(slots=True)
class Evidence:
    """What the engine keeps about an active listing besides the listing itself."""

    unseen_until_ns: int
    """The last instant at which a complete answer did not have the symbol (our wall clock)."""
    before: KnownSymbol | None = None
    """Its line in the baseline from before this episode."""
    seen_after_gap: bool = False
    """First seen in the first answer after a start or an outage: it may have opened while nobody watched."""
    candles: tuple[Candle, ...] | None = None
    probing: bool = False
    """An age probe is on its way."""
    probe_failed: bool = False
    watched: bool = False


@dataclass(slots=True)
class CalendarLine:
    """One entry of the venue's calendar and the history of its time."""

    entry: CalendarEntry
    first_seen_ns: int
    schedule: tuple[ScheduleChange, ...] = ()
    withdrawn: bool = False
    missing_answers: int = 0
    missing_since_ns: int | None = None
    symbol: Symbol | None = None
    """The listing it belongs to, by symbol."""


@dataclass(slots=True)
class Absence:
    """Consecutive complete answers that lacked a known symbol."""

    answers: int
    since_ns: int


@dataclass(slots=True)
class EngineState:
    """The engine's whole memory; rebuilt from the ledger at start."""

    baseline: Baseline = field(default_factory=Baseline)
    active: dict[Symbol, Listing] = field(default_factory=dict)
    """Listings still pending or still watched; one per symbol."""
    evidence: dict[Symbol, Evidence] = field(default_factory=dict)
    calendar: dict[str, CalendarLine] = field(default_factory=dict)
    instruments: dict[Symbol, Instrument] = field(default_factory=dict)
    absent: dict[Symbol, Absence] = field(default_factory=dict)
    listed_names: frozenset[Symbol] = frozenset()
    default_names: frozenset[Symbol] = frozenset()
    self_names: frozenset[Symbol] = frozenset()
    learned: dict[SourceName, int] = field(default_factory=dict)
    """Sources whose first answer was learned silently, and when."""
    answered_ns: dict[SourceName, int] = field(default_factory=dict)
    """When each source last gave a complete answer in this life."""
    last_life_ns: int | None = None
    """When the life before this one last heard the venue; None: there was none."""
    components: dict[str, Component] = field(default_factory=dict)
    figures_saved_ns: dict[str, int] = field(default_factory=dict)
    monitor: MonitorState = field(default_factory=lambda: MonitorState(wanted=False, status=MonitorStatus.STOPPED))
    monitor_saved_ns: int = 0
    listening: bool = False
    """The gateway listens: because the monitor runs, or because a position still needs its prices."""
    config: ConfigVersion = field(
        default_factory=lambda: ConfigVersion(version=0, created_ns=0, actor="", config=TradeConfig())
    )
    finished: dict[str, CommandResult | None] = field(default_factory=dict)
    clock_offset_ns: int = 0
    trading: Trading = field(default_factory=Trading)
    now_ns: int = 0
    """Our wall time of the event being handled."""
    openings: tuple[int, ...] = ()
    """Openings last told to the gateway."""

    @property
    def running(self) -> bool:
        """Whether the monitor is listening."""
        return self.monitor.status is not MonitorStatus.STOPPED

    def source_status(self, source: SourceName) -> ComponentStatus | None:
        """Return a source's status, or None before it first reported."""
        component = self.components.get(f"source.{source}")
        return component.status if component else None
