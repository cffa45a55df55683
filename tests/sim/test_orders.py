"""Orders that are accepted: what each type does, what reads tell, where the money goes (REFERENCE 1.7, 1.8, 4.5)."""

from dataclasses import replace

import pytest

from tests.sim.trader import SYMBOL, Trader, a_trader, set_book


def test_answer_to_a_new_order_has_the_documented_fields_and_nothing_else():
    answer = a_trader().order("BUY", "LIMIT", quantity="1", price="99.5", newClientOrderId="abc")
    assert set(answer) == {
        "symbol", "orderId", "orderListId", "price", "origQty", "type", "side", "stpMode", "transactTime",
    }  # fmt: skip
    assert answer["orderId"].startswith("C02__")


def test_limit_order_inside_the_spread_rests_and_locks_price_times_quantity_and_fee():
    trader = a_trader()
    order = trader.order(quantity="2", price="99.5")
    assert trader.get(order["orderId"])["status"] == "NEW"
    assert [row["orderId"] for row in trader.good("GET", "/api/v3/openOrders")] == [order["orderId"]]
    assert trader.balance("USDT") == ("9800.9005", "199.0995")  # 199 and 0.05 % of it


def test_limit_order_that_crosses_takes_best_price_first_and_rests_with_what_is_left():
    trader = a_trader()
    order = trader.order(quantity="20", price="101")
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"], row["cummulativeQuoteQty"]) == ("PARTIALLY_FILLED", "15", "1510")
    depth = trader.venue.json(f"/api/v3/depth?symbol={SYMBOL}")
    assert depth["bids"][0] == ["101.00", "5.00"]
    assert depth["asks"][0] == ["106.00", "50.00"]


def test_post_only_order_that_would_take_is_cancelled_unfilled():
    trader = a_trader()
    order = trader.order("BUY", "LIMIT_MAKER", quantity="1", price="100")
    assert trader.get(order["orderId"])["status"] == "CANCELED"
    assert trader.balance("USDT") == ("10000", "0")
    resting = trader.order("BUY", "LIMIT_MAKER", quantity="1", price="99.99")
    assert trader.get(resting["orderId"])["status"] == "NEW"


def test_ioc_order_keeps_what_it_got_and_ends_partially_cancelled():
    trader = a_trader()
    order = trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="20", price="101")
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"]) == ("PARTIALLY_CANCELED", "15")
    assert trader.balance("SOL") == ("15", "0")
    assert trader.balance("USDT") == ("8489.245", "0")  # 1510 and a fee of 0.755


def test_ioc_order_that_finds_nothing_is_cancelled():
    trader = a_trader()
    order = trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="99")
    assert trader.get(order["orderId"])["status"] == "CANCELED"
    assert trader.good("GET", "/api/v3/openOrders", symbol=SYMBOL) == []


@pytest.mark.parametrize(("quantity", "status", "executed"), [("15", "FILLED", "15"), ("15.01", "CANCELED", "0")])
def test_fok_order_fills_whole_or_not_at_all(quantity, status, executed):
    trader = a_trader()
    order = trader.order("BUY", "FILL_OR_KILL", quantity=quantity, price="101")
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"]) == (status, executed)


def test_market_buy_by_amount_spends_it_down_to_the_last_step():
    trader = a_trader()
    order = trader.order("BUY", "MARKET", quoteOrderQty="600")
    row = trader.get(order["orderId"])
    assert row["status"] == "FILLED"
    assert (row["executedQty"], row["cummulativeQuoteQty"]) == ("5.99", "599.99")  # 5 at 100, 0.99 at 101
    assert (row["price"], row["origQuoteOrderQty"]) == ("105", "600")
    assert trader.balance("USDT") == ("9399.710005", "0")


def test_market_buy_stops_at_its_cap_five_percent_above_the_last_price():
    trader = a_trader()
    order = trader.order("BUY", "MARKET", quoteOrderQty="5000")
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"], row["cummulativeQuoteQty"]) == ("PARTIALLY_CANCELED", "15", "1510")


def test_market_buy_by_quantity_freezes_up_to_the_cap_and_returns_the_rest():
    trader = a_trader()
    order = trader.order("BUY", "MARKET", quantity="6")
    row = trader.get(order["orderId"])
    assert (row["status"], row["price"], row["origQuoteOrderQty"]) == ("FILLED", "105", "630")
    assert row["cummulativeQuoteQty"] == "601"
    assert trader.balance("USDT") == ("9398.6995", "0")


