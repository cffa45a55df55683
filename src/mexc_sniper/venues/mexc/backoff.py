"""When to try again: 1, 2, 4, 8, 16, 30, 30 … seconds, spread by chance, and never more than a few a minute."""

from collections import deque
from random import Random

from mexc_sniper.core.clock import NS_PER_S

FIRST_S = 1.0
CAP_S = 30.0
SPREAD = 0.25
ATTEMPTS_PER_MINUTE = 30


class Backoff:
    """Counts failures in a row; `reset` when the other side proved that it serves."""

    def __init__(self, random: Random, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._random = random
        self._first_s = first_s
        self._cap_s = cap_s
        self.failures = 0
        self._attempts: deque[int] = deque(maxlen=ATTEMPTS_PER_MINUTE)

    def reset(self) -> None:
        """Start over at the first step."""
        self.failures = 0

    def next_delay_s(self) -> float:
        """Count one failure and return the seconds to wait, within a quarter of the step and never above the cap."""
        step = min(self._first_s * (1 << min(self.failures, 16)), self._cap_s)
        self.failures += 1
        return min(step * self._random.uniform(1 - SPREAD, 1 + SPREAD), self._cap_s)

    def attempted(self, mono_ns: int) -> None:
        """Note an attempt, for `storm_wait_s`."""
        self._attempts.append(mono_ns)

    def storm_wait_s(self, mono_ns: int) -> float:
        """Seconds until another attempt stays within the attempts allowed in a minute; 0 when one may start now."""
        if len(self._attempts) < ATTEMPTS_PER_MINUTE:
            return 0.0
        return max(0.0, 60 - (mono_ns - self._attempts[0]) / NS_PER_S)
