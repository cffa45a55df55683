"""A journal in a directory of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import StoreError
from mexc_sniper.journal import FileJournal
from tests.journal.builders import LIMITS

OpenJournal = Callable[..., FileJournal]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest_asyncio.fixture
async def open_journal(directory: Path) -> AsyncIterator[OpenJournal]:
    """Opens journals; what a test leaves open is closed, its failures ignored."""
    opened: list[FileJournal] = []

    def open_one(minimum_epoch: int = 0, **options: object) -> FileJournal:
        journal = FileJournal(directory, SystemClock(), **{"limits": LIMITS, "slots": 64, **options})  # type: ignore[arg-type]
        journal.open(minimum_epoch=minimum_epoch)
        opened.append(journal)
        return journal

    yield open_one
    for journal in opened:
        try:
            await journal.aclose()
        except StoreError:
            continue
