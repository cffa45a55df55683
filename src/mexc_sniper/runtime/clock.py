"""The clock that can be waited for, and the thread pool behind the loop (ports `Clock` and `Offload`)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S, SystemClock

T = TypeVar("T")

SPIN_NS = 5 * NS_PER_MS
"""A sleep ends 0.2 to 0.8 ms late, a loop of yields some 10 µs (DESIGN 9); the loop begins this long before."""
BUSY_NS = 200_000
"""The last stretch yields to nobody: whoever were let in might not be out in time."""


class LoopClock(SystemClock):
    """The machine's clocks, waited for on the running asyncio loop."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        left = mono_ns - self.mono_ns() - (SPIN_NS if exact else 0)
        if left > 0:
            await asyncio.sleep(left / NS_PER_S)
        while exact and self.mono_ns() < mono_ns - BUSY_NS:
            await asyncio.sleep(0)
        while exact and self.mono_ns() < mono_ns:
            pass


class ThreadOffload:
    """Runs blocking work on a few threads; close it when the loop ends."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="offload")

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let running work finish and start no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
