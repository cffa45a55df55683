"""Private channels and listen keys (REFERENCE 1.9, 2.1, 2.3, 2.4)."""

from dataclasses import replace

import pytest

from tests.sim.trader import ACCOUNT, DEALS, ORDERS, SYMBOL, Trader, a_trader
from tests.sim.venue import get


def texts(trader: Trader, connection: int) -> list[str]:
    return [item for item in trader.venue.received[connection] if isinstance(item, str)]


def test_private_channel_without_listen_key_is_rejected():
    trader = a_trader()
    answer = trader.venue.subscribe(trader.venue.connect(), ORDERS)
    assert answer["msg"].startswith("Not Subscribed successfully!")


def test_socket_with_a_listen_key_carries_private_and_public_channels():
    trader = a_trader()
    connection = trader.listen(ORDERS, f"spot@public.aggre.deals.v3.api.pb@10ms@{SYMBOL}")
    trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    trader.venue.advance(0.1)
    assert {frame.WhichOneof("body") for frame in trader.venue.frames(connection)} == {
        "privateOrders", "publicAggreDeals",
    }  # fmt: skip


def test_order_push_comes_before_the_deal_push_and_both_name_the_order():
    trader = a_trader()
    connection = trader.listen(ORDERS, DEALS)
    order = trader.order("BUY", "MARKET", quoteOrderQty="100", newClientOrderId="p1")
    trader.venue.advance(0.04)
    (pushed,) = trader.venue.frames(connection)
    assert pushed.symbol == SYMBOL
    body = pushed.privateOrders
    assert (body.id, body.clientId, body.status, body.orderType, body.tradeType) == (order["orderId"], "p1", 2, 5, 1)
    assert (body.price, body.avgPrice, body.cumulativeQuantity, body.cumulativeAmount) == ("105", "100", "1", "100")
    trader.venue.advance(0.02)
    deal = trader.venue.frames(connection)[-1].privateDeals
    assert (deal.orderId, deal.clientOrderId, deal.quantity, deal.price) == (order["orderId"], "p1", "1", "100")
    assert (deal.feeAmount, deal.feeCurrency, deal.tradeType) == ("0.05", "USDT", 1)
    (trade,) = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL)
    assert deal.tradeId == trade["id"]


def test_trade_ids_of_stream_and_rest_may_differ():
    trader = a_trader(stream_trade_ids="other")
    connection = trader.listen(DEALS)
    trader.order("BUY", "MARKET", quoteOrderQty="100")
    trader.venue.advance(0.1)
    (trade,) = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL)
    assert trader.venue.frames(connection)[0].privateDeals.tradeId != trade["id"]


def test_resting_order_is_told_as_new_then_by_each_fill_then_by_its_end():
    trader = a_trader()
    connection = trader.listen(ORDERS)
    order = trader.order(quantity="3", price="99.5")
    trader.venue.post("/sim/trade", symbol=SYMBOL, price="99.5", quantity="1", side="SELL")
    trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    bodies = [frame.privateOrders for frame in trader.venue.frames(connection)]
    assert [(body.status, body.cumulativeQuantity, body.remainQuantity) for body in bodies] == [
        (1, "0", "3"),
        (3, "1", "2"),
        (5, "1", "2"),
    ]


def test_account_pushes_tell_every_change_of_free_and_locked():
    trader = a_trader()
    connection = trader.listen(ACCOUNT)
    trader.order(quantity="1", price="99.5")
    trader.venue.post("/sim/trade", symbol=SYMBOL, price="99", quantity="1", side="SELL")
    pushes = [frame.privateAccount for frame in trader.venue.frames(connection)]
    assert [(push.vcoinName, push.type) for push in pushes] == [
        ("USDT", "ENTRUST_PLACE"),
        ("USDT", "ENTRUST"),
        ("SOL", "ENTRUST"),
        ("USDT", "ENTRUST_UNFROZEN"),
    ]
    assert (pushes[0].balanceAmountChange, pushes[0].frozenAmountChange) == ("-99.54975", "99.54975")
    assert (pushes[-1].balanceAmount, pushes[-1].frozenAmount) == ("9900.5", "0")


def test_listen_key_dies_after_an_hour_unless_extended_and_its_socket_falls_silent():
    trader = a_trader()
    connection = trader.listen(ORDERS)
    (key,) = trader.good("GET", "/api/v3/userDataStream")["listenKey"]
    for _ in range(2):
        for _ in range(59):
            trader.venue.say(connection, method="PING")
            trader.venue.advance(59)
        assert trader.good("PUT", "/api/v3/userDataStream", listenKey=key) == {"listenKey": key}
    trader.order(quantity="1", price="99")
    assert len(trader.venue.frames(connection)) == 1
    for _ in range(62):
        trader.venue.say(connection, method="PING")
        trader.venue.advance(59)
    trader.order(quantity="1", price="99")
    assert len(trader.venue.frames(connection)) == 1
    assert trader.refused("PUT", "/api/v3/userDataStream", listenKey=key) == 22222
    assert connection not in trader.venue.closed  # pinged, it stays: only the data is gone


