"""SC-006: start, see a listing and its trade, inspect the figures, change limits, stop everything; by page alone.

The simulator moves the market; whatever the operator does, the page's own buttons and keys do.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, go_to, signed_in
from tests.support.program import eventually
from tests.support.trader import Trader, trading_bot

LATE_MS = 30_000


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[Trader]:
    with trading_bot(tmp_path / "bot", live=False) as running:
        yield running


def _state(page: Page, word: str) -> None:
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text(word, timeout=LATE_MS)


def _picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"operate-{name}-{page.viewport_size['width']}.png", full_page=True)  # type: ignore[index]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_operator_does_the_whole_flow_from_the_dashboard_alone(
    trader: Trader, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page(viewport=viewport), trader.bot)
    page.evaluate("() => { window.stillTheSamePage = true }")

    # Start the bot.
    page.get_by_role("button", name="Stop monitoring").click()
    _state(page, "stopped")
    page.get_by_role("button", name="Start monitoring").click()
    _state(page, "running")

    # See a listing, and its trade on the listing's own page.
    symbol = trader.list_quietly("WALK")
    trader.quote(symbol, "1.00", "1.01")
    eventually("it is bought", lambda: trader.trades(symbol, status="filled"), deadline_s=30)
    for price in ("1.01", "1.03", "1.02"):
        trader.trade_at(symbol, price)
    go_to(page, "Listings")
    page.get_by_role("row", name="WALK").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("WALK")
    expect(page.get_by_role("img", name=re.compile("WALK.USDT opened at"))).to_be_visible(timeout=LATE_MS)
    expect(page.get_by_role("heading", name="Why it was bought")).to_be_visible()
    guards = page.get_by_role("table", name=re.compile("Guards of this decision"))
    expect(guards.get_by_role("row", name=re.compile("Spread"))).to_contain_text("bps")
    expect(page.get_by_role("table", name="Orders of this trade")).to_contain_text("filled")
    expect(page.get_by_role("table", name=re.compile("Signals about this listing"))).to_be_visible()
    expect(page.get_by_role("heading", name="Position and exit plan")).to_be_visible()
    expect(page.get_by_text("Bought", exact=True)).to_be_visible()
    _picture(page, "listing")

    # Inspect the figures.
    go_to(page, "Performance")
    stages = page.get_by_role("table", name="Percentiles of every stage")
    expect(stages.get_by_role("row", name=re.compile("Tick to trade"))).to_contain_text(re.compile(r"\d (µs|ms)"))
    expect(page.get_by_role("img", name=re.compile("Histogram:"))).to_be_visible()
    page.get_by_role("radio", name="course").click()
    expect(page.get_by_role("img", name=re.compile("Course over the window"))).to_be_visible()
    _picture(page, "performance")

    # Change a limit, and take it back.
    go_to(page, "Risk")
    before = trader.bot.api("GET", "/config")
    field = page.get_by_label("Amount per entry")
    field.fill("21.5")
    expect(page.get_by_role("region", name="What changes")).to_contain_text("21.5")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    page.get_by_role("button", name=f"Roll back to version {before['version']}").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Roll back to version")).click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    now = trader.bot.api("GET", "/config")
    assert (now["version"], now["config"]) == (before["version"] + 2, before["config"])

    # What is missing before live trading, and that nothing was armed meanwhile.
    go_to(page, "Go live")
    expect(page.get_by_role("button", name="Arm live trading")).to_be_disabled()
    expect(page.get_by_text("The program runs in dry-run.")).to_be_visible()

    # Stop everything, by keys.
    page.keyboard.press("Shift+K")
    panel = page.get_by_role("dialog", name="Kill switch")
    expect(panel.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Flatten")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status", name="Answer of the engine")).to_contain_text("Flatten: done after")
    page.keyboard.press("Escape")
    _state(page, "HALTED")
    eventually(
        "all is sold", lambda: (p := trader.position(symbol)) and p["status"].startswith("closed"), deadline_s=30
    )
    page.get_by_role("button", name="Stop monitoring").click()
    _state(page, "stopped")

    # And who did all that.
    go_to(page, "Audit log")
    page.get_by_label("What").select_option("command")
    expect(page.get_by_role("table", name="Audit log, newest first").get_by_role("row").nth(1)).to_contain_text(
        "stop monitor"
    )
    expect(page.get_by_role("row", name=re.compile("kill"))).to_contain_text("operator")
    page.get_by_role("button", name="Check the chain").click()
    expect(page.get_by_text(re.compile(r"all \d+ rows are as they were written"))).to_be_visible()
    _picture(page, "audit")
    assert page.evaluate("() => window.stillTheSamePage"), "all of it without a reload"
