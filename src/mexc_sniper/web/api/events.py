"""``GET /events``: the numbered events as server-sent events, for scripts (pages use ``/live``, DASHBOARD 3.1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.view import LedgerEvent
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import Services, services

MAX_STREAMS = 16
BATCH = 500
KEEP_ALIVE_S = 10.0

router = router_for(Scope.READ, tag="events")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    after: Annotated[int | None, Query(ge=0, description="Start after this number; 0: from the oldest kept.")] = None,
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
        _stream(parts, last if start is None else start),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise invalid("header", "Last-Event-ID", "is no number of an event")
    return int(text)


def _read(after: int, reader: LedgerReader) -> tuple[list[LedgerEvent], int]:
    with reader.snapshot() as view:
        return view.events(after, BATCH), view.last_seq()


async def _stream(parts: Services, after: int) -> AsyncIterator[str]:
    hub = parts.hub
    hub.streams += 1
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
                frame = hub.frame(event)
                if frame is not None:
                    yield f"id: {event.seq}\nevent: {event.kind}\ndata: {frame.model_dump_json()}\n\n"
            if not batch:
                with suppress(TimeoutError):
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        await news.wait()
                        continue
                yield ": still here\n\n"
    finally:
        hub.streams -= 1
