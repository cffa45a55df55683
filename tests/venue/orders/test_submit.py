"""What the venue may do to an order on its way, and what we may conclude (RELIABILITY 2.2, 18 to 34)."""

import asyncio
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from decimal import Decimal

import pytest

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.model.events import GateSignaled
from mexc_sniper.model.order import OrderRole, OrderType
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.venues.mexc.lines import LineOptions
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.venue.orders.conftest import CREDENTIALS, QUICK, desk_on
from tests.venue.orders.intents import approved
from tests.venue.orders.venue import Closes, Hangs, OrderVenue, Resets, http, taken_in
from tests.venue.streaming import eventually

ORDER = "POST /api/v3/order"
PAGE = b"<html><body>Bad Gateway</body></html>"
TAKEN = {"symbol": "NEWUSDT", "orderId": "C02__7"}


async def outcome_of(desk, answer):
    desk.venue.on(ORDER, answer if callable(answer) else lambda _: answer)
    desk.gateway.submit(approved())
    report = await desk.ended()
    assert desk.statuses()[0] == "submitted"
    assert len(desk.venue.orders) == 1
    return report


async def test_order_with_a_good_answer_is_accepted_under_the_venues_id(desk):
    report = await outcome_of(desk, taken_in)
    assert (report.status, report.venue_order_id, report.source) == ("accepted", "C02__1", "ack")
    sent = desk.reports()[0]
    assert 0 < sent.sent_mono_ns <= report.stamp.mono_ns
    assert sent.stamp.ts_event_ns == int(desk.venue.orders[0].parameters["timestamp"]) * 1_000_000


IN_DOUBT = {
    "18/19 no answer at all": Hangs,
    "21 500 with JSON": http({"code": 500, "msg": "oops"}, 500),
    "21 503 with the text that means unknown": http({"code": 503, "msg": "Unknown error, please check"}, 503),
    "21 502 page": http(None, 502, raw=PAGE),
    "21 504 page": http(None, 504, raw=PAGE),
    "21 internal error in a 200": http({"code": 500, "msg": "internal error"}),
    "21 20002 in a 200": http({"code": 20002, "msg": "internal error"}),
    "21 504 as code in a 400": http({"code": 504, "msg": "gateway timeout"}, 400),
    "21 code of a gateway": http({"code": 524, "msg": "a timeout occurred"}, 400),
    "22 truncated JSON": http(None, raw=b'{"symbol":"NEWUSDT","orderId":"C0'),
    "22 truncated body, then closed": [http(TAKEN)[:-10], Closes],
    "22 truncated head, then reset": [http(TAKEN)[:40], Resets],
    "22 page with status 200": http(None, raw=PAGE),
    "22 empty body": http(None, raw=b""),
    "22 list": http([TAKEN]),
    "22 packed": http(TAKEN, headers="Content-Encoding: gzip\r\n"),
    "22 no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "22 two answers": http(TAKEN) + http(TAKEN),
    "22 endless": http(None, raw=b'{"x":"' + b"y" * 400_000 + b'"}'),
    "23 no order id": http({"symbol": "NEWUSDT"}),
    "23 empty order id": http({"symbol": "NEWUSDT", "orderId": ""}),
    "23 order id of null": http({"symbol": "NEWUSDT", "orderId": None}),
    "23 order id and a refusal": http(TAKEN | {"code": 30002, "msg": "no"}),
    "23 code that is no number": http({"code": "ERR", "msg": "no"}, 400),
    "23 refusal without a code": http({"msg": "no"}, 400),
    "27 firewall page": http(None, 403, raw=PAGE),
    "28 reset after the request": Resets,
    "28 closed after the request": Closes,
    "32 redirect": http(TAKEN, 302, headers="Location: https://elsewhere.invalid/\r\n"),
    "34 another symbol": http(TAKEN | {"symbol": "OLDUSDT"}),
    "34 another client id": http(TAKEN | {"clientOrderId": "msl0001ffffffffffffff00"}),
    "34 no symbol": http({"orderId": "C02__7"}),
    "time-out of the venue": http({"code": 408, "msg": "timeout"}, 408),
}


@pytest.mark.parametrize("answer", IN_DOUBT.values(), ids=IN_DOUBT.keys())
async def test_order_whose_fate_nobody_told_is_in_doubt_and_never_sent_again(desk, answer):
    report = await outcome_of(desk, answer)
    assert (report.status, report.reason) == ("in_doubt", "OUTCOME_UNKNOWN")
    await asyncio.sleep(0.05)
    assert len(desk.venue.orders) == 1
    assert desk.statuses() == ["submitted", "in_doubt"]


