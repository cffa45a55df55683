"""The whole program trades: a listing of the simulator is bought, shown, closed by hand and stopped from the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, go_to, signed_in
from tests.support.program import eventually
from tests.support.trader import Trader, trading_bot

LATE_MS = 30_000
"""From the first quote to the page, on a machine that does other things as well."""
WITHOUT_EXITS = {"takeProfit": [], "trailingStopPct": "0", "stopLossPct": "90", "maxHoldMinutes": 60}


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    with trading_bot(tmp_path / "bot", live=False) as running:
        running.configure(**WITHOUT_EXITS)
        yield running


@pytest.fixture
def live_trader(tmp_path: Path) -> Iterator[Trader]:
    with trading_bot(tmp_path / "bot", live=True) as running:
        running.configure(**WITHOUT_EXITS)
        yield running


def _word(page: Page, word: str) -> None:
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text(word)


def _kill(page: Page, step: str) -> None:
    page.get_by_role("button", name="Kill").click()
    panel = page.get_by_role("dialog", name="Kill switch")
    panel.get_by_role("button", name=step, exact=True).click()
    expect(panel.get_by_role("status", name="Answer of the engine")).to_contain_text(f"{step}: done after")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_listing_bought_on_paper_appears_is_closed_by_hand_and_paused(
    trader: Trader, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page(viewport=viewport), trader.bot)
    _word(page, "ACTIVE")
    page.evaluate("() => { window.stillTheSamePage = true }")
    symbol = trader.list_quietly("NOVEL")
    trader.quote(symbol, "1.00", "1.01")
    expect(page.get_by_role("button", name=f"Close {symbol}")).to_be_visible(timeout=LATE_MS)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"whole-trade-{viewport['width']}.png")
    go_to(page, "Trades")
    table = page.get_by_role("table", name="Trades, newest first")
    expect(table.get_by_role("row", name=symbol)).to_contain_text("filled")
    page.get_by_role("button", name=f"Close {symbol}").click()
    page.get_by_role("dialog", name="Close a position").get_by_role("button", name="Sell").click()
    expect(page.get_by_text("Nothing is held.")).to_be_visible(timeout=LATE_MS)
    expect(table.get_by_role("row", name=f"{symbol} sell manual close")).to_be_visible()
    assert page.evaluate("() => window.stillTheSamePage"), "all of it without a reload"
    _kill(page, "Pause")
    _word(page, "REDUCING")
    barred = trader.list_quietly("BARRED")
    trader.quote(barred, "1.00", "1.01")
    eventually("the listing is decided", lambda: (trader.listing(barred) or {}).get("outcome") != "pending")
    assert not trader.trades(barred, status="filled"), "nothing is bought while paused"


def test_armed_program_says_live_everywhere_and_flatten_sells_for_real(
    live_trader: Trader, open_page: OpenPage
) -> None:
    page = signed_in(open_page(), live_trader.bot)
    expect(page.get_by_text("LIVE until")).to_be_visible()
    expect(page).to_have_title("● LIVE mexc-sniper")
    symbol = live_trader.list_quietly("REAL")
    live_trader.quote(symbol, "1.00", "1.01")
    go_to(page, "Trades")
    row = page.get_by_role("table", name="Open positions").get_by_role("row", name=symbol)
    expect(row).to_contain_text("LIVE", timeout=LATE_MS)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "whole-trade-live.png")
    _kill(page, "Flatten")
    expect(page.get_by_text("Nothing is held.")).to_be_visible(timeout=LATE_MS)
    _word(page, "HALTED")
    assert [order["side"] for order in live_trader.venue_orders(symbol)] == ["BUY", "SELL"]


def test_limit_is_changed_on_the_page_and_judged_by_the_engine(trader: Trader, open_page: OpenPage) -> None:
    page = signed_in(open_page(), trader.bot)
    go_to(page, "Risk")
    field = page.get_by_label("Amount per entry")
    field.fill("900")  # above the largest entry
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("alert").or_(page.get_by_role("dialog")).first).to_be_visible()
    version = trader.bot.api("GET", "/config")["version"]
    page.keyboard.press("Escape")
    field.fill("21")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    now = trader.bot.api("GET", "/config")
    assert (now["version"], now["config"]["tradeUsdt"]) == (version + 1, "21")