def test_market_sell_tells_quantity_times_cap_as_its_amount():
    trader = a_trader()
    trader.venue.post("/sim/balances", SOL="8")
    order = trader.order("SELL", "MARKET", quantity="6")
    row = trader.get(order["orderId"])
    assert (row["status"], row["price"], row["origQuoteOrderQty"]) == ("FILLED", "95", "570")
    assert row["cummulativeQuoteQty"] == "593"
    assert trader.balance("SOL") == ("2", "0")
    assert trader.balance("USDT") == ("10592.7035", "0")


def test_market_answer_does_not_tell_what_was_filled():
    answer = a_trader().order("BUY", "MARKET", quoteOrderQty="600")
    assert answer["origQty"] == "5.71"  # what the cap would buy; 5.99 were bought


@pytest.mark.parametrize(
    ("paid_in", "fee", "asset", "sol", "usdt"),
    [
        ("quote", "0.05", "USDT", "1", "9899.95"),
        ("base", "0.0005", "SOL", "0.9995", "9900"),
        ("mx", None, "MX", "1", "9900"),
    ],
)
def test_fee_is_taken_in_the_chosen_asset(paid_in, fee, asset, sol, usdt):
    trader = a_trader()
    trader.venue.post("/sim/fees", **{"in": paid_in})
    order = trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    (trade,) = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL, orderId=order["orderId"])
    assert trade["commissionAsset"] == asset
    assert fee is None or trade["commission"] == fee
    assert trader.balance("SOL")[0] == sol
    assert trader.balance("USDT") == (usdt, "0")
    if asset == "MX":
        assert 24 < float(trader.balance("MX")[0]) < 25


def test_fee_falls_back_to_quote_when_there_is_too_little_mx():
    trader = a_trader()
    trader.venue.post("/sim/fees", **{"in": "mx"})
    trader.venue.post("/sim/balances", MX="0.000001")
    order = trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    (trade,) = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL, orderId=order["orderId"])
    assert (trade["commission"], trade["commissionAsset"]) == ("0.05", "USDT")


def test_resting_order_is_filled_as_maker_without_fee_when_the_price_passes_it():
    trader = a_trader()
    order = trader.order(quantity="2", price="99.5")
    trader.venue.post("/sim/trade", symbol=SYMBOL, price="99.4", quantity="1.5", side="SELL")
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"]) == ("PARTIALLY_FILLED", "1.5")
    trader.venue.post("/sim/trade", symbol=SYMBOL, price="99.5", quantity="9", side="SELL")
    assert trader.get(order["orderId"])["status"] == "FILLED"
    trades = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL)
    assert {(trade["isMaker"], trade["commission"], trade["price"]) for trade in trades} == {(True, "0", "99.5")}
    assert trader.balance("USDT") == ("9801", "0")


def test_living_market_fills_an_order_it_moves_through():
    trader = a_trader(book=False)
    listing = trader.venue.post("/sim/listings", base="LUMO", openInS=0, openPrice=1, peak=3, peakAfterS=10)
    trader.venue.advance(3)
    symbol = listing["symbol"]
    trader.venue.post("/sim/balances", LUMO="10")
    top = float(trader.venue.json(f"/api/v3/depth?symbol={symbol}")["asks"][0][0])
    scale = trader.venue.json(f"/api/v3/exchangeInfo?symbol={symbol}")["symbols"][0]["quotePrecision"]
    order = trader.order("SELL", "LIMIT", symbol=symbol, quantity="10", price=f"{top * 1.2:.{scale}f}")
    trader.venue.advance(20)
    assert trader.get(order["orderId"], symbol)["status"] == "FILLED"


def test_cancel_returns_the_lock_and_a_second_cancel_is_unknown():
    trader = a_trader()
    order = trader.order(quantity="2", price="99.5", newClientOrderId="mine")
    answer = trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, origClientOrderId="mine")
    assert (answer["status"], answer["orderId"], answer["origClientOrderId"]) == ("CANCELED", order["orderId"], "mine")
    assert trader.balance("USDT") == ("10000", "0")
    assert trader.refused("DELETE", "/api/v3/order", symbol=SYMBOL, origClientOrderId="mine") == -2011


