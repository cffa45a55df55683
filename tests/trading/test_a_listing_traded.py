"""One listing's whole way, in dry-run and live alike: entry, take-profit ladder, trailing stop, time exit, accounts."""

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from tests.support.program import eventually
from tests.support.trader import Trader, trading_bot

FEE = Decimal("0.0005")
"""The simulator's taker fee."""
MODES = ("dry-run", "live")
HELD = "HELDUSDT"


@pytest.fixture(scope="module")
def traders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trader]]:
    """Both modes side by side; each holds a coin from the start that only time can sell."""
    with ExitStack() as running:
        started = {
            mode: running.enter_context(trading_bot(tmp_path_factory.mktemp(mode) / "data", live=mode == "live"))
            for mode in MODES
        }
        for trader in started.values():
            trader.configure(maxHoldMinutes=1)
            trader.list_quietly("HELD", openPrice=1.0)
            trader.quote(HELD, "0.9900", "1.0000")
        yield started


@pytest.mark.parametrize("mode", MODES)
def test_listing_is_entered_and_sold_by_ladder_and_trailing_stop(traders: dict[str, Trader], mode: str) -> None:
    trader = traders[mode]
    before = trader.holdings("USDT")
    symbol = trader.list_quietly("LADDER", openPrice=1.0)
    for bid, ask, role, number in (
        ("0.9900", "1.0000", "entry", 1),
        ("1.0600", "1.0700", "take_profit", 2),  # the first leg waits for +5 %
        ("1.1300", "1.1400", "take_profit", 3),  # the second for +12 %; the trailing stop follows from +8 %
        ("1.0500", "1.0600", "trailing_stop", 4),  # 6 % below the peak is 1.0622
    ):
        if role == "trailing_stop":
            trader.trade_at(symbol, "1.0700")  # market orders fill within 5 % of the last price only
        trader.quote(symbol, bid, ask)
        traded = eventually(
            f"{role} is filled",
            lambda number=number: (
                len(found := trader.trades(symbol)) == number
                and found[-1]["status"] == "filled"
                and Decimal(found[-1]["fee"]) > 0
                and found
            ),
        )
        assert traded[-1]["role"] == role
    position = eventually("it is closed", lambda: (p := trader.position(symbol)) and p["status"] == "closed" and p)
    entry, first, second, rest = trader.trades(symbol)
    assert {trade["mode"] for trade in (entry, first, second, rest)} == {mode}
    assert [Decimal(trade["baseQty"]) for trade in (entry, first, second, rest)] == [20, 8, 6, 6]
    assert [Decimal(trade["avgPrice"]) for trade in (entry, first, second, rest)] == [
        Decimal(price) for price in ("1", "1.06", "1.13", "1.05")
    ]
    bought, sold = Decimal(20), 8 * Decimal("1.06") + 6 * Decimal("1.13") + 6 * Decimal("1.05")
    assert Decimal(position["fees"]["USDT"]) == (bought + sold) * FEE
    assert Decimal(position["realizedPnl"]) == sold * (1 - FEE) - bought * (1 + FEE)
    assert sum(Decimal(trade["fee"]) for trade in (entry, first, second, rest)) == (bought + sold) * FEE
    listing = trader.listing(symbol)
    assert listing is not None
    assert (listing["outcome"], listing["reason"]) == ("entered", "ENTERED")
    assert entry["listingId"] == listing["id"]
    assert entry["tickToTradeMs"] is not None
    assert entry["roundTripMs"] is not None
    if mode == "dry-run":
        assert trader.posts(symbol) == []
        assert trader.holdings("USDT") == before
    else:
        _logs_agree(trader, symbol)


