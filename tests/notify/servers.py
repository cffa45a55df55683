"""Real services on loopback: a web server that keeps what it is sent, and a mail server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller


@dataclass
class HttpService:
    """Keeps every request; answers with ``status``, or not at all while ``silent``."""

    port: int = 0
    status: int = 200
    requests: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [str(body.get("message", "")) for _, body in self.requests if isinstance(body, dict)]


@asynccontextmanager
async def an_http_service(port: int = 0) -> AsyncIterator[HttpService]:
    service = HttpService()

    async def take(request: web.Request) -> web.Response:
        kind = request.content_type
        body: Any = await request.json() if kind == "application/json" else dict(await request.post())
        if service.status < 400:
            service.requests.append((request.path, body))
        if request.path.startswith("/slack"):
            return web.Response(text="ok", status=service.status)
        return web.json_response({"ok": service.status < 400, "result": {}}, status=service.status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        await runner.cleanup()


@dataclass
class MailService:
    """Keeps every mail, parsed."""

    port: int
    mails: list[Any] = field(default_factory=list)
    refuse: bool = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse:
            return "451 try again later"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@contextmanager
def a_mail_service() -> Iterator[MailService]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        service = MailService(probe.getsockname()[1])
    controller = Controller(service, hostname="127.0.0.1", port=service.port)
    controller.start()
    try:
        yield service
    finally:
        controller.stop()


async def until(check: Any, deadline_s: float = 20.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not check():
            await asyncio.sleep(0.01)
