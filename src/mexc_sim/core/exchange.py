"""The exchange put together: one `handle` for everything that reaches it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from mexc_sim.core.account import Account
from mexc_sim.core.control import Control
from mexc_sim.core.desk import Desk
from mexc_sim.core.faults import (
    FORBIDDEN_PAGE,
    PLAYED_BY_HANDLER,
    Fault,
    Faults,
    hidden_symbols,
    limited,
    prevents,
    spoil,
)
from mexc_sim.core.lifecycle import Life, Lifecycles
from mexc_sim.core.limits import Limits
from mexc_sim.core.listing_request import ListingRequest
from mexc_sim.core.messages import (
    Answer,
    Carried,
    Close,
    Delivery,
    Frame,
    HttpRequest,
    LateAnswer,
    Outcome,
    Request,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)
from mexc_sim.core.order_api import OrderApi
from mexc_sim.core.order_refusals import Refusals, refusal_of
from mexc_sim.core.population import populate
from mexc_sim.core.private_streams import PrivateStreams
from mexc_sim.core.replies import Ask, Refusal, Route
from mexc_sim.core.request_log import LoggedRequest, RequestLog
from mexc_sim.core.rest import MarketData
from mexc_sim.core.script import Script
from mexc_sim.core.stage import Stage
from mexc_sim.core.streams import Streams
from mexc_sim.core.targets import REST_TARGETS
from mexc_sim.core.timers import NS_PER_MS, NS_PER_S, Timers
from mexc_sim.core.venue_time import VenueTime
from mexc_sim.core.web import WebPages
from mexc_sim.core.world import World, encode


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
        self._web = WebPages(self.world)
        self.faults = Faults(seed, REST_TARGETS)
        self.refusals = Refusals()
        self.requests = RequestLog()
        self._output: list[Frame | Close | LateAnswer] = []
        self.streams = Streams(self.world, self.faults, self._output.append, self.account.listen_keys)
        private = PrivateStreams(self.world, self.streams.push_private)
        self.account.wallet.listener = private.wallet_moved
        self.desk = Desk(self.world, self.account.wallet, private)
        self.orders = OrderApi(self.world, self.desk, self.refusals)
        self._routes = {("GET", path): route for path, route in MarketData(self.world).routes().items()}
        self._routes |= self.account.routes() | self.orders.routes()
        self._paths = {path: route for (_, path), route in self._routes.items()}
        self.lifecycles = Lifecycles(self.world, self.streams.attach)
        self._control = Control(self)
        self._refuse_until_ns = 0
        self._refuse_how = Delivery.NORMAL
        self.counts: Counter[str] = Counter()
        populate(self.world, script.symbols)
        self.stage = Stage(script, self)
        if script.begins == "start":
            self.stage.begin()

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
        return [*self._routes.values(), *self._web.routes()]

    # -- HTTP -------------------------------------------------------------------------------------------------

    def _http(self, request: HttpRequest) -> Answer | None:
        if request.path.startswith("/sim/"):
            return self._control.handle(request)
        self._first_request()
        now = self.world.timers.now_ns
        entry = self.requests.add(request, now)
        web = self._web.route(request.path)
        route = web or self._routes.get((request.method, request.path)) or self._paths.get(request.path)
        if route is None:
            return Answer(404, encode({"code": 404, "msg": "Not Found"}))
        self.counts[route.name] += 1
        struck = self.faults.strike_rest(route.name, "web" if web else "rest", now)
        if web is None:
            refused = self.limits.spend(request.client, route, now)
            if refused is not None:
                self.counts[f"http_{refused.status}"] += 1
                answer = limited(refused.status, refused.retry_after_s)
                entry.answered(answer)
                return answer
        late = next((fault.params for fault in struck if fault.kind == "late"), None)
        if late is None:
            return self._answer(route, request, struck, entry)

        def process(_due_ns: int) -> None:
            answer = self._answer(route, request, struck, entry)
            if late["client"] == "waits":
                self._output.append(LateAnswer(request.number, answer))

        self.world.timers.after(int(late["ms"] * NS_PER_MS), process)
        delivery = {"reset": Delivery.RESET, "hang": Delivery.HANG}.get(late["client"])
        return None if delivery is None else Answer(200, b"", delivery=delivery)

    def _answer(self, route: Route, request: HttpRequest, struck: list[Fault], entry: LoggedRequest) -> Answer:
        if prevents(struck):
            return spoil(Answer(200, b"{}"), struck)
        answer = self._handled(route, request, struck)
        entry.answered(answer)
        return spoil(answer, struck)

    def _handled(self, route: Route, request: HttpRequest, struck: list[Fault]) -> Answer:
        try:
            known = (request.method, request.path) in self._routes
            if not known and request.method != "GET":
                raise Refusal(405, f"Request method '{request.method}' not supported", status=405)
            if not known and route.signed:
                raise Refusal(405, "Request method 'GET' not supported", status=405)
            params = (
                self.account.verify(request, route.right)
                if route.signed
                else dict(parse_qsl(request.query, keep_blank_values=True))
            )
            if route.signed and route.name != "newOrder":  # placing asks for each order itself
                rule = self.refusals.strike(route.name, params, self.world.timers.now_ns)
                if rule is not None:
                    raise refusal_of(rule)
            reply = route.handler(self._ask(request, params, struck))
        except Refusal as refusal:
            return refusal.answer()
        return Answer(200, reply.body, carries=reply.carries)

    def _ask(self, request: HttpRequest, params: dict[str, str], struck: list[Fault]) -> Ask:
        stale_ms = max((fault.params["ms"] for fault in struck if fault.kind == "stale"), default=0)
        return Ask(
            params,
            hidden_symbols(struck),
            request.path,
            stale_ns=int(stale_ms * NS_PER_MS),
            struck={fault.kind: fault.params for fault in struck if fault.kind in PLAYED_BY_HANDLER},
            arrived_ns=request.read_wall_ns or self.world.timers.now_ns,
        )

    def _open(self, request: SocketOpened) -> Answer | None:
        now = self.world.timers.now_ns
        if now < self._refuse_until_ns:
            return Answer(503, FORBIDDEN_PAGE, "text/html", delivery=self._refuse_how)
        if self.faults.strike_stream("", now, ("refuse",)):
            return Answer(503, FORBIDDEN_PAGE, "text/html")
        self.streams.open(request.connection, dict(parse_qsl(request.query)).get("listenKey"))
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

    def cut(self, *, refuse_for_s: float, how: Delivery = Delivery.NORMAL) -> int:
        """Drop all sockets and refuse new ones for a while; returns how many were dropped."""
        self._refuse(refuse_for_s, how)
        return self.streams.cut()

    def freeze(self, *, refuse_for_s: float, how: Delivery = Delivery.NORMAL) -> int:
        """Make all present sockets half-open and refuse new ones for a while; returns how many froze."""
        self._refuse(refuse_for_s, how)
        return self.streams.freeze()

    def _refuse(self, seconds: float, how: Delivery) -> None:
        """``how`` a handshake fails: with a 503 page (NORMAL), a reset, or never an answer (HANG)."""
        self._refuse_how = how
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
            "scriptBeganNs": self.stage.began_ns,
            "scriptSkipped": self.stage.skipped,
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

    def _first_request(self) -> None:
        if self.stage.begin():
            self.world.timers.advance(self.world.timers.now_ns)
