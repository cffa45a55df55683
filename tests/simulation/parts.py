"""What a life of the process stands on, in virtual time: clock, disk, ledger, inbox, latch. All of it can end."""

import asyncio
import errno
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.journal.record import RECORD_SIZE
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.location import locate
from mexc_sniper.ledger.memory import FILLS_REMEMBERED_NS, recall
from mexc_sniper.ledger.rows import RowMaker
from mexc_sniper.ledger.statements import write_statements
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.commands import Command
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.model.latch import KillLatch, encode_latch
from mexc_sniper.model.restored import Restored
from tests.simulation.loop import Killed, VirtualLoop

T = TypeVar("T")
EPOCH_NS = 1_780_000_000 * NS_PER_S
"""Wall time at which every simulation begins."""


class Process:
    """A life's hold on the world. `point` is where it may die; after that everything it touches says so."""

    def __init__(self, loop: VirtualLoop, reached: Callable[[str], None]) -> None:
        self.loop = loop
        self.dead = False
        self.step_ns = 0
        """How wrong this machine's wall clock is."""
        self._reached = reached

    def point(self, name: str) -> None:
        """Come to a place where something may go wrong."""
        self.alive()
        self._reached(name)
        self.alive()

    def alive(self) -> None:
        """Go on only as the living do."""
        if self.dead:
            raise Killed


