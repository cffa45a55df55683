"""What the private stream says and how it is kept (REFERENCE 2.3, 2.4; RELIABILITY 2.1, 15)."""

import asyncio
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ProtocolError, ResponseTimeout, UnknownRefusal
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import BalancesRead, FillsReported, PrivateStreamChanged
from mexc_sniper.venues.mexc.listen_key import ListenKey
from mexc_sniper.venues.mexc.parse.private_frames import decode_private
from mexc_sniper.venues.mexc.rest import Answer
from tests.venue.clock import ManualClock
from tests.venue.orders.conftest import desk_on
from tests.venue.orders.intents import approved
from tests.venue.orders.venue import http, taken_in
from tests.venue.scripted import ScriptedVenue
from tests.venue.streaming import eventually

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "mexc"
FRAMES = {
    entry["name"]: bytes.fromhex(entry["hex"])
    for entry in json.loads((FIXTURES / "ws" / "frames.json").read_text(encoding="utf-8"))
}
OURS = "msl0001aaaaaaaaaaaaaa00"


class ListenKeys:
    """The venue's half of the listen keys."""

    def __init__(self, venue) -> None:
        self.made: list[str] = []
        self.deleted: list[str] = []
        venue.on("POST /api/v3/userDataStream", self._make)
        venue.on("PUT /api/v3/userDataStream", lambda r: (self.extended.append(r.parameters["listenKey"]), http({}))[1])
        venue.on(
            "DELETE /api/v3/userDataStream", lambda r: (self.deleted.append(r.parameters["listenKey"]), http({}))[1]
        )

    def _delete(self, request):
        self.deleted.append(request.parameters["listenKey"])
        return http({})

    def _make(self, request):
        self.made.append(f"listenkey{len(self.made) + 1:04}")
        return http({"listenKey": self.made[-1]})


@pytest.fixture
async def pushing(venue):
    """A desk whose private stream is up, the stream's venue, and the keys."""
    stream = ScriptedVenue()
    await stream.start()
    keys = ListenKeys(venue)
    async with desk_on(venue, ws_url=stream.url) as desk:
        await eventually(lambda: [e.connected for e in desk.of(PrivateStreamChanged)] == [True])
        yield desk, stream, keys
    await stream.stop()


def order_push(**fields) -> bytes:
    wrapper = PushDataV3ApiWrapper(channel="spot@private.orders.v3.api.pb", symbol="NEWUSDT", sendTime=1736417034281)
    known = {
        "id": "C02__9", "clientId": OURS, "price": "1", "quantity": "10", "amount": "10", "avgPrice": "1",
        "orderType": 5, "tradeType": 1, "remainAmount": "0", "remainQuantity": "6", "cumulativeQuantity": "4",
        "cumulativeAmount": "4.5", "status": 3, "createTime": 1736417034259,
    }  # fmt: skip
    for name, value in (known | fields).items():
        setattr(wrapper.privateOrders, name, value)
    return wrapper.SerializeToString()


STATES = [(1, "accepted"), (2, "filled"), (3, "partially_filled"), (4, "canceled"), (5, "canceled")]


@pytest.mark.parametrize(("number", "status"), STATES)
async def test_pushed_state_is_told_with_its_cumulative_amounts(pushing, number, status):
    desk, stream, _ = pushing
    await stream.send(order_push(status=number))
    report = await desk.ended(1)
    assert (report.status, report.client_order_id, report.venue_order_id) == (status, OURS, "C02__9")
    assert (report.filled_quantity, report.filled_quote, report.source) == (4, Decimal("4.5"), "stream")
    assert report.stamp.ts_event_ns == 1736417034281_000_000


async def test_pushed_state_nobody_knows_is_asked_for_and_never_guessed(pushing):
    desk, stream, _ = pushing
    body = {"symbol": "NEWUSDT", "orderId": "C02__9", "clientOrderId": OURS, "status": "FILLED", "executedQty": "10"}
    desk.venue.on("GET /api/v3/order", lambda _: http(body | {"cummulativeQuoteQty": "10"}))
    await stream.send(order_push(status=77))
    report = await desk.ended(1)
    assert (report.status, report.source, report.filled_quantity) == ("filled", "query", 10)


