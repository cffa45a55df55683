"""Signing in with a password, giving it again before what is dangerous, and how little guessing achieves."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import ConfigChanged
from mexc_sniper.web.auth.limits import Backoff
from mexc_sniper.web.auth.passwords import Passwords, weakness
from tests.builders import ns
from tests.web.world import Answer, ShiftedClock, WebWorld, a_web_world, frame

PASSWORD = "correct horse battery staple"


async def have_password(web: WebWorld, password: str = PASSWORD, *, name: str = "operator") -> None:
    hashed = await web.app.state.services.login.passwords.hash(password)
    await web.app.state.services.store.inbox(lambda inbox: inbox.set_password_hash(name, hashed, web.clock.wall_ns()))


async def log_in(web: WebWorld, password: str = PASSWORD, **more: str) -> Answer:
    answer = await web.post("/auth/session", {"password": password, **more}, bearer=None, headers={"Origin": web.url})
    if answer.status == 200:
        web.csrf = answer.body["csrfToken"]
        web.cookie = answer.headers["set-cookie"].split(";")[0]
    return answer


async def ask(web: WebWorld, path: str, body: Any = None, *, method: str = "POST") -> Answer:
    """Send what the signed-in page would; a new cookie is taken over, as a browser does."""
    sent = {} if body is None else {"json": body}
    answer = await web.call(method, path, bearer=None, headers=web.browser(), **sent)
    if "set-cookie" in answer.headers and answer.status < 400:
        web.cookie = answer.headers["set-cookie"].split(";")[0]
    return answer


async def until_closed(page: ClientConnection) -> None:
    while True:
        await frame(page)


@pytest.fixture
async def signed_in(web: WebWorld) -> WebWorld:
    """A page signed in with the operator's password."""
    await have_password(web)
    assert (await log_in(web)).status == 200
    return web


async def test_the_right_password_begins_a_session(web: WebWorld):
    await have_password(web)

    answer = await log_in(web)

    assert (answer.status, answer.body["actor"], answer.body["passwordSet"]) == (200, "operator", True)
    assert answer.body["stepUpUntil"] is None, "signing in is not yet giving it again"
    assert answer.headers["cache-control"] == "no-store"
    assert (await ask(web, "/listings", method="GET")).status == 200


@pytest.mark.parametrize("body", [{"password": "wrong"}, {"password": PASSWORD, "user": "nobody"}])
async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(web: WebWorld, body: dict[str, str]):
    await have_password(web)

    answer = await web.post("/auth/session", body, bearer=None)

    assert (answer.status, answer.code) == (401, "password_wrong")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"token": "x", "password": "y"}, {"password": ""}, {"password": "x" * 257}])
async def test_a_sign_in_gives_one_thing_and_not_an_endless_one(web: WebWorld, body: dict[str, str]):
    assert (await web.post("/auth/session", body, bearer=None)).status == 422


async def test_an_unknown_name_costs_as_much_work_as_a_known_one():
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)

    def spent() -> float:
        return time.process_time()

    async def cost(hashed: str | None) -> float:
        before = spent()
        assert not await passwords.matches("wrong", hashed)
        return spent() - before

    known = min([await cost(stored) for _ in range(3)])
    unknown = min([await cost(None) for _ in range(3)])
    passwords.close()
    assert 0.5 < unknown / known < 2


async def test_a_hash_is_argon2id_of_our_parameters_and_an_old_one_is_renewed_at_the_next_sign_in(web: WebWorld):
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    store = web.app.state.services.store
    await store.inbox(lambda inbox: inbox.set_password_hash("operator", weak, 1))

    assert (await log_in(web)).status == 200

    now = await store.inbox_read(lambda inbox: inbox.password_hash("operator"))
    assert now.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (await log_in(web)).status == 200


DANGEROUS: list[tuple[str, str, Any]] = [
    ("POST", "/arm", {"confirm": "LIVE", "minutes": 5}),
    ("POST", "/kill-switch", {"action": "resume"}),
    ("POST", "/auth/tokens", {"name": "a", "scopes": ["read"]}),
    ("PUT", "/config", {"config": {"maxTradeUsdt": "110"}}),
    ("PUT", "/config", {"config": {"autoTrade": True}}),
    ("PUT", "/config", {"config": {"excludedCategories": []}}),
    ("PUT", "/config", {"config": {"stopLossPct": "0"}}),
    ("POST", "/config/rollback", {"version": 1}),
]


async def configs(web: WebWorld) -> None:
    """Version 1 allows more than version 2, the one in force."""
    for number, config in enumerate((TradeConfig(max_open_positions=9), TradeConfig()), 1):
        web.engine.write(
            ConfigChanged(version=ConfigVersion(version=number, created_ns=ns(number), actor="x", config=config))
        )
    await web.engine.flush()


