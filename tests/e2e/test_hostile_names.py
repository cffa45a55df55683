"""A token's name is chosen by strangers: on the page it is text, whatever it holds."""

import contextlib

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, OpenPage, signed_in
from tests.support.program import Bot, Refused

NAMES = [
    "<img/src=x/onerror=window.hit=1>",
    '"><script>window.hit=1</script>',
    "\u202egnimaner\u202d",
    "W" * 60,
    "币安人生",
]


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE])
def test_hostile_name_is_text_on_every_page_and_breaks_no_layout(
    bot: Bot, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    bot.set_monitor(True)
    accepted = []
    for name in NAMES:
        with contextlib.suppress(Refused):  # what the API refuses never reaches a page
            bot.inject(f"{name}{viewport['width']}USDT"[-64:])
            accepted.append(name)
    assert accepted, "at least one name must get through, or this proves nothing"
    page = signed_in(open_page(viewport=viewport), bot)
    for path in ("/", "/listings"):
        page.goto(f"{bot.url}/dashboard{path}")
        rows = page.get_by_role("row").filter(has_text=str(viewport["width"]))
        expect(rows.first).to_be_visible()
        assert page.evaluate("() => window.hit") is None
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    first = page.get_by_role("row").nth(1)
    first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("() => window.hit") is None
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