async def test_push_without_our_id_is_known_by_the_venues_id_from_the_answer(pushing):
    desk, stream, _ = pushing
    desk.venue.on("POST /api/v3/order", lambda request: taken_in(request, "C02__9"))
    order = approved()
    desk.gateway.submit(order)
    await desk.ended()
    await stream.send(order_push(clientId=""))
    await eventually(lambda: len(desk.reports(order.intent.client_order_id)) == 3)


async def test_recorded_pushes_become_fills_and_balances(pushing):
    desk, stream, _ = pushing
    await stream.send(FRAMES["private.deals MXUSDT SELL"])
    await stream.send(FRAMES["private.account USDT place order"])
    await eventually(lambda: desk.of(BalancesRead))
    (fill,) = desk.fills()
    assert (fill.symbol, fill.side, fill.price, fill.quantity) == ("MXUSDT", "sell", Decimal("3.6962"), 1)
    assert (fill.fee, fill.fee_asset) == (Decimal("0.0003998377369698171"), "MX")
    assert fill.trade_id == "505979017439002624X1"
    (read,) = desk.of(BalancesRead)
    assert not read.complete
    assert [(b.asset, b.free, b.locked) for b in read.balances] == [
        ("USDT", Decimal("0.006016465074677006"), Decimal("4.4022"))
    ]


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff",
        FRAMES["private.deals MXUSDT SELL"][:-9],
        order_push(id=""),
        order_push(cumulativeQuantity="NaN"),
        order_push(cumulativeQuantity="-1"),
        PushDataV3ApiWrapper(channel="spot@private.orders.v3.api.pb").SerializeToString(),
    ],
    ids=["no envelope", "cut", "no id", "no number", "negative", "empty"],
)
async def test_private_frame_that_cannot_be_read_ends_the_connection_so_that_nothing_is_missed(pushing, frame):
    desk, stream, keys = pushing
    await stream.send(frame)
    await eventually(lambda: [e.connected for e in desk.of(PrivateStreamChanged)] == [True, False, True])
    assert desk.reports() == []
    assert desk.of(FillsReported) == []
    assert len(keys.made) == 2


async def test_lost_stream_comes_back_on_a_new_key_and_the_old_one_is_given_back(pushing):
    desk, stream, keys = pushing
    stream.cut()
    await eventually(lambda: [e.connected for e in desk.of(PrivateStreamChanged)] == [True, False, True])
    assert keys.made == ["listenkey0001", "listenkey0002"]
    assert keys.deleted == ["listenkey0001"]
    path = stream.connections[-1].request.path
    assert path.endswith("?listenKey=listenkey0002")


async def test_refused_private_channel_is_no_connection(venue):
    stream = ScriptedVenue()
    stream.refuse = lambda channel: "account" in channel
    await stream.start()
    ListenKeys(venue)
    async with desk_on(venue, ws_url=stream.url) as desk:
        await eventually(lambda: desk.of(PrivateStreamChanged))
        told = desk.of(PrivateStreamChanged)[0]
        assert not told.connected
        assert "refuses" in told.detail
    await stream.stop()


async def test_stream_without_a_listen_key_says_why(venue):
    venue.on("POST /api/v3/userDataStream", lambda _: http({"code": 700007, "msg": "No permission"}, 403))
    async with desk_on(venue) as desk:
        await eventually(lambda: desk.of(PrivateStreamChanged))
        told = desk.of(PrivateStreamChanged)[0]
        assert not told.connected
        assert "700007" in told.detail


async def test_key_is_given_back_when_the_gateway_stops(venue):
    stream = ScriptedVenue()
    await stream.start()
    keys = ListenKeys(venue)
    async with desk_on(venue, ws_url=stream.url) as desk:
        await eventually(lambda: desk.of(PrivateStreamChanged))
    assert keys.deleted == keys.made
    await stream.stop()


async def test_silent_stream_is_noticed_by_the_watchdog(pushing):
    desk, stream, _ = pushing
    stream.frozen = True
    await eventually(lambda: [e.connected for e in desk.of(PrivateStreamChanged)][1:2] == [False], within_s=6)
    stream.frozen = False
    await asyncio.sleep(0)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_protocol_error(payload):
    with suppress(ProtocolError):
        decode_private(payload, Account.LIVE)


