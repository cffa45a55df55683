"""An order whose answer is missing is in doubt until proof, never failed, and never sent twice (RELIABILITY 3.3)."""

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.support.program import eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket

_numbers = count(1)

ACCEPTED_AND_LOST: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset", "when": "after"},
    "hang": {"kind": "hang", "when": "after"},
    "503": {"kind": "server_error", "status": 503, "when": "after"},
    "502 page": {"kind": "server_error", "status": 502, "html": True, "when": "after"},
    "504 page": {"kind": "server_error", "status": 504, "html": True, "when": "after"},
    "truncated": {"kind": "truncate"},
    "no json": {"kind": "not_json"},
    "empty": {"kind": "empty"},
    "stalled": {"kind": "stall"},
}


@pytest.mark.parametrize("how", ACCEPTED_AND_LOST)
def test_accepted_order_with_a_lost_answer_is_one_order_and_ends_filled(
    trader: Trader, open_market: OpenMarket, how: str
) -> None:
    symbol = open_market(f"LOST{next(_numbers)}")
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "times": 1, **ACCEPTED_AND_LOST[how]})
    trader.buy(symbol)
    order = trader.order_is(symbol, "filled")
    position = trader.holds(symbol, "20")
    (venue,) = trader.venue_orders(symbol)
    assert (venue["clientOrderId"], venue["status"]) == (order["clientOrderId"], "FILLED")
    assert Decimal(order["filledQuote"]) == Decimal(venue["cummulativeQuoteQty"])
    assert Decimal(position["cost"]) == Decimal("20.01")
    assert len(trader.posts(symbol)) == 1, "a submit is never repeated"


def test_order_invisible_after_its_acceptance_is_never_called_failed(trader: Trader, open_market: OpenMarket) -> None:
    """-2013 for seconds is evidence, no proof; the doubt keeps the whole amount reserved."""
    symbol = open_market("LATE")
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "times": 1, "kind": "late_visible", "ms": 9_000})
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "times": 1, "kind": "reset", "when": "after"})
    trader.bot.sim("POST", "/sim/faults", {"target": "stream:*private*", "kind": "drop", "forS": 9})
    trader.buy(symbol)
    seen: dict[str, None] = {}

    def filled() -> bool:
        order = trader.order(symbol)
        assert order is not None
        seen[order["status"]] = None
        return bool(order["status"] == "filled")

    trader.order_is(symbol, "in_doubt")
    assert trader.bot.api("GET", "/risk/metrics")["ordersInDoubt"] >= 1
    eventually("it is found", filled, deadline_s=40)
    assert set(seen) <= {"submitted", "in_doubt", "filled"}
    trader.holds(symbol, "20")
    assert len(trader.posts(symbol)) == len(trader.venue_orders(symbol)) == 1


def test_order_that_never_reached_the_venue_stays_in_doubt_until_proof(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("NEVER")
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "times": 1, "kind": "reset", "when": "before"})
    trader.buy(symbol)
    trader.order_is(symbol, "in_doubt", deadline_s=10)
    order = trader.order_is(symbol, "never_arrived", "not_sent", deadline_s=75)
    assert trader.venue_orders(symbol) == []
    assert trader.position(symbol) is None
    if order["status"] == "never_arrived":
        doubt_s = _seconds(order["endedAt"]) - _seconds(order["submittedAt"])
        assert doubt_s >= 30, "recvWindow 5 s and 25 s of grace come before any proof"


@pytest.mark.parametrize(("kind", "fits"), [("rate_limit", 429), ("ban", 418)])
def test_refusal_before_the_order_was_looked_at_is_definitive(
    trader: Trader, open_market: OpenMarket, kind: str, fits: int
) -> None:
    symbol = open_market(f"LIMITED{fits}")
    trader.bot.sim("POST", "/sim/faults", {"target": "newOrder", "times": 1, "kind": kind, "retryAfterS": 1})
    trader.buy(symbol)
    order = trader.order_is(symbol, "rejected", "not_sent", "never_arrived", deadline_s=20)
    assert order["status"] == "rejected"
    assert trader.venue_orders(symbol) == []
    assert len(trader.posts(symbol)) == 1
    eventually("orders may leave again", lambda: trader.trading()["gates"] == [], deadline_s=20)


def test_refused_cancel_and_fill_crossing_leave_the_executed_quantity(trader: Trader, open_market: OpenMarket) -> None:
    """A market order bigger than the book: the venue fills a part and cancels the rest; fills alone are held."""
    symbol = open_market("PART")
    trader.quote(symbol, "0.9900", "1.0000", size="12")
    trader.configure(minDepthMultiple="0", minExitDepthMultiple="0", entryType="market")
    try:
        trader.buy(symbol)
        order = trader.order_is(symbol, "canceled", "filled")
    finally:
        trader.configure(minDepthMultiple="1", minExitDepthMultiple="1", entryType="auto")
    (venue,) = trader.venue_orders(symbol)
    assert venue["status"] == "PARTIALLY_CANCELED"
    assert Decimal(order["filledQty"]) == Decimal(venue["executedQty"]) == 12
    trader.holds(symbol, "12")
    (trade,) = trader.trades(symbol)
    assert trade["status"] == "partially_filled"


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
