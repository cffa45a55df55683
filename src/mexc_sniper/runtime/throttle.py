"""How fast orders may leave (REFERENCE 1.3: orders and cancels share 12 requests a second; DESIGN 4: 5 by default).

Entries draw from a token bucket: the first five leave at once, the n-th at (n - 5) / rate. Cancels and exits have a
lane of their own: they wait for nothing but the venue's hard limit, of which a part is theirs alone, and what they
take is paid back by later entries. Pure: the instant is an argument.
"""

import heapq
from collections import deque
from enum import IntEnum
from typing import Generic, TypeVar

from mexc_sniper.core.clock import NS_PER_S

VENUE_LIMIT = 12
"""Requests in any one second, whatever they are."""
RESERVED = 2
"""Of those, kept free for cancels and exits."""
DEFAULT_RATE = 5
BURST = 5

T = TypeVar("T")


class Lane(IntEnum):
    """Who goes first among those that wait: the lower number."""

    CANCEL = 0
    EXIT = 1
    ENTRY = 2


class Throttle:
    """The one decision point: may a request leave now, and if not, when?"""

    def __init__(self, *, rate_per_s: int = DEFAULT_RATE, burst: int = BURST) -> None:
        """``rate_per_s``: entries a second in the long run, 1 to 12; ``burst``: how many at once, 1 to 10.

        Raises:
            ValueError: out of range.
        """
        if not 1 <= rate_per_s <= VENUE_LIMIT:
            raise ValueError(f"orders per second must be 1 to {VENUE_LIMIT}: {rate_per_s}")
        if not 1 <= burst <= VENUE_LIMIT - RESERVED:
            raise ValueError(f"a burst must be 1 to {VENUE_LIMIT - RESERVED} orders: {burst}")
        self._rate_per_s = rate_per_s
        self._token_ns = NS_PER_S // rate_per_s
        self._burst = burst
        self._full_at_ns = 0
        """The bucket as one number: the instant at which it will be full again; the further away, the emptier."""
        self._left: deque[int] = deque(maxlen=VENUE_LIMIT)
        """When the latest requests left; never more than the limit within a second, so no more need be known."""

    @property
    def per_second(self) -> float:
        """Entries a second in the long run."""
        return float(self._rate_per_s)

    def take(self, lane: Lane, now_ns: int) -> int:
        """Take room for one request: 0 when it may leave now, otherwise nanoseconds until it is worth asking again.

        ``now_ns`` is monotonic and never falls.
        """
        wait_ns = self.wait_ns(lane, now_ns)
        if wait_ns == 0:
            # An exit may overdraw the bucket, but by no more than one burst: entries must not starve for ever.
            deepest = now_ns + 2 * self._burst * self._token_ns
            self._full_at_ns = min(max(self._full_at_ns, now_ns) + self._token_ns, deepest)
            self._left.append(now_ns)
        return wait_ns

    def wait_ns(self, lane: Lane, now_ns: int) -> int:
        """What `take` would answer, without taking."""
        room = VENUE_LIMIT if lane is not Lane.ENTRY else VENUE_LIMIT - RESERVED
        at = now_ns
        if len(self._left) >= room:
            at = max(at, self._left[-room] + NS_PER_S)
        if lane is Lane.ENTRY:
            at = max(at, self._full_at_ns - (self._burst - 1) * self._token_ns)
        return at - now_ns

    def tokens(self, now_ns: int) -> float:
        """Entries that could leave at once, for the gauge; negative while exits are being paid back."""
        return self._burst - max(0, self._full_at_ns - now_ns) / self._token_ns

    def used_last_second(self, now_ns: int) -> int:
        """Requests that left within the last second, for the gauge."""
        return sum(now_ns - left < NS_PER_S for left in self._left)


class WaitingOrders(Generic[T]):
    """Orders that found no room: cancels first, then exits, then entries by value; equals in their order of arrival.

    Bounded: when full, the entry of least value makes room, or the newcomer is turned away.
    """

    def __init__(self, throttle: Throttle, *, limit: int = 500) -> None:
        self._throttle = throttle
        self._limit = limit
        self._heap: list[tuple[Lane, float, int, int, T]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._heap)

    def may_leave(self, lane: Lane, now_ns: int) -> bool:
        """Take room for a newcomer, unless someone who goes before it is waiting."""
        if self._heap and self._heap[0][0] <= lane:
            return False
        return self._throttle.take(lane, now_ns) == 0

    def add(self, what: T, lane: Lane, *, value: float, expires_ns: int) -> T | None:
        """Wait. Returns who is turned away because the queue is full: nobody (None), an entry, or the newcomer."""
        self._arrivals += 1
        place = (lane, -value, self._arrivals, expires_ns, what)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, place)
            return None
        last = max(self._heap, key=lambda waiting: waiting[:3])
        if place[:3] > last[:3]:
            return what
        self._heap.remove(last)
        heapq.heapify(self._heap)
        heapq.heappush(self._heap, place)
        return last[4]

    def due(self, now_ns: int) -> list[T]:
        """Take out, in their order, those for whom there is room now; call `expired` first."""
        leaving = []
        while self._heap and self._throttle.take(self._heap[0][0], now_ns) == 0:
            leaving.append(heapq.heappop(self._heap)[4])
        return leaving

    def expired(self, now_ns: int) -> list[T]:
        """Take out those that have lost their point, in the order of their arrival."""
        gone = sorted((waiting for waiting in self._heap if waiting[3] <= now_ns), key=lambda waiting: waiting[2])
        if gone:
            numbers = {waiting[2] for waiting in gone}
            self._heap = [waiting for waiting in self._heap if waiting[2] not in numbers]
            heapq.heapify(self._heap)
        return [waiting[4] for waiting in gone]

    def clear(self) -> list[T]:
        """Take everyone out, in their order: the gate closed."""
        everyone = [waiting[4] for waiting in sorted(self._heap, key=lambda waiting: waiting[:3])]
        self._heap.clear()
        return everyone

    def wake_ns(self, now_ns: int) -> int | None:
        """When `expired` and `due` should be called again; None while nobody waits."""
        if not self._heap:
            return None
        room_at = now_ns + self._throttle.wait_ns(self._heap[0][0], now_ns)
        return min(room_at, min(waiting[3] for waiting in self._heap))
