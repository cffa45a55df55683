"""What the page may know and change of notification channels: everything but their addresses."""

import asyncio
from typing import Any

import pytest

from mexc_sniper.ledger.channels import ChannelState, ChannelStore, TestAnswer
from mexc_sniper.notify.catalogue import CATALOGUE, DEFAULTS
from tests.web.world import WebWorld


@pytest.fixture
async def store(web: WebWorld):
    found = ChannelStore(web.location)
    await asyncio.to_thread(found.register, {"phone": "telegram", "outside-heartbeat": "heartbeat"})
    yield found
    found.close()


async def test_channels_and_all_that_can_be_told_are_listed(web: WebWorld, store: ChannelStore):
    body = (await web.get("/notifications")).body

    [channel] = body["channels"]
    assert (channel["id"], channel["kind"], channel["enabled"], channel["quietHours"]) == (
        "phone",
        "telegram",
        True,
        None,
    )
    assert channel["events"] == list(DEFAULTS)
    assert [event["id"] for event in body["events"]] == list(CATALOGUE)
    assert body["notifierRunning"] is False
    assert body["heartbeat"] == {"lastSentAt": None, "failingSince": None, "lastError": ""}


async def test_only_what_is_given_changes(web: WebWorld, store: ChannelStore):
    quiet = {"start": "22:00", "end": "07:00", "zone": "Europe/Berlin"}

    first = await web.call("PUT", "/notifications/phone", json={"quietHours": quiet})
    second = await web.call("PUT", "/notifications/phone", json={"events": ["config"], "enabled": False})

    assert first.body["quietHours"] == quiet
    assert second.body["quietHours"] == quiet
    assert (second.body["events"], second.body["enabled"], second.body["revision"]) == (["config"], False, 3)
    third = await web.call("PUT", "/notifications/phone", json={"quietHours": None})
    assert third.body["quietHours"] is None


async def test_the_slower_of_two_tabs_is_told_and_changes_nothing(web: WebWorld, store: ChannelStore):
    assert (await web.call("PUT", "/notifications/phone", json={"enabled": False, "revision": 1})).status == 200

    late = await web.call("PUT", "/notifications/phone", json={"enabled": True, "revision": 1})

    assert (late.status, late.code, late.body["details"]) == (409, "stale_version", {"revision": 2})
    assert (await web.get("/notifications")).body["channels"][0]["enabled"] is False


BAD: list[Any] = [
    {"events": ["nothing"]},
    {"enabled": "yes"},
    {"quietHours": {"start": "22:00"}},
    {"quietHours": {"start": "25:00", "end": "07:00"}},
    {"quietHours": {"start": "22:00", "end": "07:00", "zone": "Mars/Base"}},
    {"quietHours": {"start": "22:00", "end": "07:00", "more": 1}},
    {"address": "tgram://x"},
]


@pytest.mark.parametrize("body", BAD)
async def test_a_bad_choice_is_refused(web: WebWorld, store: ChannelStore, body: Any):
    assert (await web.call("PUT", "/notifications/phone", json=body)).status == 422
    assert (await web.get("/notifications")).body["channels"][0]["revision"] == 1


@pytest.mark.parametrize("path", ["/notifications/none", "/notifications/heartbeat"])
async def test_what_is_no_channel_is_not_found(web: WebWorld, store: ChannelStore, path: str):
    assert (await web.call("PUT", path, json={"enabled": True})).status == 404
    assert (await web.post(f"{path}/test")).status == 404


async def test_a_test_without_a_notifier_says_so_at_once(web: WebWorld, store: ChannelStore):
    answer = await web.post("/notifications/phone/test")

    assert answer.body["ok"] is False
    assert "does not run" in answer.body["detail"]


async def test_a_test_tells_what_the_service_answered(web: WebWorld, store: ChannelStore):
    await asyncio.to_thread(store.beat, web.clock.wall_ns())
    asking = asyncio.create_task(web.post("/notifications/phone/test"))
    async with asyncio.timeout(10):
        while (channel := await asyncio.to_thread(store.channel, "phone")).test_asked is None:
            await asyncio.sleep(0.01)
    answer = TestAnswer(asked=channel.test_asked, ok=False, detail="403 from the service")
    await asyncio.to_thread(store.answer_test, "phone", answer)

    assert (await asking).body == {"ok": False, "detail": "403 from the service"}


async def test_health_shows_a_notifier_that_is_gone_and_a_channel_that_is_dead(web: WebWorld, store: ChannelStore):
    notices = web.app.state.services.notices
    await asyncio.to_thread(store.beat, web.clock.wall_ns())
    await notices.look()
    parts = {part["name"]: part for part in (await web.get("/health")).body["components"]}
    assert (parts["notifier"]["status"], parts["notify.phone"]["status"]) == ("ok", "ok")

    failing = ChannelState(failing_since_ns=web.clock.wall_ns(), last_error="503 from the service")
    await asyncio.to_thread(store.note, "phone", failing)
    web.clock.pass_by(60)
    await notices.look()
    health = (await web.get("/health")).body
    parts = {part["name"]: part for part in health["components"]}
    assert parts["notifier"]["status"] == "down"
    assert parts["notify.phone"]["status"] == "degraded"
    assert "503 from the service" in parts["notify.phone"]["detail"]
    assert health["status"] in ("degraded", "error")
