"""Bad input to live trading: one clear answer each, recorded, and nothing sent (issue 3, bad input)."""

from decimal import Decimal

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "1e400", "Infinity", "twenty", "", "0x10"])
def test_amount_that_is_no_positive_number_is_refused_before_anything_is_sent(trader: Trader, amount: str) -> None:
    refused = trader.refusal("SOLUSDT", amount)
    assert refused.status == 422
    assert trader.posts("SOLUSDT") == []


def test_amount_below_the_venues_minimum_is_refused_and_recorded(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("TINY")
    refused = trader.refusal(symbol, "0.5")
    assert (refused.status, refused.error["code"]) == (409, "below_minimum")
    (trade,) = trader.trades(symbol)
    assert (trade["status"], trade["reason"], trade["mode"]) == ("rejected", "BELOW_MINIMUM", "live")
    assert trader.posts(symbol) == []


def test_amount_above_the_limit_is_refused_with_the_measured_value(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("LARGE")
    refused = trader.refusal(symbol, "101")
    assert (refused.status, refused.error["code"]) == (409, "above_max_trade")
    assert "101" in refused.error["message"]
    assert "100" in refused.error["message"]
    assert trader.posts(symbol) == []


def test_symbol_that_does_not_exist_is_refused(trader: Trader) -> None:
    refused = trader.refusal("NOSUCHCOINUSDT")
    assert (refused.status, refused.error["code"]) == (404, "unknown_symbol")
    assert trader.posts("NOSUCHCOINUSDT") == []


def test_command_sent_twice_buys_once(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("TWICE")
    first = trader.buy(symbol, key="the-same-key")
    second = trader.buy(symbol, key="the-same-key")
    assert second["tradeId"] == first["tradeId"]
    trader.holds(symbol, "20")
    assert len(trader.posts(symbol)) == 1


def test_stale_config_version_changes_nothing(trader: Trader) -> None:
    version = trader.bot.api("GET", "/config")["version"]
    with pytest.raises(Refused, match="stale_version") as refused:
        trader.bot.api("PUT", "/config", {"version": version - 1, "config": {"tradeUsdt": "30"}, "confirm": True})
    assert refused.value.status == 409
    assert trader.bot.api("GET", "/config")["version"] == version


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tradeUsdt": "200", "maxTradeUsdt": "100"}, "tradeUsdt"),
        ({"maxTradeUsdt": "-1"}, "maxTradeUsdt"),
        ({"stopLossPct": "100"}, "stopLossPct"),
        ({"takeProfit": [{"gainPct": "5", "sharePct": "60"}, {"gainPct": "9", "sharePct": "60"}]}, "takeProfit"),
        ({"maxTradeUsdt": "100000"}, "maxTradeUsdt"),
        ({"noSuchField": 1}, "noSuchField"),
    ],
)
def test_contradictory_or_impossible_limits_are_refused_by_field(
    trader: Trader, changes: dict[str, object], field: str
) -> None:
    version = trader.bot.api("GET", "/config")["version"]
    with pytest.raises(Refused) as refused:
        trader.bot.api("PUT", "/config", {"config": changes, "confirm": True})
    assert refused.value.status == 422
    assert field in str(refused.value)
    assert trader.bot.api("GET", "/config")["version"] == version


def test_high_value_entry_is_done_on_paper_and_live_after_confirmation(trader: Trader) -> None:
    version = trader.configure(autoTrade=True, dryRunEntries=True, highValueThresholdUsdt="10")
    try:
        symbol = trader.open_market("VALUABLE")
        (offered,) = eventually("it is offered", lambda: trader.trades(symbol, status="high_value_pending"))
        assert offered["mode"] == "dry-run"
        assert offered["configVersion"] == version
        assert trader.posts(symbol) == []
        answer = trader.bot.api("POST", f"/trade/{offered['id']}/confirm")
        assert answer["mode"] == "live"
        eventually("the venue has it", lambda: [o["status"] for o in trader.venue_orders(symbol)] == ["FILLED"])
        with pytest.raises(Refused, match="not_pending"):
            trader.bot.api("POST", f"/trade/{offered['id']}/confirm")
        assert len(trader.posts(symbol)) == 1
    finally:
        trader.configure(autoTrade=False, dryRunEntries=False, highValueThresholdUsdt="500")


def test_market_orders_refused_by_the_venue_become_one_capped_order(trader: Trader) -> None:
    trader.configure(autoTrade=True)
    try:
        symbol = trader.list_quietly("NOMARKET", openPrice=1.0)
        trader.bot.sim("POST", "/sim/orders/refuse", {"code": 30018, "symbol": symbol, "type": "MARKET", "side": "BUY"})
        trader.quote(symbol, "0.9900", "1.0000")
        orders = eventually("it is bought", lambda: [o for o in trader.venue_orders(symbol) if o["status"] == "FILLED"])
        assert [order["type"] for order in orders] == ["IMMEDIATE_OR_CANCEL"]
        assert Decimal(orders[0]["price"]) >= 1
        posts = [one["params"]["type"] for one in trader.posts(symbol)]
        assert posts == ["MARKET", "IMMEDIATE_OR_CANCEL"]
        ids = [one["params"]["newClientOrderId"] for one in trader.posts(symbol)]
        assert len(set(ids)) == 2, "another attempt is another order"
    finally:
        trader.configure(autoTrade=False)


def test_refused_commands_are_on_record_with_who_asked(trader: Trader) -> None:
    trader.refusal("ANOTHERNOSUCHUSDT")
    with pytest.raises(Refused, match="stale_version"):
        trader.bot.api("PUT", "/config", {"version": 1, "config": {"tradeUsdt": "31"}, "confirm": True})

    def on_record() -> bool:
        entries = trader.bot.api("GET", "/audit?limit=100")["entries"]
        text = str(entries)
        return "unknown_symbol" in text and "stale_version" in text and all(entry["who"] for entry in entries)

    eventually("both refusals are on record", on_record)
