"""REST reads against a real server: limits, bans, firewalls, cuts, sizes, secrets."""

import asyncio
import gzip
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mexc_sniper.core.errors import (
    AuthFailed,
    ConnectFailed,
    ConnectionLost,
    FirewallBlocked,
    NotTradable,
    ProtocolError,
    RateLimited,
    ResponseTimeout,
    VenueUnavailable,
)
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.budget import WeightBudget
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.signing import Credentials, signature
from mexc_sniper.venues.mexc.tap import RawKind
from mexc_sniper.venues.mexc.urls import Endpoint, Host

CLOCK = LoopClock()
SECRET = "0123456789abcdef-the-secret"


class Desk:
    """Answers every path with what the test put there, and keeps the requests."""

    def __init__(self):
        self.requests = []
        self.answer = lambda request: web.json_response({"serverTime": 1767211150479})

    async def handle(self, request):
        self.requests.append(request)
        found = self.answer(request)
        return await found if asyncio.iscoroutine(found) else found


class Ear:
    def __init__(self):
        self.records = []

    def record(self, kind, connection, label, payload, wall_ns, mono_ns):
        self.records.append((kind, connection, label, payload))


@asynccontextmanager
async def asking(desk, *, credentials=None, tap=None, offset_ns=0):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", desk.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    offload = ThreadOffload()
    rest = RestClient(
        {Host.API: url, Host.WEB: url},
        CLOCK,
        offload,
        WeightBudget(CLOCK),
        venue_offset_ns=lambda: offset_ns,
        credentials=credentials,
        tap=tap,
    )
    try:
        async with rest:
            yield rest
    finally:
        offload.close()
        await runner.cleanup()


async def _refusal(desk, kind, endpoint=Endpoint.TIME, **how):
    async with asking(desk, **how) as rest:
        with pytest.raises(kind) as caught:
            await rest.get(endpoint)
        return rest, caught.value


async def test_answer_carries_the_body_and_the_instants():
    desk, ear = Desk(), Ear()
    async with asking(desk, tap=ear) as rest:
        before = CLOCK.mono_ns()
        answer = await rest.get(Endpoint.KLINES, {"symbol": "币安人生USDT", "interval": "1d"})
        assert answer.body == b'{"serverTime": 1767211150479}'
        assert before <= answer.sent_mono_ns <= answer.mono_ns <= CLOCK.mono_ns()
        assert rest.budget.weight_used == Endpoint.KLINES.weight
    assert desk.requests[0].raw_path == "/api/v3/klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1d"
    label = "klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1d"
    assert ear.records == [(RawKind.ANSWER, 0, label, answer.body)]


@pytest.mark.parametrize("size", [100, 2_000_000])
async def test_packed_body_is_unpacked(size):
    desk = Desk()
    body = b'{"a":"' + bytes(97 + (i * i) % 26 for i in range(size)) + b'"}'
    packed = gzip.compress(body)
    desk.answer = lambda request: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    async with asking(desk) as rest:
        assert (await rest.get(Endpoint.EXCHANGE_INFO)).body == body


@pytest.mark.parametrize(
    "body", [gzip.compress(b'{"a":"' + b"x" * 10_000_000 + b'"}'), gzip.compress(b'{"a":1}')[:-9], b'{"not packed":1}']
)
async def test_packed_body_that_explodes_or_is_cut_is_a_protocol_error(body):
    desk = Desk()
    desk.answer = lambda request: web.Response(body=body, headers={"Content-Encoding": "gzip"})
    await _refusal(desk, ProtocolError)


async def test_body_beyond_its_cap_is_a_protocol_error():
    desk = Desk()
    desk.answer = lambda request: web.Response(body=b"{" + b" " * 100_000 + b"}")
    _, error = await _refusal(desk, ProtocolError)
    assert "longer than 4096 bytes" in str(error)


async def test_429_stops_every_call_for_the_time_the_venue_names():
    desk = Desk()
    desk.answer = lambda request: web.json_response({"code": 429}, status=429, headers={"Retry-After": "7"})
    async with asking(desk) as rest:
        for _ in range(3):
            with pytest.raises(RateLimited) as caught:
                await rest.get(Endpoint.DEFAULT_SYMBOLS)
            assert 6 < caught.value.retry_after_s <= 7
        assert len(desk.requests) == 1


async def test_418_without_a_time_counts_as_two_minutes():
    desk = Desk()
    desk.answer = lambda request: web.Response(status=418, text="banned")
    _, error = await _refusal(desk, RateLimited)
    assert 119 < error.retry_after_s <= 120


