"""The control API under ``/sim``: what tests and the operator of a rehearsal ask of the simulator itself.

==========================  ===================================================================================
GET /sim/state              counts, connections with their subscriptions, faults in force, weight used
GET /sim/stamps[?symbol=]   wall ns at which each life-cycle step was first handed to a socket
GET /sim/listings           every listing made since the start with its planned times (ns)
POST /sim/listings          begin a listing (keys: `listing_request`), or ``count`` of them over ``spreadS`` seconds
POST /sim/delist            {symbol, inS?, state? 2 suspended | 3 delisted}
GET, POST /sim/faults       rules in force; add one: {target, kind, its parameters, times?, forS?, probability?}
DELETE /sim/faults[?id=]    lift one rule or all
POST /sim/clock             {skewMs}: the venue's clock is wrong by that much
POST /sim/stream/cut        reset all sockets; {refuseForS?, how? page | reset | hang} for new handshakes
POST /sim/stream/freeze     make all present sockets half-open for good; same parameters
POST /sim/limits/forgive    lift every 429 and 418
==========================  ===================================================================================

The private half (orders, balances, keys, books, prices) is in `order_control`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from msgspec import DecodeError, json

from mexc_sim.core.faults import FaultError
from mexc_sim.core.keys import KeySpecError
from mexc_sim.core.listing_request import ListingError, read_listing
from mexc_sim.core.messages import Answer, Delivery, HttpRequest
from mexc_sim.core.order_control import OrderControl, OrderControlError
from mexc_sim.core.order_refusals import RefusalError
from mexc_sim.core.world import encode

if TYPE_CHECKING:
    from mexc_sim.core.exchange import Exchange

_LONGEST_BURST = 5_000


class ControlError(ValueError):
    """A control request is wrong; the text says what to mend."""


class Control:
    """Answers ``/sim/...``; never spoiled by faults, never charged weight."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
            ("GET", "/sim/state"): self._state,
            ("GET", "/sim/stamps"): self._stamps,
            ("GET", "/sim/listings"): self._lives,
            ("POST", "/sim/listings"): self._list,
            ("POST", "/sim/delist"): self._delist,
            ("GET", "/sim/faults"): self._faults,
            ("POST", "/sim/faults"): self._add_fault,
            ("DELETE", "/sim/faults"): self._remove_faults,
            ("POST", "/sim/clock"): self._clock,
            ("POST", "/sim/stream/cut"): self._cut,
            ("POST", "/sim/stream/freeze"): self._freeze,
            ("POST", "/sim/limits/forgive"): self._forgive,
            **OrderControl(exchange).routes(),
        }

    def handle(self, request: HttpRequest) -> Answer:
        """Answer one control request: 200 with JSON, or 400/404/405 with ``{code, message}``."""
        action = self._routes.get((request.method, request.path))
        if action is None:
            known = any(path == request.path for _, path in self._routes)
            paths = ", ".join(f"{method} {path}" for method, path in self._routes)
            return _error(405 if known else 404, "unknown_path", f"{request.method} {request.path}; there is {paths}")
        try:
            return Answer(200, encode(action(_arguments(request))))
        except (ControlError, OrderControlError, ListingError, FaultError, KeySpecError, RefusalError) as error:
            return _error(400, "bad_request", str(error))

    def _state(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return self._exchange.view()

    def _stamps(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        stamps, symbol = self._exchange.world.stamps, arguments.get("symbol")
        if symbol is None:
            return {"stamps": stamps.all()}
        return {"symbol": symbol, "stamps": stamps.of(str(symbol))}

    def _lives(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"listings": [life.view() for life in self._exchange.lifecycles.lives]}

    def _list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        spec = dict(arguments)
        count, spread = spec.pop("count", None), spec.pop("spreadS", 0.0)
        if count is None:
            life = self._exchange.lifecycles.begin(read_listing(spec))
            return life.view()
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _LONGEST_BURST:
            raise ControlError(f"count must be a whole number between 1 and {_LONGEST_BURST}, not {count!r}")
        if "base" in spec:
            raise ControlError("count invents its bases; leave base out")
        step = _number({"spreadS": spread}, "spreadS", 0.0) / count
        request = read_listing(spec)
        lives = [self._exchange.begin_shifted(request, index * step) for index in range(count)]
        return {"listings": [life.view() for life in lives]}

    def _delist(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        symbol = str(arguments.get("symbol", ""))
        state = 2 if arguments.get("state") == 2 else 3
        self._exchange.lifecycles.delist(symbol, in_s=_number(arguments, "inS", 0.0), state=state)
        return {"symbol": symbol, "state": state}

    def _faults(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"faults": self._exchange.faults.view()}

    def _add_fault(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._exchange.add_fault(arguments).view()

    def _remove_faults(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        number = arguments.get("id")
        return {"removed": self._exchange.faults.remove(None if number is None else int(number))}

    def _clock(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self._exchange.world.time.skew_ms = int(_number(arguments, "skewMs", 0.0))
        return {"skewMs": self._exchange.world.time.skew_ms, "serverTime": self._exchange.world.now_ms}

    def _cut(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        seconds = _number(arguments, "refuseForS", 0.0)
        return {"cut": self._exchange.cut(refuse_for_s=seconds, how=_refusal(arguments))}

    def _freeze(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        seconds = _number(arguments, "refuseForS", 0.0)
        return {"frozen": self._exchange.freeze(refuse_for_s=seconds, how=_refusal(arguments))}

    def _forgive(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._exchange.limits.forgive()
        return {}


def _arguments(request: HttpRequest) -> Mapping[str, Any]:
    if request.body:
        try:
            body = json.decode(request.body)
        except DecodeError as error:
            raise ControlError(f"the body is no JSON: {error}") from error
        if not isinstance(body, dict):
            raise ControlError("the body must be a JSON object")
        return body
    return {name: values[-1] for name, values in parse_qs(request.query).items()}


def _number(arguments: Mapping[str, Any], key: str, default: float) -> float:
    value = arguments.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise ControlError(f"{key} must be a number, not {value!r}")
    return float(value)


def _refusal(arguments: Mapping[str, Any]) -> Delivery:
    """How new handshakes fail while refused: ``how`` is page (default), reset or hang."""
    known = {"page": Delivery.NORMAL, "reset": Delivery.RESET, "hang": Delivery.HANG}
    how = arguments.get("how", "page")
    if not isinstance(how, str) or how not in known:
        raise ControlError(f"how must be one of {', '.join(known)}, not {how!r}")
    return known[how]


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, encode({"code": code, "message": message}))
