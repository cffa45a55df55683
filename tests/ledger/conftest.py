"""Every ledger test runs on SQLite files and on PostgreSQL alike."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, locate, migrations
from mexc_sniper.runtime.clock import LoopClock
from tests.support.postgres import database

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerLocation]:
    """A place where no ledger is yet."""
    if request.param == "sqlite":
        yield locate(None, tmp_path / "data")
        return
    with database() as url:
        yield locate(url, tmp_path)


@pytest.fixture
def location(empty_location: LedgerLocation) -> LedgerLocation:
    """A migrated, empty ledger."""
    migrations.upgrade(empty_location)
    return empty_location


@pytest.fixture
def sqlite_location(tmp_path: Path) -> LedgerLocation:
    """A migrated, empty ledger in files, for what only files can do."""
    location = locate(None, tmp_path / "data")
    migrations.upgrade(location)
    return location


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
