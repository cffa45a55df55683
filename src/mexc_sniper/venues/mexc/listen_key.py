"""The key of the private stream: valid for an hour, extended in time, replaced when in doubt (REFERENCE 1.9)."""

import asyncio
import contextlib

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import Refused, VenueError
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.parse.account import listen_key_of
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

EXTEND_EVERY_S = 20 * 60.0
RETRY_S = 30.0
LIFE_S = 55 * 60.0
"""The venue's hour less a margin: a key that could not be extended for so long counts as dead."""
_CLOSE_S = 2.0

_log = structlog.get_logger("mexc_sniper.venue")


class ListenKey:
    """At most one key at a time; an account may hold sixty, so what is replaced is given back."""

    def __init__(self, rest: RestClient, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._key = ""
        self._extended_ns = 0

    async def current(self) -> str:
        """Return the key, making one if there is none.

        Raises:
            VenueError: none could be made.
        """
        if not self._key:
            answer = await self._rest.call("POST", Endpoint.LISTEN_KEY)
            self._key = listen_key_of(answer.body)
            self._extended_ns = self._clock.mono_ns()
        return self._key

    async def replace(self) -> None:
        """Give the key back; the next `current` makes a new one."""
        key, self._key = self._key, ""
        if key:
            with contextlib.suppress(VenueError):
                await self._rest.call("DELETE", Endpoint.LISTEN_KEY, {"listenKey": key})

    async def keep(self) -> None:
        """Extend the key until that fails for good, then return: connections on it will fall silent."""
        wait_s = EXTEND_EVERY_S
        while True:
            await self._clock.sleep(wait_s)
            if not self._key:
                wait_s = EXTEND_EVERY_S
                continue
            try:
                await self._rest.call("PUT", Endpoint.LISTEN_KEY, {"listenKey": self._key})
            except VenueError as error:
                _log.warning("listen_key_not_extended", error=str(error))
                age_s = (self._clock.mono_ns() - self._extended_ns) / NS_PER_S
                if (isinstance(error, Refused) and not error.retryable) or age_s > LIFE_S:
                    return
                wait_s = RETRY_S
            else:
                self._extended_ns = self._clock.mono_ns()
                wait_s = EXTEND_EVERY_S

    async def close(self) -> None:
        """Give the key back at the end, if that is quickly done."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.replace()