@pytest.mark.parametrize(("method", "path", "body"), DANGEROUS)
async def test_what_is_dangerous_needs_the_password_again_for_five_minutes(
    signed_in: WebWorld, method: str, path: str, body: Any
):
    web = signed_in
    await configs(web)

    refused = await ask(web, path, body, method=method)
    assert (refused.status, refused.code) == (403, "step_up_required")
    assert web.engine.heard == []

    stepped = await ask(web, "/auth/step-up", {"password": PASSWORD})
    assert stepped.status == 200
    assert stepped.body["stepUpUntil"] is not None
    assert (await ask(web, path, body, method=method)).status == 200

    web.clock.pass_by(301)
    again = await ask(web, path, body, method=method)
    assert (again.status, again.code) == (403, "step_up_required")


@pytest.mark.parametrize("action", ["pause", "cancel", "flatten"])
async def test_stopping_never_asks_for_the_password(signed_in: WebWorld, action: str):
    assert (await ask(signed_in, "/kill-switch", {"action": action})).status == 200


async def test_lowering_a_limit_needs_no_password_and_holds_for_the_version_it_was_judged_by(signed_in: WebWorld):
    await configs(signed_in)

    assert (await ask(signed_in, "/config", {"config": {"maxTradeUsdt": "50"}}, method="PUT")).status == 200

    [command] = signed_in.engine.heard
    assert command.verb is Verb.UPDATE_CONFIG
    assert command.arguments["version"] == 2


async def test_a_program_with_a_token_confirms_by_its_own_fields(signed_in: WebWorld):
    assert (await signed_in.post("/arm", {"confirm": "LIVE", "minutes": 5})).status == 200


async def test_giving_the_password_again_changes_the_cookie_and_leaves_other_tabs_their_proof(signed_in: WebWorld):
    web = signed_in
    old_cookie, csrf = web.cookie, web.csrf

    stepped = await ask(web, "/auth/step-up", {"password": PASSWORD})

    assert web.cookie != old_cookie
    assert stepped.body["csrfToken"] == csrf
    assert (await ask(web, "/kill-switch", {"action": "cancel"})).status == 200
    new_cookie, web.cookie = web.cookie, old_cookie
    on_its_way = await ask(web, "/arm", {"confirm": "LIVE", "minutes": 5})
    assert (on_its_way.status, on_its_way.code) == (403, "step_up_required"), "the old id has no privilege"
    web.clock.pass_by(11)
    assert (await ask(web, "/listings", method="GET")).status == 401
    web.cookie = new_cookie
    assert (await ask(web, "/listings", method="GET")).status == 200


async def test_an_open_page_lives_on_under_the_new_cookie_until_signed_out(
    signed_in: WebWorld, monkeypatch: pytest.MonkeyPatch
):
    web = signed_in
    monkeypatch.setattr("mexc_sniper.web.api.live.RECHECK_EVERY_S", 0.05)
    page = await web.socket(additional_headers={"Cookie": web.cookie, "Origin": web.url})
    await ask(web, "/auth/step-up", {"password": PASSWORD})
    web.clock.pass_by(20)
    for _ in range(3):
        await frame(page)  # the old id has ended by now

    assert (await ask(web, "/auth/session", method="DELETE")).status == 204
    with pytest.raises(ConnectionClosed) as closed:
        await until_closed(page)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_signing_out_ends_the_old_id_at_once_as_well(signed_in: WebWorld):
    web = signed_in
    old = web.browser()
    await ask(web, "/auth/step-up", {"password": PASSWORD})
    assert (await ask(web, "/auth/session", method="DELETE")).status == 204

    assert (await web.get("/listings", bearer=None, headers=old)).status == 401


async def test_a_renewed_session_still_ends_at_its_absolute_time(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, session_idle_s=900, session_absolute_s=1_000) as web:
        await have_password(web)
        await log_in(web)
        web.clock.pass_by(600)
        await ask(web, "/auth/step-up", {"password": PASSWORD})
        web.clock.pass_by(401)
        assert (await ask(web, "/listings", method="GET")).status == 401


async def test_a_session_that_keeps_guessing_is_slowed_down_and_can_still_stop(signed_in: WebWorld):
    statuses = [(await ask(signed_in, "/auth/step-up", {"password": f"guess {i}"})).status for i in range(7)]

    assert statuses == [403] * 5 + [429] * 2
    assert (await ask(signed_in, "/auth/step-up", {"password": PASSWORD})).status == 429
    assert (await ask(signed_in, "/kill-switch", {"action": "cancel"})).status == 200
    signed_in.clock.pass_by(301)
    assert (await ask(signed_in, "/auth/step-up", {"password": PASSWORD})).status == 200


