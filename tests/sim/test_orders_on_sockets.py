"""Orders over real sockets: TLS, latency, lost answers, arrival clocks, private stream."""

import asyncio
import hmac
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from mexc_proto import PushDataV3ApiWrapper
from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from tests.support.certificates import Certificates, make_certificates
from tests.support.loops import sockets_closed
from tests.support.simulator import SimulatorProcess

SYMBOL = "SOLUSDT"
ORDERS = "spot@private.orders.v3.api.pb"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def venue(certificates: Certificates) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=60, ip_weight=1_000_000, tls=certificates) as process:
        process.post("/sim/markets", {"symbol": SYMBOL, "apiOpen": True, "tradeSideType": 1, "marketOrders": True})
        process.post("/sim/book", {"symbol": SYMBOL, "bids": [["99", "500"]], "asks": [["100", "500"]]})
        process.post("/sim/trade", {"symbol": SYMBOL, "price": "100", "quantity": "1"})
        yield process


@pytest.fixture
async def http(certificates: Certificates) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=certificates.client_context())
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session
    await sockets_closed()


def signed(url: str, path: str, **params: Any) -> str:
    query = urlencode(params | {"timestamp": time.time_ns() // 1_000_000})
    return f"{url}{path}?{query}&signature={hmac.new(DEFAULT_SECRET.encode(), query.encode(), 'sha256').hexdigest()}"


HEADERS = {"X-MEXC-APIKEY": DEFAULT_KEY, "Content-Type": "application/json"}


async def send_order(http: aiohttp.ClientSession, venue: SimulatorProcess, client_id: str) -> Any:
    params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.1", "price": "99.5"}
    url = signed(venue.rest_url, "/api/v3/order", newClientOrderId=client_id, **params)
    async with http.post(url, headers=HEADERS) as answer:
        return await answer.json()


async def test_order_over_https_is_told_on_the_private_stream_over_wss(venue, http):
    async with http.post(signed(venue.rest_url, "/api/v3/userDataStream"), headers=HEADERS) as answer:
        listen_key = (await answer.json())["listenKey"]
    async with http.ws_connect(f"{venue.ws_url}?listenKey={listen_key}") as socket:
        await socket.send_json({"method": "SUBSCRIPTION", "params": [ORDERS]})
        assert (await socket.receive_json())["msg"] == ORDERS
        made = await send_order(http, venue, "tls1")
        frame = PushDataV3ApiWrapper.FromString(await asyncio.wait_for(socket.receive_bytes(), 5))
    assert (frame.privateOrders.id, frame.privateOrders.clientId) == (made["orderId"], "tls1")


async def test_stranger_to_the_authority_refuses_the_certificate(venue):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{venue.rest_url}/api/v3/ping")
    await sockets_closed()


async def test_arrival_is_stamped_by_both_clocks_between_send_and_answer(venue, http):
    before_wall, before_mono = time.time_ns(), time.monotonic_ns()
    await send_order(http, venue, "stamp1")
    after_wall, after_mono = time.time_ns(), time.monotonic_ns()
    seen = next(
        entry
        for entry in venue.requests("/api/v3/order", method="POST")
        if entry["params"]["newClientOrderId"] == "stamp1"
    )
    assert before_wall <= seen["wallNs"] <= seen["handledNs"] <= after_wall
    assert before_mono <= seen["monoNs"] <= after_mono
    (order,) = venue.orders(client_order_id="stamp1")
    assert order["arrivedWallNs"] == seen["wallNs"]


async def test_accept_then_reset_leaves_exactly_one_order(venue, http):
    venue.post("/sim/faults", {"target": "newOrder", "kind": "reset", "times": 1})
    with pytest.raises(aiohttp.ClientError):
        await send_order(http, venue, "lost1")
    assert [order["status"] for order in venue.orders(client_order_id="lost1")] == ["NEW"]


async def test_late_request_is_answered_when_processed_and_survives_its_client(venue, http):
    venue.post("/sim/faults", {"target": "newOrder", "kind": "late", "ms": 300, "times": 2})
    began = time.monotonic()
    assert (await send_order(http, venue, "late1"))["orderId"]
    assert time.monotonic() - began >= 0.3
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(send_order(http, venue, "late2"), 0.1)
    deadline = time.monotonic() + 5
    while not venue.orders(client_order_id="late2"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_dead_listen_key_is_told_in_plain_text_and_closed(venue, http):
    async with http.ws_connect(f"{venue.ws_url}?listenKey=nonsense") as socket:
        assert (await socket.receive()).data == "Invalid listen key"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


BOTH_WAYS_S = 0.12 - 0.001
"""Twice 60 ms; a loop's timer may ring a clock tick early."""


async def test_latency_is_added_each_way_to_requests_and_frames():
    with SimulatorProcess(symbols=60, ip_weight=1_000_000, latency_ms=60) as slow:
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{slow.rest_url}/sim/state") as connected:  # before the clock runs
                assert connected.status == 200
            began = time.monotonic()
            async with http.get(f"{slow.rest_url}/api/v3/ping") as answer:
                assert answer.status == 200
            assert time.monotonic() - began >= BOTH_WAYS_S
            async with http.ws_connect(slow.ws_url) as socket:
                began = time.monotonic()
                await socket.send_json({"method": "PING"})
                assert (await socket.receive_json())["msg"] == "PONG"
                assert time.monotonic() - began >= BOTH_WAYS_S
        await sockets_closed()


def test_wrong_certificate_files_end_with_one_sentence(tmp_path):
    from mexc_sim.cli import EXIT_USAGE, main

    assert main(["--tls", str(tmp_path / "none.pem"), str(tmp_path / "none.key")]) == EXIT_USAGE


def test_expired_certificate_is_refused_by_a_client_that_checks(tmp_path):
    old = make_certificates(tmp_path, expired=True)
    with SimulatorProcess(symbols=60, tls=old) as process, pytest.raises(OSError) as caught:
        process.get("/sim/state")
    assert isinstance(getattr(caught.value, "reason", caught.value), ssl.SSLCertVerificationError)