@pytest.mark.parametrize("mode", MODES)
def test_stop_behind_a_gap_sells_at_the_price_there_is_and_records_it(traders: dict[str, Trader], mode: str) -> None:
    trader = traders[mode]
    symbol = trader.list_quietly("GAP", openPrice=1.0)
    trader.quote(symbol, "0.9900", "1.0000")
    eventually("it is held", lambda: (p := trader.position(symbol)) and Decimal(p["quantity"]) == 20)
    trader.trade_at(symbol, "0.6500")
    trader.quote(symbol, "0.6500", "0.6600")  # the stop stands at 0.80
    position = eventually("it is sold", lambda: (p := trader.position(symbol)) and p["status"] == "closed" and p)
    exit_ = trader.trades(symbol, status="filled")[-1]
    assert exit_["role"] == "stop_loss"
    assert Decimal(exit_["avgPrice"]) == Decimal("0.65")
    assert Decimal(position["realizedPnl"]) == 20 * Decimal("0.65") * (1 - FEE) - 20 * (1 + FEE)


def test_fall_beyond_the_venues_market_order_cap_is_sold_by_limit(traders: dict[str, Trader]) -> None:
    """The last trade is 7 % above the bid: the venue returns a market sell unfilled for as long as that lasts."""
    trader = traders["live"]
    symbol = trader.list_quietly("BEYOND", openPrice=1.0)
    trader.quote(symbol, "0.9900", "1.0000")
    eventually("it is held", lambda: (p := trader.position(symbol)) and Decimal(p["quantity"]) == 20)
    trader.quote(symbol, "1.1300", "1.1400")
    eventually("both legs are sold", lambda: (p := trader.position(symbol)) and Decimal(p["quantity"]) == 6)
    trader.quote(symbol, "1.0500", "1.0600")
    eventually("the rest is sold", lambda: (p := trader.position(symbol)) and p["status"] == "closed")
    stopped = [order for order in trader.orders(symbol) if order["role"] == "trailing_stop"]
    assert [(order["type"], order["status"]) for order in stopped] == [
        ("MARKET", "canceled"),
        ("IMMEDIATE_OR_CANCEL", "filled"),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_position_that_never_reached_a_barrier_is_sold_when_its_time_is_over(
    traders: dict[str, Trader], mode: str
) -> None:
    trader = traders[mode]

    def sold() -> Any:
        found = trader.position(HELD)
        return found is not None and found["status"] == "closed" and found

    position = eventually("time has sold it, in a book that has not moved for a minute", sold, deadline_s=100)
    entry, exit_ = trader.trades(HELD, status="filled")
    assert (entry["role"], exit_["role"]) == ("entry", "time_exit")
    assert Decimal(exit_["baseQty"]) == Decimal(entry["baseQty"]) == 20
    assert Decimal(position["realizedPnl"]) == 20 * Decimal("0.99") * (1 - FEE) - 20 * (1 + FEE)
    if mode == "live":
        _logs_agree(trader, HELD)


def _logs_agree(trader: Trader, symbol: str) -> None:
    """The venue's own order log says what the ledger says, fees included, and one request made each order."""
    theirs = {order["clientOrderId"]: order for order in trader.venue_orders(symbol)}
    ours = {order["clientOrderId"]: order for order in trader.orders(symbol)}
    assert ours.keys() == theirs.keys()
    assert sorted(one["params"]["newClientOrderId"] for one in trader.posts(symbol)) == sorted(theirs)
    fills = {fill["id"]: fill for trade in trader.trades(symbol) for fill in trader.detail(trade["id"])["fills"]}
    for name, order in ours.items():
        venue = theirs[name]
        assert order["status"] == venue["status"].lower()
        assert order["venueOrderId"] == venue["orderId"]
        assert Decimal(order["filledQty"]) == Decimal(venue["executedQty"])
        assert Decimal(order["filledQuote"]) == Decimal(venue["cummulativeQuoteQty"])
        for execution in venue["fills"]:
            fill = fills.pop(execution["tradeId"])
            assert (Decimal(fill["price"]), Decimal(fill["baseQty"]), Decimal(fill["fee"]), fill["feeAsset"]) == (
                Decimal(execution["price"]),
                Decimal(execution["quantity"]),
                Decimal(execution["fee"]),
                execution["feeAsset"],
            )
    assert not fills, "the venue knows nothing of these"
