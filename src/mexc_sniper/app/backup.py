"""A copy of a SQLite ledger while it is in use, checked before it is called a backup."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger.location import LedgerLocation


def backup_ledger(location: LedgerLocation, target: Path) -> int:
    """Copy the ledger to a new file of mode 600 and check the copy; returns its size in bytes.

    Raises:
        ConfigError: no SQLite ledger there, or the target exists or cannot be written.
        StoreError: the copy failed or is not whole.
    """
    if not location.is_sqlite:
        raise ConfigError("this ledger lives in PostgreSQL: back it up with pg_dump")
    source = location.sqlite.ledger
    if not source.is_file():
        raise ConfigError(f"there is no ledger at {source} yet: run mexc-sniper once, or name its --data-dir")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise ConfigError(f"{target} exists already: choose another name, nothing is overwritten") from None
    except OSError as error:
        raise ConfigError(f"{target} cannot be written ({error.strerror}): choose another place") from None
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing, pages=2000)
            writing.execute("PRAGMA journal_mode=DELETE")
            verdict = writing.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{source} could not be copied to {target}: {error}") from None
    if verdict != "ok":
        target.unlink(missing_ok=True)
        raise StoreError(f"the copy of {source} is not whole: {verdict}")
    return target.stat().st_size
