"""Start, stop and inject: once, within two seconds, or an honest refusal."""

import asyncio
from pathlib import Path

import pytest

from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.entries import CommandFinished
from tests.web.world import WebWorld, a_web_world, done


@pytest.mark.parametrize(
    ("path", "verb"), [("/monitor/start", Verb.START_MONITOR), ("/monitor/stop", Verb.STOP_MONITOR)]
)
async def test_a_command_reaches_the_engine_and_its_answer_comes_back(web: WebWorld, path: str, verb: Verb):
    answer = await web.post(path)

    assert answer.status == 200, answer.body
    assert (answer.body["verb"], answer.body["status"]) == (verb.value, "done")
    assert [(command.verb, command.actor) for command in web.engine.heard] == [(verb, "operator (token)")]


@pytest.mark.parametrize("symbol", ["TESTUSDT", "币安人生USDT", "<b>USDT", "‮X"])
async def test_inject_hands_any_visible_name_to_the_engine(web: WebWorld, symbol: str):
    web.engine.answer = lambda command: done(command, result={"listingId": "L1"})

    answer = await web.post("/listings/inject", {"symbol": symbol})

    assert answer.status == 200, answer.body
    assert answer.body["result"] == {"listingId": "L1"}
    assert web.engine.heard[0].arguments == {"symbol": symbol}


BAD_BODIES: list[tuple[object, str]] = [
    ({}, "symbol"),
    ({"symbol": ""}, "symbol"),
    ({"symbol": "A" * 65}, "symbol"),
    ({"symbol": "A B"}, "symbol"),
    ({"symbol": "A\n"}, "symbol"),
    ({"symbol": "A\x00"}, "symbol"),
    ({"symbol": 5}, "symbol"),
    ({"symbol": "A", "quote": ""}, "quote"),
    ({"symbol": "A", "price": "1"}, "price"),
    ([], ""),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
async def test_a_bad_injection_is_refused_naming_the_field(web: WebWorld, body: object, field: str):
    answer = await web.post("/listings/inject", body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == field
    assert web.engine.heard == []


BAD_RAW: list[tuple[bytes, str, int, str]] = [
    (b"{", "application/json", 422, "invalid_request"),
    (b'{"symbol": "\\ud800"}', "application/json", 422, "invalid_request"),
    (b"\xff\xfe", "application/json", 422, "invalid_request"),
    (b"symbol=A", "application/x-www-form-urlencoded", 422, "invalid_request"),
    (b'{"symbol": "A"}', "text/plain", 422, "invalid_request"),
    (b"[" * 60_000, "application/json", 422, "invalid_request"),
    (b'{"symbol": ' + b"[" * 17 + b"]" * 17 + b"}", "application/json", 422, "invalid_request"),
    (b'{"symbol": "' + b"A" * 70_000 + b'"}', "application/json", 413, "body_too_large"),
]


@pytest.mark.parametrize(("raw", "kind", "status", "code"), BAD_RAW)
async def test_a_body_that_is_no_small_json_object_is_refused(
    web: WebWorld, raw: bytes, kind: str, status: int, code: str
):
    answer = await web.post("/listings/inject", data=raw, headers={"Content-Type": kind})

    assert (answer.status, answer.code) == (status, code)
    assert web.engine.heard == []


async def test_a_body_without_announced_length_is_cut_off_at_the_limit(web: WebWorld):
    async def endless():
        for _ in range(200):
            yield b"[" * 1024

    answer = await web.post("/listings/inject", data=endless(), headers={"Content-Type": "application/json"})

    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_the_engines_refusal_comes_back_with_its_status_code_and_details(web: WebWorld):
    def refuse(command: Command) -> CommandResult:
        return done(
            command,
            status=CommandStatus.REFUSED,
            code="monitor_stopped",
            message="The monitor is stopped; start it first.",
            http_status=409,
            result={"hint": "start"},
        )

    web.engine.answer = refuse
    answer = await web.post("/listings/inject", {"symbol": "TESTUSDT"})

    assert (answer.status, answer.code) == (409, "monitor_stopped")
    assert answer.body["message"] == "The monitor is stopped; start it first."
    assert answer.body["details"]["hint"] == "start"
    assert answer.body["details"]["commandId"] == web.engine.heard[0].id


async def test_a_command_the_engine_saw_too_late_is_a_503(web: WebWorld):
    web.engine.answer = lambda command: done(command, status=CommandStatus.EXPIRED, http_status=504)

    answer = await web.post("/monitor/start")

    assert (answer.status, answer.code) == (503, "command_expired")


async def test_the_same_idempotency_key_is_one_command_with_one_answer(web: WebWorld):
    headers = {"Idempotency-Key": "click-1"}

    both = await asyncio.gather(*(web.post("/monitor/start", headers=headers) for _ in range(5)))
    again = await web.post("/monitor/start", headers=headers)

    assert {answer.status for answer in both} == {200}
    assert {answer.body["id"] for answer in [*both, again]} == {web.engine.heard[0].id}
    assert len(web.engine.heard) == 1


async def test_without_a_key_every_request_is_a_command_of_its_own(web: WebWorld):
    await web.post("/monitor/start")
    await web.post("/monitor/start")

    assert len(web.engine.heard) == 2


async def test_a_key_used_for_another_command_is_refused(web: WebWorld):
    headers = {"Idempotency-Key": "click-1"}
    await web.post("/listings/inject", {"symbol": "AUSDT"}, headers=headers)

    other_verb = await web.post("/monitor/stop", headers=headers)
    other_symbol = await web.post("/listings/inject", {"symbol": "BUSDT"}, headers=headers)

    assert (other_verb.status, other_verb.code) == (422, "idempotency_key_reused")
    assert (other_symbol.status, other_symbol.code) == (422, "idempotency_key_reused")
    assert len(web.engine.heard) == 1


@pytest.mark.parametrize("key", ["", "x" * 129, "schlüssel"])
async def test_a_bad_idempotency_key_is_refused(web: WebWorld, key: str):
    answer = await web.post("/monitor/start", headers={"Idempotency-Key": key})

    assert (answer.status, answer.code) == (422, "invalid_request")


async def test_without_an_engine_a_command_is_refused_at_once_and_never_carried_out(
    location: LedgerLocation, tmp_path: Path
):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        async with asyncio.timeout(1.5):
            answer = await web.post("/monitor/start")
        assert (answer.status, answer.code) == (503, "engine_unavailable")

        await web.engine.start()
        await asyncio.sleep(0.3)
        assert web.engine.heard == []
        await web.engine.stop()


async def test_a_silent_engine_is_a_503_within_two_seconds_that_names_the_command(web: WebWorld):
    web.engine.answer = lambda command: None

    async with asyncio.timeout(2.5):
        answer = await web.post("/monitor/start")

    assert (answer.status, answer.code) == (503, "engine_unavailable")
    assert answer.body["details"]["commandId"] == web.engine.heard[0].id
    assert answer.body["details"]["expiresAt"].endswith("Z")


async def test_an_answer_that_came_late_is_told_to_the_same_key(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, command_wait_s=0.2) as web:
        web.engine.answer = lambda command: None
        headers = {"Idempotency-Key": "click-1"}
        first = await web.post("/monitor/start", headers=headers)
        assert first.status == 503

        web.engine.write(CommandFinished(result=done(web.engine.heard[0])))
        await web.engine.flush()
        second = await web.post("/monitor/start", headers=headers)

        assert (second.status, second.body["status"]) == (200, "done")
        assert len(web.engine.heard) == 1