class VirtualClock:
    """`ports.Clock`; the wall clock is wrong by the machine's ``step_ns``, which may jump."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._loop = process.loop

    def wall_ns(self) -> int:
        return EPOCH_NS + self._loop.mono_ns() + self._process.step_ns

    def mono_ns(self) -> int:
        return self._loop.mono_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._process.alive()

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        left = mono_ns - self.mono_ns()
        if left > 0:
            await asyncio.sleep(left / NS_PER_S)
        self._process.alive()


class InlineOffload:
    """`ports.Offload` without threads."""

    async def run(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return work()


class NoFigures:
    """`ports.LiveFigures` that nobody looks at."""

    def put(self, key: str, value: bytes) -> None:
        pass


# ---------------------------------------------------------------------- the journal's disk


class VirtualSegment:
    """One file. What is stored survives the process; what was synced survives the power."""

    def __init__(self, disk: "VirtualDisk", name: str, size: int) -> None:
        self.path = disk.directory / name
        self.size = size
        self.content = bytearray(size)
        self.on_disk = bytes(size)
        self._disk = disk

    def store(self, offset: int, record: bytes) -> None:
        self._disk.touch()
        self.content[offset : offset + RECORD_SIZE] = record

    def look_at(self, offset: int) -> None:
        pass

    def warm(self, offset: int) -> None:
        pass

    def sync(self) -> None:
        self._disk.wait_for_disk()
        self.on_disk = bytes(self.content)

    def close(self) -> None:
        pass

    def records(self, *, synced: bool) -> list[bytes]:
        """All records with something in them."""
        held = self.on_disk if synced else bytes(self.content)
        cut = (held[at : at + RECORD_SIZE] for at in range(0, self.size, RECORD_SIZE))
        return [record for record in cut if any(record[:16])]

    def after_cut(self, dice: Random) -> bytes:
        """Each sector of 512 bytes as synced, or as stored since, by chance."""
        luck = dice.choice((0.0, 0.5, 1.0))
        parts = [
            bytes(self.content[at : at + 512]) if dice.random() < luck else self.on_disk[at : at + 512]
            for at in range(0, self.size, 512)
        ]
        return b"".join(parts)


class VirtualDisk:
    """Stands in for `journal.disk.Disk`; outlives the lives that use it."""

    def __init__(self) -> None:
        self.directory = Path("/virtual/journal")
        self._boots = 0
        self.files: dict[str, VirtualSegment | bytes] = {}
        self.synced_names: dict[str, VirtualSegment | bytes] = {}
        self.fails_next = False
        self.touch: Callable[[], None] = lambda: None
        """Raises for the dead."""

    def wait_for_disk(self) -> None:
        self.touch()
        if self.fails_next:
            self.fails_next = False
            raise OSError(errno.EIO, "Input/output error")

    def open(self) -> None:
        self.touch()

    def close(self) -> None:
        pass

    def names(self) -> list[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise FileNotFoundError(name)
        file = self.files[name]
        return file if isinstance(file, bytes) else bytes(file.content)

    def create(self, name: str, size: int) -> VirtualSegment:
        self.touch()
        segment = self.files[name] = VirtualSegment(self, name, size)
        return segment

    def remove(self, name: str) -> None:
        self.touch()
        self.files.pop(name, None)

    def rename(self, name: str, new: str) -> None:
        self.touch()
        self.files[new] = self.files.pop(name)

    def replace(self, name: str, content: bytes) -> None:
        self.touch()
        self.files[name] = content
        self.sync_names()

    def sync_names(self) -> None:
        self.wait_for_disk()
        self.synced_names = dict(self.files)

    @property
    def boot(self) -> str:
        return f"boot {self._boots}"

    def cut_power(self, dice: Random) -> None:
        """Leave what a power cut leaves."""
        self._boots += 1
        names = self.synced_names if dice.random() < 0.5 else self.files
        left = {name: file if isinstance(file, bytes) else file.after_cut(dice) for name, file in sorted(names.items())}
        self.files = dict(left)
        self.synced_names = dict(left)

    def segments(self) -> list[VirtualSegment]:
        """Files of the life under way."""
        return [file for file in self.files.values() if isinstance(file, VirtualSegment)]


class VirtualWorker:
    """`journal.worker.Worker` without a thread: an fsync takes a while, and it may be the last."""

    def __init__(self, process: Process, delay_s: Callable[[], float]) -> None:
        self._process = process
        self._delay_s = delay_s
        self._planned = False
        self._work: Callable[[], bool] = lambda: False
        self._going = True

    def start(self, work: Callable[[], bool]) -> None:
        self._work = work

    def wake(self) -> None:
        if not self._planned and self._going:
            self._planned = True
            self._process.loop.call_later(self._delay_s(), self._turn)

    async def stop(self, *, deadline_s: float) -> bool:
        self._going = False
        self._process.alive()
        self._work()
        return True

    def _turn(self) -> None:
        self._planned = False
        if self._process.dead or not self._going:
            return
        self._process.point("sync.before")
        self._going = self._work()
        self._process.point("sync.after")


# ---------------------------------------------------------------------- the ledger


@lru_cache(maxsize=1)
def _empty_ledger() -> bytes:
    """A migrated, empty ledger; made once per process."""
    with tempfile.TemporaryDirectory() as folder:
        location = locate("", Path(folder))
        migrations.upgrade(location)
        db = sqlite3.connect(location.sqlite.ledger)
        try:
            db.execute("PRAGMA journal_mode=DELETE")
            return db.serialize()
        finally:
            db.close()


class LedgerFile:
    """The database, which outlives the process. The open transaction is what a power cut would take away."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.db.deserialize(_empty_ledger())
        self.sql = write_statements(sqlite=True)
        self.written = False

    def end_life(self, *, power: bool) -> None:
        """A killed process loses nothing that was committed; a power cut what was not yet fsynced."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK" if power else "COMMIT")

    def restored(self, now_ns: int) -> Restored:
        """What the next life finds, through the real reader's queries."""
        if not self.written:
            return Restored()
        engine = create_engine("sqlite://", creator=lambda: self.db, poolclass=StaticPool)
        with engine.connect() as connection:
            return LedgerView(connection).restored(now_ns)

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        return self.db.execute(sql).fetchall()


