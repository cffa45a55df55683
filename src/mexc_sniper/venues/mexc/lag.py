"""Source lag: venue time of a message to its arrival here, in the venue's clock, as a running median."""

from collections import deque
from collections.abc import Callable
from statistics import median

from mexc_sniper.core.clock import NS_PER_MS


class LagMeter:
    """Median over the last hundred messages that carried a time."""

    def __init__(self, venue_offset_ns: Callable[[], int]) -> None:
        self._offset = venue_offset_ns
        self._lags_ms: deque[float] = deque(maxlen=101)

    def note(self, ts_event_ns: int | None, wall_ns: int) -> None:
        """Take one message; without a venue time it says nothing."""
        if ts_event_ns is not None:
            self._lags_ms.append((wall_ns + self._offset() - ts_event_ns) / NS_PER_MS)

    def p50_ms(self) -> float | None:
        """The median in ms, one decimal; None before the first message. May be negative by the clock's uncertainty."""
        return round(median(self._lags_ms), 1) if self._lags_ms else None
