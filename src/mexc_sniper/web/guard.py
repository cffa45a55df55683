"""The door every request passes before anything reads it (RELIABILITY 4.1).

Host against DNS rebinding, Origin and Sec-Fetch-Site against foreign pages, a cap on bodies, and the headers that
keep a browser strict. Works on ASGI directly, so WebSocket upgrades pass it as well.
"""

from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mexc_sniper.web.errors import ApiError, from_http, internal_error
from mexc_sniper.web.options import WebOptions

MAX_BODY_BYTES = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""RELIABILITY 4.1, and the page's own font."""
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000"

_log = structlog.get_logger()


class Guard:
    """ASGI middleware; the outermost layer but for the measuring one."""

    def __init__(self, app: ASGIApp, options: WebOptions) -> None:
        self._app = app
        self._hosts = options.host_names
        self._scheme = "https" if options.tls else "http"
        self._headers = dict(SECURITY_HEADERS)
        if options.tls:
            self._headers["strict-transport-security"] = STRICT_TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except ApiError as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, _counted(receive), send_with_headers)
        except Exception:
            _log.exception("http_request_crashed", method=scope["method"], path=scope["path"])
            if started:
                raise
            await internal_error().response()(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = self._host(headers)
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return
        self._check_origin(headers, host)
        if scope["type"] == "http":
            _check_length(headers)

    def _host(self, headers: Headers) -> str:
        named = headers.getlist("host")
        host = named[0].lower() if len(named) == 1 else ""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if name not in self._hosts or "@" in host:
            raise ApiError(
                403,
                "foreign_host",
                "This name is not one this dashboard answers to. Use its own address, or add the name to "
                "MEXC_SNIPER_WEB__ALLOWED_HOSTS.",
            )
        return host

    def _check_origin(self, headers: Headers, host: str) -> None:
        """Refuse what a foreign page sent. A program sends neither header; what it may do, its token tells."""
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site")
        if origin is not None and origin.lower() != f"{self._scheme}://{host}":
            raise ApiError(403, "foreign_origin", "Another page tried this; only the dashboard itself may.")
        if site is not None and site != "same-origin":
            raise ApiError(403, "foreign_origin", "Another page tried this; only the dashboard itself may.")

    async def _refuse(self, refusal: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
        _log.warning("http_request_refused", code=refusal.code, kind=scope["type"], path=scope["path"])
        response = refusal.response()
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await response(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})


def _check_length(headers: Headers) -> None:
    """Refuse a body by its announced length; one that announces none is counted while it is read."""
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        refusal = from_http(HTTPException(413))
        refusal.headers["connection"] = "close"
        raise refusal


def _counted(receive: Receive) -> Receive:
    read = 0

    async def receive_counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY_BYTES:
            # FastAPI lets this class alone pass while it reads a body.
            raise HTTPException(413, headers={"connection": "close"})
        return message

    return receive_counting
