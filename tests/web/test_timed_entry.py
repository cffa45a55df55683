"""``PUT /listings/{id}/timed-entry``: the wish reaches the engine as it was said, and senseless ones do not."""

from typing import Any

import pytest

from mexc_sniper.model.commands import Verb
from tests.web.world import WebWorld, a_listing

PATH = f"/listings/{a_listing().id}/timed-entry"


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        ({"capPrice": "0.05", "offsetMs": -40}, {"capPrice": "0.05", "offsetMs": -40}),
        ({"capPrice": "0.000000000123"}, {"capPrice": "0.000000000123", "offsetMs": 0}),
        ({"capPrice": None}, {"capPrice": None, "offsetMs": 0}),
    ],
    ids=["with an offset", "a price far below a millionth", "taken back"],
)
async def test_wish_reaches_the_engine_as_it_was_said(
    web: WebWorld, body: dict[str, Any], arguments: dict[str, Any]
) -> None:
    answer = await web.call("PUT", PATH, json=body)
    assert answer.status == 200, answer.body
    (command,) = web.engine.heard
    assert (command.verb, dict(command.arguments)) == (Verb.TIME_ENTRY, {"listingId": a_listing().id, **arguments})


@pytest.mark.parametrize(
    "body",
    [
        {}, {"capPrice": "0"}, {"capPrice": "-1"}, {"capPrice": "NaN"}, {"capPrice": "1e3"}, {"capPrice": True},
        {"capPrice": "1", "offsetMs": 60_001}, {"capPrice": "1", "offsetMs": 1.5}, {"capPrice": "1", "more": 1},
        {"capPrice": "0.0000000000000000001"},
    ],
    ids=str,
)  # fmt: skip
async def test_senseless_wish_is_refused_by_its_field_and_reaches_nobody(web: WebWorld, body: dict[str, Any]) -> None:
    answer = await web.call("PUT", PATH, json=body)
    assert answer.status == 422, answer.body
    assert not web.engine.heard
