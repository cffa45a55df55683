"""A running stream and what it emitted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

from mexc_sniper.model.events import Event, SourceChanged
from mexc_sniper.ports import Clock, Wire
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.venues.mexc.shard import StreamOptions
from mexc_sniper.venues.mexc.stream import MarketStream


class Heard(list[Event]):
    """Everything emitted, with ways to look at it."""

    def of(self, kind: type) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]

    @property
    def states(self) -> list[str]:
        """Statuses in order, repetitions left out."""
        found: list[str] = []
        for event in self.of(SourceChanged):
            if not found or found[-1] != event.status.value:
                found.append(event.status.value)
        return found

    @property
    def last_state(self) -> SourceChanged:
        return self.of(SourceChanged)[-1]


@asynccontextmanager
async def streaming(
    url: str, wire: Wire, clock: Clock, options: StreamOptions | None = None
) -> AsyncIterator[tuple[MarketStream, Heard]]:
    heard = Heard()
    stream = MarketStream(
        url,
        wire,
        clock,
        Random(1),
        options or StreamOptions(),
        emit=heard.append,
        venue_offset_ns=lambda: 0,
        restored=lambda: None,
    )
    task = asyncio.create_task(stream.run())
    try:
        yield stream, heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(condition: Callable[[], Any], *, within_s: float = 5.0) -> float:
    """Poll until true; returns the seconds it took."""
    clock = LoopClock()
    started = clock.mono_ns()
    while not condition():
        took = (clock.mono_ns() - started) / 1e9
        assert took < within_s, f"not within {within_s} s"
        await asyncio.sleep(0.005)
    return (clock.mono_ns() - started) / 1e9
