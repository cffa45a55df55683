"""The public stream as a whole: which channel rides where, what it says, and how it is doing."""

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random

import structlog

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import SourceName
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.ports import Clock, Emit, Wire
from mexc_sniper.telemetry import ACTIVE_CONNECTIONS, FRAMES
from mexc_sniper.venues.mexc.channels import TICKERS, symbol_channels
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.lag import LagMeter
from mexc_sniper.venues.mexc.report import Figures, SourceReport
from mexc_sniper.venues.mexc.session import Session
from mexc_sniper.venues.mexc.shard import Shard, StreamOptions
from mexc_sniper.venues.mexc.tap import FrameTap, RawKind

_TICK_S = 0.25
_QUOTE_BAD_EVERY_S = 10
MAX_SYMBOLS = 1_500
"""Watched at once; a hundred connections. The engine watches a few; beyond this the venue would throttle us."""

_log = structlog.get_logger("mexc_sniper.venue")


def _cue(ask: str) -> bytes:
    """A first quote of nobody's pair, for rehearsals."""
    symbol = Symbol("UNDERSTUDYUSDT")
    frame = PushDataV3ApiWrapper(channel=symbol_channels(symbol)[0], symbol=symbol, sendTime=1)
    frame.publicAggreBookTicker.bidPrice, frame.publicAggreBookTicker.bidQuantity = "0.999", "1000000"
    frame.publicAggreBookTicker.askPrice, frame.publicAggreBookTicker.askQuantity = ask, "1000000"
    return frame.SerializeToString()


_CUES = (_cue("1.000"), _cue("1.001"))
"""Two, for a quote that repeats the last one is no news."""


