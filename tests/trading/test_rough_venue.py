"""A venue that is not open yet, out of step, out of date, in maintenance or odd about fees (FIELD 7, RELIABILITY 2)."""

import time
from decimal import Decimal

import pytest

from tests.support.program import eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket


def automatic(trader: Trader, base: str) -> str:
    """List a coin that an automatic live entry may buy as soon as it is quoted."""
    trader.configure(autoTrade=True)
    return trader.list_quietly(base, openPrice=1.0)


@pytest.fixture(autouse=True)
def _by_hand_again(trader: Trader, open_market: OpenMarket):
    yield
    trader.configure(autoTrade=False)


def test_pair_closed_to_the_api_for_a_second_is_entered_by_a_later_attempt_with_its_own_id(trader: Trader) -> None:
    """Trap 6."""
    symbol = automatic(trader, "LATEOPEN")
    trader.bot.sim("POST", "/sim/orders/refuse", {"code": 10007, "symbol": symbol, "side": "BUY", "times": 2})
    trader.quote(symbol, "0.9900", "1.0000")
    trader.holds(symbol, "20")
    ids = [post["params"]["newClientOrderId"] for post in trader.posts(symbol)]
    assert len(ids) == len(set(ids)) == 3
    assert [order["clientOrderId"] for order in trader.venue_orders(symbol)] == ids[-1:]
    (entry,) = trader.trades(symbol, side="buy")
    assert (entry["status"], entry["attempts"]) == ("filled", 3)


def test_pair_that_stays_closed_to_the_api_is_given_up_after_four_attempts(trader: Trader) -> None:
    """Trap 6."""
    symbol = automatic(trader, "NEVEROPEN")
    trader.bot.sim("POST", "/sim/orders/refuse", {"code": 10007, "symbol": symbol, "side": "BUY"})
    trader.quote(symbol, "0.9900", "1.0000")
    listing = eventually("it is given up", lambda: (it := trader.listing(symbol)) and it["outcome"] != "pending" and it)
    assert (listing["outcome"], listing["reason"]) == ("skipped", "NOT_OPEN_TO_API")
    assert len(trader.posts(symbol)) == 4
    assert trader.venue_orders(symbol) == []


def test_venue_clock_that_jumps_is_measured_anew_and_the_entry_signed_again(trader: Trader) -> None:
    """Trap 13: a refused timestamp is no refusal of the order."""
    symbol = automatic(trader, "JUMPED")
    trader.bot.sim("POST", "/sim/clock", {"skewMs": 20_000})
    try:
        trader.quote(symbol, "0.9900", "1.0000")
        trader.holds(symbol, "20")
        posts = trader.posts(symbol)
        assert 2 <= len(posts) <= 4
        assert len({post["params"]["newClientOrderId"] for post in posts}) == len(posts)
        assert len(trader.venue_orders(symbol)) == 1
    finally:
        trader.bot.sim("POST", "/sim/clock", {"skewMs": 0})
    eventually("a jump back is followed too", lambda: trader.buy(symbol)["status"] == "filled", deadline_s=20)


def test_clock_that_cannot_be_read_well_closes_the_live_gate_alone_and_opens_it_again(
    trader: Trader, open_market: OpenMarket
) -> None:
    """Trap 13: only uncertainty closes the gate."""
    symbol = open_market("UNSURE")
    # What was measured before the jump is void, and every later answer takes over a second.
    trader.bot.sim("POST", "/sim/faults", {"target": "time", "kind": "delay", "ms": 1_200})
    trader.bot.sim("POST", "/sim/clock", {"skewMs": 30_000})
    assert trader.buy(symbol)["status"] == "rejected"
    eventually("the gate says why", lambda: any("clock" in text for text in trader.trading()["gates"]), deadline_s=40)
    before = len(trader.posts())
    assert trader.refusal(symbol).error["code"] == "clock_uncertain"
    assert len(trader.posts()) == before
    trader.bot.sim("DELETE", "/sim/faults")
    trader.bot.sim("POST", "/sim/clock", {"skewMs": 0})
    # The next probe comes with the next refusal, or by itself.
    eventually("the gate is open", lambda: trader.trading()["gates"] == [], deadline_s=60)
    trader.buy(symbol)
    trader.holds(symbol, "20")


