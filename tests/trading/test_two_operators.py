"""Two people at once: the graver word stands, whoever speaks last, and both are on record (RELIABILITY 2.6, 96)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader
from tests.trading.conftest import OpenMarket


def _stops(trader: Trader) -> dict[int, str]:
    """Who stopped trading, by the number of the audit entry."""
    entries = trader.bot.api("GET", "/audit?limit=50")["entries"]
    return {entry["number"]: entry["who"] for entry in entries if entry["what"] == "kill"}


def test_pause_after_a_flatten_softens_nothing_and_both_are_on_record(trader: Trader, open_market: OpenMarket) -> None:
    symbol = open_market("TWOHANDS")
    trader.buy(symbol)
    trader.holds(symbol, "20")
    before = _stops(trader)
    trader.kill("flatten")
    assert trader.bot.command("pause", "--reason", "the other operator").returncode == 0
    trading = trader.trading()
    assert (trading["state"], trading["latched"], trading["armed"]) == ("halted", True, False)
    trader.holds(symbol, "0")
    stops = [who for number, who in _stops(trader).items() if number not in before]
    assert len(stops) == 2
    assert all(stops)
    trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "both agree"})
    eventually("trading is active", lambda: trader.trading()["state"] == "active")
    trader.arm()


def test_of_two_changes_to_one_version_of_the_limits_one_is_told_to_read_again(trader: Trader) -> None:
    version = trader.bot.api("GET", "/config")["version"]

    def change(amount: str) -> str:
        try:
            trader.bot.api("PUT", "/config", {"version": version, "config": {"tradeUsdt": amount}, "confirm": True})
        except Refused as refused:
            return str(refused.error["code"])
        return "done"

    with ThreadPoolExecutor(2) as hands:
        assert sorted(hands.map(change, ["21", "22"])) == ["done", "stale_version"]
    assert trader.bot.api("GET", "/config")["version"] == version + 1


@pytest.mark.parametrize("graver", ["flatten", "cancel"])
def test_of_two_stops_at_once_the_graver_stands(trader: Trader, graver: str) -> None:
    with ThreadPoolExecutor(2) as hands:
        list(hands.map(trader.kill, ["pause", graver]))
    expected = "halted" if graver == "flatten" else "reducing"
    assert (trader.trading()["state"], trader.trading()["latched"]) == (expected, True)
    trader.bot.api("POST", "/kill-switch", {"action": "resume", "reason": "test"})
    eventually("trading is active", lambda: trader.trading()["state"] == "active")
