"""A signed client of the exchange in memory."""

import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from msgspec import json

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from mexc_sim.core.messages import HttpRequest, LateAnswer, SocketOpened
from mexc_sim.core.script import Script
from mexc_sim.core.world import Rules
from tests.sim.venue import Venue

ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
ACCOUNT = "spot@private.account.v3.api.pb"
SYMBOL = "SOLUSDT"


@dataclass
class Trader:
    """Signs as the venue wants it. ``order`` and friends answer the decoded body and demand 200 unless told."""

    venue: Venue
    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    client: str = "127.0.0.1"
    answers: list[LateAnswer] = field(default_factory=list)

    def request(self, method: str, path: str, **params: Any) -> HttpRequest:
        """A signed request with everything in the query."""
        params = {"timestamp": self.venue.now_ns // 1_000_000} | params
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())
        signature = hmac.new(self.secret.encode(), query.encode(), "sha256").hexdigest()
        headers = {"x-mexc-apikey": self.key, "content-type": "application/json"}
        return HttpRequest(method, path, f"{query}&signature={signature}", headers, client=self.client)

    def call(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        """Status and decoded body."""
        answer = self.venue.ask(self.request(method, path, **params))
        return answer.status, json.decode(answer.body)

    def good(self, method: str, path: str, **params: Any) -> Any:
        """The body of an answer that must be 200."""
        status, body = self.call(method, path, **params)
        assert status == 200, body
        return body

    def refused(self, method: str, path: str, **params: Any) -> int:
        """The code of an answer that must not be 200."""
        status, body = self.call(method, path, **params)
        assert status != 200, body
        return int(body["code"])

    def order(self, side: str = "BUY", kind: str = "LIMIT", **params: Any) -> Any:
        """POST order, accepted."""
        return self.good("POST", "/api/v3/order", **order_params(side, kind, params))

    def refusal(self, side: str = "BUY", kind: str = "LIMIT", **params: Any) -> int:
        """POST order, refused with this code."""
        return self.refused("POST", "/api/v3/order", **order_params(side, kind, params))

    def get(self, order_id: str, symbol: str = SYMBOL) -> Any:
        """GET order."""
        return self.good("GET", "/api/v3/order", symbol=symbol, orderId=order_id)

    def balance(self, asset: str) -> tuple[str, str]:
        """(free, locked) as the control API knows them."""
        held = self.venue.json("/sim/balances")["balances"].get(asset, {"free": "0", "locked": "0"})
        return held["free"], held["locked"]

    def listen(self, *channels: str) -> int:
        """A private socket with these subscriptions."""
        key = self.good("POST", "/api/v3/userDataStream")["listenKey"]
        connection = self.connect(key)
        self.venue.subscribe(connection, *channels)
        return connection

    def connect(self, listen_key: str) -> int:
        """A socket with a listen key."""
        self.venue._connections += 1
        number = self.venue._connections
        self.venue._take(self.venue.exchange.handle(SocketOpened(number, f"listenKey={listen_key}"), self.venue.now_ns))
        return number


def order_params(side: str, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an order, on the usual symbol."""
    return {"symbol": SYMBOL, "side": side, "type": kind} | params


def a_trader(book: bool = True, **rules: Any) -> Trader:
    """A trader at a venue of 60 pairs; SOLUSDT (ticks of 0.01, steps of 0.01) has a book that stands still."""
    venue = Venue(Script(symbols=60, rules=Rules(**({"ip_weight": 1_000_000, "orders_per_s": 1_000} | rules))))
    venue.post(
        "/sim/markets", symbol=SYMBOL, apiOpen=True, marketOrders=True, minNotional="1", tradeSideType=1, band="0.2"
    )
    trader = Trader(venue)
    if book:
        set_book(venue, bids=[["99", "5"], ["98", "10"]], asks=[["100", "5"], ["101", "10"], ["106", "50"]])
        venue.post("/sim/trade", symbol=SYMBOL, price="100", quantity="0.01")
    return trader


def set_book(venue: Venue, *, bids: list[Any], asks: list[Any], symbol: str = SYMBOL) -> None:
    """Set the levels of a pair."""
    venue.post("/sim/book", symbol=symbol, bids=bids, asks=asks)
