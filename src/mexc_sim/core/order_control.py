"""The private half of the control API: orders, balances, keys, books and prices by order of a test.

============================  =================================================================================
GET /sim/orders[?symbol=]     every accepted order with arrival (wall ns), fills and present state; clientOrderId=
GET /sim/requests[?path=]     requests to the venue with the clocks of their arrival; method=
DELETE /sim/requests          forget them
GET, POST /sim/balances       what the account holds; {"USDT": "500", ...} sets free amounts (as a deposit would)
GET, POST /sim/keys           API keys; {key?, secret?, rights?, addresses?, expiresInS?} adds or changes one
DELETE /sim/keys?key=         delete one
POST /sim/account             {uid}: the account's number from now on, as if the keys belonged to another
GET, POST /sim/orders/refuse  answer orders with a code: {code, http? 400, msg?, times?, forS?, symbol?, side?, type?,
                              endpoint? newOrder | orders | any, accepted? true: take the order all the same}
DELETE /sim/orders/refuse     lift them, or one: id=
POST /sim/foreign-order       an order by the owner's own hand: symbol, side, type, quantity, price, quoteOrderQty
POST /sim/cancel              the venue or the owner cancels: {orderId}
POST /sim/book                {symbol, bids: [[price, quantity], ...], asks, delayMs?}: the crowd leaves, these stand
POST /sim/trade               {symbol, price, quantity, side? BUY}: one public trade; private orders it passes fill
POST /sim/markets             {symbol, status?, apiOpen?, spotAllowed?, default?, tradeSideType?, marketOrders?, st?,
                              band?, minNotional?, minQuantity?, maxNotional?, maxNotionalMarket?, makerFee?,
                              takerFee?}: rules change
POST /sim/fees                {in: quote | base | mx}
POST /sim/listen-keys/expire  {key?}: their hour is over
============================  =================================================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from mexc_sim.core.market import Market
from mexc_sim.core.replies import Ask, Refusal
from mexc_sim.core.wallet import plain

if TYPE_CHECKING:
    from mexc_sim.core.exchange import Exchange

Action = Callable[[Mapping[str, Any]], Any]
_FLAGS = {"apiOpen": "orders_open", "spotAllowed": "spot_allowed", "default": "in_default_symbols"}
_RULES = {
    "tradeSideType": "trade_side_type", "marketOrders": "market_orders", "st": "special_treatment", "band": "band",
    "minNotional": "min_notional", "minQuantity": "min_quantity", "maxNotional": "max_notional",
    "maxNotionalMarket": "max_notional_market", "makerFee": "maker_fee", "takerFee": "taker_fee",
}  # fmt: skip


class OrderControlError(ValueError):
    """A control request is wrong; the text says what to mend."""


class OrderControl:
    """Answers the private control paths."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._desk = exchange.desk

    def routes(self) -> dict[tuple[str, str], Action]:
        """(method, path) -> action."""
        return {
            ("GET", "/sim/orders"): self._orders,
            ("GET", "/sim/requests"): self._requests,
            ("DELETE", "/sim/requests"): lambda _: {"removed": self._exchange.requests.clear()},
            ("GET", "/sim/balances"): self._balances,
            ("POST", "/sim/balances"): self._set_balances,
            ("GET", "/sim/keys"): lambda _: {"keys": self._exchange.account.keys.view()},
            ("POST", "/sim/keys"): lambda spec: self._exchange.account.keys.describe(spec).view(),
            ("DELETE", "/sim/keys"): lambda spec: {"removed": self._exchange.account.keys.remove(str(spec.get("key")))},
            ("POST", "/sim/account"): self._rename,
            ("GET", "/sim/orders/refuse"): lambda _: {"refusals": self._exchange.refusals.view()},
            ("POST", "/sim/orders/refuse"): self._refuse,
            ("DELETE", "/sim/orders/refuse"): self._lift,
            ("POST", "/sim/foreign-order"): self._foreign_order,
            ("POST", "/sim/cancel"): self._cancel,
            ("POST", "/sim/book"): self._book,
            ("POST", "/sim/trade"): self._trade,
            ("POST", "/sim/markets"): self._change_market,
            ("POST", "/sim/fees"): self._fees,
            ("POST", "/sim/listen-keys/expire"): self._expire,
        }

    # -- what is known ----------------------------------------------------------------------------------------

    def _orders(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        symbol, client_id = arguments.get("symbol"), arguments.get("clientOrderId")
        chosen = [
            order.view()
            for order in self._desk.orders.values()
            if symbol in (None, order.market.symbol) and client_id in (None, order.ticket.client_id)
        ]
        return {"orders": chosen}

    def _requests(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"requests": self._exchange.requests.view(arguments.get("path"), arguments.get("method"))}

    def _balances(self, _: Mapping[str, Any]) -> dict[str, Any]:
        held = self._exchange.account.wallet.all()
        return {
            "balances": {asset: {"free": plain(one.free), "locked": plain(one.locked)} for asset, one in held.items()}
        }

    # -- money, keys, refusals --------------------------------------------------------------------------------

    def _set_balances(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        wallet = self._exchange.account.wallet
        wanted = {asset: _decimal(arguments, asset) for asset in arguments}
        for asset, amount in wanted.items():
            change = amount - wallet.of(asset).free
            wallet.move(asset, "DEPOSIT" if change > 0 else "WITHDRAW", free=change)
        return self._balances({})

    def _rename(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        uid = arguments.get("uid")
        if not isinstance(uid, str) or not uid.isdigit():
            raise OrderControlError(f"uid must be a text of digits, not {uid!r}")
        self._exchange.account.uid = uid
        return {"uid": uid}

    def _refuse(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._exchange.refusals.add(arguments, self._exchange.world.timers.now_ns).view()

    def _lift(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        number = arguments.get("id")
        return {"removed": self._exchange.refusals.remove(None if number is None else int(number))}

    def _fees(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        wanted = arguments.get("in")
        if wanted not in ("quote", "base", "mx"):
            raise OrderControlError(f"in must be quote, base or mx, not {wanted!r}")
        self._exchange.world.fee_asset = wanted
        return {"in": wanted}

    def _expire(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"expired": self._exchange.account.listen_keys.expire(arguments.get("key"))}

    # -- orders by hand ---------------------------------------------------------------------------------------

    def _foreign_order(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        params = {str(key): str(value) for key, value in arguments.items()}
        params["newClientOrderId"] = params.pop("clientOrderId", "")
        try:
            order = self._exchange.orders.place(params, Ask(params), by_hand=True)
        except Refusal as refusal:
            raise OrderControlError(f"the exchange refuses: {refusal.code} {refusal.message}") from refusal
        return order.view()

    def _cancel(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        order = self._desk.orders.get(str(arguments.get("orderId")))
        if order is None or order.is_final:
            raise OrderControlError("orderId names no open order")
        self._desk.cancel(order)
        return order.view()

    # -- books and prices -------------------------------------------------------------------------------------

    def _book(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        market = self._market(arguments)
        sides = {side: _levels(market, arguments.get(side, []), side) for side in ("bids", "asks")}
        if sides["bids"] and sides["asks"] and max(sides["bids"])[0] >= min(sides["asks"])[0]:
            raise OrderControlError("the bids cross the asks")
        delay_ms = arguments.get("delayMs", 0)
        if not isinstance(delay_ms, int) or not 0 <= delay_ms <= 60_000:
            raise OrderControlError(f"delayMs must be a whole number from 0 to 60000, not {delay_ms!r}")
        if delay_ms:
            world = self._exchange.world
            world.timers.after(delay_ms * 1_000_000, lambda _: self._set_book(market, sides))
        else:
            self._set_book(market, sides)
        return {"symbol": market.symbol, "version": market.book.version}

    def _set_book(self, market: Market, sides: Mapping[str, list[tuple[int, int]]]) -> None:
        self._calm(market)
        market.book.clear()
        if not market.quoting:
            market.quoting = True
            self._exchange.world.stamps.expect(market.symbol, "quote")
        now_ms = self._exchange.world.now_ms
        for side, levels in sides.items():
            is_bid = side == "bids"
            for price, quantity in levels:
                left = quantity - market.take(is_buy=is_bid, quantity=quantity, limit=price, now_ms=now_ms)
                if left:
                    market.book.place(is_bid=is_bid, price=price, quantity=left)
        market.publish_book()

    def _trade(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        market = self._market(arguments)
        ((price, quantity),) = _levels(market, [[arguments.get("price"), arguments.get("quantity", "1")]], "trade")
        side = arguments.get("side", "BUY")
        if side not in ("BUY", "SELL"):
            raise OrderControlError(f"side must be BUY or SELL, not {side!r}")
        is_buy, now_ms, book = side == "BUY", self._exchange.world.now_ms, market.book
        if not market.trading:
            market.trading = True
            for step in ("trade", "mini"):
                self._exchange.world.stamps.expect(market.symbol, step)
        for passed_price in [*book.prices_beyond(is_bid=not is_buy, price=price), price]:
            own = [o for o in book.orders_at(is_bid=not is_buy, price=passed_price) if o.owner is not None]
            for order in own:
                wanted = min(quantity, order.remaining)
                if wanted:
                    self._desk.hit(market, order, wanted, is_buy=is_buy)
                    quantity -= wanted
        if quantity:
            market.print_trade(price=price, quantity=quantity, is_buy=is_buy, now_ms=now_ms)
        market.publish_book()
        return {"symbol": market.symbol, "last": market.price_text(market.last or 0)}

    def _change_market(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        market = self._market(arguments)
        for key, value in arguments.items():
            if key == "symbol":
                continue
            if key == "status" and value in ("1", "2", "3"):
                market.status = value
            elif key in _FLAGS and isinstance(value, bool):
                setattr(market, _FLAGS[key], value)
            elif key in _RULES and type(value) is type(getattr(market.instrument, _RULES[key])):
                market.instrument = replace(market.instrument, **{_RULES[key]: value})
            else:
                known = ", ".join(("status", *_FLAGS, *_RULES))
                raise OrderControlError(f"{key} {value!r} is unknown or of a wrong type; a market takes {known}")
        self._exchange.world.market_changed(market.symbol)
        return market.instrument.row(spot_allowed=market.spot_allowed, status=market.status)

    def _calm(self, market: Market) -> None:
        """The crowd leaves: what a test sets shall stand."""
        self._exchange.world.silence(market)
        for life in self._exchange.lifecycles.lives:
            if life.instrument.symbol == market.symbol and life.crowd is not None:
                life.crowd.stop()

    def _market(self, arguments: Mapping[str, Any]) -> Market:
        market = self._exchange.world.markets.get(str(arguments.get("symbol")))
        if market is None:
            raise OrderControlError(f"symbol {arguments.get('symbol')!r} does not exist")
        return market


def _levels(market: Market, value: Any, name: str) -> list[tuple[int, int]]:
    if not isinstance(value, list):
        raise OrderControlError(f"{name} must be a list of [price, quantity]")
    scales = (market.instrument.price_scale, market.instrument.quantity_scale)
    levels: list[tuple[int, int]] = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise OrderControlError(f"{name} must be a list of [price, quantity]")
        units = [_decimal({name: text}, name).scaleb(scale) for text, scale in zip(pair, scales, strict=True)]
        if any(unit <= 0 or unit != unit.to_integral_value() for unit in units):
            raise OrderControlError(f"{name}: {pair!r} must be above 0, with at most {scales} decimals")
        levels.append((int(units[0]), int(units[1])))
    return levels


def _decimal(arguments: Mapping[str, Any], key: str) -> Decimal:
    try:
        number = Decimal(str(arguments[key]))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise OrderControlError(f"{key} must be a decimal from 0, not {arguments[key]!r}")
    return number
