"""Who gets in: generated over the route table, so a new route is covered the day it appears (RELIABILITY 4.1)."""

from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mexc_sniper.ledger.access import ApiToken, hash_secret
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.guard import SECURITY_HEADERS
from tests.web.routes import Endpoint, endpoints
from tests.web.world import Answer, WebWorld, a_web_world, done, frame, until_alive

PUBLIC = {
    ("GET", "/"),
    ("GET", "/login"),
    ("GET", "/dashboard"),
    ("GET", "/dashboard/{path:path}"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/auth/session"),
    ("GET", "/metrics"),  # asks for a token itself unless metrics_public
}

TOKEN = {"name": "prometheus", "scopes": ["control"]}
BODIES: dict[tuple[str, str], object] = {
    ("POST", "/listings/inject"): {"symbol": "TESTUSDT"},
    ("POST", "/auth/session"): {"token": "x"},
    ("POST", "/auth/tokens"): TOKEN,
    ("POST", "/auth/step-up"): {"password": "x"},
    ("POST", "/auth/password"): {"new": "four random words here"},
    ("PUT", "/notifications/{channel_id}"): {"enabled": True},
    ("POST", "/trade/execute"): {"symbol": "TESTUSDT", "quoteQty": "20"},
    ("PUT", "/config"): {"config": {"tradeUsdt": "10"}},
    ("POST", "/config/rollback"): {"version": 1},
    ("POST", "/arm"): {"confirm": "LIVE", "minutes": 5},
    ("POST", "/attention/{attention_id}/resolve"): {"resolution": "mark"},
}


async def send(web: WebWorld, endpoint: Endpoint, **sent: object) -> Answer:
    if (endpoint.method, endpoint.path) in BODIES:
        sent["json"] = BODIES[endpoint.method, endpoint.path]
    return await web.call(endpoint.method, endpoint.concrete, **sent)


async def a_token(web: WebWorld, *scopes: Scope, expires_ns: int | None = None) -> str:
    token = f"token-of-{'-'.join(scopes)}-{'x' * 32}"
    row = ApiToken(
        token_hash=hash_secret(token),
        name="test",
        scopes=tuple(scope.value for scope in scopes),
        created_ns=web.clock.wall_ns(),
        expires_ns=expires_ns,
    )
    await web.app.state.services.store.inbox(lambda inbox: inbox.add_token(row))
    return token


async def test_routes_without_sign_in_are_exactly_the_allow_list(web: WebWorld):
    assert {(route.method, route.path) for route in endpoints(web.app) if route.needs is None} == PUBLIC


async def test_every_other_route_refuses_without_sign_in(web: WebWorld):
    for endpoint in endpoints(web.app):
        if (endpoint.method, endpoint.path) in PUBLIC - {("GET", "/metrics")}:
            continue
        answer = await send(web, endpoint, bearer=None)
        assert (answer.status, answer.code) == (401, "not_signed_in"), endpoint
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_every_route_refuses_an_unknown_or_malformed_secret(web: WebWorld):
    for endpoint in endpoints(web.app):
        if endpoint.needs is None:
            continue
        for headers in (
            {"Authorization": "Bearer " + "A" * 43},
            {"Authorization": "Bearer"},
            {"Authorization": "Basic b3BlcmF0b3I6eA=="},
            {"Authorization": "Bearer " + "x" * 10_000},
            {"Cookie": f"{web.app.state.services.auth.cookie_name}={'A' * 43}"},
        ):
            answer = await send(web, endpoint, bearer=None, headers=headers)
            assert answer.status in (401, 429), (endpoint, headers)


async def test_every_route_refuses_a_token_without_its_scope(web: WebWorld):
    tokens = {scope: await a_token(web, scope) for scope in Scope}
    for endpoint in endpoints(web.app):
        if endpoint.needs is None:
            continue
        for scope, token in tokens.items():
            answer = await send(web, endpoint, bearer=token)
            if scope is endpoint.needs:
                passes = answer.status not in (401, 403) or answer.code in ("not_signed_in", "session_required")
                assert passes, (endpoint, answer.body)
            else:
                assert (answer.status, answer.code) == (403, "scope_missing"), (endpoint, scope)


async def test_an_expired_token_is_refused(web: WebWorld):
    token = await a_token(web, Scope.READ, expires_ns=web.clock.wall_ns() + 60_000_000_000)
    assert (await web.get("/listings", bearer=token)).status == 200

    web.clock.pass_by(61)

    assert (await web.get("/listings", bearer=token)).status == 401


FOREIGN_PAGES: list[dict[str, str | None]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": ""},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
]


async def test_every_state_changing_route_refuses_a_foreign_page(web: WebWorld):
    for endpoint in endpoints(web.app):
        if not endpoint.changes_state:
            continue
        for changed in FOREIGN_PAGES:
            await web.sign_in()
            answer = await send(web, endpoint, bearer=None, headers=web.browser(**changed))
            assert (answer.status, answer.code) == (403, "foreign_origin"), (endpoint, changed)
            with_token = await send(
                web, endpoint, headers={k: v for k, v in web.browser(**changed).items() if k != "Cookie"}
            )
            assert (with_token.status, with_token.code) == (403, "foreign_origin"), (endpoint, changed)
    assert web.engine.heard == []


async def test_every_state_changing_route_refuses_a_session_without_proof(web: WebWorld):
    for endpoint in endpoints(web.app):
        if not endpoint.changes_state or endpoint.needs is None:
            continue
        for changed, code in (
            ({"X_CSRF_Token": None}, "csrf_required"),
            ({"X_CSRF_Token": "0" * 64}, "csrf_required"),
            ({"X_CSRF_Token": ""}, "csrf_required"),
            ({"Origin": None}, "foreign_origin"),
        ):
            await web.sign_in()
            answer = await send(web, endpoint, bearer=None, headers=web.browser(**changed))
            assert (answer.status, answer.code) == (403, code), (endpoint, changed)
    assert web.engine.heard == []


VERSIONED = {"version", "revision"}
"""Fields by which a change names the state it was made from."""

STALE = {
    ("PUT", "/config"): {"version": 1, "config": {"tradeUsdt": "10"}},
    ("PUT", "/notifications/{channel_id}"): {"revision": 1, "enabled": False},
}
NOT_A_STATE = {("POST", "/config/rollback")}
"""Names the version to go back to, not the one it was made from."""


async def test_every_route_that_takes_a_version_refuses_a_stale_one(web: WebWorld):
    schemas = web.app.openapi()["components"]["schemas"]
    takes = set()
    for path, item in web.app.openapi()["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for part in [content.get("schema", {}), *content.get("schema", {}).get("anyOf", [])]:
                fields = schemas.get(part.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
                if VERSIONED & set(fields):
                    takes.add((method.upper(), path))
    assert takes - NOT_A_STATE == set(STALE)
    store = web.app.state.services.store
    await store.inbox(lambda inbox: inbox.register({"x": "webhook"}))
    for path in ("/notifications/x",):
        assert (await web.call("PUT", path, json={"enabled": True})).status == 200
    web.engine.answer = lambda command: stale(command) if command.arguments.get("version") == 1 else done(command)
    for (method, path), body in STALE.items():
        concrete = path.replace("{channel_id}", "x")
        answer = await web.call(method, concrete, json=body)
        assert (answer.status, answer.code) == (409, "stale_version"), path
    assert (await web.get("/notifications")).body["channels"][0]["enabled"] is True


def stale(command: Command) -> CommandResult:
    """What the engine answers to a change made from an old version (its own rule: tests/scenario)."""
    return done(
        command, status=CommandStatus.REFUSED, code="stale_version", message="Somebody was quicker.", http_status=409
    )


async def test_the_proof_of_one_session_does_not_serve_another(web: WebWorld):
    await web.sign_in()
    first = web.csrf
    await web.sign_in()

    answer = await web.post("/monitor/start", bearer=None, headers=web.browser(X_CSRF_Token=first))

    assert (answer.status, answer.code) == (403, "csrf_required")


async def test_a_signed_in_page_may_change_state(web: WebWorld):
    await web.sign_in()

    answer = await web.post("/monitor/start", bearer=None, headers=web.browser())

    assert answer.status == 200, answer.body
    assert web.engine.heard[0].actor == "operator"


FOREIGN_HOSTS = ["evil.example", "127.0.0.1.evil.example", "evil.example:8787", "", "[", "a@127.0.0.1", "0.0.0.0"]  # noqa: S104


async def test_every_route_refuses_a_foreign_host(web: WebWorld):
    for endpoint in endpoints(web.app):
        for host in FOREIGN_HOSTS:
            answer = await send(web, endpoint, headers={"Host": host})
            assert (answer.status, answer.code) == (403, "foreign_host"), (endpoint, host)
    assert web.engine.heard == []


@pytest.mark.parametrize("host", ["localhost:9000", "LOCALHOST", "[::1]:8787", "127.0.0.1"])
async def test_loopback_names_are_answered_on_any_port_for_tunnels(web: WebWorld, host: str):
    assert (await web.get("/listings", headers={"Host": host})).status == 200


async def test_a_named_host_is_answered(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, allowed_hosts=("sniper.lan",)) as web:
        assert (await web.get("/listings", headers={"Host": "sniper.lan:8787"})).status == 200
        assert (await web.get("/listings", headers={"Host": "other.lan"})).status == 403


async def test_reading_never_changes_state(web: WebWorld):
    for endpoint in endpoints(web.app):
        if not endpoint.changes_state and endpoint.path != "/events":
            await send(web, endpoint)
    assert web.engine.heard == []


async def test_every_answer_carries_the_security_headers(web: WebWorld):
    for path, host in (
        ("/health", None),
        ("/listings", None),
        ("/nothing", None),
        ("/dashboard", None),
        ("/listings?x=1", None),
        ("/health", "evil.example"),
    ):
        answer = await web.get(path, headers={} if host is None else {"Host": host})
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


async def test_the_policy_allows_scripts_of_this_page_alone(web: WebWorld):
    policy = (await web.get("/dashboard")).headers["content-security-policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy


UPGRADES: list[tuple[dict[str, str | None], str]] = [
    ({"Host": "evil.example"}, "foreign_host"),
    ({"Origin": "https://evil.example"}, "foreign_origin"),
    ({"Origin": "null"}, "foreign_origin"),
    ({"Sec_Fetch_Site": "cross-site"}, "foreign_origin"),
    ({"Origin": None}, "foreign_origin"),
    ({"Cookie": None}, "not_signed_in"),
    ({"Cookie": "COOKIE=" + "A" * 43}, "not_signed_in"),
]


@pytest.mark.parametrize(("changed", "code"), UPGRADES)
async def test_a_live_page_from_elsewhere_or_nobody_is_refused(
    web: WebWorld, changed: dict[str, str | None], code: str
):
    await web.sign_in()
    headers = web.browser(**changed)
    if "Cookie" in headers:
        headers["Cookie"] = headers["Cookie"].replace("COOKIE", web.app.state.services.auth.cookie_name)

    with pytest.raises(InvalidStatus) as refused:
        await web.socket(additional_headers=headers)

    assert refused.value.response.status_code in (401, 403)
    assert code.encode() in (refused.value.response.body or b"")


async def test_a_live_page_never_takes_a_secret_from_the_address(web: WebWorld):
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{web.host}/live?token={web.token}")

    assert refused.value.response.status_code == 401


async def test_a_live_page_of_a_session_is_served_and_ends_with_it(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, session_idle_s=0.4) as web:
        await web.sign_in()
        socket = await web.socket(additional_headers=web.browser())
        assert (await frame(socket))["type"] == "snapshot"

        await web.call("DELETE", "/auth/session", bearer=None, headers=web.browser())

        with pytest.raises(ConnectionClosed) as ended:
            await frames_until_closed(socket)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4401


async def frames_until_closed(socket: ClientConnection) -> None:
    while True:
        await frame(socket)


async def test_commands_are_limited_per_caller_and_reads_are_not_touched(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, commands_per_minute=3) as web:
        answers = [await web.post("/monitor/start") for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert answers[3].code == "rate_limited"
        assert int(answers[3].headers["retry-after"]) >= 1
        assert (await web.get("/listings")).status == 200

        other = await a_token(web, Scope.CONTROL)
        assert (await web.post("/monitor/start", bearer=other)).status == 200

        web.clock.pass_by(21)
        await until_alive(web)
        assert (await web.post("/monitor/start")).status == 200


async def test_unknown_paths_and_methods_have_the_one_error_shape(web: WebWorld):
    missing = await web.get("/nothing")
    wrong = await web.call("PUT", "/listings", headers={"Origin": web.url})

    assert (missing.status, missing.code) == (404, "not_found")
    assert (wrong.status, wrong.code) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]


async def test_our_own_mistake_is_a_500_that_tells_nothing(web: WebWorld, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("the password is 12345")

    monkeypatch.setattr(web.app.state.services.overview, "calendar_from_ns", broken)
    answer = await web.get("/calendar")

    assert (answer.status, answer.code) == (500, "internal_error")
    assert "12345" not in str(answer.body)
    assert answer.headers["x-content-type-options"] == "nosniff"
