"""The canary's round trip, against the simulator."""

from decimal import Decimal

import pytest

from mexc_sniper.model.instrument import Instrument, InstrumentStatus, TradeSides
from mexc_sniper.model.order import Approved
from mexc_sniper.runtime.clock import LoopClock, ThreadOffload
from mexc_sniper.venues.mexc.canary import Canary
from mexc_sniper.venues.mexc.lines import LineOptions
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway, OrderGatewayOptions
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.contract.test_mexc_order_gateway import KEY, SYMBOL
from tests.support.simulator import SimulatorProcess

RULES = Instrument(
    symbol=SYMBOL,
    base="MX",
    quote="USDT",
    status=InstrumentStatus.ONLINE,
    api_trading=True,
    trade_sides=TradeSides.ALL,
    order_types=("LIMIT", "MARKET"),
    price_decimals=4,
    quantity_decimals=2,
    min_quantity=Decimal("0"),
    min_notional_limit=Decimal("1"),
    min_notional_market=Decimal("1"),
)


@pytest.fixture(scope="module")
def simulator():
    with SimulatorProcess(symbols=20, ip_weight=100_000) as simulator:
        yield simulator


@pytest.fixture
def venue(simulator):
    simulator.delete("/sim/faults")
    simulator.delete("/sim/orders/refuse")
    simulator.post("/sim/limits/forgive")
    simulator.post("/sim/fees", {"in": "quote"})
    simulator.post("/sim/book", {"symbol": SYMBOL, "bids": [["3.09", "5000"]], "asks": [["3.10", "5000"]]})
    simulator.post("/sim/balances", {"USDT": "10000", "MX": "100"})
    return simulator


async def sing(simulator, *, approve=lambda intent: Approved(intent=intent, generation=1)):
    recorded = []
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
        options=OrderGatewayOptions(lines=LineOptions(lines=2, answer_deadline_s=1), seed=1),
    )
    try:
        report = await Canary(gateway, clock, RULES, approve=approve, record=recorded.append).run()
    finally:
        offload.close()
    return report, recorded


async def test_round_trip_buys_measures_and_sells_everything_again(venue):
    before = len(venue.orders())
    report, recorded = await sing(venue)
    assert report.problems == []
    assert report.passed
    buy, sell = report.legs
    assert (buy.status, sell.status) == ("filled", "filled")
    assert buy.filled_quantity - report.left == sell.filled_quantity
    assert Decimal("1") <= buy.filled_quote <= Decimal("1.6")
    assert buy.fees.keys() == {"USDT"}
    for leg in report.legs:
        assert leg.same_trade_ids is True
        assert min(leg.ack_ms, leg.readable_ms, leg.stream_order_ms, leg.stream_fill_ms) > 0
    assert len(venue.orders()) - before == 2
    assert [intent.client_order_id for intent in recorded] == [buy.client_order_id, sell.client_order_id]


async def test_fee_in_the_coin_is_kept_back_from_the_sale(venue):
    venue.post("/sim/fees", {"in": "base"})
    report, _ = await sing(venue)
    buy, sell = report.legs[:2]
    assert buy.fees.keys() >= {"MX"}
    assert sell.filled_quantity <= buy.filled_quantity - buy.fees["MX"]


async def test_order_whose_answer_is_lost_is_found_and_sold_and_never_repeated(venue):
    before = len(venue.orders())
    venue.post("/sim/faults", {"target": "newOrder", "kind": "reset", "when": "after", "times": 1})
    report, _ = await sing(venue)
    assert [leg.status for leg in report.legs] == ["filled", "filled"]
    assert report.legs[0].readable_ms is not None
    assert len(venue.orders()) - before == 2


async def test_order_that_becomes_readable_late_is_waited_for_and_the_delay_measured(venue):
    venue.post("/sim/faults", {"target": "newOrder", "kind": "late_visible", "ms": 1200, "times": 1})
    report, _ = await sing(venue)
    assert report.legs[0].readable_ms >= 1000
    assert report.left == 0


async def test_refused_buy_sells_nothing_and_says_why(venue):
    venue.post("/sim/orders/refuse", {"code": 30019, "times": 1, "msg": "api market order is disabled"})
    report, _ = await sing(venue)
    assert [leg.status for leg in report.legs] == ["rejected"]
    assert "30019" in report.problems[0]
    assert not report.passed


async def test_coins_that_cannot_be_sold_are_told(venue):
    venue.post("/sim/orders/refuse", {"code": 30028, "side": "SELL", "msg": "selling suspended"})
    report, _ = await sing(venue)
    assert report.left > 0
    assert "still held" in report.problems[-1]
    assert not report.passed


async def test_too_little_money_sends_nothing(venue):
    venue.post("/sim/balances", {"USDT": "0.5"})
    report, recorded = await sing(venue)
    assert report.legs == []
    assert recorded == []
    assert "nothing was sent" in report.problems[0]


async def test_denied_by_our_own_limits_sends_nothing(venue):
    report, recorded = await sing(venue, approve=lambda intent: None)
    assert [leg.status for leg in report.legs] == ["denied"]
    assert recorded == []
    assert not report.passed
