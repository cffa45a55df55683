"""A venue on a loopback socket whose every answer a test decides, byte by byte."""

import asyncio
import json
import re
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: str
    head: bytes
    connection: int

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


def http(body: object, status: int = 200, headers: str = "", *, raw: bytes | None = None) -> bytes:
    """An answer with a JSON body (or ``raw`` bytes)."""
    payload = raw if raw is not None else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n{headers}\r\n"
    return head.encode() + payload


def taken_in(request: Request, order_id: str = "C02__1") -> bytes:
    """The recorded answer to an order."""
    return http({"symbol": request.parameters["symbol"], "orderId": order_id, "orderListId": -1})


class Hangs:
    """Say nothing at all."""


class Resets:
    """Cut the connection with RST."""


class Closes:
    """Close the connection politely."""


Move = bytes | type[Hangs] | type[Resets] | type[Closes] | list[object]
Answerer = Callable[[Request], "Move | Awaitable[Move]"]


@dataclass
class OrderVenue:
    """Serves REST on one port. ``answers`` maps "METHOD path" to what is answered; ping is always answered."""

    answers: dict[str, Answerer] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    opened: int = 0
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def orders(self) -> list[Request]:
        return [r for r in self.requests if (r.method, r.path) == ("POST", "/api/v3/order")]

    def on(self, what: str, answer: Answerer) -> None:
        self.answers[what] = answer

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Drop every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number = self.opened = self.opened + 1
        self._writers.append(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer, number):
                    pass
        finally:
            self._tasks.discard(task)
            self._writers.remove(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length and int(length[1]):
            await reader.readexactly(int(length[1]))
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path, _, query = target.partition("?")
        request = Request(method, path, query, head, number)
        if path == "/api/v3/ping" and "GET /api/v3/ping" not in self.answers:
            writer.write(http({}))
            return True
        self.requests.append(request)
        answer = self.answers.get(f"{method} {path}", lambda _: http({"code": 404, "msg": "no script"}, 404))
        move = answer(request)
        if asyncio.iscoroutine(move):
            move = await move
        for step in move if isinstance(move, list) else [move]:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif step is Hangs:
                await asyncio.sleep(3600)
            elif step is Closes:
                return False
            elif step is Resets:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                await asyncio.sleep(float(step))  # type: ignore[arg-type]
        return True
