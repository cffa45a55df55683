"""A clock that moves only when told, and lets everything that waited for the new time run."""

import asyncio
import heapq
from itertools import count

from mexc_sniper.core.clock import NS_PER_S

START_WALL_NS = 1_795_000_000 * NS_PER_S


class ManualClock:
    """Implements `ports.Clock`."""

    def __init__(self) -> None:
        self.now = 1_000 * NS_PER_S
        self.step_ns = 0
        """How far the wall clock was stepped by hand."""
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def wall_ns(self) -> int:
        return START_WALL_NS + self.now + self.step_ns

    def mono_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self.until(self.now + round(seconds * NS_PER_S))

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        if mono_ns <= self.now:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (mono_ns, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass; every sleeper wakes at its own instant, in order."""
        end = self.now + round(seconds * NS_PER_S)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self.now = max(self.now, due)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self.now = end
        await settle()


async def settle() -> None:
    """Let everything that can run now run."""
    for _ in range(20):
        await asyncio.sleep(0)
