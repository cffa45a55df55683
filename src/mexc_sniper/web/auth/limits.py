"""Limits on asking: token buckets per caller, and a slow-down for those who guess."""

from collections import OrderedDict

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.web.errors import ApiError

MAX_KEYS = 4_096
"""Callers remembered; when full, the one not seen for longest is forgotten (and starts with a full bucket)."""


class Buckets:
    """One token bucket per key: ``per_minute`` on average, a minute's worth at once."""

    def __init__(self, per_minute: int, clock: ClockReader) -> None:
        self._size = float(per_minute)
        self._per_ns = per_minute / 60 / NS_PER_S
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Take one; returns 0, or the seconds until there is one (then nothing was taken)."""
        now_ns = self._clock.mono_ns()
        left, at_ns = self._left.pop(key, (self._size, now_ns))
        left = min(self._size, left + (now_ns - at_ns) * self._per_ns)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._per_ns / NS_PER_S
        self._left[key] = (left if wait_s else left - 1, now_ns)
        if len(self._left) > MAX_KEYS:
            self._left.popitem(last=False)
        return wait_s

    def take(self, key: str, what: str) -> None:
        """Take one.

        Raises:
            ApiError: 429 ``rate_limited`` when there is none.
        """
        if wait_s := self.wait_s(key):
            raise too_many(f"Too many {what}; the limit is {self._size:.0f} a minute.", wait_s)


def too_many(message: str, wait_s: float) -> ApiError:
    """Refuse with 429 and the seconds to wait."""
    seconds = max(1, round(wait_s + 0.5))
    return ApiError(
        429,
        "rate_limited",
        message,
        details={"retryAfterSeconds": seconds},
        headers={"retry-after": str(seconds)},
    )


class GuessThrottle:
    """Slows down those who present wrong secrets, per address.

    It is asked only after a secret was found wrong: a right one passes at any time, so guessing locks nobody out.
    That is sound because every secret here has 256 random bits; it must not be reused for passwords.
    After ``FREE`` failures the answer becomes 429 with a wait of 1 s, doubling up to 5 minutes; ten quiet minutes
    forget it.
    """

    FREE = 5
    MAX_WAIT_S = 300.0
    FORGET_S = 600.0

    def __init__(self, clock: ClockReader) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def failed(self, address: str, refusal: ApiError) -> ApiError:
        """Count one wrong secret; returns what to answer: ``refusal``, or 429 for a caller to be slowed down."""
        now_ns = self._clock.mono_ns()
        count, last_ns = self._failures.pop(address, (0, now_ns))
        quiet_s = (now_ns - last_ns) / NS_PER_S
        if quiet_s >= self.FORGET_S:
            count = 0
        wait_s = 0.0 if count < self.FREE else min(self.MAX_WAIT_S, 2.0 ** (count - self.FREE))
        early = count >= self.FREE and quiet_s < wait_s
        # Knocking early is answered without being counted, or a loop of requests would reach the longest wait.
        self._failures[address] = (count, last_ns) if early else (count + 1, now_ns)
        if len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)
        return too_many("Too many wrong sign-ins from this address.", wait_s - quiet_s) if early else refusal