def test_old_answers_about_account_and_orders_lower_nothing_and_alarm_nobody(
    trader: Trader, open_market: OpenMarket
) -> None:
    """Rows 34 and 35: reads show the time before our last fill."""
    symbol = open_market("OLDNEWS")
    for target in ("account", "openOrders", "allOrders", "getOrder"):
        trader.bot.sim("POST", "/sim/faults", {"target": target, "kind": "stale", "ms": 15_000, "forS": 12})
    trader.buy(symbol)
    trader.holds(symbol, "20")
    trader.sweep_soon()
    end = time.monotonic() + 8
    while time.monotonic() < end:
        position = trader.position(symbol)
        assert position is not None
        assert Decimal(position["quantity"]) == 20
        assert trader.orders(symbol)[-1]["status"] == "filled"
        assert [item for item in trader.attention() if item["symbol"] == symbol] == []
        time.sleep(0.25)
    trader.bot.api("POST", f"/positions/{position['id']}/close")
    trader.holds(symbol, "0")
    assert [Decimal(order["executedQty"]) for order in trader.venue_orders(symbol)] == [20, 20]


def test_fee_taken_in_the_coin_is_not_sold_and_what_cannot_be_sold_is_dust(
    trader: Trader, open_market: OpenMarket
) -> None:
    """Row 45."""
    symbol = open_market("FEEINBASE")
    trader.bot.sim("POST", "/sim/fees", {"in": "base"})
    try:
        trader.buy(symbol)
        position = trader.holds(symbol, "19.99")  # 20 less 0.05 %
    finally:
        trader.bot.sim("POST", "/sim/fees", {"in": "quote"})
    assert position["fees"] == {"FEEINBASE": "0.01"}
    assert trader.holdings("FEEINBASE") == Decimal("19.99")
    trader.bot.api("POST", f"/positions/{position['id']}/close")
    closed = eventually("it is closed", lambda: (p := trader.position(symbol)) and not p["open"] and p)
    assert Decimal(closed["quantity"]) == 0
    assert trader.holdings("FEEINBASE") == 0


def test_maintenance_sends_nothing_new_and_positions_are_protected_first_when_it_is_over(
    trader: Trader, open_market: OpenMarket
) -> None:
    """Row 52: everything answers 503 and the streams are gone; meanwhile the price falls below the stop."""
    trader.configure(stopLossPct="10")
    held, wanted = open_market("PROTECTED"), open_market("NEWONE")
    trader.buy(held)
    trader.holds(held, "20")
    trader.configure(stopLossPct="90")
    trader.bot.sim("POST", "/sim/faults", {"target": "all", "kind": "server_error", "status": 503, "when": "before"})
    trader.bot.sim("POST", "/sim/stream/cut", {"refuseForS": 8})
    eventually("the live gate is closed", lambda: trader.trading()["gates"] != [], deadline_s=30)
    assert trader.refusal(wanted).status == 409
    assert trader.posts(wanted) == []
    trader.trade_at(held, "0.8500")
    trader.quote(held, "0.8500", "0.8600")
    trader.bot.sim("DELETE", "/sim/faults")
    position = eventually("it is sold", lambda: (p := trader.position(held)) and not p["open"] and p, deadline_s=60)
    assert position["exitRole"] == "stop_loss"
    eventually("the gate is open", lambda: trader.trading()["gates"] == [], deadline_s=60)
    trader.buy(wanted)
    trader.holds(wanted, "20")


def test_two_orders_under_one_id_of_ours_halt_trading_and_are_left_to_a_person(
    trader: Trader, open_market: OpenMarket
) -> None:
    """Row 39. Last of this file, for it halts."""
    symbol = open_market("TWICE")
    trader.buy(symbol)
    trader.holds(symbol, "20")
    ours = trader.orders(symbol)[-1]["clientOrderId"]
    doubled = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "0.5000"}
    placed = trader.bot.sim("POST", "/sim/foreign-order", {**doubled, "clientOrderId": ours})
    trader.sweep_soon()
    trading = eventually("it is halted", lambda: (t := trader.trading())["state"] == "halted" and t, deadline_s=60)
    assert (trading["latched"], trading["actor"]) == (True, "reconciliation")
    item = next(item for item in trader.attention() if item["symbol"] == symbol)
    assert placed["orderId"] in item["text"]
    assert [order["status"] for order in trader.orders(symbol)] == ["filled"]
    assert trader.venue_orders(symbol)[-1]["status"] == "NEW"
    trader.bot.sim("POST", "/sim/cancel", {"orderId": placed["orderId"]})
    trader.bot.api("POST", f"/attention/{item['id']}/resolve", {"resolution": "mark"})
    trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "looked at it"})
    eventually("trading is active", lambda: trader.trading()["state"] == "active")
    trader.arm()
