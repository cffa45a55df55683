"""Measures and logs every request: by route template, never with a query string or a header."""

from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mexc_sniper import telemetry
from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S, ClockReader

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"

_log = structlog.get_logger()


CLIENT_GONE = 499
"""For the log and the metrics: nobody waited for the answer any more (a page that was left)."""


class Observe:
    """ASGI middleware, the outermost layer. Long-lived streams are counted when they end."""

    def __init__(self, app: ASGIApp, clock: ClockReader) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_ns = self._clock.mono_ns()
        status = CLIENT_GONE

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        except Exception:
            status = 500 if status == CLIENT_GONE else status
            raise
        finally:
            self._note(scope, status, self._clock.mono_ns() - started_ns)

    def _note(self, scope: Scope, status: int, took_ns: int) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        path = route_template(scope)
        telemetry.HTTP_SECONDS.labels(method=method, path=path, status=str(status)).observe(took_ns / NS_PER_S)
        write: Callable[..., Any] = _log.info if method not in ("GET", "HEAD") or status >= 400 else _log.debug
        write(
            "http_request",
            method=method,
            path=path,
            status=status,
            ms=round(took_ns / NS_PER_MS, 2),
            actor=scope.get("state", {}).get("actor", ""),
        )


def route_template(scope: Scope) -> str:
    """Return the path of the route that answered, such as ``/listings/{listing_id}``."""
    return getattr(scope.get("route"), "path", UNMATCHED) or UNMATCHED
