"""Faults around orders: what is lost, late, doubled or old, and what the exchange really did (RELIABILITY 2.2, 2.3)."""

from dataclasses import replace

import pytest
from msgspec import json

from mexc_sim.core.messages import Delivery, LateAnswer
from tests.sim.trader import DEALS, ORDERS, SYMBOL, Trader, a_trader
from tests.sim.venue import get

LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "99.5", "newClientOrderId": "f1"}


def placed(trader: Trader, **fault: object):
    """POST an order with a fault in force once; the answer as the transport gets it."""
    trader.venue.post("/sim/faults", target="newOrder", times=1, **fault)
    return trader.venue.ask(trader.request("POST", "/api/v3/order", **LIMIT))


def accepted(trader: Trader) -> int:
    """How many orders the exchange has taken."""
    return len(trader.venue.json("/sim/orders")["orders"])


@pytest.mark.parametrize(
    ("fault", "delivery", "status"),
    [
        ({"kind": "reset"}, Delivery.RESET, 200),
        ({"kind": "hang"}, Delivery.HANG, 200),
        ({"kind": "truncate"}, Delivery.TRUNCATE, 200),
        ({"kind": "stall"}, Delivery.STALL, 200),
        ({"kind": "server_error", "status": 500}, Delivery.NORMAL, 500),
        ({"kind": "server_error", "status": 502, "html": True}, Delivery.NORMAL, 502),
        ({"kind": "not_json"}, Delivery.NORMAL, 200),
        ({"kind": "empty"}, Delivery.NORMAL, 200),
    ],
)
def test_fault_after_accept_loses_the_answer_and_keeps_the_order(fault, delivery, status):
    trader = a_trader()
    answer = placed(trader, **fault)
    assert (answer.delivery, answer.status) == (delivery, status)
    assert accepted(trader) == 1
    assert trader.good("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="f1")["status"] == "NEW"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset", "when": "before"},
        {"kind": "hang", "when": "before"},
        {"kind": "server_error", "when": "before"},
        {"kind": "rate_limit"},
        {"kind": "ban"},
        {"kind": "forbidden"},
    ],
)
def test_fault_before_accept_leaves_no_order(fault):
    trader = a_trader()
    placed(trader, **fault)
    assert accepted(trader) == 0
    assert trader.refused("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="f1") == -2013


def late(trader: Trader, *, recv_window: int = 5000, **fault: object):
    """Send an order that the exchange will process late; the outcome at once."""
    trader.venue.post("/sim/faults", target="newOrder", kind="late", times=1, **fault)
    request = trader.request("POST", "/api/v3/order", **LIMIT, recvWindow=recv_window)
    return trader.venue._take(trader.venue.exchange.handle(replace(request, number=77), trader.venue.now_ns))


def collect(trader: Trader, seconds: float) -> list[LateAnswer]:
    """Let time pass; the held-back answers that came out."""
    seen: list[LateAnswer] = []
    inner = trader.venue._take

    def take(outcome):
        seen.extend(item for item in outcome.output if isinstance(item, LateAnswer))
        return inner(outcome)

    trader.venue._take = take  # type: ignore[method-assign]
    trader.venue.advance(seconds)
    trader.venue._take = inner  # type: ignore[method-assign]
    return seen


def test_late_request_is_processed_later_and_answered_then():
    trader = a_trader()
    assert late(trader, ms=3000).answer is None
    trader.venue.advance(2.9)
    assert accepted(trader) == 0
    (answer,) = collect(trader, 0.2)
    assert answer.number == 77
    assert json.decode(answer.answer.body)["transactTime"] == trader.venue.now_ns // 1_000_000 - 100
    assert accepted(trader) == 1


def test_late_request_meets_its_receive_window_when_it_is_processed():
    trader = a_trader()
    late(trader, ms=3000, recv_window=2000)
    (answer,) = collect(trader, 3.1)
    assert json.decode(answer.answer.body)["code"] == 700003
    assert accepted(trader) == 0


def test_late_request_may_arrive_after_its_client_was_cut_off():
    trader = a_trader()
    outcome = late(trader, ms=3000, client="reset")
    assert outcome.answer is not None
    assert outcome.answer.delivery is Delivery.RESET
    assert trader.refused("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="f1") == -2013
    assert collect(trader, 3.1) == []
    assert accepted(trader) == 1


def test_late_visible_order_is_denied_by_every_read_until_its_time_and_can_be_cancelled():
    trader = a_trader()
    placed(trader, kind="late_visible", ms=20_000)
    for path in ("openOrders", "allOrders", "myTrades"):
        assert trader.good("GET", f"/api/v3/{path}", symbol=SYMBOL) == []
    trader.venue.advance(19.9)
    assert trader.refused("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="f1") == -2013
    trader.venue.advance(0.2)
    assert trader.good("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="f1")["status"] == "NEW"
    placed(trader, kind="late_visible")
    assert trader.good("DELETE", "/api/v3/openOrders", symbol=SYMBOL)


def test_stream_tells_of_a_late_visible_order_at_once():
    trader = a_trader()
    connection = trader.listen(ORDERS)
    placed(trader, kind="late_visible")
    assert [frame.privateOrders.clientId for frame in trader.venue.frames(connection)] == ["f1"]


def test_fill_after_cancel_comes_when_the_cancel_was_answered_and_money_stays_exact():
    trader = a_trader()
    connection = trader.listen(ORDERS, DEALS)
    order = trader.good("POST", "/api/v3/order", **LIMIT)
    trader.venue.post("/sim/faults", target="cancelOrder", kind="fill_after", ms=500, times=1)
    answer = trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    assert (answer["status"], answer["executedQty"]) == ("CANCELED", "0")
    assert trader.get(order["orderId"])["status"] == "CANCELED"
    trader.venue.advance(0.6)
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"]) == ("FILLED", "1")
    assert trader.balance("SOL") == ("1", "0")
    assert trader.balance("USDT") == ("9900.5", "0")
    statuses = [f.privateOrders.status for f in trader.venue.frames(connection) if f.HasField("privateOrders")]
    assert statuses == [1, 4, 2]


def test_cancel_may_answer_with_the_status_before_it():
    trader = a_trader()
    order = trader.good("POST", "/api/v3/order", **LIMIT)
    trader.venue.post("/sim/faults", target="cancelOrder", kind="says_new")
    answer = trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    assert answer["status"] == "NEW"
    assert trader.get(order["orderId"])["status"] == "CANCELED"


def test_cancel_answer_lost_leaves_the_order_cancelled():
    trader = a_trader()
    order = trader.good("POST", "/api/v3/order", **LIMIT)
    trader.venue.post("/sim/faults", target="cancelOrder", kind="reset", times=1)
    answer = trader.venue.ask(trader.request("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"]))
    assert answer.delivery is Delivery.RESET
    assert trader.refused("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"]) == -2011


def test_stale_account_shows_balances_as_they_were():
    trader = a_trader()
    trader.venue.advance(20)
    trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    trader.venue.post("/sim/faults", target="account", kind="stale", ms=5000, times=1)
    old = {row["asset"]: row["free"] for row in trader.good("GET", "/api/v3/account")["balances"]}
    new = {row["asset"]: row["free"] for row in trader.good("GET", "/api/v3/account")["balances"]}
    assert old == {"USDT": "10000", "MX": "25"}
    assert new == {"USDT": "9899.95", "MX": "25", "SOL": "1"}


def test_stale_reads_show_orders_as_they_were():
    trader = a_trader()
    order = trader.good("POST", "/api/v3/order", **LIMIT)
    trader.venue.advance(3)
    trader.venue.post("/sim/trade", symbol=SYMBOL, price="99", quantity="1", side="SELL")
    trader.venue.advance(1)
    for target in ("getOrder", "openOrders", "allOrders", "myTrades"):
        trader.venue.post("/sim/faults", target=target, kind="stale", ms=2000)
    assert trader.get(order["orderId"])["status"] == "NEW"
    assert [row["status"] for row in trader.good("GET", "/api/v3/openOrders", symbol=SYMBOL)] == ["NEW"]
    assert [row["status"] for row in trader.good("GET", "/api/v3/allOrders", symbol=SYMBOL)] == ["NEW"]
    assert trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL) == []
    trader.venue.ask(replace(get("/sim/faults"), method="DELETE"))
    assert trader.get(order["orderId"])["status"] == "FILLED"


def test_order_fault_that_does_not_exist_is_named_with_its_choices():
    trader = a_trader()
    answer = trader.venue.ask(
        replace(get("/sim/faults"), method="POST", body=b'{"target":"newOrder","kind":"reset","when":"never"}')
    )
    assert answer.status == 400
    assert b"before, after" in answer.body
