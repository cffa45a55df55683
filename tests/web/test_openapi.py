"""The published contract."""

import json
from pathlib import Path

from mexc_sniper.web.openapi import contract
from tests.web.test_security import PUBLIC
from tests.web.world import WebWorld

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def test_the_committed_contract_is_the_programs():
    assert COMMITTED.read_text(encoding="utf-8") == contract(), "run: python -m mexc_sniper.web.openapi"


async def test_the_contract_is_published_to_those_signed_in(web: WebWorld):
    assert (await web.get("/openapi.json")).body == json.loads(contract())
    assert (await web.get("/openapi.json", bearer=None)).status == 401


def test_the_contract_holds_every_frame_of_the_live_socket():
    schemas = json.loads(contract())["components"]["schemas"]

    assert {"SnapshotFrame", "EventFrame", "MarksFrame", "StatusFrame", "BeatFrame"} <= set(schemas)


def test_every_operation_names_its_errors_and_who_may_use_it():
    paths = json.loads(contract())["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            content = operation["responses"]["422"]["content"]
            assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorView"}}}
            assert ("401" in operation["responses"] and "security" in operation) or is_public(method, path), path


def test_every_whole_number_that_is_taken_in_has_an_end():
    """No database column holds more than 64 bits; one number more and the answer breaks off."""
    published = json.loads(contract())
    taken: list[tuple[str, object]] = []
    for path, operations in published["paths"].items():
        for method, operation in operations.items():
            taken += [(f"{method} {path} {one['name']}", one["schema"]) for one in operation.get("parameters", [])]
            taken.append((f"{method} {path} body", operation.get("requestBody", {})))
    numbers = [number for where, schema in taken for number in _numbers(published, where, schema)]
    assert len(numbers) > 20
    assert [
        where for where, schema in numbers if not {"maximum", "exclusiveMaximum", "enum", "const"} & schema.keys()
    ] == []


def _numbers(published: dict, where: str, schema: object, seen: tuple[str, ...] = ()) -> list[tuple[str, dict]]:
    """Every schema of a whole number in what is taken in, by way of references."""
    if isinstance(schema, list):
        return [found for part in schema for found in _numbers(published, where, part, seen)]
    if not isinstance(schema, dict):
        return []
    reference = schema.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        if name in seen:
            return []
        return _numbers(published, f"{where} {name}", published["components"]["schemas"][name], (*seen, name))
    found = [(where, schema)] if schema.get("type") == "integer" else []
    return found + [more for key, part in schema.items() for more in _numbers(published, f"{where} {key}", part, seen)]


def is_public(method: str, path: str) -> bool:
    return (method.upper(), path) in PUBLIC
