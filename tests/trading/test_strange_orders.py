"""What is at the venue and not in our books: foreign orders, a second copy, missing coins (RELIABILITY 2.3, 53, 54)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket


def _raised(trader: Trader, kind: str, symbol: str) -> dict[str, Any]:
    trader.sweep_soon()

    def found() -> Any:
        return next((a for a in trader.attention() if (a["kind"], a["symbol"]) == (kind, symbol)), None)

    item: dict[str, Any] = eventually(f"{kind} of {symbol} is raised", found, deadline_s=60)
    return item


def _resolve(trader: Trader, item: dict[str, Any], resolution: str) -> None:
    trader.bot.api("POST", f"/attention/{item['id']}/resolve", {"resolution": resolution})
    eventually("it is listed no more", lambda: item["id"] not in {a["id"] for a in trader.attention()})


def test_owners_own_order_is_shown_and_left_alone(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("OWNER")
    order = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "0.5000"}
    placed = trader.bot.sim("POST", "/sim/foreign-order", order)
    item = _raised(trader, "foreign_order", symbol)
    assert trader.trading()["state"] == "active"
    (venue,) = trader.venue_orders(symbol)
    assert venue["status"] == "NEW", "it is not ours to touch"
    _resolve(trader, item, "ignore")
    trader.bot.sim("POST", "/sim/cancel", {"orderId": placed["orderId"]})


def test_unknown_order_of_our_form_means_a_second_copy_and_halts(trader: Trader, open_market: OpenMarket) -> None:
    symbol, other = open_market("SECOND"), open_market("HALTED")
    order = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "0.5000"}
    ours = {**order, "clientOrderId": "msl00zz0123456789abcd00"}
    placed = trader.bot.sim("POST", "/sim/foreign-order", ours)
    item = _raised(trader, "foreign_order", symbol)
    trading = eventually("it is halted", lambda: (t := trader.trading())["state"] == "halted" and t)
    assert trading["latched"] is True
    assert trader.refusal(other).error["code"] == "trading_halted"
    assert trader.posts(other) == []
    trader.bot.sim("POST", "/sim/cancel", {"orderId": placed["orderId"]})
    _resolve(trader, item, "mark")
    trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "looked at it"})
    eventually("trading is active", lambda: trader.trading()["state"] == "active")
    trader.restart_engine()  # the venue lists that order for days; a person has looked at it once
    eventually("trading is active again", lambda: trader.trading()["state"] == "active", deadline_s=60)
    assert trader.attention() == []
    trader.arm()


def test_missing_coins_are_a_discrepancy_and_adopt_takes_the_accounts_word(
    trader: Trader, open_market: OpenMarket
) -> None:
    symbol = open_market("MISSING")
    trader.buy(symbol)
    position = trader.holds(symbol, "20")
    trader.bot.sim("POST", "/sim/balances", {position["base"]: "5"})  # sold in the venue's app
    item = _raised(trader, "discrepancy", symbol)
    assert "5" in item["text"]
    assert "20" in item["text"]
    _resolve(trader, item, "adopt")
    trader.holds(symbol, "5")
    trader.bot.api("POST", f"/positions/{position['id']}/close")
    trader.holds(symbol, "0")
    assert Decimal(trader.venue_orders(symbol)[-1]["executedQty"]) == 5


def test_shut_door_needs_a_person_and_the_position_stays_counted(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("SHUT")
    trader.buy(symbol)
    position = trader.holds(symbol, "20")
    trader.bot.sim("POST", "/sim/orders/refuse", {"code": 10007, "symbol": symbol, "side": "SELL"})
    trader.bot.api("POST", f"/positions/{position['id']}/close")
    item = _raised(trader, "manual_exit", symbol)
    held = trader.position(symbol)
    assert held is not None
    assert held["manualExitNeeded"]
    assert held["open"]
    _resolve(trader, item, "mark")


@pytest.mark.parametrize(("resolution", "status"), [("adopt", 404), ("shrug", 422)])
def test_attention_that_is_not_there_and_words_that_are_none_are_refused(
    trader: Trader, resolution: str, status: int
) -> None:
    with pytest.raises(Refused) as refused:
        trader.bot.api("POST", "/attention/nothing/resolve", {"resolution": resolution})
    assert refused.value.status == status


def test_pair_that_does_not_move_can_be_bought_by_hand_right_after_a_restart(
    trader: Trader, open_market: OpenMarket
) -> None:
    symbol = open_market("STILL")
    trader.restart_engine()
    trader.arm()

    def bought() -> bool:
        try:
            trader.buy(symbol)
        except Refused as refused:  # the first seconds of a life: its rules are not read yet
            if refused.error["code"] not in ("unknown_symbol", "not_reconciled", "engine_unavailable", "rules_unknown"):
                raise
            return False
        return True

    eventually("it is bought", bought, deadline_s=30)
    trader.holds(symbol, "20")
