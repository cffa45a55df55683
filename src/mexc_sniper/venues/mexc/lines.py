"""Warm keep-alive connections for orders: always some open, one request in flight on each, never a repetition.

A line is opened ahead, kept warm by a cheap request, and replaced when the venue closes it. What is written is
written once; whatever then goes wrong is told, never mended (RELIABILITY 2.2, 28 and 29).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ConnectFailed, ProtocolError
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.backoff import Backoff
from mexc_sniper.venues.mexc.http_answer import AnswerReader, HttpAnswer
from mexc_sniper.venues.mexc.http_wire import BytesConnection, BytesWire

_TICK_S = 0.1
_BACKOFF_CAP_S = 10.0


@dataclass(frozen=True)
class LineOptions:
    """How many lines and how long to wait. Five orders may leave at once and one line is kept for exits."""

    lines: int = 6
    reserved: int = 1
    """Idle lines that only cancels and exits may use."""
    most_lines: int = 14
    """More are opened while answers are slow: the venue takes 12 orders a second (REFERENCE 1.3)."""
    connect_deadline_s: float = 2.5
    answer_deadline_s: float = 5.0
    warm_every_s: float = 20.0
    ping_deadline_s: float = 3.0

    def __post_init__(self) -> None:
        if not (0 <= self.reserved < self.lines <= self.most_lines):
            raise ValueError(f"lines must be more than reserved and at most {self.most_lines}: {self}")


class Exchange(NamedTuple):
    """What came of one request: an answer, or why there is none (then nobody knows what the venue did)."""

    answer: HttpAnswer | None
    why: str
    mono_ns: int


Done = Callable[[Exchange], None]


class _Line:
    """One connection and at most one request in flight on it (a `BytesHandler`)."""

    def __init__(self, owner: "Lines") -> None:
        self.connection: BytesConnection | None = None
        self.used_ns = 0
        self.is_gone = False
        self._owner = owner
        self._done: Done | None = None
        self._reader: AnswerReader | None = None
        self._give_up_ns = 0

    @property
    def is_idle(self) -> bool:
        return self._done is None

    def write(self, request: bytes, done: Done, give_up_ns: int) -> bool:
        """Send a request; False when no byte of it left (then the line is unfit and ``done`` is not called)."""
        assert self.connection is not None  # noqa: S101  # only open lines are in the pool
        if not self.connection.write(request):
            return False
        self._done, self._reader, self._give_up_ns = done, None, give_up_ns
        return True

    def on_bytes(self, data: bytes, mono_ns: int) -> None:
        if self._done is None:
            self._owner.drop(self, "the venue spoke without being asked")
            return
        if self._reader is None:
            self._reader = AnswerReader()
        try:
            answer = self._reader.feed(data, mono_ns)
        except ProtocolError as error:
            self._finish(Exchange(None, str(error), mono_ns))
            self._owner.drop(self, "an unreadable answer")
            return
        if answer is None:
            return
        self.used_ns = mono_ns
        if not answer.keep_alive:
            self._owner.drop(self, "the venue ends it after this answer")
        self._finish(Exchange(answer, "", mono_ns))

    def on_close(self, why: str) -> None:
        self.is_gone = True
        self._owner.forget(self)
        self._finish(Exchange(None, f"the connection ended before the answer: {why}", self._owner.now()))

    def expire(self, now: int) -> None:
        """Stop waiting for an answer that is overdue; the line is dropped, a late answer must meet no other order."""
        if self._done is not None and now >= self._give_up_ns:
            self._owner.drop(self, "no answer in time")
            self._finish(Exchange(None, "no answer in time", now))

    def _finish(self, exchange: Exchange) -> None:
        done, self._done, self._reader = self._done, None, None
        if done is not None:
            done(exchange)


class _Nowhere:
    """A `BytesConnection` that leads nowhere, for rehearsals."""

    def write(self, data: bytes) -> bool:
        return bool(data)

    def abort(self) -> None:
        """Nothing to drop."""


_NOWHERE = _Nowhere()


class Lines:
    """Keeps the lines open while `run` runs; `send` hands a request to an idle one at once."""

    def __init__(
        self,
        url: str,
        wire: BytesWire,
        clock: Clock,
        random: Random,
        options: LineOptions,
        *,
        ping: bytes,
        changed: Callable[[int, str], None],
        pinged: Callable[[Exchange], None],
    ) -> None:
        """``ping`` is the cheap request and ``pinged`` hears its answers.

        ``changed`` hears how many lines are open when that becomes or ceases to be none, and the trouble.
        """
        self._url = url
        self._wire = wire
        self._clock = clock
        self._options = options
        self._ping = ping
        self._changed = changed
        self._heard_ping = pinged
        self.quiet_until_ns = 0
        """Nothing is asked and nothing opened before this instant, because the venue said so."""
        self._backoff = Backoff(random, first_s=0.25, cap_s=_BACKOFF_CAP_S)
        self._lines: list[_Line] = []
        self._wanting = asyncio.Event()
        self._pinging = False

    @property
    def open_lines(self) -> int:
        """Open ones, busy or not."""
        return len(self._lines)

    @property
    def idle_lines(self) -> int:
        """Open ones without a request in flight."""
        return sum(line.is_idle for line in self._lines)

    def now(self) -> int:
        """The monotonic clock."""
        return self._clock.mono_ns()

    async def run(self) -> None:
        """Keep lines open and warm until cancelled; then every unanswered request is told lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fill())
                tasks.create_task(self._look_after())
        finally:
            for line in self._lines[:]:
                line.on_close("we are stopping")
                self.drop(line, "")

    def send(self, request: bytes, done: Done, *, may_use_reserve: bool) -> bool:
        """Write a request to an idle line within this call; False when no byte left.

        ``done`` is called exactly once, later, after True. Lines that turn out to be dead while nothing has left
        are passed over.
        """
        now = self._clock.mono_ns()
        give_up = now + int(self._options.answer_deadline_s * NS_PER_S)
        while (line := self.pick(may_use_reserve=may_use_reserve)) is not None:
            if line.write(request, done, give_up):
                return True
            self.drop(line, "closed under us")
        self._wanting.set()
        return False

    def pick(self, *, may_use_reserve: bool) -> _Line | None:
        """Return the idle line that proved to be alive last; None when none is idle but the reserve."""
        best: _Line | None = None
        idle = 0
        for line in self._lines:
            if line.is_idle:
                idle += 1
                if best is None or line.used_ns > best.used_ns:
                    best = line
        return best if idle > (0 if may_use_reserve else self._options.reserved) else None

    def rehearse(self, request: bytes, done: Done) -> None:
        """Walk the way of `send` without a byte leaving: the last step is made on a line to nowhere, ``done`` never."""
        if self.pick(may_use_reserve=False) is None:
            return
        understudy = _Line(self)
        understudy.connection = _NOWHERE
        give_up = self._clock.mono_ns() + int(self._options.answer_deadline_s * NS_PER_S)
        understudy.write(request, done, give_up)

    def drop(self, line: _Line, why: str) -> None:
        """Use a line no more."""
        if line.connection is not None:
            line.connection.abort()
        self.forget(line, why)

    def forget(self, line: _Line, why: str = "closed") -> None:
        """Take a line out of the pool and have it replaced."""
        if line in self._lines:
            self._lines.remove(line)
            self._wanting.set()
            if not self._lines:
                self._changed(0, why)

    async def _fill(self) -> None:
        while True:
            if (quiet_s := (self.quiet_until_ns - self._clock.mono_ns()) / NS_PER_S) > 0:
                await self._clock.sleep(min(quiet_s, 1.0))
                continue
            if not self._lacks():
                self._wanting.clear()
                await self._wanting.wait()
                continue
            line = _Line(self)
            try:
                line.connection = await self._wire.open_bytes(
                    self._url, line, deadline_s=self._options.connect_deadline_s
                )
            except ConnectFailed as error:
                if not self._lines:
                    self._changed(0, str(error))
                await self._clock.sleep(self._backoff.next_delay_s())
                continue
            if line.is_gone:  # accepted and hung up at once
                await self._clock.sleep(self._backoff.next_delay_s())
                continue
            self._backoff.reset()
            line.used_ns = self._clock.mono_ns()
            self._lines.append(line)
            if len(self._lines) == 1:
                self._changed(1, "")

    def _lacks(self) -> bool:
        """Whether another line should be opened: too few, or all but the reserve are waiting for slow answers."""
        if len(self._lines) < self._options.lines:
            return True
        return self.idle_lines <= self._options.reserved and len(self._lines) < self._options.most_lines

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(_TICK_S)
            now = self._clock.mono_ns()
            for line in self._lines[:]:
                line.expire(now)
            if self._lacks():
                self._wanting.set()
            self._keep_warm(now)

    def _keep_warm(self, now: int) -> None:
        """Ask for something cheap on the line that was silent longest; never on two at once."""
        idle = [line for line in self._lines if line.is_idle]
        if self._pinging or not idle or now < self.quiet_until_ns:
            return
        line = min(idle, key=lambda line: line.used_ns)
        if now - line.used_ns < self._options.warm_every_s * NS_PER_S:
            return
        give_up = now + int(self._options.ping_deadline_s * NS_PER_S)
        self._pinging = line.write(self._ping, self._pinged, give_up)
        if not self._pinging:
            self.drop(line, "closed under us")

    def _pinged(self, exchange: Exchange) -> None:
        self._pinging = False
        self._heard_ping(exchange)
