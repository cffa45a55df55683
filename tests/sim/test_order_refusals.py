"""Every way the exchange says no to an order, and that nothing is left behind (REFERENCE 1.2, 1.10, 4.1-4.4)."""

from dataclasses import replace

import pytest

from mexc_sim.core.order_refusals import TEXTS
from tests.sim.trader import SYMBOL, Trader, a_trader, set_book
from tests.sim.venue import get

LIMIT = {"quantity": "1", "price": "100"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NOSUCHUSDT"}, -1121),
        ({"symbol": ""}, 44444),
        ({"side": "HOLD"}, 33333),
        ({"side": ""}, 44444),
        ({"type": "STOP_LIMIT"}, 33333),
        ({"type": ""}, 44444),
        ({"quantity": ""}, 10095),
        ({"quantity": "1.001"}, 10096),
        ({"quantity": "abc"}, 10097),
        ({"quantity": "1e3"}, 10097),
        ({"quantity": "１"}, 10097),
        ({"quantity": "NaN"}, 10097),
        ({"quantity": "0"}, 10102),
        ({"quantity": "-1"}, 10102),
        ({"price": ""}, 44444),
        ({"price": "100.001"}, 33333),
        ({"price": "-100"}, 33333),
        ({"quantity": "0.01", "price": "99"}, 30002),
        ({"quantity": "30000"}, 30003),
        ({"quantity": "150"}, 10101),
        ({"side": "SELL"}, 30004),
        ({"price": "120.01"}, 30087),
        ({"side": "SELL", "price": "79.99"}, 30087),
        ({"newClientOrderId": "with blank"}, 700008),
        ({"newClientOrderId": "x" * 33}, 700008),
        ({"type": "MARKET", "quantity": "", "price": "", "quoteOrderQty": "0.5"}, 30002),
        ({"type": "MARKET", "quantity": "", "price": "", "quoteOrderQty": "abc"}, 10097),
        ({"type": "MARKET", "quantity": "", "price": "", "quoteOrderQty": "20.123"}, 10096),
        ({"type": "MARKET", "quantity": "", "price": ""}, 10095),
        ({"type": "MARKET", "quantity": "", "price": "", "quoteOrderQty": "100001"}, 30003),
    ],
)
def test_order_with_one_thing_wrong_is_refused_with_its_code_and_leaves_nothing(changes, code):
    trader = a_trader()
    trader.venue.post("/sim/markets", symbol=SYMBOL, maxNotional="2000000", maxNotionalMarket="100000")
    before = trader.venue.json("/sim/balances")
    params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT"} | LIMIT | changes
    assert trader.refused("POST", "/api/v3/order", **params) == code
    assert trader.refused("POST", "/api/v3/order/test", **params) == code
    assert trader.venue.json("/sim/orders")["orders"] == []
    assert trader.venue.json("/sim/balances") == before


@pytest.mark.parametrize("price", ["120", "80.01"])
def test_price_at_the_edge_of_the_band_is_taken(price):
    assert a_trader().order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price=price)["orderId"]


def test_band_above_one_is_a_multiplier():
    trader = a_trader()
    trader.venue.post("/sim/markets", symbol=SYMBOL, band="5")
    assert trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="500")["orderId"]
    assert trader.refusal(quantity="1", price="500.01") == 30087


@pytest.mark.parametrize(
    ("change", "side", "kind", "code"),
    [
        ({"apiOpen": False}, "BUY", "LIMIT", 10007),
        ({"status": "2"}, "BUY", "LIMIT", 30000),
        ({"tradeSideType": 2}, "SELL", "LIMIT", 30001),
        ({"tradeSideType": 3}, "BUY", "LIMIT", 30001),
        ({"tradeSideType": 4}, "SELL", "LIMIT", 30001),
        ({"marketOrders": False}, "BUY", "MARKET", 30019),
    ],
)
def test_restricted_pair_refuses_with_its_code_and_shows_it_in_its_row(change, side, kind, code):
    trader = a_trader()
    before = trader.venue.json(f"/api/v3/exchangeInfo?symbol={SYMBOL}")["symbols"][0]
    trader.venue.post("/sim/markets", symbol=SYMBOL, **change)
    params = {"quoteOrderQty": "20"} if kind == "MARKET" else LIMIT
    assert trader.refusal(side, kind, **params) == code
    after = trader.venue.json(f"/api/v3/exchangeInfo?symbol={SYMBOL}")["symbols"][0]
    assert (after != before) is ("apiOpen" not in change)


def test_market_order_without_any_price_or_without_opposite_orders_is_refused():
    trader = a_trader(book=False)
    listing = trader.venue.post("/sim/listings", base="LUMO", openInS=0, quoteInS=0, tradeInS="never")
    trader.venue.advance(0.1)
    symbol = listing["symbol"]
    set_book(trader.venue, bids=[], asks=[], symbol=symbol)
    assert trader.refusal("BUY", "MARKET", symbol=symbol, quoteOrderQty="20") == 30010
    trader.venue.post("/sim/trade", symbol=symbol, price="1", quantity="1")
    assert trader.refusal("BUY", "MARKET", symbol=symbol, quoteOrderQty="20") == 30025


def test_number_of_open_orders_is_limited():
    trader = a_trader(most_open_orders=2)
    for _ in range(2):
        trader.order(quantity="0.1", price="99")
    assert trader.refusal(quantity="0.1", price="99") == 30029


@pytest.mark.parametrize("code", [code for code in TEXTS if code != 429])
def test_every_code_of_the_table_can_be_had_for_an_order(code):
    trader = a_trader()
    trader.venue.post("/sim/orders/refuse", code=code, times=1)
    status, body = trader.call("POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", **LIMIT)
    assert (status, body) == (400, {"code": code, "msg": TEXTS[code]})
    assert trader.order(**LIMIT)["orderId"]


