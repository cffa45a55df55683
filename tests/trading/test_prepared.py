"""Announced listings over sockets: made ready before they open, entered at the first quote or at the announced time."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from mexc_sniper.core.clock import ns_from_iso
from tests.support.program import eventually
from tests.support.trader import Trader, trading_bot

CLOCK_NS = 20_000_000
"""How well the program knows the venue's clock, which it measures over one connection (RELIABILITY 2.4, row 59)."""
NOW = dict.fromkeys(("calendarInS", "rowInS", "flagInS", "defaultInS", "apiOpenInS"), 0)


@pytest.fixture(scope="module")
def trader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trader]:
    """A live, armed program that asks for the calendar every two seconds."""
    often = {"MEXC_SNIPER_MONITOR__CALENDAR_INTERVAL_MS": "2000"}
    with trading_bot(tmp_path_factory.mktemp("prepared") / "data", live=True, settings=often) as running:
        yield running


def _announce(trader: Trader, base: str, opens_in_s: float) -> str:
    """Announce a pair that nobody quotes; returns its symbol once its entry lies ready."""
    wanted = {"base": base, "openPrice": 1.0, "openInS": opens_in_s, "quoteInS": "never", "tradeInS": "never", **NOW}
    symbol = str(trader.bot.sim("POST", "/sim/listings", wanted)["symbol"])
    eventually(f"the entry of {symbol} lies ready", lambda: _row(trader, symbol).get("preparedAt"), deadline_s=20)
    return symbol


def _row(trader: Trader, symbol: str) -> dict[str, Any]:
    return trader.listing(symbol) or {}


def _is_due(trader: Trader, symbol: str, *, by_s: float = 0) -> bool:
    return time.time_ns() >= ns_from_iso(_row(trader, symbol)["scheduledFor"]) + by_s * 1e9


def _time(trader: Trader, symbol: str, cap: str | None) -> None:
    path = f"/listings/{_row(trader, symbol)['id']}/timed-entry"
    trader.bot.api("PUT", path, {"capPrice": cap, "offsetMs": 0})


def test_prepared_entry_leaves_at_the_first_quote_as_one_order(trader: Trader) -> None:
    symbol = _announce(trader, "READY", 12)
    eventually("its time has come", lambda: _is_due(trader, symbol), deadline_s=30)
    trader.quote(symbol, "0.9900", "1.0000")
    trader.order_is(symbol, "filled")
    (post,) = trader.posts(symbol)
    assert post["params"]["quoteOrderQty"] == "20.0000"
    (entry,) = trader.trades(symbol, role="entry")
    assert (entry["mode"], entry["trigger"], entry["status"]) == ("live", "first_quote", "filled")
    assert _row(trader, symbol)["outcome"] == "entered"
    assert _row(trader, symbol)["preparedAt"] is None


def test_timed_entry_is_at_the_venue_at_the_announced_time_and_pays_no_more_than_the_cap(trader: Trader) -> None:
    symbol = _announce(trader, "ONTIME", 12)
    _time(trader, symbol, "1.2")
    due_ns = ns_from_iso(_row(trader, symbol)["scheduledFor"])
    eventually("its order has come", lambda: trader.posts(symbol), deadline_s=30)
    post = trader.posts(symbol)[0]  # nobody quotes: the venue is not open, and further attempts may follow
    assert (post["params"]["type"], Decimal(post["params"]["price"])) == ("IMMEDIATE_OR_CANCEL", Decimal("1.2"))
    assert due_ns - CLOCK_NS <= post["wallNs"] < due_ns + 1_000_000_000
    eventually("it is given up", lambda: _row(trader, symbol)["outcome"] == "skipped", deadline_s=20)
    (entry,) = trader.trades(symbol, role="entry")
    assert entry["trigger"] == "scheduled"
    ids = [one["params"]["newClientOrderId"] for one in trader.posts(symbol)]
    assert len(ids) == len(set(ids)) == 4


def test_timed_entry_taken_back_sends_nothing_at_its_time(trader: Trader) -> None:
    symbol = _announce(trader, "CALLEDOFF", 12)
    _time(trader, symbol, "1.2")
    _time(trader, symbol, None)
    assert _row(trader, symbol)["timedEntry"] is None
    eventually("its time has passed", lambda: _is_due(trader, symbol, by_s=1), deadline_s=30)
    assert trader.posts(symbol) == []


def test_killed_while_an_entry_lies_ready_the_next_life_sends_it_once(trader: Trader) -> None:
    """The journal holds the dead life's signed attempts, and that none of them was leaving: nothing is in doubt."""
    symbol = _announce(trader, "REBORN", 55)
    before = _row(trader, symbol)["preparedAt"]
    trader.restart_engine()
    trader.arm()
    eventually("it lies ready again", lambda: _row(trader, symbol)["preparedAt"] not in (None, before), deadline_s=20)
    assert trader.orders(symbol) == []
    trader.quote(symbol, "0.9900", "1.0000")
    trader.trade_at(symbol, "1.0000")
    eventually("it is entered", lambda: _row(trader, symbol)["outcome"] == "entered", deadline_s=60)
    (venue,) = trader.venue_orders(symbol)
    assert len(trader.posts(symbol)) == 1
    filled = [order for order in trader.orders(symbol) if order["status"] == "filled"]
    assert [order["clientOrderId"] for order in filled] == [venue["clientOrderId"]]
