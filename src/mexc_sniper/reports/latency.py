"""How long each stage took over a window, and how late every source was."""

from collections.abc import Iterable, Sequence

import msgspec

from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.account import Account
from mexc_sniper.model.listing import Listing, ListingKind, SignalKind
from mexc_sniper.model.trading import Trade, TradeStatus
from mexc_sniper.reports.figures import Spread, Window, percentile, spread

STAGES = ("source_lag", "tick_to_trade", "round_trip", "ack_to_fill", "open_to_order")
"""The latencies of DESIGN 5 that belong to a trade, in the order in which they happen."""
TREND_STEPS = 24
MANY_LISTINGS = 20_000
MANY_TRADES = 50_000
EARLY = frozenset({SignalKind.CALENDAR, SignalKind.ANNOUNCEMENT, SignalKind.WEB_SYMBOL, SignalKind.CANDLES})
"""Words spoken ahead of an opening: how late they are read says nothing about openings."""
_PAST = (ListingKind.RELIST, ListingKind.RETURNED)


class TrendStep(msgspec.Struct, frozen=True):
    """A stage's median and tail in one part of the window; None where nothing was measured."""

    at_ns: int
    count: int
    p50_ns: int | None
    p95_ns: int | None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One named latency."""

    name: str
    spread: Spread
    trend: tuple[TrendStep, ...]


class SourceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of signal did."""

    kind: SignalKind
    listings: int
    """Listings it spoke about."""
    first: int
    """Those it spoke about before any other."""
    lag: Spread
    """Venue time to frame; only of those that carry a venue time."""
    behind: Spread
    """How much later it spoke than the first to speak, among those that speak at an opening."""


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the trades that were tried in the window."""

    trades: int = 0
    filled: int = 0
    denied: int = 0
    """Refused by us or by the venue, or taken back unfilled."""
    failed: int = 0
    """Never sent or never arrived."""
    in_doubt: int = 0


class LatencyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about time in a window."""

    since_ns: int
    until_ns: int
    stages: tuple[Stage, ...]
    detection: Stage
    """Opening (venue clock) to our first signal, of listings that opened while we watched."""
    sources: tuple[SourceFigures, ...]
    attempts: Attempts


def latency_report(view: LedgerView, window: Window, now_ns: int, account: Account | None = None) -> LatencyReport:
    """Measure a window that ends now; ``account`` None: both accounts' trades."""
    since_ns = window.since_ns(now_ns)
    listings, _ = view.listings(limit=MANY_LISTINGS, since_ns=since_ns or None)
    trades = [trade for trade in view.trades_since(since_ns, limit=MANY_TRADES) if account in (None, trade.account)]
    watched = [
        listing
        for listing in listings
        if listing.detection_lag_ns is not None
        and not listing.late
        and listing.kind is not ListingKind.INJECTED
        and listing.kind not in _PAST
    ]
    began_ns = since_ns or min((trade.created_ns for trade in trades), default=now_ns)
    began_ns = min(began_ns, *(listing.detected_at_ns for listing in watched)) if watched and not since_ns else began_ns
    return LatencyReport(
        since_ns=began_ns,
        until_ns=now_ns,
        stages=tuple(
            _stage(
                name,
                [(t.created_ns, value) for t in trades if (value := getattr(t, f"{name}_ns")) is not None],
                began_ns,
                now_ns,
            )
            for name in STAGES
        ),
        detection=_stage(
            "detection",
            [(one.opened_at_ns or one.detected_at_ns, one.detection_lag_ns or 0) for one in watched],
            began_ns,
            now_ns,
        ),
        sources=tuple(_sources(listing for listing in listings if listing.kind is not ListingKind.INJECTED)),
        attempts=_attempts(trades),
    )


def _stage(name: str, values: Sequence[tuple[int, int]], since_ns: int, until_ns: int) -> Stage:
    step_ns = max(1, -(-(until_ns - since_ns) // TREND_STEPS))
    parts: list[list[int]] = [[] for _ in range(TREND_STEPS)]
    for at_ns, value in values:
        parts[min(TREND_STEPS - 1, max(0, (at_ns - since_ns) // step_ns))].append(value)
    trend = []
    for number, part in enumerate(parts):
        part.sort()
        trend.append(TrendStep(since_ns + number * step_ns, len(part), percentile(part, 0.5), percentile(part, 0.95)))
    return Stage(name=name, spread=spread([value for _, value in values]), trend=tuple(trend))


def _sources(listings: Iterable[Listing]) -> Iterable[SourceFigures]:
    spoke: dict[SignalKind, int] = {}
    first: dict[SignalKind, int] = {}
    lags: dict[SignalKind, list[int]] = {}
    behind: dict[SignalKind, list[int]] = {}
    for listing in listings:
        first[listing.first_signal] = first.get(listing.first_signal, 0) + 1
        at_opening = [word.ts_recv_ns for word in listing.sources if word.kind not in EARLY]
        for word in listing.sources:
            spoke[word.kind] = spoke.get(word.kind, 0) + 1
            if word.lag_ns is not None:
                lags.setdefault(word.kind, []).append(word.lag_ns)
            if at_opening and word.kind not in EARLY:
                behind.setdefault(word.kind, []).append(word.ts_recv_ns - min(at_opening))
    for kind in SignalKind:
        if kind in spoke:
            yield SourceFigures(
                kind=kind,
                listings=spoke[kind],
                first=first.get(kind, 0),
                lag=spread(lags.get(kind, [])),
                behind=spread(behind.get(kind, [])),
            )


def _attempts(trades: Sequence[Trade]) -> Attempts:
    counted = dict.fromkeys(TradeStatus, 0)
    for trade in trades:
        counted[trade.status] += 1
    return Attempts(
        trades=len(trades),
        filled=counted[TradeStatus.FILLED] + counted[TradeStatus.PARTIALLY_FILLED],
        denied=counted[TradeStatus.REJECTED] + counted[TradeStatus.CANCELED],
        failed=counted[TradeStatus.FAILED],
        in_doubt=counted[TradeStatus.IN_DOUBT],
    )
