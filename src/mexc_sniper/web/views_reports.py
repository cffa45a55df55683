"""What the API answers with about time and money over a window; part of the contract in `views`."""

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.listing import Outcome, SignalKind
from mexc_sniper.web.view_base import DecimalText, Iso, Mode, View
from mexc_sniper.web.views import ListingView


class BinView(View):
    """Values above the bin before and not above ``upToMs``; null: no upper end."""

    up_to_ms: float | None
    count: int


class SpreadView(View):
    """Percentiles by nearest rank; null where nothing was measured."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    bins: list[BinView]


class TrendStepView(View):
    at: Iso
    count: int
    p50_ms: float | None
    p95_ms: float | None


class StageView(View):
    """One named latency of the window: spread and course."""

    name: str
    spread: SpreadView
    trend: list[TrendStepView]


class SourceFiguresView(View):
    """One kind of signal: how many listings it spoke about, how often first, its lag, and how far behind the first."""

    kind: SignalKind
    official: bool
    listings: int
    first: int
    lag: SpreadView
    behind: SpreadView


class AttemptsView(View):
    trades: int
    filled: int
    denied: int
    failed: int
    in_doubt: int
    error_rate: float | None
    """Failed and in doubt, of all that were not denied; null without any."""


class LatencyView(View):
    window: str
    since: Iso
    until: Iso
    stages: list[StageView]
    detection: StageView
    sources: list[SourceFiguresView]
    attempts: AttemptsView


class CurvePointView(View):
    at: Iso
    profit: DecimalText


class DayProfitView(View):
    day: str
    profit: DecimalText
    positions: int


class GroupView(View):
    name: str
    positions: int
    wins: int
    win_rate: float
    profit: DecimalText


class OutcomeCountView(View):
    outcome: Outcome
    count: int


class ReasonCountView(View):
    reason: Reason
    text: str
    count: int


class PerformanceView(View):
    """One account's window; money in quote asset. ``profitFactor``: won per lost; null without a loss."""

    window: str
    mode: Mode
    since: Iso
    until: Iso
    closed: int
    wins: int
    losses: int
    win_rate: float | None
    profit: DecimalText
    profit_factor: float | None
    average_win: DecimalText | None
    average_loss: DecimalText | None
    best: DecimalText | None
    worst: DecimalText | None
    max_drawdown: DecimalText
    spent: DecimalText
    return_pct: DecimalText | None
    """Profit of what was spent, percent."""
    median_hold_s: float | None
    curve: list[CurvePointView]
    days: list[DayProfitView]
    by_source: list[GroupView]
    by_trigger: list[GroupView]
    by_exit: list[GroupView]
    by_hour: list[GroupView]
    listings: int
    hit_rate: float | None
    """Entered, of the new listings whose outcome is known."""
    outcomes: list[OutcomeCountView]
    reasons: list[ReasonCountView]
    missed: list[ListingView]
