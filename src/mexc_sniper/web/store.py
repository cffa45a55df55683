"""The ledger's synchronous calls, run beside the loop: a slow database delays its caller, never the other pages."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mexc_sniper import telemetry
from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger.inbox import WebInbox
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.reader import LedgerReader

T = TypeVar("T")

READ_THREADS = 4
DEADLINE_S = 5.0
"""A call that takes longer fails for its caller; its thread stays busy until the database answers."""


class Store:
    """Ledger, inbox and live figures of one web process. The inbox has a single thread: one writer per file."""

    def __init__(self, location: LedgerLocation, clock: ClockReader) -> None:
        self._reader = LedgerReader(location)
        self._inbox = WebInbox(location)
        self._live = LiveStore(location)
        self._clock = clock
        self._read_threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="web-read")
        self._inbox_thread = ThreadPoolExecutor(1, thread_name_prefix="web-inbox")

    async def read(self, work: Callable[[LedgerReader], T]) -> T:
        """Read the ledger.

        Raises:
            StoreError: when it cannot be read within `DEADLINE_S`.
        """
        return await self._run(self._read_threads, "web_read", lambda: work(self._reader))

    async def inbox_read(self, work: Callable[[WebInbox], T]) -> T:
        """Read sessions and tokens; errors as `inbox`. Nobody waits here for another's fsync."""
        return await self._run(self._read_threads, "web_inbox_read", lambda: work(self._inbox))

    async def inbox(self, work: Callable[[WebInbox], T]) -> T:
        """Write commands, sessions and tokens.

        Raises:
            StoreError: when that is not done within `DEADLINE_S`.
        """
        return await self._run(self._inbox_thread, "web_inbox", lambda: work(self._inbox))

    async def figures(self) -> dict[str, tuple[bytes, int]]:
        """Return every live figure with the time it was written (UNIX ns); none when they cannot be read."""
        return await self._run(self._read_threads, "web_live", self._live.get_all)

    async def ready(self) -> bool:
        """Whether the ledger can be read and holds this build's tables."""
        try:
            return await self.read(lambda reader: reader.ready())
        except StoreError:
            return False

    async def _run(self, pool: ThreadPoolExecutor, operation: str, work: Callable[[], T]) -> T:
        started_ns = self._clock.mono_ns()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await asyncio.get_running_loop().run_in_executor(pool, work)
        except TimeoutError:
            raise StoreError(f"the ledger did not answer within {DEADLINE_S:.0f} s") from None
        except ConfigError as error:
            # While serving, a wrong setting (a file moved away, a password changed) is an outage that may heal.
            raise StoreError(str(error)) from error
        finally:
            took_ns = self._clock.mono_ns() - started_ns
            telemetry.DB_SECONDS.labels(operation=operation).observe(took_ns / NS_PER_S)

    async def aclose(self) -> None:
        """Let running calls finish, then close the connections."""
        for pool in (self._read_threads, self._inbox_thread):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
        self._reader.close()
        self._inbox.close()
        self._live.close_reader()
