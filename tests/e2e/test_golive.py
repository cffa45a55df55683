"""Arming from the page: only when nothing is missing, with each open point confirmed, once, and the password asked."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from mexc_sniper.model.commands import Verb
from tests.e2e.conftest import ARTIFACTS, OpenPage, go_to, signed_in
from tests.e2e.desk import Desk, a_desk
from tests.web.test_golive import channels, in_order


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Desk]:
    """A live program with everything in order; its evidence is renewed as an engine renews it."""
    with a_desk(tmp_path / "live", mode="live") as desk:
        desk.wait(in_order(desk.world, version=2))
        channels(desk.world, tested=True)
        desk.keep("trading", {"key": {"checked": True, "problem": "", "warnings": []}})
        yield desk


def test_arming_takes_every_confirmation_the_word_and_happens_once(ready: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), ready)
    go_to(page, "Go live")
    expect(page.get_by_text("Ready to be armed")).to_be_visible()
    page.get_by_role("button", name="Arm live trading").click()
    dialog = page.get_by_role("dialog", name="Arm live trading")
    arm = dialog.get_by_role("button", name=re.compile("Arm live trading for"))
    expect(arm).to_be_disabled()
    dialog.get_by_label("Type LIVE").fill("LIVE")
    expect(arm).to_be_disabled()
    for box in dialog.get_by_role("checkbox").all():
        box.check()
    expect(arm).to_be_enabled()
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "arm.png")
    dialog.get_by_label("For").select_option("15")
    arm.dblclick()
    expect(dialog).to_be_hidden()
    asked = [command for command in ready.heard if command.verb is Verb.ARM]
    assert [command.arguments for command in asked] == [{"minutes": 15}]


def test_a_point_that_is_missing_keeps_the_button_closed(ready: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), ready)
    ready.keep("trading", {"key": {"checked": False, "problem": "The key can read withdrawals.", "warnings": []}})
    go_to(page, "Go live")
    expect(page.get_by_text("The key can read withdrawals.")).to_be_visible()
    expect(page.get_by_role("button", name="Arm live trading")).to_be_disabled()
    expect(page.get_by_text("1 of 11 points are missing")).to_be_visible()


def test_password_is_asked_for_and_the_same_deed_goes_on_once_it_is_given(ready: Desk, open_page: OpenPage) -> None:
    """The answers of the step-up are the agreed ones; the server's side has its own tests."""
    page = signed_in(open_page(), ready)
    proven = []

    def disarm(route: Route) -> None:
        if proven:
            route.continue_()
        else:
            said = {"code": "step_up_required", "message": "Give your password again.", "details": {}}
            route.fulfill(status=403, json=said)

    def step_up(route: Route) -> None:
        if route.request.post_data_json == {"password": "correct horse battery"}:
            proven.append(True)
            route.fulfill(status=200, json={})
        else:
            route.fulfill(status=401, json={"code": "wrong_password", "message": "That is not it.", "details": {}})

    page.route("**/monitor/stop", disarm)
    page.route("**/auth/step-up", step_up)
    page.get_by_role("button", name="Stop monitoring").click()
    dialog = page.get_by_role("dialog", name="Your password again")
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("That is not it.")
    dialog.get_by_label("Password").fill("correct horse battery")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Stop monitoring")).to_be_enabled()
    assert [command.verb for command in ready.heard] == [Verb.STOP_MONITOR]


def test_giving_up_the_password_leaves_things_as_they_are(ready: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), ready)
    said = {"code": "step_up_required", "message": "Give your password again.", "details": {}}
    page.route("**/monitor/stop", lambda route: route.fulfill(status=403, json=said))
    page.get_by_role("button", name="Stop monitoring").click()
    page.get_by_role("dialog", name="Your password again").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Give your password again.")
    assert not ready.heard
