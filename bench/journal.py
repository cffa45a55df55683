"""What one journal record costs the loop, in µs: a store into a warm mapping, into a cold one, pwrite, SQLite.

    python -m bench.journal [--writes 600] [--directory DIR]

Every variant survives kill -9 when the timed call returns, and each is fsynced right after in a thread beside it
(SQLite: WAL, synchronous NORMAL, as the ledger). One write every few ms, as orders come; then a burst without a pause.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns, sleep

from tests.journal.builders import an_intent, approved

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.journal import RECORD_SIZE, FileJournal, GrantLimits
from mexc_sniper.journal.disk import Segment
from mexc_sniper.journal.record import Kind, encode, encode_intent
from mexc_sniper.model.order import Approved

ROOMY = GrantLimits(entries=100_000, exits=100_000, notional_per_entry=Decimal(10**6), notional=Decimal(10**12))


class Beside:
    """Runs something in a thread each time it is asked, as the journal's fsync is."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._asked = threading.Semaphore(0)
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def ask(self) -> None:
        self._asked.release()

    def end(self) -> None:
        self._over = True
        self._asked.release()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._asked.acquire()
            if self._over:
                return
            self._work()


def timed(write: Callable[[int], None], after: Callable[[], None], writes: int, pause_s: float) -> list[float]:
    took = []
    for number in range(writes):
        began = perf_counter_ns()
        write(number)
        took.append((perf_counter_ns() - began) / 1_000)
        after()
        sleep(pause_s)
    return took


def record_of(one: Approved, number: int) -> bytes:
    return encode(Kind.INTENT, 0, 1, number, 0, encode_intent(one.intent))


def mapping(directory: Path, intents: list[Approved], pause_s: float, *, warm: bool) -> list[float]:
    segment = Segment(directory / f"map-{warm}-{pause_s}", (len(intents) + 32) * RECORD_SIZE)
    reached = 0

    def write(number: int) -> None:
        nonlocal reached
        segment.store(number * RECORD_SIZE, record_of(intents[number], number))
        reached = (number + 1) * RECORD_SIZE

    def sync() -> None:
        segment.sync()
        if warm:
            segment.warm(reached)

    sync()
    beside = Beside(sync)
    took = timed(write, beside.ask, len(intents), pause_s)
    beside.end()
    segment.close()
    return took


def pwrite(directory: Path, intents: list[Approved], pause_s: float) -> list[float]:
    fd = os.open(directory / f"pwrite-{pause_s}", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, bytes((len(intents) + 32) * RECORD_SIZE))
    os.fsync(fd)
    beside = Beside(lambda: os.fdatasync(fd))

    def write(number: int) -> None:
        os.pwrite(fd, record_of(intents[number], number), number * RECORD_SIZE)

    took = timed(write, beside.ask, len(intents), pause_s)
    beside.end()
    os.close(fd)
    return took


def sqlite(directory: Path, intents: list[Approved], pause_s: float) -> list[float]:
    db = sqlite3.connect(directory / f"sqlite-{pause_s}.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE intents (id TEXT PRIMARY KEY, body BLOB NOT NULL)")

    def write(number: int) -> None:
        intent = intents[number].intent
        db.execute("INSERT INTO intents VALUES (?, ?)", (intent.client_order_id, encode_intent(intent)))

    took = timed(write, lambda: None, len(intents), pause_s)
    db.close()
    return took


def journal(directory: Path, intents: list[Approved], pause_s: float) -> list[float]:
    async def run() -> list[float]:
        ours = FileJournal(directory / f"journal-{pause_s}", SystemClock(), limits=ROOMY)
        ours.open()

        took = []
        for one in intents:
            began = perf_counter_ns()
            assert ours.write(one)
            took.append((perf_counter_ns() - began) / 1_000)
            await asyncio.sleep(pause_s)
        await ours.aclose()
        return took

    return asyncio.run(run())


def durable(directory: Path, intents: list[Approved]) -> list[float]:
    async def run() -> list[float]:
        ours = FileJournal(directory / "durable", SystemClock(), limits=ROOMY)
        ours.open()
        took = []
        for one in intents:
            began = perf_counter_ns()
            await ours.write_durably([one])
            took.append((perf_counter_ns() - began) / 1_000)
        await ours.aclose()
        return took

    return asyncio.run(run())


def show(name: str, took: list[float]) -> None:
    cuts = quantiles(took, n=100)
    print(f"  {name:44s} p50 {cuts[49]:8.1f} µs   p99 {cuts[98]:8.1f} µs   max {max(took):8.1f} µs")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--writes", type=int, default=600)
    options.add_argument("--directory", type=Path, default=None, help="where to write; a local disk")
    given = options.parse_args()
    sys.setswitchinterval(0.0005)  # as the engine does
    intents = [approved(an_intent(number)) for number in range(given.writes)]
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        directory = Path(name)
        for pause_s in (0.004, 0.0):
            print("one every 4 ms" if pause_s else "without a pause")
            show("the journal's write (all of it)", journal(directory, intents, pause_s))
            show("encode + store into a warm mapping", mapping(directory, intents, pause_s, warm=True))
            show("encode + store into a mapping left cold", mapping(directory, intents, pause_s, warm=False))
            show("encode + pwrite", pwrite(directory, intents, pause_s))
            show("encode + SQLite commit (WAL, NORMAL)", sqlite(directory, intents, pause_s))
        print("fsynced before it returns")
        show("write_durably, one at a time", durable(directory, intents[:200]))


if __name__ == "__main__":
    main()
