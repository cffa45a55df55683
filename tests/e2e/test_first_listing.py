"""What a newcomer does: open the link, press Start, watch a listing arrive, press Stop."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, signed_in
from tests.support.program import Bot


def _start(page: Page) -> None:
    page.get_by_role("button", name="Start monitoring").click()
    expect(page.get_by_role("button", name="Stop monitoring")).to_be_visible()
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("running")


def _inject(page: Page, symbol: str) -> None:
    page.get_by_role("button", name="Inject test listing").click()
    dialog = page.get_by_role("dialog", name="Inject a test listing")
    expect(dialog).to_contain_text("not a real listing")
    dialog.get_by_label("Symbol").fill(symbol)
    dialog.get_by_role("button", name="Inject the test").click()
    expect(dialog).to_be_hidden()
    page.mouse.move(2, 2)  # rows are held back while the pointer rests on the table


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_overview_from_empty_to_injected_listing_to_stop(
    new_bot: Bot, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page(viewport=viewport), new_bot)
    expect(page.get_by_text("No listing seen yet.")).to_be_visible()
    page.evaluate("() => { window.stillTheSamePage = true }")
    _start(page)
    _inject(page, "FIRSTUSDT")
    row = page.get_by_role("row", name="FIRST/USDT")
    expect(row).to_be_visible()
    expect(row).to_contain_text("test")
    assert page.evaluate("() => window.stillTheSamePage"), "the row must come without a reload"
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"first-listing-{viewport['width']}.png")
    page.get_by_role("button", name="Stop monitoring").click()
    expect(page.get_by_role("button", name="Start monitoring")).to_be_visible()
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("stopped")


def test_inject_while_stopped_says_what_to_do(bot: Bot, open_page: OpenPage) -> None:
    bot.set_monitor(False)
    page = signed_in(open_page(), bot)
    page.get_by_role("button", name="Inject test listing").click()
    dialog = page.get_by_role("dialog", name="Inject a test listing")
    dialog.get_by_label("Symbol").fill("REFUSEDUSDT")
    dialog.get_by_role("button", name="Inject the test").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    expect(dialog.get_by_label("Symbol")).to_have_value("REFUSEDUSDT")


def test_listing_of_the_venue_arrives_with_its_sources(bot: Bot, open_page: OpenPage) -> None:
    bot.set_monitor(True)
    page = signed_in(open_page(), bot)
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("feed live")
    symbol = bot.sim("POST", "/sim/listings", {"base": "NOVEL", "rowInS": 0, "tradeInS": 1})["symbol"]
    row = page.get_by_role("row", name="NOVEL")
    expect(row).to_be_visible()
    expect(row).to_contain_text("open", timeout=20_000)
    row.get_by_role("link", name="NOVEL").click()
    expect(page.get_by_role("heading", name="NOVEL")).to_be_visible()
    signals = page.get_by_role("table", name="Signals about this listing")
    expect(signals.get_by_role("row")).not_to_have_count(1)
    assert symbol == "NOVELUSDT"


def test_postponed_listing_counts_down_and_shows_old_and_new_time(bot: Bot, open_page: OpenPage) -> None:
    bot.set_monitor(True)
    page = signed_in(open_page(), bot)
    bot.sim(
        "POST",
        "/sim/listings",
        {"kind": "postponed", "base": "SOONER", "openInS": 300, "postponeInS": 6, "postponedByS": 120},
    )
    page.get_by_role("link", name="Calendar").first.click()
    row = page.get_by_role("row", name="SOONER")
    expect(row).to_contain_text(re.compile(r"00:0[4-7]:\d\d"), timeout=45_000)
    expect(row).to_contain_text("moved", timeout=45_000)
    expect(row.get_by_role("time")).not_to_have_count(2)


def test_burst_of_listings_gives_every_row_once(bot: Bot, open_page: OpenPage) -> None:
    bot.set_monitor(True)
    page = signed_in(open_page(), bot)
    expect(page.get_by_role("status", name="State of the bot")).to_contain_text("feed live")
    burst = bot.sim("POST", "/sim/listings", {"count": 50, "spreadS": 1})
    bases = {life["base"] for life in burst["listings"]}
    assert len(bases) == 50
    for base in bases:
        expect(page.get_by_role("link", name=f"{base}/USDT", exact=True)).to_have_count(1, timeout=20_000)
