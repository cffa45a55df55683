"""Sockets: the only file that knows picows, aiofastnet, name resolution and TLS (`ports.Wire`, `BytesWire`).

Liveness of streams is not decided here: protocol-level pings of ours may go unanswered (REFERENCE 2.1), so picows'
own ping is off and the stream's watchdog judges by frames and text PONGs. Pings of the server are answered.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiofastnet
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import ConnectFailed
from mexc_sniper.ports import FrameHandler
from mexc_sniper.venues.mexc.errors import HandshakeFailed
from mexc_sniper.venues.mexc.http_wire import BytesHandler

MAX_MESSAGE_BYTES = 1024 * 1024
"""A longer frame or message closes the connection (RELIABILITY 2.1, 13)."""
ADDRESS_FRESH_S = 300
CLOSE_GRACE_S = 2.0

_Address = tuple[socket.AddressFamily, tuple[str, int]]


class AddressBook:
    """Resolves names ahead of need and keeps the last good answer, so that a dead resolver stops nothing."""

    def __init__(self, clock: ClockReader) -> None:
        self._clock = clock
        self._known: dict[tuple[str, int], tuple[int, list[_Address]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[_Address]]] = {}

    async def addresses(self, host: str, port: int, *, deadline_s: float) -> list[_Address]:
        """Return addresses to try, in order.

        Raises:
            ConnectFailed: the name was never resolved and is not now.
        """
        key = (host, port)
        resolved_at, known = self._known.get(key, (0, []))
        if known and self._clock.mono_ns() - resolved_at < ADDRESS_FRESH_S * NS_PER_S:
            return known
        task = self._asking.get(key)
        if task is None:  # one question per name at a time: a hanging resolver must not pile up threads
            task = asyncio.ensure_future(self._resolve(host, port))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._answered(key, done))
        try:
            async with asyncio.timeout(min(1.0, deadline_s) if known else deadline_s):
                return await asyncio.shield(task)
        except (TimeoutError, OSError, UnicodeError) as error:
            if known:
                return known
            raise ConnectFailed(f"cannot resolve {host}: {_plain(error)}") from None

    def distrust(self, host: str, port: int) -> None:
        """Ask again before the next use, because no known address could be reached."""
        if (entry := self._known.get((host, port))) is not None:
            self._known[host, port] = (-ADDRESS_FRESH_S * NS_PER_S, entry[1])

    def _answered(self, key: tuple[str, int], task: asyncio.Task[list[_Address]]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled() and task.exception() is None and task.result():
            self._known[key] = (self._clock.mono_ns(), task.result())

    async def _resolve(self, host: str, port: int) -> list[_Address]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]


class PicowsWire:
    """Implements `ports.Wire` on picows and the running event loop (uvloop in production)."""

    def __init__(self, clock: ClockReader, *, ssl_context: ssl.SSLContext | None = None) -> None:
        """``ssl_context`` replaces the system's trust store, for tests with their own authority."""
        self._clock = clock
        self._ssl_context = ssl_context
        self._book = AddressBook(clock)

    async def open_websocket(self, url: str, handler: FrameHandler, *, deadline_s: float) -> "PicowsConnection":
        """Connect and shake hands.

        Raises:
            ConnectFailed: not resolved, refused or unreachable, or not done within ``deadline_s``.
            HandshakeFailed: the address answered, but TLS or the upgrade failed.
        """
        host, port, secure = _endpoint(url)
        give_up = self._clock.mono_ns() + int(deadline_s * NS_PER_S)
        try:
            async with asyncio.timeout(deadline_s):
                sock = await self._connect(host, port, deadline_s)
        except TimeoutError:
            raise ConnectFailed(f"cannot connect to {host}:{port}: no answer in time") from None
        connection = PicowsConnection(handler, self._clock.mono_ns)
        left_s = max((give_up - self._clock.mono_ns()) / NS_PER_S, 0.05)
        shaking = asyncio.ensure_future(self._shake_hands(url, sock, connection, secure=secure, deadline_s=left_s))
        try:
            # Shielded: a handshake that is cancelled half-way would leave its socket to nobody.
            await asyncio.shield(shaking)
        except TimeoutError:  # a silent address is as good as none
            raise ConnectFailed(f"cannot connect to {host}:{port}: no answer in time") from None
        except (OSError, WSError, EOFError) as error:
            raise HandshakeFailed(f"{host}:{port} answers, but not as a WebSocket: {_plain(error)}") from None
        except asyncio.CancelledError:
            connection.mute()
            shaking.add_done_callback(_forget)
            raise
        return connection

    async def _shake_hands(
        self, url: str, sock: socket.socket, connection: "PicowsConnection", *, secure: bool, deadline_s: float
    ) -> None:
        """Hand the socket over; whatever fails in there closes it, at the latest at the deadline."""
        limits: dict[str, Any] = {"ssl_handshake_timeout": deadline_s} if secure else {}
        await ws_connect(
            lambda: connection,
            url,
            ssl_context=self._tls() if secure else None,
            websocket_handshake_timeout=deadline_s,
            enable_auto_ping=False,
            enable_auto_pong=True,
            max_frame_size=MAX_MESSAGE_BYTES,
            max_redirects=0,
            read_buffer_init_size=64 * 1024,
            socket_factory=lambda _url: sock,
            **limits,
        )

    async def open_bytes(self, url: str, handler: BytesHandler, *, deadline_s: float) -> "FastConnection":
        """Connect for HTTP requests written by hand (port `BytesWire`).

        aiofastnet carries it because its ``write`` encrypts and sends within the call: uvloop's own transport sends
        when the loop turns, 10 to 45 µs later on a loopback (bench/order_entry.py).

        Raises:
            ConnectFailed: not resolved, refused, unreachable, or not done within ``deadline_s``.
            HandshakeFailed: the address answered, but TLS failed.
        """
        host, port, secure = _endpoint(url)
        give_up = self._clock.mono_ns() + int(deadline_s * NS_PER_S)
        try:
            async with asyncio.timeout(deadline_s):
                sock = await self._connect(host, port, deadline_s)
        except TimeoutError:
            raise ConnectFailed(f"cannot connect to {host}:{port}: no answer in time") from None
        connection = FastConnection(handler, self._clock.mono_ns)
        left_s = max((give_up - self._clock.mono_ns()) / NS_PER_S, 0.05)
        tls: dict[str, Any] = {"server_hostname": host, "ssl_handshake_timeout": left_s} if secure else {}
        try:
            await aiofastnet.create_connection(
                asyncio.get_running_loop(),
                lambda: connection,
                sock=sock,
                ssl=self._tls() if secure else None,
                **tls,
            )
        except TimeoutError:
            sock.close()
            raise ConnectFailed(f"cannot connect to {host}:{port}: no answer in time") from None
        except (OSError, EOFError) as error:
            sock.close()
            raise HandshakeFailed(f"{host}:{port} answers, but not with TLS we trust: {_plain(error)}") from None
        except asyncio.CancelledError:
            connection.mute()
            raise
        return connection

    async def reachable(self, url: str, *, deadline_s: float) -> bool:
        """Return whether the address accepts a TCP connection; nothing is said on it."""
        host, port, _ = _endpoint(url)
        try:
            async with asyncio.timeout(deadline_s):
                sock = await self._connect(host, port, deadline_s)
        except (ConnectFailed, TimeoutError, OSError):
            return False
        sock.close()
        return True

    async def _connect(self, host: str, port: int, deadline_s: float) -> socket.socket:
        loop = asyncio.get_running_loop()
        addresses = await self._book.addresses(host, port, deadline_s=deadline_s)
        share_s = max(deadline_s / len(addresses), 0.25)
        failure: Exception | None = None
        for family, address in addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                async with asyncio.timeout(share_s):
                    await loop.sock_connect(sock, address)
            except (TimeoutError, OSError) as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        self._book.distrust(host, port)
        raise ConnectFailed(f"cannot connect to {host}:{port}: {_plain(failure)}")

    def _tls(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        return self._ssl_context


class PicowsConnection(WSListener):
    """One open WebSocket (port `WireConnection`): hands complete messages to its handler."""

    def __init__(self, handler: FrameHandler, mono_ns: Callable[[], int]) -> None:
        self._handler: FrameHandler | None = handler
        self._mono_ns = mono_ns
        self._transport: WSTransport | None = None
        self._why = ""
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._parts_are_text = False
        self._read_at_ns = 0
        self._buffer_open = False
        self._ended: asyncio.Future[None] | None = None

    def send_text(self, text: str) -> None:
        """Queue one text frame; dropped once closed."""
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text.encode())

    def close(self) -> None:
        """Say goodbye and close; a peer that does not answer is dropped after two seconds."""
        if (transport := self._transport) is not None and not transport.is_disconnected:
            self._why = self._why or "closed by us"
            transport.send_close()
            transport.disconnect()
            asyncio.get_running_loop().call_later(CLOSE_GRACE_S, self.abort)

    def abort(self) -> None:
        """Drop the socket without a word."""
        if (transport := self._transport) is not None and not transport.is_disconnected:
            self._why = self._why or "dropped by us"
            transport.underlying_transport.abort()

    def mute(self) -> None:
        """Tell the handler nothing: the attempt was given up, and what still comes of it is dropped."""
        self._handler = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._ended = asyncio.ensure_future(_read_end(transport))
        if self._handler is None:
            transport.underlying_transport.abort()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self._buffer_open:  # frames of one read share the instant of that read
            self._read_at_ns = self._mono_ns()
        self._buffer_open = not frame.last_in_buffer
        if frame.payload_size > MAX_MESSAGE_BYTES:  # picows complains about it and then hands it over all the same
            self._why = "a frame longer than 1 MiB"
            self.abort()
            return
        kind = frame.msg_type
        if kind in (WSMsgType.BINARY, WSMsgType.TEXT):
            if frame.fin and not self._parts:
                self._deliver(frame.get_payload_as_bytes(), kind == WSMsgType.TEXT)
            else:
                self._parts_are_text = kind == WSMsgType.TEXT
                self._collect(frame)
        elif kind == WSMsgType.CONTINUATION:
            self._collect(frame)
        elif kind == WSMsgType.CLOSE:
            self._why = self._why or f"closed by the venue (code {frame.get_close_code().value})"
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        handler, self._handler, self._transport = self._handler, None, None
        if handler is not None:
            handler.on_close(self._why or _why_of(transport))

    def _collect(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        self._parts_bytes += frame.payload_size
        if self._parts_bytes > MAX_MESSAGE_BYTES:
            self._why = "a message longer than 1 MiB"
            self._parts.clear()
            self._parts_bytes = 0
            self.abort()
        elif frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._parts_bytes = 0
            self._deliver(message, self._parts_are_text)

    def _deliver(self, payload: bytes, is_text: bool) -> None:
        if self._handler is not None:
            self._handler.on_frame(payload, is_text, self._read_at_ns)


class FastConnection(asyncio.Protocol):
    """One open connection for requests written by hand (port `BytesConnection`)."""

    def __init__(self, handler: BytesHandler, mono_ns: Callable[[], int]) -> None:
        self._handler: BytesHandler | None = handler
        self._mono_ns = mono_ns
        self._transport: asyncio.Transport | None = None
        self._why = ""
        self._muted = False

    def write(self, data: bytes) -> bool:
        """Hand one request to the system; False when it is certain that no byte left.

        A request is far below one TLS record, so the system takes it in one piece or refuses it: a transport that
        turned from open to closing within the call has sent none of it.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        transport.write(data)
        return not transport.is_closing()

    def abort(self) -> None:
        """Drop the socket at once."""
        if self._transport is not None:
            self._why = self._why or "dropped by us"
            self._transport.abort()

    def mute(self) -> None:
        """Tell the handler nothing: the attempt was given up."""
        self._handler = None
        self._muted = True
        self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # aiofastnet's, which is one
        if self._muted:
            self.abort()

    def data_received(self, data: bytes) -> None:
        if self._handler is not None:
            self._handler.on_bytes(data, self._mono_ns())

    def connection_lost(self, error: Exception | None) -> None:
        handler, self._handler, self._transport = self._handler, None, None
        if handler is not None:
            handler.on_close(self._why or (_plain(error) if error is not None else "closed by the venue"))


def _endpoint(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    secure = parts.scheme in ("wss", "https")
    if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
        raise ConnectFailed(f"not an address to connect to: {url!r}")
    return parts.hostname, parts.port or (443 if secure else 80), secure


def _forget(task: "asyncio.Future[None]") -> None:
    """Take the outcome of an attempt nobody waits for."""
    if not task.cancelled():
        task.exception()


async def _read_end(transport: WSTransport) -> None:
    """Take picows' own account of the end, so that asyncio does not report it as never retrieved."""
    with contextlib.suppress(Exception):
        await transport.wait_disconnected()


def _why_of(transport: WSTransport) -> str:
    handshake = transport.close_handshake
    if handshake is not None and handshake.sent is not None:
        return f"closed by us (code {handshake.sent.code.value} {handshake.sent.reason})".rstrip()
    return "the connection was cut"


def _plain(error: BaseException | None) -> str:
    if error is None:
        return "no address"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {str(error)[:200]}"
