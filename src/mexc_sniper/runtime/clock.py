"""The clock that can be waited for, and the thread pool behind the loop (ports `Clock` and `Offload`)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mexc_sniper.core.clock import NS_PER_S, SystemClock

T = TypeVar("T")


class LoopClock(SystemClock):
    """The machine's clocks, waited for on the running asyncio loop."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, mono_ns: int) -> None:
        left = mono_ns - self.mono_ns()
        if left > 0:
            await asyncio.sleep(left / NS_PER_S)


class ThreadOffload:
    """Runs blocking work on a few threads; close it when the loop ends."""

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="offload")

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let running work finish and start no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
