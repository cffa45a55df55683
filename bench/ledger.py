"""How fast the ledger is: append → visible to a tail in another process, and what a second of writing can carry.

    python -m bench.ledger [--events 400] [--seconds 2] [--no-fsync]

SQLite and PostgreSQL side by side (the latter is started here, as in the tests), and beside both what SQLAlchemy
Core would cost in place of the drivers' own statements. The reading end is a process of its own, as in the product.
"""

import argparse
import asyncio
import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from time import monotonic_ns, perf_counter

from sqlalchemy import insert
from tests.ledger.builders import a_listing, a_signal
from tests.support.postgres import PostgresServer, server_programs

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerTail, LedgerWriter, locate, migrations, tables
from mexc_sniper.ledger.connections import sql_engine
from mexc_sniper.ledger.memory import ListedTimes
from mexc_sniper.ledger.rows import RowMaker
from mexc_sniper.model.entries import LedgerEntry, ListingChanged, MonitorChanged
from mexc_sniper.model.health import MonitorState, MonitorStatus

Seen = list[tuple[int, int]]
"""(event number, monotonic ns at which it was read); monotonic time is the same in every process of a host."""


def follow(url: str | None, directory: str, last: int, out: "Connection[Seen, None]") -> None:
    """The web's end: wait, read what is new, note when."""

    async def run() -> Seen:
        location = locate(url, Path(directory))
        tail, reader, seen = LedgerTail(location), LedgerReader(location), []
        after = 0
        while after < last:
            if await tail.wait(5.0):
                for event in reader.events(after, 1_000):
                    after = event.seq
                    seen.append((after, monotonic_ns()))
        await tail.aclose()
        reader.close()
        return seen

    out.send(asyncio.run(run()))


def durable_entry(number: int) -> LedgerEntry:
    return MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING, listings_detected=number))


async def latency(url: str | None, directory: str, events: int, *, durable: bool) -> list[float]:
    """Milliseconds from append to read by another process, one entry at a time, a few ms apart."""
    location = locate(url, Path(directory))
    writer = LedgerWriter(location, SystemClock())
    writer.start()
    reader = LedgerReader(location)
    first = reader.last_seq() + 1
    reader.close()
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=follow, args=(url, directory, first + events - 1, theirs)
    )
    process.start()
    await asyncio.sleep(2.0)
    appended: dict[int, int] = {}
    for number in range(events):
        appended[first + number] = monotonic_ns()
        entry = durable_entry(number) if durable else ListingChanged(listing=a_listing(f"L{first + number}USDT"))
        writer.append([entry])
        await asyncio.sleep(0.007)
    seen = await asyncio.to_thread(ours.recv)
    process.join()
    await writer.aclose()
    return [(at - appended[seq]) / 1e6 for seq, at in seen if seq in appended]


async def throughput(location: LedgerLocation, seconds: float, *, burst: int) -> tuple[float, float]:
    """Commits and entries per second when ``burst`` entries arrive together, again as soon as they are committed."""
    writer = LedgerWriter(location, SystemClock())
    writer.start()
    commits = 0
    began = perf_counter()
    while perf_counter() - began < seconds:
        writer.append([a_signal(f"T{commits}USDT") for _ in range(burst)])
        await writer.flush(deadline_s=10)
        commits += 1
    took = perf_counter() - began
    await writer.aclose()
    return commits / took, commits * burst / took


def core(location: LedgerLocation, seconds: float, *, burst: int) -> tuple[float, float]:
    """The same rows through SQLAlchemy Core (no ORM), for comparison."""
    path = location.sqlite.ledger if location.is_sqlite else None
    engine = sql_engine(location, path, mode="rw")
    reader = LedgerReader(location)
    maker = RowMaker(last_seq=reader.last_seq(), times=ListedTimes())
    reader.close()
    commits = 0
    began = perf_counter()
    while perf_counter() - began < seconds:
        batch = maker.batch([[a_signal(f"T{commits}USDT") for _ in range(burst)]], ts_ns=0)
        with engine.begin() as connection:
            for write, rows in batch.rows.items():
                connection.execute(insert(tables.ledger.tables[write.value]), rows)
        commits += 1
    took = perf_counter() - began
    engine.dispose()
    return commits / took, commits * burst / took


def percentiles(values: list[float]) -> str:
    cuts = quantiles(values, n=100)
    return f"p50 {cuts[49]:6.2f} ms   p99 {cuts[98]:6.2f} ms   max {max(values):6.2f} ms   n {len(values)}"


@contextmanager
def places(*, fsync: bool) -> Iterator[list[tuple[str, str | None, str]]]:
    """(name, url, directory) of a fresh ledger on each database that is installed."""
    with tempfile.TemporaryDirectory() as directory:
        found: list[tuple[str, str | None, str]] = [("SQLite", None, directory)]
        programs = server_programs()
        server = PostgresServer(programs, fsync=fsync) if programs is not None else None
        if server is not None:
            server.start()
            found.append((f"PostgreSQL (fsync {'on' if fsync else 'off'})", server.url("postgres"), directory))
        try:
            yield found
        finally:
            if server is not None:
                server.remove()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--events", type=int, default=400)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--no-fsync", action="store_true", help="PostgreSQL without fsync")
    given = options.parse_args()
    with places(fsync=not given.no_fsync) as found:
        for name, url, directory in found:
            location = locate(url, Path(directory))
            migrations.upgrade(location)
            print(name)
            for durable in (False, True):
                what = "durable (fsynced)" if durable else "ordinary         "
                values = asyncio.run(latency(url, directory, given.events, durable=durable))
                print(f"  append → read by another process, {what}: {percentiles(values)}")
            for burst in (1, 50):
                ours = asyncio.run(throughput(location, given.seconds, burst=burst))
                theirs = core(location, given.seconds, burst=burst)
                print(
                    f"  {burst:3d} entries a commit: {ours[0]:7.0f} commits/s {ours[1]:8.0f} entries/s"
                    f"   (SQLAlchemy Core, in the calling thread: {theirs[0]:7.0f} and {theirs[1]:8.0f})"
                )


if __name__ == "__main__":
    main()
