"""Two venues whose every move a test decides: one on real sockets, one that is only the wire."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from mexc_sniper.core.errors import ConnectFailed
from mexc_sniper.ports import FrameHandler


class ScriptedVenue:
    """A WebSocket server that acknowledges subscriptions and answers PING, unless told otherwise."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        """Open ones, the oldest first."""
        self.opened = 0
        self.channels: dict[ServerConnection, list[str]] = {}
        self.frozen = False
        self.acknowledge = True
        self.refuse: Callable[[str], bool] = lambda channel: False
        self.port = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        """Listen; the second time on the same port."""
        self._server = await serve(self._serve, "127.0.0.1", self.port, ping_interval=None, close_timeout=0.2)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection without a word."""
        self.cut()
        if self._server is not None:
            self._server.close(close_connections=False)
            self._server = None
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Drop every socket."""
        for connection in self.connections:
            connection.transport.abort()

    async def send(self, payload: bytes | str, *, to: int | None = None) -> None:
        """Push a frame to one connection (by age) or to all."""
        chosen = self.connections if to is None else [self.connections[to]]
        for connection in chosen:
            with suppress(ConnectionClosed):
                await connection.send(payload)

    async def _serve(self, connection: ServerConnection) -> None:
        self.opened += 1
        self.connections.append(connection)
        mine = self.channels[connection] = []
        try:
            async for text in connection:
                if not self.frozen:
                    await self._answer(connection, json.loads(text), mine)
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)

    async def _answer(self, connection: ServerConnection, asked: dict, mine: list[str]) -> None:
        if asked["method"] == "PING":
            await connection.send('{"id":0,"code":0,"msg":"PONG"}')
            return
        if asked["method"] == "UNSUBSCRIPTION":
            for channel in asked["params"]:
                mine.remove(channel)
            return
        if not self.acknowledge:
            return
        refused = [channel for channel in asked["params"] if self.refuse(channel)]
        accepted = [channel for channel in asked["params"] if channel not in refused]
        mine += accepted
        if accepted:
            await connection.send(json.dumps({"id": asked["id"], "code": 0, "msg": ",".join(accepted)}))
        if refused:
            text = f"Not Subscribed successfully! [{','.join(refused)}].  Reason： Blocked! "
            await connection.send(json.dumps({"id": asked["id"], "code": 0, "msg": text}, ensure_ascii=False))


class WireOnly:
    """Implements `ports.Wire` without sockets: a test opens, cuts and speaks by hand."""

    def __init__(self) -> None:
        self.up = True
        self.error: ConnectFailed | None = None
        """Raised by the next connections instead of `ConnectFailed` of an address that is down."""
        self.attempts = 0
        self.open: list[OpenEnd] = []
        self.acknowledge = True

    async def open_websocket(self, url: str, handler: FrameHandler, *, deadline_s: float) -> "OpenEnd":
        self.attempts += 1
        if self.error is not None:
            raise self.error
        if not self.up:
            raise ConnectFailed("no route")
        end = OpenEnd(self, handler)
        self.open.append(end)
        return end

    async def reachable(self, url: str, *, deadline_s: float) -> bool:
        return self.up

    def cut(self) -> None:
        for end in self.open[:]:
            end.abort()


class OpenEnd:
    """The venue's end of a connection of `WireOnly`; also what the adapter holds."""

    def __init__(self, wire: WireOnly, handler: FrameHandler) -> None:
        self._wire = wire
        self.handler = handler
        self.sent: list[dict] = []

    def send_text(self, text: str) -> None:
        asked = json.loads(text)
        self.sent.append(asked)
        if asked["method"] == "SUBSCRIPTION" and self._wire.acknowledge:
            answer = json.dumps({"id": asked["id"], "code": 0, "msg": ",".join(asked["params"])})
            asyncio.get_running_loop().call_soon(self.say, answer)

    def say(self, payload: str | bytes, mono_ns: int | None = None) -> None:
        """Deliver a frame to the adapter."""
        at = mono_ns if mono_ns is not None else self.handler._clock.mono_ns()  # type: ignore[attr-defined]
        self.handler.on_frame(payload.encode() if isinstance(payload, str) else payload, isinstance(payload, str), at)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self in self._wire.open:
            self._wire.open.remove(self)
            self.handler.on_close("cut")
