"""Time: the only place that reads the machine's clocks, and the only place that writes times as text.

Wall time (UNIX nanoseconds, UTC) is for records; monotonic time is for durations and timers. A name says which
(`…_ns` is wall time unless it is called ``mono_ns``) and in which unit.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockReader(Protocol):
    """What a component may know about time without waiting for it."""

    def wall_ns(self) -> int:
        """Return UNIX nanoseconds, UTC; may step."""
        ...

    def mono_ns(self) -> int:
        """Return nanoseconds of a clock that never steps; only differences mean anything."""
        ...


class SystemClock:
    """The machine's clocks."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def mono_ns(self) -> int:
        return time.monotonic_ns()


def iso_from_ns(ns: int) -> str:
    """Write UNIX nanoseconds as ISO-8601 in UTC with milliseconds, such as ``2026-11-22T11:30:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=ns // NS_PER_MS)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def ns_from_iso(text: str) -> int:
    """Read an ISO-8601 time that names its zone; returns UNIX nanoseconds.

    Raises:
        ValueError: when the text is no ISO time or names no zone (a local time is a guess).
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {text[:64]!r}; write it with Z or an offset")
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S + delta.microseconds * 1_000


def ns_from_ms(milliseconds: int) -> int:
    """Convert the venue's milliseconds to nanoseconds."""
    return milliseconds * NS_PER_MS
