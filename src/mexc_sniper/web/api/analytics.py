"""``/analytics``: percentiles and money over a window, from the ledger."""

from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.core.reasons import SENTENCES
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.listing import Outcome
from mexc_sniper.reports.figures import Spread, Window, ms
from mexc_sniper.reports.latency import LatencyReport, Stage, latency_report
from mexc_sniper.reports.performance import Group, PerformanceReport, performance_report
from mexc_sniper.web import convert, views_reports
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.convert_trading import account_of, computed
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.view_base import Mode
from mexc_sniper.web.views_reports import LatencyView, PerformanceView

router = router_for(Scope.READ, tag="analytics")

WindowQuery = Annotated[Window, Query(description="How far back: 1h, 24h, 7d, 30d or all.")]


@router.get("/analytics/latency")
async def latency(
    request: Request,
    window: WindowQuery = Window.DAY,
    mode: Annotated[Mode | None, Query(description="Whose trades; both by default.")] = None,
) -> LatencyView:
    """Measure every named latency, every source's lag and the error rate over a window that ends now."""
    parts = services(request)
    now_ns = parts.clock.wall_ns()

    def read(reader: LedgerReader) -> LatencyReport:
        with reader.snapshot() as view:
            return latency_report(view, window, now_ns, None if mode is None else account_of(mode))

    return _latency(await parts.store.read(read), window)


@router.get("/analytics/performance")
async def performance(
    request: Request,
    window: WindowQuery = Window.WEEK,
    mode: Annotated[Mode, Query(description="Whose money.")] = "dry-run",
) -> PerformanceView:
    """Sum up profit, its curve, wins and losses by source, trigger, exit and hour, and what became of new listings."""
    parts = services(request)
    now_ns = parts.clock.wall_ns()

    def read(reader: LedgerReader) -> PerformanceReport:
        with reader.snapshot() as view:
            return performance_report(view, window, now_ns, account_of(mode))

    return _performance(await parts.store.read(read), window, mode)


def _spread(found: Spread) -> views_reports.SpreadView:
    return views_reports.SpreadView(
        count=found.count,
        p50_ms=ms(found.p50_ns),
        p95_ms=ms(found.p95_ns),
        p99_ms=ms(found.p99_ns),
        max_ms=ms(found.max_ns),
        bins=[views_reports.BinView(up_to_ms=ms(one.up_to_ns), count=one.count) for one in found.bins],
    )


def _stage(stage: Stage) -> views_reports.StageView:
    return views_reports.StageView(
        name=stage.name,
        spread=_spread(stage.spread),
        trend=[
            views_reports.TrendStepView(
                at=iso_from_ns(step.at_ns), count=step.count, p50_ms=ms(step.p50_ns), p95_ms=ms(step.p95_ns)
            )
            for step in stage.trend
        ],
    )


def _latency(report: LatencyReport, window: Window) -> LatencyView:
    tried = report.attempts.trades - report.attempts.denied
    wrong = report.attempts.failed + report.attempts.in_doubt
    return LatencyView(
        window=window.value,
        since=iso_from_ns(report.since_ns),
        until=iso_from_ns(report.until_ns),
        stages=[_stage(stage) for stage in report.stages],
        detection=_stage(report.detection),
        sources=[
            views_reports.SourceFiguresView(
                kind=source.kind,
                official=source.kind.official,
                listings=source.listings,
                first=source.first,
                lag=_spread(source.lag),
                behind=_spread(source.behind),
            )
            for source in report.sources
        ],
        attempts=views_reports.AttemptsView(
            trades=report.attempts.trades,
            filled=report.attempts.filled,
            denied=report.attempts.denied,
            failed=report.attempts.failed,
            in_doubt=report.attempts.in_doubt,
            error_rate=_share(wrong, tried),
        ),
    )


def _share(part: int, whole: int) -> float | None:
    return None if whole <= 0 else round(part / whole, 4)


def _money(value: Decimal | None) -> str | None:
    return None if value is None else computed(value)


def _groups(groups: tuple[Group, ...]) -> list[views_reports.GroupView]:
    return [
        views_reports.GroupView(
            name=group.name,
            positions=group.positions,
            wins=group.wins,
            win_rate=_share(group.wins, group.positions) or 0.0,
            profit=computed(group.profit),
        )
        for group in groups
    ]


def _performance(report: PerformanceReport, window: Window, mode: Mode) -> PerformanceView:
    decided = report.listings - report.outcomes.get(Outcome.PENDING, 0)
    return PerformanceView(
        window=window.value,
        mode=mode,
        since=iso_from_ns(report.since_ns),
        until=iso_from_ns(report.until_ns),
        closed=report.closed,
        wins=report.wins,
        losses=report.losses,
        win_rate=_share(report.wins, report.closed),
        profit=computed(report.profit),
        profit_factor=None if not report.gross_loss else round(float(report.gross_win / -report.gross_loss), 2),
        average_win=_money(report.gross_win / report.wins if report.wins else None),
        average_loss=_money(report.gross_loss / report.losses if report.losses else None),
        best=_money(report.best),
        worst=_money(report.worst),
        max_drawdown=computed(report.max_drawdown),
        spent=computed(report.spent),
        return_pct=_money(report.profit / report.spent * 100 if report.spent else None),
        median_hold_s=report.median_hold_s,
        curve=[
            views_reports.CurvePointView(at=iso_from_ns(point.at_ns), profit=computed(point.profit))
            for point in report.curve
        ],
        days=[
            views_reports.DayProfitView(
                day=iso_from_ns(day.day_ns)[:10], profit=computed(day.profit), positions=day.positions
            )
            for day in report.days
        ],
        by_source=_groups(report.by_source),
        by_trigger=_groups(report.by_trigger),
        by_exit=_groups(report.by_exit),
        by_hour=_groups(report.by_hour),
        listings=report.listings,
        hit_rate=_share(report.outcomes.get(Outcome.ENTERED, 0), decided),
        outcomes=[
            views_reports.OutcomeCountView(outcome=outcome, count=count) for outcome, count in report.outcomes.items()
        ],
        reasons=[
            views_reports.ReasonCountView(reason=reason, text=SENTENCES[reason], count=count)
            for reason, count in report.reasons.items()
        ],
        missed=[convert.listing_view(listing) for listing in report.missed],
    )
