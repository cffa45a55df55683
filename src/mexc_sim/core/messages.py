"""What goes into `Exchange.handle` and what comes out of it. Times are UNIX nanoseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One complete HTTP request. ``query`` is the raw text after ``?``; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "127.0.0.1"
    number: int = 0
    """What a `LateAnswer` to this request will be addressed to."""
    read_wall_ns: int = 0
    read_mono_ns: int = 0
    """Clocks of the transport when it had read the bytes; 0: not measured."""


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """A client asks for a WebSocket; an `Answer` in the outcome refuses it. ``connection`` is never reused."""

    connection: int
    query: str = ""
    client: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SocketText:
    """A client sent one text frame."""

    connection: int
    text: str


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """A client's WebSocket ended."""

    connection: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time has passed."""


Request = HttpRequest | SocketOpened | SocketText | SocketClosed | Tick


class Delivery(Enum):
    """How the transport shall treat an answer."""

    NORMAL = "normal"
    HANG = "hang"
    """Say nothing, keep the connection open."""
    RESET = "reset"
    """Answer with a TCP RST."""
    TRUNCATE = "truncate"
    """Announce the whole length, send half, close."""
    STALL = "stall"
    """Announce the whole length, send half, then say nothing."""


Carried = tuple[str, str]
"""(symbol, life-cycle step) that an answer or frame tells the client for the first time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; ``after_ns`` is how long to hold it back."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    after_ns: int = 0
    delivery: Delivery = Delivery.NORMAL
    carries: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket frame to send now: text when ``payload`` is ``str``, else binary."""

    connection: int
    payload: bytes | str
    carries: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Close:
    """End a WebSocket; ``abort`` drops the socket with an RST instead of a closing handshake."""

    connection: int
    code: int = 1000
    abort: bool = False


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """The answer to an HTTP request that was held back, if its client is still there."""

    number: int
    answer: Answer


@dataclass(slots=True)
class Outcome:
    """Everything one call of `Exchange.handle` wants done; frames and closes in order."""

    answer: Answer | None = None
    """None for an HTTP request: a `LateAnswer` with its number will come in some later outcome."""
    output: list[Frame | Close | LateAnswer] = field(default_factory=list)
    next_due_ns: int | None = None
    """When `Tick` must be handed in next; None: nothing is planned."""