@pytest.mark.parametrize("value", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "１２"])
async def test_wait_that_is_no_number_counts_as_none(value):
    desk = Desk()
    desk.answer = lambda request: web.Response(status=429, headers={"Retry-After": value})
    _, error = await _refusal(desk, RateLimited)
    assert error.retry_after_s <= 1


async def test_403_page_is_the_firewall_and_stops_the_api_for_a_minute():
    desk = Desk()
    desk.answer = lambda request: web.Response(status=403, text="<html>denied</html>", content_type="text/html")
    async with asking(desk) as rest:
        with pytest.raises(FirewallBlocked) as caught:
            await rest.get(Endpoint.DEFAULT_SYMBOLS)
        assert caught.value.retry_after_s == 60
        with pytest.raises(RateLimited, match="firewall"):
            await rest.get(Endpoint.TIME)
        assert len(desk.requests) == 1


async def test_403_of_the_web_pages_leaves_the_api_alone():
    desk = Desk()
    desk.answer = lambda request: (
        web.Response(status=403, text="<html>") if "new_coin" in request.path else web.json_response({})
    )
    async with asking(desk) as rest:
        with pytest.raises(FirewallBlocked):
            await rest.get(Endpoint.CALENDAR)
        await rest.get(Endpoint.TIME)
    assert "Mozilla" in desk.requests[0].headers["User-Agent"]
    assert "Mozilla" not in desk.requests[1].headers["User-Agent"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda r: web.Response(status=503, text="<html>maintenance</html>"), VenueUnavailable),
        (lambda r: web.json_response({"code": 500, "msg": "x"}, status=500), VenueUnavailable),
        (lambda r: web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400), NotTradable),
        (lambda r: web.json_response({"code": "700006", "msg": "ip"}, status=400), AuthFailed),
        (lambda r: web.Response(text="<html>hello</html>"), FirewallBlocked),
        (lambda r: web.Response(text=""), FirewallBlocked),
        (lambda r: web.Response(status=302, headers={"Location": "http://evil.invalid/"}), ProtocolError),
    ],
)
async def test_answer_that_is_none_is_its_error(answer, kind):
    desk = Desk()
    desk.answer = answer
    await _refusal(desk, kind)
    assert len(desk.requests) == 1


async def test_silence_ends_at_the_deadline():
    desk = Desk()
    desk.answer = lambda request: asyncio.sleep(30)
    started = CLOCK.mono_ns()
    await _refusal(desk, ResponseTimeout)
    assert CLOCK.mono_ns() - started < 3_000_000_000


async def test_connection_cut_in_the_middle_is_lost():
    desk = Desk()

    async def cut(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"a":')
        request.transport.abort()
        return response

    desk.answer = cut
    await _refusal(desk, ConnectionLost)


async def test_refused_port_is_a_failed_connection(unused_tcp_port):
    offload = ThreadOffload()
    rest = RestClient(
        {Host.API: f"http://127.0.0.1:{unused_tcp_port}"}, CLOCK, offload, WeightBudget(CLOCK), venue_offset_ns=int
    )
    async with rest:
        with pytest.raises(ConnectFailed):
            await rest.get(Endpoint.TIME)
    offload.close()


async def test_signed_call_uses_the_venues_clock_and_never_shows_its_secrets():
    desk = Desk()
    desk.answer = lambda request: web.json_response({"code": 700002, "msg": "Signature"}, status=400)
    credentials = Credentials("the-api-key", SECRET)
    offset_ns = 3_600 * 1_000_000_000
    _, error = await _refusal(desk, AuthFailed, Endpoint.SELF_SYMBOLS, credentials=credentials, offset_ns=offset_ns)
    (request,) = desk.requests
    payload, _, signed = request.query_string.rpartition("&signature=")
    assert signed == signature(SECRET, payload)
    stamp_ms = int(request.query["timestamp"])
    assert abs(stamp_ms - (CLOCK.wall_ns() + offset_ns) // 1_000_000) < 5_000
    assert request.headers["X-MEXC-APIKEY"] == "the-api-key"
    assert SECRET not in repr(error)
    assert "the-api-key" not in repr(error)
    assert error.__cause__ is None


async def test_signed_answer_is_taped_without_its_query():
    desk, ear = Desk(), Ear()
    desk.answer = lambda request: web.json_response({"code": 200, "data": []})
    async with asking(desk, credentials=Credentials("k", SECRET), tap=ear) as rest:
        await rest.get(Endpoint.SELF_SYMBOLS)
    assert [record[2] for record in ear.records] == ["self_symbols"]
