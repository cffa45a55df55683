"""Faults on purpose: rules that spoil chosen answers and frames (RELIABILITY 2.1, 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from random import Random
from typing import Any

from mexc_sim.core.messages import Answer, Delivery
from mexc_sim.core.timers import NS_PER_MS, NS_PER_S
from mexc_sim.core.world import encode

FORBIDDEN_PAGE = (
    b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    b"You don't have permission to access this page on this server.<P>\n</BODY>\n</HTML>\n"
)
_GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

REST_KINDS: dict[str, dict[str, Any]] = {
    "delay": {"ms": 500},
    "hang": {"when": "after"},
    "reset": {"when": "after"},
    "truncate": {},
    "stall": {},
    "rate_limit": {"retryAfterS": 1},
    "ban": {"retryAfterS": 120},
    "forbidden": {},
    "server_error": {"status": 503, "html": False, "when": "after"},
    "content_type": {},
    "not_json": {},
    "empty": {},
    "flap": {"symbols": []},
    "late": {"ms": 3_000, "client": "waits"},
    "stale": {"ms": 10_000},
    "late_visible": {"ms": 20_000},
    "fill_after": {"ms": 500},
    "says_new": {},
}
"""Kinds for REST targets with their parameters and defaults; ``retryAfterS`` 0 leaves the header out.

