"""How the REST side answers and refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mexc_sim.core.messages import Answer, Carried
from mexc_sim.core.world import encode


@dataclass(frozen=True, slots=True)
class Ask:
    """A decoded request: the last value of each parameter, and the symbols a fault hides from this answer."""

    params: dict[str, str]
    hidden: frozenset[str] = frozenset()
    path: str = ""
    stale_ns: int = 0
    """How old the answer's state shall be (a fault)."""
    struck: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Faults the handler itself must play, by kind."""
    arrived_ns: int = 0
    """Wall time at which the transport had read the request."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: JSON text and what it tells for the first time."""

    body: bytes
    carries: tuple[Carried, ...] = ()


class Refusal(Exception):
    """The venue says no: HTTP status, code and text as in REFERENCE 1.10."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def answer(self) -> Answer:
        """The error as the wire has it."""
        return Answer(self.status, encode({"code": self.code, "msg": self.message}))


Handler = Callable[[Ask], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: its short name (as faults and counters call it), handler, weight and whether it is signed."""

    name: str
    handler: Handler
    weight: int = 0
    signed: bool = False
    rate: tuple[int, int] | None = None
    """(calls, seconds) allowed per address for this endpoint, or for all that share ``lane``."""
    lane: str = ""
    right: str = ""
    """What the key must be allowed to do."""


def reply(value: Any, carries: tuple[Carried, ...] = ()) -> Reply:
    """Encode a value as a good answer."""
    return Reply(encode(value), carries)


def whole_number(ask: Ask, name: str, default: int | None, *, low: int = 0, high: int | None = None) -> int | None:
    """Read an optional whole-number parameter; above ``high`` it is cut, below ``low`` refused.

    Raises:
        Refusal: 33333, when it is no number (the venue's exact code for this is not documented).
    """
    text = ask.params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Refusal(33333, f"parameter {name} wrong")
    number = int(text)
    if number < low:
        raise Refusal(33333, f"parameter {name} wrong")
    return number if high is None else min(number, high)
