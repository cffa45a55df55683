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


def is_public(method: str, path: str) -> bool:
    return (method.upper(), path) in PUBLIC
