"""Candles: modelled ones for the time before the simulator, counted ones for trades it has made itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
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

    def copy(self) -> "Candle":
        """A candle of its own with the same figures."""
        return replace(self)

    def followed_by(self, later: "Candle") -> "Candle":
        """Both candles as one."""
        return Candle(
            self.open,
            max(self.high, later.high),
            min(self.low, later.low),
            later.close,
            self.volume + later.volume,
            self.turnover + later.turnover,
        )


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
            self._minutes[minute] = candle.followed_by(fresh)

    def rows(self, interval: str, start_ms: int | None, end_ms: int, limit: int) -> list[list[object]]:
        """REST rows (REFERENCE 1.5), oldest first: from ``start_ms`` on, or the latest before ``end_ms``."""
        counted = self._counted(interval)
        if start_ms is None:
            latest = list(islice(self._backward(interval, end_ms, counted), limit))
            windows = latest[::-1]
        else:
            windows = list(islice(self._forward(interval, start_ms, end_ms, counted), limit))
        return [self._row(start, window_end(interval, start), counted.get(start)) for start in windows]

    def window(self, interval: str, at_ms: int) -> tuple[int, int, Candle | None]:
        """(start, end, candle) of the window that contains ``at_ms``; times in ms."""
        start = window_start(interval, at_ms)
        end = window_end(interval, start)
        counted: Candle | None = None
        for minute, candle in reversed(self._minutes.items()):
            if minute < start:
                break
            if minute < end:
                counted = candle.copy() if counted is None else candle.followed_by(counted)
        return start, end, self._whole(start, end, counted)

    def _counted(self, interval: str) -> dict[int, Candle]:
        """Candles of the trades made here, by window start, oldest first."""
        found: dict[int, Candle] = {}
        for minute, candle in self._minutes.items():
            start = window_start(interval, minute)
            known = found.get(start)
            found[start] = candle.copy() if known is None else known.followed_by(candle)
        return found

    def _backward(self, interval: str, end_ms: int, counted: dict[int, Candle]) -> Iterator[int]:
        """Window starts with a candle up to ``end_ms``, newest first; gaps cost nothing."""
        yield from (start for start in reversed(counted) if start <= end_ms)
        history = self.history
        if history is None:
            return
        cursor = window_start(interval, min(end_ms, history.last_ms - 1))
        while window_end(interval, cursor) > history.first_ms:
            if cursor not in counted:
                yield cursor
            cursor = window_start(interval, cursor - 1)

    def _forward(self, interval: str, start_ms: int, end_ms: int, counted: dict[int, Candle]) -> Iterator[int]:
        """Window starts with a candle from ``start_ms`` to ``end_ms``, oldest first."""
        history = self.history
        if history is not None and start_ms <= end_ms:
            cursor = window_start(interval, max(start_ms, history.first_ms))
            while cursor < history.last_ms and cursor <= end_ms:
                if cursor >= start_ms and cursor not in counted:
                    yield cursor
                cursor = window_end(interval, cursor)
        yield from (start for start in counted if start_ms <= start <= end_ms)

    def _whole(self, start: int, end: int, counted: Candle | None) -> Candle | None:
        """The modelled part of a window followed by the counted one."""
        history = self.history
        if history is None or start >= history.last_ms or end <= history.first_ms:
            return counted
        modelled = self._modelled(history, max(start, history.first_ms), min(end, history.last_ms))
        return modelled if counted is None else modelled.followed_by(counted)

    def _modelled(self, history: History, start: int, end: int) -> Candle:
        ticks = [units_of(history.price(start + (end - start) * step // 4), self._price_scale) for step in range(5)]
        volume = max(1, (end - start) * 10**self._quantity_scale // max(1, int(history.mid * 40) + 20))
        return Candle(ticks[0], max(ticks), min(ticks), ticks[-1], volume, volume * ticks[2])

    def _row(self, start: int, end: int, counted: Candle | None) -> list[object]:
        candle = self._whole(start, end, counted)
        if candle is None:  # pragma: no cover - only windows with a candle are chosen
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
