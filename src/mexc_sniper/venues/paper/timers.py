"""Instants at which something of the paper venue is due, in order; equal ones in the order they were set."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from mexc_sniper.ports import Clock


class Timers:
    """A heap of callbacks on the injected monotonic clock. Bounded by its users: one per order or cancel on its way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, mono_ns: int, callback: Callable[[], None]) -> None:
        """Have ``callback`` called at an instant; it must not raise but for a bug of ours."""
        heapq.heappush(self._heap, (mono_ns, next(self._order), callback))
        self._changed.set()

    def run_due(self, mono_ns: int) -> None:
        """Call everything due until ``mono_ns``, including what that sets."""
        while self._heap and self._heap[0][0] <= mono_ns:
            heapq.heappop(self._heap)[2]()

    async def run(self) -> None:
        """Call what falls due until cancelled."""
        while True:
            self._changed.clear()
            self.run_due(self._clock.mono_ns())
            if not self._heap:
                await self._changed.wait()
            elif not self._changed.is_set():
                await self._until(self._heap[0][0])

    async def _until(self, mono_ns: int) -> None:
        waits = (
            asyncio.ensure_future(self._clock.until(mono_ns)),
            asyncio.ensure_future(self._changed.wait()),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:  # not awaited: that could swallow a cancellation of the caller
            for wait in waits:
                wait.cancel()
