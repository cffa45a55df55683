"""Every fault really shows to a client on a real socket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from mexc_proto import PushDataV3ApiWrapper
from tests.support.simulator import SimulatorError, SimulatorProcess

TOP = "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT"
DEALS = "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT"


@pytest.fixture(scope="module")
def venue() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=60, ip_weight=1_000_000) as process:
        yield process


@pytest.fixture(autouse=True)
def no_faults_left(venue: SimulatorProcess) -> Iterator[None]:
    yield
    venue.delete("/sim/faults")
    venue.post("/sim/clock", {"skewMs": 0})


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def subscribed(
    http: aiohttp.ClientSession, venue: SimulatorProcess, *channels: str
) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(venue.ws_url, autoping=False, autoclose=False)
    await socket.send_json({"method": "SUBSCRIPTION", "params": list(channels or [TOP])})
    return socket


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: aiohttp.WSMsgType) -> aiohttp.WSMessage:
    while True:
        message = await asyncio.wait_for(socket.receive(), 10)
        if message.type is kind:
            return message
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message


async def test_delay_holds_the_answer_back(venue, http):
    venue.post("/sim/faults", {"target": "time", "kind": "delay", "ms": 300, "times": 1})
    began = time.monotonic()
    async with http.get(f"{venue.rest_url}/api/v3/time") as answer:
        assert answer.status == 200
    assert time.monotonic() - began >= 0.3


async def test_hang_never_answers(venue, http):
    venue.post("/sim/faults", {"target": "time", "kind": "hang", "times": 1})
    with pytest.raises(TimeoutError):
        await http.get(f"{venue.rest_url}/api/v3/time", timeout=aiohttp.ClientTimeout(total=0.4))


async def test_reset_is_a_real_connection_reset(venue):
    venue.post("/sim/faults", {"target": "rest", "kind": "reset", "times": 1})
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
    writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_truncate_breaks_off_half_way_through_the_announced_length(venue, http):
    venue.post("/sim/faults", {"target": "exchangeInfo", "kind": "truncate", "times": 1})
    with pytest.raises(aiohttp.ClientPayloadError):
        async with http.get(f"{venue.rest_url}/api/v3/exchangeInfo") as answer:
            await answer.read()


async def test_stall_sends_half_and_then_nothing(venue, http):
    venue.post("/sim/faults", {"target": "exchangeInfo", "kind": "stall", "times": 1})
    answer = await http.get(f"{venue.rest_url}/api/v3/exchangeInfo", timeout=aiohttp.ClientTimeout(total=0.5))
    assert answer.status == 200
    with pytest.raises(TimeoutError):
        await answer.read()


@pytest.mark.parametrize(
    ("fault", "status", "header", "content_type"),
    [
        ({"kind": "rate_limit", "retryAfterS": 7}, 429, "7", "application/json"),
        ({"kind": "rate_limit", "retryAfterS": 0}, 429, None, "application/json"),
        ({"kind": "ban", "retryAfterS": 300}, 418, "300", "application/json"),
        ({"kind": "forbidden"}, 403, None, "text/html"),
        ({"kind": "server_error", "status": 503}, 503, None, "application/json"),
        ({"kind": "server_error", "status": 502, "html": True}, 502, None, "text/html"),
        ({"kind": "content_type"}, 200, None, "text/html"),
    ],
)
async def test_refusals_carry_status_header_and_type(venue, http, fault, status, header, content_type):
    venue.post("/sim/faults", {"target": "defaultSymbols", "times": 1, **fault})
    async with http.get(f"{venue.rest_url}/api/v3/defaultSymbols") as answer:
        assert (answer.status, answer.headers.get("Retry-After"), answer.content_type) == (status, header, content_type)
    async with http.get(f"{venue.rest_url}/api/v3/defaultSymbols") as answer:
        assert answer.status == 200


async def test_not_json_and_empty_answer_200_with_a_useless_body(venue, http):
    for kind in ("not_json", "empty"):
        venue.post("/sim/faults", {"target": "calendar", "kind": kind, "times": 1})
        async with http.get(f"{venue.web_url}/api/operation/new_coin_calendar") as answer:
            assert answer.status == 200
            with pytest.raises(ValueError):
                json.loads(await answer.text())


async def test_flapping_servers_hide_a_symbol_in_every_second_answer(venue):
    names = venue.get("/api/v3/defaultSymbols")["data"]
    venue.post("/sim/faults", {"target": "defaultSymbols", "kind": "flap", "symbols": [names[3]]})
    seen = [names[3] in venue.get("/api/v3/defaultSymbols")["data"] for _ in range(6)]
    assert seen == [True, False] * 3


async def test_cut_resets_every_socket_and_refuses_new_ones_for_a_while(venue, http):
    socket = await subscribed(http, venue)
    await next_of(socket, aiohttp.WSMsgType.BINARY)
    assert venue.post("/sim/stream/cut", {"refuseForS": 0.5}) == {"cut": 1}
    while (message := await asyncio.wait_for(socket.receive(), 5)).type in (
        aiohttp.WSMsgType.TEXT,
        aiohttp.WSMsgType.BINARY,
    ):
        pass
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(venue.ws_url)
    await asyncio.sleep(0.6)
    again = await subscribed(http, venue)
    await next_of(again, aiohttp.WSMsgType.BINARY)
    await again.close()


async def test_freeze_leaves_the_socket_open_and_says_nothing(venue, http):
    socket = await subscribed(http, venue)
    await next_of(socket, aiohttp.WSMsgType.BINARY)
    venue.post("/sim/stream/freeze")
    while True:  # drain what was already on the way
        try:
            await asyncio.wait_for(socket.receive(), 0.5)
        except TimeoutError:
            break
    await socket.send_json({"method": "PING"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.receive(), 1)
    assert not socket.closed
    fresh = await subscribed(http, venue)
    await next_of(fresh, aiohttp.WSMsgType.BINARY)
    await fresh.close()


@pytest.mark.parametrize(
    ("how", "error"), [("hang", TimeoutError), ("reset", aiohttp.ClientError), ("page", aiohttp.WSServerHandshakeError)]
)
async def test_network_that_is_away_fails_handshakes_as_told_until_it_returns(venue, http, how, error):
    venue.post("/sim/stream/freeze", {"refuseForS": 0.6, "how": how})
    with pytest.raises(error):
        await asyncio.wait_for(http.ws_connect(venue.ws_url), 0.3)
    await asyncio.sleep(0.6)
    socket = await subscribed(http, venue)
    await next_of(socket, aiohttp.WSMsgType.BINARY)
    await socket.close()


async def test_drop_stops_data_while_pongs_flow(venue, http):
    socket = await subscribed(http, venue)
    await next_of(socket, aiohttp.WSMsgType.BINARY)
    venue.post("/sim/faults", {"target": "stream", "kind": "drop"})
    await socket.send_json({"method": "PING"})
    while json.loads((await next_of(socket, aiohttp.WSMsgType.TEXT)).data)["msg"] != "PONG":
        pass
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.receive(), 1.5)
    await socket.close()


async def test_duplicate_sends_the_same_bytes_twice(venue, http):
    venue.post("/sim/faults", {"target": f"stream:*{TOP[-8:]}", "kind": "duplicate"})
    socket = await subscribed(http, venue)
    first = await next_of(socket, aiohttp.WSMsgType.BINARY)
    assert (await next_of(socket, aiohttp.WSMsgType.BINARY)).data == first.data
    await socket.close()


async def test_reorder_sends_the_later_frame_first(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "reorder"})
    socket = await subscribed(http, venue)
    first, second = [
        PushDataV3ApiWrapper.FromString((await next_of(socket, aiohttp.WSMsgType.BINARY)).data) for _ in range(2)
    ]
    assert first.sendTime > second.sendTime
    await socket.close()


async def test_corrupt_frame_cannot_be_decoded(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "corrupt"})
    socket = await subscribed(http, venue)
    data = (await next_of(socket, aiohttp.WSMsgType.BINARY)).data
    with pytest.raises(Exception, match=r"(?i)pars|decod"):
        PushDataV3ApiWrapper.FromString(data)
    await socket.close()


async def test_unknown_fields_are_appended_and_skippable(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "unknown_fields"})
    socket = await subscribed(http, venue)
    data = (await next_of(socket, aiohttp.WSMsgType.BINARY)).data
    assert data.endswith(b"\xa8\x38\x2a")
    assert PushDataV3ApiWrapper.FromString(data).symbol == "BTCUSDT"
    await socket.close()


async def test_text_arrives_where_a_binary_frame_is_due(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "text", "times": 1})
    socket = await subscribed(http, venue)
    while not (await next_of(socket, aiohttp.WSMsgType.TEXT)).data.startswith("<HTML>"):
        pass
    await socket.close()


async def test_acknowledgement_can_be_lost_or_a_rejection(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "no_ack", "times": 1})
    socket = await subscribed(http, venue)
    assert (await asyncio.wait_for(socket.receive(), 5)).type is aiohttp.WSMsgType.BINARY
    venue.post("/sim/faults", {"target": "stream", "kind": "reject", "times": 1})
    await socket.send_json({"method": "SUBSCRIPTION", "params": [DEALS], "id": 5})
    answer = json.loads((await next_of(socket, aiohttp.WSMsgType.TEXT)).data)
    assert answer == {"id": 5, "code": 0, "msg": f"Not Subscribed successfully! [{DEALS}].  Reason： Blocked! "}
    await socket.close()


async def test_handshake_can_be_refused(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "refuse", "times": 1})
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(venue.ws_url)
    assert caught.value.status == 503


async def test_delayed_frames_come_late(venue, http):
    venue.post("/sim/faults", {"target": "stream", "kind": "delay", "ms": 400})
    socket = await subscribed(http, venue)
    frame = PushDataV3ApiWrapper.FromString((await next_of(socket, aiohttp.WSMsgType.BINARY)).data)
    assert venue.get("/api/v3/time")["serverTime"] - frame.sendTime >= 400
    await socket.close()


async def test_probability_and_duration_limit_a_fault(venue, http):
    venue.post("/sim/faults", {"target": "time", "kind": "forbidden", "probability": 0.5})
    statuses = []
    for _ in range(60):
        async with http.get(f"{venue.rest_url}/api/v3/time") as answer:
            statuses.append(answer.status)
    assert {200, 403} == set(statuses)
    venue.delete("/sim/faults")
    venue.post("/sim/faults", {"target": "time", "kind": "forbidden", "forS": 0.2})
    async with http.get(f"{venue.rest_url}/api/v3/time") as answer:
        assert answer.status == 403
    await asyncio.sleep(0.25)
    async with http.get(f"{venue.rest_url}/api/v3/time") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"target": "nowhere", "kind": "hang"}, "nowhere"),
        ({"target": "time", "kind": "explode"}, "explode"),
        ({"target": "time", "kind": "delay", "sec": 3}, "sec"),
        ({"target": "time", "kind": "delay", "ms": "3"}, "ms"),
        ({"target": "time", "kind": "hang", "times": "x"}, "times"),
        ({"target": "time", "kind": "hang", "probability": 2}, "probability"),
        ({"target": "time", "kind": "hang", "forS": -1}, "forS"),
    ],
)
def test_wrong_fault_is_refused_by_name(venue, spec, named):
    with pytest.raises(SimulatorError, match=named):
        venue.post("/sim/faults", spec)
    assert venue.get("/sim/faults") == {"faults": []}


async def test_fifty_openings_in_one_second_reach_a_subscriber_completely(venue, http):
    listings = venue.post("/sim/listings", {"count": 50, "spreadS": 1, "openInS": 1.5})["listings"]
    symbols = [listing["symbol"] for listing in listings]
    sockets = [
        await subscribed(http, venue, *(DEALS.replace("BTCUSDT", symbol) for symbol in symbols[start : start + 30]))
        for start in (0, 30)
    ]
    missing = set(symbols)

    async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                missing.discard(PushDataV3ApiWrapper.FromString(message.data).symbol)

    readers = [asyncio.create_task(read(socket)) for socket in sockets]
    deadline = time.monotonic() + 15
    while missing and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    for reader in readers:
        reader.cancel()
    for socket in sockets:
        await socket.close()
    assert missing == set()
    assert all("trade" in venue.stamps(symbol) for symbol in symbols[:3])
