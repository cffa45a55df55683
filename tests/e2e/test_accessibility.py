"""No finding of axe from moderate up, and no sideways scrolling, on any page in both widths and both schemes."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import CDPSession, Page, expect

from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderRole
from mexc_sniper.model.trading import TradeStatus
from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, go_to, signed_in
from tests.e2e.desk import Desk, a_desk
from tests.support.program import Bot

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAGES = ["Overview", "Listings", "Calendar", "Performance", "Go live", "Audit log", "Health", "Settings"]


@pytest.fixture(scope="module")
def filled(bot: Bot) -> Iterator[Bot]:
    """A program with something on every page."""
    bot.set_monitor(True)
    for number in range(3):
        bot.inject(f"AXE{number}USDT")
    bot.sim("POST", "/sim/listings", {"base": "AHEAD", "calendarInS": 0, "openInS": 3000})
    return bot


def _found(page: Page) -> list[str]:
    """Run axe past the content policy (through the debugger, as an extension would)."""
    debugger: CDPSession = page.context.new_cdp_session(page)
    debugger.send("Runtime.evaluate", {"expression": AXE})
    answer = debugger.send(
        "Runtime.evaluate",
        {"expression": "axe.run().then(JSON.stringify)", "awaitPromise": True, "returnByValue": True},
    )
    found: list[dict[str, Any]] = json.loads(answer["result"]["value"])["violations"]
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found
        if violation["impact"] in ("moderate", "serious", "critical")
    ]


def _no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_accessible(filled: Bot, open_page: OpenPage, viewport: dict[str, int], scheme: str) -> None:
    page = signed_in(open_page(viewport=viewport, scheme=scheme), filled)
    ARTIFACTS.mkdir(exist_ok=True)
    problems = {}
    for name in PAGES:
        go_to(page, name)
        if name in ("Overview", "Listings"):
            expect(page.get_by_role("row", name="AXE0")).to_be_visible()
        if name == "Calendar":
            expect(page.get_by_role("row", name="AHEAD")).to_be_visible()
        page.screenshot(
            path=ARTIFACTS / f"{name.lower().replace(' ', '-')}-{viewport['width']}-{scheme}.png", full_page=True
        )
        _no_sideways_scroll(page)
        problems[name] = _found(page)
    go_to(page, "Listings")
    page.get_by_role("row", name="AXE0").get_by_role("link").click()
    expect(page.get_by_role("heading", name=re.compile("AXE0"))).to_be_visible()
    page.screenshot(path=ARTIFACTS / f"detail-{viewport['width']}-{scheme}.png", full_page=True)
    _no_sideways_scroll(page)
    problems["detail"] = _found(page)
    assert not {name: found for name, found in problems.items() if found}


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A book with one of everything that trading puts on a page."""
    with a_desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.denied("BETAUSDT")
        desk.trade("LOSSUSDT", side=Side.SELL, role=OrderRole.STOP_LOSS, pnl=Decimal("-3.05"))
        desk.trade("DOUBTUSDT", status=TradeStatus.IN_DOUBT, account=Account.LIVE)
        desk.position("ALPHAUSDT")
        desk.position("LIVEUSDT", account=Account.LIVE)
        desk.waits("GAMMAUSDT", seconds=600)
        desk.needs_person("DELTAUSDT")
        yield desk


@pytest.mark.timeout(400)
@pytest.mark.timeout(400)
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everything_of_trading_is_accessible(
    trading: Desk, open_page: OpenPage, viewport: dict[str, int], scheme: str
) -> None:
    trading.mark("ALPHAUSDT", "0.051")
    page = signed_in(open_page(viewport=viewport, scheme=scheme), trading)
    ARTIFACTS.mkdir(exist_ok=True)
    problems = {}

    def look(what: str) -> None:
        page.screenshot(path=ARTIFACTS / f"{what}-{viewport['width']}-{scheme}.png")
        _no_sideways_scroll(page)
        problems[what] = _found(page)

    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    look("overview-trading")
    go_to(page, "Trades")
    expect(page.get_by_role("row", name="DOUBTUSDT")).to_be_visible()
    look("trades")
    page.get_by_role("button", name="Close ALPHAUSDT").click()
    expect(page.get_by_role("dialog", name="Close a position")).to_be_visible()
    look("close")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Buy", exact=True).click()
    expect(page.get_by_role("dialog", name="Buy by hand")).to_be_visible()
    look("buy")
    page.keyboard.press("Escape")
    page.get_by_role("table", name="Trades, newest first").get_by_role("link", name="BETAUSDT").click()
    expect(page.get_by_role("heading", name="Why it was not bought")).to_be_visible()
    look("trade-denied")
    page.get_by_role("link", name="All trades").click()
    page.get_by_role("table", name="Trades, newest first").get_by_role("link", name="ALPHAUSDT").click()
    expect(page.get_by_role("table", name="Fills of this trade")).to_be_visible()
    look("trade-filled")
    go_to(page, "Performance")
    expect(page.get_by_role("table", name="Percentiles of every stage")).to_be_visible()
    look("performance-filled")
    go_to(page, "Audit log")
    expect(page.get_by_role("table", name="Audit log, newest first")).to_be_visible()
    look("audit-filled")
    go_to(page, "Settings")
    page.get_by_role("button", name="New token").click()
    expect(page.get_by_role("dialog", name="New API token")).to_be_visible()
    look("token")
    page.keyboard.press("Escape")
    go_to(page, "Risk")
    page.get_by_label("Open positions").fill("5000")
    expect(page.get_by_role("region", name="What changes")).to_be_visible()
    look("risk")
    page.get_by_role("button", name="Kill").click()
    expect(page.get_by_role("dialog", name="Kill switch")).to_be_visible()
    look("kill")
    assert not {name: found for name, found in problems.items() if found}


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_sign_in_page_is_accessible(bot: Bot, open_page: OpenPage, scheme: str) -> None:
    page = open_page(viewport=PHONE, scheme=scheme)
    page.goto(f"{bot.url}/login")
    expect(page.get_by_label("Token or whole link")).to_be_visible()
    assert _found(page) == []
    _no_sideways_scroll(page)
