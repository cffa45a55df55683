"""kill -9 of the engine around an order: after the restart no orphan, no duplicate, the position right, and no entry
before orders, fills and balances were compared with the venue (RELIABILITY I1, I3, I7).

Between journal and send, and between the engine's turn and the ledger's commit, no simulator can hold the program:
those windows are cut in tests/journal and tests/ledger, write by write.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader, by_hand_only, trading_bot


@pytest.fixture(scope="module")
def trader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    """A live, armed program that enters nothing by itself."""
    with trading_bot(tmp_path_factory.mktemp("crash") / "data", live=True) as running:
        by_hand_only(running)
        yield running


@pytest.fixture
def faults(trader: Trader) -> Iterator[Callable[..., None]]:
    """Put a fault in force until the test ends; the engine is armed before it begins."""

    def add(target: str, kind: str, **more: Any) -> None:
        trader.bot.sim("POST", "/sim/faults", {"target": target, "kind": kind, **more})

    trader.arm()
    yield add
    trader.bot.sim("DELETE", "/sim/faults")


def _buy_and_die(trader: Trader, symbol: str, when: Callable[[], Any]) -> None:
    """Enter, and kill the engine as soon as ``when`` holds; the caller of the API gets whatever it gets."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(trader.buy, symbol)
        eventually("the moment has come", when)
        trader.restart_engine(lambda: answer.exception(30))
    assert answer.exception() is None or isinstance(answer.exception(), Refused)


def _one_order_fully_known(trader: Trader, symbol: str) -> None:
    order = trader.order_is(symbol, "filled", deadline_s=60)
    position = trader.holds(symbol, "20")
    (venue,) = trader.venue_orders(symbol)
    assert (venue["clientOrderId"], venue["orderId"]) == (order["clientOrderId"], order["venueOrderId"])
    assert Decimal(order["filledQuote"]) == Decimal(venue["cummulativeQuoteQty"])
    assert Decimal(position["cost"]) == Decimal("20.01")
    assert trader.holdings(position["base"]) == Decimal(position["quantity"])
    assert len(trader.posts(symbol)) == 1, "a submit is never repeated, over a restart neither"
    assert len(trader.orders(symbol)) == 1


def test_killed_between_send_and_ack_finds_its_order(trader: Trader, faults: Callable[..., None]) -> None:
    symbol = trader.open_market("SENT")
    faults("newOrder", "hang", when="after", times=1)
    faults("stream:*private*", "drop", forS=5)
    _buy_and_die(trader, symbol, lambda: trader.venue_orders(symbol))
    _one_order_fully_known(trader, symbol)


def test_killed_between_ack_and_fills_books_them_once(trader: Trader, faults: Callable[..., None]) -> None:
    symbol = trader.open_market("ACKED")
    faults("stream:*private*", "drop", forS=5)
    faults("myTrades", "delay", ms=4_000, times=1)
    _buy_and_die(trader, symbol, lambda: (order := trader.order(symbol)) and order["status"] == "filled")
    _one_order_fully_known(trader, symbol)


def test_killed_while_its_order_was_still_on_the_way_meets_it_later(
    trader: Trader, faults: Callable[..., None]
) -> None:
    """The request reaches the venue's engine seconds after ours has died: unknown there first, then filled."""
    symbol = trader.open_market("ONTHEWAY")
    faults("newOrder", "late", ms=4_000, client="hang", times=1)
    _buy_and_die(trader, symbol, lambda: trader.posts(symbol))
    _one_order_fully_known(trader, symbol)


def test_killed_with_an_intent_the_venue_never_saw_ends_it_by_proof(
    trader: Trader, faults: Callable[..., None]
) -> None:
    """As after a death between journal and send: the intent is on our disk, and nothing is at the venue."""
    symbol = trader.open_market("UNSEEN")
    faults("newOrder", "hang", when="before", times=1)
    _buy_and_die(trader, symbol, lambda: trader.posts(symbol))
    order = trader.order_is(symbol, "in_doubt", "never_arrived", deadline_s=30)
    assert order["status"] in ("in_doubt", "never_arrived")
    trader.order_is(symbol, "never_arrived", deadline_s=75)
    assert trader.venue_orders(symbol) == []
    assert trader.position(symbol) is None
    assert len(trader.posts(symbol)) == 1


def test_no_entry_leaves_before_the_new_life_was_compared_with_the_venue(
    trader: Trader, faults: Callable[..., None]
) -> None:
    symbol = trader.open_market("TOOEARLY")
    faults("openOrders", "server_error", status=503)
    trader.restart_engine()

    def refused_for_it() -> bool:
        return trader.refusal(symbol).error["code"] in ("trading_halted", "not_reconciled")

    eventually("the pair's rules are read, and entries are refused", refused_for_it, deadline_s=30)
    assert trader.posts(symbol) == []
    assert trader.trading()["reconciled"] is False
    trader.bot.sim("DELETE", "/sim/faults")
    eventually("it was compared", lambda: trader.trading()["reconciled"], deadline_s=40)
    eventually("entries leave again", lambda: _bought(trader, symbol), deadline_s=40)
    trader.holds(symbol, "20")


def test_open_position_and_its_plan_outlive_the_engine(trader: Trader, faults: Callable[..., None]) -> None:
    symbol = trader.open_market("KEPT")
    trader.buy(symbol)
    before = trader.holds(symbol, "20")
    trader.restart_engine()
    eventually("it was compared", lambda: trader.trading()["reconciled"], deadline_s=40)
    after = trader.position(symbol)
    assert after is not None
    assert {name: after[name] for name in ("id", "quantity", "cost", "plan", "entryPrice")} == {
        name: before[name] for name in ("id", "quantity", "cost", "plan", "entryPrice")
    }
    eventually("its pair is watched again", lambda: _first_leg_sold(trader, symbol), deadline_s=40)


def _first_leg_sold(trader: Trader, symbol: str) -> bool:
    trader.quote(symbol, "1.0600", "1.0700")
    position = trader.position(symbol)
    return position is not None and Decimal(position["quantity"]) == 12


def _bought(trader: Trader, symbol: str) -> bool:
    trader.quote(symbol, "0.9900", "1.0000")  # a book is told when it changes
    try:
        trader.buy(symbol)
    except Refused:
        return False
    return True
