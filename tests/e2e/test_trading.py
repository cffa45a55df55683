"""Trades, positions and what waits for the operator, as the page shows and asks them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.trading import TradeStatus
from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, signed_in
from tests.e2e.desk import Desk, a_desk
from tests.support.program import eventually


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path / "desk") as running:
        yield running


def _trades(page: Page, desk: Desk, query: str = "") -> Page:
    page.goto(f"{desk.url}/dashboard/trades{query}")
    expect(page.get_by_role("heading", level=1, name="Trades")).to_be_attached()
    return page


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_trade_appears_without_reload_on_overview_and_trades(
    desk: Desk, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page(viewport=viewport), desk)
    page.evaluate("() => { window.stillTheSamePage = true }")
    desk.position("ALPHAUSDT")
    expect(page.get_by_text("ALPHAUSDT bought for 20.00, dry-run")).to_be_visible()
    expect(page.get_by_role("button", name="Close ALPHAUSDT")).to_be_visible()
    page.get_by_role("navigation", name="Pages of the dashboard").get_by_role("link", name="Trades").click()
    row = page.get_by_role("table", name="Trades, newest first").get_by_role("row", name="ALPHAUSDT")
    expect(row).to_contain_text("filled")
    page.mouse.move(2, 2)
    desk.denied("BETAUSDT")
    expect(page.get_by_role("row", name="BETAUSDT")).to_contain_text("Bid and ask are too far apart.")
    assert page.evaluate("() => window.stillTheSamePage"), "rows must come without a reload"
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"trades-{viewport['width']}.png", full_page=True)


def test_position_follows_the_live_price_and_keeps_its_sign(desk: Desk, open_page: OpenPage) -> None:
    desk.position("ALPHAUSDT")
    page = _trades(signed_in(open_page(), desk), desk)
    row = page.get_by_role("table", name="Open positions").get_by_role("row", name="ALPHAUSDT")
    expect(row).to_contain_text("no price yet")
    desk.mark("ALPHAUSDT", "0.05")
    expect(row).to_contain_text("+2.0")  # 441.2 × 0.05 − 20.01
    desk.mark("ALPHAUSDT", "0.04")
    expect(row).to_contain_text("−2.3")


def test_close_asks_first_with_amount_symbol_and_mode(desk: Desk, open_page: OpenPage) -> None:
    desk.position("ALPHAUSDT")
    page = _trades(signed_in(open_page(), desk), desk)
    page.get_by_role("button", name="Close ALPHAUSDT").click()
    dialog = page.get_by_role("dialog", name="Close a position")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert not desk.heard, "Enter alone must sell nothing"
    page.get_by_role("button", name="Close ALPHAUSDT").click()
    dialog.get_by_role("button", name="Sell 441.2 ALPHA, dry-run").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Nothing is held.")).to_be_visible()
    assert [command.verb for command in desk.heard] == [Verb.CLOSE_POSITION]


def test_filters_are_in_the_url_and_survive_a_reload(desk: Desk, open_page: OpenPage) -> None:
    desk.trade("ALPHAUSDT")
    desk.trade("BETAUSDT", account=Account.LIVE, status=TradeStatus.IN_DOUBT)
    page = _trades(signed_in(open_page(), desk), desk)
    table = page.get_by_role("table", name="Trades, newest first")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("combobox", name="Mode").select_option("live")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(re.compile("mode=live"))
    page.reload()
    expect(table.get_by_role("row", name="BETAUSDT")).to_contain_text("in doubt")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("combobox", name="Status").select_option("filled")
    expect(table.get_by_role("row", name="ALPHAUSDT")).to_be_visible()
    expect(table.get_by_role("row", name="BETAUSDT")).to_be_hidden()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("searchbox", name="Filter by symbol").fill("nosuch")
    expect(page.get_by_text("No trade matches.")).to_be_visible()
    expect(page).to_have_url(re.compile("symbol=NOSUCH"))


def test_older_trades_are_a_page_away(desk: Desk, open_page: OpenPage) -> None:
    for number in range(55):
        desk.trade(f"COIN{number}USDT")
    page = _trades(signed_in(open_page(), desk), desk)
    table = page.get_by_role("table", name="Trades, newest first")
    expect(page.get_by_text("55 trades recorded, page 1 of 2")).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(table.get_by_role("row", name="COIN0USDT")).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(6)


def test_detail_of_a_denied_trade_names_the_guard_its_value_and_its_limit(desk: Desk, open_page: OpenPage) -> None:
    desk.denied("BETAUSDT")
    page = _trades(signed_in(open_page(), desk), desk)
    page.get_by_role("link", name="BETAUSDT").click()
    expect(page.get_by_role("heading", name="Why it was not bought")).to_be_visible()
    guard = page.get_by_role("table", name="Guards of this decision").get_by_role("row", name="Spread")
    expect(guard).to_contain_text("refused")
    expect(guard).to_contain_text("812 bps")
    expect(guard).to_contain_text("500 bps")
    page.get_by_role("link", name="its listing").click()
    expect(page.get_by_role("heading", level=1, name="BETA")).to_be_visible()
    expect(page.get_by_role("heading", name="Why it was not bought")).to_be_visible()


def test_detail_of_a_filled_trade_shows_orders_fills_and_latencies(desk: Desk, open_page: OpenPage) -> None:
    desk.position("ALPHAUSDT")
    page = _trades(signed_in(open_page(), desk), desk)
    page.get_by_role("table", name="Trades, newest first").get_by_role("link", name="ALPHAUSDT").click()
    expect(
        page.get_by_role("table", name="Orders of this trade").get_by_role("row", name="market filled")
    ).to_be_visible()
    expect(page.get_by_role("table", name="Fills of this trade")).to_contain_text("0.045326")
    tick_to_trade = page.get_by_role("listitem").filter(has_text="Tick to trade")
    expect(tick_to_trade).to_contain_text("91 µs")


def test_high_value_entry_is_confirmed_only_by_the_named_button(desk: Desk, open_page: OpenPage) -> None:
    waiting = desk.waits("GAMMAUSDT", "800")
    page = signed_in(open_page(), desk)
    expect(page.get_by_role("link", name="1 needs you")).to_be_visible()
    page.get_by_role("button", name="Confirm GAMMAUSDT").click()
    dialog = page.get_by_role("dialog", name="Confirm a high-value entry")
    dialog.get_by_role("button", name="Buy 800.00 USDT of GAMMAUSDT, live").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", name="Waits for your word")).to_be_hidden()
    expect(page.get_by_text("needs you")).to_be_hidden()
    assert [(command.verb, command.arguments) for command in desk.heard] == [
        (Verb.CONFIRM_TRADE, {"tradeId": waiting.id})
    ]


def test_attention_is_answered_once_asked(desk: Desk, open_page: OpenPage) -> None:
    raised = desk.needs_person("DELTAUSDT")
    page = _trades(signed_in(open_page(), desk), desk)
    page.get_by_role("button", name="Mark as done: DELTAUSDT").click()
    page.get_by_role("dialog").get_by_role("button", name="Mark as done DELTAUSDT").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", name="Needs you")).to_be_hidden()
    assert [command.arguments for command in desk.heard] == [{"id": raised.id, "resolution": "mark"}]


def test_manual_buy_says_its_mode_and_leads_to_the_trade(desk: Desk, open_page: OpenPage) -> None:
    page = _trades(signed_in(open_page(), desk), desk)
    page.get_by_role("button", name="Buy", exact=True).click()
    dialog = page.get_by_role("dialog", name="Buy by hand")
    dialog.get_by_label("Symbol").fill("OMEGAUSDT")
    dialog.get_by_label("Amount, USDT").fill("-3")
    expect(dialog.get_by_text("A number above zero")).to_be_visible()
    dialog.get_by_label("Amount, USDT").fill("12.5")
    dialog.get_by_role("button", name="Buy 12.5 USDT of OMEGAUSDT, dry-run").click()
    expect(page.get_by_role("heading", level=1, name="OMEGAUSDT")).to_be_visible()
    eventually("one command", lambda: len(desk.heard) == 1)
    assert desk.heard[0].arguments == {"symbol": "OMEGAUSDT", "quoteQty": "12.5"}


def test_hostile_symbol_in_a_trade_is_text(desk: Desk, open_page: OpenPage) -> None:
    desk.trade("<img/src=x/onerror=window.hit=1>USDT")
    desk.trade("\u202eW" + "W" * 55 + "USDT")
    page = _trades(signed_in(open_page(viewport=PHONE), desk), desk)
    expect(page.get_by_role("table", name="Trades, newest first").get_by_role("row")).to_have_count(3)
    assert page.evaluate("() => window.hit") is None
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("table", name="Trades, newest first").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
