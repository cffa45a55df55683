"""The book of a pair that does not move, asked once: streams show a book only when it changes."""

import asyncio
from collections import OrderedDict

import structlog

from mexc_sniper.core.errors import VenueError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import BookSeen, Event, QuoteSeen
from mexc_sniper.model.market import Stamp
from mexc_sniper.ports import Clock, Emit
from mexc_sniper.venues.mexc.budget import AWAITED_SHARE
from mexc_sniper.venues.mexc.parse.depth import book_of
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

MAX_WAITING = 200
LEVELS = 20

_log = structlog.get_logger("mexc_sniper.venue")


class BookReads:
    """Questions waiting for an answer. What the stream has shown meanwhile is newer, and the answer is dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[Symbol, None] = OrderedDict()
        self._asked: Symbol | None = None
        self._something = asyncio.Event()

    def ask(self, symbol: Symbol) -> None:
        """Queue a question; one that waits already is answered once. Too many: the oldest is forgotten."""
        self._waiting[symbol] = None
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
        self._something.set()

    def see(self, event: Event) -> None:
        """Take note of what the stream says of the pair that is being asked about."""
        if self._asked is None:
            return
        if (isinstance(event, QuoteSeen) and event.quote.symbol == self._asked) or (
            isinstance(event, BookSeen) and event.book.symbol == self._asked
        ):
            self._asked = None

    async def run(self, rest: RestClient, emit: Emit) -> None:
        """Answer questions until cancelled, each with one `BookSeen` or, where the venue fails, not at all."""
        while True:
            if not self._waiting:
                self._something.clear()
                await self._something.wait()
                continue
            symbol, _ = self._waiting.popitem(last=False)
            self._asked = symbol
            try:
                answer = await rest.get(
                    Endpoint.DEPTH, {"symbol": str(symbol), "limit": str(LEVELS)}, share=AWAITED_SHARE
                )
                stamp = Stamp(None, self._clock.wall_ns(), answer.mono_ns)
                book = book_of(answer.body, symbol, stamp)
            except VenueError as error:
                _log.warning("book_not_read", symbol=symbol, error=str(error))
                continue
            if self._asked == symbol:
                emit(BookSeen(stamp=stamp, book=book))
            self._asked = None
