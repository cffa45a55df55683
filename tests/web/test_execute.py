"""A manual buy: once, answered with its first outcome, or an honest word."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from mexc_sniper.core.ids import CommandId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.entries import TradeChanged
from mexc_sniper.model.trading import Trade, TradeStatus
from mexc_sniper.web import views_trading
from tests.web.trading_builders import a_trade
from tests.web.world import WebWorld, a_web_world, done

BUY = {"symbol": "ALPHAUSDT", "quoteQty": "20"}


def trade_of(command: Command, status: TradeStatus = TradeStatus.FILLED) -> Trade:
    return a_trade(1, command_id=CommandId(command.id), status=status)


def fills(web: WebWorld, status: TradeStatus = TradeStatus.FILLED):
    """An engine that trades and answers."""

    def answer(command: Command) -> CommandResult:
        trade = trade_of(command, status)
        web.engine.write(TradeChanged(trade=trade))
        return done(command, result={"tradeId": trade.id, "status": str(status)})

    return answer


async def test_a_buy_is_answered_with_its_outcome(web: WebWorld):
    web.engine.answer = fills(web)

    answer = await web.post("/trade/execute", BUY)

    assert answer.status == 200, answer.body
    views_trading.ExecutedView.model_validate(answer.body)
    assert (answer.body["status"], answer.body["mode"]) == ("filled", "dry-run")
    assert answer.body["trade"]["id"] == answer.body["tradeId"] == a_trade(1).id
    heard = web.engine.heard[0]
    assert (heard.verb, heard.arguments) == (Verb.EXECUTE_TRADE, BUY)
    assert answer.body["commandId"] == heard.id


@pytest.mark.parametrize("amount", ["20", 20, 20.0, "20.00000000"])
async def test_the_amount_reaches_the_engine_as_plain_text(web: WebWorld, amount: object):
    web.engine.answer = fills(web)

    assert (await web.post("/trade/execute", BUY | {"quoteQty": amount})).status == 200
    assert web.engine.heard[0].arguments["quoteQty"] in ("20", "20.0", "20.00000000")


BAD_BODIES: list[tuple[object, str]] = [
    ({"symbol": "ALPHAUSDT"}, "quoteQty"),
    ({"quoteQty": "20"}, "symbol"),
    (BUY | {"quoteQty": "0"}, "quoteQty"),
    (BUY | {"quoteQty": "-20"}, "quoteQty"),
    (BUY | {"quoteQty": "twenty"}, "quoteQty"),
    (BUY | {"quoteQty": ""}, "quoteQty"),
    (BUY | {"quoteQty": "1e3"}, "quoteQty"),
    (BUY | {"quoteQty": "NaN"}, "quoteQty"),
    (BUY | {"quoteQty": "Infinity"}, "quoteQty"),
    (BUY | {"quoteQty": "２０"}, "quoteQty"),
    (BUY | {"quoteQty": "0.000000001"}, "quoteQty"),
    (BUY | {"quoteQty": "1000001"}, "quoteQty"),
    (BUY | {"quoteQty": True}, "quoteQty"),
    (BUY | {"quoteQty": None}, "quoteQty"),
    (BUY | {"quoteQty": ["20"]}, "quoteQty"),
    (BUY | {"symbol": ""}, "symbol"),
    (BUY | {"symbol": "A B"}, "symbol"),
    (BUY | {"symbol": "A" * 65}, "symbol"),
    (BUY | {"price": "1"}, "price"),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
async def test_a_bad_buy_is_refused_naming_the_field_and_nothing_is_asked(web: WebWorld, body: object, field: str):
    answer = await web.post("/trade/execute", body)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.body["details"]["fields"][0]["name"] == field
    assert web.engine.heard == []


@pytest.mark.parametrize("raw", [b'{"symbol":"A","quoteQty":NaN}', b'{"symbol":"A","quoteQty":1e999}'])
async def test_a_number_only_pythons_json_knows_is_refused(web: WebWorld, raw: bytes):
    answer = await web.post("/trade/execute", data=raw, headers={"Content-Type": "application/json"})

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert web.engine.heard == []


async def test_a_buy_sent_twice_under_one_key_acts_once_and_answers_the_same(web: WebWorld):
    web.engine.answer = fills(web)
    headers = {"Idempotency-Key": "click"}

    both = await asyncio.gather(*(web.post("/trade/execute", BUY, headers=headers) for _ in range(3)))
    later = await web.post("/trade/execute", BUY, headers=headers)

    assert [answer.status for answer in [*both, later]] == [200] * 4
    assert {answer.body["tradeId"] for answer in [*both, later]} == {a_trade(1).id}
    assert len(web.engine.heard) == 1


async def test_an_order_without_outcome_is_answered_as_pending(web: WebWorld):
    web.engine.answer = fills(web, TradeStatus.PENDING)

    answer = await web.post("/trade/execute", BUY)

    assert (answer.status, answer.body["status"]) == (200, "pending")


async def test_an_outcome_after_the_engines_answer_is_waited_for(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, trade_wait_s=8.0) as web:
        web.engine.answer = fills(web, TradeStatus.PENDING)
        buying = asyncio.create_task(web.post("/trade/execute", BUY))
        while not web.engine.heard:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert not buying.done()

        web.engine.write(TradeChanged(trade=trade_of(web.engine.heard[0])))

        assert (await buying).body["status"] == "filled"


async def test_our_denial_comes_back_with_its_reason_and_the_recorded_trade(web: WebWorld):
    def deny(command: Command) -> CommandResult:
        trade = msgspec.structs.replace(trade_of(command, TradeStatus.REJECTED), reason=Reason.ABOVE_MAX_TRADE)
        web.engine.write(TradeChanged(trade=trade))
        return done(
            command, status=CommandStatus.REFUSED, code="above_max_trade", message="Above the limit per trade.",
            http_status=409, result={"tradeId": trade.id},
        )  # fmt: skip

    web.engine.answer = deny

    answer = await web.post("/trade/execute", BUY)

    assert (answer.status, answer.code) == (409, "above_max_trade")
    assert (await web.get(f"/trade/{answer.body['details']['tradeId']}")).body["trade"]["status"] == "rejected"


async def test_a_silent_engine_is_a_503_that_names_the_command(web: WebWorld):
    web.engine.answer = lambda command: None

    answer = await web.post("/trade/execute", BUY)

    assert (answer.status, answer.code) == (503, "engine_unavailable")
    assert answer.body["details"]["commandId"] == web.engine.heard[0].id


async def test_an_engine_that_traded_but_could_not_answer_in_time_is_no_error(web: WebWorld):
    def trade_only(command: Command) -> None:
        web.engine.write(TradeChanged(trade=trade_of(command, TradeStatus.IN_DOUBT)))

    web.engine.answer = trade_only

    answer = await web.post("/trade/execute", BUY)

    assert (answer.status, answer.body["status"]) == (200, "in_doubt")


async def test_without_an_engine_nothing_is_bought_later(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        answer = await web.post("/trade/execute", BUY)
        assert (answer.status, answer.code) == (503, "engine_unavailable")

        await web.engine.start()
        await asyncio.sleep(0.3)
        assert web.engine.heard == []
        await web.engine.stop()


async def test_a_confirmation_is_answered_with_the_live_trade_it_led_to(web: WebWorld):
    def confirm(command: Command) -> CommandResult:
        trade = a_trade(2, command_id=command.id)
        web.engine.write(TradeChanged(trade=trade))
        return done(command, result={"tradeId": trade.id})

    web.engine.answer = confirm

    answer = await web.post("/trade/T1/confirm")

    assert (answer.status, answer.body["tradeId"]) == (200, a_trade(2).id)
    assert (web.engine.heard[0].verb, web.engine.heard[0].arguments) == (Verb.CONFIRM_TRADE, {"tradeId": "T1"})
