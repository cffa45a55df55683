"""Weights, 429 and 418 (REFERENCE 1.3), and signed endpoints (REFERENCE 1.2)."""

import hmac
import json as plain_json
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import json

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET, Account
from mexc_sim.core.messages import HttpRequest
from mexc_sim.core.replies import Refusal
from tests.sim.venue import Venue, a_venue, get

VECTORS = plain_json.loads((Path(__file__).parents[1] / "fixtures/sim/signing_vectors.json").read_text("utf-8"))


def test_weight_above_the_window_answers_429_with_the_seconds_left():
    venue = Venue()
    statuses = [venue.ask(get("/api/v3/exchangeInfo?symbol=BTCUSDT")).status for _ in range(13)]
    assert statuses == [200] * 12 + [429]
    venue.advance(4)
    refused = venue.ask(get("/api/v3/time"))
    assert (refused.status, dict(refused.headers)) == (429, {"Retry-After": "6"})
    venue.advance(6)
    assert venue.ask(get("/api/v3/time")).status == 200


def test_who_keeps_asking_while_limited_is_banned_for_longer_each_time():
    venue = a_venue(ip_weight=1, ban_after=3)
    bans = []
    for _ in range(2):
        while (answer := venue.ask(get("/api/v3/time"))).status != 418:
            pass
        bans.append(int(dict(answer.headers)["Retry-After"]))
        venue.advance(bans[-1] - 1)
        assert venue.ask(get("/api/v3/time")).status == 418
        venue.advance(1.1)
    assert bans == [120, 240]


def test_limits_count_per_address():
    venue = a_venue(ip_weight=1)
    assert [venue.ask(get("/api/v3/time", client="10.0.0.1")).status for _ in range(2)] == [200, 429]
    assert venue.ask(get("/api/v3/time", client="10.0.0.2")).status == 200


@pytest.mark.parametrize(("path", "allowed", "pause"), [("/api/v3/announcements", 5, 2.0), ("/api/v3/account", 2, 1.0)])
def test_endpoint_with_a_rate_of_its_own_keeps_it(path, allowed, pause):
    venue = Venue()
    for _ in range(2):
        statuses = [venue.ask(get(path)).status for _ in range(allowed + 1)]
        assert 429 not in statuses[:-1]
        assert statuses[-1] == 429
        venue.advance(pause)


def test_web_pages_and_control_cost_no_weight():
    venue = a_venue(ip_weight=1)
    for _ in range(5):
        assert venue.ask(get("/api/operation/new_coin_calendar")).status == 200
        assert venue.ask(get("/sim/state")).status == 200


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_signature_check_accepts_the_published_vectors(vector):
    venue = Venue()
    account = Account(venue.exchange.world, key=VECTORS["apiKey"], secret=VECTORS["secret"])
    stamp = int(vector["payload"].rpartition("timestamp=")[2])
    venue.exchange.world.time.skew_ms = stamp - venue.now_ns // 1_000_000
    query, body = vector["payload"], b""
    if "LIMITquantity" in query:  # the vector with a body: no & between query and body
        query, rest = query.split("quantity=1&price", 1)
        body = f"quantity=1&price{rest}".encode()
    headers = {"x-mexc-apikey": VECTORS["apiKey"], "content-type": "application/json"}
    signed = f"{query}&signature={vector['signature']}"
    params = account.verify(HttpRequest("POST", "/api/v3/order", signed, headers, body))
    assert params["timestamp"] == str(stamp)


def signed_get(venue: Venue, path: str, query: str, *, key: str = DEFAULT_KEY, secret: str = DEFAULT_SECRET) -> tuple:
    signature = hmac.new(secret.encode(), query.encode(), sha256).hexdigest()
    answer = venue.ask(get(f"{path}?{query}&signature={signature}", **{"x-mexc-apikey": key}))
    return answer.status, json.decode(answer.body)


def test_signed_reads_answer_the_key_holder():
    venue = Venue()
    stamp = venue.now_ns // 1_000_000
    status, own = signed_get(venue, "/api/v3/selfSymbols", f"timestamp={stamp}")
    assert status == 200
    assert own["data"] == venue.json("/api/v3/defaultSymbols")["data"]
    status, account = signed_get(venue, "/api/v3/account", f"recvWindow=1000&timestamp={stamp}")
    assert (status, account["accountType"]) == (200, "SPOT")


@pytest.mark.parametrize(
    ("query", "keys", "code"),
    [
        ("timestamp={now}", {"key": "wrong"}, 10072),
        ("timestamp={now}", {"secret": "wrong"}, 700002),
        ("timestamp={early}", {}, 700003),
        ("timestamp={ahead}", {}, 700003),
        ("recvWindow=60001&timestamp={now}", {}, 700005),
        ("recvWindow=5000", {}, 44444),
        ("symbol=%e5%b8%81&timestamp={now}", {}, 700002),
        ("symbol=a+b&timestamp={now}", {}, 700002),
    ],
)
def test_signed_read_with_one_thing_wrong_is_refused_with_its_code(query, keys, code):
    venue = Venue()
    now = venue.now_ns // 1_000_000
    text = query.format(now=now, early=now - 5_001, ahead=now + 1_000)
    status, body = signed_get(venue, "/api/v3/account", text, **keys)
    assert (status, body["code"]) == (400, code)


def test_signed_write_without_json_content_type_is_refused():
    venue = Venue()
    with pytest.raises(Refusal) as caught:
        venue.exchange.account.verify(HttpRequest("POST", "/x", "a=1", {"x-mexc-apikey": DEFAULT_KEY}))
    assert caught.value.code == 700013


def test_server_clock_can_be_wrong_on_purpose():
    venue = Venue()
    venue.post("/sim/clock", skewMs=-90_000)
    assert venue.json("/api/v3/time")["serverTime"] == venue.now_ns // 1_000_000 - 90_000