class VirtualLedger:
    """`ports.Ledger` over the real rows and statements; commits a moment later, all that waits at once."""

    def __init__(self, file: LedgerFile, process: Process, now_ns: Callable[[], int], delay_s: Callable[[], float]):
        self.trouble = ""
        self.seen: Callable[[Sequence[LedgerEntry]], None] = lambda entries: None
        self._file = file
        self._process = process
        self._now_ns = now_ns
        self._delay_s = delay_s
        self._rows = RowMaker.after(recall(file.rows, now_ns() - FILLS_REMEMBERED_NS))
        self._waiting: list[Sequence[LedgerEntry]] = []
        self._flushes: list[asyncio.Future[None]] = []
        self._planned = False
        self.stalled_until_s = 0.0

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        self._process.alive()
        if entries:
            self.seen(entries)
            self._waiting.append(entries)
            self._plan()

    async def flush(self, *, deadline_s: float) -> None:
        self._process.alive()
        done = self._process.loop.create_future()
        self._flushes.append(done)
        self._plan()
        try:
            async with asyncio.timeout(deadline_s):
                await done
        except TimeoutError:
            raise StoreError("the ledger did not commit in time") from None
        self._process.alive()

    def stall(self, seconds: float) -> None:
        """Commit nothing for a while (a database that is away)."""
        self.stalled_until_s = self._process.loop.now + seconds
        self.trouble = "the database does not answer"

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._process.loop.call_later(self._delay_s(), self._commit)

    def _commit(self) -> None:
        if self._process.dead:
            return
        if (left := self.stalled_until_s - self._process.loop.now) > 0:
            self._process.loop.call_later(left, self._commit)
            return
        self.trouble = ""
        self._planned = False
        self._process.point("commit.before")
        groups, self._waiting = self._waiting, []
        flushes, self._flushes = self._flushes, []
        if groups:
            batch = self._rows.batch(groups, ts_ns=self._now_ns())
            db, file = self._file.db, self._file
            if not db.in_transaction:
                db.execute("BEGIN")
            for write, rows in batch.rows.items():
                db.executemany(file.sql[write], rows)
            if batch.durable:
                db.execute("COMMIT")
            file.written = True
        for waiter in flushes:
            if not waiter.done():
                waiter.set_result(None)
        self._process.point("commit.after")


# ---------------------------------------------------------------------- the operator's side


class Inbox:
    """The commands as rows; each life is told those that nobody has answered."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self._news: asyncio.Event | None = None

    def add(self, command: Command) -> None:
        """Write a row."""
        self.commands.append(command)
        if self._news is not None:
            self._news.set()

    def reader(self, process: Process, finished: frozenset[str]) -> "_InboxReader":
        """`ports.CommandInbox` of one life."""
        return _InboxReader(self, process, finished)


class _InboxReader:
    def __init__(self, inbox: Inbox, process: Process, finished: frozenset[str]) -> None:
        self._inbox = inbox
        self._process = process
        self._finished = finished

    async def run(self, deliver: Callable[[Command], None]) -> None:
        news = self._inbox._news = asyncio.Event()
        number = 0
        while True:
            while number < len(self._inbox.commands):
                command = self._inbox.commands[number]
                number += 1
                if command.id not in self._finished:
                    self._process.alive()
                    deliver(command)
            news.clear()
            await news.wait()


class VirtualKeyFile:
    """What outlives a process of its listen key."""

    def __init__(self) -> None:
        self._fingerprint = ""

    def last(self) -> str:
        """Return what was noted last."""
        return self._fingerprint

    def note(self, fingerprint: str) -> None:
        """Keep it."""
        self._fingerprint = fingerprint


class VirtualLatch:
    """The kill switch's file, with as much of `pathlib.Path` as the desk asks for."""

    def __init__(self) -> None:
        self._content: bytes | None = None
        self._number = 0
        self.set_at_s: float | None = None
        """Since when it lies there."""

    def set(self, action: str, now_s: float) -> None:
        """Put the file there, as web and CLI do before anything else."""
        self._content = encode_latch(KillLatch(action=action, actor="simulation"))
        self._number += 1
        if self.set_at_s is None:
            self.set_at_s = now_s

    @property
    def is_set(self) -> bool:
        return self._content is not None

    def stat(self) -> "_Stat":
        if self._content is None:
            raise FileNotFoundError
        return _Stat(self._number)

    def read_bytes(self) -> bytes:
        if self._content is None:
            raise FileNotFoundError
        return self._content

    def unlink(self, missing_ok: bool = False) -> None:
        self._content = self.set_at_s = None


class _Stat:
    def __init__(self, number: int) -> None:
        self.st_ino = self.st_mtime_ns = number
