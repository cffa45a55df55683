"""Tokens for scripts: shown once, only as mighty as needed, revoked at once."""

import pytest

from tests.web.world import WebWorld


async def test_a_token_does_what_its_scopes_allow_until_revoked(web: WebWorld):
    made = await web.post("/auth/tokens", {"name": "prometheus", "scopes": ["read"]})
    assert made.status == 200, made.body
    assert made.headers["cache-control"] == "no-store"
    token = made.body["token"]

    assert (await web.get("/metrics", bearer=token)).status == 200
    assert (await web.post("/monitor/start", bearer=token)).status == 403

    [listed] = (await web.get("/auth/tokens")).body["tokens"]
    assert (listed["name"], listed["scopes"], listed["expiresAt"]) == ("prometheus", ["read"], None)
    assert listed["lastUsedAt"] is not None
    assert "token" not in listed

    assert (await web.call("DELETE", f"/auth/tokens/{listed['id']}")).status == 204
    assert (await web.get("/metrics", bearer=token)).status == 401
    gone = await web.call("DELETE", f"/auth/tokens/{listed['id']}")
    assert (gone.status, gone.code) == (404, "token_not_found")


async def test_a_token_with_an_end_ends(web: WebWorld):
    token = (await web.post("/auth/tokens", {"name": "a", "scopes": ["read"], "expiresInDays": 1})).body["token"]
    assert (await web.get("/listings", bearer=token)).status == 200

    web.clock.pass_by(86_401)

    assert (await web.get("/listings", bearer=token)).status == 401


async def test_nobody_gives_scopes_he_does_not_have(web: WebWorld):
    control = (await web.post("/auth/tokens", {"name": "a", "scopes": ["control"]})).body["token"]

    answer = await web.post("/auth/tokens", {"name": "b", "scopes": ["control", "read"]}, bearer=control)

    assert (answer.status, answer.code) == (403, "scope_missing")
    assert "read" in answer.body["message"]


async def test_a_browser_makes_no_tokens_while_there_is_no_password_to_ask_for(web: WebWorld):
    await web.sign_in()

    answer = await web.post("/auth/tokens", {"name": "a", "scopes": ["read"]}, bearer=None, headers=web.browser())

    assert (answer.status, answer.code) == (403, "password_needed")
    assert (await web.get("/auth/tokens")).body == {"tokens": []}


BAD = [
    {"name": "", "scopes": ["read"]},
    {"name": "a\nb", "scopes": ["read"]},
    {"name": "a", "scopes": []},
    {"name": "a", "scopes": ["admin"]},
    {"name": "a", "scopes": ["read"], "expiresInDays": 0},
    {"name": "a", "scopes": ["read"], "secret": "x"},
]


@pytest.mark.parametrize("body", BAD)
async def test_a_bad_request_for_a_token_is_refused(web: WebWorld, body: dict[str, object]):
    answer = await web.post("/auth/tokens", body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert (await web.get("/auth/tokens")).body == {"tokens": []}
