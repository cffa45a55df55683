"""Learn at once that the other process committed something: SQLite by polling a counter, PostgreSQL by LISTEN."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import structlog

from mexc_sniper.ledger.connections import STATEMENT_TIMEOUT_MS, postgres_arguments, sqlite_connect
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.postgres_store import CHANNEL

POLL_S = 0.003
"""Between two looks at ``PRAGMA data_version`` (2 µs each, DESIGN 2)."""

SAFETY_POLL_S = 1.0
"""On PostgreSQL, how long a lost notification can hide a commit."""

_log = structlog.get_logger()


class Tail:
    """One waiter's eye on one database; several waiters each take their own.

    The first `wait` answers True at once, so a consumer that reads, waits and reads again misses nothing. A True
    may be spurious; a False means nothing was seen in time.
    """

    def __init__(self, path: Path | None, location: LedgerLocation, channel: str, *, poll_s: float) -> None:
        """Do no I/O. ``path`` is the SQLite file to watch; None listens on ``channel`` of a PostgreSQL location."""
        self._eye: _FileEye | _ServerEye = (
            _ServerEye(location, channel) if path is None else _FileEye(path, poll_s=poll_s)
        )

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something was committed since the last True, at most ``timeout_s``."""
        return await self._eye.wait(timeout_s)

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Read rows on the tail's own connection; none while the database cannot be read (then `wait` wakes again)."""
        return await self._eye.fetch(sql)

    async def changes(self) -> AsyncIterator[None]:
        """Yield at once, and then whenever something was committed, until closed by the caller."""
        while True:
            if await self.wait(60.0):
                yield

    async def aclose(self) -> None:
        """Let go of the connection; the tail can be used again and opens a new one."""
        await self._eye.aclose()


class LedgerTail(Tail):
    """Wakes when the engine has committed."""

    def __init__(self, location: LedgerLocation, *, poll_s: float = POLL_S) -> None:
        super().__init__(location.sqlite.ledger if location.is_sqlite else None, location, CHANNEL, poll_s=poll_s)


class _FileEye:
    """Polls the counter that SQLite keeps for "somebody else committed"; the file need not exist yet."""

    def __init__(self, path: Path, *, poll_s: float) -> None:
        self._path = path
        self._poll_s = poll_s
        self._db: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._first = True
        self._down = False

    async def wait(self, timeout_s: float) -> bool:
        if self._first:
            self._first = False
            self._moved()
            return True
        expires = monotonic() + timeout_s
        while not self._moved():
            left = expires - monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(self._poll_s, left))
        return True

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        if self._db is None:
            return []
        try:
            rows = self._db.execute(sql).fetchall()
        except sqlite3.Error as fault:
            self._forget()
            if not self._down:
                self._down = True
                _log.warning("ledger_tail_lost", file=str(self._path), reason=str(fault))
            return []
        if self._down:
            self._down = False
            _log.info("ledger_tail_recovered", file=str(self._path))
        return rows

    async def aclose(self) -> None:
        self._forget()

    def _moved(self) -> bool:
        try:
            if self._db is None:
                self._db = sqlite_connect(self._path, mode="ro", busy_timeout_s=0.0)
                self._seen = None
            now = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:  # not there yet, or being replaced
            self._forget()
            return False
        moved = now != self._seen
        self._seen = now
        return moved

    def _forget(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None


class _ServerEye:
    """Listens, and looks by itself now and then in case a notification or the connection was lost."""

    def __init__(self, location: LedgerLocation, channel: str) -> None:
        self._location = location
        self._channel = channel
        self._db: psycopg.AsyncConnection[Any] | None = None
        self._down = False
        self._next_attempt = 0.0
        self._look_at = monotonic()

    async def wait(self, timeout_s: float) -> bool:
        expires = monotonic() + timeout_s
        while True:
            now = monotonic()
            left = max(0.0, expires - now)
            if self._db is None:
                woken = await self._connect(left)  # whatever was committed before we listened
            else:
                woken = await self._notified(max(0.0, min(left, self._look_at - now)))
            if woken or monotonic() >= self._look_at:
                self._look_at = monotonic() + SAFETY_POLL_S
                return True
            if left <= 0.0:
                return False

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        if self._db is None:
            return []
        try:
            async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000 + 1):
                cursor = await self._db.execute(sql)
                return await cursor.fetchall()
        except (psycopg.Error, OSError, TimeoutError) as fault:
            await self._lost(fault)
            return []

    async def aclose(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with suppress(psycopg.Error):
                await db.close()

    async def _connect(self, at_most_s: float) -> bool:
        pause = self._next_attempt - monotonic()
        if pause > 0:
            await asyncio.sleep(min(pause, at_most_s))
            if pause > at_most_s:
                return False
        try:
            self._db = await psycopg.AsyncConnection.connect(
                **postgres_arguments(self._location, read_only=True), autocommit=True
            )
            await self._db.execute(f"LISTEN {self._channel}")
        except (psycopg.Error, OSError) as fault:
            await self._lost(fault)
            return False
        if self._down:
            self._down = False
            _log.info("ledger_tail_recovered", channel=self._channel)
        return True

    async def _notified(self, at_most_s: float) -> bool:
        if self._db is None:
            return False
        try:
            async for _ in self._db.notifies(timeout=at_most_s, stop_after=1):
                return True
        except (psycopg.Error, OSError) as fault:
            await self._lost(fault)
        return False

    async def _lost(self, fault: Exception) -> None:
        self._next_attempt = monotonic() + 0.25
        if not self._down:
            self._down = True
            _log.warning("ledger_tail_lost", channel=self._channel, reason=type(fault).__name__)
        await self.aclose()
