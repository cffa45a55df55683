"""Planned work on the exchange's virtual time."""

import heapq
from collections.abc import Callable
from itertools import count

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

Callback = Callable[[int], None]
"""Called with the instant it was due (UNIX ns), in order of due time, first planned first."""


class Timer:
    """A planned call; `cancel` is idempotent."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Timers:
    """A heap of planned calls. `now_ns` never runs backwards."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = count()
        self._horizon_ns = now_ns

    def at(self, due_ns: int, callback: Callback) -> Timer:
        """Plan a call; one that is already due runs at the next `advance`, before later ones."""
        timer = Timer(callback)
        heapq.heappush(self._heap, (due_ns, next(self._order), timer))
        return timer

    def after(self, delay_ns: int, callback: Callback) -> Timer:
        """Plan a call relative to now."""
        return self.at(self.now_ns + delay_ns, callback)

    def again(self, due_ns: int, delay_ns: int, callback: Callback) -> Timer:
        """Plan the next of a repeating call from its last due time, without catching up more than a second.

        After a suspended laptop the simulator must not replay hours of ticks at once.
        """
        return self.at(max(due_ns, self._horizon_ns - NS_PER_S) + delay_ns, callback)

    def advance(self, now_ns: int) -> None:
        """Run everything due up to ``now_ns``, each at its own due time."""
        self._horizon_ns = max(now_ns, self._horizon_ns)
        while self._heap and self._heap[0][0] <= self._horizon_ns:
            due_ns, _, timer = heapq.heappop(self._heap)
            if timer.cancelled:
                continue
            self.now_ns = max(self.now_ns, due_ns)
            timer.callback(self.now_ns)
        self.now_ns = self._horizon_ns

    @property
    def next_due_ns(self) -> int | None:
        """When the next planned call is due."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
