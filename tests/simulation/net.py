"""The virtual network, and the simulator's sans-IO core at its other end.

Latency, loss, late arrival, cuts and silence belong to the network; what the venue itself does wrong is the core's.
What has left a process goes on without it: requests, answers and frames are timers of the loop, not of a life.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from mexc_sim.core.exchange import Exchange
from mexc_sim.core.messages import (
    Answer,
    Close,
    Delivery,
    Frame,
    HttpRequest,
    LateAnswer,
    Outcome,
    Request,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)
from mexc_sniper.core.errors import ConnectFailed, ConnectionLost
from mexc_sniper.ports import FrameHandler
from mexc_sniper.venues.mexc.errors import HandshakeFailed
from mexc_sniper.venues.mexc.http_reads import HttpReply
from mexc_sniper.venues.mexc.http_wire import BytesHandler
from tests.simulation.loop import Killed, VirtualLoop
from tests.simulation.parts import EPOCH_NS, Process

if TYPE_CHECKING:
    from tests.simulation.world import World

REST_URL, WS_URL, WEB_URL = "http://venue.test", "ws://venue.test/ws", "http://web.venue.test"


class Venue:
    """The exchange on the loop's time, with the ends of everything that hangs on it."""

    def __init__(self, exchange: Exchange, loop: VirtualLoop) -> None:
        self.exchange = exchange
        self._loop = loop
        self._sockets: dict[int, VirtualSocket] = {}
        self._answers: dict[int, Callable[[Answer], None]] = {}
        self._numbers = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ns = 0
        self.moved: Callable[[], None] = lambda: None
        """Called after everything that reached the exchange."""

    def now_ns(self) -> int:
        """The venue's machine has the true time."""
        return EPOCH_NS + self._loop.mono_ns()

    def number(self) -> int:
        """A number for a request or a connection, never used before."""
        self._numbers += 1
        return self._numbers

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        answered: Callable[[Answer], None],
        body: bytes = b"",
    ) -> None:
        """An HTTP request has arrived."""
        path, _, query = target.partition("?")
        number = self.number()
        request = HttpRequest(method=method, path=path, query=query, headers=headers, body=body, number=number)
        self._answers[number] = answered
        outcome = self._handle(request)
        if outcome.answer is not None:
            del self._answers[number]
            answered(outcome.answer)

    def control(self, method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
        """Ask the control API; it is never spoiled and never late."""
        outcome = self._handle(HttpRequest(method=method, path=path, query=query, body=body, number=self.number()))
        assert outcome.answer is not None
        assert outcome.answer.status == 200, outcome.answer.body
        return outcome.answer.body

    def open(self, socket: "VirtualSocket", query: str) -> Answer | None:
        """A handshake has arrived; an answer refuses it."""
        self._sockets[socket.number] = socket
        outcome = self._handle(SocketOpened(socket.number, query))
        if outcome.answer is not None:
            del self._sockets[socket.number]
        return outcome.answer

    def text(self, number: int, text: str) -> None:
        """A text frame has arrived."""
        self._handle(SocketText(number, text))

    def closed(self, number: int) -> None:
        """A socket's end has arrived."""
        if self._sockets.pop(number, None) is not None:
            self._handle(SocketClosed(number))

    def tick(self) -> None:
        """Let what is due happen."""
        self._alarm = None
        self._handle(Tick())

    def _handle(self, request: Request) -> Outcome:
        outcome = self.exchange.handle(request, self.now_ns())
        for item in outcome.output:
            if isinstance(item, LateAnswer):
                answered = self._answers.pop(item.number, None)
                if answered is not None:
                    answered(item.answer)
            else:
                socket = self._sockets.get(item.connection)
                if socket is None:
                    continue
                if isinstance(item, Frame):
                    socket.push(item.payload)
                elif isinstance(item, Close):
                    socket.end("the venue ended it")
        due_ns = outcome.next_due_ns
        if due_ns is not None and (self._alarm is None or due_ns != self._alarm_ns):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_ns = due_ns
            self._alarm = self._loop.call_at(max(self._loop.now, (due_ns - EPOCH_NS) / 1e9 + 1e-9), self.tick)
        self.moved()
        return outcome


class Link:
    """The way between one process and the venue."""

    def __init__(self, loop: VirtualLoop, random: Random, latency_s: tuple[float, float]) -> None:
        self.loop = loop
        self._random = random
        self._latency_s = latency_s
        self.down_until_s = 0.0
        """Until then nothing passes in either direction, and nobody is told."""
        self.refuses_until_s = 0.0
        self.for_next_order: deque[tuple[str, float]] = deque()
        """What befalls the next order requests: (kind, seconds)."""
        self.for_next_read: deque[tuple[str, float]] = deque()

    def delay_s(self) -> float:
        """One way's duration, now."""
        low, high = self._latency_s
        return self._random.uniform(low, high)

    @property
    def is_down(self) -> bool:
        return self.loop.now < self.down_until_s

    @property
    def refuses(self) -> bool:
        return self.loop.now < self.refuses_until_s


class VirtualWire:
    """`ports.Wire` and `BytesWire` of one life."""

    def __init__(self, world: "World", process: Process, venue: Venue, link: Link) -> None:
        self._world = world
        self._process = process
        self._venue = venue
        self._link = link

    async def open_websocket(self, url: str, handler: FrameHandler, *, deadline_s: float) -> "VirtualSocket":
        await self._connect(deadline_s)
        socket = VirtualSocket(self._world, self._process, self._venue, self._link, handler)
        delay_s = self._link.delay_s()
        socket.arrives_s = self._link.loop.now + delay_s  # no frame overtakes the handshake
        answer = self._venue.open(socket, urlsplit(url).query)
        await asyncio.sleep(delay_s)
        self._process.alive()
        if answer is not None:
            raise HandshakeFailed(f"the venue answers {answer.status}")
        return socket

    async def open_bytes(self, url: str, handler: BytesHandler, *, deadline_s: float) -> "VirtualLine":
        await self._connect(deadline_s)
        return VirtualLine(self._world, self._process, self._venue, self._link, handler)

    async def reachable(self, url: str, *, deadline_s: float) -> bool:
        try:
            await self._connect(deadline_s)
        except ConnectFailed:
            return False
        return True

    async def _connect(self, deadline_s: float) -> None:
        self._process.alive()
        if self._link.is_down:
            await asyncio.sleep(deadline_s)
            self._process.alive()
            raise ConnectFailed("no answer")
        await asyncio.sleep(2 * self._link.delay_s())
        self._process.alive()
        if self._link.refuses:
            raise ConnectFailed("refused")


class VirtualSocket:
    """One WebSocket: frames arrive in their order."""

    def __init__(self, world: "World", process: Process, venue: Venue, link: Link, handler: FrameHandler) -> None:
        self.number = venue.number()
        self._world = world
        self._process = process
        self._venue = venue
        self._link = link
        self._handler = handler
        self.arrives_s = 0.0
        self._open = True
        world.sockets[self] = None

    # -- our side

    def send_text(self, text: str) -> None:
        self._process.alive()
        if self._open and not self._link.is_down:
            self._link.loop.call_later(self._link.delay_s(), self._venue.text, self.number, text)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self._process.alive()
        self.end("closed by us")

    def drop(self) -> None:
        """The process is gone: its kernel hangs up."""
        self._open = False
        self._world.sockets.pop(self, None)
        self._link.loop.call_later(self._link.delay_s(), self._venue.closed, self.number)

    # -- the venue's side

    def push(self, payload: bytes | str) -> None:
        """The venue sends a frame."""
        if self._link.is_down:
            return
        self.arrives_s = max(self.arrives_s + 1e-7, self._link.loop.now + self._link.delay_s())
        self._link.loop.call_at(self.arrives_s, self._arrive, payload)

    def end(self, why: str) -> None:
        """The connection breaks off."""
        if not self._open:
            return
        self._open = False
        self._world.sockets.pop(self, None)
        loop = self._link.loop
        loop.call_later(self._link.delay_s(), self._venue.closed, self.number)
        loop.call_later(self._link.delay_s(), self._hear_end, why)

    def _arrive(self, payload: bytes | str) -> None:
        if not self._open or self._process.dead:
            return
        is_text = isinstance(payload, str)
        data = payload.encode() if isinstance(payload, str) else payload
        with suppress(Killed):
            self._handler.on_frame(data, is_text, self._link.loop.mono_ns())

    def _hear_end(self, why: str) -> None:
        if not self._process.dead:
            with suppress(Killed):
                self._handler.on_close(why)


class VirtualLine:
    """One keep-alive connection for orders."""

    def __init__(self, world: "World", process: Process, venue: Venue, link: Link, handler: BytesHandler) -> None:
        self._world = world
        self._process = process
        self._venue = venue
        self._link = link
        self._handler = handler
        self._open = True
        world.lines[self] = None

    def write(self, data: bytes) -> bool:
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        if target.startswith("/api/v3/ping"):
            if not self._open:
                return False
            self._pass(method, target, {}, body, "", 0.0)
            return True
        self._process.alive()
        parameters = dict(parse_qsl(target.partition("?")[2]))
        entry = method == "POST" and parameters.get("side") == "BUY"
        name = "cancel" if method == "DELETE" else "entry" if entry else "exit"
        self._process.point(f"{name}.write")
        kind, seconds = self._link.for_next_order.popleft() if self._link.for_next_order else ("", 0.0)
        if not self._open or kind == "cut_under_us":
            self.end("cut")
            return False
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in rest)}
        if method == "POST":
            self._world.judge.sent(parameters, self._link.loop.mono_ns())
        self._pass(method, target, headers, body, kind, seconds)
        self._process.point(f"{name}.written")
        return True

    def abort(self) -> None:
        self._process.alive()
        self.end("closed by us")

    def end(self, why: str) -> None:
        """The connection breaks off; what is on its way to the venue arrives all the same."""
        if self._open:
            self._open = False
            self._world.lines.pop(self, None)
            self._link.loop.call_later(self._link.delay_s() / 2, self._hear_end, why)

    def _pass(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, kind: str, seconds: float
    ) -> None:
        loop, link = self._link.loop, self._link
        if kind == "reset_before":
            loop.call_later(link.delay_s(), self.end, "reset by the peer")
        lost = kind in ("lost_before", "reset_before") or link.is_down
        if method == "POST" and not target.startswith("/api/v3/ping"):
            self._world.judge.in_flight(target, lost=lost)
        if lost:
            return
        delay_s = link.delay_s() + (seconds if kind == "late" else 0.0)

        def answered(answer: Answer) -> None:
            if method == "POST":
                self._world.judge.arrived(target)
            if kind == "reset_after":
                loop.call_later(link.delay_s(), self.end, "reset by the peer")
            elif kind != "lost_after" and not link.is_down:
                loop.call_later(link.delay_s() + answer.after_ns / 1e9, self._answer, answer)

        loop.call_later(delay_s, self._venue.ask, method, target, headers, answered, body)

    def _answer(self, answer: Answer) -> None:
        if not self._open or self._process.dead:
            return
        if answer.delivery is Delivery.HANG:
            return
        if answer.delivery is Delivery.RESET:
            self.end("reset by the peer")
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
        head = (
            f"HTTP/1.1 {answer.status} X\r\nContent-Type: {answer.content_type};charset=utf-8\r\n"
            f"Content-Length: {len(answer.body)}\r\n{extra}\r\n"
        ).encode()
        if answer.delivery in (Delivery.TRUNCATE, Delivery.STALL):
            self._deliver(head + answer.body[: len(answer.body) // 2])
            if answer.delivery is Delivery.TRUNCATE:
                self.end("closed by the peer")
            return
        self._deliver(head + answer.body)

    def _deliver(self, data: bytes) -> None:
        with suppress(Killed):
            self._process.point("answer")
            self._handler.on_bytes(data, self._link.loop.mono_ns())

    def _hear_end(self, why: str) -> None:
        if not self._process.dead:
            with suppress(Killed):
                self._handler.on_close(why)


class VirtualHttp:
    """`HttpReads` of one life."""

    def __init__(self, process: Process, venue: Venue, link: Link) -> None:
        self._process = process
        self._venue = venue
        self._link = link

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def ask(self, method: str, url: str, headers: Mapping[str, str], *, max_body_bytes: int) -> HttpReply:
        target = url.removeprefix(WEB_URL).removeprefix(REST_URL)
        self._process.point(f"ask.{target.partition('?')[0].rpartition('/')[2]}")
        link, loop = self._link, self._link.loop
        signed = "signature=" in target
        kind = link.for_next_read.popleft()[0] if signed and link.for_next_read else ""
        done: asyncio.Future[Answer] = loop.create_future()

        def answered(answer: Answer) -> None:
            if kind != "lost_after" and not link.is_down:
                loop.call_later(link.delay_s() + answer.after_ns / 1e9, _settle, done, answer)

        if not (link.is_down or kind == "lost_before"):
            lowered = {name.lower(): value for name, value in headers.items()}
            loop.call_later(link.delay_s(), self._venue.ask, method, target, lowered, answered)
        answer = await done
        self._process.alive()
        if answer.delivery in (Delivery.RESET, Delivery.TRUNCATE):
            raise ConnectionLost("the connection broke off")
        if answer.delivery in (Delivery.HANG, Delivery.STALL):
            await loop.create_future()  # the caller gives up
        retry_after = next((value for name, value in answer.headers if name == "Retry-After"), None)
        return HttpReply(answer.status, answer.body, "identity", retry_after)


def _settle(done: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not done.done():
        done.set_result(answer)
