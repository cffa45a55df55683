"""Percentiles, histograms and windows: the arithmetic the reports share. Durations are ns."""

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S


class Window(StrEnum):
    """How far a report looks back."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    def since_ns(self, now_ns: int) -> int:
        """The wall time (ns) at which the window begins; 0 for everything."""
        return 0 if self is Window.ALL else now_ns - _LENGTHS_NS[self]


_HOUR_NS = 3_600 * NS_PER_S
_LENGTHS_NS = {
    Window.HOUR: _HOUR_NS,
    Window.DAY: 24 * _HOUR_NS,
    Window.WEEK: 7 * 24 * _HOUR_NS,
    Window.MONTH: 30 * 24 * _HOUR_NS,
}

EDGES_NS = tuple(step * 10**power for power in range(4, 10) for step in (1, 2, 5) if step * 10**power <= 5 * NS_PER_S)
"""Upper edges of the histogram's bins: 10 µs to 5 s in steps of 1, 2, 5; what is longer is in one more bin."""


class Bin(msgspec.Struct, frozen=True):
    """How many values lie above the bin before and not above ``up_to_ns`` (None: no upper end)."""

    up_to_ns: int | None
    count: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a number of durations is spread; nothing but ``count`` where there is none."""

    count: int
    p50_ns: int | None = None
    p95_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None
    bins: tuple[Bin, ...] = ()
    """From the first bin that holds something to the last that does."""


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """Return the value at or below which ``share`` of the ascending values lie (nearest rank); None for none."""
    if not ordered:
        return None
    return ordered[max(0, -(-int(len(ordered) * share * 1_000_000) // 1_000_000) - 1)]


def spread(values: Sequence[int]) -> Spread:
    """Sum up durations."""
    ordered = sorted(values)
    if not ordered:
        return Spread(count=0)
    counts = [0] * (len(EDGES_NS) + 1)
    for value in ordered:
        counts[bisect_left(EDGES_NS, value)] += 1
    first = next(i for i, count in enumerate(counts) if count)
    last = len(counts) - next(i for i, count in enumerate(reversed(counts)) if count)
    edges: tuple[int | None, ...] = (*EDGES_NS, None)
    return Spread(
        count=len(ordered),
        p50_ns=percentile(ordered, 0.50),
        p95_ns=percentile(ordered, 0.95),
        p99_ns=percentile(ordered, 0.99),
        max_ns=ordered[-1],
        bins=tuple(Bin(edges[i], counts[i]) for i in range(first, last)),
    )


def ms(ns: int | None) -> float | None:
    """An optional duration in ms, to the microsecond."""
    return None if ns is None else round(ns / NS_PER_MS, 3)
