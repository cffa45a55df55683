"""``/trade``: manual buys, what became of every decision, and the word on those of high value."""

from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mexc_sniper.core.ids import IntentId, PositionId, TradeId
from mexc_sniper.core.values import Symbol, text_from_decimal
from mexc_sniper.ledger.codec import entry_from_event
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.entries import DecisionMade
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Decision, Trade, TradeStatus
from mexc_sniper.web import convert_trading as convert
from mexc_sniper.web.api.carrying import (
    Id,
    IdempotencyKey,
    Limit,
    Offset,
    SymbolFilter,
    amount,
    carry_out,
    visible_name,
)
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.routing import principal, router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.view_base import Mode
from mexc_sniper.web.views import CommandView, ErrorView
from mexc_sniper.web.views_trading import ExecutedView, TradeDetailView, TradesView

ORDERS_OF_A_SYMBOL = 500
"""How far back the attempts of one decision are looked for; they lie within seconds of each other."""

reading = router_for(Scope.READ, tag="trade")
controlling = router_for(Scope.CONTROL, tag="trade")


class ExecuteRequest(BaseModel):
    """Buy ``symbol`` for ``quoteQty`` of its quote currency: live while armed, otherwise dry-run."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    symbol: str = Field(min_length=1, max_length=64, examples=["EXAMPLEUSDT"])
    quote_qty: Decimal = Field(
        alias="quoteQty",
        le=1_000_000,
        examples=["20"],
        json_schema_extra={"format": "decimal"},
        description="Decimal text, above zero; a JSON number is taken as well.",
    )

    _visible = field_validator("symbol")(visible_name)
    _plain = field_validator("quote_qty", mode="before")(amount)


@controlling.post("/trade/execute", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def execute(request: Request, body: ExecuteRequest, idempotency_key: IdempotencyKey = None) -> ExecutedView:
    """Buy by hand, through the same risk checks as every entry.

    Answers when the order's first outcome is known, or after 5 s with the status ``pending``. A denial is a 409 with
    the reason as its code; it is recorded as a trade all the same.
    """
    arguments = {"symbol": body.symbol, "quoteQty": text_from_decimal(body.quote_qty)}
    return await _execute(request, Verb.EXECUTE_TRADE, arguments, idempotency_key)


@reading.get("/trade/history")
async def history(
    request: Request,
    limit: Limit = 50,
    offset: Offset = 0,
    mode: Annotated[Mode | None, Query(description="Whose money: dry-run or live.")] = None,
    status: TradeStatus | None = None,
    symbol: SymbolFilter = None,
    side: Side | None = None,
) -> TradesView:
    """List trades, newest first: every entry, exit, denial and refusal with its reason and its delays in ms."""
    found, total = await services(request).store.read(
        lambda reader: reader.trades(
            limit=limit,
            offset=offset,
            mode=None if mode is None else convert.account_of(mode),
            status=status,
            symbol=None if symbol is None else Symbol(symbol),
            side=side,
        )
    )
    return TradesView(trades=[convert.trade_view(trade) for trade in found], total=total, limit=limit, offset=offset)


@reading.get("/trade/{trade_id}", responses={404: {"model": ErrorView}})
async def trade(request: Request, trade_id: Id) -> TradeDetailView:
    """Show one trade with every guard that was asked, its orders, their executions and its position."""
    parts = services(request)
    found = await parts.store.read(lambda reader: _read(reader, TradeId(trade_id)))
    if found is None:
        raise ApiError(404, "trade_not_found", "There is no trade with this id.")
    the_trade, decision, orders, fills, position = found
    marks = await parts.overview.marks()
    return TradeDetailView(
        trade=convert.trade_view(the_trade),
        decision=None if decision is None else convert.decision_view(decision),
        orders=[convert.order_view(order) for order in orders],
        fills=[convert.fill_view(fill) for fill in fills],
        position=None if position is None else convert.position_view(position, marks),
    )


@controlling.post("/trade/{trade_id}/confirm", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def confirm(request: Request, trade_id: Id, idempotency_key: IdempotencyKey = None) -> ExecutedView:
    """Enter a trade live that waits as ``high_value_pending``; every check but its age is made anew."""
    return await _execute(request, Verb.CONFIRM_TRADE, {"tradeId": trade_id}, idempotency_key)


@controlling.post("/trade/{trade_id}/reject", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def reject(request: Request, trade_id: Id, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Leave a ``high_value_pending`` trade on paper."""
    return await carry_out(request, Verb.REJECT_TRADE, {"tradeId": trade_id}, idempotency_key)


async def _execute(request: Request, verb: Verb, arguments: dict[str, str], key: str | None) -> ExecutedView:
    command, made = await services(request).executor.execute(verb, arguments, principal(request), key)
    return ExecutedView(
        command_id=command.id,
        trade_id=made.id,
        mode=convert.mode_of(made.account),
        status=made.status,
        trade=convert.trade_view(made),
    )


_Read = tuple[Trade, Decision | None, list[Order], list[Fill], Position | None]


def _read(reader: LedgerReader, trade_id: TradeId) -> _Read | None:
    with reader.snapshot() as view:
        found = view.trade(trade_id)
        if found is None:
            return None
        orders = _orders(view, found)
        fills = [
            fill
            for order in orders
            for fill in view.fills(order.intent.client_order_id)
            if fill.account is order.intent.account
        ]
        position = None if found.position_id is None else view.position(PositionId(found.position_id))
        return found, _decision(view, found, _intent(found, orders)), orders, fills, position


def _orders(view: LedgerView, found: Trade) -> list[Order]:
    """Every attempt of the trade's decision, oldest first; they share its id."""
    if found.client_order_id is None:
        return []
    last = view.order(found.account, found.client_order_id)
    if last is None:
        return []
    recent, _ = view.orders(limit=ORDERS_OF_A_SYMBOL, symbol=found.symbol)
    of_it = [order for order in recent if order.intent.id == last.intent.id and order.intent.account is found.account]
    if all(order.intent.client_order_id != last.intent.client_order_id for order in of_it):
        of_it.append(last)
    return sorted(of_it, key=lambda order: (order.created_ns, order.intent.attempt))


def _intent(found: Trade, orders: list[Order]) -> IntentId:
    """The decision's id; a trade's own id is ``T`` and it."""
    return orders[-1].intent.id if orders else IntentId(found.id.removeprefix("T"))


def _decision(view: LedgerView, found: Trade, intent: IntentId) -> Decision | None:
    """The last decision under this id: attempts after the first decide anew."""
    if found.listing_id is not None:
        made = view.decisions(found.listing_id)
    else:
        entries = (entry_from_event(event.kind, event.payload) for event in view.history(intent))
        made = [entry.decision for entry in entries if isinstance(entry, DecisionMade)]
    return next((decision for decision in reversed(made) if decision.id == intent), None)
