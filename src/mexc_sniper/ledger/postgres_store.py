"""The writer's connection to PostgreSQL."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import dup
from time import monotonic
from typing import Any

import psycopg
from psycopg import errors as pg

from mexc_sniper.core.errors import ConfigError, SniperError, StoreError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.connections import postgres_connect
from mexc_sniper.ledger.faults import postgres_fault
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.memory import Memory, recall
from mexc_sniper.ledger.rows import Batch
from mexc_sniper.ledger.statements import delete_bars, delete_events, delete_signals, write_statements
from mexc_sniper.ledger.store import Outage

CHANNEL = "mexc_sniper_ledger"
"""The NOTIFY channel of every commit."""

_WRITER_LOCK = 0x6D787377  # "mxsw"; any constant of our own
_DEADLINE_S = 5.0
_LOCK_WAIT_MS = 10_000
"""Longer than the server needs to notice that a killed engine's connection is gone (`connections`: 7 s)."""

_MAY_PASS = (psycopg.OperationalError, psycopg.InterfaceError)


class _Watchdog:
    """Cuts a connection whose server is silent; psycopg itself would wait for ever (a frozen server acks on TCP)."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._socket = socket.socket(fileno=dup(connection.fileno()))
        self._expires: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ledger-watchdog", daemon=True)
        self._thread.start()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Cut the connection when the body takes longer."""
        self._expires = monotonic() + seconds
        try:
            yield
        finally:
            self._expires = None

    def end(self) -> None:
        """Stop watching; call before the connection is closed."""
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            expires = self._expires
            if expires is not None and monotonic() > expires:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                return


class PostgresStore:
    """One connection in autocommit; a batch is one pipelined transaction, so it costs one round trip.

    ``synchronous_commit`` stays on for every batch: here the server can crash while the engine lives on, and an
    event that pages have seen must not be given out twice. A session lock keeps a second engine out; it is also
    what makes ``last_seq`` final after a kill, because a half-finished COMMIT of the dead engine holds it.
    """

    def __init__(self, location: LedgerLocation, *, deadline_s: float = _DEADLINE_S) -> None:
        self._location = location
        self._deadline_s = deadline_s
        self._sql = write_statements(sqlite=False)
        self._deletes = (
            ("events", delete_events(sqlite=False)),
            ("signals", delete_signals(sqlite=False)),
        )
        self._delete_bars = delete_bars(sqlite=False)
        self._db: psycopg.Connection[Any] | None = None
        self._watchdog: _Watchdog | None = None

    def open(self) -> None:
        try:
            db = postgres_connect(self._location)
        except psycopg.Error as fault:
            raise self._fault(fault) from fault
        self._db, self._watchdog = db, _Watchdog(db)
        try:
            with self._watchdog.deadline(_LOCK_WAIT_MS / 1000 + 2):
                self._take_writer_lock(db)
            migrations.require_current(self._location, migrations.LEDGER)
        except SniperError:
            self.close()
            raise
        except psycopg.Error as fault:
            self.close()
            raise self._fault(fault) from fault

    def _take_writer_lock(self, db: "psycopg.Connection[Any]") -> None:
        try:
            db.execute(f"SET lock_timeout={_LOCK_WAIT_MS}")
            db.execute(f"SET statement_timeout={_LOCK_WAIT_MS + 1_000}")
            db.execute(f"SELECT pg_advisory_lock({_WRITER_LOCK}, hashtext(current_schema()))")
            db.execute("RESET lock_timeout")
            db.execute("RESET statement_timeout")
        except (pg.LockNotAvailable, pg.QueryCanceled) as fault:
            raise ConfigError(
                f"Another engine is writing the ledger {self._location.describe()}; stop it, or give this one a "
                "database of its own."
            ) from fault

    def last_seq(self) -> int:
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def memory(self, fills_since_ns: int) -> Memory:
        return recall(self._rows, fills_since_ns)

    def write(self, batch: Batch) -> None:
        db, watchdog = self._open_parts
        try:
            # Not `db.transaction()`: it waits for the answer to BEGIN, a second round trip.
            with watchdog.deadline(self._deadline_s), db.pipeline(), db.cursor() as cursor:
                cursor.execute("BEGIN")
                for write, rows in batch.rows.items():
                    cursor.executemany(self._sql[write], rows)
                cursor.execute(f"NOTIFY {CHANNEL}")
                cursor.execute("COMMIT")
        except psycopg.Error as fault:
            self._roll_back()
            raise self._fault(fault) from fault

    def forget_before(self, ts_ns: int, rows: int) -> bool:
        db, watchdog = self._open_parts
        more = False
        try:
            with watchdog.deadline(self._deadline_s):
                for table, sql in self._deletes:
                    low = db.execute(f"SELECT min(seq) FROM {table}").fetchone()  # noqa: S608
                    if low is not None and low[0] is not None:
                        values = {"low": low[0], "high": low[0] + rows - 1, "before": ts_ns}
                        more = db.execute(sql, values).rowcount > 0 or more
                more = db.execute(self._delete_bars, {"before": ts_ns, "rows": rows}).rowcount > 0 or more
        except psycopg.Error as fault:
            raise self._fault(fault) from fault
        return more

    def rest(self) -> None:
        """Nothing: autovacuum does it."""

    def close(self) -> None:
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.end()
        db, self._db = self._db, None
        if db is not None:
            with suppress(psycopg.Error):
                db.close()

    @property
    def _open_parts(self) -> "tuple[psycopg.Connection[Any], _Watchdog]":
        if self._db is None or self._watchdog is None:
            raise RuntimeError("the store is not open")
        return self._db, self._watchdog

    def _rows(self, sql: str) -> list[Any]:
        db, watchdog = self._open_parts
        try:
            with watchdog.deadline(self._deadline_s):
                return db.execute(sql).fetchall()
        except psycopg.Error as fault:
            raise self._fault(fault) from fault

    def _roll_back(self) -> None:
        """After a refused row the connection is in a failed transaction; after a lost connection there is none."""
        db, watchdog = self._open_parts
        with suppress(psycopg.Error), watchdog.deadline(self._deadline_s):
            db.rollback()

    def _fault(self, fault: psycopg.Error) -> SniperError:
        """An `Outage` where waiting may help; after a lost connection nobody knows whether the COMMIT happened."""
        meaning = postgres_fault(fault, self._location)
        if isinstance(meaning, StoreError) and isinstance(fault, _MAY_PASS):
            return Outage(str(meaning))
        return meaning
