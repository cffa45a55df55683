"""Connections to the ledger, each with its deadlines. SQLAlchemy for reading, migrating and the inbox; the drivers
themselves for the engine's writer and the tails."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ledger.location import LedgerLocation

BUSY_TIMEOUT_S = 2.0
"""How long a SQLite statement waits for a lock before it is a `StoreError`."""

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 2_000

_POSTGRES_SESSION = {
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "lock_timeout": STATEMENT_TIMEOUT_MS,
    "idle_in_transaction_session_timeout": 10_000,
    # The server drops a vanished client within seconds, and with it the writer's lock.
    "tcp_keepalives_idle": 3,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": 4,
    "tcp_user_timeout": 5_000,
    "client_encoding": "utf8",
}


def is_there(path: Path) -> bool:
    """Whether a file exists.

    Raises:
        ConfigError: when a directory above it may not even be looked into.
    """
    try:
        return path.exists()
    except OSError as fault:
        raise ConfigError(f"{path} cannot be read ({fault.strerror}); give this user a directory it owns.") from fault


def sqlite_connect(path: Path, *, mode: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open a SQLite file in autocommit (transactions are written out); usable from any one thread at a time.

    Args:
        path: the file.
        mode: ``ro`` (must exist, never written) or ``rw`` (must exist).
        busy_timeout_s: how long a statement waits for a lock; 0 on a loop's thread, which must not wait.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
    if mode == "ro":
        connection.execute("PRAGMA query_only=ON")
    return connection


def sqlite_writer(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """Open a SQLite file for its one writing process: created with its directory, for this user alone, in WAL.

    Args:
        path: the file.
        synchronous: ``FULL`` survives a power cut at each commit, ``NORMAL`` at each checkpoint, ``OFF`` never.

    Raises:
        ConfigError: when file or directory cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else reads it; WAL files inherit the mode
    except OSError as fault:
        raise ConfigError(
            f"{path} cannot be written ({fault.strerror}); give this user a directory it owns."
        ) from fault
    connection = sqlite_connect(path, mode="rw")
    try:
        _enter_wal(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA journal_size_limit=67108864")
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL; SQLite does not wait here by itself when two processes create it together."""
    attempts = 40
    for attempt in range(attempts):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if not fault.sqlite_errorname.startswith("SQLITE_BUSY") or attempt == attempts - 1:
                raise
            time.sleep(BUSY_TIMEOUT_S / attempts)
        else:
            return


def postgres_arguments(location: LedgerLocation, *, read_only: bool = False) -> dict[str, Any]:
    """Arguments of ``psycopg.connect`` for a location, with every deadline set."""
    url = location.postgres
    arguments: dict[str, Any] = dict(url.query)
    session = {**_POSTGRES_SESSION, "default_transaction_read_only": "on" if read_only else "off"}
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    arguments["options"] = f"{arguments.get('options', '')} {options}".strip()
    given = {
        "host": url.host or arguments.get("host"),
        "port": url.port or arguments.get("port"),
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    arguments.update({name: value for name, value in given.items() if value is not None})
    arguments.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    arguments.setdefault("application_name", "mexc-sniper")
    arguments.update(keepalives_idle=3, keepalives_interval=1, keepalives_count=4, tcp_user_timeout=5_000)
    return arguments


def postgres_connect(location: LedgerLocation, *, read_only: bool = False) -> psycopg.Connection[Any]:
    """Connect with the driver itself, in autocommit.

    Raises:
        ConfigError: when the database cannot hold every symbol because its encoding is not UTF8.
    """
    connection: psycopg.Connection[Any] = psycopg.connect(
        **postgres_arguments(location, read_only=read_only), autocommit=True
    )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise ConfigError(
            f"The database {location.describe()} has the encoding {encoding}; symbols need UTF8: "
            f"createdb -E UTF8 -T template0 {location.postgres.database}"
        )
    return connection


def sql_engine(location: LedgerLocation, path: Path | None, *, mode: str = "ro", pooled: bool = True) -> Engine:
    """A SQLAlchemy engine on a PostgreSQL location or on one SQLite file; opens nothing yet.

    On SQLite a ``begin`` is a deferred one for ``ro`` and BEGIN IMMEDIATE otherwise, so that a migration is one
    transaction and two writers wait for each other. On PostgreSQL ``ro`` reads one snapshot per transaction.
    """
    pool: dict[str, Any] = (
        {"poolclass": QueuePool, "pool_size": 4, "max_overflow": 8, "pool_timeout": 5}
        if pooled
        else {"poolclass": NullPool}
    )
    if location.is_sqlite:
        if path is None:
            raise TypeError("a SQLite engine needs its file")
        file = path

        def open_sqlite() -> sqlite3.Connection:
            return sqlite_connect(file, mode="ro") if mode == "ro" else sqlite_writer(file, synchronous="FULL")

        engine = create_engine("sqlite+pysqlite://", creator=open_sqlite, **pool)
        begin = "BEGIN" if mode == "ro" else "BEGIN IMMEDIATE"

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine
    isolation = "REPEATABLE READ" if mode == "ro" else "READ COMMITTED"

    def open_postgres() -> psycopg.Connection[Any]:
        connection = postgres_connect(location, read_only=mode == "ro")
        connection.autocommit = False
        return connection

    return create_engine(
        "postgresql+psycopg://",
        creator=open_postgres,
        isolation_level=isolation,
        pool_pre_ping=pooled,
        **pool,
    )
