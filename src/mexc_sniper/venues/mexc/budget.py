"""The venue's rate limits as a budget: weight in ten seconds, requests in one, and waits it ordered (REFERENCE 1.3)."""

from collections import deque

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import RateLimited, ThrottleTimeout
from mexc_sniper.ports import Clock

WEIGHT_LIMIT = 300
"""Per 10 s and address. Documents say 500, readers of 2026 say 300: the lower counts."""
WEIGHT_WINDOW_S = 10
REQUESTS_PER_S = 20
EXPONENTIAL_CAP_S = 600.0
"""Without Retry-After a 429 may last ten minutes (REFERENCE 1.3, FAQ Q4)."""


class WeightBudget:
    """Admits calls so that no window ever holds more than the limits; refuses all while the venue said wait."""

    def __init__(self, clock: Clock, *, weight_limit: int = WEIGHT_LIMIT, requests_per_s: int = REQUESTS_PER_S) -> None:
        self._clock = clock
        self._weight_limit = weight_limit
        self._requests_per_s = requests_per_s
        self._spent: deque[tuple[int, int]] = deque()
        self._weight = 0
        self._blocked_until = 0
        self._block_reason = ""
        self._refusals = 0

    @property
    def weight_used(self) -> int:
        """Weight spent in the last ten seconds."""
        self._forget()
        return self._weight

    def blocked_for_s(self) -> float:
        """Seconds until the venue may be asked again; 0 when it may now."""
        return max(0.0, (self._blocked_until - self._clock.mono_ns()) / NS_PER_S)

    def block(self, retry_after_s: float | None, reason: str) -> None:
        """Stop all calls because the venue said so; without a time: 1, 2, 4 … 600 s."""
        if retry_after_s is None:
            retry_after_s = min(2.0**self._refusals, EXPONENTIAL_CAP_S)
        self._refusals += 1
        self._block_reason = reason
        self._blocked_until = max(self._blocked_until, self._clock.mono_ns() + int(retry_after_s * NS_PER_S))

    def served(self) -> None:
        """Note that the venue answered normally: the next refusal starts over at one second."""
        self._refusals = 0

    async def acquire(self, weight: int, *, deadline_s: float, share: float = 1.0) -> None:
        """Wait for room and take it.

        Args:
            weight: of the call.
            deadline_s: how long to wait for room.
            share: part of the limits this caller may fill; less leaves room for the others.

        Raises:
            RateLimited: the venue ordered a wait that is not over.
            ThrottleTimeout: no room in time.
        """
        give_up = self._clock.mono_ns() + int(deadline_s * NS_PER_S)
        while True:
            if (left := self.blocked_for_s()) > 0:
                raise RateLimited(self._block_reason, retry_after_s=left)
            free_at = self._free_at(weight, share)
            if free_at <= self._clock.mono_ns():
                break
            if free_at > give_up:
                raise ThrottleTimeout(f"no room for weight {weight} within {deadline_s:g} s")
            await self._clock.until(free_at)
        self._spent.append((self._clock.mono_ns(), weight))
        self._weight += weight

    def _forget(self) -> None:
        horizon = self._clock.mono_ns() - WEIGHT_WINDOW_S * NS_PER_S
        while self._spent and self._spent[0][0] <= horizon:
            self._weight -= self._spent.popleft()[1]

    def _free_at(self, weight: int, share: float) -> int:
        """The earliest instant at which a call of this weight fits."""
        self._forget()
        now = self._clock.mono_ns()
        at = now
        excess = self._weight + weight - int(self._weight_limit * share)
        if excess > 0:
            for spent_at, spent in self._spent:
                excess -= spent
                at = spent_at + WEIGHT_WINDOW_S * NS_PER_S
                if excess <= 0:
                    break
        per_second = max(1, int(self._requests_per_s * share))
        if len(self._spent) >= per_second:
            at = max(at, self._spent[-per_second][0] + NS_PER_S)
        return at
