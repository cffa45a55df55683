"""One loopback port for the whole exchange: REST, web pages, WebSocket and control API (aiohttp)."""

import asyncio
import contextlib
import socket
import struct
import time
from collections import deque
from itertools import count

from aiohttp import WSCloseCode, WSMsgType, web

from mexc_sim.core.exchange import Exchange
from mexc_sim.core.messages import (
    Answer,
    Close,
    Delivery,
    Frame,
    HttpRequest,
    Outcome,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)

_NS_PER_S = 1_000_000_000
_LONGEST_QUEUE = 20_000
"""Frames waiting for one slow client; beyond that it is dropped, as the venue would."""
_LARGEST_BODY = 1_048_576


class _Client:
    """One WebSocket: its frames wait here for its own writer."""

    def __init__(self, number: int, request: web.Request, ws: web.WebSocketResponse) -> None:
        self.number = number
        self.request = request
        self.ws = ws
        self.queue: deque[Frame | Close] = deque()
        self.wake = asyncio.Event()

    def put(self, item: Frame | Close) -> None:
        """Queue something to send; a client that does not read is dropped."""
        if len(self.queue) > _LONGEST_QUEUE:
            self.queue.clear()
            item = Close(self.number, abort=True)
        self.queue.append(item)
        self.wake.set()


class Server:
    """Runs an `Exchange` on the machine's clock and a real socket."""

    def __init__(self, exchange: Exchange, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._exchange = exchange
        self._host = host
        self._wanted_port = port
        self._clients: dict[int, _Client] = {}
        self._numbers = count(1)
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ns = 0
        self._hung: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Open the port.

        Raises:
            OSError: the port is taken or not allowed.
        """
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("GET", "/ws", self._websocket)
        app.router.add_route("*", "/{path:.*}", self._http)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted_port, reuse_address=True)
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
        for item in outcome.output:
            client = self._clients.get(item.connection)
            if client is not None:
                client.put(item)
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

    async def _http(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        wanted = HttpRequest(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            client=request.remote or "",
        )
        outcome = self._exchange.handle(wanted, time.time_ns())
        self._run(outcome)
        answer = outcome.answer
        if answer is None:  # pragma: no cover - every HTTP request is answered
            raise AssertionError("an HTTP request got no answer")
        if answer.after_ns:
            await asyncio.sleep(answer.after_ns / _NS_PER_S)
        return await self._deliver(request, answer)

    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
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

    async def _deliver_half(self, request: web.Request, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
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

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        number = next(self._numbers)
        opened = SocketOpened(number, request.rel_url.raw_query_string, request.remote or "")
        ws = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, max_msg_size=65_536)
        outcome = self._exchange.handle(opened, time.time_ns())
        self._run(outcome)
        if outcome.answer is not None:
            return await self._deliver(request, outcome.answer)
        client = self._clients[number] = _Client(number, request, ws)
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
                self._run(self._exchange.handle(SocketText(client.number, message.data), time.time_ns()))
            elif message.type is WSMsgType.CLOSE and self._exchange.streams.is_frozen(client.number):
                await self._silence()  # half-open: even the closing handshake gets no answer
            elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            # Protocol-level pings of a client stay unanswered, as one public project measured (REFERENCE 2.1).

    async def _write(self, client: _Client) -> None:
        while True:
            while client.queue:
                item = client.queue.popleft()
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
            self._exchange.handed_over(item.carries, time.time_ns())


def _reset(request: web.Request) -> None:
    """End a connection with an RST instead of a FIN."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
