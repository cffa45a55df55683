"""Killed processes, crashed servers, lost answers, full disks: nothing committed is lost, nothing is there twice."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import sleep

import psycopg
import pytest

from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, locate, migrations
from mexc_sniper.ledger.postgres_store import PostgresStore
from mexc_sniper.ledger.sqlite_store import SqliteStore
from mexc_sniper.model.entries import ListingChanged, MonitorChanged, SymbolsLearned
from mexc_sniper.model.health import MonitorState, MonitorStatus
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import a_listing, a_signal, a_symbol
from tests.ledger.conftest import StartWriter
from tests.support.postgres import PostgresServer, database, server_programs, shared_server
from tests.support.tcp_proxy import TcpProxy

ROOT = Path(__file__).parents[2]
KILLS = 6
BASELINE = 500


def check_ledger(location: LedgerLocation, *, at_least: int) -> int:
    """Check every promise about what the writing process left; returns how many listings there are."""
    reader = LedgerReader(location)
    with reader.snapshot() as view:
        listings, total = view.listings(limit=100_000)
        events = view.events(0, 1_000_000)
        symbols = {known.symbol for known in view.known_symbols()}
        timelines = sum(len(view.signals(listing.id)) for listing in listings[:50])
    reader.close()
    assert total >= at_least, "an acknowledged listing is missing"
    assert {listing.symbol for listing in listings} == {f"S{number}USDT" for number in range(total)}
    assert [event.seq for event in events] == list(range(1, 2 * total + 1))
    assert symbols == {f"OLD{n}USDT" for n in range(BASELINE)} | {f"S{n}USDT" for n in range(total)}
    assert timelines == min(total, 50)
    if location.is_sqlite:
        with closing(sqlite3.connect(location.sqlite.ledger)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return total


async def learn_baseline(writer: LedgerWriter) -> None:
    writer.append([SymbolsLearned(symbols=tuple(a_symbol(f"OLD{n}USDT") for n in range(BASELINE)))])
    await writer.flush(deadline_s=10)


async def test_process_killed_at_any_moment_loses_nothing_it_was_told_is_committed(
    location: LedgerLocation, start_writer: StartWriter, tmp_path: Path
) -> None:
    baseline = start_writer()
    await learn_baseline(baseline)
    await baseline.aclose()
    dice = random.Random(7)
    command = [sys.executable, "-m", "tests.ledger.writing_process", str(tmp_path / "data")]
    if not location.is_sqlite:
        command.append(location.postgres.render_as_string(hide_password=False).replace("+psycopg", ""))
    acknowledged = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the process ended by itself"
        sleep(dice.uniform(0, 0.06))
        process.kill()
        lines = [first, *process.stdout.read().splitlines(keepends=True)]
        process.stdout.close()
        process.wait()
        acknowledged = max(int(line) for line in lines if line.endswith(b"\n"))
        check_ledger(location, at_least=acknowledged)
    assert acknowledged >= 3 * KILLS


async def test_paper_account_killed_at_any_moment_still_adds_up(location: LedgerLocation, tmp_path: Path) -> None:
    """Its orders, fills and balance are nowhere else; one commit holds all that belongs together."""
    dice = random.Random(11)
    command = [sys.executable, "-m", "tests.ledger.paper_process", str(tmp_path / "data")]
    if not location.is_sqlite:
        command.append(location.postgres.render_as_string(hide_password=False).replace("+psycopg", ""))
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the process ended by itself"
        sleep(dice.uniform(0, 0.06))
        process.kill()
        lines = [first, *process.stdout.read().splitlines(keepends=True)]
        process.stdout.close()
        process.wait()
        reader = LedgerReader(location)
        with reader.snapshot() as view:
            (balance,) = view.balances()
            orders = view.orders(limit=100_000)[0]
            filled = sum(len(view.fills(order.intent.client_order_id)) for order in orders[:200])
            assert balance.free == len(orders) >= max(int(line) for line in lines if line.endswith(b"\n"))
            assert filled == min(len(orders), 200)
            assert view.verify_audit() is None
        reader.close()


class Numbered:
    """Appends listings S0USDT, S1USDT … to a writer without ever waiting."""

    def __init__(self, writer: LedgerWriter) -> None:
        self._writer = writer
        self.count = 0

    def append(self, times: int = 1) -> None:
        for _ in range(times):
            name = f"S{self.count}USDT"
            self._writer.append(
                [
                    ListingChanged(listing=a_listing(name, listed_s=self.count)),
                    a_signal(name),
                    SymbolsLearned(symbols=(a_symbol(name),)),
                ]
            )
            self.count += 1


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server the test may crash."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    server = PostgresServer(programs)
    server.start()
    yield server
    server.remove()


@pytest.mark.postgres
async def test_server_that_crashes_while_we_write_gets_every_row_once(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    location = locate(own_server.url("postgres"), tmp_path)
    migrations.upgrade(location)
    writer = LedgerWriter(location, LoopClock())
    writer.start()
    await learn_baseline(writer)
    numbered = Numbered(writer)
    for _ in range(3):
        for _ in range(40):
            numbered.append(3)
            await asyncio.sleep(0.001)
        await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
        numbered.append(20)
        await asyncio.to_thread(own_server.start)
        numbered.append(20)
        await writer.flush(deadline_s=20)
        assert writer.trouble == ""
    await writer.aclose()
    assert check_ledger(location, at_least=numbered.count) == numbered.count


@pytest.mark.postgres
async def test_commit_whose_answer_is_lost_is_not_written_twice(tmp_path: Path) -> None:
    with database() as url:
        proxy = TcpProxy(("127.0.0.1", shared_server().port))
        location = locate(url.replace(f":{shared_server().port}/", f":{proxy.port}/"), tmp_path)
        migrations.upgrade(location)
        writer = LedgerWriter(location, LoopClock())
        writer.start()
        await learn_baseline(writer)
        numbered = Numbered(writer)
        direct = LedgerReader(locate(url, tmp_path))
        for _ in range(5):
            proxy.swallow_answers = True
            numbered.append()
            async with asyncio.timeout(10):
                while direct.listings(limit=1)[1] < numbered.count:
                    await asyncio.sleep(0.005)
            proxy.swallow_answers = False  # it is committed, and the writer does not know
            proxy.cut()
            numbered.append()
            proxy.cut()
            await writer.flush(deadline_s=20)
        await writer.aclose()
        direct.close()
        proxy.close()
        assert check_ledger(locate(url, tmp_path), at_least=numbered.count) == numbered.count


@pytest.mark.postgres
async def test_frozen_server_is_noticed_and_what_it_missed_follows(tmp_path: Path) -> None:
    with database() as url:
        location = locate(url, tmp_path)
        migrations.upgrade(location)
        writer = LedgerWriter(location, LoopClock(), store=PostgresStore(location, deadline_s=0.5))
        writer.start()
        await learn_baseline(writer)
        numbered = Numbered(writer)
        with closing(psycopg.connect(url)) as look:
            row = look.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)
        try:
            numbered.append(5)
            with pytest.raises(StoreError, match="did not commit within"):
                await writer.flush(deadline_s=0.2)
            async with asyncio.timeout(10):
                while not writer.trouble:
                    await asyncio.sleep(0.01)
        finally:
            os.kill(row[0], signal.SIGCONT)
        await writer.flush(deadline_s=20)
        await writer.aclose()
        assert check_ledger(location, at_least=5) == 5


@pytest.mark.postgres
async def test_server_away_for_too_long_fails_the_ledger(tmp_path: Path) -> None:
    with database() as url:
        proxy = TcpProxy(("127.0.0.1", shared_server().port))
        location = locate(url.replace(f":{shared_server().port}/", f":{proxy.port}/"), tmp_path)
        migrations.upgrade(location)
        failures: list[StoreError] = []
        writer = LedgerWriter(location, LoopClock(), on_failure=failures.append, outage_limit_s=0.3)
        writer.start()
        proxy.close()
        writer.append([a_signal()])
        with pytest.raises(StoreError):
            await writer.flush(deadline_s=20)
        assert failures == [writer.failed]
        with pytest.raises(StoreError):
            await writer.aclose()


async def test_other_engine_writing_meanwhile_fails_the_ledger_instead_of_mixing(
    sqlite_location: LedgerLocation,
) -> None:
    """The number is taken. (On PostgreSQL the writer's lock keeps the other one out.)"""
    location = sqlite_location
    writer, other = LedgerWriter(location, LoopClock()), LedgerWriter(location, LoopClock())
    writer.start()
    other.start()
    other.append([a_signal("OTHERUSDT")])
    await other.aclose()
    writer.append([a_signal("MINEUSDT")])
    with pytest.raises(StoreError):
        await writer.flush(deadline_s=5)
    reader = LedgerReader(location)
    assert reader.last_seq() == 1
    reader.close()


async def test_full_disk_keeps_the_ledger_waiting_whole_and_in_order_until_there_is_space(
    sqlite_location: LedgerLocation,
) -> None:
    """Ending the engine would not help, and it could not sell any more what it holds (RELIABILITY 2.5, row 69)."""
    store = SqliteStore(sqlite_location)
    failures: list[StoreError] = []
    writer = LedgerWriter(sqlite_location, LoopClock(), store=store, on_failure=failures.append, outage_limit_s=0.1)
    writer.start()
    writer.append([a_signal("FIRSTUSDT")])
    await writer.flush(deadline_s=5)
    assert store._db is not None
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages + 3}")  # SQLite's own way to a full disk
    writer.append([a_signal("SECONDUSDT"), SymbolsLearned(symbols=tuple(a_symbol(f"N{n}") for n in range(5_000)))])
    with pytest.raises(StoreError, match="is full"):
        await writer.flush(deadline_s=1)
    assert "is full" in writer.trouble
    writer.append([a_signal("THIRDUSDT")])
    reader = LedgerReader(sqlite_location)
    with reader.snapshot() as view:
        assert (view.last_seq(), view.known_symbols()) == (1, [])
    store._db.execute(f"PRAGMA max_page_count={pages + 3_000}")
    await writer.flush(deadline_s=10)
    assert (writer.trouble, writer.failed, failures) == ("", None, [])
    with reader.snapshot() as view:
        assert (view.last_seq(), len(view.known_symbols())) == (3, 5_000)
    reader.close()
    await writer.aclose()


