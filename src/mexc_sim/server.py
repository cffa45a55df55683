"""One port for the whole exchange: REST, web pages, WebSocket and control API (aiohttp), with TLS on demand."""

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections import deque
from itertools import count
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_protocol import RequestHandler

from mexc_sim.core.exchange import Exchange
from mexc_sim.core.messages import (
    Answer,
    Close,
    Delivery,
    Frame,
    HttpRequest,
    LateAnswer,
    Outcome,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)

_NS_PER_S = 1_000_000_000
_LONGEST_QUEUE = 20_000
"""Frames waiting for one slow client; beyond that it is dropped, as the venue would."""
_LARGEST_MESSAGE = 65_536


class _Connection(RequestHandler):
    """A connection that notes both clocks the moment bytes arrive, before anything looks at them."""

    __slots__ = ("read_mono_ns", "read_wall_ns")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.read_wall_ns = self.read_mono_ns = 0

    def data_received(self, data: bytes) -> None:
        self.read_mono_ns = time.monotonic_ns()
        self.read_wall_ns = time.time_ns()
        super().data_received(data)


class _Listener(web.Server):
    """aiohttp's low-level server with such connections."""

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, access_log=None)


class _Client:
    """One WebSocket: its frames wait here for its own writer."""

    def __init__(self, number: int, request: web.BaseRequest, ws: web.WebSocketResponse) -> None:
        self.number = number
        self.request = request
        self.ws = ws
        self.queue: deque[tuple[float, Frame | Close]] = deque()
        """With the loop time before which an item must not leave."""
        self.wake = asyncio.Event()

    def put(self, item: Frame | Close, not_before: float) -> None:
        """Queue something to send; a client that does not read is dropped."""
        if len(self.queue) > _LONGEST_QUEUE:
            self.queue.clear()
            item = Close(self.number, abort=True)
        self.queue.append((not_before, item))
        self.wake.set()