async def test_a_session_by_link_whose_name_has_no_password_is_told_how_to_get_one(web: WebWorld):
    await have_password(web, name="alice")
    await web.sign_in()

    assert (await ask(web, "/arm", {"confirm": "LIVE", "minutes": 5})).code == "step_up_required"
    refused = await ask(web, "/auth/step-up", {"password": PASSWORD})
    assert (refused.status, refused.code) == (403, "no_password")
    assert "mexc-sniper user password" in refused.body["message"]


async def test_the_first_password_is_set_by_whoever_came_by_the_link(web: WebWorld):
    await web.sign_in()

    assert (await ask(web, "/auth/password", {"new": PASSWORD})).status == 204

    assert (await ask(web, "/auth/session", method="GET")).body["passwordSet"] is True
    assert (await log_in(web)).status == 200


async def test_a_new_password_needs_the_old_one_and_signs_other_browsers_out(signed_in: WebWorld):
    web = signed_in
    other = web.browser()
    await log_in(web)
    other_words = "seven green boats sailing"

    for body in ({"new": other_words}, {"new": other_words, "current": "wrong"}):
        assert (await ask(web, "/auth/password", body)).code == "password_wrong"
    assert (await ask(web, "/auth/password", {"new": other_words, "current": PASSWORD})).status == 204

    assert (await ask(web, "/listings", method="GET")).status == 200
    assert (await web.get("/listings", bearer=None, headers=other)).status == 401
    assert (await log_in(web)).status == 401
    assert (await log_in(web, other_words)).status == 200


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaa", "tab\tinside the word", "x" * 257])
async def test_a_weak_password_is_refused_in_words(web: WebWorld, weak: str):
    await web.sign_in()

    answer = await ask(web, "/auth/password", {"new": weak})

    assert answer.status == 422
    assert weak not in str(answer.body)
    assert weakness(weak) is not None


async def test_other_browsers_can_be_signed_out(signed_in: WebWorld):
    web = signed_in
    other = web.browser()
    await log_in(web)

    answer = await ask(web, "/auth/logout-others")

    assert answer.body == {"ended": 1}
    assert (await web.get("/listings", bearer=None, headers=other)).status == 401
    assert (await ask(web, "/listings", method="GET")).status == 200


async def test_no_password_is_in_the_database_in_the_clear(signed_in: WebWorld, tmp_path: Path):
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("inbox.db*"))

    assert PASSWORD.encode() not in stored


async def test_ten_thousand_password_guesses_leave_a_running_sessions_kill_switch_alone(signed_in: WebWorld):
    web = signed_in
    statuses: Counter[int] = Counter()
    kills: list[float] = []

    async def guess(number: int) -> None:
        for i in range(500):
            body = {"password": f"guess {number} {i}", "user": "operator" if i % 2 else f"user {i}"}
            statuses[(await web.post("/auth/session", body, bearer=None)).status] += 1

    guessing = [asyncio.create_task(guess(number)) for number in range(20)]
    while not all(task.done() for task in guessing):
        started = time.monotonic()
        answer = await ask(web, "/kill-switch", {"action": "cancel"})
        assert answer.status in (200, 202), "202: stopped by the latch, the busy engine has not said so yet"
        assert answer.body["latched"]
        kills.append(time.monotonic() - started)
        await asyncio.sleep(0.05)
    await asyncio.gather(*guessing)

    assert statuses.total() == 10_000
    assert set(statuses) == {401, 429}
    assert statuses[401] <= 30, "only what the limiter admits is hashed"
    assert len(kills) >= 5
    assert max(kills) < 5
    link, _ = await web.app.state.services.auth.issue_login_token()
    assert (await web.post("/auth/session", {"token": link}, bearer=None)).status == 200, "the terminal's way is open"


async def test_the_owner_gets_in_again_once_the_guessing_ends(web: WebWorld):
    await have_password(web)
    for i in range(8):
        web.clock.pass_by(20)
        assert (await log_in(web, f"guess {i}")).status == 401
    assert (await log_in(web)).status == 429

    web.clock.pass_by(301)

    assert (await log_in(web)).status == 200


def test_waiting_doubles_from_one_second_to_five_minutes():
    clock = ShiftedClock()
    backoff = Backoff(clock)
    for _ in range(5):
        assert backoff.wait_s("a") == 0
        backoff.failed("a")
    waits = []
    for _ in range(11):
        waits.append(round(backoff.wait_s("a")))
        clock.pass_by(backoff.wait_s("a"))
        backoff.failed("a")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert backoff.wait_s("b") == 0