def test_listen_key_can_be_expired_on_demand():
    trader = a_trader()
    connection = trader.listen(ORDERS)
    assert trader.venue.post("/sim/listen-keys/expire") == {"expired": 1}
    trader.order(quantity="1", price="99")
    assert trader.venue.frames(connection) == []


@pytest.mark.parametrize("how", ["never made", "closed"])
def test_socket_with_a_dead_listen_key_is_told_and_closed(how):
    trader = a_trader()
    key = "0" * 64
    if how == "closed":
        key = trader.good("POST", "/api/v3/userDataStream")["listenKey"]
        trader.good("DELETE", "/api/v3/userDataStream", listenKey=key)
    connection = trader.connect(key)
    assert texts(trader, connection) == ["Invalid listen key"]
    assert connection in trader.venue.closed


def test_sixth_socket_of_a_key_is_turned_away_until_one_leaves():
    trader = a_trader()
    key = trader.good("POST", "/api/v3/userDataStream")["listenKey"]
    connections = [trader.connect(key) for _ in range(6)]
    assert trader.venue.closed == connections[5:]
    trader.venue.hang_up(connections[0])
    assert trader.connect(key) not in trader.venue.closed


def test_more_than_sixty_listen_keys_are_refused():
    trader = a_trader()
    for _ in range(60):
        trader.good("POST", "/api/v3/userDataStream")
    assert trader.call("POST", "/api/v3/userDataStream")[0] == 400


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [("drop", []), ("duplicate", [1, 1, 4, 4]), ("reorder", [4, 1]), ("delay", [1, 4])],
)
def test_private_frames_can_be_lost_doubled_reordered_or_late(kind, statuses):
    trader = a_trader()
    connection = trader.listen(ORDERS)
    trader.venue.post("/sim/faults", target="stream:spot@private.*", kind=kind)
    order = trader.order(quantity="1", price="99")
    trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    assert kind != "delay" or not trader.venue.frames(connection)
    trader.venue.advance(1)
    assert [frame.privateOrders.status for frame in trader.venue.frames(connection)] == statuses


def test_order_by_the_owners_hand_has_no_client_id_and_shows_everywhere():
    trader = a_trader()
    connection = trader.listen(ORDERS)
    made = trader.venue.post("/sim/foreign-order", symbol=SYMBOL, side="BUY", type="LIMIT", quantity="1", price="99")
    assert made["byHand"] is True
    (row,) = trader.good("GET", "/api/v3/openOrders")
    assert (row["orderId"], row["clientOrderId"]) == (made["orderId"], None)
    assert trader.venue.frames(connection)[0].privateOrders.clientId == ""
    trader.venue.post("/sim/cancel", orderId=made["orderId"])
    assert trader.good("GET", "/api/v3/openOrders") == []


def test_balance_set_by_hand_is_told_as_a_deposit():
    trader = a_trader()
    connection = trader.listen(ACCOUNT)
    trader.venue.post("/sim/balances", USDT="9000", ABC="7")
    pushes = [frame.privateAccount for frame in trader.venue.frames(connection)]
    assert [(push.vcoinName, push.balanceAmount, push.type) for push in pushes] == [
        ("USDT", "9000", "WITHDRAW"),
        ("ABC", "7", "DEPOSIT"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/sim/balances", b'{"USDT":"-1"}', b"USDT"),
        ("/sim/book", b'{"symbol":"SOLUSDT","bids":[["2","1"]],"asks":[["1","1"]]}', b"cross"),
        ("/sim/book", b'{"symbol":"NONEUSDT"}', b"does not exist"),
        ("/sim/book", b'{"symbol":"SOLUSDT","bids":[["1.001","1"]]}', b"decimals"),
        ("/sim/trade", b'{"symbol":"SOLUSDT","price":"abc"}', b"trade"),
        ("/sim/trade", b'{"symbol":"SOLUSDT","price":"1","side":"x"}', b"side"),
        ("/sim/markets", b'{"symbol":"SOLUSDT","apiOpen":"yes"}', b"apiOpen"),
        ("/sim/keys", b'{"key":"a b"}', b"letters and digits"),
        ("/sim/keys", b'{"key":"abc"}', b"secret"),
        ("/sim/keys", b'{"key":"abc","secret":"s","rights":["FLY"]}', b"FLY"),
        ("/sim/keys", b'{"colour":"red"}', b"colour"),
        ("/sim/orders/refuse", b'{"http":400}', b"code"),
        ("/sim/orders/refuse", b'{"code":1,"endpoint":"x"}', b"endpoint"),
        ("/sim/orders/refuse", b'{"code":1,"forS":"x"}', b"forS"),
        ("/sim/orders/refuse", b'{"code":1,"colour":1}', b"colour"),
        ("/sim/foreign-order", b'{"symbol":"SOLUSDT"}', b"44444"),
        ("/sim/cancel", b'{"orderId":"1"}', b"orderId"),
        ("/sim/fees", b'{"in":"gold"}', b"gold"),
    ],
)
def test_wrong_control_request_is_told_what_to_mend(path, body, word):
    answer = a_trader().venue.ask(replace(get(path), method="POST", body=body))
    assert answer.status == 400
    assert word in answer.body