class Server:
    """Runs an `Exchange` on the machine's clock and a real socket.

    ``latency_s`` is added to every request, answer and frame, each way; ``tls`` serves https and wss instead.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_s: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._exchange = exchange
        self._host = host
        self._wanted_port = port
        self._latency_s = latency_s
        self._tls = tls
        self._clients: dict[int, _Client] = {}
        self._numbers = count(1)
        self._held: dict[int, asyncio.Future[Answer]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ns = 0
        self._hung: set[asyncio.Event] = set()
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Open the port.

        Raises:
            OSError: the port is taken or not allowed.
        """
        self._runner = web.ServerRunner(_Listener(self._serve, handler_cancellation=True), shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted_port, reuse_address=True, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._run(self._exchange.handle(Tick(), time.time_ns()))

    async def aclose(self) -> None:
        """Close every socket and the port."""
        if self._alarm is not None:
            self._alarm.cancel()
        for event in self._hung:
            event.set()
        for client in list(self._clients.values()):
            _reset(client.request)
        if self._runner is not None:
            await self._runner.cleanup()

    # -- time ---------------------------------------------------------------------------------------------------

    def _run(self, outcome: Outcome) -> None:
        not_before = asyncio.get_running_loop().time() + self._latency_s if self._latency_s else 0.0
        for item in outcome.output:
            if isinstance(item, LateAnswer):
                waiting = self._held.get(item.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(item.answer)
                continue
            client = self._clients.get(item.connection)
            if client is not None:
                client.put(item, not_before)
        due_ns = outcome.next_due_ns
        if due_ns is None:
            return
        if self._alarm is not None:
            if due_ns == self._alarm_ns:
                return
            self._alarm.cancel()
        self._alarm_ns = due_ns
        delay_s = max(0.0, (due_ns - time.time_ns()) / _NS_PER_S)
        self._alarm = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._alarm = None
        self._run(self._exchange.handle(Tick(), time.time_ns()))

    # -- HTTP ---------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/ws" and request.method == "GET":
            return await self._websocket(request)
        return await self._http(request)

    async def _http(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read() if request.body_exists else b""
        protocol = request.protocol
        number = next(self._numbers)
        wanted = HttpRequest(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            client=request.remote or "",
            number=number,
            read_wall_ns=protocol.read_wall_ns if isinstance(protocol, _Connection) else 0,
            read_mono_ns=protocol.read_mono_ns if isinstance(protocol, _Connection) else 0,
        )
        latency_s = 0.0 if wanted.path.startswith("/sim/") else self._latency_s
        if latency_s:
            await asyncio.sleep(latency_s)
        outcome = self._exchange.handle(wanted, time.time_ns())
        self._run(outcome)
        answer = outcome.answer or await self._late_answer(number)
        if answer.after_ns or latency_s:
            await asyncio.sleep(answer.after_ns / _NS_PER_S + latency_s)
        return await self._deliver(request, answer)

    async def _late_answer(self, number: int) -> Answer:
        """Wait for the exchange to process what it holds back, or for the client to give up (aiohttp cancels)."""
        self._held[number] = asyncio.get_running_loop().create_future()
        try:
            return await self._held[number]
        finally:
            del self._held[number]

    async def _deliver(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer.delivery is Delivery.HANG:
            await self._silence()
        if answer.delivery in (Delivery.HANG, Delivery.RESET):
            _reset(request)
            return web.Response(status=500)  # goes nowhere: the socket is gone
        headers = dict(answer.headers)
        headers["Content-Type"] = f"{answer.content_type};charset=utf-8"
        if answer.delivery is Delivery.NORMAL:
            response = web.Response(status=answer.status, body=answer.body, headers=headers)
            await response.prepare(request)
            await response.write_eof()
            self._exchange.handed_over(answer.carries, time.time_ns())
            return response
        return await self._deliver_half(request, answer, headers)

    async def _deliver_half(
        self, request: web.BaseRequest, answer: Answer, headers: dict[str, str]
    ) -> web.StreamResponse:
        headers["Content-Length"] = str(len(answer.body))
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(answer.body[: len(answer.body) // 2])
        if answer.delivery is Delivery.STALL:
            await self._silence()
        if request.transport is not None:
            request.transport.close()
        return response

    async def _silence(self) -> None:
        """Wait until the client gives up (aiohttp cancels) or the server ends."""
        event = asyncio.Event()
        self._hung.add(event)
        try:
            await event.wait()
        finally:
            self._hung.discard(event)

    # -- WebSocket ------------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        number = next(self._numbers)
        opened = SocketOpened(number, request.rel_url.raw_query_string, request.remote or "")
        ws = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, max_msg_size=_LARGEST_MESSAGE)
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        outcome = self._exchange.handle(opened, time.time_ns())
        if outcome.answer is not None:
            self._run(outcome)
            return await self._deliver(request, outcome.answer)
        client = self._clients[number] = _Client(number, request, ws)
        self._run(outcome)
        writer: asyncio.Task[None] | None = None
        try:
            await ws.prepare(request)
            writer = asyncio.create_task(self._write(client))
            await self._read(client)
        finally:
            del self._clients[number]
            if writer is not None:
                writer.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await writer
            self._run(self._exchange.handle(SocketClosed(number), time.time_ns()))
        return ws

    async def _read(self, client: _Client) -> None:
        while True:
            message = await client.ws.receive()
            if message.type is WSMsgType.TEXT:
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                self._run(self._exchange.handle(SocketText(client.number, message.data), time.time_ns()))
            elif message.type is WSMsgType.CLOSE and self._exchange.streams.is_frozen(client.number):
                await self._silence()  # half-open: even the closing handshake gets no answer
            elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            # Protocol-level pings of a client stay unanswered, as one public project measured (REFERENCE 2.1).

    async def _write(self, client: _Client) -> None:
        while True:
            while client.queue:
                not_before, item = client.queue.popleft()
                if not_before:
                    await asyncio.sleep(max(0.0, not_before - asyncio.get_running_loop().time()))
                try:
                    await self._send(client, item)
                except ConnectionError:
                    return
            client.wake.clear()
            await client.wake.wait()

    async def _send(self, client: _Client, item: Frame | Close) -> None:
        if isinstance(item, Close):
            if item.abort:
                _reset(client.request)
            else:
                await client.ws.close(code=WSCloseCode(item.code), drain=True)
            return
        if isinstance(item.payload, str):
            await client.ws.send_str(item.payload)
        else:
            await client.ws.send_bytes(item.payload)
        if item.carries:
            # Handed to the transport; uvloop sends when the loop turns, which it does now and not after more frames.
            self._exchange.handed_over(item.carries, time.time_ns())
            await asyncio.sleep(0)


def _reset(request: web.BaseRequest) -> None:
    """End a connection with an RST instead of a FIN."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
