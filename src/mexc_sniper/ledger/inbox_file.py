"""The database of web process and notifier: ``inbox.db``, or its tables in PostgreSQL. Migrated at the first use."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.connections import sql_engine
from mexc_sniper.ledger.faults import fault_of
from mexc_sniper.ledger.location import LedgerLocation


class InboxFile:
    """Short transactions on the inbox, from any thread. Raises `StoreError` or `ConfigError`, never a driver's own."""

    def __init__(self, location: LedgerLocation) -> None:
        """Do no I/O."""
        self._location = location
        self._path = location.sqlite.inbox if location.is_sqlite else None
        self._reads = sql_engine(location, self._path)
        self._writes = sql_engine(location, self._path, mode="rw")
        self._lock = threading.Lock()
        self._ready = False

    def close(self) -> None:
        """Close idle connections."""
        self._reads.dispose()
        self._writes.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent moment."""
        with self._transaction(self._reads) as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed and fsynced at the end of the block, rolled back when it raises."""
        with self._transaction(self._writes) as db:
            yield db

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        self._ensure()
        try:
            with engine.begin() as connection:
                yield connection
        except PoolTimeout as fault:
            raise StoreError("The inbox is used by too many at once; try again.") from fault
        except SQLAlchemyError as fault:
            raise fault_of(fault, self._location, self._path) from fault

    def _ensure(self) -> None:
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                migrations.upgrade_chain(self._location, migrations.INBOX)
                self._ready = True


class InboxTables:
    """Base of those that each know some tables of the inbox."""

    def __init__(self, location: LedgerLocation) -> None:
        """Do no I/O; the inbox is created and migrated at the first use."""
        self._location = location
        self._file = InboxFile(location)

    def close(self) -> None:
        """Close idle connections; it can still be used and opens new ones."""
        self._file.close()


def upserted(table: Table, row: dict[str, Any], *, sqlite: bool) -> Any:
    """Return the statement that inserts a row, or replaces the one with the same primary key."""
    inserted: Any = (sqlite_insert if sqlite else postgres_insert)(table).values(row)
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    return inserted.on_conflict_do_update(index_elements=keys, set_=changed)