class MarketStream:
    """The connections of one run. The first carries the all-symbols ticker and the first symbols."""

    def __init__(
        self,
        url: str,
        wire: Wire,
        clock: Clock,
        random: Random,
        options: StreamOptions,
        *,
        emit: Emit,
        venue_offset_ns: Callable[[], int],
        restored: Callable[[], None],
        tap: FrameTap | None = None,
    ) -> None:
        """``restored`` is told when the main connection is back: what was missed must be polled for."""
        self._url = url
        self._wire = wire
        self._clock = clock
        self._random = random
        self._options = options
        self._emit = emit
        self._restored = restored
        self._tap = tap
        self._interpreter = FrameInterpreter()
        self._understudy = FrameInterpreter()
        self._rehearsals = 0
        self._lag = LagMeter(venue_offset_ns)
        self._report = SourceReport(SourceName.STREAM, clock, emit)
        self._numbers = count(1)
        self._shards: list[Shard] = []
        self._homes: dict[Symbol, Shard] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[Shard, asyncio.Task[None]] = {}
        self._broken: asyncio.Future[None] | None = None
        self._main_was_live = False
        self._bad_frames = 0
        self._bad_quoted_at = 0

    async def run(self) -> None:
        """Listen until cancelled. Raises only what the engine's own handler raised."""
        self._broken = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                if not self._shards:
                    self._new_shard()
                self._shards[0].add((TICKERS,))
                for shard in self._shards:
                    self._start(shard)
                tasks.create_task(self._tick())
                await self._broken
        finally:
            self._tasks = None
            ACTIVE_CONNECTIONS.set(0)

    def watch(self, symbol: Symbol) -> None:
        """Stream a symbol's quotes and trades; idempotent."""
        if symbol in self._homes:
            return
        if len(self._homes) >= MAX_SYMBOLS:
            _log.warning("watch_refused", symbol=symbol, limit=MAX_SYMBOLS)
            return
        channels = symbol_channels(symbol)
        if not self._shards:
            self._new_shard().add((TICKERS,))
        home = next((shard for shard in self._shards if shard.has_room(len(channels))), None)
        if home is None:
            home = self._new_shard()
        self._homes[symbol] = home
        home.add(channels)
        self._start(home)

    def unwatch(self, symbol: Symbol) -> None:
        """Stop streaming a symbol; idempotent. A connection left without channels is closed."""
        home = self._homes.pop(symbol, None)
        if home is None:
            return
        home.remove(symbol_channels(symbol))
        self._interpreter.forget(symbol)
        if home.used == 0 and home is not self._shards[0]:
            self._shards.remove(home)
            if (task := self._running.pop(home, None)) is not None:
                task.cancel()

    def heard(self, session: Session, payload: bytes, is_text: bool, wall_ns: int, mono_ns: int) -> None:
        if self._tap is not None:
            kind = RawKind.TEXT_FRAME if is_text else RawKind.BINARY_FRAME
            self._tap.record(kind, session.number, "", payload, wall_ns, mono_ns)

    def read(self, session: Session, payload: bytes, wall_ns: int, mono_ns: int) -> str | None:
        try:
            reading = self._interpreter.read(session.number, payload, wall_ns, mono_ns)
        except ProtocolError as error:
            self._bad_frames += 1
            if mono_ns - self._bad_quoted_at > _QUOTE_BAD_EVERY_S * NS_PER_S:
                self._bad_quoted_at = mono_ns
                _log.warning("bad_frame", error=str(error), connection=session.number, count=self._bad_frames)
            raise
        if reading.event is not None:
            try:
                self._emit(reading.event)
            except Exception as error:  # the engine's failure ends the run, not this connection
                self._break(error)
        self._lag.note(reading.sent_at_ns, wall_ns)
        FRAMES.labels(reading.kind).inc()
        return reading.about

    def rehearse(self) -> None:
        """Read a frame of nobody's pair as any other and forget it: a path not walked for a while is slow."""
        self._rehearsals += 1
        self._understudy.read(0, _CUES[self._rehearsals % 2], 1, 1)

    def ended(self, session: Session) -> None:
        self._interpreter.forget_connection(session.number)
        _log.info("connection_ended", connection=session.number, why=session.why, had_data=session.had_data)
        if self._tap is not None:
            now = self._clock
            self._tap.record(RawKind.CLOSED, session.number, "", session.why.encode(), now.wall_ns(), now.mono_ns())

    def _new_shard(self) -> Shard:
        shard = Shard(
            self._url,
            self._wire,
            self._clock,
            self._random,
            self._options,
            new_session=lambda: Session(next(self._numbers), self, self._clock, self._options.limits),
            changed=self._state_changed,
        )
        self._shards.append(shard)
        return shard

    def _start(self, shard: Shard) -> None:
        if self._tasks is not None and shard not in self._running:
            self._running[shard] = self._tasks.create_task(shard.run())

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(_TICK_S)
            for shard in self._shards:
                for session in shard.sessions:
                    session.tick()
            self._state_changed()

    def _state_changed(self) -> None:
        if self._tasks is None:
            return
        live = self._shards[0].live
        if live and not self._main_was_live:
            self._restored()
        self._main_was_live = live
        if self._report.status is None and not live and not self._shards[0].trouble:
            return  # the first attempt is still under way: nothing is wrong yet
        try:
            self._report.tell(*self._state())
        except Exception as error:
            self._break(error)

    def _state(self) -> tuple[ComponentStatus, str, Figures]:
        sessions = [session for shard in self._shards for session in shard.sessions]
        ACTIVE_CONNECTIONS.set(len(sessions))
        main, down = self._shards[0], [shard for shard in self._shards if not shard.live]
        waits = [shard.next_attempt_ns for shard in down if shard.next_attempt_ns is not None]
        wait_s = max(0.0, (min(waits) - self._clock.mono_ns()) / NS_PER_S) if waits else None
        figures: Figures = {
            "connections": len(sessions),
            "subscriptions": sum(shard.used for shard in self._shards),
            "reconnects": sum(shard.reconnects for shard in self._shards),
            "bad_frames": self._bad_frames,
            "lag_ms_p50": self._lag.p50_ms(),
            "next_attempt_s": None if wait_s is None else round(wait_s, 1),
        }
        refusals = [text for session in sessions for text in session.refusals]
        if not main.live:
            return ComponentStatus.DOWN, main.trouble or "connecting", figures
        if down:
            return ComponentStatus.DEGRADED, down[0].trouble or "a connection is being opened", figures
        if refusals:
            return ComponentStatus.DEGRADED, f"the venue refuses a channel: {refusals[0]}", figures
        return ComponentStatus.OK, "", figures

    def _break(self, error: Exception) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)