@pytest.mark.parametrize(
    "body",
    [
        TAKEN,
        {"symbol": "NEWUSDT", "orderId": 133734823834447872, "orderListId": "-1", "price": "1", "new": {"field": []}},
        TAKEN | {"code": 0, "msg": "success"},
        TAKEN | {"code": 200},
        TAKEN | {"code": "0"},
    ],
)
async def test_good_answer_in_any_of_its_forms_is_accepted(desk, body):
    assert (await outcome_of(desk, http(body))).status == "accepted"


async def test_answer_in_pieces_and_chunks_is_read(desk):
    body = json.dumps(TAKEN).encode()
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (5, body[:5], len(body) - 5, body[5:])
    whole = head + chunks
    assert (await outcome_of(desk, [whole[:30], 0.01, whole[30:90], 0.01, whole[90:]])).status == "accepted"


async def test_bytes_of_the_request_are_signed_as_sent(desk):
    desk.venue.on(ORDER, taken_in)
    symbol = "币安人生USDT"
    order = approved(
        symbol=symbol, type=OrderType.IOC, price=Decimal("0.00000120"), quantity=Decimal("1E+3"), quote_quantity=None
    )
    desk.gateway.submit(order)
    await desk.ended()
    request = desk.venue.orders[0]
    signed, _, signature = request.query.rpartition("&signature=")
    assert signature == hmac.new(CREDENTIALS.api_secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert signed.startswith("symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&side=BUY&type=IMMEDIATE_OR_CANCEL&")
    asked = request.parameters
    assert (asked["quantity"], asked["price"]) == ("1000", "0.00000120")
    assert asked["newClientOrderId"] == order.intent.client_order_id
    assert asked["recvWindow"] == "5000"
    assert abs(int(asked["timestamp"]) - time.time() * 1000) < 2000
    assert "quoteOrderQty" not in asked
    head = request.head.decode().split("\r\n")
    assert "X-MEXC-APIKEY: mx0aBYs33eIilxBWC5" in head
    assert "Content-Type: application/json" in head
    assert "Content-Length: 0" in head


async def test_timestamp_is_the_venues_clock(venue):
    venue.on(ORDER, taken_in)
    async with desk_on(venue, offset_ns=lambda: 90_000_000_000, recv_window_ms=2000) as desk:
        desk.gateway.submit(approved())
        await desk.ended()
    asked = venue.orders[0].parameters
    assert abs(int(asked["timestamp"]) - 90_000 - time.time() * 1000) < 2000
    assert asked["recvWindow"] == "2000"


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [(429, "Retry-After: 7\r\n", 7), (429, "", 1), (418, "Retry-After: 600\r\n", 600), (418, "", 120)],
)
async def test_too_many_requests_refuse_the_order_and_stop_the_lane(desk, status, headers, wait_s):
    report = await outcome_of(desk, http({"code": 429, "msg": "Too many"}, status, headers))
    assert (report.status, report.reason) == ("rejected", "VENUE_BANNED")
    assert ("VENUE_BANNED", True) in desk.gates()
    assert any(event.detail.endswith(f"; {wait_s} s") for event in desk.of(GateSignaled))
    desk.gateway.submit(approved())
    assert (desk.reports()[-1].status, desk.reports()[-1].reason) == ("not_sent", "VENUE_BANNED")
    assert len(desk.venue.orders) == 1


async def test_lane_opens_again_when_the_wait_is_over(desk):
    await outcome_of(desk, http({"code": 429}, 429, "Retry-After: 1\r\n"))
    await eventually(lambda: desk.gates()[-1] == ("VENUE_BANNED", False))
    desk.venue.on(ORDER, taken_in)
    desk.gateway.submit(approved())
    await eventually(lambda: desk.statuses()[-1] == "accepted")


async def test_firewall_page_stops_the_lane_for_a_minute(desk):
    await outcome_of(desk, http(None, 403, raw=PAGE))
    assert ("VENUE_BANNED", True) in desk.gates()
    desk.gateway.submit(approved())
    assert desk.statuses()[-1] == "not_sent"


async def test_client_id_is_never_sent_twice_whatever_became_of_it(desk):
    desk.venue.on(ORDER, lambda _: Resets)
    order = approved()
    desk.gateway.submit(order)
    assert (await desk.ended()).status == "in_doubt"
    with pytest.raises(InvariantError):
        desk.gateway.submit(order)
    assert len(desk.venue.orders) == 1


