"""The signed order endpoints (REFERENCE 1.7)."""

from collections.abc import Mapping
from typing import Any

from msgspec import DecodeError, json

from mexc_sim.core.desk import Desk
from mexc_sim.core.order_checks import read_ticket
from mexc_sim.core.order_refusals import Refusals, refusal_of
from mexc_sim.core.orders import MARKET, Moment, Order
from mexc_sim.core.replies import Ask, Refusal, Reply, Route, reply, whole_number
from mexc_sim.core.timers import NS_PER_MS
from mexc_sim.core.world import World

_DAY_MS = 86_400_000
_WRITE, _READ = "SPOT_DEAL_WRITE", "SPOT_DEAL_READ"
MOST_IN_BATCH = 20
MOST_CANCEL_SYMBOLS = 5


class OrderApi:
    """Order endpoints over the desk."""

    def __init__(self, world: World, desk: Desk, refusals: Refusals) -> None:
        self._world = world
        self._desk = desk
        self._refusals = refusals

    def routes(self) -> dict[tuple[str, str], Route]:
        """(method, path) -> route; the four that change orders share one rate."""
        rate = (self._world.rules.orders_per_s, 1)
        order, open_orders = "/api/v3/order", "/api/v3/openOrders"
        return {
            ("POST", order): Route("newOrder", self._new, 1, True, rate, "orders", _WRITE),
            ("POST", "/api/v3/batchOrders"): Route("batchOrders", self._batch, 1, True, rate, "orders", _WRITE),
            ("DELETE", order): Route("cancelOrder", self._cancel, 1, True, rate, "orders", _WRITE),
            ("DELETE", open_orders): Route("cancelOpenOrders", self._cancel_all, 1, True, rate, "orders", _WRITE),
            ("POST", "/api/v3/order/test"): Route("testOrder", self._test, 1, True, right=_WRITE),
            ("GET", order): Route("getOrder", self._get, 2, True, right=_READ),
            ("GET", open_orders): Route("openOrders", self._open, 3, True, right=_READ),
            ("GET", "/api/v3/allOrders"): Route("allOrders", self._all, 10, True, right=_READ),
            ("GET", "/api/v3/myTrades"): Route("myTrades", self._trades, 10, True, right="SPOT_ACCOUNT_READ"),
        }

    # -- placing ----------------------------------------------------------------------------------------------

    def place(self, params: Mapping[str, str], ask: Ask, *, by_hand: bool = False) -> Order:
        """Take one order in.

        Raises:
            Refusal: the order is not taken; or it is, and a rule hides that behind a code.
        """
        rule = None if by_hand else self._refusals.strike("newOrder", params, self._world.timers.now_ns)
        if rule is not None and not rule.accepted:
            raise refusal_of(rule)
        hidden = ask.struck.get("late_visible")
        visible_ns = 0 if hidden is None else self._world.timers.now_ns + int(hidden["ms"] * NS_PER_MS)
        ticket = read_ticket(self._world, params)
        order = self._desk.submit(ticket, arrived_ns=ask.arrived_ns, by_hand=by_hand, visible_ns=visible_ns)
        if rule is not None:
            raise refusal_of(rule)
        return order

    def _new(self, ask: Ask) -> Reply:
        order = self.place(ask.params, ask)
        market = order.market
        return reply(
            {
                "symbol": market.symbol,
                "orderId": order.id,
                "orderListId": -1,
                "price": market.price_text(order.price),
                "origQty": market.quantity_text(order.quantity if order.ticket.amount is None else _asked(order)),
                "type": order.ticket.type,
                "side": "BUY" if order.ticket.is_buy else "SELL",
                "stpMode": "",
                "transactTime": order.created_ms,
            }
        )

    def _test(self, ask: Ask) -> Reply:
        self._desk.check(read_ticket(self._world, ask.params))
        return reply({})

    def _batch(self, ask: Ask) -> Reply:
        try:
            wanted = json.decode(ask.params.get("batchOrders", ""))
        except DecodeError as error:
            raise Refusal(33333, "parameter batchOrders wrong") from error
        if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST_IN_BATCH:
            raise Refusal(33333, "parameter batchOrders wrong")
        if len({str(item.get("symbol")) if isinstance(item, dict) else "" for item in wanted}) > 1:
            raise Refusal(33333, "parameter batchOrders wrong: one symbol only")
        return reply([self._batch_item(item, ask) for item in wanted])

    def _batch_item(self, item: Any, ask: Ask) -> dict[str, Any]:
        params = {str(k): str(v) for k, v in item.items()} if isinstance(item, dict) else {}
        client_id = params.get("newClientOrderId")
        named = {} if client_id is None else {"newClientOrderId": client_id}
        try:
            order = self.place(params, ask)
        except Refusal as refusal:
            return {**named, "msg": refusal.message, "code": refusal.code}
        return {"symbol": order.market.symbol, "orderId": order.id, **named, "orderListId": -1}

    # -- cancelling -------------------------------------------------------------------------------------------

    def _cancel(self, ask: Ask) -> Reply:
        order = self._named(ask)
        if order is None or order.is_final:
            raise Refusal(-2011, "Unknown order sent.")
        return reply(self._cancelled(order, ask))

    def _cancel_all(self, ask: Ask) -> Reply:
        symbols = [name for name in ask.params.get("symbol", "").split(",") if name]
        if not symbols:
            raise Refusal(44444, "parameter symbol null")
        if len(symbols) > MOST_CANCEL_SYMBOLS:
            raise Refusal(33333, "parameter symbol wrong")
        for symbol in symbols:
            self._known(symbol)
        orders = [order for order in self._desk.open_orders() if order.market.symbol in symbols]
        return reply([{**self._cancelled(order, ask), "orderListId": -1} for order in orders])

    def _cancelled(self, order: Order, ask: Ask) -> dict[str, Any]:
        before = order.status
        late = ask.struck.get("fill_after")
        self._desk.cancel(order, keep_lock=late is not None)
        if late is not None:
            self._desk.later(int(late["ms"] * NS_PER_MS), lambda: self._fill_late(order))
        row = order.row(order.moments[-1])
        return {
            "symbol": row["symbol"],
            "origClientOrderId": order.ticket.client_id,
            "orderId": order.id,
            "clientOrderId": ask.params.get("newClientOrderId") or None,
            "price": row["price"],
            "origQty": row["origQty"],
            "executedQty": row["executedQty"],
            "cummulativeQuoteQty": row["cummulativeQuoteQty"],
            "status": before if "says_new" in ask.struck else row["status"],
            "type": row["type"],
            "side": row["side"],
        }

    def _fill_late(self, order: Order) -> None:
        if order.remaining:
            self._desk.fill_by_force(order, order.remaining, order.price)
        self._desk.release(order)

    # -- reading ----------------------------------------------------------------------------------------------

    def _get(self, ask: Ask) -> Reply:
        order = self._named(ask)
        moment = None if order is None else self._seen(order, ask)
        if order is None or moment is None:
            raise Refusal(-2013, "Order does not exist.")
        return reply(order.row(moment))

    def _open(self, ask: Ask) -> Reply:
        symbol = ask.params.get("symbol")
        if symbol:
            self._known(symbol)
        rows = []
        for order in self._desk.orders.values() if ask.stale_ns else self._desk.open_orders():
            moment = self._seen(order, ask)
            if moment is None or moment.status not in ("NEW", "PARTIALLY_FILLED"):
                continue
            if not symbol or order.market.symbol == symbol:
                rows.append(order.row(moment))
        return reply(rows)

    def _all(self, ask: Ask) -> Reply:
        symbol = self._known(ask.params.get("symbol", ""))
        start, end = self._window(ask, _DAY_MS, 7 * _DAY_MS)
        limit = whole_number(ask, "limit", 500, low=1, high=1_000) or 500
        rows = []
        for order in self._newest_first(symbol):
            moment = self._seen(order, ask)
            if moment is not None and start <= order.created_ms <= end:
                rows.append(order.row(moment))
        return reply(rows[:limit])

    def _trades(self, ask: Ask) -> Reply:
        symbol = self._known(ask.params.get("symbol", ""))
        start, end = self._window(ask, 30 * _DAY_MS, 30 * _DAY_MS)
        limit = whole_number(ask, "limit", 100, low=1, high=100) or 100
        order_id = ask.params.get("orderId")
        pairs = [
            (order, fill)
            for order in self._newest_first(symbol)
            if (moment := self._seen(order, ask)) is not None and order_id in (None, "", order.id)
            for fill in reversed(order.fills[: moment.fills])
            if start <= fill.time_ms <= end
        ]
        pairs.sort(key=lambda pair: -pair[1].ns)
        return reply([order.trade_row(fill) for order, fill in pairs[:limit]])

    # -- shared -----------------------------------------------------------------------------------------------

    def _newest_first(self, symbol: str) -> list[Order]:
        return [order for order in reversed(self._desk.orders.values()) if order.market.symbol == symbol]

    def _seen(self, order: Order, ask: Ask) -> Moment | None:
        now = self._world.timers.now_ns
        return None if now < order.visible_ns else order.seen_at(now - ask.stale_ns)

    def _named(self, ask: Ask) -> Order | None:
        symbol = ask.params.get("symbol", "")
        order_id, client_id = ask.params.get("orderId"), ask.params.get("origClientOrderId")
        self._known(symbol)
        if not order_id and not client_id:
            raise Refusal(700004, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null")
        return self._desk.find(symbol, order_id, client_id)

    def _known(self, symbol: str) -> str:
        """Symbols that ever existed may be asked for, also after their delisting."""
        if not symbol:
            raise Refusal(44444, "parameter symbol null")
        if symbol not in self._world.markets:
            raise Refusal(-1121, "Invalid symbol.")
        return symbol

    def _window(self, ask: Ask, default_ms: int, longest_ms: int) -> tuple[int, int]:
        now = self._world.now_ms
        end = whole_number(ask, "endTime", now)
        end = now if end is None else end
        start = whole_number(ask, "startTime", end - default_ms)
        start = end - default_ms if start is None else start
        if end < start or end - start > longest_ms:
            raise Refusal(400, f"The time range cannot exceed {longest_ms // _DAY_MS} days")
        return max(start, now - longest_ms), end


def _asked(order: Order) -> int:
    """What the cap would buy for the amount: the answer to a market order must not tell what was filled."""
    return (order.ticket.amount or 0) // order.price if order.ticket.type == MARKET else order.quantity
