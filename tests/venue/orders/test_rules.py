"""Pure parts of order entry: signatures, request texts, HTTP answers, the table of refusals."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.core.errors import (
    AuthFailed,
    ConfigError,
    InvariantError,
    NotTradable,
    ProtocolError,
    VenueUnavailable,
)
from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.venues.mexc.faults import BY_CODE, REASON_BY_CODE, fault_of, reason_of
from mexc_sniper.venues.mexc.http_answer import AnswerReader, HttpAnswer
from mexc_sniper.venues.mexc.lines import Exchange
from mexc_sniper.venues.mexc.order_request import RequestMaker
from mexc_sniper.venues.mexc.order_verdict import judge
from mexc_sniper.venues.mexc.signer import Signer
from mexc_sniper.venues.mexc.signing import Credentials, query_text, signature
from tests.venue.orders.conftest import CREDENTIALS
from tests.venue.orders.intents import an_intent

REFERENCE = Path(__file__).resolve().parents[2] / "fixtures" / "mexc"
VECTORS = json.loads((REFERENCE / "signing_vectors.json").read_text(encoding="utf-8"))
ERRORS = json.loads((REFERENCE / "rest" / "error_bodies.json").read_text(encoding="utf-8"))
MAKER = RequestMaker("https://api.mexc.com", CREDENTIALS)


def exchange(body, status=200):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(HttpAnswer(status, payload, None, False, True, 1), "", 1)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_prepared_states_give_the_documented_signatures(vector):
    signer = Signer(Credentials(VECTORS["apiKey"], VECTORS["secret"]))
    text = vector["payload"].encode()
    assert signer.sign(text) == vector["signature"]
    for cut in (0, 1, 64, len(text)):
        assert signer.prefix(text[:cut]).sign(text[cut:]) == vector["signature"]


@given(secret=st.text(min_size=1, max_size=150), text=st.text(max_size=200))
def test_prepared_states_agree_with_hmac_for_any_secret(secret, text):
    assert Signer(Credentials("k", secret)).sign(text.encode()) == signature(secret, text)


@given(symbol=st.text(min_size=1, max_size=20).filter(lambda s: s.isprintable()), stamp=st.integers(10**12, 10**13 - 1))
def test_request_carries_the_query_as_query_text_would_write_it_and_its_signature(symbol, stamp):
    intent = an_intent(symbol=symbol)
    for request in (MAKER.order_now(intent, stamp), MAKER.order(intent).sign(stamp)):
        query = request.split(b" ")[1].partition(b"?")[2].decode("ascii")
        signed, _, given_signature = query.rpartition("&signature=")
        parameters = {
            "symbol": symbol, "side": "BUY", "type": "MARKET", "quoteOrderQty": "20",
            "newClientOrderId": intent.client_order_id, "recvWindow": "5000", "timestamp": str(stamp),
        }  # fmt: skip
        assert signed == query_text(parameters)
        assert given_signature == signature(CREDENTIALS.api_secret, signed)
        assert request.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"quote_quantity": None},
        {"quantity": Decimal(1)},
        {"side": Side.UNKNOWN},
        {"client_order_id": "with blank"},
        {"client_order_id": "a&side=SELL"},
        {"client_order_id": "a" * 33},
        {"client_order_id": ""},
    ],
)
def test_intent_that_is_no_order_is_our_own_bug(changes):
    with pytest.raises(InvariantError):
        MAKER.order(an_intent(**changes))


@pytest.mark.parametrize(
    ("url", "key", "window"),
    [
        ("https://api.mexc.com/path", "key", 5000),
        ("https://api.mexc.com", "key\r\nX: y", 5000),
        ("https://api.mexc.com", "", 5000),
        ("https://api.mexc.com", "ключ", 5000),
        ("https://api.mexc.com", "key", 0),
        ("https://api.mexc.com", "key", 60_001),
    ],
)
def test_settings_of_which_no_request_can_be_made_are_refused(url, key, window):
    with pytest.raises(ConfigError) as caught:
        RequestMaker(url, Credentials(key, "secret"), recv_window_ms=window)
    assert "X: y" not in str(caught.value)


NO_ORDER = {  # REFERENCE 1.10, column "Order?": no
    26, 400, 401, 403, 429, 602, 10001, 10015, 10072, 10007, 10073, 10095, 10096, 10097, 10102, 10098, 10101, 11444,
    30000, 30001, 30002, 30003, 30004, 30005, 30010, 30014, 30021, 30016, 30018, 30019, 30020, 30025, 30027, 30028,
    30029, 30032, 30041, 30051, 30087, 33333, 44444, 60005, 70011, 700001, 700002, 700003, 700004, 700005, 700006,
    700007, 700008, 700013, 730001, 730707, 140001, 140002, -1121, -1128, -2011, -2013, 22222, 30026,
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(NO_ORDER))
@pytest.mark.parametrize("status", [200, 400])
def test_code_of_the_table_refuses_the_order_and_is_kept(code, status):
    verdict = judge("NEWUSDT", "id", exchange({"code": code, "msg": "no"}, status))
    assert (verdict.status, verdict.code, verdict.text) == (OrderStatus.REJECTED, code, "no")
    assert verdict.reason is reason_of(code, "no")


@pytest.mark.parametrize("code", [500, 20002, 503, 504, 502, 599])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_code_that_means_unknown_is_doubt(code, status):
    assert judge("NEWUSDT", "id", exchange({"code": code, "msg": "?"}, status)).status is OrderStatus.IN_DOUBT


@pytest.mark.parametrize("code", [30002, 11444, 10101, 0, 98765])
def test_status_of_five_hundred_outweighs_any_code(code):
    assert judge("NEWUSDT", "id", exchange({"code": code, "msg": "?"}, 503)).status is OrderStatus.IN_DOUBT


@pytest.mark.parametrize("entry", ERRORS, ids=lambda entry: str(entry["body"]["code"]))
def test_recorded_error_body_is_judged_and_never_an_acceptance(entry):
    verdict = judge("NEWUSDT", "id", exchange(entry["body"], entry["http"] or 200))
    wanted = OrderStatus.IN_DOUBT if entry["body"]["code"] == 500 else OrderStatus.REJECTED
    assert verdict.status is wanted


def test_30018_is_told_apart_by_its_text():
    market = fault_of(200, 30018, "market order is disabled", is_json=True)
    account = fault_of(200, 30018, "账号暂时不能下单，请联系客服", is_json=True)
    assert isinstance(market, NotTradable)
    assert isinstance(account, AuthFailed)
    assert reason_of(30018, "Market order is disabled") is Reason.MARKET_ORDERS_CLOSED
    assert reason_of(30018, "账号暂时不能下单，请联系客服") is Reason.KEY_REFUSED


def test_every_reason_belongs_to_a_known_code():
    assert REASON_BY_CODE.keys() <= BY_CODE.keys()
    assert isinstance(fault_of(400, 11444, "maintenance", is_json=True), VenueUnavailable)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
FIELDS = st.sampled_from(["symbol", "orderId", "code", "msg", "message", "clientOrderId", "data", "status"])


@given(body=st.dictionaries(FIELDS, VALUES, max_size=6), status=st.sampled_from([200, 201, 302, 400, 403, 404, 500]))
def test_any_answer_is_judged_and_accepted_only_with_symbol_and_id(body, status):
    verdict = judge("NEWUSDT", "id", exchange(body, status))
    assert verdict.status in (OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.IN_DOUBT)
    if verdict.status is OrderStatus.ACCEPTED:
        assert body["symbol"] == "NEWUSDT"
        assert body["orderId"] not in (None, "")
        assert 200 <= status < 300
    if verdict.status is OrderStatus.REJECTED:
        assert status < 500
        assert body.get("code") is not None
        assert body.get("orderId") is None


@given(st.binary(max_size=200), st.sampled_from([200, 400, 500]))
def test_any_bytes_as_a_body_are_judged(payload, status):
    assert judge("NEWUSDT", "id", exchange(payload, status)).status is not OrderStatus.ACCEPTED


WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nRetry-After: 3\r\n\r\n{"orderId":"1"}'


@given(st.lists(st.integers(0, len(WHOLE)), max_size=6))
def test_answer_cut_anywhere_is_read_whole_and_not_before_its_end(cuts):
    reader, answers, start = AnswerReader(), [], 0
    for end in [*sorted(cuts), len(WHOLE)]:
        if part := WHOLE[start:end]:
            answers.append(reader.feed(part, end))
        start = end
    assert answers[-1] == HttpAnswer(200, b'{"orderId":"1"}', "3", False, True, len(WHOLE))
    assert all(answer is None for answer in answers[:-1])


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_an_answer_under_way_or_a_protocol_error(data):
    try:
        answer = AnswerReader().feed(data, 1)
    except ProtocolError:
        return
    assert answer is None or answer.status >= 100
