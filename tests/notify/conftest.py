"""A ledger that a writer fills, and a notifier that follows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.channels import ChannelStore
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.ledger.writer import LedgerWriter
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.notify.channel import Sender
from mexc_sniper.notify.service import Notifier
from tests.web.world import ShiftedClock, migrate


@dataclass
class NotifyWorld:
    location: LedgerLocation
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    def __post_init__(self) -> None:
        self.writer = LedgerWriter(self.location, self.clock)
        self.live = LiveStore(self.location, self.clock)
        self.store = ChannelStore(self.location)

    async def happen(self, *entries: LedgerEntry) -> None:
        """Write entries and wait until they are in the ledger."""
        self.writer.append(entries)
        await self.writer.flush(deadline_s=10)

    async def beat(self) -> None:
        """Let the engine give a sign of life."""
        self.live.put("heartbeat", msgspec.json.encode({"wall_ns": self.clock.wall_ns()}))
        key = self.clock.wall_ns()
        async with asyncio.timeout(10):
            while (found := self.live.get_all().get("heartbeat")) is None or found[1] < key - 1_000_000_000:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def notifier(self, addresses: dict[str, str], **options: Any) -> AsyncIterator[Notifier]:
        """Run a notifier for as long as the block lasts."""
        senders: Sequence[Sender] = [Sender(name, address) for name, address in addresses.items()]
        options.setdefault("clean", lambda text: text)
        notifier = Notifier(self.location, senders, self.clock, **options)
        stop = asyncio.Event()
        before = await asyncio.to_thread(self.store.last_beat_ns)
        running = asyncio.create_task(notifier.run(stop))
        async with asyncio.timeout(20):
            while await asyncio.to_thread(self.store.last_beat_ns) == before:
                assert not running.done(), running.result()
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # every lane has its cursor
        try:
            yield notifier
        finally:
            stop.set()
            await running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of looking is no rule; that it is looked is."""
    monkeypatch.setattr("mexc_sniper.notify.service.LOOK_S", 0.05)
    monkeypatch.setattr("mexc_sniper.notify.service.TAIL_POLL_S", 0.01)
    monkeypatch.setattr("mexc_sniper.notify.lane.FIRST_RETRY_S", 0.05)
    monkeypatch.setattr("apprise.plugins.base.NotifyBase.request_rate_per_sec", 0)
    monkeypatch.setattr("mexc_sniper.ledger.live.WRITE_EVERY_S", 0.02)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[NotifyWorld]:
    location = locate(None, tmp_path)
    await asyncio.to_thread(migrate, location)
    await asyncio.to_thread(migrations.upgrade, location)
    world = NotifyWorld(location)
    world.writer.start()
    world.live.start()
    yield world
    await world.live.aclose()
    world.live.close_reader()
    await world.writer.aclose()
    world.store.close()
