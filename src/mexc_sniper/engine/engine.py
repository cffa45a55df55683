"""The engine: one synchronous function over one state.

``handle(event) -> effects`` is all there is to it: nothing is awaited inside, nothing is read but the state and the
event, so the same function runs live, in replay and in simulation.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset
from mexc_sniper.engine.baseline import Baseline
from mexc_sniper.engine.detection import Detection
from mexc_sniper.engine.effects import Effect
from mexc_sniper.engine.listings import Listings
from mexc_sniper.engine.operator import Operator
from mexc_sniper.engine.schedule import Schedule
from mexc_sniper.engine.state import CalendarLine, EngineState
from mexc_sniper.engine.trader import Trader
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    ComponentChanged,
    ComponentFigures,
    ConfigChanged,
    MonitorChanged,
    MonitorProgressed,
)
from mexc_sniper.model.events import (
    AnnouncementsRead,
    BalancesRead,
    BookSeen,
    CalendarRead,
    CandlesRead,
    ClockSynced,
    CommandReceived,
    Event,
    FillsReported,
    GateSignaled,
    InstrumentsRead,
    KeyChecked,
    KillLatched,
    MiniTickersSeen,
    OfflineRead,
    OpeningReached,
    OrderLookedUp,
    OrderReported,
    PrivateStreamChanged,
    QuoteSeen,
    SourceChanged,
    SourceName,
    Ticked,
    TradableNamesRead,
    TradesSeen,
    VenueSwept,
    WebSymbolsRead,
)
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.policy.checks import Exposure

FIGURES_EVERY_NS = 5 * NS_PER_S
"""How often a component whose figures alone moved is written."""
PROGRESS_EVERY_NS = 5 * NS_PER_S
"""How often the time of the last event is written while nothing else happens; bounds what a crash forgets."""

ESSENTIAL = (SourceName.EXCHANGE_INFO, SourceName.DEFAULT_SYMBOLS, SourceName.STREAM)
"""Sources without which the monitor calls itself degraded; the unofficial ones may be absent."""

_DETECTION = frozenset(
    {
        InstrumentsRead,
        TradableNamesRead,
        MiniTickersSeen,
        WebSymbolsRead,
        AnnouncementsRead,
        OfflineRead,
        CandlesRead,
        CalendarRead,
    }
)
"""What is news only while the monitor runs."""

_CLOCK_DOUBT_NS = 250 * 1_000_000


class Engine:
    """Owns the state; nobody else writes it."""

    def __init__(self, caps: HardCaps | None = None, first_config: TradeConfig | None = None) -> None:
        """``first_config`` becomes version 1 where the ledger holds none."""
        self._first_config = first_config or TradeConfig()
        self._caps = caps or HardCaps(max_trade=Decimal(500), max_position=Decimal(2000))
        self.state = EngineState()
        self.carry_out: Callable[[Effect], None] | None = None
        """Takes orders and gates of `handle` while the rest of the event is still being put into words.

        They are then missing from the returned effects. None (replay, tests): everything is returned.
        """
        self._build()

    def _build(self) -> None:
        self._trader = Trader(self.state, self._caps)
        self._listings = Listings(self.state, self._trader.consider)
        self._detection = Detection(self.state, self._listings)
        self._schedule = Schedule(self.state, self._listings)
        self._operator = Operator(self.state, self._trader, self._caps)
        self._handlers: dict[type, Callable[[Turn, Any], None]] = {
            InstrumentsRead: self._detection.instruments,
            TradableNamesRead: self._detection.tradable_names,
            MiniTickersSeen: self._detection.mini_tickers,
            QuoteSeen: self._quote,
            TradesSeen: self._trades,
            BookSeen: self._trader.book,
            OrderReported: self._trader.reported,
            OrderLookedUp: self._trader.looked_up,
            FillsReported: self._trader.fills,
            BalancesRead: self._trader.balances,
            VenueSwept: self._trader.swept,
            PrivateStreamChanged: self._trader.private_stream,
            GateSignaled: self._trader.gate_signaled,
            KeyChecked: self._trader.key_checked,
            KillLatched: self._trader.kill_latched,
            WebSymbolsRead: self._detection.web_symbols,
            AnnouncementsRead: self._detection.announcements,
            OfflineRead: self._detection.offline,
            CandlesRead: self._detection.candles,
            CalendarRead: self._schedule.calendar,
            ClockSynced: self._clock_synced,
            SourceChanged: self._source_changed,
            CommandReceived: lambda turn, event: self._operator.command(turn, event.command),
            Ticked: self._ticked,
            OpeningReached: self._trader.opening_reached,
        }

    def start(
        self,
        restored: Restored,
        stamp: Stamp,
        *,
        force_running: bool = False,
        live: bool = False,
        epoch: int = 0,
        prepare: bool = True,
    ) -> list[Effect]:
        """Take over what the ledger holds and go on where the last life ended.

        Args:
            restored: the ledger's contents; empty on a first start.
            stamp: now.
            force_running: listen whatever was wanted before (the demo).
            live: started in live mode: live orders are possible once armed.
            epoch: number of this life, from the journal; part of every order's id.
            prepare: make entries ready before their pair has a price.
        """
        state = self.state = EngineState(
            baseline=Baseline(restored.symbols), finished=dict.fromkeys(sorted(restored.finished_commands))
        )
        self._build()
        state.now_ns = stamp.ts_recv_ns
        turn = Turn(state, stamp)
        before = restored.monitor or MonitorState(wanted=False, status=MonitorStatus.STOPPED)
        state.last_life_ns = before.last_event_ns
        state.learned = {SourceName(name): before.baseline_learned_at_ns or 0 for name in before.learned_sources}
        state.monitor = replace(
            before,
            status=MonitorStatus.STOPPED,
            started_at_ns=None,
            websocket_connected=False,
            listings_detected=restored.listings_detected,
        )
        if restored.config is None:
            state.config = ConfigVersion(version=1, created_ns=turn.now_ns, actor="defaults", config=self._first_config)
            turn.entry(ConfigChanged(version=state.config))
        else:
            state.config = restored.config
        for line in restored.calendar:
            state.calendar[line.entry.coin_id] = CalendarLine(
                entry=line.entry,
                first_seen_ns=line.first_seen_ns,
                schedule=line.schedule,
                withdrawn=line.withdrawn,
            )
        for listing in restored.listings:
            self._listings.follow_again(turn, listing, unseen_until_ns=listing.detected_at_ns)
            for calendar_line in state.calendar.values():
                if calendar_line.entry.coin_id == listing.coin_id:
                    calendar_line.symbol = listing.symbol
        self._trader.start(turn, restored, live=live, epoch=epoch, prepare=prepare)
        self._rest_sources(turn)
        turn.note("engine_started", known_symbols=len(state.baseline), listings_followed=len(state.active))
        if before.wanted or force_running:
            self._operator.start_monitor(turn)
        else:
            turn.entry(MonitorChanged(state=state.monitor))
        self._operator.follow_positions(turn)
        return turn.effects()

    def handle(self, event: Event) -> list[Effect]:
        """Apply one event; returns what the world should do about it, in order."""
        self.state.now_ns = event.stamp.ts_recv_ns
        turn = Turn(self.state, event.stamp, self.carry_out)
        before = self.state.monitor
        handler = self._handlers[type(event)]
        if self.state.running or type(event) not in _DETECTION:
            handler(turn, event)
        elif isinstance(event, InstrumentsRead):
            self._detection.rules_only(event)  # listening for a position's sake: its rules matter, news does not
        if self.state.running and not isinstance(event, (Ticked, CommandReceived, SourceChanged)):
            # The monitor's own copy of "last heard"; written by the tick, not by every frame.
            self.state.monitor = replace(self.state.monitor, last_event_ns=turn.now_ns)
        self._monitor_progress(turn, before)
        return turn.effects()

    def exposure(self, account: Account, now_ns: int) -> Exposure:
        """Return what an account has at stake, for the page; changes nothing."""
        return self._trader.holdings.exposure(account, Asset("USDT"), now_ns)

    def orders_in_doubt(self) -> int:
        """Return how many orders' outcome is unknown."""
        return sum(order.status is OrderStatus.IN_DOUBT for order in self.state.trading.orders.values())

    # ------------------------------------------------------------------ housekeeping

    def _rest_sources(self, turn: Turn) -> None:
        """Say of every source that it rests; those of the last life may have ended with another word."""
        for source in SourceName:
            name = f"source.{source}"
            component = Component(name=name, status=ComponentStatus.STOPPED, since_ns=turn.now_ns)
            self.state.components[name] = component
            turn.entry(ComponentChanged(component=component))

    def _quote(self, turn: Turn, event: QuoteSeen) -> None:
        if self.state.trading.prepared:
            self._trader.strike(turn, event)
        self._detection.quote(turn, event)
        self._trader.quote(turn, event)

    def _trades(self, turn: Turn, event: TradesSeen) -> None:
        if self.state.trading.prepared:
            self._trader.strike(turn, event)
        self._trader.trades(turn, event)
        self._detection.trades(turn, event)

    def _ticked(self, turn: Turn, event: Ticked) -> None:
        self._trader.tick(turn)
        self._operator.rest_if_flat(turn)
        if self.state.running:
            self._listings.tend(turn)
            self._schedule.tell_openings(turn)

    def _clock_synced(self, turn: Turn, event: ClockSynced) -> None:
        self.state.clock_offset_ns = event.offset_ns
        doubtful = event.uncertainty_ns > _CLOCK_DOUBT_NS
        self._trader.gatekeeper.signal(
            turn, Reason.CLOCK_UNCERTAIN, closed=doubtful, detail="the venue's clock is not known to within 250 ms"
        )
        self._component(
            turn,
            "clock",
            ComponentStatus.DEGRADED if doubtful else ComponentStatus.OK,
            "The venue's clock cannot be read to within 250 ms." if doubtful else "",
            {"offset_ms": event.offset_ns / 1e6, "uncertainty_ms": event.uncertainty_ns / 1e6},
        )

    def _source_changed(self, turn: Turn, event: SourceChanged) -> None:
        if not self.state.running:
            return  # the last word of a source that was just stopped
        self._component(turn, f"source.{event.source}", event.status, event.detail, event.figures)
        state = self.state
        if event.source is SourceName.STREAM:
            self._trader.gatekeeper.signal(
                turn,
                Reason.FEED_STALE,
                closed=event.status is ComponentStatus.DOWN,
                detail=event.detail or "the market stream is down",
            )
        connected = state.source_status(SourceName.STREAM) in (ComponentStatus.OK, ComponentStatus.DEGRADED)
        known = [state.source_status(source) for source in ESSENTIAL]
        missing = any(status in (ComponentStatus.DOWN, ComponentStatus.DEGRADED) for status in known)
        state.monitor = replace(
            state.monitor,
            status=MonitorStatus.DEGRADED if missing else MonitorStatus.RUNNING,
            websocket_connected=connected,
            last_error=event.detail if event.detail and event.source in ESSENTIAL else state.monitor.last_error,
        )

    def _component(
        self,
        turn: Turn,
        name: str,
        status: ComponentStatus,
        detail: str,
        figures: dict[str, int | float | str | None],
    ) -> None:
        state = self.state
        old = state.components.get(name)
        moved = old is None or old.status is not status or old.detail != detail
        component = Component(
            name=name,
            status=status,
            since_ns=turn.now_ns if old is None or old.status is not status else old.since_ns,
            last_event_ns=turn.now_ns if status is ComponentStatus.OK else (old.last_event_ns if old else None),
            detail=detail,
            figures=figures or (old.figures if old else {}),
        )
        state.components[name] = component
        if moved:
            turn.entry(ComponentChanged(component=component))
            turn.note("component_changed", component=name, status=str(status), detail=detail)
        elif turn.now_ns - state.figures_saved_ns.get(name, 0) >= FIGURES_EVERY_NS:
            turn.entry(ComponentFigures(component=component))
        else:
            return
        state.figures_saved_ns[name] = turn.now_ns

    def _monitor_progress(self, turn: Turn, before: MonitorState) -> None:
        state = self.state
        learned = tuple(sorted(state.learned))
        if state.monitor.learned_sources != learned or state.monitor.baseline_size != len(state.baseline):
            learned_at_ns = state.learned.get(SourceName.EXCHANGE_INFO)
            state.monitor = replace(
                state.monitor,
                learned_sources=learned,
                baseline_size=len(state.baseline),
                baseline_learned_at_ns=learned_at_ns or state.monitor.baseline_learned_at_ns,
            )
        silent = replace(before, last_event_ns=state.monitor.last_event_ns)
        if silent != state.monitor and before.wanted == state.monitor.wanted:
            turn.entry(MonitorChanged(state=state.monitor))
        elif state.running and turn.now_ns - state.monitor_saved_ns >= PROGRESS_EVERY_NS:
            turn.entry(MonitorProgressed(state=state.monitor))
        else:
            return
        state.monitor_saved_ns = turn.now_ns
