"""What the API answers with: JSON in camelCase, decimals as text, times as ISO-8601 in UTC.

These models are the contract with the page (its TypeScript types are generated from them) and with scripts.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.health import ComponentStatus, MonitorStatus
from mexc_sniper.model.listing import (
    ListedAtBasis,
    ListingKind,
    Outcome,
    Phase,
    SignalKind,
    Source,
)
from mexc_sniper.model.order import OrderRole
from mexc_sniper.web.view_base import DecimalText, Mode
from mexc_sniper.web.view_base import Iso as Iso
from mexc_sniper.web.view_base import View as View
from mexc_sniper.web.views_trading import (
    AttentionView,
    BalancesEventData,
    DecisionView,
    FillView,
    OrderView,
    PositionMarkView,
    PositionView,
    TradeView,
    TradingView,
)


class ErrorView(View):
    """Every error of the API."""

    code: str
    """Snake case, stable."""
    message: str
    """One sentence naming the thing and the mend."""
    details: dict[str, Any] = Field(default_factory=dict)


class ComponentView(View):
    name: str
    status: ComponentStatus
    since: Iso
    last_event_at: Iso | None
    detail: str
    figures: dict[str, int | float | str | None]


class HealthView(View):
    """``error``: the engine does not answer. ``degraded``: it runs with a part missing."""

    status: Literal["ok", "degraded", "error"]
    version: str
    environment: str
    mode: Literal["dry-run", "live"]
    engine_alive: bool
    engine_heartbeat_at: Iso | None
    server_time: Iso
    components: list[ComponentView]


class MonitorView(View):
    status: MonitorStatus
    wanted: bool
    """Whether the operator wants it running; kept over restarts."""
    started_at: Iso | None
    last_event_at: Iso | None
    uptime_seconds: float
    listings_detected: int
    websocket_connected: bool
    last_error: str
    baseline_size: int
    """Known symbols; 0 until the first start has learned them."""
    baseline_learned_at: Iso | None
    sources: list[ComponentView]


class SourceTimeView(View):
    kind: SignalKind
    source: Source
    official: bool
    received_at: Iso
    event_at: Iso | None
    lag_ms: float | None


class TimedEntryView(View):
    """An entry wanted at the announced time itself, whatever the price up to ``capPrice``."""

    cap_price: str
    offset_ms: int
    actor: str


class ListingView(View):
    id: str
    symbol: str
    base: str
    quote: str
    full_name: str
    kind: ListingKind
    phase: Phase
    outcome: Outcome
    reason: Reason | None
    reason_text: str
    """The reason in one sentence; empty while pending."""
    source: Source
    first_signal: SignalKind
    listed_at: Iso
    listed_at_basis: ListedAtBasis
    listed_at_frozen: bool
    detected_at: Iso
    scheduled_for: Iso | None
    row_seen_at: Iso | None
    api_opened_at: Iso | None
    first_quote_at: Iso | None
    first_trade_at: Iso | None
    opened_at: Iso | None
    closed_at: Iso | None
    detection_lag_ms: float | None
    late: bool
    look_alike_of: str | None
    related_to: str | None
    coin_id: str
    contract_address: str
    sources: list[SourceTimeView]
    duplicate_signals: int
    newness_proof: str
    prepared_at: Iso | None
    """Since when its entry lies ready: guards asked, order journaled and signed."""
    timed_entry: TimedEntryView | None


class ListingsView(View):
    listings: list[ListingView]
    total: int
    limit: int
    offset: int


class SignalView(View):
    kind: SignalKind
    source: Source
    official: bool
    received_at: Iso
    event_at: Iso | None
    lag_ms: float | None
    evidence: str


class ScheduleChangeView(View):
    noted_at: Iso
    opens_at: Iso | None


class PhaseView(View):
    """One phase the listing was in; ``seconds`` None while it lasts."""

    phase: Phase
    entered_at: Iso
    seconds: float | None


class ListingDetailView(View):
    """A listing with everything that was said about it and everything we did about it."""

    listing: ListingView
    timeline: list[SignalView]
    schedule: list[ScheduleChangeView]
    phases: list[PhaseView]
    decisions: list[DecisionView]
    """Every attempt decides anew; oldest first."""
    trades: list[TradeView]
    """Oldest first, its exits included."""
    orders: list[OrderView]
    fills: list[FillView]
    positions: list[PositionView]


class BarView(View):
    """Public trades of one second or minute."""

    at: Iso
    seconds: int
    open: DecimalText
    high: DecimalText
    low: DecimalText
    close: DecimalText
    volume: DecimalText
    """Base asset."""
    trades: int


class ChartMarkView(View):
    """One of our orders that was filled, where it was filled."""

    at: Iso
    side: Literal["buy", "sell"]
    role: OrderRole
    mode: Mode
    price: DecimalText
    """Average of its fills."""
    quantity: DecimalText
    trade_id: str | None


class ChartLineView(View):
    """A price that a rule stands on. ``cap``: the most the entry might pay."""

    kind: Literal["reference", "cap", "entry", "take_profit", "stop", "trailing"]
    price: DecimalText
    done: bool
    """It has served: the leg is sold or the position is closed."""


class ListingChartView(View):
    """A listing's first half hour: bars of a second for ten minutes, then of a minute."""

    symbol: str
    bars: list[BarView]
    marks: list[ChartMarkView]
    lines: list[ChartLineView]
    growing: bool
    """More bars may come: the symbol is watched."""


