"""Starts and stops the gateway's listening as the engine wants it."""

import asyncio
import contextlib

from mexc_sniper.ports import Emit, MarketGateway


class GatewayRunner:
    """Keeps at most one `MarketGateway.run` alive; a new one begins only when the old one has ended."""

    def __init__(self, gateway: MarketGateway, emit: Emit) -> None:
        self._gateway = gateway
        self._emit = emit
        self._wanted = False
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Want it running."""
        self._wanted = True
        self._changed.set()

    def stop(self) -> None:
        """Want it stopped."""
        self._wanted = False
        self._changed.set()

    async def run(self) -> None:
        """Follow what is wanted until cancelled; an unexpected end of the gateway is an error of ours."""
        while True:
            await self._until(wanted=True)
            listening = asyncio.create_task(self._gateway.run(self._emit))
            unwanted = asyncio.create_task(self._until(wanted=False))
            try:
                await asyncio.wait((listening, unwanted), return_when=asyncio.FIRST_COMPLETED)
                if listening.done():
                    listening.result()
                    raise RuntimeError("the gateway stopped listening without being asked to")
            finally:
                for task in (listening, unwanted):
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening

    async def _until(self, *, wanted: bool) -> None:
        while self._wanted is not wanted:
            self._changed.clear()
            await self._changed.wait()
