"""Cancels, look-ups, executions and sweeps: exactly one answer each, and never a guess (RELIABILITY 2.3, 3.3)."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mexc_sniper.model.events import FillsReported, LookUpKind, OrderLookedUp, VenueSwept
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.runtime.clock import LoopClock
from tests.venue.orders.conftest import desk_on
from tests.venue.orders.intents import an_intent, an_order, approved
from tests.venue.orders.venue import Hangs, Resets, http, taken_in
from tests.venue.streaming import eventually

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "mexc" / "rest"
PAGE = b"<html>maintenance</html>"


def row(intent, **changes):
    fields = {
        "symbol": intent.symbol,
        "orderId": "C02__9",
        "clientOrderId": intent.client_order_id,
        "price": "1.5",
        "origQty": "10",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "status": "NEW",
        "side": "BUY",
        "time": 1795000000000,
    }
    return fields | changes


async def look(desk, order, kind=LookUpKind.ORDER):
    desk.gateway.look_up(order, kind)
    await eventually(lambda: desk.of(OrderLookedUp))
    await asyncio.sleep(0.02)
    (answer,) = desk.of(OrderLookedUp)
    assert (answer.client_order_id, answer.kind) == (order.intent.client_order_id, kind)
    return answer


STATES = [
    ("NEW", OrderStatus.ACCEPTED),
    ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED),
    ("FILLED", OrderStatus.FILLED),
    ("CANCELED", OrderStatus.CANCELED),
    ("PARTIALLY_CANCELED", OrderStatus.CANCELED),
]


@pytest.mark.parametrize(("word", "status"), STATES)
async def test_found_order_tells_its_state_and_cumulative_amounts(desk, word, status):
    order = an_order()
    found = row(order.intent, status=word, executedQty="4.20", cummulativeQuoteQty="6.3")
    desk.venue.on("GET /api/v3/order", lambda _: http(found))
    report = (await look(desk, order)).found
    assert (report.status, report.venue_order_id, report.source) == (status, "C02__9", "query")
    assert (report.filled_quantity, report.filled_quote) == (Decimal("4.20"), Decimal("6.3"))
    asked = desk.venue.requests[-1].parameters
    assert asked["origClientOrderId"] == order.intent.client_order_id


@pytest.mark.parametrize("code", [-2011, -2013, 22222])
@pytest.mark.parametrize("status", [200, 400, 404])
async def test_unknown_order_is_not_found_whatever_the_venue_calls_it(desk, code, status):
    desk.venue.on("GET /api/v3/order", lambda _: http({"code": code, "msg": "Order does not exist."}, status))
    answer = await look(desk, an_order())
    assert (answer.found, answer.failed) == (None, "")


LEARNED_NOTHING = {
    "status nobody knows": lambda i: http(row(i, status="PENDING_STP")),
    "no status": lambda i: http(row(i, status=None)),
    "another order": lambda i: http(row(i, clientOrderId="msl0001ffffffffffffff00")),
    "no name": lambda i: http(row(i, clientOrderId=None)),
    "another symbol": lambda i: http(row(i, symbol="OLDUSDT")),
    "no id": lambda i: http(row(i, orderId=None)),
    "amount of full-width digits": lambda i: http(row(i, executedQty="１２")),
    "amount that is none": lambda i: http(row(i, executedQty="NaN")),
    "negative amount": lambda i: http(row(i, executedQty="-1")),
    "refused": lambda i: http({"code": 700006, "msg": "IP"}, 401),
    "page": lambda i: http(None, 200, raw=PAGE),
    "truncated": lambda i: http(None, raw=b'{"symbol":"NEW'),
    "list": lambda i: http([row(i)]),
    "503": lambda i: http({"code": 503}, 503),
    "429": lambda i: http({"code": 429}, 429, "Retry-After: 1\r\n"),
    "cut": lambda i: Resets,
}


@pytest.mark.parametrize("body", LEARNED_NOTHING.values(), ids=LEARNED_NOTHING.keys())
async def test_answer_that_cannot_be_trusted_teaches_nothing(desk, body):
    order = an_order()
    desk.venue.on("GET /api/v3/order", lambda _: body(order.intent))
    answer = await look(desk, order)
    assert answer.found is None
    assert answer.failed


@pytest.mark.parametrize(
    ("kind", "path"), [(LookUpKind.OPEN_ORDERS, "openOrders"), (LookUpKind.ALL_ORDERS, "allOrders")]
)
async def test_order_is_found_in_a_list_by_its_id_and_absent_from_one_without_it(desk, kind, path):
    order = an_order(signed_ts_ms=1_795_000_000_000)
    rows = [row(an_intent()), row(order.intent, orderId="C02__10")]
    desk.venue.on(f"GET /api/v3/{path}", lambda _: http(rows))
    assert (await look(desk, order, kind)).found.venue_order_id == "C02__10"
    asked = desk.venue.requests[-1].parameters
    assert asked["symbol"] == "NEWUSDT"
    assert asked.get("startTime") == ("1794999940000" if kind is LookUpKind.ALL_ORDERS else None)
    desk.events.clear()
    rows.pop()
    answer = await look(desk, order, kind)
    assert (answer.found, answer.failed) == (None, "")


async def test_order_older_than_the_longest_range_is_looked_for_around_its_own_time(desk):
    """A longer range is refused (REFERENCE 1.7): an order in doubt for a week would never be found."""
    signed_ms = LoopClock().wall_ns() // 1_000_000 - 8 * 86_400_000
    order = an_order(signed_ts_ms=signed_ms)
    desk.venue.on("GET /api/v3/allOrders", lambda _: http([row(order.intent, orderId="C02__10")]))
    assert (await look(desk, order, LookUpKind.ALL_ORDERS)).found.venue_order_id == "C02__10"
    asked = desk.venue.requests[-1].parameters
    start, end = int(asked["startTime"]), int(asked["endTime"])
    assert start < signed_ms < end
    assert end - start <= 7 * 86_400_000


LISTS = {
    "one bad row": lambda i: [row(an_intent()), row(an_intent(), executedQty="x")],
    "two orders with one id": lambda i: [row(i), row(i, orderId="C02__10")],
    "cut off": lambda i: [row(an_intent(), orderId=f"C02__{n}") for n in range(1000)],
}


@pytest.mark.parametrize("rows", LISTS.values(), ids=LISTS.keys())
async def test_list_that_may_hide_an_order_teaches_nothing(desk, rows):
    order = an_order()
    desk.venue.on("GET /api/v3/allOrders", lambda _: http(rows(order.intent)))
    answer = await look(desk, order, LookUpKind.ALL_ORDERS)
    assert answer.found is None
    assert answer.failed


async def test_question_to_a_gateway_that_is_not_running_is_answered_in_its_next_run(venue):
    async with desk_on(venue) as desk:
        pass
    desk.events.clear()
    order = an_order()
    desk.gateway.look_up(order, LookUpKind.ORDER)
    task = asyncio.create_task(desk.gateway.run(desk.events.append))
    await eventually(lambda: desk.of(OrderLookedUp))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.of(OrderLookedUp)[0].failed


async def test_question_under_way_when_the_gateway_stops_is_answered_as_failed(venue):
    venue.on("GET /api/v3/order", lambda _: Hangs)
    async with desk_on(venue) as desk:
        desk.gateway.look_up(an_order(), LookUpKind.ORDER)
        await eventually(lambda: any(r.path == "/api/v3/order" for r in venue.requests))
    (answer,) = desk.of(OrderLookedUp)
    assert answer.failed


async def test_cancel_goes_by_the_venues_id_and_its_answer_is_checked_by_a_look(desk):
    order = an_order(venue_order_id="C02__9", status=OrderStatus.CANCEL_PENDING)
    desk.venue.on("DELETE /api/v3/order", lambda _: http(row(order.intent, status="NEW")))
    desk.venue.on("GET /api/v3/order", lambda _: http(row(order.intent, status="PARTIALLY_CANCELED", executedQty="3")))
    desk.gateway.cancel(order)
    report = await desk.ended(1)
    assert (report.status, report.filled_quantity, report.source) == ("canceled", 3, "query")
    cancel = next(r for r in desk.venue.requests if r.method == "DELETE")
    assert cancel.parameters["orderId"] == "C02__9"
    assert "X-MEXC-APIKEY" in cancel.head.decode()


async def test_refused_cancel_of_an_open_order_is_told_as_the_answer_to_the_cancel(desk):
    order = an_order(venue_order_id="C02__9", status=OrderStatus.CANCEL_PENDING)
    desk.venue.on("DELETE /api/v3/order", lambda _: http({"code": 30029, "msg": "no"}, 400))
    desk.venue.on("GET /api/v3/order", lambda _: http(row(order.intent)))
    desk.gateway.cancel(order)
    report = await desk.ended(1)
    assert (report.status, report.source) == ("accepted", "ack")


@pytest.mark.parametrize("answer", [http({"code": -2011, "msg": "Unknown order sent."}, 400), Resets])
async def test_cancel_of_an_order_that_has_ended_reports_how(desk, answer):
    order = an_order(status=OrderStatus.CANCEL_PENDING)
    desk.venue.on("DELETE /api/v3/order", lambda _: answer)
    desk.venue.on("GET /api/v3/order", lambda _: http(row(order.intent, status="FILLED", executedQty="10")))
    desk.gateway.cancel(order)
    report = await desk.ended(1)
    assert (report.status, report.filled_quantity) == ("filled", 10)
    assert len([r for r in desk.venue.requests if r.method == "DELETE"]) == 1


def trade(number, time_ms, order_id="C02__9", **changes):
    fields = {
        "symbol": "NEWUSDT",
        "id": f"T{number}",
        "orderId": order_id,
        "price": "2",
        "qty": "1",
        "quoteQty": "2",
        "commission": "0.001",
        "commissionAsset": "MX",
        "time": time_ms,
        "isBuyer": True,
        "isMaker": False,
        "clientOrderId": None,
    }
    return fields | changes


async def test_more_executions_than_one_answer_holds_are_paged_by_time_and_counted_once(desk):
    executions = [trade(n, 1_795_000_000_000 + n // 3) for n in range(250)]

    def page(request):
        until = int(request.parameters.get("endTime", 10**15))
        return http([e for e in reversed(executions) if e["time"] <= until][:100])

    desk.venue.on("GET /api/v3/myTrades", page)
    order = an_order(venue_order_id="C02__9")
    desk.gateway.read_fills(order)
    await eventually(lambda: desk.of(FillsReported))
    fills = desk.fills()
    assert len({fill.trade_id for fill in fills}) == len(fills) == 250
    assert {fill.client_order_id for fill in fills} == {order.intent.client_order_id}
    assert (fills[0].fee, fills[0].fee_asset) == (Decimal("0.001"), "MX")


async def test_executions_of_an_order_without_a_venue_id_are_read_after_a_look(desk):
    order = an_order()
    desk.venue.on("GET /api/v3/order", lambda _: http(row(order.intent, status="FILLED")))
    desk.venue.on("GET /api/v3/myTrades", lambda _: http([trade(1, 1_795_000_000_000)]))
    desk.gateway.read_fills(order)
    await eventually(lambda: len(desk.fills()) == 1)
    assert desk.venue.requests[-1].parameters["orderId"] == "C02__9"


async def test_executions_of_other_orders_are_left_out(desk):
    rows = [trade(1, 1_795_000_000_000), trade(2, 1_795_000_000_000, order_id="C02__10")]
    desk.venue.on("GET /api/v3/myTrades", lambda _: http(rows))
    desk.gateway.read_fills(an_order(venue_order_id="C02__9"))
    await eventually(lambda: desk.of(FillsReported))
    assert [fill.trade_id for fill in desk.fills()] == ["T1"]


@pytest.mark.parametrize(
    "bad", [{"qty": "0"}, {"price": "-1"}, {"commissionAsset": ""}, {"isBuyer": None}, {"time": None}, {"qty": "1e3"}]
)
async def test_unreadable_execution_leaves_all_of_them_unsaid(desk, bad):
    rows = [trade(1, 1_795_000_000_000), trade(2, 1_795_000_000_000, **bad)]
    desk.venue.on("GET /api/v3/myTrades", lambda _: http(rows))
    desk.gateway.read_fills(an_order(venue_order_id="C02__9"))
    await eventually(lambda: any(r.path == "/api/v3/myTrades" for r in desk.venue.requests))
    await asyncio.sleep(0.05)
    assert desk.of(FillsReported) == []


ACCOUNT = json.loads((FIXTURES / "docs" / "account_2026.json").read_text())


async def sweep(desk, symbols=("NEWUSDT", "OLDUSDT")):
    desk.gateway.sweep(symbols)
    await eventually(lambda: desk.of(VenueSwept), within_s=8)
    await asyncio.sleep(0.02)
    (swept,) = desk.of(VenueSwept)
    return swept


async def test_sweep_holds_open_orders_recent_ones_of_each_symbol_and_all_balances(desk):
    foreign = row(an_intent(symbol="OLDUSDT"), clientOrderId="", orderId="C02__77")
    desk.venue.on("GET /api/v3/openOrders", lambda _: http([foreign]))
    desk.venue.on("GET /api/v3/allOrders", lambda r: http([row(an_intent(symbol=r.parameters["symbol"]))]))
    desk.venue.on("GET /api/v3/account", lambda _: http(ACCOUNT))
    swept = await sweep(desk)
    assert swept.failed == ""
    assert [(o.symbol, o.client_order_id, o.side) for o in swept.open_orders] == [("OLDUSDT", "", "buy")]
    assert [o.symbol for o in swept.recent_orders] == ["NEWUSDT", "OLDUSDT"]
    first = swept.balances[0]
    assert (first.asset, first.free, first.locked) == ("NBNTEST", Decimal(1111078), Decimal(33))


async def test_sweep_asks_symbol_by_symbol_where_the_venue_wants_one(desk):
    def open_orders(request):
        if "symbol" not in request.parameters:
            return http({"code": 44444, "msg": "symbol null"}, 400)
        return http([row(an_intent(symbol=request.parameters["symbol"]))])

    desk.venue.on("GET /api/v3/openOrders", open_orders)
    desk.venue.on("GET /api/v3/allOrders", lambda _: http([]))
    desk.venue.on("GET /api/v3/account", lambda _: http(ACCOUNT))
    assert [o.symbol for o in (await sweep(desk)).open_orders] == ["NEWUSDT", "OLDUSDT"]


async def test_sweep_asks_for_an_order_by_itself_unless_a_list_has_shown_it(desk):
    shown, alone, nameless, unknown = (
        an_order(
            an_intent(symbol="NEWUSDT", client_order_id=f"msl0001aaaaaaaaaaaaa{number}00"), venue_order_id=venue_id
        )
        for number, venue_id in ((1, None), (2, None), (3, "C02__3"), (4, None))
    )
    rows = {
        alone.intent.client_order_id: row(alone.intent, status="FILLED", executedQty="10", cummulativeQuoteQty="15"),
        nameless.intent.client_order_id: row(nameless.intent, clientOrderId="", orderId="C02__3"),
    }
    absent = http({"code": -2013, "msg": "no such order"}, 400)
    desk.venue.on("GET /api/v3/openOrders", lambda _: http([row(shown.intent)]))
    desk.venue.on(
        "GET /api/v3/order",
        lambda r: http(rows[name]) if (name := r.parameters["origClientOrderId"]) in rows else absent,
    )
    desk.venue.on("GET /api/v3/account", lambda _: http(ACCOUNT))
    desk.gateway.sweep((), (shown, alone, nameless, unknown))
    await eventually(lambda: desk.of(VenueSwept))
    (swept,) = desk.of(VenueSwept)
    assert swept.failed == ""
    assert [o.client_order_id for o in swept.recent_orders] == list(rows)
    assert [o.report.client_order_id for o in swept.recent_orders] == list(rows)
    assert [r.path for r in desk.venue.requests].count("/api/v3/order") == 3


async def test_sweep_told_to_wait_goes_on_where_it_was(desk):
    answers = {"openOrders": [], "allOrders": [], "account": ACCOUNT}
    refused = dict.fromkeys(answers, False)

    def answer(path):
        def serve(_):
            if not refused[path]:
                refused[path] = True
                return http({"code": 429, "msg": "too many"}, 429, "Retry-After: 1\r\n")
            return http(answers[path])

        return serve

    for path in answers:
        desk.venue.on(f"GET /api/v3/{path}", answer(path))
    desk.gateway.sweep(("NEWUSDT",))
    await eventually(lambda: desk.of(VenueSwept), within_s=8)
    (swept,) = desk.of(VenueSwept)
    assert swept.failed == ""
    asked = [r.path.rpartition("/")[2] for r in desk.venue.requests if r.path.startswith("/api/v3/")]
    assert [path for path in asked if path in answers] == [path for path in answers for _ in (1, 2)]


async def test_question_put_before_the_gateway_runs_is_asked_when_it_does(venue):
    venue.on("GET /api/v3/openOrders", lambda _: http([]))
    venue.on("GET /api/v3/account", lambda _: http(ACCOUNT))
    async with desk_on(venue, before=lambda gateway: gateway.sweep(())) as desk:
        await eventually(lambda: desk.of(VenueSwept))
        assert [swept.failed for swept in desk.of(VenueSwept)] == [""]


@pytest.mark.parametrize("path", ["openOrders", "allOrders", "account"])
async def test_sweep_of_which_a_part_fails_tells_nothing_but_that(desk, path):
    desk.venue.on("GET /api/v3/openOrders", lambda _: http([]))
    desk.venue.on("GET /api/v3/allOrders", lambda _: http([]))
    desk.venue.on("GET /api/v3/account", lambda _: http(ACCOUNT))
    desk.venue.on(f"GET /api/v3/{path}", lambda _: http({"code": 500, "msg": "no"}, 500))
    swept = await sweep(desk)
    assert swept.failed
    assert swept.balances == swept.open_orders == swept.recent_orders == ()


async def test_ban_of_a_read_stops_orders_too(desk):
    desk.venue.on("GET /api/v3/order", lambda _: http({"code": 418}, 418, "Retry-After: 60\r\n"))
    await look(desk, an_order())
    desk.venue.on("POST /api/v3/order", taken_in)
    desk.gateway.submit(approved())
    assert desk.statuses() == ["not_sent"]
    assert ("VENUE_BANNED", True) in desk.gates()


async def test_ban_of_a_part_of_a_sweep_stops_orders_too_and_is_not_waited_for(desk):
    desk.venue.on("GET /api/v3/openOrders", lambda _: http({"code": 418}, 418, "Retry-After: 2\r\n"))
    assert (await sweep(desk)).failed
    desk.venue.on("POST /api/v3/order", taken_in)
    desk.gateway.submit(approved())
    assert desk.statuses() == ["not_sent"]
    assert ("VENUE_BANNED", True) in desk.gates()


@pytest.mark.parametrize("name", ["order_get_market_sell_2024-02-11", "order_get_response"])
async def test_recorded_and_documented_orders_are_read(desk, name):
    folder = "docs" if name.endswith("response") else "recorded_account"
    body = json.loads((FIXTURES / folder / f"{name}.json").read_text())
    order = an_order(
        an_intent(symbol=body["symbol"], client_order_id=body["clientOrderId"] or "msl0001aaaaaaaaaaaaaa00"),
        venue_order_id=str(body["orderId"]),
    )
    desk.venue.on("GET /api/v3/order", lambda _: http(body))
    found = (await look(desk, order)).found
    assert found.client_order_id == order.intent.client_order_id
    assert found.status in ("filled", "accepted")
