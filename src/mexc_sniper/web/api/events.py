"""``GET /events``: the numbered events as server-sent events, for scripts (pages use ``/live``, DASHBOARD 3.1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.view import LedgerEvent
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.frames import entry_of, event_frame
from mexc_sniper.web.live import Hub
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import Services, services

MAX_STREAMS = 16
NUMBER_DIGITS = 18
"""Of an event at most: what both databases hold."""
BATCH = 500
KEEP_ALIVE_S = 10.0
RECHECK_EVERY_S = 30
"""How soon a stream follows the end of its caller's session or token."""

router = router_for(Scope.READ, tag="events")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    after: Annotated[
        int | None, Query(ge=0, lt=10**NUMBER_DIGITS, description="Start after this number; 0: from the oldest kept.")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="Wins over `after`, as browsers resume.")] = None,
) -> StreamingResponse:
    """Stream every event from now on, or after a number. ``id`` is the number, ``data`` an EventFrame.

    An event ``gap`` with ``{after, next}`` says that the numbers between are not kept (any more).
    """
    parts = services(request)
    start = after if last_event_id is None else _number(last_event_id)
    last = await parts.store.read(lambda reader: reader.last_seq())
    if parts.hub.streams >= MAX_STREAMS:
        raise ApiError(503, "too_many_streams", "Too many event streams are open.", headers={"retry-after": "5"})
    return StreamingResponse(
        _stream(request, parts, last if start is None else start),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
        raise invalid("header", "Last-Event-ID", "is no number of an event")
    return int(text)


def _read(after: int, reader: LedgerReader) -> tuple[list[LedgerEvent], int]:
    with reader.snapshot() as view:
        return view.events(after, BATCH), view.last_seq()


async def _stream(request: Request, parts: Services, after: int) -> AsyncIterator[str]:
    """Read on from ``after``, in order; ends when the caller's right to read has, or the ledger does not answer."""
    hub, clock = parts.hub, parts.clock
    hub.streams += 1
    recheck_ns = clock.mono_ns() + RECHECK_EVERY_S * NS_PER_S
    try:
        yield "retry: 1000\n\n"
        while True:
            news = hub.news
            batch, last = await parts.store.read(partial(_read, after))
            first = batch[0].seq if batch else last + 1
            if first != after + 1:
                yield f'event: gap\ndata: {{"after":{after},"next":{first}}}\n\n'
                after = first - 1
            for event in batch:
                after = event.seq
                yield _written(event, hub)
            if not batch and not await _set(news, KEEP_ALIVE_S):
                yield ": still here\n\n"
            if clock.mono_ns() >= recheck_ns:
                recheck_ns = clock.mono_ns() + RECHECK_EVERY_S * NS_PER_S
                await parts.auth.recognise(request)
    except (ApiError, StoreError) as end:
        yield f": {end}\n\n"
    finally:
        hub.streams -= 1


def _written(event: LedgerEvent, hub: Hub) -> str:
    """Write one event; one this build cannot read keeps its number, so that a script resumes behind it."""
    entry = entry_of(event)
    frame = None if entry is None else event_frame(event, entry, hub.components.values())
    data = "" if frame is None else f"event: {event.kind}\ndata: {frame.model_dump_json()}\n"
    return f"id: {event.seq}\n{data}\n"


async def _set(news: asyncio.Event, timeout_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            return await news.wait()
    return False
