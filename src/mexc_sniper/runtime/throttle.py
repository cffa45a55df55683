"""The order-rate limit: a bucket with a reserved lane, so that an exit never queues behind entries.

The venue counts order requests in one pool (12 a second, REFERENCE 1.3); ours is smaller and keeps a part of it for
what only reduces risk.
"""

from enum import Enum

from mexc_sniper.core.clock import NS_PER_S

MAX_PER_S = 12


class Lane(Enum):
    """Who asks: an entry, or a cancel or exit."""

    ENTRY = "entry"
    EXIT = "exit"


class Throttle:
    """Hands out permissions at a rate; the first ``burst`` at once.

    Pure: time is passed in. One permission is one request; a wait returned is no permission, ask again after it.
    """

    def __init__(self, *, per_s: float = 5.0, burst: int = 5, reserved: int = 2) -> None:
        """``reserved`` permissions exist beside the burst and are for exits alone.

        Raises:
            ValueError: a rate outside 0…12, or a burst below 1.
        """
        if not 0 < per_s <= MAX_PER_S:
            raise ValueError(f"orders per second must be above 0 and at most {MAX_PER_S}: {per_s}")
        if burst < 1 or reserved < 0:
            raise ValueError(f"burst must be at least 1 and reserved not negative: {burst}, {reserved}")
        self._gap_ns = int(NS_PER_S / per_s)
        self._burst = burst
        self._reserved = reserved
        self._entry_due_ns: int | None = None
        self._exit_due_ns: int | None = None

    def take(self, lane: Lane, now_ns: int) -> int:
        """Take one permission: returns 0, or the nanoseconds after which to ask again."""
        if lane is Lane.EXIT and (wait := self._take_exit(now_ns)) == 0:
            return wait
        due_ns = now_ns if self._entry_due_ns is None else max(self._entry_due_ns, now_ns)
        ahead_ns = due_ns - now_ns
        if ahead_ns > (self._burst - 1) * self._gap_ns:
            return ahead_ns - (self._burst - 1) * self._gap_ns
        self._entry_due_ns = due_ns + self._gap_ns
        return 0

    def room(self, now_ns: int) -> int:
        """Return how many entries could leave at this instant."""
        ahead_ns = 0 if self._entry_due_ns is None else max(0, self._entry_due_ns - now_ns)
        return max(0, self._burst - -(-ahead_ns // self._gap_ns))

    def _take_exit(self, now_ns: int) -> int:
        if self._reserved == 0:
            return 1
        due_ns = now_ns if self._exit_due_ns is None else max(self._exit_due_ns, now_ns)
        ahead_ns = due_ns - now_ns
        if ahead_ns > (self._reserved - 1) * self._gap_ns:
            return ahead_ns - (self._reserved - 1) * self._gap_ns
        self._exit_due_ns = due_ns + self._gap_ns
        return 0
