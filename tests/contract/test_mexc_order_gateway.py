"""The live gateway keeps the promises of every order gateway, against the simulator on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from decimal import Decimal

import pytest

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.model.events import (
    BalancesRead,
    Event,
    FillsReported,
    LookUpKind,
    OrderLookedUp,
    OrderReported,
    PrivateStreamChanged,
)
from mexc_sniper.model.order import Approved, OrderStatus, OrderType, ReportSource
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.lines import LineOptions
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway, OrderGatewayOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.contract.order_gateway_contract import CONTRACT, Promise, as_order, fills, reports
from tests.support.simulator import SimulatorProcess
from tests.venue.orders.intents import an_intent, an_order
from tests.venue.streaming import eventually

SYMBOL = "MXUSDT"
KEY = Credentials("mx0simulatorkey00001", "simulator-secret-not-a-secret-0001")


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=20, ip_weight=100_000) as simulator:
        yield simulator


class LiveHarness:
    def __init__(self, simulator: SimulatorProcess, gateway: MexcOrderGateway, events: list[Event]) -> None:
        self.simulator = simulator
        self.gateway = gateway
        self.events = events
        self._keys = gateway._entry._lines

    def approved(self, *, rests: bool) -> Approved:
        if rests:
            fields = {"type": OrderType.LIMIT, "quantity": Decimal("4"), "price": Decimal("2.9")}
            return Approved(intent=an_intent(symbol=SYMBOL, base="MX", quote_quantity=None, **fields), generation=1)
        return Approved(intent=an_intent(symbol=SYMBOL, base="MX", quote_quantity=Decimal("20")), generation=1)

    async def until(self, done: Callable[[], bool], *, seconds: float) -> None:
        await eventually(done, within_s=seconds)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.3))  # the simulator answers within milliseconds

    def prevent_next_send(self) -> None:
        for line in self.gateway._entry._lines._lines:
            assert line.connection is not None
            line.connection.abort()

    def orders_at_venue(self, client_order_id: ClientOrderId) -> int:
        return len(self.simulator.orders(client_order_id=client_order_id))


@pytest.fixture
async def harness(simulator: SimulatorProcess) -> AsyncIterator[LiveHarness]:
    simulator.delete("/sim/faults")
    simulator.delete("/sim/orders/refuse")
    simulator.post("/sim/limits/forgive")
    simulator.post("/sim/book", {"symbol": SYMBOL, "bids": [["3.09", "5000"]], "asks": [["3.10", "5000"]]})
    for order in simulator.orders(symbol=SYMBOL):
        if order["status"] in ("NEW", "PARTIALLY_FILLED"):
            simulator.post("/sim/cancel", {"orderId": order["orderId"]})
    simulator.post("/sim/balances", {"USDT": "10000", "MX": "100"})
    clock = LoopClock()
    wire, offload = PicowsWire(clock), ThreadOffload(1)
    gateway = MexcOrderGateway(
        clock=clock,
        offload=offload,
        wire=wire,
        bytes_wire=wire,
        credentials=KEY,
        venue_offset_ns=lambda: 0,
        rest_url=simulator.rest_url,
        ws_url=simulator.ws_url,
        options=OrderGatewayOptions(lines=LineOptions(lines=3, answer_deadline_s=1.0), seed=1),
    )
    events: list[Event] = []
    task = asyncio.create_task(gateway.run(events.append))
    await eventually(lambda: gateway.idle_connections >= 3 or task.done())
    await eventually(lambda: task.done() or any(isinstance(e, PrivateStreamChanged) and e.connected for e in events))
    yield LiveHarness(simulator, gateway, events)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    offload.close()


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
async def test_live_gateway_promise(promise: Promise, harness: LiveHarness):
    await promise(harness)


async def test_private_stream_tells_states_fills_and_balances_of_an_order(harness: LiveHarness):
    order = harness.approved(rests=False)
    harness.gateway.submit(order)
    await eventually(lambda: fills(harness, order))
    pushed = [report for report in reports(harness, order) if report.source is ReportSource.STREAM]
    await eventually(lambda: any(r.source is ReportSource.STREAM for r in reports(harness, order)))
    pushed = [report for report in reports(harness, order) if report.source is ReportSource.STREAM]
    assert pushed[-1].status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in fills(harness, order)) == pushed[-1].filled_quantity
    assert all(fill.fee_asset for fill in fills(harness, order))
    changed = {b.asset for e in harness.events if isinstance(e, BalancesRead) for b in e.balances if not e.complete}
    assert {"USDT", "MX"} <= changed


@pytest.mark.parametrize("kind", ["hang", "reset", "server_error", "truncate"])
async def test_order_taken_in_whose_answer_is_lost_is_one_order_and_found(harness: LiveHarness, kind: str):
    when = {"when": "after"} if kind in ("hang", "reset", "server_error") else {}
    harness.simulator.post("/sim/faults", {"target": "newOrder", "kind": kind, "times": 1, **when})
    order = harness.approved(rests=True)
    harness.gateway.submit(order)
    await eventually(lambda: any(r.status is OrderStatus.IN_DOUBT for r in reports(harness, order)))
    assert harness.orders_at_venue(order.intent.client_order_id) == 1
    doubtful = an_order(order.intent, created_ns=LoopClock().wall_ns())
    for kind_of_look in LookUpKind:
        before = len(harness.events)
        harness.gateway.look_up(doubtful, kind_of_look)
        await eventually(lambda: any(isinstance(e, OrderLookedUp) for e in harness.events[before:]))  # noqa: B023
        (answer,) = [e for e in harness.events[before:] if isinstance(e, OrderLookedUp)]
        assert answer.found is not None, kind_of_look
        assert answer.found.status is OrderStatus.ACCEPTED
    assert harness.orders_at_venue(order.intent.client_order_id) == 1


async def test_market_order_that_eats_the_book_ends_canceled_and_holds_what_was_filled(harness: LiveHarness):
    harness.simulator.post("/sim/book", {"symbol": SYMBOL, "bids": [["3.09", "50"]], "asks": [["3.10", "2"]]})
    order = harness.approved(rests=False)
    harness.gateway.submit(order)
    await eventually(lambda: any(r.status is OrderStatus.CANCELED for r in reports(harness, order)))
    last = reports(harness, order)[-1]
    assert last.filled_quantity == 2
    harness.gateway.read_fills(as_order(harness, order))
    await eventually(lambda: fills(harness, order))


REFUSALS = [
    (10101, "INSUFFICIENT_BALANCE"), (30004, "INSUFFICIENT_BALANCE"), (10007, "NOT_OPEN_TO_API"),
    (30016, "NOT_OPEN_TO_API"), (30019, "MARKET_ORDERS_CLOSED"), (30051, "MARKET_ORDERS_CLOSED"),
    (30041, "MARKET_ORDERS_CLOSED"), (30001, "ONE_SIDED"), (30000, "NOT_ONLINE"), (30002, "BELOW_MINIMUM"),
    (30087, "OUTSIDE_PRICE_BAND"), (700003, "CLOCK_UNCERTAIN"), (700006, "KEY_REFUSED"), (98765, "VENUE_REFUSED"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "reason"), REFUSALS)
async def test_refusal_keeps_its_code_and_makes_no_order(harness: LiveHarness, code: int, reason: str):
    harness.simulator.post("/sim/orders/refuse", {"code": code, "times": 1, "msg": "no, thank you"})
    order = harness.approved(rests=False)
    harness.gateway.submit(order)
    await eventually(lambda: len(reports(harness, order)) == 2)
    last = reports(harness, order)[-1]
    assert (last.status, last.code, last.reason) == ("rejected", code, reason)
    assert harness.orders_at_venue(order.intent.client_order_id) == 0


async def test_private_stream_comes_back_with_a_new_key_after_the_old_one_expired(harness: LiveHarness):
    harness.simulator.post("/sim/listen-keys/expire")
    harness.simulator.post("/sim/stream/cut")
    await eventually(
        lambda: [e.connected for e in harness.events if isinstance(e, PrivateStreamChanged)][1:2] == [False]
    )
    await eventually(
        lambda: [e.connected for e in harness.events if isinstance(e, PrivateStreamChanged)][-1], within_s=10
    )
    order = harness.approved(rests=False)
    harness.gateway.submit(order)
    await eventually(lambda: any(isinstance(e, FillsReported) for e in harness.events))
    assert any(isinstance(e, OrderReported) for e in harness.events)


async def test_order_of_the_owners_own_hand_is_pushed_and_swept_as_a_strangers(harness: LiveHarness):
    foreign = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "2", "price": "2.5"}
    harness.simulator.post("/sim/foreign-order", foreign)
    await eventually(lambda: any(isinstance(e, OrderReported) for e in harness.events))
    report = next(e.report for e in harness.events if isinstance(e, OrderReported))
    assert not report.client_order_id.startswith("ms")
