"""``GET /events``: server-sent events for scripts, resumed by number."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
import msgspec
import pytest

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.entries import ComponentChanged, ListingChanged, MonitorChanged
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from tests.builders import T0_NS
from tests.web.world import WebWorld, a_listing, event, frame


class Stream:
    """Reads one event stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, str]:
        """The next event; comments and the retry advice are skipped."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for raw in self.answer.content:
                line = raw.decode().rstrip("\n")
                if line and not line.startswith((":", "retry")):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif not line and fields:
                    return fields
        raise AssertionError("the stream ended")

    async def number(self) -> int:
        return int((await self.next())["id"])


@asynccontextmanager
async def a_stream(web: WebWorld, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    sent = {"Authorization": f"Bearer {web.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with web.http.get(f"{web.url}/events{query}", headers=sent) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert "Content-Encoding" not in answer.headers
        yield Stream(answer)


async def test_a_script_hears_what_happens_from_now_on(web: WebWorld):
    await web.engine.list(a_listing("OLDUSDT"))
    async with a_stream(web) as stream:
        web.engine.write(ListingChanged(listing=a_listing("NEWUSDT", number=2)))

        got = await stream.next()

    data: dict[str, Any] = msgspec.json.decode(got["data"])
    assert (got["id"], got["event"]) == ("2", "listing_changed")
    assert (data["seq"], data["data"]["symbol"]) == (2, "NEWUSDT")


async def test_a_script_resumes_after_the_last_number_it_saw(web: WebWorld):
    await web.engine.list(*(a_listing(f"C{i}USDT", number=i) for i in range(1, 6)))

    async with a_stream(web, Last_Event_ID="3") as stream:
        assert [await stream.number() for _ in range(2)] == [4, 5]
        web.engine.write(ListingChanged(listing=a_listing("C6USDT", number=6)))
        assert await stream.number() == 6
    async with a_stream(web, "?after=0") as stream:
        assert [await stream.number() for _ in range(6)] == [1, 2, 3, 4, 5, 6]


async def test_more_events_than_one_read_arrive_in_order_while_the_engine_writes(web: WebWorld):
    await web.engine.list(*(a_listing(f"C{i}USDT", number=i) for i in range(1, 801)))
    async with a_stream(web, "?after=0") as stream:
        for number in range(1, 401):
            assert await stream.number() == number
        web.engine.write(*(ListingChanged(listing=a_listing(f"C{i}USDT", number=i)) for i in range(801, 1_001)))
        for number in range(401, 1_001):
            assert await stream.number() == number


async def test_numbers_no_longer_kept_are_announced_as_a_gap(web: WebWorld, location: LedgerLocation):
    await web.engine.list(*(a_listing(f"C{i}USDT", number=i) for i in range(1, 6)))
    await web.engine.writer.aclose()
    with closing(sqlite3.connect(location.sqlite.ledger)) as db, db:
        db.execute("DELETE FROM events WHERE seq <= 3")

    async with a_stream(web, "?after=1") as stream:
        gap = await stream.next()
        assert (gap["event"], gap["data"]) == ("gap", '{"after":1,"next":4}')
        assert [await stream.number() for _ in range(2)] == [4, 5]


async def test_a_number_ahead_of_the_ledger_is_a_gap_and_not_a_deaf_stream(web: WebWorld):
    await web.engine.list(a_listing())
    async with a_stream(web, Last_Event_ID="500") as stream:
        gap = await stream.next()
        assert (gap["event"], gap["data"]) == ("gap", '{"after":500,"next":2}')
        web.engine.write(ListingChanged(listing=a_listing("NEWUSDT", number=2)))
        assert await stream.number() == 2


async def test_a_script_that_reads_old_events_does_not_change_what_pages_see(web: WebWorld):
    for status in (ComponentStatus.DOWN, ComponentStatus.OK):
        part = Component(name="source.calendar", status=status, since_ns=T0_NS)
        web.engine.write(ComponentChanged(component=part))
    await web.engine.flush()
    page = await web.socket()
    await frame(page)

    async with a_stream(web, "?after=0") as stream:
        assert [await stream.number() for _ in range(2)] == [1, 2]
        async with a_stream(web, "?after=0") as again:
            assert await again.number() == 1
        web.engine.write(MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING)))
        got = await event(page)

    assert [part["status"] for part in got["data"]["sources"]] == ["ok"]


async def test_a_stream_ends_with_its_callers_session(web: WebWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mexc_sniper.web.api.events.RECHECK_EVERY_S", 0)
    await web.sign_in()
    async with web.http.get(f"{web.url}/events", headers=web.browser()) as answer:
        await web.call("DELETE", "/auth/session", bearer=None, headers=web.browser())
        web.engine.write(ListingChanged(listing=a_listing()))
        async with asyncio.timeout(10):
            text = (await answer.content.read()).decode()

    assert "This sign-in has ended" in text


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "٣", "9" * 30])
async def test_a_bad_last_event_id_is_refused(web: WebWorld, number: str):
    answer = await web.get("/events", headers={"Last-Event-ID": number})

    assert (answer.status, answer.code) == (422, "invalid_request")


async def test_a_number_larger_than_any_is_refused_and_the_largest_is_a_gap(web: WebWorld):
    await web.engine.list(a_listing())
    answer = await web.get(f"/events?after={10**18}")
    assert (answer.status, answer.code) == (422, "invalid_request")
    async with a_stream(web, f"?after={10**18 - 1}") as stream:
        assert (await stream.next())["event"] == "gap"


async def test_streams_are_counted_and_limited(web: WebWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mexc_sniper.web.api.events.MAX_STREAMS", 1)
    async with a_stream(web, "?after=0"):
        answer = await web.get("/events")
        assert (answer.status, answer.code) == (503, "too_many_streams")
