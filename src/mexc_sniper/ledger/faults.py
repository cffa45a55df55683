"""What a driver's error means to an operator: one sentence that names the thing and the mend.

`ConfigError` where the settings are wrong and no retry can help; `StoreError` where the world is.
"""

from pathlib import Path

import psycopg
from psycopg import errors as pg

from mexc_sniper.core.errors import ConfigError, SniperError, StoreError
from mexc_sniper.ledger.location import SETTING, LedgerLocation


class LedgerNotReady(StoreError):
    """The ledger is not there yet or not migrated; whoever reads waits for the engine to start."""


def sqlite_fault(fault: Exception, path: Path) -> SniperError:
    """Say what a ``sqlite3`` error on ``path`` means."""
    name = getattr(fault, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return StoreError(f"The disk holding {path} is full; free some space and start again.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"{path} is locked by another program; close whatever holds it open and start again.")
    if name.startswith("SQLITE_READONLY"):
        return StoreError(f"{path} cannot be written; give this user write permission on the file and its directory.")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return ConfigError(
            f"{path} is damaged or no SQLite database; move it away or restore a copy from the directory backups."
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return ConfigError(f"{path} cannot be opened; check that {path.parent} exists and this user may write there.")
    if name.startswith("SQLITE_IOERR"):
        return StoreError(f"The disk holding {path} reports an error ({name}); check the disk, then start again.")
    if "no such table" in str(fault):
        return LedgerNotReady(f"{path} holds no tables yet; start the engine or run: mexc-sniper db upgrade")
    return StoreError(f"{path} cannot be used: {fault}")


def postgres_fault(fault: Exception, location: LedgerLocation) -> SniperError:
    """Say what a ``psycopg`` error means; never prints the password."""
    where = location.describe()
    url = location.postgres
    text = " ".join(str(fault).split())
    if url.password:
        text = text.replace(str(url.password), "***")
    if isinstance(fault, pg.InvalidPassword | pg.InvalidAuthorizationSpecification) or (
        "authentication failed" in text or "no password supplied" in text or f'role "{url.username}" does not' in text
    ):
        return ConfigError(f"PostgreSQL at {where} refuses the user or the password; correct them in {SETTING}.")
    if isinstance(fault, pg.InvalidCatalogName) or f'database "{url.database}" does not exist' in text:
        return ConfigError(
            f"PostgreSQL at {where} has no database {url.database!r}; create it (createdb -E UTF8 {url.database}) "
            f"or correct {SETTING}."
        )
    if isinstance(fault, pg.UndefinedTable):
        return LedgerNotReady(f"{where} holds no tables yet; start the engine or run: mexc-sniper db upgrade")
    if isinstance(fault, pg.InsufficientPrivilege):
        return ConfigError(f"The user of {where} lacks a permission ({text}); grant it or use the owner's account.")
    if isinstance(fault, pg.DiskFull):
        return StoreError(f"The disk of PostgreSQL at {where} is full; free some space there.")
    if isinstance(fault, pg.QueryCanceled | pg.LockNotAvailable):
        return StoreError(f"PostgreSQL at {where} did not answer in time ({text}); check its load and its locks.")
    if isinstance(fault, psycopg.OperationalError):
        return StoreError(f"PostgreSQL at {where} cannot be reached ({text}); start it or correct {SETTING}.")
    return StoreError(f"PostgreSQL at {where} cannot be used: {text}")


def fault_of(fault: Exception, location: LedgerLocation, path: Path | None = None) -> SniperError:
    """Say what any error of a driver or of SQLAlchemy around one means; ``path`` is the SQLite file at hand."""
    cause = getattr(fault, "orig", None) or fault
    if isinstance(cause, SniperError):
        return cause
    if location.is_sqlite:
        return sqlite_fault(cause, path or location.sqlite.ledger)
    return postgres_fault(cause, location)
