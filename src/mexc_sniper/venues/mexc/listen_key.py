"""The key of the private stream: valid for an hour, extended in time, replaced when in doubt (REFERENCE 1.9)."""

import asyncio
import contextlib
import hashlib
from typing import Protocol

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import Refused, VenueError
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.parse.account import listen_key_of, listen_keys_of
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

EXTEND_EVERY_S = 20 * 60.0
RETRY_S = 30.0
LIFE_S = 55 * 60.0
"""The venue's hour less a margin: a key that could not be extended for so long counts as dead."""
_CLOSE_S = 2.0

_log = structlog.get_logger("mexc_sniper.venue")


def fingerprint_of(listen_key: str) -> str:
    """Return what may be kept on disk of a key."""
    return hashlib.sha256(listen_key.encode()).hexdigest()


class ListenKeyRecord(Protocol):
    """What outlives the process: a fingerprint of the last key, which tells nobody the key."""

    def last(self) -> str:
        """Return the last fingerprint kept, by any life; empty when there is none."""

    def note(self, fingerprint: str) -> None:
        """Keep a fingerprint in the place of the one before."""


class ListenKey:
    """At most one key at a time; an account may hold sixty, so what is replaced is given back.

    A process that was killed gave nothing back: the next one goes on with its key, found among the account's by the
    fingerprint. Keys of other programs are left alone.
    """

    def __init__(self, rest: RestClient, clock: Clock, record: ListenKeyRecord | None = None) -> None:
        """``record`` keeps the key's fingerprint for the next life; None: nobody does."""
        self._rest = rest
        self._clock = clock
        self._record = record
        self._key = ""
        self._extended_ns = 0
        self._wanted = record.last() if record is not None else ""

    async def current(self) -> str:
        """Return the key, making one if there is none.

        Raises:
            VenueError: none could be made.
        """
        if not self._key:
            self._key = await self._left_behind() or await self._made()
            self._extended_ns = self._clock.mono_ns()
        return self._key

    async def replace(self) -> None:
        """Give the key back; the next `current` makes a new one."""
        key, self._key = self._key, ""
        if key:
            with contextlib.suppress(VenueError):
                await self._rest.call("DELETE", Endpoint.LISTEN_KEY, {"listenKey": key})

    async def _made(self) -> str:
        answer = await self._rest.call("POST", Endpoint.LISTEN_KEY)
        key = listen_key_of(answer.body)
        if self._record is not None:
            self._record.note(fingerprint_of(key))
        return key

    async def _left_behind(self) -> str:
        """Return the last life's key, extended; empty when it is not there or anything goes wrong with it."""
        wanted, self._wanted = self._wanted, ""
        if not wanted:
            return ""
        try:
            answer = await self._rest.get(Endpoint.LISTEN_KEY)
            key = next((key for key in listen_keys_of(answer.body) if fingerprint_of(key) == wanted), "")
            if key:
                await self._rest.call("PUT", Endpoint.LISTEN_KEY, {"listenKey": key})
        except VenueError as error:
            _log.info("listen_key_not_taken_over", error=str(error))
            return ""
        return key

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
