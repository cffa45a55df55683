"""The kill switch: latch first, whatever else is broken (RELIABILITY rows 92, 93; DESIGN 2)."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.latch import FILE_NAME, KillLatch, decode_latch, encode_latch
from mexc_sniper.web import views_trading
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.latch import read_latch, set_latch
from tests.web.test_security import a_token
from tests.web.world import WebWorld, a_web_world, done


def latch_of(web: WebWorld) -> KillLatch | None:
    return read_latch(web.options.data_dir)


@pytest.mark.parametrize("action", ["pause", "cancel", "flatten"])
async def test_a_stop_sets_the_latch_before_the_engine_hears_of_it(web: WebWorld, action: str):
    seen: list[KillLatch | None] = []

    def answer(command: Command) -> CommandResult:
        seen.append(latch_of(web))
        return done(command, result={"action": action, "canceled": 2, "sold": 0})

    web.engine.answer = answer

    got = await web.post("/kill-switch", {"action": action, "reason": "drill"})

    assert got.status == 200, got.body
    views_trading.KillView.model_validate(got.body)
    assert (got.body["latched"], got.body["recorded"], got.body["engineAnswered"]) == (True, True, True)
    assert got.body["result"]["canceled"] == 2
    assert got.body["message"] == "The engine has stopped entries; 2 entry orders being canceled."
    assert [(command.verb, command.arguments) for command in web.engine.heard] == [
        (Verb.KILL, {"action": action, "reason": "drill"})
    ]
    assert seen[0] is not None
    assert (seen[0].action, seen[0].actor, seen[0].reason) == (action, "operator (token)", "drill")
    assert (web.options.data_dir / FILE_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("body", [None, {}])
async def test_an_empty_body_means_cancel(web: WebWorld, body: object):
    got = await web.post("/kill-switch", body)

    assert (got.status, got.body["action"]) == (200, "cancel")
    assert web.engine.heard[0].arguments["action"] == "cancel"


BAD_BODIES = [
    {"action": "stop"},
    {"action": ""},
    {"action": "pause", "now": True},
    {"reason": "x" * 201},
    {"reason": "\n"},
]


@pytest.mark.parametrize("body", BAD_BODIES)
async def test_a_stop_nobody_understands_is_refused_and_does_nothing(web: WebWorld, body: object):
    got = await web.post("/kill-switch", body)

    assert (got.status, got.code) == (422, "invalid_request")
    assert web.engine.heard == []
    assert latch_of(web) is None


async def test_a_silent_engine_is_a_202_that_says_what_happened(web: WebWorld):
    web.engine.answer = lambda command: None

    async with asyncio.timeout(3):
        got = await web.post("/kill-switch", {"action": "pause"})

    assert got.status == 202
    assert (got.body["latched"], got.body["recorded"], got.body["engineAnswered"]) == (True, True, False)
    assert "latch is set" in got.body["message"]


async def test_without_an_engine_the_stop_waits_for_it_and_is_never_lost(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        got = await web.post("/kill-switch", {"action": "flatten"})

        assert (got.status, got.body["latched"], got.body["recorded"]) == (202, True, True)
        assert "mexc-sniper panic" in got.body["message"]

        web.clock.pass_by(86_400)
        await web.engine.start()
        async with asyncio.timeout(5):
            while not web.engine.heard:
                await asyncio.sleep(0.01)
        assert web.engine.heard[0].verb is Verb.KILL
        assert web.engine.heard[0].expires_ns > web.clock.wall_ns()
        await web.engine.stop()


def apart(tmp_path: Path) -> tuple[LedgerLocation, Path]:
    """A ledger in a folder of its own, and the data directory."""
    database, data_dir = tmp_path / "database", tmp_path / "data"
    database.mkdir()
    data_dir.mkdir()
    return locate(f"sqlite:///{database}/ledger.db", data_dir), data_dir


def take_away(web: WebWorld) -> None:
    """Let the database be gone for good, open connections included."""
    store = web.app.state.services.store
    store._inbox.close()
    store._reader.close()
    folder = web.location.sqlite.ledger.parent
    while folder.is_dir():
        with contextlib.suppress(OSError):  # somebody asks it something just now, and makes a file anew
            shutil.rmtree(folder)
    folder.write_text("no folder any more")


async def test_with_the_database_gone_the_latch_is_there_and_the_answer_says_so(tmp_path: Path):
    location, data_dir = apart(tmp_path)
    async with a_web_world(location, data_dir, engine_runs=False) as web:
        await web.sign_in()
        assert (await web.get("/listings", bearer=None, headers=web.browser())).status == 200
        reader = await a_token(web, Scope.KILL)
        assert (await web.post("/disarm", bearer=reader)).status == 403
        take_away(web)

        for sent in ({}, {"bearer": None, "headers": web.browser()}, {"bearer": reader}):
            (data_dir / FILE_NAME).unlink(missing_ok=True)
            async with asyncio.timeout(5):
                got = await web.post("/kill-switch", {"action": "pause"}, **sent)
            assert got.status == 202, got.body
            assert (got.body["latched"], got.body["recorded"], got.body["engineAnswered"]) == (True, False, False)
            assert "ledger does not answer" in got.body["message"]
            assert decode_latch((data_dir / FILE_NAME).read_bytes()).action == "pause"
        # Only stopping works from memory.
        assert (await web.post("/disarm", bearer=None, headers=web.browser())).status == 503
        assert (await web.post("/kill-switch", {"action": "resume"})).status == 503


async def test_a_stranger_stops_nothing_while_the_database_is_gone(tmp_path: Path):
    location, data_dir = apart(tmp_path)
    async with a_web_world(location, data_dir, engine_runs=False) as web:
        await web.sign_in()
        stranger = {"Cookie": f"{web.app.state.services.auth.cookie_name}={'A' * 43}"}
        signed_out = web.browser()
        assert (await web.post("/disarm", bearer=None, headers=signed_out)).status == 503  # seen: no engine
        assert (await web.call("DELETE", "/auth/session", bearer=None, headers=signed_out)).status == 204
        take_away(web)

        for sent in (
            {"bearer": None},
            {"bearer": "A" * 43},
            {"bearer": None, "headers": stranger},
            {"bearer": None, "headers": signed_out},
        ):
            got = await web.post("/kill-switch", **sent)
            assert got.status in (401, 503), got.body
        assert latch_of(web) is None


async def test_a_session_recognised_from_memory_still_owes_its_proof(tmp_path: Path):
    location, data_dir = apart(tmp_path)
    async with a_web_world(location, data_dir, engine_runs=False) as web:
        await web.sign_in()
        await web.get("/listings", bearer=None, headers=web.browser())
        take_away(web)

        got = await web.post("/kill-switch", bearer=None, headers=web.browser(X_CSRF_Token=None))

        assert (got.status, got.code) == (403, "csrf_required")
        web.clock.pass_by(web.options.session_idle_s + 1)
        assert (await web.post("/kill-switch", bearer=None, headers=web.browser())).status == 503
        assert latch_of(web) is None


async def test_an_unwritable_latch_still_sends_the_command(tmp_path: Path):
    location, data_dir = apart(tmp_path)
    async with a_web_world(location, data_dir) as web:
        shutil.rmtree(data_dir)

        got = await web.post("/kill-switch", {"action": "pause"})

        assert (got.status, got.body["latched"], got.body["engineAnswered"]) == (200, False, True)


async def test_with_neither_latch_nor_database_it_says_that_nothing_worked(tmp_path: Path):
    location, data_dir = apart(tmp_path)
    async with a_web_world(location, data_dir, engine_runs=False) as web:
        take_away(web)
        shutil.rmtree(data_dir)

        got = await web.post("/kill-switch")

        assert (got.status, got.code) == (503, "kill_failed")
        assert "mexc-sniper panic" in got.body["message"]


async def test_stopping_is_never_limited_and_resuming_is(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, commands_per_minute=1) as web:
        assert (await web.post("/disarm")).status == 200
        assert (await web.post("/disarm")).status == 429

        stops = [await web.post("/kill-switch", {"action": "pause"}) for _ in range(5)]

        assert {got.status for got in stops} == {200}
        assert (await web.post("/kill-switch", {"action": "resume"})).status == 429


async def test_a_key_used_for_something_else_never_stops_a_stop(web: WebWorld):
    headers = {"Idempotency-Key": "click"}
    await web.post("/monitor/start", headers=headers)

    got = await web.post("/kill-switch", {"action": "pause"}, headers=headers)
    again = await web.post("/kill-switch", {"action": "flatten"}, headers=headers)

    assert (got.status, again.status) == (200, 200)
    assert [command.verb for command in web.engine.heard] == [Verb.START_MONITOR, Verb.KILL, Verb.KILL]


async def test_a_stop_sent_twice_under_one_key_acts_once(web: WebWorld):
    headers = {"Idempotency-Key": "click"}

    both = [await web.post("/kill-switch", {"action": "pause"}, headers=headers) for _ in range(2)]

    assert {got.body["commandId"] for got in both} == {web.engine.heard[0].id}
    assert len(web.engine.heard) == 1


async def test_the_scope_kill_stops_but_never_resumes(web: WebWorld):
    token = await a_token(web, Scope.KILL)

    assert (await web.post("/kill-switch", {"action": "flatten"}, bearer=token)).status == 200
    resumed = await web.post("/kill-switch", {"action": "resume"}, bearer=token)

    assert (resumed.status, resumed.code) == (403, "scope_missing")
    assert [command.verb for command in web.engine.heard] == [Verb.KILL]


async def test_resuming_is_the_engines_decision_and_the_latch_is_its_to_take_away(web: WebWorld):
    await web.post("/kill-switch", {"action": "pause"})
    web.engine.answer = lambda command: done(
        command, status=CommandStatus.REFUSED, code="not_reconciled", message="Not yet.", http_status=409
    )

    refused = await web.post("/kill-switch", {"action": "resume", "reason": "fixed"})

    assert (refused.status, refused.code) == (409, "not_reconciled")
    assert latch_of(web) is not None
    web.engine.answer = done
    left = await web.post("/kill-switch", {"action": "resume"})
    assert (left.status, left.body["latched"]) == (200, True), "no promise the file does not keep"
    assert "still there" in left.body["message"]

    def take_away_latch(command: Command) -> CommandResult:
        (web.options.data_dir / FILE_NAME).unlink()
        return done(command)

    web.engine.answer = take_away_latch
    resumed = await web.post("/kill-switch", {"action": "resume", "reason": "fixed"})
    assert (resumed.status, resumed.body["action"], resumed.body["latched"]) == (200, "resume", False)
    assert web.engine.heard[-1].arguments == {"reason": "fixed"}


def test_a_graver_latch_is_never_replaced_by_a_milder_one(tmp_path: Path):
    def setting(action: str) -> str:
        return set_latch(tmp_path, KillLatch(action=action, actor="a", wall_ns=1)).action

    assert [setting(action) for action in ("pause", "flatten", "cancel", "pause")] == [
        "pause",
        "flatten",
        "flatten",
        "flatten",
    ]
    assert read_latch(tmp_path) == KillLatch(action="flatten", actor="a", wall_ns=1)


@pytest.mark.parametrize("raw", [b"", b"x", b"\xff\xfe", b"[]", b"stop\ta\t1\t", b"flattened", b"\x00" * 64])
def test_a_latch_that_cannot_be_read_is_a_latch(tmp_path: Path, raw: bytes):
    (tmp_path / FILE_NAME).write_bytes(raw)

    found = read_latch(tmp_path)

    assert found is not None
    assert found.action == "cancel"


def test_no_file_is_no_latch_and_no_folder_is_an_error(tmp_path: Path):
    assert read_latch(tmp_path) is None
    with pytest.raises(StoreError, match=FILE_NAME):
        set_latch(tmp_path / "nowhere", KillLatch(action="pause", actor="a", wall_ns=1))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_an_empty_latch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mexc_sniper.web.latch.os.write", full)

    in_force = set_latch(tmp_path, KillLatch(action="flatten", actor="a", wall_ns=1))

    assert in_force.action == "cancel", "told as what the engine will read"
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_what_is_written_is_read_and_stays_one_line(tmp_path: Path):
    latch = KillLatch(action="flatten", actor="币安 (token)", wall_ns=2**62, reason="drill: 'now'")
    assert decode_latch(encode_latch(latch)) == latch

    hostile = KillLatch(action="pause", actor="a\tb\nc\x1b[0m\ud800", wall_ns=1, reason="\r\n\t")
    raw = encode_latch(hostile)
    assert raw.count(b"\n") == 1
    assert raw.count(b"\t") == 3
    assert decode_latch(raw).action == "pause"


@pytest.mark.parametrize("action", ["pause", "cancel", "flatten"])
def test_a_latch_made_by_hand_is_understood(tmp_path: Path, action: str):
    (tmp_path / FILE_NAME).write_text(f"{action}\n")

    assert read_latch(tmp_path) == KillLatch(action=action)
