"""Take-profits that wait at the venue, in both modes: filled there, kept over a crash, gone before any other exit."""

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import eventually
from tests.support.trader import Trader, by_hand_only, trading_bot

MODES = ("dry-run", "live")
LADDER = [{"gainPct": "5", "sharePct": "40"}, {"gainPct": "12", "sharePct": "30"}]


@pytest.fixture(scope="module")
def traders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trader]]:
    """Both modes side by side, buying by hand alone, with ladders that wait at the venue."""
    with ExitStack() as running:
        started = {
            mode: running.enter_context(trading_bot(tmp_path_factory.mktemp(mode) / "data", live=mode == "live"))
            for mode in MODES
        }
        for trader in started.values():
            by_hand_only(trader)
            trader.configure(restingTakeProfit=True, takeProfit=LADDER, trailingStopPct="0")
        yield started


def bought(trader: Trader, base: str) -> str:
    """Hold 20 of a new coin, with 8 waiting 5 % above the entry, its fee included, and 6 at 12 %."""
    symbol = trader.open_market(base)
    trader.buy(symbol)
    trader.holds(symbol, "20")
    eventually(
        "both legs wait at the venue", lambda: [o["status"] for o in waiting(trader, symbol)] == ["accepted"] * 2
    )
    return symbol


def waiting(trader: Trader, symbol: str) -> list[dict[str, Any]]:
    """The legs that wait, or did: the nearer one first."""
    return sorted((o for o in trader.orders(symbol) if o["type"] == "LIMIT"), key=lambda o: Decimal(o["price"]))


def lift(trader: Trader, symbol: str, price: str, quantity: str) -> None:
    """Strangers buy so much at a price: who waits there or below is served."""
    trader.bot.sim("POST", "/sim/trade", {"symbol": symbol, "price": price, "quantity": quantity, "side": "BUY"})


def close(trader: Trader, symbol: str) -> None:
    position = trader.position(symbol)
    assert position is not None
    trader.bot.api("POST", f"/positions/{position['id']}/close")


@pytest.mark.parametrize("mode", MODES)
def test_leg_is_sold_at_the_venue_and_closing_cancels_the_others_before_it_sells(
    traders: dict[str, Trader], mode: str
) -> None:
    trader = traders[mode]
    symbol = bought(trader, f"REST{mode[0].upper()}")
    assert [(o["price"], Decimal(o["quantity"])) for o in waiting(trader, symbol)] == [("1.0506", 8), ("1.1206", 6)]
    lift(trader, symbol, "1.0600", "8")
    position = trader.holds(symbol, "12")
    assert position["exitRole"] == "take_profit"
    close(trader, symbol)
    trader.holds(symbol, "0")
    low, high = waiting(trader, symbol)
    assert (low["status"], high["status"], high["reason"]) == ("filled", "canceled", "CANCELED_FOR_EXIT")
    sold = [order for order in trader.orders(symbol) if order["side"] == "sell"]
    assert sum(Decimal(order["filledQty"]) for order in sold) == 20
    if mode == "dry-run":
        assert trader.posts(symbol) == []
        return
    assert trader.holdings(symbol.removesuffix("USDT")) == 0
    theirs = {order["clientOrderId"]: order["status"] for order in trader.venue_orders(symbol)}
    assert theirs[high["clientOrderId"]] == "CANCELED"
    assert sorted(theirs) == sorted(order["clientOrderId"] for order in trader.orders(symbol))
    assert sorted(theirs) == sorted(one["params"]["newClientOrderId"] for one in trader.posts(symbol))


@pytest.mark.parametrize("mode", MODES)
def test_ladder_outlives_a_killed_engine_and_is_adopted_by_its_ids(traders: dict[str, Trader], mode: str) -> None:
    trader = traders[mode]
    symbol = bought(trader, f"KEPT{mode[0].upper()}")
    before = [order["clientOrderId"] for order in waiting(trader, symbol)]
    trader.restart_engine(lambda: lift(trader, symbol, "1.0600", "8"))
    eventually("it has compared", lambda: trader.trading()["reconciled"], deadline_s=60)
    trader.quote(symbol, "0.9900", "1.0000", size="999")
    if mode == "live":
        trader.holds(symbol, "12")
    close(trader, symbol)
    trader.holds(symbol, "0")
    assert [order["clientOrderId"] for order in waiting(trader, symbol)] == before, "nothing was placed twice"
    if mode == "live":
        assert trader.holdings(symbol.removesuffix("USDT")) == 0
        assert not [a for a in trader.attention() if a["symbol"] == symbol], "ours are no strangers"


def test_stop_behind_waiting_legs_cancels_them_and_sells_everything(traders: dict[str, Trader]) -> None:
    trader = traders["live"]
    trader.configure(stopLossPct="10")
    symbol = bought(trader, "STOP")
    trader.configure(stopLossPct="90")
    trader.trade_at(symbol, "0.8500")
    trader.quote(symbol, "0.8500", "0.8600")
    position = eventually("it is sold", lambda: (p := trader.position(symbol)) and p["status"] == "closed" and p)
    assert position["exitRole"] == "stop_loss"
    assert {order["status"] for order in waiting(trader, symbol)} == {"canceled"}
    assert trader.holdings("STOP") == 0


def test_flatten_sells_what_waited(traders: dict[str, Trader]) -> None:
    trader = traders["live"]
    flat = bought(trader, "FLAT")
    trader.kill("flatten")
    trader.holds(flat, "0")
    assert {order["status"] for order in waiting(trader, flat)} == {"canceled"}
    trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "test"})
    trader.arm()


def test_panic_sweeps_waiting_legs_without_an_engine(tmp_path: Path) -> None:
    """With a program of its own, for it is stopped."""
    with trading_bot(tmp_path / "data", live=True) as trader:
        by_hand_only(trader)
        trader.configure(restingTakeProfit=True, takeProfit=LADDER, trailingStopPct="0")
        symbol = bought(trader, "SWEPT")
        trader.bot.stop_program()
        ran = trader.bot.command("panic", "--flatten", "--confirm", "SELL", "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        orders = trader.venue_orders(symbol)
        assert [order["status"] for order in orders if order["type"] == "LIMIT"] == ["CANCELED"] * 2
        assert trader.holdings("SWEPT") == 0