def test_cancel_after_a_partial_fill_ends_partially_cancelled():
    trader = a_trader()
    order = trader.order(quantity="8", price="100")
    trader.good("DELETE", "/api/v3/order", symbol=SYMBOL, orderId=order["orderId"])
    row = trader.get(order["orderId"])
    assert (row["status"], row["executedQty"]) == ("PARTIALLY_CANCELED", "5")


def test_cancel_all_takes_every_open_order_of_the_named_symbols():
    trader = a_trader()
    mine = [trader.order(quantity="1", price=price)["orderId"] for price in ("99.1", "99.2")]
    answer = trader.good("DELETE", "/api/v3/openOrders", symbol=f"{SYMBOL},MXUSDT")
    assert [row["orderId"] for row in answer] == mine
    assert trader.good("GET", "/api/v3/openOrders") == []


def test_order_is_found_by_either_id_of_its_symbol_only():
    trader = a_trader()
    order = trader.order(quantity="1", price="99.5", newClientOrderId="mine")
    by_client_id = trader.good("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="mine")
    assert by_client_id == trader.get(order["orderId"])
    assert trader.refused("GET", "/api/v3/order", symbol="MXUSDT", orderId=order["orderId"]) == -2013
    assert trader.refused("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="other") == -2013
    assert trader.refused("GET", "/api/v3/order", symbol=SYMBOL) == 700004


def test_all_orders_cover_a_day_by_default_and_seven_at_most():
    trader = a_trader()
    order = trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="1", price="100")
    trader.venue.advance(25 * 3600)
    now = trader.venue.now_ns // 1_000_000
    day = 86_400_000
    assert trader.good("GET", "/api/v3/allOrders", symbol=SYMBOL) == []
    rows = trader.good("GET", "/api/v3/allOrders", symbol=SYMBOL, startTime=now - 7 * day)
    assert [row["orderId"] for row in rows] == [order["orderId"]]
    assert trader.refused("GET", "/api/v3/allOrders", symbol=SYMBOL, startTime=now - 8 * day) == 400
    trader.venue.advance(7 * 86_400)
    window = {"startTime": now - 2 * day, "endTime": now}
    assert trader.good("GET", "/api/v3/allOrders", symbol=SYMBOL, **window) == []


def test_my_trades_show_a_hundred_at_most_newest_first():
    trader = a_trader()
    asks = [[str(100 + step / 100), "0.02"] for step in range(150)]
    set_book(trader.venue, bids=[["99", "1"]], asks=asks)
    trader.order("BUY", "IMMEDIATE_OR_CANCEL", quantity="3", price="102")
    trades = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL, limit=1000)
    assert len(trades) == 100
    assert trades[0]["price"] == "101.49"
    assert len({trade["id"] for trade in trades}) == 100


def test_batch_answers_item_by_item_and_lets_the_good_ones_stand():
    trader = a_trader()
    batch = (
        '[{"symbol":"SOLUSDT","side":"BUY","type":"LIMIT_ORDER","price":"99.5","quantity":"1","newClientOrderId":"b1"},'
        '{"symbol":"SOLUSDT","side":"BUY","type":"LIMIT","price":"99.5","quantity":"0.001","newClientOrderId":"b2"},'
        '{"symbol":"SOLUSDT","side":"BUY","type":"LIMIT","price":"99.4","quantity":"1"}]'
    )
    items = trader.good("POST", "/api/v3/batchOrders", batchOrders=batch)
    assert [set(item) for item in items] == [
        {"symbol", "orderId", "newClientOrderId", "orderListId"},
        {"newClientOrderId", "msg", "code"},
        {"symbol", "orderId", "orderListId"},
    ]
    assert items[1]["code"] == 10096
    assert len(trader.good("GET", "/api/v3/openOrders")) == 2


def test_order_test_checks_everything_and_takes_nothing():
    trader = a_trader()
    params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "price": "99"}
    assert trader.good("POST", "/api/v3/order/test", **params, quantity="1") == {}
    assert trader.refused("POST", "/api/v3/order/test", **params, quantity="1000") == 10101
    assert trader.venue.json("/sim/orders")["orders"] == []


