"""What the API tells about trades, positions, orders, attention and the audit."""

from decimal import Decimal

import pytest

from mexc_sniper.core.reasons import SENTENCES, Reason
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import (
    AttentionChanged,
    DecisionMade,
    FillRecorded,
    OrderChanged,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderRole, OrderStatus
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradeStatus, TradingStatus
from mexc_sniper.web import views_trading
from tests.builders import ns
from tests.web.trading_builders import (
    a_decision,
    a_fill,
    a_position,
    a_trade,
    an_attention,
    an_order,
    order_name,
    quantity,
)
from tests.web.world import WebWorld, done


async def test_the_history_tells_every_trade_newest_first_with_mode_reason_and_delays_in_ms(web: WebWorld):
    denied = a_trade(
        2, seconds=5, status=TradeStatus.REJECTED, reason=Reason.SPREAD_TOO_WIDE, client_order_id=None, type=None
    )
    web.engine.write(TradeChanged(trade=a_trade(1)), TradeChanged(trade=denied))
    await web.engine.flush()

    answer = await web.get("/trade/history")

    assert answer.status == 200, answer.body
    views_trading.TradesView.model_validate(answer.body)
    assert (answer.body["total"], answer.body["limit"], answer.body["offset"]) == (2, 50, 0)
    newest, oldest = answer.body["trades"]
    assert (newest["status"], newest["reason"]) == ("rejected", "SPREAD_TOO_WIDE")
    assert newest["reasonText"] == SENTENCES[Reason.SPREAD_TOO_WIDE]
    assert (oldest["mode"], oldest["side"], oldest["requestedQuoteQty"]) == ("dry-run", "buy", "20")
    assert (oldest["quoteQty"], oldest["baseQty"], oldest["avgPrice"]) == ("19.99", "1332.6", "0.0150007")
    assert (oldest["sourceLagMs"], oldest["tickToTradeMs"], oldest["roundTripMs"]) == (12.0, 0.064, 41.0)
    assert (oldest["ackToFillMs"], oldest["configVersion"], oldest["reasonText"]) == (None, 1, "")


FILTERS = [
    ("mode=live", ["3"]),
    ("mode=dry-run&status=filled", ["4", "1"]),
    ("status=rejected", ["2"]),
    ("symbol=BETAUSDT", ["3"]),
    ("side=sell", ["4"]),
    ("limit=1&offset=1", ["3"]),
    ("symbol=betausdt", []),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
async def test_the_history_is_filtered_and_paged(web: WebWorld, query: str, expected: list[str]):
    trades = (
        a_trade(1, seconds=1),
        a_trade(2, seconds=2, status=TradeStatus.REJECTED),
        a_trade(3, seconds=3, account=Account.LIVE, symbol="BETAUSDT"),
        a_trade(4, seconds=4, side=Side.SELL, role=OrderRole.STOP_LOSS),
    )
    web.engine.write(*(TradeChanged(trade=trade) for trade in trades))
    await web.engine.flush()

    answer = await web.get(f"/trade/history?{query}")

    assert [trade["id"].lstrip("T0") for trade in answer.body["trades"]] == expected


@pytest.mark.parametrize("query", ["mode=paper", "status=done", "side=unknownest", "limit=0", "limit=501", "page=2"])
async def test_a_bad_filter_is_refused_naming_it(web: WebWorld, query: str):
    answer = await web.get(f"/trade/history?{query}")

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == query.partition("=")[0]


@pytest.mark.parametrize("listing", [None, "L1"])
async def test_a_trade_is_told_with_its_guards_attempts_fills_and_position(web: WebWorld, listing: str | None):
    web.engine.write(
        DecisionMade(decision=a_decision(1, listing=listing, reason=Reason.NOT_OPEN_TO_API)),
        DecisionMade(decision=a_decision(1, listing=listing)),
        DecisionMade(decision=a_decision(2, listing=listing)),
        OrderChanged(order=an_order(1, attempt=0, status=OrderStatus.REJECTED, reason=Reason.NOT_OPEN_TO_API)),
        OrderChanged(order=an_order(1, attempt=1, status=OrderStatus.FILLED)),
        OrderChanged(order=an_order(2)),
        FillRecorded(fill=a_fill(1, attempt=1)),
        FillRecorded(fill=a_fill(2)),
        PositionChanged(position=a_position(1)),
        TradeChanged(
            trade=a_trade(
                1, attempts=2, client_order_id=order_name(1, 1), position_id=a_position(1).id, listing_id=listing
            )
        ),
    )
    await web.engine.flush()

    answer = await web.get(f"/trade/{a_trade(1).id}")

    assert answer.status == 200, answer.body
    views_trading.TradeDetailView.model_validate(answer.body)
    assert [order["attempt"] for order in answer.body["orders"]] == [0, 1]
    assert answer.body["orders"][0]["reasonText"] == SENTENCES[Reason.NOT_OPEN_TO_API]
    assert [fill["price"] for fill in answer.body["fills"]] == ["0.0000150"]
    assert answer.body["position"]["id"] == "P1"
    decision = answer.body["decision"]
    assert decision["reason"] is None, "the last attempt's decision"
    assert [(guard["passed"], guard["measured"], guard["limit"]) for guard in decision["guards"]] == [
        (True, "120 bps", "500 bps"),
        (None, "", ""),
        (False, "", ""),
    ]
    assert [bool(guard["text"]) for guard in decision["guards"]] == [True, True, False]


async def test_a_denied_trade_has_its_guards_and_no_order(web: WebWorld):
    web.engine.write(
        DecisionMade(decision=a_decision(1, reason=Reason.NO_BOOK)),
        TradeChanged(trade=a_trade(1, status=TradeStatus.REJECTED, reason=Reason.NO_BOOK, client_order_id=None)),
    )
    await web.engine.flush()

    answer = await web.get(f"/trade/{a_trade(1).id}")

    assert (answer.body["orders"], answer.body["fills"], answer.body["position"]) == ([], [], None)
    assert answer.body["decision"]["reason"] == "NO_BOOK"


async def test_an_unknown_trade_is_a_404(web: WebWorld):
    answer = await web.get("/trade/T00")

    assert (answer.status, answer.code) == (404, "trade_not_found")


async def test_positions_are_valued_at_what_buyers_pay_now(web: WebWorld):
    web.engine.write(
        PositionChanged(position=a_position(1)),
        PositionChanged(position=a_position(2, symbol="DARKUSDT")),
        PositionChanged(position=a_position(3, status=PositionStatus.CLOSED, quantity=quantity("0"), closed_ns=ns(9))),
    )
    await web.engine.flush()
    await web.mark("ALPHAUSDT", bid="0.12", last="0.13")

    answer = await web.get("/positions")

    views_trading.PositionsView.model_validate(answer.body)
    assert answer.body["total"] == 2
    dark, alpha = answer.body["positions"]
    assert (alpha["markPrice"], alpha["value"], alpha["unrealizedPnl"]) == ("0.12", "12", "2")
    assert (alpha["unrealizedPct"], alpha["mode"], alpha["open"]) == ("20.00", "dry-run", True)
    assert alpha["plan"]["takeProfit"] == [{"price": "0.125", "quantity": "40", "done": False}]
    assert (alpha["plan"]["stopPrice"], alpha["plan"]["trailingPct"]) == ("0.085", "10")
    assert (dark["markPrice"], dark["value"], dark["unrealizedPnl"]) == (None, None, None)
    everything = await web.get("/positions?open=false")
    assert [position["id"] for position in everything.body["positions"]] == ["P3", "P2", "P1"]
    assert everything.body["positions"][0]["value"] is None


async def test_a_loss_and_a_division_stay_exact_text(web: WebWorld):
    sold = a_position(1, quantity=quantity("1"), bought_quantity=quantity("3"), sold_quantity=quantity("2"))
    web.engine.write(PositionChanged(position=sold))
    await web.engine.flush()
    await web.mark("ALPHAUSDT", bid=None, last="0.00000001")

    position = (await web.get("/positions")).body["positions"][0]

    assert position["remainingCost"] == "3.33333333"
    assert position["unrealizedPnl"] == "-3.33333332"
    assert position["markPrice"] == "0.00000001"


async def test_orders_are_told_and_one_in_doubt_is_open(web: WebWorld):
    doubt = an_order(2, account=Account.LIVE, status=OrderStatus.IN_DOUBT, doubt_since_ns=ns(3))
    filled = an_order(
        1, status=OrderStatus.FILLED, filled_quantity=quantity("3"), filled_quote=Decimal(10), settled_ns=ns(20)
    )
    web.engine.write(OrderChanged(order=filled), OrderChanged(order=doubt))
    await web.engine.flush()

    everything = await web.get("/orders")
    unsettled = await web.get("/orders?open=true")

    views_trading.OrdersView.model_validate(everything.body)
    assert everything.body["total"] == 2
    assert [order["mode"] for order in unsettled.body["orders"]] == ["live"]
    assert unsettled.body["orders"][0]["open"] is True
    by_id = {order["clientOrderId"]: order for order in everything.body["orders"]}
    first = by_id[order_name(1)]
    assert (first["avgPrice"], first["settled"], first["open"]) == ("3.33333333", True, False)


COMMANDS = [
    ("/positions/P1/close", None, Verb.CLOSE_POSITION, {"positionId": "P1"}),
    (f"/orders/{order_name(1)}/cancel", None, Verb.CANCEL_ORDER, {"clientOrderId": order_name(1)}),
    ("/trade/T1/reject", None, Verb.REJECT_TRADE, {"tradeId": "T1"}),
    ("/arm", {"confirm": "LIVE", "minutes": 30}, Verb.ARM, {"minutes": 30}),
    ("/disarm", None, Verb.DISARM, {}),
    (
        "/attention/foreign_order:币安/resolve",
        {"resolution": "adopt"},
        Verb.RESOLVE_ATTENTION,
        {"id": "foreign_order:币安", "resolution": "adopt"},
    ),
]


@pytest.mark.parametrize(("path", "body", "verb", "arguments"), COMMANDS)
async def test_a_command_reaches_the_engine_once_with_its_arguments(
    web: WebWorld, path: str, body: object, verb: Verb, arguments: dict[str, object]
):
    headers = {"Idempotency-Key": "click"}
    first = await web.post(path, body, headers=headers)
    second = await web.post(path, body, headers=headers)

    assert (first.status, second.status) == (200, 200), first.body
    assert first.body["id"] == second.body["id"]
    assert [(command.verb, command.arguments) for command in web.engine.heard] == [(verb, arguments)]


BAD_COMMANDS = [
    ("/arm", {"minutes": 5}, "confirm"),
    ("/arm", {"confirm": "live", "minutes": 5}, "confirm"),
    ("/arm", {"confirm": "LIVE"}, "minutes"),
    ("/arm", {"confirm": "LIVE", "minutes": 0}, "minutes"),
    ("/arm", {"confirm": "LIVE", "minutes": 1441}, "minutes"),
    ("/arm", {"confirm": "LIVE", "minutes": "30"}, "minutes"),
    ("/arm", {"confirm": "LIVE", "minutes": True}, "minutes"),
    ("/arm", {"confirm": "LIVE", "minutes": 5, "force": True}, "force"),
    ("/attention/1/resolve", {}, "resolution"),
    ("/attention/1/resolve", {"resolution": "delete"}, "resolution"),
    ("/positions/P%201/close", None, "position_id"),
    (f"/orders/{'x' * 65}/cancel", None, "client_order_id"),
]


@pytest.mark.parametrize(("path", "body", "field"), BAD_COMMANDS)
async def test_a_bad_command_is_refused_naming_the_field_and_never_reaches_the_engine(
    web: WebWorld, path: str, body: object, field: str
):
    answer = await web.post(path, body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == field
    assert web.engine.heard == []


async def test_what_needs_a_person_is_listed_until_resolved(web: WebWorld):
    resolved = an_attention("foreign_order:9", resolved_ns=ns(5), resolved_by="operator", resolution="mark")
    web.engine.write(AttentionChanged(attention=an_attention()), AttentionChanged(attention=resolved))
    await web.engine.flush()

    waiting = await web.get("/attention")
    everything = await web.get("/attention?open=false")

    views_trading.AttentionsView.model_validate(waiting.body)
    assert [item["id"] for item in waiting.body["attention"]] == ["in_doubt:1"]
    assert {item["resolution"] for item in everything.body["attention"]} == {"", "mark"}


async def test_the_audit_tells_who_did_what_and_that_its_chain_holds(web: WebWorld):
    await web.post("/disarm")
    web.engine.write(TradingChanged(status=TradingStatus(state=TradingState.REDUCING, actor="operator", latched=True)))
    await web.engine.flush()

    answer = await web.get("/audit?verify=true")

    views_trading.AuditView.model_validate(answer.body)
    assert [(entry["who"], entry["what"]) for entry in answer.body["entries"]] == [
        ("operator", "trading"),
        ("operator (token)", "disarm"),
    ]
    assert (answer.body["verified"], answer.body["firstBroken"]) == (True, None)
    assert len(answer.body["head"]) == 64
    assert (await web.get("/audit?limit=1&offset=1")).body["entries"][0]["what"] == "disarm"


async def test_the_engines_refusal_of_a_close_comes_through(web: WebWorld):
    web.engine.answer = lambda command: done(
        command, status=CommandStatus.REFUSED, code="nothing_to_close", message="Nothing is left.", http_status=409
    )

    answer = await web.post("/positions/P1/close")

    assert (answer.status, answer.code, answer.body["message"]) == (409, "nothing_to_close", "Nothing is left.")
