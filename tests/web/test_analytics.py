"""``/analytics`` and ``/listings/{id}/bars``: what the rows of a real ledger add up to."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.ids import ListingId, PositionId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import (
    BarsRecorded,
    DecisionMade,
    FillRecorded,
    ListingChanged,
    OrderChanged,
    PositionChanged,
    TradeChanged,
)
from mexc_sniper.model.listing import ListingKind, Outcome, Phase, SignalKind, SourceTime
from mexc_sniper.model.market import Bar
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradeStatus, Trigger
from tests.builders import ns
from tests.web.trading_builders import MS, a_decision, a_fill, a_position, a_trade, an_order
from tests.web.world import WebWorld, a_listing


def _closed(number: int, proceeds: str, *, seconds: float, **changed: object) -> PositionChanged:
    position = a_position(
        number,
        status=PositionStatus.CLOSED,
        proceeds=Decimal(proceeds),
        sold_quantity=Quantity(Decimal(100)),
        quantity=Quantity(Decimal(0)),
        closed_ns=ns(seconds),
        **changed,
    )
    return PositionChanged(position=position)


async def test_an_empty_ledger_has_no_figures_instead_of_zeros(web: WebWorld) -> None:
    latency = (await web.get("/analytics/latency?window=all")).body
    assert [stage["spread"]["p50Ms"] for stage in latency["stages"]] == [None] * 5
    assert latency["attempts"]["errorRate"] is None
    money = (await web.get("/analytics/performance?window=all")).body
    assert (money["winRate"], money["profitFactor"], money["hitRate"], money["returnPct"]) == (None,) * 4
    assert (money["profit"], money["curve"]) == ("0", [])


async def test_latencies_are_told_per_stage_and_account(web: WebWorld) -> None:
    for number in range(1, 101):
        web.engine.write(TradeChanged(trade=a_trade(number, tick_to_trade_ns=number * MS)))
    web.engine.write(
        TradeChanged(trade=a_trade(200, account=Account.LIVE, tick_to_trade_ns=9_000 * MS)),
        TradeChanged(trade=a_trade(201, status=TradeStatus.IN_DOUBT, tick_to_trade_ns=None)),
        TradeChanged(trade=a_trade(202, status=TradeStatus.REJECTED, tick_to_trade_ns=None)),
    )
    await web.engine.flush()
    body = (await web.get("/analytics/latency?window=all&mode=dry-run")).body
    stage = next(stage for stage in body["stages"] if stage["name"] == "tick_to_trade")
    spread = stage["spread"]
    assert (spread["count"], spread["p50Ms"], spread["p95Ms"], spread["p99Ms"], spread["maxMs"]) == (
        100,
        50.0,
        95.0,
        99.0,
        100.0,
    )
    assert sum(one["count"] for one in spread["bins"]) == 100
    assert sum(step["count"] for step in stage["trend"]) == 100
    assert body["attempts"] == {
        "trades": 102,
        "filled": 100,
        "denied": 1,
        "failed": 0,
        "inDoubt": 1,
        "errorRate": round(1 / 101, 4),
    }
    both = (await web.get("/analytics/latency?window=all")).body
    assert both["stages"][1]["spread"]["maxMs"] == 9_000.0


async def test_sources_are_compared_with_the_first_to_speak_at_the_opening(web: WebWorld) -> None:
    words = (
        SourceTime(SignalKind.CALENDAR, ns(-3_600), None, None),
        SourceTime(SignalKind.DEFAULT_SYMBOLS, ns(1), ns(0.9), 100 * MS),
        SourceTime(SignalKind.FIRST_TRADE, ns(1.25), ns(1.2), 50 * MS),
    )
    listing = a_listing(
        phase=Phase.OPEN, sources=words, first_signal=SignalKind.CALENDAR, opened_at_ns=ns(1), detection_lag_ns=130 * MS
    )
    test = a_listing("TESTUSDT", number=2, seconds=2, kind=ListingKind.INJECTED, sources=words, detection_lag_ns=MS)
    late = a_listing("LATEUSDT", number=3, seconds=3, late=True, detection_lag_ns=90_000 * MS)
    await web.engine.list(listing, test, late)
    body = (await web.get("/analytics/latency?window=all")).body
    sources = {source["kind"]: source for source in body["sources"]}
    assert sources["calendar"]["listings"] == 1
    assert sources["calendar"]["behind"]["count"] == 0
    assert sources["default_symbols"]["behind"]["p50Ms"] == 0.0
    assert sources["first_trade"]["behind"]["p50Ms"] == 250.0
    assert sources["first_trade"]["lag"]["p50Ms"] == 50.0
    assert body["detection"]["spread"] == body["detection"]["spread"] | {"count": 1, "p50Ms": 130.0}


async def test_profit_drawdown_and_hit_rates_of_one_account(web: WebWorld) -> None:
    bought = a_listing(outcome=Outcome.ENTERED, reason=Reason.ENTERED, first_signal=SignalKind.FIRST_TRADE)
    missed = a_listing("GONEUSDT", number=2, seconds=1, outcome=Outcome.MISSED, reason=Reason.SPREAD_TOO_WIDE)
    await web.engine.list(bought, missed)
    web.engine.write(
        _closed(1, "13", seconds=10, listing_id=bought.id, exit_role="take_profit"),
        _closed(2, "9", seconds=20, exit_role="stop_loss"),
        _closed(3, "8.5", seconds=30, exit_role="stop_loss"),
        _closed(4, "11", seconds=86_400 + 40, exit_role="time_exit"),
        _closed(9, "99", seconds=50, account=Account.LIVE),
        TradeChanged(trade=a_trade(1, position_id=PositionId("P1"), trigger=Trigger.SURPRISE)),
    )
    await web.engine.flush()
    body = (await web.get("/analytics/performance?window=all&mode=dry-run")).body
    assert (body["closed"], body["wins"], body["losses"], body["winRate"]) == (4, 2, 2, 0.5)
    assert (body["profit"], body["best"], body["worst"]) == ("1.5", "3", "-1.5")
    assert body["maxDrawdown"] == "2.5", "from 3 down to 0.5"
    assert body["profitFactor"] == 1.6
    assert [point["profit"] for point in body["curve"]] == ["3", "2", "0.5", "1.5"]
    assert [(day["profit"], day["positions"]) for day in body["days"]] == [("0.5", 3), ("1", 1)]
    assert {group["name"]: group["profit"] for group in body["bySource"]} == {"first_trade": "3", "by hand": "-1.5"}
    assert {group["name"] for group in body["byTrigger"]} == {"surprise", "unknown"}
    assert (body["listings"], body["hitRate"]) == (2, 0.5)
    assert [listing["symbol"] for listing in body["missed"]] == ["GONEUSDT"]
    assert body["reasons"][0]["reason"] == "SPREAD_TOO_WIDE"


async def test_a_window_or_an_account_that_does_not_exist_is_refused(web: WebWorld) -> None:
    assert (await web.get("/analytics/latency?window=2h")).status == 422
    assert (await web.get("/analytics/performance?mode=demo")).status == 422


async def test_a_listing_tells_its_whole_story_and_its_chart(web: WebWorld) -> None:
    def bar(seconds: float, interval_s: int = 1) -> Bar:
        one = Price(Decimal("1.5"))
        return Bar(Symbol("ALPHAUSDT"), interval_s, ns(seconds), one, one, one, one, Quantity(Decimal(3)), 2)

    listing = a_listing(phase=Phase.OPEN, outcome=Outcome.ENTERED, opened_at_ns=ns(0))
    order = an_order(1, status=OrderStatus.FILLED)
    order = replace(order, intent=replace(order.intent, listing_id=listing.id))
    position = a_position(1, listing_id=listing.id)
    web.engine.write(
        ListingChanged(listing=listing),
        DecisionMade(decision=a_decision(1, listing=listing.id)),
        OrderChanged(order=order),
        FillRecorded(fill=a_fill(1)),
        FillRecorded(fill=a_fill(1, execution="2")),
        PositionChanged(position=position),
        TradeChanged(
            trade=a_trade(
                1, listing_id=listing.id, position_id=position.id, reference_price=Price(Decimal("0.0000148"))
            )
        ),
        TradeChanged(trade=a_trade(2, listing_id=ListingId("L9"))),
        BarsRecorded(bars=(bar(-3_600), bar(0), bar(1), bar(660, 60))),
    )
    await web.engine.flush()
    detail = (await web.get(f"/listings/{listing.id}")).body
    assert [trade["id"] for trade in detail["trades"]] == [a_trade(1).id]
    assert [decision["id"] for decision in detail["decisions"]] == [a_decision(1).id]
    assert (len(detail["orders"]), len(detail["fills"]), len(detail["positions"])) == (1, 2, 1)

    chart = (await web.get(f"/listings/{listing.id}/bars")).body
    assert [(one["seconds"], one["close"]) for one in chart["bars"]] == [(1, "1.5"), (1, "1.5"), (60, "1.5")]
    (mark,) = chart["marks"]
    assert (mark["side"], mark["quantity"], mark["price"], mark["tradeId"]) == (
        "buy",
        "2000",
        "0.000015000",
        a_trade(1).id,
    )
    lines = {line["kind"]: (line["price"], line["done"]) for line in chart["lines"]}
    assert lines["take_profit"] == ("0.125", False)
    assert lines["stop"] == ("0.085", False)
    assert lines["reference"] == ("0.0000148", True)
    assert not chart["growing"], "its half hour is over"
    now_ns = web.clock.wall_ns()
    fresh = a_listing("NOWUSDT", number=2, seconds=1, phase=Phase.OPEN, opened_at_ns=now_ns)
    await web.engine.list(fresh)
    assert (await web.get(f"/listings/{fresh.id}/bars")).body["growing"]
    assert (await web.get("/listings/L404/bars")).code == "listing_not_found"
