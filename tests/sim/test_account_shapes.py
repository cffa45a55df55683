"""Signed answers and private frames have the keys and types of the recorded and printed samples."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mexc_proto import PushDataV3ApiWrapper
from mexc_sim.core.order_refusals import TEXTS
from tests.sim.test_shapes import FIXTURES, compare
from tests.sim.trader import SYMBOL, Trader, a_trader

NUMBERS_AS_TEXT = ("orderListId", "time", "updateTime", "transactTime")  # ccxt's JSON reader quotes them
IOC = {"symbol": SYMBOL, "side": "SELL", "type": "IMMEDIATE_OR_CANCEL", "quantity": "1", "price": "99"}
GOOD_ITEM = '{"symbol":"SOLUSDT","side":"BUY","type":"LIMIT","price":"90","quantity":"1","newClientOrderId":"s"}'
BAD_ITEM = GOOD_ITEM.replace('"90"', '"0.001"')


def recorded(name: str) -> Any:
    """A recorded answer with the numbers that its recorder turned into text; see the fixtures' README."""
    sample = json.loads((FIXTURES / f"rest/account/{name}.json").read_text("utf-8"))
    for row in sample if isinstance(sample, list) else [sample]:
        row |= {key: int(row[key]) for key in NUMBERS_AS_TEXT if isinstance(row.get(key), str)}
    return sample


def printed(name: str) -> Any:
    """An answer as the documents print it, with what real answers contradict set right (REFERENCE 1.7)."""
    sample = json.loads((FIXTURES / f"rest/account/{name}.json").read_text("utf-8"))
    for row in sample if isinstance(sample, list) else [sample]:
        if "Qty" in row:
            row["origQty"] = row.pop("Qty")
        if isinstance(row.get("orderId"), int):
            row["orderId"] = str(row["orderId"])
        row |= {key: None for key in ("timeInForce", "stopPrice", "icebergQty", "cancelReason") if key in row}
    return sample


@pytest.fixture
def trader() -> Trader:
    """One who has sold at the market, bought and has two orders resting."""
    trader = a_trader()
    trader.venue.post("/sim/balances", SOL="5")
    trader.order("SELL", "MARKET", quantity="1")
    trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    trader.order("SELL", "LIMIT", quantity="1", price="105", newClientOrderId="shape1")
    trader.order("SELL", "LIMIT", quantity="1", price="105.5", newClientOrderId="shape2")
    return trader


def first_order(trader: Trader) -> Any:
    order_id = trader.venue.json("/sim/orders")["orders"][0]["orderId"]
    return trader.good("GET", "/api/v3/order", symbol=SYMBOL, orderId=order_id)


def cancel(trader: Trader) -> Any:
    return trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, origClientOrderId="shape2", newClientOrderId="renamed")


def batch(trader: Trader, *items: str) -> Any:
    return trader.good("POST", "/api/v3/batchOrders", batchOrders=f"[{','.join(items)}]")


CASES: list[tuple[Callable[[str], Any], str, Callable[[Trader], Any]]] = [
    (recorded, "order_get_market_sell_2024-02-11", first_order),
    (recorded, "order_post_IOC_2025-04-28", lambda t: t.good("POST", "/api/v3/order", **IOC)),
    (recorded, "order_post_shortest_2022", lambda t: t.good("POST", "/api/v3/order", **IOC)),
    (recorded, "myTrades_2024-02-11", lambda t: t.good("GET", "/api/v3/myTrades", symbol=SYMBOL)),
    (recorded, "myTrades_buy_2022-03-19", lambda t: t.good("GET", "/api/v3/myTrades", symbol=SYMBOL)),
    (recorded, "order_delete_short_2022", cancel),
    (printed, "order_post_response", lambda t: t.good("POST", "/api/v3/order", **IOC)),
    (printed, "order_test_response", lambda t: t.good("POST", "/api/v3/order/test", **IOC)),
    (
        printed,
        "order_get_response",
        lambda t: t.good("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="shape1"),
    ),
    (printed, "openOrders_response", lambda t: t.good("GET", "/api/v3/openOrders")),
    (printed, "order_delete_response", cancel),
    (
        printed,
        "openOrders_delete_response",
        lambda t: t.good("DELETE", "/api/v3/openOrders", symbol=SYMBOL, newClientOrderId="renamed"),
    ),
    (printed, "batchOrders_success", lambda t: batch(t, GOOD_ITEM)),
    (printed, "batchOrders_partial_error", lambda t: batch(t, GOOD_ITEM, BAD_ITEM)),
    (printed, "myTrades_response", lambda t: t.good("GET", "/api/v3/myTrades", symbol=SYMBOL)),
    (printed, "tradeFee", lambda t: t.good("GET", "/api/v3/tradeFee", symbol=SYMBOL)),
    (printed, "mxDeduct_get", lambda t: t.good("GET", "/api/v3/mxDeduct/enable")),
    (printed, "userDataStream_post", lambda t: t.good("POST", "/api/v3/userDataStream")),
    (
        printed,
        "userDataStream_get",
        lambda t: (t.good("POST", "/api/v3/userDataStream"), t.good("GET", "/api/v3/userDataStream"))[1],
    ),
]


@pytest.mark.parametrize(("read", "name", "ask"), CASES, ids=[name for _, name, _ in CASES])
def test_signed_answer_has_the_keys_and_types_of_the_sample(trader, read, name, ask):
    compare(read(name), ask(trader))


def test_item_of_a_failed_batch_order_has_the_keys_of_the_sample(trader):
    sample = printed("batchOrders_partial_error")
    compare(sample[1], batch(trader, GOOD_ITEM, BAD_ITEM)[1])


def test_refusals_are_worded_as_recorded():
    bodies = [entry["body"] for entry in json.loads((FIXTURES / "rest/error_bodies.json").read_text("utf-8"))]
    reused = (400, 500, 30002, 30018)  # business codes with several meanings, and a text that carries a number
    worded = {body["code"] for body in bodies if body["code"] in TEXTS and body["code"] not in reused}
    assert len(worded) > 8
    for code in worded:
        texts = [body.get("msg", body.get("data")) for body in bodies if body["code"] == code]
        assert TEXTS[code] in texts, code


@pytest.mark.parametrize("channel", ["private.orders", "private.deals", "private.account"])
def test_private_frame_sets_the_fields_of_the_printed_frame(channel):
    samples = [
        PushDataV3ApiWrapper.FromString(bytes.fromhex(entry["hex"]))
        for entry in json.loads((FIXTURES / "ws/frames.json").read_text("utf-8"))
        if f"@{channel}." in entry["decoded"]["channel"]
    ]
    sample = next(frame for frame in samples if frame.sendTime)  # one source left the wrapper's fields out
    trader = a_trader()
    trader.venue.post("/sim/balances", SOL="5")
    connection = trader.listen(f"spot@{channel}.v3.api.pb")
    trader.order("SELL", "MARKET", quantity="1")
    trader.venue.advance(1)
    made = trader.venue.frames(connection)[0]
    assert fields(made) == fields(sample)
    body = made.WhichOneof("body")
    assert fields(getattr(sample, body)) <= fields(getattr(made, body))


def fields(message: Any) -> set[str]:
    return {field.name for field, _ in message.ListFields()}
