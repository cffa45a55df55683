"""No serious or critical finding of axe, and no sideways scrolling, on any page in both widths and both schemes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.e2e.bot import Bot
from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, OpenPage, signed_in

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAGES = ["Overview", "Listings", "Calendar", "Health"]


@pytest.fixture(scope="module")
def filled(bot: Bot) -> Iterator[Bot]:
    """A program with something on every page."""
    bot.set_monitor(True)
    for number in range(3):
        bot.inject(f"AXE{number}USDT")
    bot.sim("POST", "/sim/listings", {"base": "AHEAD", "calendarInS": 0, "openInS": 3000})
    return bot


def _serious(page: Page) -> list[str]:
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
        if violation["impact"] in ("serious", "critical")
    ]


def _no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_accessible(filled: Bot, open_page: OpenPage, viewport: dict[str, int], scheme: str) -> None:
    page = signed_in(open_page(viewport=viewport, scheme=scheme), filled)
    ARTIFACTS.mkdir(exist_ok=True)
    problems = {}
    for name in PAGES:
        page.get_by_role("navigation", name="Pages of the dashboard").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_attached()
        if name in ("Overview", "Listings"):
            expect(page.get_by_role("row", name="AXE0")).to_be_visible()
        if name == "Calendar":
            expect(page.get_by_role("row", name="AHEAD")).to_be_visible()
        page.screenshot(path=ARTIFACTS / f"{name.lower()}-{viewport['width']}-{scheme}.png", full_page=True)
        _no_sideways_scroll(page)
        problems[name] = _serious(page)
    page.get_by_role("navigation", name="Pages of the dashboard").get_by_role("link", name="Listings").click()
    page.get_by_role("row", name="AXE0").get_by_role("link").click()
    expect(page.get_by_role("heading", name=re.compile("AXE0"))).to_be_visible()
    page.screenshot(path=ARTIFACTS / f"detail-{viewport['width']}-{scheme}.png", full_page=True)
    _no_sideways_scroll(page)
    problems["detail"] = _serious(page)
    assert not {name: found for name, found in problems.items() if found}


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_sign_in_page_is_accessible(bot: Bot, open_page: OpenPage, scheme: str) -> None:
    page = open_page(viewport=PHONE, scheme=scheme)
    page.goto(f"{bot.url}/login")
    expect(page.get_by_label("Token or whole link")).to_be_visible()
    assert _serious(page) == []
    _no_sideways_scroll(page)
