"""What came of it over a window: profit and its curve, what won and lost, which listings were bought or missed."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.account import Account
from mexc_sniper.model.listing import Listing, ListingKind, Outcome
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Trade
from mexc_sniper.reports.figures import Window
from mexc_sniper.reports.latency import MANY_LISTINGS, MANY_TRADES

CURVE_POINTS = 400
"""Points of the equity curve at most; of more, every n-th and the last are kept."""
MISSED_SHOWN = 50
_DAY_NS = 86_400 * NS_PER_S
_ZERO = Decimal(0)


class CurvePoint(msgspec.Struct, frozen=True):
    """Realized profit since the window began, after one position was closed."""

    at_ns: int
    profit: Decimal


class DayProfit(msgspec.Struct, frozen=True):
    """One UTC day."""

    day_ns: int
    profit: Decimal
    positions: int


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Closed positions that have something in common."""

    name: str
    positions: int
    wins: int
    profit: Decimal


class PerformanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about money and hits in a window; one account. Money in quote asset, fees in it included."""

    since_ns: int
    until_ns: int
    closed: int
    wins: int
    losses: int
    profit: Decimal
    gross_win: Decimal
    gross_loss: Decimal
    """Below zero or zero."""
    best: Decimal | None
    worst: Decimal | None
    max_drawdown: Decimal
    """The deepest fall of the curve below its highest point before, as a positive amount."""
    spent: Decimal
    median_hold_s: float | None
    curve: tuple[CurvePoint, ...]
    days: tuple[DayProfit, ...]
    by_source: tuple[Group, ...]
    """By the signal that spoke first."""
    by_trigger: tuple[Group, ...]
    by_exit: tuple[Group, ...]
    by_hour: tuple[Group, ...]
    """By UTC hour of the entry."""
    listings: int
    """New listings seen."""
    outcomes: dict[Outcome, int]
    reasons: dict[Reason, int]
    """Why new listings were not entered."""
    missed: tuple[Listing, ...]
    """The latest MISSED and FAILED ones."""


def performance_report(view: LedgerView, window: Window, now_ns: int, account: Account) -> PerformanceReport:
    """Sum up a window that ends now for one account."""
    since_ns = window.since_ns(now_ns)
    closed = [position for position in view.closed_positions(since_ns) if position.account is account]
    trades = [trade for trade in view.trades_since(since_ns, limit=MANY_TRADES) if trade.account is account]
    listings, _ = view.listings(limit=MANY_LISTINGS, since_ns=since_ns or None)
    new = [listing for listing in listings if listing.kind is ListingKind.NEW]
    sources = {listing.id: listing.first_signal.value for listing in listings}
    triggers = _triggers(trades)
    profits = [position.realized_pnl for position in closed]
    wins = [profit for profit in profits if profit > 0]
    losses = [profit for profit in profits if profit < 0]
    curve, fall = _curve(closed)
    holds = sorted((position.closed_ns or now_ns) - position.opened_ns for position in closed)
    return PerformanceReport(
        since_ns=since_ns or min((position.opened_ns for position in closed), default=now_ns),
        until_ns=now_ns,
        closed=len(closed),
        wins=len(wins),
        losses=len(losses),
        profit=sum(profits, _ZERO),
        gross_win=sum(wins, _ZERO),
        gross_loss=sum(losses, _ZERO),
        best=max(profits, default=None),
        worst=min(profits, default=None),
        max_drawdown=fall,
        spent=sum((position.cost for position in closed), _ZERO),
        median_hold_s=None if not holds else round(holds[len(holds) // 2] / NS_PER_S, 1),
        curve=tuple(_thinned(curve)),
        days=tuple(_days(closed)),
        by_source=_grouped(closed, lambda position: sources.get(position.listing_id or ListingId(""), "by hand")),
        by_trigger=_grouped(closed, lambda position: triggers.get(position.id, "unknown")),
        by_exit=_grouped(closed, lambda position: position.exit_role or "unknown"),
        by_hour=_grouped(closed, lambda position: f"{position.opened_ns % _DAY_NS // (3_600 * NS_PER_S):02d}"),
        listings=len(new),
        outcomes=_counted(listing.outcome for listing in new),
        reasons=_counted(
            listing.reason for listing in new if listing.reason is not None and listing.outcome is not Outcome.ENTERED
        ),
        missed=tuple(listing for listing in new if listing.outcome in (Outcome.MISSED, Outcome.FAILED))[:MISSED_SHOWN],
    )


def _triggers(trades: Iterable[Trade]) -> dict[str, str]:
    return {
        trade.position_id: trade.trigger.value
        for trade in trades
        if trade.position_id is not None and trade.trigger is not None and not trade.role.reduces_risk
    }


def _curve(closed: Sequence[Position]) -> tuple[list[CurvePoint], Decimal]:
    points: list[CurvePoint] = []
    profit = peak = fall = _ZERO
    for position in closed:
        profit += position.realized_pnl
        peak = max(peak, profit)
        fall = max(fall, peak - profit)
        points.append(CurvePoint(position.closed_ns or 0, profit))
    return points, fall


def _thinned(points: list[CurvePoint]) -> list[CurvePoint]:
    step = -(-len(points) // CURVE_POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _days(closed: Sequence[Position]) -> Iterable[DayProfit]:
    days: dict[int, list[Decimal]] = {}
    for position in closed:
        at_ns = position.closed_ns or 0
        days.setdefault(at_ns - at_ns % _DAY_NS, []).append(position.realized_pnl)
    return (DayProfit(day_ns, sum(profits, _ZERO), len(profits)) for day_ns, profits in sorted(days.items()))


def _grouped(closed: Sequence[Position], name_of: Callable[[Position], str]) -> tuple[Group, ...]:
    groups: dict[str, list[Decimal]] = {}
    for position in closed:
        groups.setdefault(name_of(position), []).append(position.realized_pnl)
    return tuple(
        Group(name=name, positions=len(profits), wins=sum(profit > 0 for profit in profits), profit=sum(profits, _ZERO))
        for name, profits in sorted(groups.items())
    )


K = TypeVar("K", Outcome, Reason)


def _counted(keys: Iterable[K]) -> dict[K, int]:
    counted: dict[K, int] = {}
    for key in keys:
        counted[key] = counted.get(key, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: -item[1]))
