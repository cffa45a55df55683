"""The web process's database: ``inbox.db``, or its tables in PostgreSQL. Created and migrated at the first use."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
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
