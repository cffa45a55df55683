"""Figures that change too fast for the ledger: the latest value of each, overwritten in place, allowed to be lost."""

import sqlite3
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
import structlog

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import SniperError
from mexc_sniper.ledger.codec import column_text
from mexc_sniper.ledger.connections import postgres_connect, sqlite_connect, sqlite_writer
from mexc_sniper.ledger.faults import fault_of
from mexc_sniper.ledger.location import LedgerLocation

WRITE_EVERY_S = 0.25
"""Time between two writes: four a second (DESIGN 2)."""

MAX_KEYS = 5_000
"""Figures that may wait for a write; a new name beyond it is dropped, a known one replaced."""

STALE_NS = 3_600 * NS_PER_S
"""A figure nobody renewed for an hour is deleted."""

_CREATE_SQLITE = (
    "CREATE TABLE IF NOT EXISTS figures (key TEXT PRIMARY KEY, value BLOB NOT NULL, written_ns INTEGER NOT NULL)"
)
_CREATE_POSTGRES = (
    'CREATE UNLOGGED TABLE IF NOT EXISTS figures (key TEXT COLLATE "C" PRIMARY KEY, value BYTEA NOT NULL, '
    "written_ns BIGINT NOT NULL)"
)
_PUT = (
    "INSERT INTO figures (key, value, written_ns) VALUES ({p}, {p}, {p}) ON CONFLICT (key) DO UPDATE "
    "SET value = excluded.value, written_ns = excluded.written_ns"
)
_FORGET = "DELETE FROM figures WHERE written_ns < {p}"
_READ = "SELECT key, value, written_ns FROM figures"
_DRIVER_FAULTS = (sqlite3.Error, psycopg.Error, OSError)

_Connection = Any
"""A connection of sqlite3 or psycopg in autocommit; both have ``execute`` and ``cursor().executemany``."""

_log = structlog.get_logger()


_LOG_PAGES = 50
_RESERVE_BYTES = 400_000
"""The log of ``live.db`` is folded in after so few pages and is made longer than that at once: the same space is
written over and over, so a heartbeat still gets through when the disk is full."""


class LiveStore:
    """Both ends of the live figures; implements `mexc_sniper.ports.LiveFigures` once `start`\\ ed."""

    def __init__(self, location: LedgerLocation, clock: ClockReader | None = None) -> None:
        """Do no I/O. The reading end needs no clock."""
        self._location = location
        self._clock = clock
        self._mark = "?" if location.is_sqlite else "%s"
        self._waiting: dict[str, tuple[bytes, int]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._reader: _Connection | None = None
        self._reading = threading.Lock()
        self._down = False

    # ---- the engine's end ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread that writes. Does no I/O itself: figures never keep an engine from starting."""
        if self._clock is None:
            raise TypeError("the writing end of the live figures needs a clock")
        self._over.clear()
        self._thread = threading.Thread(target=self._write_on, name="live-figures", daemon=True)
        self._thread.start()

    def put(self, key: str, value: bytes) -> None:
        """Overwrite one figure; reaches readers within `WRITE_EVERY_S`. Never blocks for I/O, never raises."""
        now_ns = 0 if self._clock is None else self._clock.wall_ns()
        with self._lock:
            if key in self._waiting or len(self._waiting) < MAX_KEYS:
                self._waiting[key] = (value, now_ns)

    async def aclose(self) -> None:
        """Write what waits, for at most a second, and stop."""
        self.stop()

    def stop(self) -> None:
        """The same without a loop."""
        self._over.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=1.0)

    def _write_on(self) -> None:
        db: _Connection | None = None
        forget_at = 0.0
        while True:
            over = self._over.wait(WRITE_EVERY_S)
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            try:
                if waiting:
                    db = db or self._open()
                    self._write(db, waiting)
                    self._recovered()
                if db is not None and monotonic() >= forget_at:
                    forget_at = monotonic() + 60.0
                    db.execute(_FORGET.format(p=self._mark), (self._now_ns() - STALE_NS,))
            except (*_DRIVER_FAULTS, SniperError) as fault:
                self._lost(fault)
                if db is None or not _is_full(fault):  # closing would give up the space it has
                    _close(db)
                    db = None
                self._over.wait(1.0)
            if over:
                _close(db)
                return

    def _open(self) -> _Connection:
        db: _Connection
        if self._location.is_sqlite:
            db = sqlite_writer(self._location.sqlite.live, synchronous="OFF")
            db.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
            db.execute(_CREATE_SQLITE)
            db.execute(_PUT.format(p="?"), ("reserve", bytes(_RESERVE_BYTES), 0))
            db.execute("DELETE FROM figures WHERE key = 'reserve'")
        else:
            db = postgres_connect(self._location)
            db.execute("SET synchronous_commit=off")
            db.execute(_CREATE_POSTGRES)
        return db

    def _write(self, db: _Connection, waiting: dict[str, tuple[bytes, int]]) -> None:
        rows = [(column_text(key), value, written_ns) for key, (value, written_ns) in waiting.items()]
        db.execute("BEGIN")
        try:
            db.cursor().executemany(_PUT.format(p=self._mark), rows)
            db.execute("COMMIT")
        except _DRIVER_FAULTS:
            with suppress(*_DRIVER_FAULTS):
                db.execute("ROLLBACK")
            raise

    def _now_ns(self) -> int:
        return 0 if self._clock is None else self._clock.wall_ns()

    def _lost(self, fault: Exception) -> None:
        if not self._down:
            self._down = True
            _log.warning("live_figures_lost", reason=str(fault_of(fault, self._location, self._live_path)))

    def _recovered(self) -> None:
        if self._down:
            self._down = False
            _log.info("live_figures_recovered")

    # ---- the web's end ------------------------------------------------------------------------------------------

    def get_all(self) -> dict[str, tuple[bytes, int]]:
        """Return every figure with the wall time (ns) it was put; empty while there are none. From any thread.

        Never raises: figures that cannot be read are figures that are not there, and an old heartbeat says so.
        """
        with self._reading:
            try:
                if self._reader is None:
                    self._reader = self._open_reader()
                rows = self._reader.execute(_READ).fetchall()
            except (*_DRIVER_FAULTS, SniperError):
                _close(self._reader)
                self._reader = None
                return {}
        return {key: (bytes(value), written_ns) for key, value, written_ns in rows}

    def close_reader(self) -> None:
        """Let go of the reading connection; the next `get_all` opens a new one."""
        with self._reading:
            _close(self._reader)
            self._reader = None

    def _open_reader(self) -> _Connection:
        if self._location.is_sqlite:
            return sqlite_connect(self._location.sqlite.live, mode="ro")
        return postgres_connect(self._location, read_only=True)

    @property
    def _live_path(self) -> Any:
        return self._location.sqlite.live if self._location.is_sqlite else None


def _is_full(fault: Exception) -> bool:
    return (getattr(fault, "sqlite_errorname", "") or "").startswith("SQLITE_FULL")


def _close(db: _Connection | None) -> None:
    if db is not None:
        with suppress(*_DRIVER_FAULTS):
            db.close()
