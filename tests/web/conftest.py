"""Worlds for the web tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mexc_sniper.ledger.location import LedgerLocation, locate
from tests.web.world import WebWorld, a_web_world


@pytest.fixture(autouse=True)
def _quick_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first heartbeat be there in milliseconds; the pace is the ledger's own test."""
    monkeypatch.setattr("mexc_sniper.ledger.live.WRITE_EVERY_S", 0.02)


@pytest.fixture
def location(tmp_path: Path) -> LedgerLocation:
    return locate(None, tmp_path)


@pytest.fixture
async def web(location: LedgerLocation, tmp_path: Path) -> AsyncIterator[WebWorld]:
    """A web process beside a running engine."""
    async with a_web_world(location, tmp_path) as world:
        yield world
