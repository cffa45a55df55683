"""``/live``: one WebSocket per page; a snapshot, then numbered deltas (DASHBOARD 3.3)."""

import asyncio

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.faults import LedgerNotReady
from mexc_sniper.web.auth.principal import Principal, Scope
from mexc_sniper.web.errors import ApiError, StoreUnavailable
from mexc_sniper.web.page_queue import Page
from mexc_sniper.web.services import Services, services

BEAT_EVERY_S = 2.0
SEND_DEADLINE_S = 10.0
CLOSE_DEADLINE_S = 1.0
RECHECK_EVERY_S = 30.0
"""How soon a socket follows its session's end."""

SIGNED_OUT = 4401
FELL_BEHIND = 4408
TRY_AGAIN = 1013

router = APIRouter()
_log = structlog.get_logger()


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Serve one page until it leaves, is signed out, or falls behind. Host and Origin are checked before."""
    parts = services(socket)
    try:
        caller = await parts.auth.recognise(socket)
        if Scope.READ not in caller.scopes:
            raise ApiError(403, "scope_missing", "This needs the scope read.", details={"needs": "read"})
        if caller.csrf_token is not None and "origin" not in socket.headers:
            raise ApiError(403, "foreign_origin", "A signed-in browser names its page; this did not.")
        parts.auth.reads.take(caller.key, "connections")
        if parts.hub.full:
            raise ApiError(503, "too_many_pages", "Too many pages are open; close some.")
    except StoreError as error:
        await _deny(socket, StoreUnavailable(starting=isinstance(error, LedgerNotReady)))
        return
    except ApiError as refusal:
        await _deny(socket, refusal)
        return
    await socket.accept()
    with parts.hub.page() as page:
        code = await _serve(socket, page, parts, caller)
    if code is not None:
        await _close(socket, code)


async def _serve(socket: WebSocket, page: Page, parts: Services, caller: Principal) -> int | None:
    """Run until one side ends it; returns the code to close with, None when the page is gone already."""
    tasks = {
        asyncio.create_task(_send_frames(socket, page, parts)): None,
        asyncio.create_task(_read_until_gone(socket)): None,
        asyncio.create_task(page.cut_off.wait()): FELL_BEHIND,
        asyncio.create_task(_until_signed_out(socket, parts, caller)): SIGNED_OUT,
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, StoreError | TimeoutError):
            return TRY_AGAIN
        if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
            _log.error("live_page_failed", exc_info=end)
            return 1011
    return next((tasks[task] for task in done if tasks[task] is not None), None)


async def _send_frames(socket: WebSocket, page: Page, parts: Services) -> None:
    """Send a snapshot, then every frame above its number; a beat two seconds after the last event or beat."""
    clock, hub = parts.clock, parts.hub
    seq = -1
    while True:
        if seq < 0 or page.resync:
            page.resync = False
            text, seq = await hub.snapshot()
            await _send(socket, text)
            beat_at_ns = clock.mono_ns() + round(BEAT_EVERY_S * NS_PER_S)
        frame = await page.next(timeout_s=max(0.0, (beat_at_ns - clock.mono_ns()) / NS_PER_S))
        if frame is not None:
            number, text = frame
            if number is not None:
                if number <= seq:
                    continue
                seq = number
                beat_at_ns = clock.mono_ns() + round(BEAT_EVERY_S * NS_PER_S)
            await _send(socket, text)
        elif clock.mono_ns() >= beat_at_ns:
            await _send(socket, hub.beat(seq))
            beat_at_ns = clock.mono_ns() + round(BEAT_EVERY_S * NS_PER_S)


async def _send(socket: WebSocket, text: str) -> None:
    async with asyncio.timeout(SEND_DEADLINE_S):
        await socket.send_text(text)


async def _read_until_gone(socket: WebSocket) -> None:
    """A page has nothing to say here; what it sends is dropped unread."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_signed_out(socket: WebSocket, parts: Services, caller: Principal) -> None:
    """A page that is looked at is in use: this keeps its session alive, and ends when the sign-in has.

    The page may have got a newer cookie since it connected: it gave its password again.
    """
    while True:
        await parts.clock.sleep(min(RECHECK_EVERY_S, parts.options.session_idle_s / 4))
        try:
            if not await parts.auth.goes_on(caller, socket):
                return
        except StoreError:
            continue  # an outage signs nobody out; the page keeps its beats and comes up to date after it


async def _deny(socket: WebSocket, refusal: ApiError) -> None:
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(refusal.response())
    else:
        await socket.close(1008, refusal.code)


async def _close(socket: WebSocket, code: int) -> None:
    """A page that does not read cannot be told either; then the connection is dropped without a word."""
    try:
        async with asyncio.timeout(CLOSE_DEADLINE_S):
            await socket.close(code)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        _log.info("live_page_dropped", code=code)
