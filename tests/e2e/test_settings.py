"""Settings: tokens against the real API; notification channels against the answers agreed for them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import OpenPage, go_to, signed_in
from tests.e2e.desk import Desk, a_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with a_desk(tmp_path_factory.mktemp("settings")) as running:
        yield running


def _channels(**changed: Any) -> dict[str, Any]:
    channel = {
        "id": "telegram",
        "name": "telegram",
        "kind": "telegram",
        "revision": 3,
        "enabled": True,
        "events": ["position_opened"],
        "quietHours": None,
        "lastError": "",
        "failingSince": None,
        "lastSentAt": None,
    }
    events = [
        {"id": "position_opened", "title": "A position was opened", "urgent": False, "onByDefault": True},
        {"id": "killed", "title": "Trading was stopped", "urgent": True, "onByDefault": True},
    ]
    return {"channels": [channel | changed], "events": events, "notifierRunning": True, "heartbeat": None}


def test_channel_is_switched_tested_and_a_change_carries_the_revision_it_was_made_on(
    desk: Desk, open_page: OpenPage
) -> None:
    page = signed_in(open_page(), desk)
    sent: list[dict[str, Any]] = []

    def change(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "{}"))
        route.fulfill(json=_channels()["channels"][0])

    page.route("**/notifications", lambda route: route.fulfill(json=_channels()))
    page.route("**/notifications/telegram", change)
    failed = {"ok": False, "detail": "401 <b>Unauthorized</b>"}
    page.route("**/notifications/telegram/test", lambda route: route.fulfill(json=failed))
    go_to(page, "Settings")
    page.get_by_role("button", name="Send a test message to telegram").click()
    expect(page.get_by_text("The test message did not arrive. 401 <b>Unauthorized</b>")).to_be_visible()
    page.get_by_role("button", name="What and when").click()
    page.get_by_role("checkbox", name=re.compile("Trading was stopped")).click()
    expect(page.get_by_role("checkbox", name=re.compile("Trading was stopped"))).to_be_enabled()
    page.get_by_label("from", exact=True).fill("25:00")
    expect(page.get_by_role("alert")).to_contain_text("Write times like 23:00.")
    expect(page.get_by_role("button", name="Set", exact=True)).to_be_disabled()
    page.get_by_label("from", exact=True).fill("22:30")
    page.get_by_label("zone").fill("UTC")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("button", name="Set", exact=True)).to_be_enabled()
    assert sent == [
        {"events": ["position_opened", "killed"], "revision": 3},
        {"quietHours": {"start": "22:30", "end": "07:00", "zone": "UTC"}, "revision": 3},
    ]


def test_notifier_that_does_not_run_is_told(desk: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), desk)
    page.route("**/notifications", lambda route: route.fulfill(json=_channels() | {"notifierRunning": False}))
    go_to(page, "Settings")
    expect(page.get_by_role("alert")).to_contain_text("The notifier does not run")


def test_scheme_is_chosen_by_keys_and_remembered(desk: Desk, open_page: OpenPage) -> None:
    page = signed_in(open_page(), desk)
    go_to(page, "Settings")
    page.get_by_role("radio", name="dark").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="light")).to_be_checked()
    page.reload()
    expect(page.get_by_role("radio", name="light")).to_be_checked()
