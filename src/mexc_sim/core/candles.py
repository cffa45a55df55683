"""Candles: modelled ones for the time before the simulator, counted ones for trades it has made itself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import pi, sin

from mexc_sim.core.numbers import text_of, units_of

MS_PER_MINUTE = 60_000
_MS_PER_DAY = 86_400_000
INTERVAL_MS: dict[str, int] = {
    "1m": MS_PER_MINUTE,
    "5m": 5 * MS_PER_MINUTE,
    "15m": 15 * MS_PER_MINUTE,
    "30m": 30 * MS_PER_MINUTE,
    "60m": 60 * MS_PER_MINUTE,
    "4h": 240 * MS_PER_MINUTE,
    "1d": _MS_PER_DAY,
    "1W": 7 * _MS_PER_DAY,
    "1M": 0,  # calendar months have no fixed length
}
"""REST intervals (REFERENCE 1.5)."""
STREAM_INTERVALS: dict[str, str] = {
    "Min1": "1m", "Min5": "5m", "Min15": "15m", "Min30": "30m", "Min60": "60m",
    "Hour4": "4h", "Hour8": "8h", "Day1": "1d", "Week1": "1W", "Month1": "1M",
}  # fmt: skip
"""Stream intervals (REFERENCE 2.3) and the REST interval each equals; Hour8 exists on the stream alone."""
_ALL_MS = {**INTERVAL_MS, "8h": 480 * MS_PER_MINUTE}
_MONDAY_MS = 4 * _MS_PER_DAY  # 1970-01-05
_KEPT_MINUTES = 4_320


@dataclass(slots=True)
class Candle:
    """One candle in ticks and steps; ``turnover`` in ticks x steps."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int

    def add(self, other: "Candle") -> None:
        """Take in a later candle."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.turnover += other.turnover


@dataclass(frozen=True, slots=True)
class History:
    """Trading that happened before the simulator, from ``first_ms`` until ``last_ms``."""

    first_ms: int
    last_ms: int
    mid: float
    phase: float

    def price(self, at_ms: int) -> float:
        """Modelled price at a time; a slow and a fast wave that end near ``mid``."""
        days = (self.last_ms - at_ms) / _MS_PER_DAY
        return self.mid * (1 + 0.35 * sin(2 * pi * days / 97 + self.phase) * min(1.0, days / 10)
                           + 0.05 * sin(2 * pi * days / 3.1 + self.phase) * min(1.0, days))  # fmt: skip


class Candles:
    """All candles of one pair."""

    def __init__(self, price_scale: int, quantity_scale: int, history: History | None) -> None:
        self._price_scale = price_scale
        self._quantity_scale = quantity_scale
        self.history = history
        self._minutes: dict[int, Candle] = {}

    def add_trade(self, price: int, quantity: int, at_ms: int) -> None:
        """Count one trade."""
        minute = at_ms - at_ms % MS_PER_MINUTE
        fresh = Candle(price, price, price, price, quantity, price * quantity)
        candle = self._minutes.get(minute)
        if candle is None:
            self._minutes[minute] = fresh
            if len(self._minutes) > _KEPT_MINUTES:
                del self._minutes[next(iter(self._minutes))]
        else:
            candle.add(fresh)

    def rows(self, interval: str, start_ms: int | None, end_ms: int, limit: int) -> list[list[object]]:
        """REST rows (REFERENCE 1.5), oldest first: from ``start_ms`` on, or the latest before ``end_ms``."""
        first = self._first_ms()
        if first is None:
            return []
        windows: list[int] = []
        if start_ms is None:
            cursor = window_start(interval, end_ms)
            while len(windows) < limit and cursor >= window_start(interval, first):
                if self._exists(cursor, window_end(interval, cursor)):
                    windows.append(cursor)
                cursor = window_start(interval, cursor - 1)
            windows.reverse()
        else:
            cursor = window_start(interval, max(start_ms, first))
            cursor = cursor if cursor >= start_ms else window_end(interval, cursor)
            while len(windows) < limit and cursor <= end_ms:
                if self._exists(cursor, window_end(interval, cursor)):
                    windows.append(cursor)
                cursor = window_end(interval, cursor)
        return [self._row(start, window_end(interval, start)) for start in windows]

    def window(self, interval: str, at_ms: int) -> tuple[int, int, Candle | None]:
        """(start, end, candle) of the window that contains ``at_ms``; times in ms."""
        start = window_start(interval, at_ms)
        end = window_end(interval, start)
        return start, end, self._candle(start, end)

    def _first_ms(self) -> int | None:
        if self.history is not None:
            return self.history.first_ms
        return next(iter(self._minutes), None)

    def _exists(self, start: int, end: int) -> bool:
        history = self.history
        if history is not None and start < history.last_ms and end > history.first_ms:
            return True
        return any(start <= minute < end for minute in self._minutes)

    def _candle(self, start: int, end: int) -> Candle | None:
        total: Candle | None = None
        history = self.history
        if history is not None and start < history.last_ms and end > history.first_ms:
            total = self._modelled(history, max(start, history.first_ms), min(end, history.last_ms))
        for minute, candle in self._minutes.items():
            if start <= minute < end:
                if total is None:
                    total = Candle(candle.open, candle.high, candle.low, candle.close, candle.volume, candle.turnover)
                else:
                    total.add(candle)
        return total

    def _modelled(self, history: History, start: int, end: int) -> Candle:
        ticks = [units_of(history.price(start + (end - start) * step // 4), self._price_scale) for step in range(5)]
        volume = max(1, (end - start) * 10**self._quantity_scale // max(1, int(history.mid * 40) + 20))
        return Candle(ticks[0], max(ticks), min(ticks), ticks[-1], volume, volume * ticks[2])

    def _row(self, start: int, end: int) -> list[object]:
        candle = self._candle(start, end)
        if candle is None:  # pragma: no cover - guarded by _exists
            raise AssertionError("a window without candle was chosen")
        prices = (candle.open, candle.high, candle.low, candle.close)
        return [
            start,
            *(text_of(price, self._price_scale) for price in prices),
            text_of(candle.volume, self._quantity_scale),
            end,
            text_of(candle.turnover, self._price_scale + self._quantity_scale),
        ]


def window_start(interval: str, at_ms: int) -> int:
    """Open time of the window containing ``at_ms`` (UTC; weeks begin on Monday)."""
    if interval == "1M":
        moment = datetime.fromtimestamp(max(0, at_ms) // 1000, UTC)
        return int(moment.replace(day=1, hour=0, minute=0, second=0).timestamp()) * 1000
    length = _ALL_MS[interval]
    offset = _MONDAY_MS if interval == "1W" else 0
    return at_ms - (at_ms - offset) % length


def window_end(interval: str, start_ms: int) -> int:
    """Open time of the next window."""
    if interval == "1M":
        return window_start("1M", start_ms + 32 * _MS_PER_DAY)
    return start_ms + _ALL_MS[interval]
