"""Copies of SQLite ledgers while they are in use, each checked before it is called a backup; and their return."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from mexc_sniper.core.clock import NS_PER_S, ClockReader, iso_from_ns
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.location import LedgerLocation, locate

FILES = ("ledger.db", "inbox.db")
"""What a set holds: the records, and who may sign in. The journal is never among them (docs/operating.md)."""
_DRAFT = ".unfinished"
_PAGES = 2_000

log = structlog.get_logger(__name__)


Tell = Callable[[int, int], None]
"""Hears how much of how much is done."""


def silent(_done: int, _total: int) -> None:
    """Hear and say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore put where."""

    ledger_bytes: int
    inbox: bool
    schema: str
    audit_rows: int


def backup_ledger(location: LedgerLocation, target: Path, *, tell: Tell = silent) -> int:
    """Copy the ledger to a new file of mode 600 and check the copy; returns its size in bytes.

    ``tell`` hears how many pages of how many are copied.

    Raises:
        ConfigError: no SQLite ledger there, or the target exists or cannot be written.
        StoreError: the copy failed or is not whole.
    """
    _refuse_postgres(location)
    source = location.sqlite.ledger
    if not source.is_file():
        raise ConfigError(f"there is no ledger at {source} yet: run mexc-sniper once, or name its --data-dir")
    return _copy(source, target, tell)


def backup_set(location: LedgerLocation, folder: Path, clock: ClockReader, *, keep: int) -> Path:
    """Make a checked set of copies in a new directory of ``folder``, named by the time, and delete the oldest ones.

    A set appears whole or not at all; only directories that look like ours are ever deleted.

    Raises:
        ConfigError: as `backup_ledger`.
        StoreError: the copy failed or is not whole; then nothing was deleted.
    """
    _refuse_postgres(location)
    stamp = iso_from_ns(clock.wall_ns())[:19].replace("-", "").replace(":", "") + "Z"
    final, draft = folder / stamp, folder / (stamp + _DRAFT)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        backup_ledger(location, draft / FILES[0])
        if location.sqlite.inbox.is_file():
            _copy(location.sqlite.inbox, draft / FILES[1])
        draft.rename(final)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot take a backup ({error.strerror}): choose another backup.dir or free space"
        ) from None
    for old in backup_sets(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def backup_sets(folder: Path) -> list[Path]:
    """Return the sets in a directory, oldest first."""
    named = (path for path in folder.glob("[0-9]*T[0-9]*Z") if path.is_dir() and path.suffix != _DRAFT)
    return sorted(path for path in named if (path / FILES[0]).is_file())


def made_at_ns(backup: Path, clock: ClockReader) -> int:
    """Return when a set was made (wall, UNIX ns), by its file; never in the future."""
    return min(clock.wall_ns(), int((backup / FILES[0]).stat().st_mtime * NS_PER_S))


def restore(source: Path, data_dir: Path, clock: ClockReader, *, tell: Tell = silent) -> Restored:
    """Put a backup into a data directory that has no ledger yet, check it whole, and bring it to this build's schema.

    ``source`` is a set's directory or a single ledger file. What is there is never overwritten, and the journal is
    left alone. Call it with the directory's locks held.

    Raises:
        ConfigError: the source is no backup, or the directory holds a ledger.
        StoreError: the backup is not whole; then nothing of it is left behind.
    """
    ledger = source / FILES[0] if source.is_dir() else source
    inbox = source / FILES[1] if source.is_dir() else None
    if not ledger.is_file():
        raise ConfigError(f"{source} is no backup: name a directory that holds {FILES[0]}, or such a file")
    location = locate(None, data_dir)
    there = [name for name in (*FILES, "live.db") if (data_dir / name).exists()]
    if there:
        raise ConfigError(
            f"{data_dir} holds {there[0]} already, and nothing is overwritten: restore into a fresh --data-dir, or "
            "move the old files away first"
        )
    put: list[Path] = []
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        put.append(location.sqlite.ledger)
        size = _copy(ledger, location.sqlite.ledger, tell)
        if inbox is not None and inbox.is_file():
            put.append(location.sqlite.inbox)
            _copy(inbox, location.sqlite.inbox)
        _refuse_strangers(location, source)
        migrations.upgrade(location, clock=clock)
        rows = _checked_audit(location)
    except BaseException:
        for path in put:
            for left in path.parent.glob(path.name + "*"):
                left.unlink(missing_ok=True)
        raise
    schema = migrations.current(location)["ledger"] or ""
    return Restored(ledger_bytes=size, inbox=len(put) > 1, schema=schema, audit_rows=rows)


def _refuse_strangers(location: LedgerLocation, source: Path) -> None:
    if migrations.current(location)["ledger"] is None:
        raise ConfigError(f"{source} is an SQLite file, but no ledger of mexc-sniper")


def _checked_audit(location: LedgerLocation) -> int:
    from mexc_sniper.ledger.reader import LedgerReader

    reader = LedgerReader(location)
    try:
        broken = reader.verify_audit()
        if broken is not None:
            raise StoreError(
                f"the audit chain of the backup is broken at row {broken}: it was changed after it was made"
            )
        return reader.audit_head().number
    finally:
        reader.close()


def _refuse_postgres(location: LedgerLocation) -> None:
    if not location.is_sqlite:
        raise ConfigError("this ledger lives in PostgreSQL: back it up with pg_dump")


def _copy(source: Path, target: Path, tell: Tell = silent) -> int:
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
            reading.backup(writing, pages=_PAGES, progress=lambda _, left, total: tell(total - left, total))
            writing.execute("PRAGMA journal_mode=DELETE")
            verdict = writing.execute("PRAGMA integrity_check").fetchone()[0]
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{source} could not be copied to {target}: {error}") from None
    if verdict != "ok":
        target.unlink(missing_ok=True)
        raise StoreError(f"the copy of {source} is not whole: {verdict}")
    return target.stat().st_size
