"""``/positions`` and ``/orders``: what is held, what is on its way, and the two ways to end it by hand."""

from typing import Annotated

from fastapi import Query, Request

from mexc_sniper.core.values import Symbol
from mexc_sniper.model.commands import Verb
from mexc_sniper.web import convert_trading as convert
from mexc_sniper.web.api.carrying import Id, IdempotencyKey, Limit, Offset, SymbolFilter, carry_out
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.routing import router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import CommandView, ErrorView
from mexc_sniper.web.views_trading import OrdersView, PositionsView

reading = router_for(Scope.READ, tag="positions")
controlling = router_for(Scope.CONTROL, tag="positions")

OpenOnly = Annotated[bool, Query(alias="open", description="Only those that are not closed.")]


@reading.get("/positions")
async def positions(
    request: Request, limit: Limit = 50, offset: Offset = 0, open_only: OpenOnly = True
) -> PositionsView:
    """List holdings, newest first, valued at what buyers pay now; `open=false` lists closed ones as well."""
    parts = services(request)
    found, total = await parts.store.read(
        lambda reader: reader.positions(open_only=open_only, limit=limit, offset=offset)
    )
    marks = await parts.overview.marks()
    return PositionsView(
        positions=[convert.position_view(position, marks) for position in found],
        total=total,
        limit=limit,
        offset=offset,
    )


@controlling.post("/positions/{position_id}/close", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def close(request: Request, position_id: Id, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Sell all of a position at market. Allowed in every trading state in which orders can be recorded."""
    return await carry_out(request, Verb.CLOSE_POSITION, {"positionId": position_id}, idempotency_key)


@reading.get("/orders")
async def orders(
    request: Request,
    limit: Limit = 50,
    offset: Offset = 0,
    symbol: SymbolFilter = None,
    open_only: Annotated[bool, Query(alias="open", description="Only those whose end is not known.")] = False,
) -> OrdersView:
    """List orders, newest first; one in doubt is open."""
    found, total = await services(request).store.read(
        lambda reader: reader.orders(
            limit=limit, offset=offset, symbol=None if symbol is None else Symbol(symbol), open_only=open_only
        )
    )
    return OrdersView(orders=[convert.order_view(order) for order in found], total=total, limit=limit, offset=offset)


@controlling.post("/orders/{client_order_id}/cancel", responses={404: {"model": ErrorView}, 409: {"model": ErrorView}})
async def cancel(request: Request, client_order_id: Id, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Ask the venue to cancel an order; the cancel is repeated until an end is seen."""
    return await carry_out(request, Verb.CANCEL_ORDER, {"clientOrderId": client_order_id}, idempotency_key)
