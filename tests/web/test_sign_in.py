"""One-time links, sessions, the token file, and guessing."""

import asyncio
import stat
from collections import Counter
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.web.auth.limits import Buckets, GuessThrottle
from mexc_sniper.web.auth.token_file import ensure_token, read_token
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.views import SessionView
from tests.web.world import ShiftedClock, WebWorld, a_web_world


async def test_a_one_time_link_gives_a_session_that_only_the_server_can_read(web: WebWorld):
    answer = await web.sign_in()

    assert set(answer.body) == {field.alias for field in SessionView.model_fields.values()}
    assert answer.body["scopes"] == ["read", "control", "kill"]
    assert answer.headers["cache-control"] == "no-store"
    [cookie] = SimpleCookie(answer.headers["set-cookie"]).values()
    assert cookie.key == web.app.state.services.auth.cookie_name
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
    assert not cookie["domain"]
    assert len(cookie.value) >= 43
    assert (await web.get("/listings", bearer=None, headers={"Cookie": web.cookie})).status == 200


async def test_behind_tls_the_cookie_is_bound_to_this_host(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, public_url="https://sniper.example.org") as web:
        token, _ = await web.app.state.services.auth.issue_login_token()
        headers = {"Host": "sniper.example.org", "Origin": "https://sniper.example.org"}
        answer = await web.post("/auth/session", {"token": token}, bearer=None, headers=headers)

        assert answer.status == 200
        [cookie] = SimpleCookie(answer.headers["set-cookie"]).values()
        assert cookie.key == "__Host-mexc_sniper"
        assert cookie["secure"]
        assert answer.headers["strict-transport-security"]


async def test_a_link_works_once(web: WebWorld):
    token, _ = await web.app.state.services.auth.issue_login_token()

    both = await asyncio.gather(*(web.post("/auth/session", {"token": token}, bearer=None) for _ in range(2)))

    assert sorted(answer.status for answer in both) == [200, 401]
    refused = max(both, key=lambda answer: answer.status)
    assert refused.code == "login_token_invalid"
    assert "user link" in refused.body["message"]


async def test_a_link_ends_after_its_time(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, login_token_s=60) as web:
        token, _ = await web.app.state.services.auth.issue_login_token()
        web.clock.pass_by(61)

        assert (await web.post("/auth/session", {"token": token}, bearer=None)).status == 401


async def test_the_command_line_gets_a_fresh_link_and_a_browser_does_not(web: WebWorld):
    link = await web.post("/auth/link", {})
    assert link.status == 200
    assert (await web.post("/auth/session", {"token": link.body["token"]}, bearer=None)).status == 200

    await web.sign_in()
    answer = await web.post("/auth/link", {}, bearer=None, headers=web.browser())
    assert (answer.status, answer.code) == (403, "token_required")


async def test_the_session_tells_who_is_signed_in_until_signed_out(web: WebWorld):
    signed_in = await web.sign_in()
    here = await web.get("/auth/session", bearer=None, headers=web.browser())
    assert here.body == signed_in.body

    out = await web.call("DELETE", "/auth/session", bearer=None, headers=web.browser())
    assert out.status == 204
    assert web.app.state.services.auth.cookie_name in out.headers["set-cookie"]

    gone = await web.get("/auth/session", bearer=None, headers=web.browser())
    assert (gone.status, gone.code) == (401, "not_signed_in")


async def test_a_session_ends_when_unused_and_lives_while_used(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, session_idle_s=600, session_absolute_s=2_000) as web:
        await web.sign_in()
        for _ in range(3):
            web.clock.pass_by(500)
            assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 200
        web.clock.pass_by(601)
        assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 401


async def test_a_session_ends_after_its_absolute_time_however_busy(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, session_idle_s=600, session_absolute_s=1_000) as web:
        await web.sign_in()
        web.clock.pass_by(500)
        assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 200
        web.clock.pass_by(501)
        assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 401


async def test_a_session_survives_a_restart_of_the_web_process(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path) as web:
        await web.sign_in()
        cookie = web.cookie
    async with a_web_world(location, tmp_path, migrated=False) as again:
        answer = await again.get("/auth/session", bearer=None, headers={"Cookie": cookie})
        assert answer.status == 200


async def test_no_secret_is_stored_in_the_clear(web: WebWorld, tmp_path: Path):
    link, _ = await web.app.state.services.auth.issue_login_token()
    await web.sign_in()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("inbox.db*"))

    assert link.encode() not in stored
    assert web.cookie.partition("=")[2].encode() not in stored
    assert web.token.encode() not in stored