async def test_full_disk_at_the_end_of_a_life_tells_that_entries_may_be_missing(
    sqlite_location: LedgerLocation,
) -> None:
    store = SqliteStore(sqlite_location)
    writer = LedgerWriter(sqlite_location, LoopClock(), store=store)
    writer.start()
    assert store._db is not None
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    writer.append([SymbolsLearned(symbols=tuple(a_symbol(f"N{n}") for n in range(5_000)))])
    with pytest.raises(StoreError, match=r"full|missing"):
        await writer.aclose(deadline_s=1)


async def test_durable_entries_are_committed_with_an_fsync_and_the_others_without(
    sqlite_location: LedgerLocation,
) -> None:
    store = SqliteStore(sqlite_location)
    writer = LedgerWriter(sqlite_location, LoopClock(), store=store)
    writer.start()
    levels = []
    wanted = MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING))
    for entry in (a_signal(), wanted, a_signal()):
        writer.append([entry])
        await writer.flush(deadline_s=5)
        assert store._db is not None
        levels.append(store._db.execute("PRAGMA synchronous").fetchone()[0])
    assert levels == [1, 2, 1]
    await writer.aclose()


@pytest.mark.parametrize("damage", range(3))
async def test_damaged_file_is_refused_at_the_start(sqlite_location: LedgerLocation, damage: int) -> None:
    writer = LedgerWriter(sqlite_location, LoopClock())
    writer.start()
    writer.append([SymbolsLearned(symbols=tuple(a_symbol(f"N{n}") for n in range(2_000)))])
    await writer.aclose()
    content = bytearray(sqlite_location.sqlite.ledger.read_bytes())
    at = len(content) // 4 * (damage + 1)
    content[at : at + 4_096] = b"\xff" * 4_096
    sqlite_location.sqlite.ledger.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        LedgerWriter(sqlite_location, LoopClock()).start()


async def test_log_is_folded_in_under_load_so_that_it_does_not_grow(sqlite_location: LedgerLocation) -> None:
    writer = LedgerWriter(sqlite_location, LoopClock())
    writer.start()
    for turn in range(60):
        writer.append([SymbolsLearned(symbols=tuple(a_symbol(f"N{n}", episodes=turn) for n in range(2_000)))])
    await writer.flush(deadline_s=30)
    log = sqlite_location.sqlite.ledger.with_name("ledger.db-wal")
    assert log.stat().st_size < 40_000_000
    await writer.aclose()


async def test_reader_can_not_write(location: LedgerLocation, reader: LedgerReader) -> None:
    from sqlalchemy import text

    with pytest.raises(StoreError), reader.snapshot() as view:
        view._db.execute(text("DELETE FROM events"))
