"""The table under the operator's hand: nothing moves under the pointer, filters live in the URL, keys work."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, signed_in
from tests.support.program import Bot


@pytest.fixture(autouse=True)
def _monitor_runs(bot: Bot) -> None:
    bot.set_monitor(True)


def test_new_row_waits_while_the_pointer_is_inside_and_comes_when_asked(bot: Bot, open_page: OpenPage) -> None:
    bot.inject("HELDONEUSDT")
    page = signed_in(open_page(), bot)
    page.get_by_role("row", name="HELDONE").hover()
    bot.inject("HELDTWOUSDT")
    newcomer = page.get_by_role("button", name="1 new")
    expect(newcomer).to_be_visible()
    expect(page.get_by_role("row", name="HELDTWO")).to_be_hidden()
    newcomer.press("Enter")  # a click would move the pointer out of the table, which lets the rows in by itself
    expect(page.get_by_role("row", name="HELDTWO")).to_be_visible()


def test_filter_is_in_the_url_and_survives_a_reload(bot: Bot, open_page: OpenPage) -> None:
    bot.inject("SIFTAUSDT")
    bot.inject("SIFTBUSDT")
    page = signed_in(open_page(), bot)
    page.goto(f"{bot.url}/dashboard/listings")
    page.get_by_role("searchbox", name="Filter by pair or name").fill("sifta")
    expect(page.get_by_role("row", name="SIFTB")).to_be_hidden()
    expect(page.get_by_role("row", name="SIFTA")).to_be_visible()
    expect(page).to_have_url(re.compile("q=sifta"))
    page.get_by_role("combobox", name="Kind").select_option("injected")
    page.reload()
    expect(page.get_by_role("row", name="SIFTA")).to_be_visible()
    expect(page.get_by_role("row", name="SIFTB")).to_be_hidden()
    page.get_by_role("combobox", name="Kind").select_option("relist")
    expect(page.get_by_text("No listing matches.")).to_be_visible()


def test_keys_move_and_open_without_a_mouse(bot: Bot, open_page: OpenPage) -> None:
    bot.inject("KEYEDUSDT")
    page = signed_in(open_page(), bot)
    expect(page.get_by_role("row", name="KEYED")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/dashboard/listings"))
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Filter by pair or name")).to_be_focused()
    page.keyboard.type("keyed")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="KEYED")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_scheme_follows_the_system_and_a_choice_is_remembered(bot: Bot, open_page: OpenPage) -> None:
    page = signed_in(open_page(scheme="light"), bot)
    background = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Use the light scheme")).to_be_visible()
    dark = page.evaluate(background)
    assert light != dark
    page.reload()
    expect(page.get_by_role("button", name="Use the light scheme")).to_be_visible()
    assert page.evaluate(background) == dark
