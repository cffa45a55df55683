"""Who waits for an fsync."""

import asyncio

import structlog

from mexc_sniper.core.errors import StoreError

_log = structlog.get_logger()


class Waiter:
    """A caller on a loop waiting for the fsync of everything up to a record."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def settle(self, failure: StoreError | None) -> None:
        """Tell the waiter; a loop that has ended no longer waits."""
        try:
            self._loop.call_soon_threadsafe(self._finish, failure)
        except RuntimeError:
            _log.debug("journal_waiter_without_loop")

    def _finish(self, failure: StoreError | None) -> None:
        if self.done.done():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)