class CalendarEntryView(View):
    coin_id: str
    asset: str
    full_name: str
    opens_at: Iso | None
    """None: the venue says "to be determined"."""
    zone: str
    first_seen_at: Iso
    schedule: list[ScheduleChangeView]
    """Every announced time, oldest first; more than one: it moved."""
    withdrawn: bool
    listing_id: str | None


class CalendarView(View):
    entries: list[CalendarEntryView]
    total: int


class ConfigView(View):
    version: int
    updated_at: Iso
    updated_by: str
    config: dict[str, Any]


class ConfigHistoryView(View):
    versions: list[ConfigView]
    total: int


class CommandView(View):
    id: str
    verb: str
    actor: str
    status: Literal["done", "refused", "expired"]
    code: str
    message: str
    finished_at: Iso
    result: dict[str, Any] = Field(default_factory=dict)
    """What the engine adds, such as the id of an injected listing."""


class MarkView(View):
    """Latest price of a watched symbol; latest wins, may skip values."""

    symbol: str
    last: str | None
    bid: str | None
    ask: str | None
    at: Iso


class SnapshotFrame(View):
    """First frame of ``/live`` and after every resynchronisation; everything a page shows."""

    type: Literal["snapshot"] = "snapshot"
    seq: int
    server_time: Iso
    health: HealthView
    monitor: MonitorView
    listings: list[ListingView]
    """The newest 200, newest detection first."""
    listings_total: int
    calendar: list[CalendarEntryView]
    """Not withdrawn and not yet past by more than an hour, soonest first, TBD last."""
    config: ConfigView | None
    marks: list[MarkView]
    trading: TradingView | None = None
    """What is allowed now; null until the engine has said."""
    positions: list[PositionView] = Field(default_factory=list)
    """The open ones, newest first."""
    trades: list[TradeView] = Field(default_factory=list)
    """The newest 100."""
    trades_total: int = 0
    attention: list[AttentionView] = Field(default_factory=list)
    """What needs a person."""


class SignalEventData(View):
    listing_id: str
    signal: SignalView


EventData = (
    ListingView
    | SignalEventData
    | CalendarEntryView
    | ComponentView
    | MonitorView
    | CommandView
    | ConfigView
    | DecisionView
    | OrderView
    | FillView
    | PositionView
    | TradeView
    | TradingView
    | BalancesEventData
    | AttentionView
)


class EventFrame(View):
    """A numbered change; the page refuses any ``seq`` but the next.

    ``data`` by ``kind``: listing_changed ListingView · signal_received SignalEventData · calendar_changed
    CalendarEntryView · component_changed ComponentView · monitor_changed MonitorView · command_finished
    CommandView · config_changed ConfigView · decision_made DecisionView · order_changed OrderView · fill_recorded
    FillView · position_changed PositionView · trade_changed TradeView · trading_changed TradingView ·
    balances_changed BalancesEventData · attention_changed AttentionView.
    """

    type: Literal["event"] = "event"
    seq: int
    kind: Literal[
        "listing_changed",
        "signal_received",
        "calendar_changed",
        "component_changed",
        "monitor_changed",
        "command_finished",
        "config_changed",
        "decision_made",
        "order_changed",
        "fill_recorded",
        "position_changed",
        "trade_changed",
        "trading_changed",
        "balances_changed",
        "attention_changed",
    ]
    at: Iso
    data: EventData


class MarksFrame(View):
    """Unnumbered, latest wins, at most four a second."""

    type: Literal["marks"] = "marks"
    marks: list[MarkView]
    positions: list[PositionMarkView] = Field(default_factory=list)
    """Open positions whose mark changed."""


class StatusFrame(View):
    """Unnumbered, latest wins, every two seconds: component figures and the monitor's times move without events."""

    type: Literal["status"] = "status"
    health: HealthView
    monitor: MonitorView


class BeatFrame(View):
    """Two seconds after the last event or beat; ``seq`` is the number of the last event sent."""

    type: Literal["beat"] = "beat"
    seq: int
    server_time: Iso
    engine_alive: bool


LiveFrame = Annotated[SnapshotFrame | EventFrame | MarksFrame | StatusFrame | BeatFrame, Field(discriminator="type")]


class SessionView(View):
    """Who is signed in; the page sends ``csrfToken`` back as the header ``X-CSRF-Token``."""

    actor: str
    scopes: list[Literal["read", "control", "kill"]]
    csrf_token: str
    expires_at: Iso
    password_set: bool
    """From then on, arming, resuming, raising limits and making tokens need it again."""
    step_up_until: Iso | None
    """Until when they do not, because it was just given."""
