"""How old a coin is at this venue: its oldest candles (REFERENCE 1.5 klines), asked once per question."""

import asyncio
from collections import OrderedDict

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import VenueError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import CandlesRead
from mexc_sniper.model.market import Candle, Stamp
from mexc_sniper.ports import Clock, Emit
from mexc_sniper.venues.mexc.budget import AWAITED_SHARE
from mexc_sniper.venues.mexc.parse.candles import candles
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

MAX_WAITING = 2_000
WORKERS = 4
ATTEMPTS = 5
KEPT_CANDLES = 10
PACE = 0.6
"""Part of one second's requests the probes may fill: fifty listings at once must not delay the polls."""
_LIMIT = "500"
WIDTHS_S = {"1d": 86_400, "1m": 60}
"""The two questions of a probe: width of the candles in seconds."""


class CandlePair:
    """The answers to the two questions of one probe."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Candle, ...]] = {}

    @property
    def complete(self) -> bool:
        """Whether both answers are here."""
        return self._found.keys() >= WIDTHS_S.keys()

    def take(self, interval: str, body: bytes) -> None:
        """Read one answer; intervals not asked for are left out.

        Raises:
            VenueError: an error answer, or no candles.
        """
        if interval in WIDTHS_S:
            self._found[interval] = candles(body, WIDTHS_S[interval])

    def oldest(self) -> tuple[Candle, ...]:
        """The oldest candles of the list that reaches further back, oldest first.

        Of a coin younger than a day that is the minutes, which tell the exact minute: a day's candle opens at
        midnight, up to a day before the first trade, and proves age only by its end.
        """
        days, minutes = self._found["1d"], self._found["1m"]
        chosen = minutes or days
        if days and minutes and days[0].open_time_ns + WIDTHS_S["1d"] * NS_PER_S <= minutes[0].open_time_ns:
            chosen = days
        return chosen[:KEPT_CANDLES]


class AgeProbes:
    """Questions waiting for an answer; they survive a stop of the monitor and are answered exactly once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[Symbol, None] = OrderedDict()
        self._asked: set[Symbol] = set()
        self._overflow: list[Symbol] = []
        self._something = asyncio.Event()

    def ask(self, symbol: Symbol) -> None:
        """Queue a question; one that is already under way is answered by the same answer.

        Full queue: the question is answered with an error.
        """
        if symbol in self._waiting or symbol in self._asked:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._overflow.append(symbol)
        else:
            self._waiting[symbol] = None
        self._something.set()

    async def run(self, rest: RestClient, emit: Emit) -> None:
        """Answer questions until cancelled; those under way then wait for the next run."""
        self._asked.clear()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WORKERS):
                tasks.create_task(self._work(rest, emit))

    async def _work(self, rest: RestClient, emit: Emit) -> None:
        while True:
            while self._overflow:
                self._answer(emit, self._overflow.pop(), (), "too many age probes are waiting")
            if not self._waiting:
                self._something.clear()
                await self._something.wait()
                continue
            symbol, _ = self._waiting.popitem(last=False)
            self._asked.add(symbol)
            try:
                found, error = await self._probe(rest, symbol)
            except asyncio.CancelledError:
                self._waiting[symbol] = None
                raise
            finally:
                self._asked.discard(symbol)
            self._answer(emit, symbol, found, error)

    def _answer(self, emit: Emit, symbol: Symbol, found: tuple[Candle, ...], error: str) -> None:
        stamp = Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
        emit(CandlesRead(stamp=stamp, symbol=symbol, candles=found, error=error))

    async def _probe(self, rest: RestClient, symbol: Symbol) -> tuple[tuple[Candle, ...], str]:
        error = ""
        for attempt in range(ATTEMPTS):
            pair = CandlePair()
            try:
                for interval in WIDTHS_S:
                    parameters = {"symbol": symbol, "interval": interval, "limit": _LIMIT}
                    answer = await rest.get(Endpoint.KLINES, parameters, share=AWAITED_SHARE, pace=PACE)
                    pair.take(interval, answer.body)
            except VenueError as failure:
                error = str(failure)
                wait_s = failure.retry_after_s if failure.retry_after_s is not None else 2.0**attempt
                if attempt < ATTEMPTS - 1:
                    await self._clock.sleep(min(wait_s, 60.0))
            else:
                return pair.oldest(), ""
        return (), error