def test_used_client_id_makes_a_second_order_by_default_and_reads_show_the_first():
    trader = a_trader()
    first = trader.order(quantity="1", price="99.5", newClientOrderId="twice")
    second = trader.order(quantity="1", price="99.4", newClientOrderId="twice")
    assert first["orderId"] != second["orderId"]
    assert trader.good("GET", "/api/v3/order", symbol=SYMBOL, origClientOrderId="twice")["orderId"] == first["orderId"]
    assert len(trader.good("GET", "/api/v3/openOrders", symbol=SYMBOL)) == 2


def test_used_client_id_is_refused_where_the_rule_says_so():
    trader = a_trader(duplicate_client_ids="refuse")
    trader.order(quantity="1", price="99.5", newClientOrderId="twice")
    assert trader.refusal(quantity="1", price="99.4", newClientOrderId="twice") == -2010


def test_own_orders_may_meet_and_say_so():
    trader = a_trader()
    trader.venue.post("/sim/balances", SOL="1")
    trader.order("SELL", "LIMIT", quantity="1", price="99.5")
    trader.order("BUY", "LIMIT", quantity="1", price="99.5")
    trades = trader.good("GET", "/api/v3/myTrades", symbol=SYMBOL)
    assert [(trade["isSelfTrade"], trade["isMaker"]) for trade in trades] in (
        [(True, False), (True, True)],
        [(True, True), (True, False)],
    )
    assert trader.balance("SOL") == ("1", "0")


def test_delisting_cancels_what_rests_and_history_stays_readable():
    trader = a_trader()
    order = trader.order(quantity="1", price="99.5")
    trader.venue.post("/sim/delist", symbol=SYMBOL)
    trader.venue.advance(0.1)
    assert trader.get(order["orderId"])["status"] == "CANCELED"
    assert trader.balance("USDT") == ("10000", "0")


def test_sleeping_pair_gets_a_book_for_an_order_and_moves_while_one_rests():
    trader = a_trader(book=False)
    market = trader.venue.exchange.world.markets["MXUSDT"]
    trader.venue.post("/sim/markets", symbol="MXUSDT", apiOpen=True, tradeSideType=1)
    price = market.price_text(int((market.last or 0) * 0.97))
    order = trader.order("BUY", "LIMIT", symbol="MXUSDT", quantity="10", price=price)
    trades = market.trade_count
    trader.venue.advance(20)
    assert market.trade_count > trades
    trader.good("DELETE", "/api/v3/order", symbol="MXUSDT", orderId=order["orderId"])
    trader.venue.advance(5)
    trades = market.trade_count
    trader.venue.advance(20)
    assert market.trade_count == trades


def test_order_log_has_arrival_fills_and_end():
    trader = a_trader()
    request = trader.request(
        "POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="MARKET", quoteOrderQty="50", newClientOrderId="log1"
    )
    trader.venue.ask(replace(request, read_wall_ns=trader.venue.now_ns - 700, read_mono_ns=42))
    (seen,) = trader.venue.json("/sim/orders?clientOrderId=log1")["orders"]
    assert seen["arrivedWallNs"] == trader.venue.now_ns - 700
    assert (seen["status"], seen["byHand"], len(seen["fills"])) == ("FILLED", False, 1)
    (entry,) = trader.venue.json("/sim/requests?path=/api/v3/order")["requests"]
    assert (entry["wallNs"], entry["monoNs"], entry["status"]) == (trader.venue.now_ns - 700, 42, 200)
    assert entry["params"]["newClientOrderId"] == "log1"
    assert "signature" not in entry["params"]


def test_listing_takes_orders_only_when_open_to_the_api_and_quoted():
    trader = a_trader(book=False)
    listing = trader.venue.post("/sim/listings", base="LUMO", openInS=5, rowInS=0, flagInS=0, apiOpenInS=1)
    symbol = listing["symbol"]
    trader.venue.advance(0.5)
    codes = []
    for _ in range(3):
        codes.append(_code(trader, symbol))
        trader.venue.advance(2.5)
    assert codes == [10007, 30016, 200]


def _code(trader: Trader, symbol: str) -> int:
    status, body = trader.call("POST", "/api/v3/order", symbol=symbol, side="BUY", type="MARKET", quoteOrderQty="20")
    return 200 if status == 200 else int(body["code"])
