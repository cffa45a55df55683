"""Every ledger test runs on SQLite files and on PostgreSQL alike."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, locate, migrations
from mexc_sniper.runtime.clock import LoopClock
from tests.support.postgres import database, shared_server

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerLocation]:
    """A place where no ledger is yet."""
    if request.param == "sqlite":
        yield locate(None, tmp_path / "data")
        return
    with database() as url:
        yield locate(url, tmp_path)


@pytest.fixture(scope="session")
def migrated_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated SQLite files to copy: migrating anew for each test costs more than the tests."""
    directory = tmp_path_factory.mktemp("migrated")
    migrations.upgrade(locate(None, directory))
    for name in ("ledger.db", "inbox.db"):
        with closing(sqlite3.connect(directory / name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return directory


@pytest.fixture
def sqlite_location(tmp_path: Path, migrated_files: Path) -> LedgerLocation:
    """A migrated, empty ledger in files, for what only files can do."""
    location = locate(None, tmp_path / "data")
    location.sqlite.ledger.parent.mkdir()
    for name in ("ledger.db", "inbox.db"):
        shutil.copy(migrated_files / name, tmp_path / "data" / name)
    return location


@pytest.fixture(scope="session")
def migrated_template() -> str:
    """The name of a migrated database to copy."""
    server = shared_server()
    name = f"migrated_{os.getpid()}"
    with closing(server.administer()) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    migrations.upgrade(locate(server.url(name), Path()))
    return name


@pytest.fixture(params=BOTH)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerLocation]:
    """A migrated, empty ledger."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_location")
        return
    with database(template=request.getfixturevalue("migrated_template")) as url:
        yield locate(url, tmp_path)


@pytest.fixture
def reader(location: LedgerLocation) -> Iterator[LedgerReader]:
    reader = LedgerReader(location)
    yield reader
    reader.close()


StartWriter = Callable[..., LedgerWriter]


@pytest_asyncio.fixture
async def start_writer(location: LedgerLocation) -> AsyncIterator[StartWriter]:
    """Starts writers on the ledger; what a test leaves open is closed, its failures ignored."""
    started: list[LedgerWriter] = []

    def start(**options: object) -> LedgerWriter:
        writer = LedgerWriter(location, LoopClock(), **options)  # type: ignore[arg-type]
        writer.start()
        started.append(writer)
        return writer

    yield start
    for writer in started:
        if writer.failed is None:
            await writer.aclose()


@pytest_asyncio.fixture
async def writer(start_writer: StartWriter) -> LedgerWriter:
    return start_writer()