TEXTS = st.one_of(st.sampled_from(["", "1", "0", "-1", "1.5", "１", "NaN", "1e9", "9" * 50]), st.text(max_size=10))


@given(name=st.sampled_from(["id", "clientId", "cumulativeQuantity", "cumulativeAmount"]), text=TEXTS)
def test_any_text_in_an_order_push_is_read_or_refused(name, text):
    try:
        frame = decode_private(order_push(**{name: text}), Account.LIVE)
    except ProtocolError:
        return
    assert frame is not None
    assert frame.filled_quantity is None or frame.filled_quantity >= 0


class KeyCalls:
    """Stands for the REST client: an hour must pass, so the clock is a virtual one."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.made = 0
        self.at_venue: list[str] = []
        self.extended_at: list[float] = []
        self.error: Exception | None = None

    async def get(self, endpoint, parameters=None):
        return Answer(json.dumps({"listenKey": self.at_venue}).encode(), 0, 0, 0)

    async def call(self, method, endpoint, parameters=None):
        if method == "POST":
            self.made += 1
            return Answer(b'{"listenKey":"listenkey%04d"}' % self.made, 0, 0, 0)
        self.extended_at.append((self.clock.now - self.began) / NS_PER_S)
        if self.error is not None:
            raise self.error
        return Answer(b"{}", 0, 0, 0)


@pytest.fixture
async def keeping():
    """A listen key that is being kept, its calls and its clock."""
    clock = ManualClock()
    calls = KeyCalls(clock)
    calls.began = clock.now
    key = ListenKey(calls, clock)
    assert await key.current() == await key.current() == "listenkey0001"
    task = asyncio.create_task(key.keep())
    yield task, calls, clock
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_key_is_extended_every_twenty_minutes(keeping):
    task, calls, clock = keeping
    await clock.advance(3_700)
    assert calls.extended_at == [1_200, 2_400, 3_600]
    assert not task.done()


async def test_key_the_venue_has_forgotten_is_given_up_at_once(keeping):
    task, calls, clock = keeping
    calls.error = UnknownRefusal("no such key", code=30026)
    await clock.advance(1_201)
    assert task.done()


async def test_key_that_cannot_be_extended_for_a_while_is_tried_again_and_given_up_before_its_hour(keeping):
    task, calls, clock = keeping
    calls.error = ResponseTimeout("no answer")
    await clock.advance(3_200)
    assert not task.done()
    assert calls.extended_at[1] - calls.extended_at[0] == 30
    await clock.advance(200)
    assert task.done()
    assert calls.made == 1


class Kept:
    """Stands for the file in the data directory."""

    def __init__(self) -> None:
        self.fingerprint = ""

    def last(self):
        return self.fingerprint

    def note(self, fingerprint):
        self.fingerprint = fingerprint


@pytest.fixture
async def killed():
    """The calls and the record of a life that was killed and left its key at the venue, beside somebody else's."""
    clock = ManualClock()
    calls, kept = KeyCalls(clock), Kept()
    calls.began = clock.now
    calls.at_venue = ["of-another-program", await ListenKey(calls, clock, kept).current()]
    return calls, kept


async def test_next_life_goes_on_with_the_key_a_killed_one_left(killed):
    calls, kept = killed
    key = ListenKey(calls, calls.clock, kept)
    assert await key.current() == "listenkey0001"
    assert (calls.made, calls.extended_at) == (1, [0.0])
    await key.replace()
    assert await key.current() == "listenkey0002", "the venue forgets the first in a moment; it is not asked for again"


async def test_next_life_makes_a_key_when_the_last_one_is_gone_or_cannot_be_extended(killed):
    calls, kept = killed
    calls.error = UnknownRefusal("no such key", code=30026)
    assert await ListenKey(calls, calls.clock, kept).current() == "listenkey0002"
    calls.error = None
    assert await ListenKey(calls, calls.clock, kept).current() == "listenkey0003"
    assert calls.made == 3


async def test_key_itself_is_never_kept(killed):
    _, kept = killed
    assert kept.fingerprint
    assert "listenkey" not in kept.fingerprint
