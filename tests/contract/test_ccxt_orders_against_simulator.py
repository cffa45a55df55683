"""ccxt and ccxt.pro trade at the simulator: create, fetch, cancel and watch orders, read balances and fills."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import ccxt
import ccxt.pro
import pytest

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from tests.support.loops import sockets_closed
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 20
PAIR, SYMBOL = "SOL/USDT", "SOLUSDT"


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=60, ip_weight=1_000_000) as process:
        process.post("/sim/markets", {"symbol": SYMBOL, "apiOpen": True, "spotAllowed": True, "marketOrders": True})
        process.post("/sim/markets", {"symbol": SYMBOL, "default": True, "tradeSideType": 1})
        yield process


@pytest.fixture
def venue(running: SimulatorProcess) -> SimulatorProcess:
    running.post("/sim/book", {"symbol": SYMBOL, "bids": [["99", "50"]], "asks": [["100", "50"], ["101", "50"]]})
    running.post("/sim/trade", {"symbol": SYMBOL, "price": "100", "quantity": "1"})
    running.post("/sim/balances", {"USDT": "10000", "SOL": "50"})
    return running


@pytest.fixture
async def client(venue: SimulatorProcess) -> AsyncIterator[ccxt.pro.mexc]:
    exchange = ccxt.pro.mexc({"enableRateLimit": False, "apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET})
    exchange.urls["api"]["spot"] = dict.fromkeys(("public", "private"), venue.rest_url)
    exchange.urls["api"]["contract"] = dict.fromkeys(("public", "private"), f"{venue.rest_url}/api/v1/contract")
    exchange.urls["api"]["ws"]["spot"] = venue.ws_url
    await exchange.load_markets()
    yield exchange
    await exchange.cancel_all_orders(PAIR)
    await exchange.close()
    await sockets_closed()


async def test_limit_order_is_created_fetched_listed_and_cancelled(client):
    made = await client.create_order(PAIR, "limit", "buy", 1.5, 99.5, {"clientOrderId": "ccxt1"})
    fetched = await client.fetch_order(made["id"], PAIR)
    assert (fetched["status"], fetched["clientOrderId"], fetched["amount"], fetched["price"]) == (
        "open", "ccxt1", 1.5, 99.5,
    )  # fmt: skip
    assert [order["id"] for order in await client.fetch_open_orders(PAIR)] == [made["id"]]
    cancelled = await client.cancel_order(made["id"], PAIR)
    assert cancelled["status"] == "canceled"
    assert made["id"] in [order["id"] for order in await client.fetch_orders(PAIR)]


async def test_market_buy_by_cost_and_sell_are_filled_with_fees(client):
    bought = await client.create_market_buy_order_with_cost(PAIR, 250)
    order = await client.fetch_order(bought["id"], PAIR)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 2.5, 100.0)
    sold = await client.create_order(PAIR, "market", "sell", 2.5)
    trades = await client.fetch_my_trades(PAIR)
    fees = {trade["order"]: trade["fee"] for trade in trades}
    assert fees[bought["id"]] == {"cost": 0.125, "currency": "USDT"}
    assert fees[sold["id"]]["cost"] == pytest.approx(0.12375)


async def test_ioc_order_beyond_the_book_ends_with_a_partial_fill(client, venue):
    venue.post("/sim/book", {"symbol": SYMBOL, "bids": [["99", "50"]], "asks": [["100", "1"]]})
    made = await client.create_order(PAIR, "limit", "buy", 3, 100, {"timeInForce": "IOC"})
    order = await client.fetch_order(made["id"], PAIR)
    assert (order["status"], order["filled"], order["remaining"]) == ("canceled", 1.0, 2.0)


async def test_balance_shows_free_and_used(client):
    await client.create_order(PAIR, "limit", "buy", 10, 99.5)
    balance = await client.fetch_balance()
    assert balance["USDT"]["used"] == pytest.approx(995.4975)
    assert balance["USDT"]["total"] == 10_000


async def test_refusals_become_the_errors_ccxt_has_for_them(client, venue):
    with pytest.raises(ccxt.InsufficientFunds):
        await client.create_order(PAIR, "limit", "buy", 1000, 99.5)
    venue.post("/sim/orders/refuse", {"code": 30019, "times": 1})
    with pytest.raises(ccxt.BadRequest):
        await client.create_order(PAIR, "market", "sell", 1)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        await client.create_order(PAIR, "limit", "buy", 1, 99.5)
    client.secret = DEFAULT_SECRET


async def test_watch_orders_tells_of_a_new_and_a_filled_order(client, venue):
    watching = asyncio.create_task(client.watch_orders(PAIR))
    await _subscribed(venue, "spot@private.orders.v3.api.pb")
    made = await client.create_order(PAIR, "limit", "buy", 1, 99.5)
    (order,) = await asyncio.wait_for(watching, DEADLINE_S)
    assert (order["id"], order["status"], order["symbol"]) == (made["id"], "open", PAIR)
    venue.post("/sim/trade", {"symbol": SYMBOL, "price": "99", "quantity": "1", "side": "SELL"})
    orders = await asyncio.wait_for(client.watch_orders(PAIR), DEADLINE_S)
    assert (orders[-1]["status"], orders[-1]["filled"], orders[-1]["average"]) == ("closed", 1.0, 99.5)


async def test_watch_my_trades_and_balance_tell_of_a_fill(client, venue):
    trades = asyncio.create_task(client.watch_my_trades(PAIR))
    balance = asyncio.create_task(client.watch_balance())
    await _subscribed(venue, "spot@private.deals.v3.api.pb", "spot@private.account.v3.api.pb")
    made = await client.create_market_buy_order_with_cost(PAIR, 100)
    (trade,) = await asyncio.wait_for(trades, DEADLINE_S)
    assert (trade["order"], trade["price"], trade["amount"], trade["side"]) == (made["id"], 100.0, 1.0, "buy")
    assert (await asyncio.wait_for(balance, DEADLINE_S))["USDT"]["free"] < 10_000


async def _subscribed(venue: SimulatorProcess, *channels: str) -> None:
    """Wait until the exchange has these subscriptions, so that nothing is pushed too early."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            present = [name for c in venue.get("/sim/state")["connections"] for name in c["subscriptions"]]
            if all(channel in present for channel in channels):
                return
            await asyncio.sleep(0.05)
