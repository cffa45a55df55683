"""One place for up to thirty channels, kept connected for ever: reconnect with backoff, make before break."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ConnectFailed
from mexc_sniper.ports import Clock, Wire
from mexc_sniper.telemetry import RECONNECTIONS
from mexc_sniper.venues.mexc.backoff import Backoff
from mexc_sniper.venues.mexc.channels import has_room
from mexc_sniper.venues.mexc.errors import HandshakeFailed
from mexc_sniper.venues.mexc.session import Session, SessionLimits
from mexc_sniper.venues.mexc.waiting import wait_for

_PROBE_EVERY_S = 0.75
_PROBE_DEADLINE_S = 1.0
_OVERLAP_S = 1.0
"""Both connections stay open this long, so that what was under way on the old one still arrives."""

_SHORT_LIFE_S = 5.0
_SHORT_LIFE_WAIT_S = 2.2
"""A venue that serves and hangs up at once is asked again within three seconds, and not thirty times a minute."""


@dataclass(frozen=True)
class StreamOptions:
    """Seconds. ``life_s`` is one hour less than the venue's 24 h cut (REFERENCE 2.1)."""

    connect_deadline_s: float = 2.5
    life_s: float = 23 * 3600
    life_jitter_s: float = 900
    limits: SessionLimits = field(default_factory=SessionLimits)


class Shard:
    """Owns the connection (during a renewal: two) that carries its channels."""

    def __init__(
        self,
        url: str,
        wire: Wire,
        clock: Clock,
        random: Random,
        options: StreamOptions,
        *,
        new_session: Callable[[], Session],
        changed: Callable[[], None],
    ) -> None:
        """``new_session`` makes an unconnected session; ``changed`` is told that the state here changed."""
        self._url = url
        self._wire = wire
        self._clock = clock
        self._random = random
        self._options = options
        self._new_session = new_session
        self._changed = changed
        self._backoff = Backoff(random)
        self._channels: dict[str, None] = {}
        self._sessions: list[Session] = []
        self.live = False
        """Whether a connection is up with everything confirmed or refused."""
        self.trouble = ""
        self.next_attempt_ns: int | None = None
        self.reconnects = 0

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Open connections, the oldest first."""
        return tuple(self._sessions)

    @property
    def used(self) -> int:
        """Channels here."""
        return len(self._channels)

    def has_room(self, wanted: int) -> bool:
        """Whether ``wanted`` more channels fit."""
        return has_room(self.used, wanted)

    def add(self, channels: Iterable[str]) -> None:
        """Carry more channels, now and after every reconnect."""
        fresh = [channel for channel in channels if channel not in self._channels]
        self._channels.update(dict.fromkeys(fresh))
        for session in self._sessions:
            session.subscribe(fresh)

    def remove(self, channels: Iterable[str]) -> None:
        """Carry channels no more."""
        gone = [channel for channel in channels if self._channels.pop(channel, 0) is None]
        for session in self._sessions:
            session.unsubscribe(gone)

    async def run(self) -> None:
        """Keep connected until cancelled."""
        try:
            while True:
                session = await self._connect()
                self._set_live(True)
                session = await self._serve(session)
                self.trouble = session.why
                self._set_live(False)
                lived_s = (self._clock.mono_ns() - session.opened_ns) / NS_PER_S
                if session.had_data and lived_s >= _SHORT_LIFE_S:
                    self._backoff.reset()
                    continue
                delay_s = self._backoff.next_delay_s()
                cap_s = _SHORT_LIFE_WAIT_S if session.had_data else delay_s
                await self._wait_out(min(delay_s, cap_s), unreachable=False)
        finally:
            for session in self._sessions[:]:
                session.close("stopped")
                session.on_close("stopped")
            self._sessions.clear()
            self.live = False

    async def _connect(self) -> Session:
        """Try until a connection is up and all its channels are answered."""
        first = self.reconnects == 0 and not self.trouble
        while True:
            if (storm_s := self._backoff.storm_wait_s(self._clock.mono_ns())) > 0:
                await self._wait_out(storm_s, unreachable=False)
            if not first:
                self.reconnects += 1
                RECONNECTIONS.inc()
            first = False
            try:
                session = await self._open()
            except ConnectFailed as error:
                self.trouble = str(error)
                self._changed()
                unreachable = not isinstance(error, HandshakeFailed)
                await self._wait_out(self._backoff.next_delay_s(), unreachable=unreachable)
                continue
            await session.ready.wait()  # the session's own watchdog bounds this
            if not session.is_gone:
                return session
            self.trouble = session.why
            self._changed()
            if session.had_data:
                self._backoff.reset()
            await self._wait_out(self._backoff.next_delay_s(), unreachable=False)

    async def _open(self) -> Session:
        self._backoff.attempted(self._clock.mono_ns())
        session = self._new_session()
        connection = await self._wire.open_websocket(self._url, session, deadline_s=self._options.connect_deadline_s)
        session.attach(connection)
        self._sessions.append(session)
        session.subscribe(self._channels)
        if not self._channels:
            session.ready.set()
        self.trouble = ""
        self.next_attempt_ns = None
        self._changed()
        return session

    async def _serve(self, session: Session) -> Session:
        """Hold the connection and replace it before its life ends; returns the one that ended unasked."""
        renew_at = self._renewal(session)
        while True:
            left_s = (renew_at - self._clock.mono_ns()) / NS_PER_S
            if await wait_for(session.gone, self._clock, left_s):
                self._drop(session)
                return session
            fresh = await self._replacement()
            if fresh is None:
                renew_at = self._clock.mono_ns() + int(self._backoff.next_delay_s() * NS_PER_S)
                continue
            await wait_for(fresh.gone, self._clock, _OVERLAP_S)
            if fresh.is_gone:
                self._drop(fresh)
                continue
            session.close("replaced before the end of its life")
            session.on_close("replaced before the end of its life")
            self._drop(session)
            session, renew_at = fresh, self._renewal(fresh)

    async def _replacement(self) -> Session | None:
        try:
            fresh = await self._open()
        except ConnectFailed as error:
            self.trouble = f"cannot renew the connection: {error}"
            self._changed()
            return None
        await fresh.ready.wait()
        if fresh.is_gone:
            self.trouble = f"cannot renew the connection: {fresh.why}"
            self._drop(fresh)
            return None
        self._backoff.reset()
        return fresh

    def _renewal(self, session: Session) -> int:
        spread = self._random.uniform(-self._options.life_jitter_s, self._options.life_jitter_s)
        return session.opened_ns + int((self._options.life_s + spread) * NS_PER_S)

    async def _wait_out(self, seconds: float, *, unreachable: bool) -> None:
        """Wait before the next attempt, but not a moment longer than the address stays out of reach.

        An address that was out of reach and now accepts connections ends the wait and resets the counter. One
        that was in reach all along is served by the backoff alone, otherwise a refusing venue would be stormed.
        """
        until = self._clock.mono_ns() + int(seconds * NS_PER_S)
        self.next_attempt_ns = until
        self._changed()
        while (left_s := (until - self._clock.mono_ns()) / NS_PER_S) > 0:
            await self._clock.sleep(min(left_s, _PROBE_EVERY_S))
            if not await self._wire.reachable(self._url, deadline_s=_PROBE_DEADLINE_S):
                unreachable = True
            elif unreachable:
                self._backoff.reset()
                return

    def _drop(self, session: Session) -> None:
        if session in self._sessions:
            self._sessions.remove(session)
        self._changed()

    def _set_live(self, live: bool) -> None:
        self.live = live
        self._changed()
