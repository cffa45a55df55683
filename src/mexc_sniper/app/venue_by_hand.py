"""The venue by hand: an order gateway and a REST client outside the engine, for `panic` and `doctor --canary`."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Self

import msgspec

from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import Event
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.order import OrderIntent
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.budget import WeightBudget
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway
from mexc_sniper.venues.mexc.parse.exchange_info import instrument, split
from mexc_sniper.venues.mexc.parse.names import server_time
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.time_sync import OffsetEstimate
from mexc_sniper.venues.mexc.urls import Endpoint, Host
from mexc_sniper.venues.mexc.wire import PicowsWire

EPOCH = 36**4 - 1
"""In the ids of orders made by hand, where the engine writes the number of its life: nobody's life."""
CLOCK_PROBES = 3


class VenueByHand:
    """Open it with ``async with``; the gateway listens only once `listen` was called."""

    def __init__(self, settings: Settings, credentials: Credentials, record_file: str) -> None:
        """``record_file``: where orders are written down before they leave, in the data directory."""
        self._settings = settings
        self.credentials = credentials
        self._record_path = settings.data_dir / record_file
        self._running: asyncio.Task[None] | None = None
        self.events: list[Event] = []

    async def __aenter__(self) -> Self:
        self.clock = LoopClock()
        self.offload = ThreadOffload()
        self._estimate = OffsetEstimate()
        wire = PicowsWire(self.clock)
        budget = WeightBudget(self.clock)
        venue = self._settings.venue
        self.rest = RestClient(
            {Host.API: venue.rest_url}, self.clock, self.offload, budget, venue_offset_ns=self._offset_ns
        )
        self.gateway = MexcOrderGateway(
            clock=self.clock,
            offload=self.offload,
            wire=wire,
            bytes_wire=wire,
            credentials=self.credentials,
            venue_offset_ns=self._offset_ns,
            rest_url=venue.rest_url,
            ws_url=venue.ws_url,
            budget=budget,
        )
        await self.rest.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        await self.rest.__aexit__()
        self.offload.close()

    def _offset_ns(self) -> int:
        return self._estimate.offset_ns

    async def learn_time(self) -> None:
        """Measure the venue's clock, which orders are signed with.

        Raises:
            VenueError: it does not answer.
        """
        for _ in range(CLOCK_PROBES):
            answer = await self.rest.get(Endpoint.TIME)
            self._estimate.add(
                server_time(answer.body),
                sent_mono_ns=answer.sent_mono_ns,
                received_mono_ns=answer.mono_ns,
                received_wall_ns=answer.wall_ns,
            )

    def listen(self) -> None:
        """Let the gateway connect; what it says is appended to ``events``."""
        self._running = asyncio.create_task(self.gateway.run(self.events.append))

    async def rules(self, symbol: Symbol) -> Instrument | None:
        """Read the rules of a pair; None when the venue does not know it.

        Raises:
            VenueError: it does not answer.
        """
        answer = await self.rest.get(Endpoint.EXCHANGE_INFO, {"symbol": str(symbol)})
        rows = [instrument(row) for row in split(answer.body)[1]]
        return next((rules for rules in rows if rules.symbol == symbol), None)

    def record(self, intent: OrderIntent) -> None:
        """Write an order down, fsynced, before it leaves.

        Raises:
            StoreError: the file cannot be written.
        """
        line = {"at": iso_from_ns(intent.decided_ns), "intent": msgspec.to_builtins(intent)}
        try:
            fd = os.open(self._record_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, msgspec.json.encode(line) + b"\n")
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise StoreError(f"{self._record_path} cannot be written ({error.strerror})") from None

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; False when it is not in time, or the gateway has ended."""
        give_up = self.clock.mono_ns() + round(seconds * NS_PER_S)
        while not done():
            if self.clock.mono_ns() >= give_up or (self._running is not None and self._running.done()):
                return False
            await self.clock.sleep(0.01)
        return True