def test_refusal_on_demand_is_for_the_named_orders_only_and_with_the_named_status():
    trader = a_trader()
    trader.venue.post(
        "/sim/orders/refuse", code=30018, symbol=SYMBOL, type="MARKET", side="BUY", http=200, msg="账号暂时不能下单"
    )
    status, body = trader.call("POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="MARKET", quoteOrderQty="20")
    assert (status, body) == (200, {"code": 30018, "msg": "账号暂时不能下单"})
    assert trader.order(**LIMIT)["orderId"]
    trader.venue.ask(replace(get("/sim/orders/refuse"), method="DELETE"))
    assert trader.order("BUY", "MARKET", quoteOrderQty="20")["orderId"]


def test_code_that_proves_nothing_can_hide_an_accepted_order():
    trader = a_trader()
    trader.venue.post("/sim/orders/refuse", code=500, http=500, accepted=True, times=1)
    status, _ = trader.call("POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", **LIMIT)
    assert status == 500
    assert [order["status"] for order in trader.venue.json("/sim/orders")["orders"]] == ["FILLED"]


def test_cancels_and_reads_can_be_refused_too():
    trader = a_trader()
    order = trader.order(quantity="1", price="99")
    trader.venue.post("/sim/orders/refuse", code=-2011, endpoint="cancelOrder", times=1)
    trader.venue.post("/sim/orders/refuse", code=22222, endpoint="getOrder", times=1)
    name = {"symbol": SYMBOL, "orderId": order["orderId"]}
    assert trader.refused("DELETE", "/api/v3/order", **name) == -2011
    assert trader.refused("GET", "/api/v3/order", **name) == 22222
    assert trader.get(order["orderId"])["status"] == "NEW"


# -- keys -------------------------------------------------------------------------------------------------------------


def with_key(trader: Trader, **spec: object) -> Trader:
    """Another key of the same account."""
    trader.venue.post("/sim/keys", key="mx0other", secret="other-secret", **spec)
    return Trader(trader.venue, key="mx0other", secret="other-secret")


def test_key_without_trade_right_reads_and_cannot_order():
    reader = with_key(a_trader(), rights=["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"])
    assert reader.good("GET", "/api/v3/openOrders") == []
    assert reader.refusal(**LIMIT) == 700007
    assert reader.refused("DELETE", "/api/v3/openOrders", symbol=SYMBOL) == 700007


def test_only_a_key_with_the_right_reads_withdrawals_and_transfers():
    trader = a_trader()
    other = with_key(trader, rights=["SPOT_WITHDRAW_READ", "SPOT_TRANSFER_READ"])
    for path in ("withdraw/history", "deposit/hisrec", "transfer"):
        assert trader.refused("GET", f"/api/v3/capital/{path}") == 700007
        assert not [row for row in other.good("GET", f"/api/v3/capital/{path}") if row not in ("rows", "total")]
    assert other.refused("GET", "/api/v3/account") == 700007


def test_key_bound_to_another_address_is_refused():
    trader = with_key(a_trader(), addresses=["10.0.0.1"])
    assert trader.refusal(**LIMIT) == 700006
    trader.client = "10.0.0.1"
    assert trader.order(**LIMIT)["orderId"]


def test_expired_key_gets_the_word_for_a_wrong_signature():
    trader = with_key(a_trader(), expiresInS=10)
    assert trader.good("GET", "/api/v3/openOrders") == []
    trader.venue.advance(10)
    assert trader.refusal(**LIMIT) == 700002


def test_deleted_or_malformed_key_is_refused():
    trader = with_key(a_trader())
    trader.venue.ask(replace(get("/sim/keys?key=mx0other"), method="DELETE"))
    assert trader.refusal(**LIMIT) == 10072
    trader.key = "mx0-other!"
    assert trader.refusal(**LIMIT) == 700001


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_order_request_without_json_content_type_is_refused(method):
    trader = a_trader()
    request = trader.request(method, "/api/v3/order", symbol=SYMBOL, orderId="1")
    answer = trader.venue.ask(replace(request, headers={"x-mexc-apikey": trader.key}))
    assert b'"code":700013' in answer.body


def test_order_whose_time_is_over_is_refused():
    trader = a_trader()
    early = trader.venue.now_ns // 1_000_000 - 2_001
    assert trader.refusal(**LIMIT, recvWindow=2000, timestamp=early) == 700003
    assert trader.order(**LIMIT, recvWindow=2000, timestamp=early + 1)["orderId"]


# -- rates ------------------------------------------------------------------------------------------------------------


def test_order_requests_of_all_kinds_share_twelve_a_second_in_any_second():
    trader = a_trader(orders_per_s=12)
    order = trader.order(quantity="0.1", price="99")
    trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    trader.good("DELETE", "/api/v3/openOrders", symbol=SYMBOL)
    trader.venue.advance(0.6)
    for _ in range(9):
        trader.order(quantity="0.1", price="99")
    answer = trader.venue.ask(trader.request("POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", **LIMIT))
    assert (answer.status, dict(answer.headers)) == (429, {"Retry-After": "1"})
    trader.venue.advance(0.4)  # three of the twelve are now older than a second
    for _ in range(3):
        trader.order(quantity="0.1", price="99")
    assert trader.call("POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", **LIMIT)[0] == 429
    assert len(trader.venue.json("/sim/orders")["orders"]) == 13


def test_reads_do_not_touch_the_order_rate():
    trader = a_trader(orders_per_s=1)
    order = trader.order(quantity="0.1", price="99")
    for _ in range(5):
        trader.get(order["orderId"])
        trader.good("POST", "/api/v3/order/test", symbol=SYMBOL, side="BUY", type="LIMIT", **LIMIT)
