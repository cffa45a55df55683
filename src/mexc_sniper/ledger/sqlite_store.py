"""The writer's connection to ``ledger.db``."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from mexc_sniper.core.errors import ConfigError, SniperError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.connections import sqlite_writer
from mexc_sniper.ledger.faults import sqlite_fault
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.memory import Memory, recall
from mexc_sniper.ledger.rows import Batch
from mexc_sniper.ledger.statements import delete_bars, delete_events, delete_signals, write_statements
from mexc_sniper.ledger.store import DiskFull

_CHECKPOINT_PAGES = 4_000
"""At about 16 MB the log is folded in although work waits, or reading would slow down and the file would grow."""


class SqliteStore:
    """One connection; synchronous FULL for durable batches (survive a power cut), NORMAL for the rest.

    WAL with NORMAL lost 50 of 50 committed rows at a power cut, FULL none; 40 µs against 408 µs a commit
    (RELIABILITY 0.6, DESIGN 9). A fault of the disk is never retried: after a failed fsync nobody knows what the
    disk holds. A full disk is: nothing of the transaction was written then.
    """

    def __init__(self, location: LedgerLocation, *, connect: Callable[..., sqlite3.Connection] = sqlite_writer) -> None:
        """``connect`` opens the file (`connections.sqlite_writer`); tests put one here whose disk fails."""
        self._location = location
        self._connect = connect
        self._path = location.sqlite.ledger
        self._sql = write_statements(sqlite=True)
        self._delete_events = delete_events(sqlite=True)
        self._delete_signals = delete_signals(sqlite=True)
        self._delete_bars = delete_bars(sqlite=True)
        self._db: sqlite3.Connection | None = None
        self._full_sync = False
        self._dirty = False

    def open(self) -> None:
        migrations.require_current(self._location, migrations.LEDGER)
        try:
            self._db = self._connect(self._path, synchronous="NORMAL")
            self._db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")  # usually `rest` comes first
            self._full_sync = False
            verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as fault:
            self.close()
            raise sqlite_fault(fault, self._path) from fault
        if verdict != "ok":
            self.close()
            raise ConfigError(f"{self._path} is damaged ({verdict}); restore a copy from the directory backups.")

    def last_seq(self) -> int:
        try:
            return int(self._connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
        except sqlite3.Error as fault:
            raise sqlite_fault(fault, self._path) from fault

    def memory(self, fills_since_ns: int) -> Memory:
        try:
            return recall(lambda sql: self._connection.execute(sql).fetchall(), fills_since_ns)
        except sqlite3.Error as fault:
            raise sqlite_fault(fault, self._path) from fault

    def write(self, batch: Batch) -> None:
        db = self._connection
        try:
            if batch.durable != self._full_sync:
                db.execute(f"PRAGMA synchronous={'FULL' if batch.durable else 'NORMAL'}")
                self._full_sync = batch.durable
            db.execute("BEGIN IMMEDIATE")
            for write, rows in batch.rows.items():
                db.executemany(self._sql[write], rows)
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            self._roll_back()
            raise self._fault_of_write(fault) from fault
        self._dirty = True

    def forget_before(self, ts_ns: int, rows: int) -> bool:
        db = self._connection
        more = False
        try:
            db.execute("BEGIN IMMEDIATE")
            for table, sql in (("events", self._delete_events), ("signals", self._delete_signals)):
                low = db.execute(f"SELECT min(seq) FROM {table}").fetchone()[0]  # noqa: S608
                if low is not None:
                    done = db.execute(sql, {"low": low, "high": low + rows - 1, "before": ts_ns}).rowcount
                    more = more or done > 0
            gone = db.execute(self._delete_bars, {"before": ts_ns, "rows": rows}).rowcount
            more = more or gone > 0
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            self._roll_back()
            raise self._fault_of_write(fault) from fault
        self._dirty = self._dirty or more
        return more

    def rest(self) -> None:
        if not self._dirty:
            return
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as fault:
            raise self._fault_of_write(fault) from fault
        self._dirty = False

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _fault_of_write(self, fault: sqlite3.Error) -> SniperError:
        """A transaction that found no space is rolled back whole and may be tried again; no other fault may."""
        told = sqlite_fault(fault, self._path)
        full = (getattr(fault, "sqlite_errorname", "") or "").startswith("SQLITE_FULL")
        return DiskFull(str(told)) if full else told

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise RuntimeError("the store is not open")
        return self._db

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