async def test_ten_thousand_guesses_neither_get_in_nor_disturb_a_session(web: WebWorld):
    await web.sign_in()
    statuses: Counter[int] = Counter()

    async def guess(number: int) -> None:
        for i in range(500):
            statuses[(await web.post("/auth/session", {"token": f"guess-{number}-{i}"}, bearer=None)).status] += 1

    guessing = [asyncio.create_task(guess(number)) for number in range(20)]
    while not all(task.done() for task in guessing):
        async with asyncio.timeout(2):
            assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 200
        await asyncio.sleep(0.05)
    await asyncio.gather(*guessing)

    assert statuses.total() == 10_000
    assert set(statuses) == {401, 429}
    assert statuses[401] < 20
    link, _ = await web.app.state.services.auth.issue_login_token()
    assert (await web.post("/auth/session", {"token": link}, bearer=None)).status == 200


def test_guessing_is_slowed_down_by_doubling_up_to_five_minutes_and_forgotten_after_ten():
    clock = ShiftedClock()
    throttle = GuessThrottle(clock)
    refusal = ApiError(401, "wrong", "Wrong.")

    def waited() -> float:
        """Guess until slowed down; returns the seconds that had to pass for the next counted guess."""
        seconds = 0.0
        while (answer := throttle.failed("1.2.3.4", refusal)).status == 429:
            step = float(answer.headers["retry-after"])
            clock.pass_by(step)
            seconds += step
        return seconds

    assert [waited() for _ in range(5)] == [0.0] * 5
    waits = [waited() for _ in range(12)]
    assert waits == sorted(waits)
    assert 1 <= waits[0] <= 3
    assert 300 <= waits[-1] <= 302
    assert throttle.failed("5.6.7.8", refusal).status == 401

    clock.pass_by(601)
    assert [throttle.failed("1.2.3.4", refusal).status for _ in range(5)] == [401] * 5


def test_guesses_below_ten_thousand_addresses_are_remembered_in_bounded_memory():
    clock = ShiftedClock()
    throttle = GuessThrottle(clock)
    buckets = Buckets(10, clock)
    for number in range(10_000):
        throttle.failed(str(number), ApiError(401, "wrong", "Wrong."))
        buckets.wait_s(str(number))

    assert len(throttle._backoff._failures) <= 4_096
    assert len(buckets._left) <= 4_096


def test_a_bucket_gives_a_minutes_worth_at_once_and_then_at_its_pace():
    clock = ShiftedClock()
    buckets = Buckets(6, clock)

    assert [buckets.wait_s("a") for _ in range(6)] == [0.0] * 6
    assert 9 < buckets.wait_s("a") <= 10
    assert buckets.wait_s("b") == 0.0
    clock.pass_by(10)
    assert buckets.wait_s("a") == 0.0
    assert buckets.wait_s("a") > 0


def test_the_token_file_is_made_once_for_its_owner_alone(tmp_path: Path):
    first = ensure_token(tmp_path / "data")
    path = tmp_path / "data" / "token"

    assert ensure_token(tmp_path / "data") == first == read_token(tmp_path / "data")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 43
    assert [entry.name for entry in path.parent.iterdir()] == ["token"]


def test_without_a_token_file_there_is_none_to_read(tmp_path: Path):
    assert read_token(tmp_path) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_file_others_can_read_is_refused(tmp_path: Path, mode: int):
    ensure_token(tmp_path)
    (tmp_path / "token").chmod(mode)

    with pytest.raises(ConfigError, match="token"):
        ensure_token(tmp_path)


@pytest.mark.parametrize("content", ["", "short", "x" * 23, "ümlaut" * 10])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="does not hold a token"):
        ensure_token(tmp_path)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "data").write_text("a file is in the way")

    with pytest.raises(ConfigError, match=r"data.*MEXC_SNIPER_DATA_DIR"):
        ensure_token(tmp_path / "data")


async def test_a_token_from_the_settings_replaces_the_file(location: LedgerLocation, tmp_path: Path):
    given = "Zk3mQ8vT1xW7rB5nY9cL2pH6"
    async with a_web_world(location, tmp_path, token=given) as web:
        assert not (tmp_path / "token").exists()
        assert (await web.get("/listings", bearer=given)).status == 200


async def test_two_instances_on_one_machine_do_not_sign_each_other_out(location: LedgerLocation, tmp_path: Path):
    other_dir = tmp_path / "demo"
    async with (
        a_web_world(location, tmp_path) as one,
        a_web_world(locate(None, other_dir), other_dir) as two,
    ):
        await one.sign_in()
        await two.sign_in()

        assert one.cookie.partition("=")[0] != two.cookie.partition("=")[0]
        both = {"Cookie": f"{one.cookie}; {two.cookie}"}
        assert (await one.get("/listings", bearer=None, headers=both)).status == 200
        assert (await two.get("/listings", bearer=None, headers=both)).status == 200
