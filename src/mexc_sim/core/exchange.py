"""The exchange put together: one `handle` for everything that reaches it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from mexc_sim.core.account import Account
from mexc_sim.core.candles import History
from mexc_sim.core.control import Control
from mexc_sim.core.faults import FORBIDDEN_PAGE, Fault, Faults, hidden_symbols, limited, spoil
from mexc_sim.core.instrument import Instrument
from mexc_sim.core.lifecycle import Life, Lifecycles
from mexc_sim.core.limits import Limits
from mexc_sim.core.listing_request import ListingError, ListingRequest
from mexc_sim.core.market import Market
from mexc_sim.core.messages import (
    Answer,
    Carried,
    Close,
    Frame,
    HttpRequest,
    Outcome,
    Request,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)
from mexc_sim.core.replies import Ask, Refusal, Route
from mexc_sim.core.rest import MarketData
from mexc_sim.core.script import Script, ScriptedCut, ScriptedFault, ScriptedListing
from mexc_sim.core.streams import Streams
from mexc_sim.core.targets import REST_TARGETS
from mexc_sim.core.timers import NS_PER_S, Timers
from mexc_sim.core.universe import generate
from mexc_sim.core.venue_time import VenueTime
from mexc_sim.core.web import WebPages
from mexc_sim.core.world import CalendarLine, Post, World, encode

_MS_PER_DAY = 86_400_000
_RECENT_COINS = 5
_OLD_POSTS = (
    "MEXC Lists Ashfield (ASHF) in USDT-M Futures",
    "Marlo (MRLO) Will Soon Be Available for Pre-Market Trading",
    "Notice on Postponing the Listing of Tandem (TNDM)",
    "Delisting of 7 Tokens Including Orlo (ORLO)",
)


class Exchange:
    """A whole exchange. Same seed, script, requests and times: same bytes."""

    def __init__(self, script: Script, *, seed: int, now_ns: int) -> None:
        self.script = script
        self.seed = seed
        self.world = World(
            seed=seed,
            timers=Timers(now_ns),
            time=VenueTime(script.skew_ms),
            rules=script.rules,
            random=Random(f"world:{seed}"),
        )
        self.account = Account(self.world)
        self.limits = Limits(script.rules)
        self._market_routes = MarketData(self.world).routes() | self.account.routes()
        self._web = WebPages(self.world)

        self.faults = Faults(seed, REST_TARGETS)
        self._output: list[Frame | Close] = []
        self.streams = Streams(self.world, self.faults, self._output.append)
        self.lifecycles = Lifecycles(self.world, self.streams.attach)
        self._control = Control(self)
        self._refuse_until_ns = 0
        self._began_ns: int | None = None
        self.counts: Counter[str] = Counter()
        self._populate()
        if script.begins == "start":
            self._begin_script()

    def handle(self, request: Request, now_ns: int) -> Outcome:
        """Take in one thing that reached the exchange at ``now_ns`` and say what leaves it."""
        self.world.timers.advance(now_ns)
        answer: Answer | None = None
        match request:
            case HttpRequest():
                answer = self._http(request)
            case SocketOpened():
                answer = self._open(request)
            case SocketText():
                self._first_request()
                self.streams.text(request.connection, request.text)
            case SocketClosed():
                self.streams.closed(request.connection)
            case Tick():
                pass
        self.world.timers.advance(now_ns)  # what became due by this very request
        output = self._output[:]
        self._output.clear()
        return Outcome(answer, output, self.world.timers.next_due_ns)

    def handed_over(self, carried: tuple[Carried, ...], wall_ns: int) -> None:
        """The transport has written an answer or frame that carried these steps."""
        self.world.stamps.stamp(carried, wall_ns)

    def routes(self) -> list[Route]:
        """Every endpoint of the venue."""
        return [*self._market_routes.values(), *self._web.routes()]

    # -- HTTP -------------------------------------------------------------------------------------------------

    def _http(self, request: HttpRequest) -> Answer:
        if request.path.startswith("/sim/"):
            return self._control.handle(request)
        self._first_request()
        web = self._web.route(request.path)
        route = web or self._market_routes.get(request.path)
        if route is None:
            return Answer(404, encode({"code": 404, "msg": "Not Found"}))
        self.counts[route.name] += 1
        now = self.world.timers.now_ns
        struck = self.faults.strike_rest(route.name, "web" if web else "rest", now)
        if web is None:
            refused = self.limits.spend(request.client, route, now)
            if refused is not None:
                self.counts[f"http_{refused.status}"] += 1
                return limited(refused.status, refused.retry_after_s)
        return spoil(self._answer(route, request, hidden_symbols(struck)), struck)

    def _answer(self, route: Route, request: HttpRequest, hidden: frozenset[str]) -> Answer:
        try:
            if request.method != "GET":
                raise Refusal(405, f"Request method '{request.method}' not supported", status=405)
            params = (
                self.account.verify(request) if route.signed else dict(parse_qsl(request.query, keep_blank_values=True))
            )
            reply = route.handler(Ask(params, hidden, request.path))
        except Refusal as refusal:
            return refusal.answer()
        return Answer(200, reply.body, carries=reply.carries)

    def _open(self, request: SocketOpened) -> Answer | None:
        now = self.world.timers.now_ns
        if now < self._refuse_until_ns or self.faults.strike_stream("", now, ("refuse",)):
            return Answer(503, FORBIDDEN_PAGE, "text/html")
        self.streams.open(request.connection)
        return None

    # -- what the control API and the script do -----------------------------------------------------------------

    def begin_shifted(self, request: ListingRequest, seconds: float) -> Life:
        """Begin a listing whose whole life is shifted."""
        return self.lifecycles.begin(replace(request, times=request.times.shifted(seconds)) if seconds else request)

    def add_fault(self, spec: Mapping[str, Any]) -> Fault:
        """Put a fault in force; ``"newest"`` in a flap's symbols means the newest listing.

        Raises:
            FaultError: the description is wrong.
        """
        fault = self.faults.add(spec, self.world.timers.now_ns)
        names = fault.params.get("symbols")
        if names is not None and self.lifecycles.lives:
            newest = self.lifecycles.lives[-1].instrument.symbol
            fault.params["symbols"] = [newest if name == "newest" else name for name in names] or [newest]
        return fault

    def _add_scripted(self, scripted: ScriptedFault) -> None:
        self.add_fault(scripted.spec)

    def cut(self, *, refuse_for_s: float) -> int:
        """Drop all sockets and refuse new ones for a while; returns how many were dropped."""
        self._refuse(refuse_for_s)
        return self.streams.cut()

    def freeze(self, *, refuse_for_s: float) -> int:
        """Make all present sockets half-open and refuse new ones for a while; returns how many froze."""
        self._refuse(refuse_for_s)
        return self.streams.freeze()

    def _refuse(self, seconds: float) -> None:
        if seconds > 0:
            self._refuse_until_ns = self.world.timers.now_ns + int(seconds * NS_PER_S)

    def view(self) -> dict[str, Any]:
        """The whole state in short, for the control API."""
        world = self.world
        return {
            "title": self.script.title,
            "seed": self.seed,
            "nowNs": world.timers.now_ns,
            "serverTime": world.now_ms,
            "skewMs": world.time.skew_ms,
            "scriptBeganNs": self._began_ns,
            "symbols": len(world.markets),
            "symbolsInExchangeInfo": sum(m.in_exchange_info for m in world.markets.values()),
            "defaultSymbols": sum(m.in_default_symbols for m in world.markets.values()),
            "calendarLines": len(world.calendar),
            "listings": len(self.lifecycles.lives),
            "connections": self.streams.view(),
            "streamCounts": dict(self.streams.counts),
            "requests": dict(self.counts),
            "weightUsed": self.limits.used(),
            "faults": self.faults.view(),
        }

    # -- beginning ----------------------------------------------------------------------------------------------

    def _populate(self) -> None:
        now_ms = self.world.now_ms
        pairs = generate(self.seed, self.script.symbols, now_ms)
        random = Random(f"ages:{self.seed}")
        recent = {p.symbol for p, _ in pairs[len(pairs) // 2 :][:_RECENT_COINS]} if len(pairs) >= 40 else set()
        for instrument, api_open in pairs:
            if instrument.symbol in recent:
                opened = now_ms - random.randrange(_MS_PER_DAY, 7 * _MS_PER_DAY)
                instrument = replace(instrument, first_open_ms=opened)
                self._add_past_calendar_line(instrument, opened)
            self._add_old_pair(instrument, api_open, random, now_ms)
        self.world.calendar.sort(key=lambda line: line.opens_ms or 0)
        for index, title in enumerate(_OLD_POSTS):
            self.world.posts.append(Post(17_827_791_400_000 + index, title, now_ms - (9 - index) * 3_600_000))

    def _add_past_calendar_line(self, coin: Instrument, opened_ms: int) -> None:
        line = CalendarLine(coin.coin_id, coin.base, coin.full_name, opened_ms, "innovation", coin.symbol)
        self.world.calendar.append(line)

    def _add_old_pair(self, instrument: Instrument, api_open: bool, random: Random, now_ms: int) -> None:
        first = instrument.first_open_ms or now_ms - random.randrange(60, 900) * _MS_PER_DAY
        history = History(first, now_ms, instrument.reference_price, random.uniform(0, 6.28))
        market = Market(instrument, seed=self.seed, history=history)
        market.in_exchange_info = market.in_web_symbols = True
        market.quoting = market.trading = market.sleeps = True
        market.spot_allowed = market.in_default_symbols = market.orders_open = api_open
        self.world.markets[instrument.symbol] = market

    def _first_request(self) -> None:
        if self._began_ns is None:
            self._begin_script()
            self.world.timers.advance(self.world.timers.now_ns)

    def _begin_script(self) -> None:
        self._began_ns = self.world.timers.now_ns
        for listing in self.script.listings:
            self._plan_listing(listing, 0)
        for fault in self.script.faults:
            self._plan_fault(fault, 0)
        for cut in self.script.cuts:
            self._plan_cut(cut, 0)

    def _plan_listing(self, scripted: ScriptedListing, turn: int) -> None:
        request = scripted.request
        if turn < len(scripted.bases):
            request = replace(request, base=scripted.bases[turn])
        elif turn:
            request = replace(request, base=None)
        try:
            self.lifecycles.begin(request)
        except ListingError:  # a base that is taken meanwhile: an invented one keeps the show going
            self.lifecycles.begin(replace(request, base=None, of=None))
        repeat = scripted.repeat
        if repeat.every_s > 0 and turn + 1 < repeat.times:
            self.world.timers.after(int(repeat.every_s * NS_PER_S), lambda _: self._plan_listing(scripted, turn + 1))

    def _plan_fault(self, scripted: ScriptedFault, turn: int) -> None:
        self.world.timers.after(int(scripted.in_s * NS_PER_S), lambda _: self._add_scripted(scripted))
        repeat = scripted.repeat
        if repeat.every_s > 0 and turn + 1 < repeat.times:
            self.world.timers.after(int(repeat.every_s * NS_PER_S), lambda _: self._plan_fault(scripted, turn + 1))

    def _plan_cut(self, scripted: ScriptedCut, turn: int) -> None:
        def act(_: int) -> None:
            if scripted.freeze:
                self.freeze(refuse_for_s=scripted.refuse_for_s)
            else:
                self.cut(refuse_for_s=scripted.refuse_for_s)

        self.world.timers.after(int(scripted.in_s * NS_PER_S), act)
        repeat = scripted.repeat
        if repeat.every_s > 0 and turn + 1 < repeat.times:
            self.world.timers.after(int(repeat.every_s * NS_PER_S), lambda _: self._plan_cut(scripted, turn + 1))
