"""The exchange in memory with a clock that the test moves."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from msgspec import json

from mexc_proto import PushDataV3ApiWrapper
from mexc_sim.core.exchange import Exchange
from mexc_sim.core.messages import (
    Answer,
    Close,
    Frame,
    HttpRequest,
    Outcome,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)
from mexc_sim.core.script import Script
from mexc_sim.core.world import Rules

START_NS = 1_795_341_600_000_000_000
NS_PER_S = 1_000_000_000


def get(path: str, *, client: str = "127.0.0.1", **headers: str) -> HttpRequest:
    """A GET of a path with its query."""
    bare, _, query = path.partition("?")
    return HttpRequest("GET", bare, query, {k.replace("_", "-"): v for k, v in headers.items()}, client=client)


@dataclass
class Venue:
    """Drives an `Exchange`; remembers what each connection was sent."""

    script: Script = field(default_factory=lambda: Script(symbols=60))
    seed: int = 1
    now_ns: int = START_NS

    def __post_init__(self) -> None:
        self.exchange = Exchange(self.script, seed=self.seed, now_ns=self.now_ns)
        self.received: dict[int, list[bytes | str]] = defaultdict(list)
        self.closed: list[int] = []
        self._due: int | None = None
        self._connections = 0

    def ask(self, request: HttpRequest) -> Answer:
        """Send a request and return the answer as the transport gets it."""
        answer = self._take(self.exchange.handle(request, self.now_ns)).answer
        assert answer is not None
        return answer

    def json(self, path: str) -> Any:
        """GET a path, expect 200, decode."""
        answer = self.ask(get(path))
        assert answer.status == 200, answer.body
        return json.decode(answer.body)

    def post(self, path: str, **body: Any) -> Any:
        """POST to the control API, expect 200, decode."""
        answer = self.ask(HttpRequest("POST", path, body=json.encode(body)))
        assert answer.status == 200, answer.body
        return json.decode(answer.body)

    def connect(self) -> int:
        """Open a WebSocket."""
        self._connections += 1
        outcome = self._take(self.exchange.handle(SocketOpened(self._connections), self.now_ns))
        assert outcome.answer is None, outcome.answer
        return self._connections

    def say(self, connection: int, **message: Any) -> str:
        """Send a JSON text frame; returns the latest text the connection got."""
        self._take(self.exchange.handle(SocketText(connection, json.encode(message).decode()), self.now_ns))
        texts = [item for item in self.received[connection] if isinstance(item, str)]
        return texts[-1] if texts else ""

    def subscribe(self, connection: int, *channels: str, number: int = 1) -> dict[str, Any]:
        """Subscribe and return the acknowledgement."""
        answer: dict[str, Any] = json.decode(self.say(connection, method="SUBSCRIPTION", params=channels, id=number))
        return answer

    def hang_up(self, connection: int) -> None:
        """The client closes."""
        self._take(self.exchange.handle(SocketClosed(connection), self.now_ns))

    def advance(self, seconds: float) -> None:
        """Let time pass, waking the exchange whenever it asked for it."""
        end = self.now_ns + int(seconds * NS_PER_S)
        while self._due is not None and self._due <= end:
            self.now_ns = max(self.now_ns, self._due)
            self._take(self.exchange.handle(Tick(), self.now_ns))
        self.now_ns = end
        self._take(self.exchange.handle(Tick(), end))

    def frames(self, connection: int) -> list[PushDataV3ApiWrapper]:
        """Decoded binary frames of a connection, oldest first."""
        return [PushDataV3ApiWrapper.FromString(x) for x in self.received[connection] if isinstance(x, bytes)]

    def _take(self, outcome: Outcome) -> Outcome:
        self._due = outcome.next_due_ns
        for item in outcome.output:
            if isinstance(item, Frame):
                self.received[item.connection].append(item.payload)
            elif isinstance(item, Close):
                self.closed.append(item.connection)
        if outcome.answer is not None:
            self.exchange.handed_over(outcome.answer.carries, self.now_ns)
        return outcome


def a_venue(**rules: Any) -> Venue:
    """A venue of 60 pairs with chosen rules."""
    return Venue(Script(symbols=60, rules=Rules(**rules)))


def deals(symbol: str, speed: str = "10ms") -> str:
    """Name of the trades channel."""
    return f"spot@public.aggre.deals.v3.api.pb@{speed}@{symbol}"


def top(symbol: str, speed: str = "10ms") -> str:
    """Name of the best-quote channel."""
    return f"spot@public.aggre.bookTicker.v3.api.pb@{speed}@{symbol}"
