"""One WebSocket from its first subscription to its end: acknowledgements, PING, and the watchdog."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.ports import Clock, WireConnection
from mexc_sniper.telemetry import BAD_FRAMES, FRAMES
from mexc_sniper.venues.mexc.channels import (
    MAX_PER_REQUEST,
    PING,
    TICKERS,
    subscribe_text,
    symbol_in,
    unsubscribe_text,
)
from mexc_sniper.venues.mexc.parse.control import control_answer

BAD_FRAMES_PER_MINUTE = 20
_RETRY_REFUSED_S = 5.0
"""A refused channel may belong to a symbol that is not open yet: ask again (REFERENCE 2.2)."""
_REPEAT_UNHEARD_S = 15.0
"""So may an accepted one that never said anything."""
_REPEAT_STALLED_S = 60.0
"""One that fell silent may have stalled although the connection lives (RELIABILITY 2.1, 2)."""


@dataclass(frozen=True)
class SessionLimits:
    """Seconds; the defaults are those of RELIABILITY 2.1."""

    dead_after_s: float = 3.0
    """Without any frame or PONG the connection is dead."""
    ping_after_s: float = 1.0
    """Quiet for this long: send a text PING, and one more every such time."""
    ack_s: float = 2.0
    """An unconfirmed subscription is retried on a new connection after this time."""
    tickers_silent_s: float = 10.0
    """The all-symbols ticker comes every 3 s: subscribe again after this, use a new connection after twice this."""


class SessionOwner(Protocol):
    """Who gets what a session hears; must not raise."""

    def heard(self, session: "Session", payload: bytes, is_text: bool, wall_ns: int, mono_ns: int) -> None:
        """A frame arrived; called before anything reads it."""
        ...

    def read(self, session: "Session", payload: bytes, wall_ns: int, mono_ns: int) -> str | None:
        """Read a binary frame and hand on what it says; returns which symbol it was about.

        Raises:
            ProtocolError: it cannot be decoded; the session counts it.
        """
        ...

    def ended(self, session: "Session") -> None:
        """The connection is gone; ``session.why`` tells."""
        ...


@dataclass
class _Channel:
    asked_at: int
    confirmed: bool = False
    refused: str = ""


class Session:
    """Implements `ports.FrameHandler` for one connection; `attach` gives it the connection it rides on."""

    def __init__(self, number: int, owner: SessionOwner, clock: Clock, limits: SessionLimits) -> None:
        self.number = number
        self.why = ""
        self.had_data = False
        self.opened_ns = clock.mono_ns()
        self.ready = asyncio.Event()
        """Set once every channel asked for was confirmed or refused, and set for good when the session ends."""
        self.gone = asyncio.Event()
        self._owner = owner
        self._clock = clock
        self._limits = limits
        self._connection: WireConnection | None = None
        self._channels: dict[str, _Channel] = {}
        self._requests: dict[int, tuple[str, ...]] = {}
        self._request_ids = count(1)
        self._last_frame = self.opened_ns
        self._last_ping = self.opened_ns
        self._last_tickers = self.opened_ns
        self._tickers_repeated = False
        self._heard_at: dict[str, int] = {}
        self._bad: deque[int] = deque(maxlen=BAD_FRAMES_PER_MINUTE)

    @property
    def is_gone(self) -> bool:
        """Whether the connection has ended."""
        return self.gone.is_set()

    @property
    def channels(self) -> int:
        """How many channels this connection carries."""
        return len(self._channels)

    @property
    def refusals(self) -> list[str]:
        """What the venue said to refused channels."""
        return [state.refused for state in self._channels.values() if state.refused]

    def quiet_s(self) -> float:
        """Seconds since the last frame."""
        return (self._clock.mono_ns() - self._last_frame) / NS_PER_S

    def attach(self, connection: WireConnection) -> None:
        """Ride on an open connection."""
        self._connection = connection
        self._last_frame = self._last_tickers = self._clock.mono_ns()

    def subscribe(self, channels: Iterable[str]) -> None:
        """Ask for channels not asked for yet."""
        fresh = [channel for channel in channels if channel not in self._channels]
        now = self._clock.mono_ns()
        for channel in fresh:
            self._channels[channel] = _Channel(now)
        self._ask(fresh)

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """End channels; their answers are not awaited."""
        known = [channel for channel in channels if self._channels.pop(channel, None) is not None]
        if known:
            self._send(unsubscribe_text(known, next(self._request_ids)))

    def close(self, why: str) -> None:
        """Close politely."""
        self.why = self.why or why
        if self._connection is not None:
            self._connection.close()

    def abort(self, why: str) -> None:
        """Drop the connection; its end is reported at once, whatever the socket does."""
        self.why = self.why or why
        if self._connection is not None:
            self._connection.abort()
        self._end()

    def on_frame(self, payload: bytes, is_text: bool, mono_ns: int) -> None:
        if self.is_gone:
            return
        wall_ns = self._clock.wall_ns()
        self._last_frame = mono_ns
        self._owner.heard(self, payload, is_text, wall_ns, mono_ns)
        try:
            if is_text:
                self._on_text(payload)
                return
            about = self._owner.read(self, payload, wall_ns, mono_ns)
        except ProtocolError:
            self._count_bad(mono_ns)
            return
        self.had_data = True
        if about == "":
            self._last_tickers = mono_ns
            self._tickers_repeated = False
        elif about is not None:
            self._heard_at[about] = mono_ns

    def on_close(self, why: str) -> None:
        self.why = self.why or why
        self._end()

    def tick(self) -> None:
        """Look after the connection; called a few times a second."""
        if self.is_gone or self._connection is None:
            return
        now = self._clock.mono_ns()
        limits = self._limits
        quiet_s = (now - self._last_frame) / NS_PER_S
        if quiet_s >= limits.dead_after_s:
            self.abort(f"silent for {quiet_s:.1f} s")
            return
        if quiet_s >= limits.ping_after_s and now - self._last_ping >= limits.ping_after_s * NS_PER_S:
            self._last_ping = now
            self._send(PING)
        self._watch_channels(now)

    def _watch_channels(self, now: int) -> None:
        again = []
        for channel, state in self._channels.items():
            age_s = (now - state.asked_at) / NS_PER_S
            if state.refused:
                if age_s >= _RETRY_REFUSED_S:
                    again.append(channel)
            elif not state.confirmed:
                if age_s >= self._limits.ack_s:
                    self.abort(f"no confirmation of {channel} within {self._limits.ack_s:g} s")
                    return
            elif channel != TICKERS:
                heard_at = self._heard_at.get(symbol_in(channel))
                silent_s = (now - max(state.asked_at, heard_at or 0)) / NS_PER_S
                if silent_s >= (_REPEAT_UNHEARD_S if heard_at is None else _REPEAT_STALLED_S):
                    again.append(channel)
        if TICKERS in self._channels and self._channels[TICKERS].confirmed:
            silent_s = (now - self._last_tickers) / NS_PER_S
            if silent_s >= 2 * self._limits.tickers_silent_s:
                self.abort(f"answers PING but sent no tickers for {silent_s:.0f} s")
                return
            if silent_s >= self._limits.tickers_silent_s and not self._tickers_repeated:
                self._tickers_repeated = True
                again.append(TICKERS)
        for channel in again:
            self._channels[channel].asked_at = now
        self._ask(again)

    def _on_text(self, payload: bytes) -> None:
        answer = control_answer(payload)
        if answer.pong:
            FRAMES.labels("pong").inc()
            return
        FRAMES.labels("answer").inc()
        asked = self._requests.pop(answer.request_id, ())
        for channel in answer.accepted:
            if (state := self._channels.get(channel)) is not None:
                state.confirmed = True
                state.refused = ""
        # A refusal may quote names in a form of its own; then all of the request that it does not accept is refused.
        refused = answer.refused & self._channels.keys()
        if answer.refused and not refused:
            refused = frozenset(asked) & self._channels.keys()
        for channel in refused:
            self._channels[channel].refused = answer.text
            self._channels[channel].confirmed = False
        if all(state.confirmed or state.refused for state in self._channels.values()):
            self.ready.set()

    def _ask(self, channels: list[str]) -> None:
        for start in range(0, len(channels), MAX_PER_REQUEST):
            part = tuple(channels[start : start + MAX_PER_REQUEST])
            request_id = next(self._request_ids)
            self._requests[request_id] = part
            while len(self._requests) > 100:  # answers that never came
                self._requests.pop(next(iter(self._requests)))
            self._send(subscribe_text(part, request_id))

    def _send(self, text: str) -> None:
        if self._connection is not None and not self.is_gone:
            self._connection.send_text(text)

    def _count_bad(self, mono_ns: int) -> None:
        BAD_FRAMES.inc()
        self._bad.append(mono_ns)
        if len(self._bad) == BAD_FRAMES_PER_MINUTE and mono_ns - self._bad[0] < 60 * NS_PER_S:
            self.abort(f"{BAD_FRAMES_PER_MINUTE} unreadable frames within a minute")

    def _end(self) -> None:
        if not self.gone.is_set():
            self.gone.set()
            self.ready.set()
            self._owner.ended(self)
