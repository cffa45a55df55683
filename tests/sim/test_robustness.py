"""No request, however odd, brings the exchange down or out of step."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from mexc_sim.core.messages import HttpRequest, SocketText
from mexc_sim.core.targets import REST_TARGETS
from tests.sim.venue import Venue

_VENUE, _SOCKET_VENUE = Venue(), Venue()
_NAMES = (
    "time defaultSymbols exchangeInfo depth trades aggTrades klines avgPrice ticker/24hr ticker/price announcements "
    "account selfSymbols order"
)
_PATHS = [f"/api/v3/{name}" for name in _NAMES.split()] + ["/api/operation/new_coin_calendar", "/favicon.ico"]
_CONTROL_KEYS = ["target", "kind", "ms", "times", "forS", "skewMs", "symbol", "inS", "refuseForS", "count", "spreadS"]
_CONTROL_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers())
)
_VALUES = st.one_of(
    st.sampled_from(["BTCUSDT", "1d", "1M", "1m", "0", "999999999999999999", "-1", "１２", "1e9", "", "%", "%zz"]),
    st.text(max_size=12),
)
_KEYS = st.sampled_from(
    ["symbol", "symbols", "interval", "limit", "startTime", "endTime", "page", "timestamp", "signature"]
)


@given(st.sampled_from(_PATHS), st.dictionaries(_KEYS, _VALUES, max_size=5), st.sampled_from(["GET", "POST", "DELETE"]))
@settings(max_examples=300)
def test_any_query_gets_a_json_answer(path, params, method):
    _VENUE.exchange.limits.forgive()
    query = "&".join(f"{key}={value}" for key, value in params.items())
    answer = _VENUE.ask(HttpRequest(method, path, query, {"x-mexc-apikey": "k"}))
    assert answer.status in (200, 400, 404, 405)
    json.decode(answer.body)


@given(
    st.sampled_from(["/sim/listings", "/sim/faults", "/sim/clock", "/sim/delist", "/sim/stream/cut", "/sim/nothing"]),
    st.one_of(
        st.binary(max_size=40),
        st.dictionaries(st.sampled_from(_CONTROL_KEYS), _CONTROL_VALUES, max_size=4).map(json.encode),
    ),
)
def test_any_control_request_is_answered_in_words(path, body):
    answer = _VENUE.ask(HttpRequest("POST", path, body=body))
    assert answer.status in (200, 400, 404)
    json.decode(answer.body)


@given(st.text(max_size=200))
def test_any_text_on_a_socket_leaves_it_usable(text):
    venue = _SOCKET_VENUE
    connection = venue.connect()
    venue.exchange.handle(SocketText(connection, text), venue.now_ns)
    assert "PONG" in venue.say(connection, method="PING")
    venue.hang_up(connection)


def test_fault_targets_are_the_routes_that_exist():
    routes = {route.name for route in _VENUE.exchange.routes()}
    assert routes == set(REST_TARGETS)
