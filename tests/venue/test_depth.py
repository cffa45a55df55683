"""A book asked for once: read right or not at all, and never in the place of something newer."""

import asyncio
import json
from contextlib import suppress

import pytest

from mexc_sniper.core.errors import ProtocolError, VenueError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import BookSeen
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.depth import book_of
from mexc_sniper.venues.mexc.rest import Answer
from mexc_sniper.venues.mexc.sources.depth import MAX_WAITING, BookReads
from tests.builders import a_book, a_quote, a_tick
from tests.support.simulator import SimulatorProcess
from tests.venue.streaming import eventually
from tests.venue.test_gateway import CLOCK, running

STAMP = Stamp(None, 1, 1)
PAIR = Symbol("ALPHAUSDT")


def body(**sides: object) -> bytes:
    return json.dumps({"lastUpdateId": 1, **sides}).encode()


def test_book_is_read_best_first_whatever_order_the_venue_chose() -> None:
    book = book_of(body(bids=[["1", "5"], ["2", "6"]], asks=[["4", "7"], ["3", "8"]]), PAIR, STAMP)
    assert (book.bid, book.ask) == (2, 3)
    assert [level.quantity for level in (*book.bids, *book.asks)] == [6, 5, 8, 7]


def test_one_sided_and_empty_books_are_books() -> None:
    assert book_of(body(bids=[], asks=[["3", "8"]]), PAIR, STAMP).bid is None
    assert book_of(body(bids=[], asks=[]), PAIR, STAMP).ask is None


@pytest.mark.parametrize(
    "raw",
    [
        body(bids=[["1", "5"]]),
        body(bids=[["x", "5"]], asks=[]),
        body(bids=[["1"]], asks=[]),
        body(bids=[["-1", "5"]], asks=[]),
        body(bids=[["3", "5"]], asks=[["3", "5"]]),
        b"[]",
        b"<html>",
    ],
)
def test_what_is_no_book_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        book_of(raw, PAIR, STAMP)


def test_error_answer_is_what_it_says() -> None:
    with pytest.raises(VenueError, match="-1121"):
        book_of(b'{"code": -1121, "msg": "Invalid symbol."}', PAIR, STAMP)


class Held:
    """Stands for the REST client: answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[asyncio.Future[bytes]] = []

    async def get(self, endpoint: object, question: dict[str, str], *, share: float) -> Answer:
        self.asked.append(question["symbol"])
        self.answers.append(asyncio.get_running_loop().create_future())
        return Answer(await self.answers[-1], 1, 1, 0)


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ((), 1),
        ((a_quote(1, "ALPHAUSDT"),), 0),
        ((a_book(1, "ALPHAUSDT"),), 0),
        ((a_quote(1, "BETAUSDT"), a_book(1, "BETAUSDT"), a_tick(1)), 1),
    ],
)
async def test_answer_is_dropped_when_the_stream_was_faster(meanwhile: tuple[object, ...], told: int) -> None:
    rest, heard, reads = Held(), [], BookReads(CLOCK)
    reads.see(a_quote(0, "ALPHAUSDT"))
    task = asyncio.create_task(reads.run(rest, heard.append))  # type: ignore[arg-type]
    reads.ask(PAIR)
    reads.ask(PAIR)
    await eventually(lambda: rest.answers)
    for event in meanwhile:
        reads.see(event)  # type: ignore[arg-type]
    rest.answers[0].set_result(body(bids=[["1", "5"]], asks=[["2", "5"]]))
    reads.ask(Symbol("GAMMAUSDT"))
    await eventually(lambda: len(rest.asked) == 2)
    assert len(heard) == told
    assert rest.asked == ["ALPHAUSDT", "GAMMAUSDT"], "a question that waits already is asked once"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_too_many_questions_forget_the_oldest() -> None:
    rest, reads = Held(), BookReads(CLOCK)
    for number in range(MAX_WAITING + 1):
        reads.ask(Symbol(f"S{number}USDT"))
    task = asyncio.create_task(reads.run(rest, lambda _: None))  # type: ignore[arg-type]
    await eventually(lambda: rest.asked)
    assert rest.asked == ["S1USDT"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_book_of_a_silent_pair_is_read_over_sockets_and_a_pair_that_is_none_is_silence() -> None:
    with SimulatorProcess(symbols=30, ip_weight=100_000) as venue:
        levels = {"symbol": "SOLUSDT", "bids": [["99", "5"]], "asks": [["100", "6"]]}
        await asyncio.to_thread(venue.post, "/sim/book", levels)
        async with running(venue) as (gateway, heard):
            gateway.read_book(Symbol("NOSUCHUSDT"))
            gateway.read_book(Symbol("SOLUSDT"))
            await eventually(lambda: heard.of(BookSeen), within_s=8)
            (seen,) = heard.of(BookSeen)
            assert (seen.book.symbol, seen.book.bid, seen.book.ask) == ("SOLUSDT", 99, 100)


async def test_book_that_moved_while_the_streams_were_away_is_read_when_they_are_back() -> None:
    with SimulatorProcess(symbols=30, ip_weight=100_000) as venue:
        levels = {"symbol": "SOLUSDT", "bids": [["99", "5"]], "asks": [["100", "6"]]}
        await asyncio.to_thread(venue.post, "/sim/book", levels)
        async with running(venue) as (gateway, heard):
            gateway.watch(Symbol("SOLUSDT"))
            await eventually(lambda: heard.of(BookSeen), within_s=8)
            await asyncio.to_thread(venue.post, "/sim/stream/cut", {"refuseForS": 2})
            await asyncio.to_thread(venue.post, "/sim/book", {**levels, "bids": [["50", "5"]], "asks": [["51", "6"]]})
            await eventually(lambda: heard.of(BookSeen)[-1].book.bid == 50, within_s=15)
