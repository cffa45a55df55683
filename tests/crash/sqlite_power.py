"""SQLite on a disk whose power can be cut and that can refuse any write: an apsw VFS under the real `SqliteStore`.

The files are real ones; beside them every write, truncation and sync is kept in order, so that after a cut one can tell
what a disk may hold: what was synced, and of the rest any of its 512-byte sectors. A file that was never synced may not
even have its name.

What this covers: the real store with its statements, its PRAGMAs and its order of work, on SQLite's own WAL code. What
it does not: the SQLite library is the one apsw brings, not the one in Python's sqlite3 (which takes no VFS); the
``-shm`` file is left out, as after every real power cut.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import apsw

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.sqlite_store import SqliteStore

SECTOR = 512


class Cut(apsw.IOError):
    """The machine went dark."""


class Kept:
    """One file as the program sees it and as the disk is sure to have it."""

    def __init__(self, content: bytes, *, named: bool) -> None:
        self.now = bytearray(content)
        self.synced = bytes(content)
        self.named = named
        self.pending: list[tuple[int, bytes] | int] = []
        """Writes (offset, data) and truncations (size) since the last sync, in order."""

    def write(self, data: bytes, offset: int) -> None:
        if offset > len(self.now):
            self.now.extend(bytes(offset - len(self.now)))
        self.now[offset : offset + len(data)] = data
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        del self.now[size:]
        self.pending.append(size)

    def sync(self) -> None:
        self.synced, self.pending, self.named = bytes(self.now), [], True

    def after_cut(self, dice: Random) -> bytes | None:
        """What the next start finds: None where there is not even a name."""
        if not self.named and dice.random() < 0.5:
            return None
        content = bytearray(self.synced)
        luck = dice.choice((0.0, 0.3, 0.7, 1.0))
        for change in self.pending:
            if isinstance(change, int):
                if dice.random() < luck:
                    del content[change:]
                continue
            offset, data = change
            for at in range(0, len(data), SECTOR):
                if dice.random() < luck:
                    part, start = data[at : at + SECTOR], offset + at
                    if start > len(content):
                        content.extend(bytes(start - len(content)))
                    content[start : start + len(part)] = part
        return bytes(content)


class FaultyDisk(apsw.VFS):
    """Counts what changes the disk; at operation ``fail_at`` something happens.

    Attributes:
        operations: writes, truncations, syncs and deletions so far.
    """

    def __init__(self, name: str, *, fail_at: int = 0, how: str = "cut") -> None:
        """``how``: ``cut`` (dark from then on), ``io_error`` or ``full`` (once, and from then on the same)."""
        self.name = name
        self.operations = 0
        self.kept: dict[str, Kept] = {}
        self._fail_at = fail_at
        self._how = how
        self.struck = False
        super().__init__(name, "")

    def adopt(self, path: Path) -> None:
        """Begin with a file as it is."""
        self.kept[str(path)] = Kept(path.read_bytes(), named=True)

    def excepthook(self, *_: object) -> None:
        """Say nothing: what was raised is what the test wanted."""

    def step(self, *, grows: bool) -> None:
        """Count one operation, and let it fail when its time has come. Only what ``grows`` meets a full disk."""
        if self.struck and self._how == "cut":
            raise Cut("dark")
        self.operations += 1
        if self._fail_at and self.operations >= self._fail_at:
            if self._how == "full":
                if grows:
                    self.struck = True
                    raise apsw.FullError("no space left")
                return
            self.struck = True
            raise Cut("dark") if self._how == "cut" else apsw.IOError("the disk reports an error")

    def file(self, path: str) -> Kept:
        """What is kept of a file."""
        return self.kept.setdefault(path, Kept(b"", named=False))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        return _File(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.step(grows=False)
        super().xDelete(filename, syncdir)
        self.kept.pop(filename, None)


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, path: str, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._kept = disk.file(path)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.step(grows=True)
        super().xWrite(data, offset)
        self._kept.write(bytes(data), offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.step(grows=False)
        super().xTruncate(newsize)
        self._kept.truncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.step(grows=False)
        super().xSync(flags)
        self._kept.sync()


class _Cursor:
    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return list(self._cursor.fetchall())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class Adapter:
    """As much of `sqlite3.Connection` as the store uses, on an apsw connection; errors are told in sqlite3's way."""

    def __init__(self, path: Path, disk: FaultyDisk, *, synchronous: str) -> None:
        self._db = self._told(lambda: apsw.Connection(str(path), vfs=disk.name))
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "journal_size_limit=67108864"):
            self.execute(f"PRAGMA {pragma}").fetchall()

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, parameters: Any = ()) -> _Cursor:
        return _Cursor(self._told(lambda: self._db.execute(sql, parameters)))

    def executemany(self, sql: str, rows: Sequence[Any]) -> _Cursor:
        return _Cursor(self._told(lambda: self._db.executemany(sql, rows)))

    def close(self) -> None:
        self._told(self._db.close)

    @staticmethod
    def _told(work: Any) -> Any:
        try:
            return work()
        except apsw.Error as error:
            told = sqlite3.OperationalError(str(error))
            told.sqlite_errorname = next((name for kind, name in _NAMES.items() if isinstance(error, kind)), "")
            raise told from error


_NAMES: dict[type[apsw.Error], str] = {
    apsw.FullError: "SQLITE_FULL",
    apsw.IOError: "SQLITE_IOERR",
    apsw.CorruptError: "SQLITE_CORRUPT",
    apsw.NotADBError: "SQLITE_NOTADB",
    apsw.BusyError: "SQLITE_BUSY",
    apsw.CantOpenError: "SQLITE_CANTOPEN",
    apsw.ReadOnlyError: "SQLITE_READONLY",
}


def store_on(disk: FaultyDisk, location: LedgerLocation) -> SqliteStore:
    """The real store, whose one connection speaks to a faulty disk."""
    disk.adopt(location.sqlite.ledger)

    def connect(path: Path, *, synchronous: str) -> Any:
        return Adapter(path, disk, synchronous=synchronous)

    return SqliteStore(location, connect=connect)
