"""Cut the power, refuse a write and fill the disk at every operation of ledger and journal, one after the other.

    python -m tests.crash.power_sweep --points 1500

A point is one run of a script against a disk that fails at operation N: dark (only what was synced is sure to be
there), an I/O error, or full. Afterwards the next start reads what is left: nothing acknowledged may be missing (on a
dark disk: nothing acknowledged as durable), nothing may be half there, and the file must be sound.
"""

import argparse
import asyncio
import contextlib
import errno
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import structlog

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import SniperError, StoreError
from mexc_sniper.journal import FileJournal, Recovered
from mexc_sniper.journal.disk import Segment
from mexc_sniper.ledger import LedgerReader, locate, migrations
from mexc_sniper.ledger.memory import FILLS_REMEMBERED_NS
from mexc_sniper.ledger.rows import RowMaker
from mexc_sniper.ledger.sqlite_store import SqliteStore
from mexc_sniper.model.entries import LedgerEntry, ListingChanged, MonitorChanged, SymbolsLearned
from mexc_sniper.model.health import MonitorState, MonitorStatus
from tests.crash.kill_loop import progress, show
from tests.crash.sqlite_power import FaultyDisk, store_on
from tests.journal.builders import LIMITS, an_exit, an_intent, approved, ids
from tests.journal.power import CutDisk, PowerCut
from tests.journal.test_power_cut import Told, check
from tests.ledger.builders import a_listing, a_signal, a_symbol
from tests.simulation.figures import record

HOWS = ("cut", "io_error", "full")
BATCHES = 14
JOURNAL_SEEDS = 6
"""A journal has a tenth of the ledger's operations, so it gets more seeds."""


@dataclass
class Result:
    """What the points of a sweep added up to."""

    points: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    acknowledged: int = 0


# ---------------------------------------------------------------------- the ledger


def _entries(number: int, dice: Random) -> list[LedgerEntry]:
    """One group: a numbered listing with what belongs to it; a durable entry in every third."""
    name = f"S{number}USDT"
    group: list[LedgerEntry] = [
        ListingChanged(listing=a_listing(name, listed_s=number)),
        a_signal(name),
        SymbolsLearned(symbols=tuple(a_symbol(f"{name}{n}") for n in range(dice.randrange(1, 40)))),
    ]
    if number % 3 == 2:
        group.append(MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING)))
    return group


@dataclass
class Script:
    """What the ledger acknowledged: numbers of listings, committed and committed with an fsync behind them."""

    committed: int = 0
    durable: int = 0
    checkpoints: int = 0


def ledger_script(store: SqliteStore, seed: int, told: Script) -> None:
    """Commit as the writer's thread does, folding the log in now and then, until done or the disk fails."""
    dice, clock = Random(seed), SystemClock()
    store.open()
    rows = RowMaker.after(store.memory(clock.wall_ns() - FILLS_REMEMBERED_NS))
    number = 0
    for turn in range(BATCHES):
        groups = [_entries(number + n, dice) for n in range(dice.randrange(1, 4))]
        batch = rows.batch(groups, ts_ns=clock.wall_ns())
        store.write(batch)
        number += len(groups)
        told.committed = number
        if batch.durable:
            told.durable = number
        if turn % 5 == 4 or dice.random() < 0.1:
            store.rest()
            told.checkpoints += 1
    store.close()


