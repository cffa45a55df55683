"""The kill switch with orders in flight: after the latch no entry byte leaves; what had left is followed to its end."""

import sqlite3
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket

LATCH = "kill.latch"


@pytest.fixture(autouse=True)
def resumed(trader: Trader) -> None:
    """Trading is active and armed before each test."""
    if trader.trading()["latched"]:
        eventually("the engine lives", lambda: trader.bot.api("GET", "/health")["engineAlive"], deadline_s=40)

        def active() -> bool:
            try:
                trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "next test"})
            except Refused:
                return False
            return bool(trader.trading()["state"] == "active")

        eventually("trading is active", active, deadline_s=40)
        trader.arm()


def _held_back(trader: Trader, base: str, *, ms: int = 2_000) -> tuple[str, Future[dict[str, Any]]]:
    """Send an entry whose answer the venue holds back; returns when the venue has it."""
    symbol = trader.open_market(base)
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "kind": "delay", "times": 1, "ms": ms})
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(trader.buy, symbol)
    pool.shutdown(wait=False)
    eventually("the venue has it", lambda: trader.venue_orders(symbol))
    return symbol, answer


def test_kill_with_an_order_in_flight_follows_it_to_its_end_and_lets_nothing_more_leave(
    trader: Trader, open_market: OpenMarket
) -> None:
    symbol, answer = _held_back(trader, "FLIGHT")
    other = open_market("AFTER")
    trader.kill("cancel")
    latched_ns = time.time_ns()
    refused = trader.refusal(other)
    assert (refused.status, refused.error["code"]) == (409, "kill_latched")
    order = trader.order_is(symbol, "filled")
    answer.result(20)
    assert order["venueOrderId"] == trader.venue_orders(symbol)[0]["orderId"]
    trader.holds(symbol, "20")
    assert [one for one in trader.posts() if one["wallNs"] > latched_ns] == []


def test_flatten_sells_what_an_order_in_flight_still_brings(trader: Trader, open_market: OpenMarket) -> None:
    symbol, answer = _held_back(trader, "FLATTEN")
    trader.kill("flatten")
    answer.result(20)
    trader.holds(symbol, "0", deadline_s=40)
    assert [order["side"] for order in trader.venue_orders(symbol)] == ["BUY", "SELL"]
    assert trader.trading()["state"] == "halted"


CLOCK_DOUBT_MS = 5
"""Timestamps are in the venue's clock, known to a few milliseconds."""


@pytest.mark.parametrize("way", ["api", "file", "command"])
def test_latch_stops_a_burst_of_entries_in_the_middle(trader: Trader, open_market: OpenMarket, way: str) -> None:
    """Twelve entries at once are more than the rate limit lets out; the latch comes between them."""
    symbols = [open_market(f"{way.upper()}{number}") for number in range(12)]
    before = len(trader.posts())
    with ThreadPoolExecutor(len(symbols)) as pool:
        answers = [pool.submit(_bought, trader, symbol) for symbol in symbols]
        eventually("the first have left", lambda: len(trader.posts()) > before)
        if way == "api":
            trader.kill("pause")
        elif way == "file":
            (trader.bot.data_dir / LATCH).write_text("pause")
        else:
            assert trader.bot.command("pause", "--reason", "test").returncode == 0
        latched_ns = time.time_ns()
        entered = [answer.result(40) for answer in answers]
    eventually("the engine knows", lambda: trader.trading()["latched"])
    # By the instant of signing (I5): how long bytes lie in a socket before a busy venue reads them says nothing.
    late = [one for one in trader.posts() if int(one["params"]["timestamp"]) > latched_ns / 1e6 + CLOCK_DOUBT_MS]
    assert late == [], "an entry was signed after the latch stood"
    assert len(trader.posts()) < before + len(symbols), "it came too late to prove anything"
    for symbol, was_entered in zip(symbols, entered, strict=True):
        if was_entered:
            trader.holds(symbol, "20")
        else:
            assert trader.venue_orders(symbol) == []


def _bought(trader: Trader, symbol: str) -> bool:
    try:
        trade = trader.buy(symbol)
    except Refused as refused:
        if refused.error["code"] not in ("kill_latched", "trading_reducing", "not_armed"):
            raise
        return False
    return bool(trade["status"] != "failed")


def test_latch_stands_while_every_database_is_locked(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("LOCKED")
    before = len(trader.posts())
    with ExitStack() as locks:
        for name in ("ledger.db", "inbox.db"):
            _lock(locks, trader.bot.data_dir / name)
        view = trader.kill("pause")
        assert view["latched"] is True
    eventually("the engine knows", lambda: trader.trading()["latched"], deadline_s=60)
    assert trader.refusal(symbol).error["code"] in ("kill_latched", "not_armed")
    assert len(trader.posts()) == before


def _lock(locks: ExitStack, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    locks.callback(connection.close)
    connection.execute("BEGIN IMMEDIATE")


def test_latch_outlives_a_killed_engine(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("OUTLIVES")
    trader.kill("pause")
    trader.restart_engine()
    assert trader.trading()["latched"] is True

    def refused_for_the_latch() -> bool:
        return bool(trader.refusal(symbol).error["code"] == "kill_latched")  # unknown until the rules are read again

    eventually("it is refused for the latch", refused_for_the_latch, deadline_s=30)
    assert trader.posts(symbol) == []


def test_panic_beside_a_running_engine_latches_and_leaves_the_venue_to_it(
    trader: Trader, open_market: OpenMarket
) -> None:
    symbol = open_market("PANIC")
    ended = trader.bot.command("panic")
    assert "Traceback" not in ended.stderr
    eventually("the engine knows", lambda: trader.trading()["latched"])
    assert trader.refusal(symbol).error["code"] == "kill_latched"
    assert trader.posts(symbol) == []
