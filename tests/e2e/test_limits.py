"""The limits as a form: drawn from the schema, judged field by field, saved on top of the version that was read."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mexc_sniper.model.commands import Verb
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.entries import ConfigChanged
from tests.e2e.conftest import ARTIFACTS, PHONE, OpenPage, signed_in
from tests.e2e.desk import Desk, a_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path / "desk") as running:
        yield running


def _risk(page: Page, desk: Desk) -> Page:
    page.goto(f"{desk.url}/dashboard/risk")
    expect(page.get_by_label("Amount per entry")).to_have_value("20")
    return page


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save as a new version").click()


def test_good_edit_shows_old_and_new_then_becomes_a_version(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    page.get_by_label("Amount per entry").fill("25")
    changes = page.get_by_role("region", name="What changes")
    expect(changes).to_contain_text("20 USDT")
    expect(changes).to_contain_text("25 USDT")
    _save(page)
    expect(changes).to_be_hidden()
    expect(page.get_by_role("button", name="Roll back to version 1")).to_be_visible()
    assert [command.arguments for command in desk.heard] == [{"version": 1, "config": {"tradeUsdt": "25"}}]
    assert desk.config.config.trade_usdt == Decimal(25)


def test_bad_value_is_told_next_to_its_field_and_nothing_is_sent(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(viewport=PHONE), desk), desk)
    field = page.get_by_label("Open positions")
    field.fill("5000")
    expect(page.get_by_role("alert")).to_have_text("Must be 0 to 1,000.")
    expect(page.get_by_role("button", name="Save as a new version")).to_be_disabled()
    field.fill("five")
    expect(page.get_by_role("alert")).to_have_text("This is not a number.")
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert not desk.heard


def test_field_the_engine_refuses_is_marked_and_the_edit_kept(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    field = page.get_by_label("Amount per entry")
    field.fill("300")  # allowed by itself, but above the largest entry
    _save(page)
    expect(page.get_by_role("alert")).to_contain_text("is above the largest entry")
    expect(field).to_be_focused()
    expect(field).to_have_value("300")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "limits-refused.png")
    field.fill("30")
    _save(page)
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    assert desk.config.config.trade_usdt == Decimal(30)


def test_large_raise_is_asked_again_before_it_is_done(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    page.get_by_label("Largest exposure").fill("2000")
    _save(page)
    dialog = page.get_by_role("dialog", name="A large raise")
    expect(dialog).to_contain_text("more than double")
    assert desk.config.version == 1
    dialog.get_by_role("button", name="Raise it").click()
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    assert desk.config.config.max_position_usdt == Decimal(2000)


def test_automatic_live_entries_are_warned_of_before_they_are_sent(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    page.get_by_role("switch", name="Automatic live entries").check()
    _save(page)
    dialog = page.get_by_role("dialog", name="Switch automatic live trading on?")
    expect(dialog).to_contain_text("real money")
    dialog.get_by_role("button", name="Cancel").click()
    assert not desk.heard
    _save(page)
    dialog.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    assert desk.config.config.auto_trade


def test_version_from_elsewhere_while_editing_is_not_overwritten_silently(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    page.get_by_label("Amount per entry").fill("25")
    other = desk.config.config.model_copy(update={"max_open_positions": 3})
    desk.config = ConfigVersion(version=2, created_ns=desk.now_ns, actor="somebody", config=other)
    desk.write(ConfigChanged(version=desk.config))
    expect(page.get_by_text("Version 2 by somebody arrived")).to_be_visible()
    _save(page)
    expect(page.get_by_role("alert")).to_contain_text("changed meanwhile")
    assert desk.config.version == 2
    page.get_by_role("button", name="Go on from version 2").click()
    _save(page)
    expect(page.get_by_role("region", name="What changes")).to_be_hidden()
    assert (desk.config.config.trade_usdt, desk.config.config.max_open_positions) == (Decimal(25), 3)


def test_rollback_shows_what_changes_and_makes_a_version(desk: Desk, open_page: OpenPage) -> None:
    page = _risk(signed_in(open_page(), desk), desk)
    page.get_by_label("Amount per entry").fill("25")
    _save(page)
    page.get_by_role("button", name="Roll back to version 1").click()
    dialog = page.get_by_role("dialog", name="Back to version 1")
    expect(dialog).to_contain_text("Amount per entry")
    dialog.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_label("Amount per entry")).to_have_value("20")
    assert [command.verb for command in desk.heard] == [Verb.UPDATE_CONFIG, Verb.ROLLBACK_CONFIG]


def test_meters_show_what_the_engine_tells_of_each_account(desk: Desk, open_page: OpenPage) -> None:
    desk.figure("trading", {"exposure": {"live": {"at_stake": "450", "open_positions": 4}}})
    page = signed_in(open_page(), desk)
    page.goto(f"{desk.url}/dashboard/risk")
    line = page.get_by_role("listitem").filter(has_text="450.00 of 500.00")
    expect(line).to_contain_text("Largest exposure")