class LedgerSweep:
    """Runs the ledger's script with a fault at each operation."""

    def __init__(self, directory: Path, result: Result) -> None:
        self._directory = directory
        self._result = result
        self._number = 0
        migrations.upgrade(locate(None, directory / "template"))
        with contextlib.closing(sqlite3.connect(directory / "template" / "ledger.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def operations(self, seed: int) -> int:
        """How many operations the script has on a disk that does not fail."""
        with self._run(seed, 0, "cut") as (disk, told, _):
            assert told.committed > BATCHES // 2
            return disk.operations

    def point(self, seed: int, at: int, how: str) -> None:
        """One fault at one operation, and the look at what is left."""
        with self._run(seed, at, how) as (disk, told, home):
            left = home
            if how == "cut":
                left = home.with_name(f"{home.name}-after")
                left.mkdir()
                dice = Random(seed * 100_003 + at)
                for path, kept in disk.kept.items():
                    content = kept.after_cut(dice)
                    if content is not None and not path.endswith("-shm"):
                        (left / Path(path).name).write_bytes(content)
            needed = told.durable if how == "cut" else told.committed
            self._judge(left, needed, f"ledger seed {seed} {how} at {at}")
            shutil.rmtree(left, ignore_errors=True)
        self._result.points[f"ledger {how}"] += 1
        self._result.acknowledged += needed

    @contextlib.contextmanager
    def _run(self, seed: int, at: int, how: str) -> Iterator[tuple[FaultyDisk, Script, Path]]:
        self._number += 1
        home = self._directory / f"{self._number}"
        home.mkdir()
        for name in ("ledger.db", "inbox.db"):
            shutil.copy(self._directory / "template" / name, home / name)
        disk = FaultyDisk(f"faulty-{id(self)}-{self._number}", fail_at=at, how=how)
        store = store_on(disk, locate(None, home))
        told = Script()
        try:
            try:
                ledger_script(store, seed, told)
            except SniperError:
                assert disk.struck, "the store failed on a disk that did not"
            finally:
                store.close()
            yield disk, told, home
        finally:
            disk.unregister()
            shutil.rmtree(home, ignore_errors=True)

    def _judge(self, home: Path, needed: int, where: str) -> None:
        location = locate(None, home)
        with contextlib.closing(sqlite3.connect(location.sqlite.ledger)) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            self._result.corrupt.append(f"{where}: {verdict}")
            return
        store = SqliteStore(location)  # the next start, with the library the program uses
        try:
            store.open()
        except SniperError as fault:
            self._result.corrupt.append(f"{where}: {fault}")
            return
        store.close()
        reader = LedgerReader(location)
        with reader.snapshot() as view:
            listings, total = view.listings(limit=10_000)
            seqs = [event.seq for event in view.events(0, 100_000)]
            timelines = [len(view.signals(listing.id)) for listing in listings]
        reader.close()
        if total < needed:
            self._result.lost.append(f"{where}: {needed} acknowledged, {total} there")
        if {one.symbol for one in listings} != {f"S{n}USDT" for n in range(total)} or set(timelines) - {1}:
            self._result.corrupt.append(f"{where}: a group is half there")
        if seqs != list(range(1, len(seqs) + 1)):
            self._result.corrupt.append(f"{where}: the events have a gap")


# ---------------------------------------------------------------------- the journal


class FaultyJournalDisk(CutDisk):
    """Fails at one operation and from then on. Stores into a mapped page cannot fail; the power can go before one."""

    def __init__(self, directory: Path, *, fail_at: int = 0, how: str = "cut") -> None:
        super().__init__(directory)
        self.operations = 0
        self.struck = False
        self._fail_at = fail_at
        self._how = how

    def step(self, *, grows: bool = False) -> None:
        """Count one operation of either thread."""
        self.operations += 1
        if not self._fail_at or self.operations < self._fail_at:
            return
        if self._how == "full":
            if grows:
                self.struck = True
                raise OSError(errno.ENOSPC, "no space left on device")
            return
        self.struck = True
        if self._how == "cut":
            raise PowerCut("dark")
        raise OSError(errno.EIO, "input/output error")

    def wait_for_power(self) -> None:
        self.step()
        super().wait_for_power()

    def create(self, name: str, size: int) -> Segment:
        self.step(grows=True)
        return super().create(name, size)

    def replace(self, name: str, content: bytes) -> None:
        self.step(grows=True)
        super().replace(name, content)

    def remove(self, name: str) -> None:
        self.step()
        super().remove(name)

    def rename(self, name: str, new: str) -> None:
        self.step()
        super().rename(name, new)


async def journal_script(journal: FileJournal, told: Told, dice: Random) -> None:
    """Prepare, send and settle orders until done or the disk fails; small files, so that they are renewed often."""
    for turn in range(30):
        what = turn % 5
        if what == 0:
            prepared = [an_intent(told.next(), epoch=journal.epoch) for _ in range(dice.randrange(1, 4))]
            async with asyncio.timeout(5):
                await journal.write_durably([approved(intent) for intent in prepared])
            told.durable.update({intent.client_order_id: intent for intent in prepared})
        elif what in (1, 2, 3):
            number = told.next()
            intent = (an_exit if what == 3 else an_intent)(number, epoch=journal.epoch)
            if journal.write(approved(intent)):
                told.left[intent.client_order_id] = intent
        elif told.left:
            some = dice.choice(list(told.left))
            journal.mark_settled(some)
            told.settled.add(some)
        await asyncio.sleep(0.0005 if dice.random() < 0.5 else 0)


class JournalSweep:
    """Two lives of a journal with a fault at each operation, and a third that reads what is left."""

    def __init__(self, directory: Path, result: Result) -> None:
        self._directory = directory
        self._result = result
        self._number = 0

    def operations(self, seed: int) -> int:
        """About how many operations two lives have; the threads' turns differ from run to run."""
        disk, told, _ = asyncio.run(self._lives(self._home(), seed, 0, "cut"))
        assert told.durable, "the script acknowledged nothing"
        return disk.operations

    def point(self, seed: int, at: int, how: str) -> None:
        """One fault, and the look at what is left."""
        home = self._home()
        _, told, left = asyncio.run(self._lives(home, seed, at, how))
        where = f"journal seed {seed} {how} at {at}"
        journal = FileJournal(left, SystemClock(), limits=LIMITS, slots=24)
        try:
            found = journal.open()
            self._judge(found, told, where, dark=how == "cut")
        except SniperError as fault:
            self._result.corrupt.append(f"{where}: {fault}")
        finally:
            with contextlib.suppress(StoreError):
                asyncio.run(journal.aclose())
        shutil.rmtree(home, ignore_errors=True)
        self._result.points[f"journal {how}"] += 1
        self._result.acknowledged += len(told.durable) + (0 if how == "cut" else len(told.left))

    def _home(self) -> Path:
        self._number += 1
        home = self._directory / f"journal-{self._number}"
        home.mkdir()
        return home

    async def _lives(self, home: Path, seed: int, at: int, how: str) -> tuple[FaultyJournalDisk, Told, Path]:
        """Returns the disk, what was acknowledged, and the directory the next start finds."""
        dice, told = Random(seed), Told()
        first = FileJournal(home / "second", SystemClock(), limits=LIMITS, slots=24)
        first.open()
        await journal_script(first, told, dice)
        await first.aclose()
        disk = FaultyJournalDisk(home / "second", fail_at=at, how=how)
        journal = FileJournal(disk.directory, SystemClock(), limits=LIMITS, slots=24, disk=disk)
        with contextlib.suppress(StoreError, TimeoutError):
            journal.open()
            await journal_script(journal, told, dice)
        left = disk.directory
        if how == "cut":
            left = home / "after"
            disk.cut(left, Random(seed * 100_003 + at))  # before a clean end could write anything
        with contextlib.suppress(StoreError):
            await journal.aclose()
        disk.close()
        return disk, told, left

    def _judge(self, found: Recovered, told: Told, where: str, *, dark: bool) -> None:
        try:
            check(told, found, epoch=1)
        except AssertionError as wrong:
            self._result.lost.append(f"{where}: {wrong or 'more is missing than the grant covers'}")
        if not dark:
            missing = [one for one in told.left if one not in ids(found) and one not in told.settled]
            if missing:
                self._result.lost.append(f"{where}: {len(missing)} sent orders are gone although the power stayed")


# ---------------------------------------------------------------------- the command


def sweep(
    points: int, *, seed: int = 1, every: int = 1, minutes: float = 600.0, quiet: bool = False
) -> tuple[dict[str, Any], Result]:
    """Cut the power at ``points`` points or more, ledger and journal in turn, and fail the disk at each.

    ``every`` takes each so-manieth operation only.
    """
    began = time.monotonic()
    result = Result()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    home = Path(tempfile.mkdtemp(prefix="mxs-sweep-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    ledger, journal = LedgerSweep(home, result), JournalSweep(home, result)
    try:
        with progress() as bar:
            bar.disable = quiet
            task = bar.add_task("power cuts, I/O errors, full disks", total=points, said="")
            while _cuts(result) < points and time.monotonic() < began + minutes * 60:
                turns: list[tuple[LedgerSweep | JournalSweep, int]] = [(ledger, seed)]
                turns += [(journal, seed * 100 + number) for number in range(JOURNAL_SEEDS)]
                for part, own_seed in reversed(turns):
                    for at in range(1 + own_seed % every, part.operations(own_seed) + 1, every):
                        if time.monotonic() > began + minutes * 60:
                            break
                        for how in HOWS:
                            part.point(own_seed, at, how)
                        said = f"{len(result.lost)} lost, {len(result.corrupt)} corrupt"
                        bar.update(task, completed=_cuts(result), said=said)
                seed += 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
        structlog.reset_defaults()
    figures = {
        "power_cuts": _cuts(result),
        "points": sum(result.points.values()),
        **{name.replace(" ", "_"): count for name, count in sorted(result.points.items())},
        "acknowledged_rows_checked": result.acknowledged,
        "acknowledged_rows_lost": len(result.lost),
        "corrupt": len(result.corrupt),
        "took_s": round(time.monotonic() - began),
    }
    return figures, result


def _cuts(result: Result) -> int:
    return sum(count for name, count in result.points.items() if name.endswith("cut"))


def main() -> int:
    """Sweep, print, write the figures; 1 when anything was lost or corrupt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1500, help="at how many the power is cut")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time with what was done")
    parser.add_argument("--every", type=int, default=1, help="take only each so-manieth operation")
    chosen = parser.parse_args()
    figures, result = sweep(chosen.points, seed=chosen.seed, every=chosen.every, minutes=chosen.minutes)
    figures["seed"] = chosen.seed
    show("power_sweep", figures, result.lost + result.corrupt)
    sys.stdout.write(f"{record('power_sweep', figures)}\n")
    return 1 if result.lost or result.corrupt else 0


if __name__ == "__main__":
    raise SystemExit(main())