``when`` says whether the request takes effect (``after``: an order is accepted and its answer lost) or not
(``before``); rate_limit, ban and forbidden never let it. ``late`` processes the request ``ms`` later, recvWindow
included, while the client ``waits``, is ``reset`` or never gets an answer (``hang``). For order endpoints only:
``late_visible`` hides new orders from reads, ``fill_after`` fills what a cancel has just ended, ``says_new`` answers a
cancel with the status before it; ``stale`` serves account, getOrder, openOrders, allOrders and myTrades as they were.
"""
CHOICES = {"when": ("before", "after"), "client": ("waits", "reset", "hang")}
PLAYED_BY_HANDLER = ("late_visible", "fill_after", "says_new")
_REFUSING = ("rate_limit", "ban", "forbidden")
STREAM_KINDS: dict[str, dict[str, Any]] = {
    "delay": {"ms": 500},
    "drop": {},
    "duplicate": {},
    "reorder": {},
    "corrupt": {},
    "unknown_fields": {},
    "text": {},
    "no_ack": {},
    "reject": {},
    "refuse": {},
}
"""Kinds for the target ``stream`` or ``stream:<channel pattern>``: frames, acknowledgements, handshakes."""
_COMMON: dict[str, type | tuple[type, ...]] = {
    "target": str,
    "kind": str,
    "times": int,
    "forS": (int, float),
    "probability": (int, float),
}


class FaultError(ValueError):
    """A fault was described wrongly; the text names the key and the mend."""


@dataclass(slots=True)
class Fault:
    """One rule. It ends after ``times`` hits or at ``until_ns``, whichever comes first."""

    id: int
    target: str
    kind: str
    params: dict[str, Any]
    times: int | None
    until_ns: int | None
    probability: float
    random: Random
    seen: int = 0
    hits: int = 0
    held: dict[int, bytes] = field(default_factory=dict)
    """Frames held back for reordering, by connection."""

    def spent(self, now_ns: int) -> bool:
        """Whether it can never strike again."""
        return (self.times is not None and self.hits >= self.times) or (
            self.until_ns is not None and now_ns >= self.until_ns
        )

    def strikes(self) -> bool:
        """Decide for one occasion, and count it."""
        self.seen += 1
        if self.kind == "flap" and self.seen % 2 == 1:  # the first server has the row, the second has not
            return False
        if self.probability < 1 and self.random.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def view(self) -> dict[str, Any]:
        """What the control API shows."""
        return {"id": self.id, "target": self.target, "kind": self.kind, **self.params, "hits": self.hits}


class Faults:
    """All rules in force, oldest first."""

    def __init__(self, seed: int, rest_targets: tuple[str, ...]) -> None:
        self._seed = seed
        self._targets = ("all", "rest", "web", *rest_targets)
        self._rules: list[Fault] = []
        self._ids = count(1)

    def add(self, spec: Mapping[str, Any], now_ns: int) -> Fault:
        """Put a rule in force.

        Raises:
            FaultError: the description is wrong.
        """
        params = self.check(spec)
        number = next(self._ids)
        until = now_ns + int(spec["forS"] * NS_PER_S) if "forS" in spec else None
        fault = Fault(
            id=number,
            target=spec["target"],
            kind=spec["kind"],
            params=params,
            times=spec.get("times"),
            until_ns=until,
            probability=float(spec.get("probability", 1.0)),
            random=Random(f"fault:{self._seed}:{number}"),
        )
        self._rules.append(fault)
        return fault

    def check(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a description; returns its parameters with defaults filled in."""
        target = spec.get("target")
        if not isinstance(target, str) or not (target in self._targets or target.split(":")[0] == "stream"):
            known = ", ".join((*self._targets, "stream", "stream:<channel pattern>"))
            raise FaultError(f"target {target!r} is unknown; use one of {known}")
        kinds = STREAM_KINDS if target.startswith("stream") else REST_KINDS
        kind = spec.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            raise FaultError(f"kind {kind!r} is unknown for target {target!r}; use one of {', '.join(kinds)}")
        params = dict(kinds[kind])
        for key, value in spec.items():
            if key in _COMMON:
                if isinstance(value, bool) or not isinstance(value, _COMMON[key]):
                    raise FaultError(f"{key} has the wrong type: {value!r}")
            elif key not in params:
                raise FaultError(f"key {key!r} is unknown for kind {kind!r}; it takes {', '.join(params) or 'none'}")
            elif type(value) is not type(params[key]) and not (key == "ms" and isinstance(value, float)):
                raise FaultError(f"{key} has the wrong type: {value!r}")
            elif key in CHOICES and value not in CHOICES[key]:
                raise FaultError(f"{key} must be one of {', '.join(CHOICES[key])}, not {value!r}")
            else:
                params[key] = value
        if not 0 <= float(spec.get("probability", 1.0)) <= 1:
            raise FaultError("probability must be between 0 and 1")
        for key in ("times", "forS", "ms"):
            if not 0 <= spec.get(key, 0) < 1e9:
                raise FaultError(f"{key} must be a number from 0, not {spec[key]!r}")
        return params

    def remove(self, number: int | None = None) -> int:
        """Lift one rule, or all of them; returns how many."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if number is not None and rule.id != number]
        return before - len(self._rules)

    def view(self) -> list[dict[str, Any]]:
        """Rules in force, for the control API."""
        return [rule.view() for rule in self._rules]

    def strike_rest(self, name: str, area: str, now_ns: int) -> list[Fault]:
        """Rules that hit this request; ``area`` is ``rest`` or ``web``."""
        if not self._rules:
            return []
        return [rule for rule in self._current(now_ns) if rule.target in (name, area, "all") and rule.strikes()]

    def strike_stream(self, channel: str, now_ns: int, kinds: tuple[str, ...]) -> list[Fault]:
        """Rules of the given kinds that hit this frame, acknowledgement or handshake."""
        if not self._rules:
            return []
        return [
            rule
            for rule in self._current(now_ns)
            if rule.kind in kinds and _stream_target_matches(rule.target, channel) and rule.strikes()
        ]

    def _current(self, now_ns: int) -> list[Fault]:
        self._rules = [rule for rule in self._rules if not rule.spent(now_ns)]
        return self._rules


def _stream_target_matches(target: str, channel: str) -> bool:
    area, _, pattern = target.partition(":")
    return area == "stream" and (not pattern or fnmatchcase(channel, pattern))


def hidden_symbols(faults: list[Fault]) -> frozenset[str]:
    """Symbols that flapping servers leave out of this answer."""
    return frozenset(name for fault in faults if fault.kind == "flap" for name in fault.params["symbols"])


def prevents(faults: list[Fault]) -> bool:
    """Whether one of them keeps the request from taking effect."""
    return any(fault.kind in _REFUSING or fault.params.get("when") == "before" for fault in faults)


def spoil(answer: Answer, faults: list[Fault]) -> Answer:
    """Apply what hit to a good answer, in order."""
    for fault in faults:
        answer = _spoil_once(answer, fault)
    return answer


def _spoil_once(answer: Answer, fault: Fault) -> Answer:
    params = fault.params
    match fault.kind:
        case "delay":
            return replace(answer, after_ns=answer.after_ns + int(params["ms"] * NS_PER_MS))
        case "hang":
            return replace(answer, delivery=Delivery.HANG, carries=())
        case "reset":
            return replace(answer, delivery=Delivery.RESET, carries=())
        case "truncate":
            return replace(answer, delivery=Delivery.TRUNCATE, carries=())
        case "stall":
            return replace(answer, delivery=Delivery.STALL, carries=())
        case "rate_limit":
            return limited(429, params["retryAfterS"])
        case "ban":
            return limited(418, params["retryAfterS"])
        case "forbidden":
            return Answer(403, FORBIDDEN_PAGE, "text/html")
        case "server_error":
            status = params["status"]
            if params["html"]:
                return Answer(status, _GATEWAY_PAGE, "text/html")
            text = "Unknown error, please check your request or try again later."
            return Answer(status, encode({"code": status, "msg": text}))
        case "content_type":
            return replace(answer, content_type="text/html")
        case "not_json":
            return replace(answer, body=b"<!DOCTYPE html><title>MEXC</title>", carries=())
        case "empty":
            return replace(answer, body=b"", carries=())
        case _:
            return answer  # flap, late, stale and the handler's own acted before


def limited(status: int, retry_after_s: int) -> Answer:
    """The answer to too many requests; without a header when ``retry_after_s`` is 0."""
    headers = (("Retry-After", str(retry_after_s)),) if retry_after_s else ()
    text = "Too Many Requests" if status == 429 else "Your IP has been banned for sending too many requests"
    return Answer(status, encode({"code": status, "msg": text}), headers=headers)


def spoil_frame(payload: bytes, connection: int, faults: list[Fault]) -> list[tuple[int, bytes | str]]:
    """Turn one data frame into what is really sent: (delay in ns, payload), in order."""
    out: list[tuple[int, bytes | str]] = [(0, payload)]
    for fault in faults:
        match fault.kind:
            case "drop":
                return []
            case "delay":
                out = [(delay + int(fault.params["ms"] * NS_PER_MS), data) for delay, data in out]
            case "duplicate":
                out = out + out
            case "corrupt":
                out = [(delay, payload[: len(payload) // 2] + b"\xff\xff\xff") for delay, _ in out]
            case "unknown_fields":
                out = [(delay, payload + b"\xa2\x38\x05later\xa8\x38\x2a") for delay, _ in out]  # fields 900, 901
            case "text":
                out = [(delay, FORBIDDEN_PAGE.decode()) for delay, _ in out]
            case "reorder":
                earlier = fault.held.pop(connection, None)
                if earlier is None:
                    fault.held[connection] = payload
                    return []
                out = [*out, (0, earlier)]
            case _:  # pragma: no cover - the caller asks for frame kinds only
                pass
    return out
