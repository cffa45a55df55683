"""Changing the trade configuration: handed to the engine as it is, refusals by field, schema for the form."""

import json
from itertools import count
from typing import Any

import pytest

from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import ConfigChanged
from mexc_sniper.web.config_schema import config_schema
from tests.builders import ns
from tests.web.world import WebWorld, done


def a_version(number: int, **changed: Any) -> ConfigVersion:
    config = TradeConfig.model_validate(TradeConfig().model_dump(by_alias=True) | changed)
    return ConfigVersion(version=number, created_ns=ns(number), actor="operator", config=config)


def adopting(web: WebWorld, number: int):
    """An engine that takes every change over."""

    numbers = count(number)

    def answer(command: Command) -> CommandResult:
        version = a_version(next(numbers), **command.arguments["config"])
        web.engine.write(ConfigChanged(version=version))
        return done(command, result={"version": version.version})

    return answer


async def put(web: WebWorld, body: object, **sent: Any):
    return await web.call("PUT", "/config", json=body, **sent)


async def test_a_change_reaches_the_engine_and_the_new_version_comes_back(web: WebWorld):
    web.engine.write(ConfigChanged(version=a_version(1)))
    web.engine.answer = adopting(web, 2)

    answer = await put(web, {"version": 1, "config": {"tradeUsdt": "25.5", "maxOpenPositions": 3}})

    assert answer.status == 200, answer.body
    assert (answer.body["version"], answer.body["config"]["tradeUsdt"]) == (2, "25.5")
    heard = web.engine.heard[0]
    assert heard.verb is Verb.UPDATE_CONFIG
    assert heard.arguments == {"version": 1, "config": {"tradeUsdt": "25.5", "maxOpenPositions": 3}}


async def test_a_change_without_version_or_confirmation_carries_neither(web: WebWorld):
    web.engine.answer = adopting(web, 2)

    await put(web, {"config": {"autoTrade": True}, "confirm": True})
    await put(web, {"config": {"autoTrade": False}})

    assert [command.arguments for command in web.engine.heard] == [
        {"config": {"autoTrade": True}, "confirm": True},
        {"config": {"autoTrade": False}},
    ]


async def test_wrong_fields_are_told_one_by_one_in_the_one_shape(web: WebWorld):
    web.engine.answer = lambda command: done(
        command, status=CommandStatus.REFUSED, code="invalid_config", message="Mend: a, b.", http_status=422,
        result={"fields": {"tradeUsdt": "must not be above maxTradeUsdt (100)", "takeProfit.0.gainPct": "too small"}},
    )  # fmt: skip

    answer = await put(web, {"config": {"tradeUsdt": "200"}})

    assert (answer.status, answer.code, answer.body["message"]) == (422, "invalid_config", "Mend: a, b.")
    assert answer.body["details"]["fields"] == [
        {"in": "body", "name": "config.takeProfit.0.gainPct", "problem": "too small"},
        {"in": "body", "name": "config.tradeUsdt", "problem": "must not be above maxTradeUsdt (100)"},
    ]


@pytest.mark.parametrize("code", ["stale_version", "confirmation_required"])
async def test_a_conflict_comes_through_with_its_details(web: WebWorld, code: str):
    web.engine.answer = lambda command: done(
        command, status=CommandStatus.REFUSED, code=code, message="no", http_status=409, result={"version": 7}
    )

    answer = await put(web, {"version": 1, "config": {"maxTradeUsdt": "1000"}})

    assert (answer.status, answer.code, answer.body["details"]["version"]) == (409, code, 7)


BAD_BODIES: list[tuple[object, str]] = [
    ({}, "config"),
    ({"config": {}}, "config"),
    ({"config": []}, "config"),
    ({"config": {"tradeUsdt": "1"}, "version": 0}, "version"),
    ({"config": {"tradeUsdt": "1"}, "version": "1"}, "version"),
    ({"config": {"tradeUsdt": "1"}, "confirm": "yes"}, "confirm"),
    ({"config": {"tradeUsdt": "1"}, "actor": "me"}, "actor"),
    ({"config": {str(number): 1 for number in range(65)}}, "config"),
    ({"config": {"tradeUsdt": 1e300}}, "config.tradeUsdt"),
    ({"config": {"takeProfit": [{"gainPct": 10**400}]}}, "config.takeProfit.0.gainPct"),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
async def test_a_bad_change_is_refused_naming_the_field(web: WebWorld, body: object, field: str):
    answer = await put(web, body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == field
    assert web.engine.heard == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_limit_that_is_no_number_is_refused(web: WebWorld, number: str):
    raw = f'{{"config":{{"maxTradeUsdt":{number}}}}}'
    answer = await web.call("PUT", "/config", data=raw, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert web.engine.heard == []


async def test_a_rollback_carries_the_whole_old_version(web: WebWorld):
    web.engine.write(ConfigChanged(version=a_version(1, tradeUsdt="7")), ConfigChanged(version=a_version(2)))
    await web.engine.flush()
    web.engine.answer = adopting(web, 3)

    answer = await web.post("/config/rollback", {"version": 1})

    assert (answer.status, answer.body["version"], answer.body["config"]["tradeUsdt"]) == (200, 3, "7")
    heard = web.engine.heard[0]
    assert (heard.verb, heard.arguments["version"]) == (Verb.ROLLBACK_CONFIG, 1)
    assert heard.arguments["config"] == json.loads(json.dumps(answer.body["config"]))


async def test_a_rollback_to_a_version_that_never_was_is_a_404(web: WebWorld):
    web.engine.write(ConfigChanged(version=a_version(1)))
    await web.engine.flush()

    answer = await web.post("/config/rollback", {"version": 9})

    assert (answer.status, answer.code) == (404, "unknown_version")
    assert web.engine.heard == []


async def test_the_schema_is_served(web: WebWorld):
    answer = await web.get("/config/schema")

    assert answer.status == 200
    assert answer.body == json.loads(json.dumps(config_schema()))


def test_the_schema_describes_every_field_for_the_form():
    schema = config_schema()
    groups = {group["id"] for group in schema["x-groups"]}

    assert set(schema["properties"]) == {field.alias for field in TradeConfig.model_fields.values()}
    for name, described in schema["properties"].items():
        assert described["title"], name
        assert described["description"].endswith("."), name
        assert described["x-group"] in groups, name
        assert "anyOf" not in described, name
        kinds = described.get("type")
        if kinds == "integer" or (isinstance(kinds, list) and "number" in kinds):
            assert "minimum" in described, name
            assert "maximum" in described, name
        assert "default" in described, name
    orders = [described["x-order"] for described in schema["properties"].values()]
    assert len(set(orders)) == len(orders)


def test_a_decimal_limit_has_its_range_unit_and_default_as_text():
    limit = config_schema()["properties"]["maxTradeUsdt"]

    assert limit["type"] == ["string", "number"]
    assert (limit["minimum"], limit["maximum"], limit["default"], limit["x-unit"]) == (0, 1_000_000, "100", "USDT")
    step = config_schema()["$defs"]["TakeProfitStep"]["properties"]["sharePct"]
    assert (step["exclusiveMinimum"], step["maximum"], step["x-unit"]) == (0, 100, "%")
