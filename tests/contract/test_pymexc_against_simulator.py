"""pymexc, a third client written by others, trades at the simulator."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymexc import spot

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 20
SYMBOL = "SOLUSDT"


@pytest.fixture(scope="module")
def venue() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=60, ip_weight=1_000_000) as process:
        process.post("/sim/markets", {"symbol": SYMBOL, "apiOpen": True, "marketOrders": True, "tradeSideType": 1})
        process.post("/sim/book", {"symbol": SYMBOL, "bids": [["99", "50"]], "asks": [["100", "50"]]})
        process.post("/sim/trade", {"symbol": SYMBOL, "price": "100", "quantity": "1"})
        yield process


@pytest.fixture
def client(venue: SimulatorProcess) -> Iterator[Any]:
    made = spot.HTTP(api_key=DEFAULT_KEY, api_secret=DEFAULT_SECRET)
    made.base_url = venue.rest_url
    made.session.trust_env = False  # a proxy of the machine is not for the loopback address
    yield made
    made.session.close()


def test_order_is_created_queried_listed_and_cancelled(client):
    made = client.order(SYMBOL, "BUY", "LIMIT", quantity="1.5", price="99.5", new_client_order_id="pymexc1")
    found = client.query_order(SYMBOL, orig_client_order_id="pymexc1")
    assert (found["orderId"], found["status"]) == (made["orderId"], "NEW")
    assert [row["orderId"] for row in client.current_open_orders(SYMBOL)] == [made["orderId"]]
    assert client.cancel_order(SYMBOL, order_id=made["orderId"])["status"] == "CANCELED"
    assert client.all_orders(SYMBOL)[0]["status"] == "CANCELED"


def test_market_order_is_filled_and_shows_in_trades_and_balances(client):
    made = client.order(SYMBOL, "BUY", "MARKET", quote_order_qty="250")
    assert client.query_order(SYMBOL, order_id=made["orderId"])["status"] == "FILLED"
    (trade,) = client.account_trade_list(SYMBOL, order_id=made["orderId"])
    assert (trade["qty"], trade["commission"]) == ("2.5", "0.125")
    balances = {row["asset"]: row["free"] for row in client.account_information()["balances"]}
    assert float(balances["SOL"]) >= 2.5


def test_refusal_carries_the_code(client):
    with pytest.raises(Exception, match="10101"):
        client.order(SYMBOL, "BUY", "LIMIT", quantity="1000", price="99.5")


def test_private_stream_tells_of_orders_deals_and_balances(client, venue, monkeypatch):
    monkeypatch.setattr("pymexc.base_websocket.SPOT", venue.ws_url)  # it tells spot from futures by the address
    socket = spot.WebSocket(restart_on_error=False)
    socket.endpoint = f"{venue.ws_url}?listenKey={client.create_listen_key()['listenKey']}"
    heard: dict[str, list[str]] = {"orders": [], "deals": [], "account": []}
    try:
        socket.account_orders(lambda message: heard["orders"].append(str(message)))
        socket.account_deals(lambda message: heard["deals"].append(str(message)))
        socket.account_update(lambda message: heard["account"].append(str(message)))
        _wait_until(lambda: sum(len(c["subscriptions"]) for c in venue.get("/sim/state")["connections"]) == 3)
        order_id = client.order(SYMBOL, "BUY", "MARKET", quote_order_qty="100")["orderId"]
        _wait_until(lambda: any(order_id in text for text in heard["orders"]))
        _wait_until(lambda: any(order_id in text for text in heard["deals"]))
        _wait_until(lambda: any("USDT" in text for text in heard["account"]))
    finally:
        socket.exit()


def _wait_until(holds: Callable[[], bool]) -> None:
    waiting, end = threading.Event(), time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end
        waiting.wait(0.02)