async def test_order_without_any_connection_is_not_sent(unused_tcp_port):
    venue = OrderVenue(port=unused_tcp_port)
    async with desk_on(venue, ready=False) as desk:
        await eventually(lambda: ("VENUE_UNREACHABLE", True) in desk.gates())
        desk.gateway.submit(approved())
        assert [(r.status, r.reason) for r in desk.reports()] == [("not_sent", "VENUE_UNREACHABLE")]


async def test_order_to_a_name_that_does_not_resolve_is_not_sent():
    class Nowhere(OrderVenue):
        url = "http://no-such-host.invalid"

    async with desk_on(Nowhere(), ready=False) as desk:
        await asyncio.sleep(0.05)
        desk.gateway.submit(approved())
        assert desk.statuses() == ["not_sent"]


async def test_order_on_connections_the_venue_has_closed_is_not_sent_or_in_doubt_but_never_repeated(venue):
    venue.on(ORDER, taken_in)
    async with desk_on(venue) as desk:
        venue.cut()
        desk.gateway.submit(approved())
        await eventually(lambda: desk.statuses()[-1] != "submitted")
        assert desk.statuses() in (["not_sent"], ["submitted", "in_doubt"])
        assert len(venue.orders) == 0
        await eventually(lambda: desk.gateway.idle_connections == QUICK.lines)
        desk.gateway.submit(approved())
        await eventually(lambda: desk.statuses()[-1] == "accepted")


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_write_on_a_socket_that_was_reset_unnoticed_left_no_byte(secure, server_tls, client_tls):
    """28: the reset lies in the kernel and the loop has not seen it: the system refuses the write, so none left."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []
    reset = threading.Event()

    def serve():
        sock, _ = listener.accept()
        if secure:
            sock = server_tls.wrap_socket(sock, server_side=True)
        accepted.append(sock)
        reset.wait(5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ends: list[str] = []

    class Ear:
        def on_bytes(self, data, mono_ns): ...

        def on_close(self, why):
            ends.append(why)

    scheme = "https://localhost" if secure else "http://127.0.0.1"
    connection = await PicowsWire(LoopClock(), ssl_context=client_tls).open_bytes(
        f"{scheme}:{listener.getsockname()[1]}", Ear(), deadline_s=2
    )
    await eventually(lambda: accepted)
    reset.set()
    thread.join()
    time.sleep(0.05)  # the loop must not run: it would notice
    assert connection.write(b"POST / HTTP/1.1\r\n\r\n") is False
    assert connection.write(b"again") is False
    await eventually(lambda: len(ends) == 1)
    listener.close()


async def test_venue_with_an_unknown_certificate_gets_no_order(server_tls):
    venue = OrderVenue(tls=server_tls)
    await venue.start()
    async with desk_on(venue, ready=False) as desk:
        await eventually(lambda: ("VENUE_UNREACHABLE", True) in desk.gates())
        desk.gateway.submit(approved())
        assert desk.statuses() == ["not_sent"]
    assert venue.requests == []
    await venue.stop()


async def test_order_over_tls_is_accepted(server_tls, client_tls):
    venue = OrderVenue(tls=server_tls)
    venue.on(ORDER, taken_in)
    await venue.start()
    wire = PicowsWire(LoopClock(), ssl_context=client_tls)
    async with desk_on(venue, wire=wire) as desk:
        desk.gateway.submit(approved())
        assert (await desk.ended()).status == "accepted"
    await venue.stop()


async def test_one_request_at_a_time_on_a_connection_and_the_last_is_kept_for_exits(venue):
    venue.on(ORDER, lambda _: Hangs)
    lines = LineOptions(lines=3, reserved=1, most_lines=3, answer_deadline_s=5)
    async with desk_on(venue, lines=lines) as desk:
        for _ in range(3):
            desk.gateway.submit(approved())
        assert desk.statuses() == ["submitted", "submitted", "not_sent"]
        desk.gateway.submit(approved(role=OrderRole.STOP_LOSS))
        desk.gateway.submit(approved(role=OrderRole.STOP_LOSS))
        assert desk.statuses()[3:] == ["submitted", "not_sent"]
        await eventually(lambda: len(venue.orders) == 3)
        assert len({request.connection for request in venue.orders}) == 3


async def test_more_connections_are_opened_while_answers_are_slow(venue):
    venue.on(ORDER, lambda _: Hangs)
    async with desk_on(venue, lines=LineOptions(lines=3, most_lines=6, answer_deadline_s=5)) as desk:
        for _ in range(2):
            desk.gateway.submit(approved())
        await eventually(lambda: desk.gateway.idle_connections == 2)
        desk.gateway.submit(approved())
        assert desk.statuses() == ["submitted"] * 3


async def test_line_is_used_again_after_an_answer_and_replaced_after_one_that_ends_it(venue):
    venue.on(ORDER, taken_in)
    async with desk_on(venue, lines=LineOptions(lines=2)) as desk:
        for _ in range(4):
            desk.gateway.submit(approved())
            await eventually(lambda: desk.statuses()[-1] == "accepted")
        assert venue.opened <= 4  # two lines, and those of the REST client
        opened = venue.opened
        venue.on(ORDER, lambda r: http(TAKEN, headers="Connection: close\r\n"))
        desk.gateway.submit(approved())
        await eventually(lambda: desk.statuses()[-1] == "accepted")
        await eventually(lambda: venue.opened > opened and desk.gateway.idle_connections == 2)


async def test_connection_on_which_the_venue_speaks_unasked_is_never_used_for_an_order(venue):
    async with desk_on(venue) as desk:
        for writer in venue._writers:
            writer.write(http({"code": 408, "msg": "idle"}, 408))
        await asyncio.sleep(0.05)
        await eventually(lambda: desk.gateway.idle_connections == QUICK.lines)
        venue.on(ORDER, taken_in)
        desk.gateway.submit(approved())
        assert (await desk.ended()).status == "accepted"


async def test_idle_lines_are_kept_warm_one_after_the_other(venue):
    pings: list[int] = []
    venue.on("GET /api/v3/ping", lambda request: (pings.append(request.connection), http({}))[1])
    async with desk_on(venue, lines=LineOptions(lines=3, warm_every_s=0.2)):
        await eventually(lambda: len(set(pings)) >= 3)
        await eventually(lambda: len(pings) >= 6)


async def test_stopping_with_an_order_in_flight_reports_it_in_doubt(venue):
    venue.on(ORDER, lambda _: Hangs)
    async with desk_on(venue, lines=LineOptions(lines=2)) as desk:
        desk.gateway.submit(approved())
    assert desk.statuses() == ["submitted", "in_doubt"]


async def test_rehearsals_send_nothing_and_take_no_line(venue):
    posts = []
    venue.on(ORDER, lambda request: (posts.append(request), taken_in(request))[1])
    async with desk_on(venue) as desk:
        order = approved()
        desk.gateway.prepare("NEWUSDT", [order])
        idle = desk.gateway.idle_connections
        for _ in range(50):
            desk.gateway._entry.rehearse()
        assert desk.gateway.idle_connections == idle
        desk.gateway.submit(order)
        assert (await desk.ended()).status == "accepted"
    assert len(posts) == 1
    assert desk.statuses() == ["submitted", "accepted"]


async def test_prepared_order_is_sent_with_a_fresh_timestamp(venue):
    venue.on(ORDER, taken_in)
    async with desk_on(venue) as desk:
        orders = [approved(), approved()]
        desk.gateway.prepare("NEWUSDT", orders)
        await asyncio.sleep(1.3)
        desk.gateway.submit(orders[0])
        await desk.ended()
        age_ms = time.time() * 1000 - int(venue.orders[0].parameters["timestamp"])
        assert -50 < age_ms < 900
        desk.gateway.unprepare("NEWUSDT")
        desk.gateway.submit(orders[1])
        await desk.ended(4)
    assert [request.parameters["newClientOrderId"] for request in venue.orders] == [
        order.intent.client_order_id for order in orders
    ]


async def test_prepared_order_is_still_signed_ahead_however_long_it_waited(venue):
    venue.on(ORDER, taken_in)
    submitted_ms = []
    async with desk_on(venue) as desk:
        orders = [approved() for _ in range(5)]
        desk.gateway.prepare("NEWUSDT", orders)
        await asyncio.sleep(2.5)
        for order in orders:
            submitted_ms.append(time.time() * 1000)
            desk.gateway.submit(order)
            await asyncio.sleep(0.02)
        await eventually(lambda: len(venue.orders) == 5)
    signed_ms = [int(request.parameters["timestamp"]) for request in venue.orders]
    ages_ms = [sent - signed for sent, signed in zip(submitted_ms, signed_ms, strict=True)]
    assert len(set(signed_ms)) < 5, "none was signed as it left"
    assert 5 < max(ages_ms) < 900


async def test_prepared_order_is_signed_anew_after_the_clock_stepped(venue):
    venue.on(ORDER, taken_in)
    offset = [0]
    async with desk_on(venue, offset_ns=lambda: offset[0]) as desk:
        order = approved()
        desk.gateway.prepare("NEWUSDT", [order])
        offset[0] = -5_000_000_000
        desk.gateway.submit(order)
        await desk.ended()
    assert int(venue.orders[0].parameters["timestamp"]) < time.time() * 1000 - 4000
