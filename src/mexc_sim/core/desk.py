"""The order desk: takes private orders, matches them in the books, keeps the wallet exact, tells the streams."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Protocol

from mexc_sim.core.book import Match, RestingOrder
from mexc_sim.core.instrument import hex_id
from mexc_sim.core.market import Market, Trade
from mexc_sim.core.numbers import text_of
from mexc_sim.core.order_checks import cap_of
from mexc_sim.core.orders import (
    CANCELED,
    FILLED,
    FOK,
    LIMIT,
    LIMIT_MAKER,
    PARTIALLY_CANCELED,
    PARTIALLY_FILLED,
    Fill,
    Order,
    Ticket,
    as_amount,
    as_quantity,
)
from mexc_sim.core.replies import Refusal
from mexc_sim.core.wallet import ZERO, Wallet
from mexc_sim.core.world import World

OWNER = "account"
_MX_DISCOUNT = Decimal("0.8")
_SMALLEST_FEE = Decimal("1E-18")


class OrderListener(Protocol):
    """Who wants to know what happens to private orders (the private streams)."""

    def order_changed(self, order: Order, fill: Fill | None) -> None: ...

    def order_filled(self, order: Order, fill: Fill) -> None: ...


class Desk:
    """All private orders of the one account."""

    def __init__(self, world: World, wallet: Wallet, listener: OrderListener) -> None:
        self._world = world
        self._wallet = wallet
        self._listener = listener
        self._random = Random(f"orders:{world.seed}")
        self._next_number = 505_979_017_439_000_000_000 + self._random.randrange(10**12)
        self._taking: Order | None = None
        self.orders: dict[str, Order] = {}
        self._open: dict[str, Order] = {}
        self._resting: dict[tuple[str, int], Order] = {}
        self._by_client_id: dict[str, list[Order]] = {}

    # -- finding ----------------------------------------------------------------------------------------------

    def find(self, symbol: str, order_id: str | None, client_id: str | None) -> Order | None:
        """An order of a symbol by the venue's id, else the oldest with a client id."""
        if order_id:
            order = self.orders.get(order_id)
            return order if order is not None and order.market.symbol == symbol else None
        same = self._by_client_id.get(client_id or "", ())
        return next((order for order in same if order.market.symbol == symbol), None)

    def open_orders(self) -> list[Order]:
        """Orders not over yet, oldest first."""
        return list(self._open.values())

    # -- taking in --------------------------------------------------------------------------------------------

    def check(self, ticket: Ticket) -> tuple[int, Decimal, str]:
        """The last questions: price to be had, room, balance. Returns price, what to lock, and of which asset.

        Raises:
            Refusal: 30010, 30025, 30029, 10101 or 30004, or the client id is taken and that is forbidden.
        """
        market, coin = ticket.market, ticket.market.instrument
        self._world.wake(market)
        if ticket.client_id in self._by_client_id and self._world.rules.duplicate_client_ids == "refuse":
            raise Refusal(-2010, "Duplicate order sent.")  # code and text are ours: nobody knows the venue's
        price = ticket.price
        if price is None:
            opposite = market.book.best(is_bid=not ticket.is_buy)
            cap = cap_of(market, is_buy=ticket.is_buy, distance=self._world.rules.market_cap)
            if cap is None:
                raise Refusal(30010, "no valid trade price")
            if opposite is None:
                raise Refusal(30025, "no opposite order in the order book")
            price = cap
        if len(self._open) >= self._world.rules.most_open_orders:
            raise Refusal(30029, "The number of orders has reached the maximum")
        if not ticket.is_buy:
            needed = as_quantity(market, ticket.quantity or 0)
            if self._wallet.of(coin.base).free < needed:
                raise Refusal(30004, "Insufficient position")
            return price, needed, coin.base
        units = ticket.amount if ticket.amount is not None else price * (ticket.quantity or 0)
        needed = as_amount(market, units) * (1 + max(Decimal(coin.maker_fee), Decimal(coin.taker_fee)))
        if self._wallet.of(coin.quote).free < needed:
            raise Refusal(10101, "资金不足")  # "insufficient funds", as recorded
        return price, needed, coin.quote

    def submit(self, ticket: Ticket, *, arrived_ns: int = 0, by_hand: bool = False, visible_ns: int = 0) -> Order:
        """Take an order in and match it.

        Raises:
            Refusal: see `check`.
        """
        price, needed, asset = self.check(ticket)
        market, now = ticket.market, self._world.timers.now_ns
        market.desk = self
        quantity = ticket.quantity if ticket.quantity is not None else (ticket.amount or 0) // price
        self._next_number += 1 + self._random.randrange(1_000_000)
        order = Order(
            number=len(self.orders) + 1,
            id=f"C02__{self._next_number}",
            ticket=ticket,
            price=price,
            quantity=quantity,
            created_ns=now,
            created_ms=self._world.now_ms,
            arrived_ns=arrived_ns or now,
            by_hand=by_hand,
            lock_asset=asset,
            visible_ns=visible_ns,
        )
        self.orders[order.id] = self._open[order.id] = order
        if ticket.client_id is not None:
            self._by_client_id.setdefault(ticket.client_id, []).append(order)
        order.note(now, order.created_ms)
        self._lock(order, needed, "ENTRUST_PLACE")
        self._match(order)
        market.publish_book()
        return order

    def _match(self, order: Order) -> None:
        ticket, market, book = order.ticket, order.market, order.market.book
        best = book.best(is_bid=not ticket.is_buy)
        crosses = best is not None and (best <= order.price if ticket.is_buy else best >= order.price)
        if ticket.type == LIMIT_MAKER and crosses:
            self._end(order)  # post-only that would take is dropped
            return
        if ticket.type == FOK and book.available(is_buy=ticket.is_buy, limit=order.price) < order.quantity:
            self._end(order)
            return
        wanted = order.quantity
        if ticket.amount is not None:
            wanted = book.affordable(amount=ticket.amount, limit=order.price)
        if crosses and wanted:
            self._taking = order
            try:
                matches = market.execute(
                    is_buy=ticket.is_buy, quantity=wanted, limit=order.price, now_ms=self._world.now_ms
                )
            finally:
                self._taking = None
            if ticket.amount is not None:
                self._settle_amount(order, matches)
            for match in matches:
                self._fill(order, match.price, match.quantity, is_maker=False, own=match.maker.owner is not None)
        if order.is_final:
            return
        if ticket.type in (LIMIT, LIMIT_MAKER):
            self._rest(order)
        else:
            self._end(order)

    def _settle_amount(self, order: Order, matches: list[Match]) -> None:
        """A market buy by amount is FILLED when not even one more step could be paid for, not by its quantity."""
        amount, market = order.ticket.amount or 0, order.market
        bought = sum(match.quantity for match in matches)
        left = amount - sum(match.quantity * match.price for match in matches)
        best = market.book.best(is_bid=False)
        satisfied = left < (best if best is not None else matches[-1].price)
        order.quantity = bought if satisfied else bought + max(1, left // order.price)

    def _rest(self, order: Order) -> None:
        market = order.market
        order.resting = market.book.place(
            is_bid=order.ticket.is_buy, price=order.price, quantity=order.remaining, owner=OWNER
        )
        self._resting[market.symbol, order.resting.id] = order
        self._world.watch(market)
        if not order.fills:
            self._listener.order_changed(order, None)

    # -- fills ------------------------------------------------------------------------------------------------

    def maker_filled(self, market: Market, match: Match, trade: Trade) -> None:
        """Somebody took from one of our resting orders (called by the market)."""
        order = self._resting.get((market.symbol, match.maker.id))
        if order is not None:
            self._fill(order, trade.price, trade.quantity, is_maker=True, own=self._taking is not None)

    def hit(self, market: Market, resting: RestingOrder, quantity: int, *, is_buy: bool) -> None:
        """Let the crowd trade with this very order, past whoever stands before it."""
        order = self._resting[market.symbol, resting.id]
        resting.remaining -= quantity
        if resting.remaining == 0:
            market.book.cancel(resting.id)
        else:
            market.book.touch(resting)
        market.print_trade(price=resting.price, quantity=quantity, is_buy=is_buy, now_ms=self._world.now_ms)
        self._fill(order, resting.price, quantity, is_maker=True, own=False)

    def fill_by_force(self, order: Order, quantity: int, price: int) -> None:
        """A fill that no book shows: it crossed a cancel on its way (RELIABILITY 2.3, row 42)."""
        order.market.print_trade(
            price=price, quantity=quantity, is_buy=not order.ticket.is_buy, now_ms=self._world.now_ms
        )
        self._fill(order, price, quantity, is_maker=True, own=False)

    def _fill(self, order: Order, price: int, quantity: int, *, is_maker: bool, own: bool) -> None:
        market, coin, was_final = order.market, order.market.instrument, order.is_final
        amount, base = as_amount(market, price * quantity), as_quantity(market, quantity)
        fee, fee_asset = self._fee(order, amount, base, is_maker=is_maker)
        number = len(self.orders) * 1_000 + len(order.fills)
        same = hex_id("fill", order.id, number)
        other = f"{order.id.removeprefix('C02__')[:18]}X{len(order.fills) + 1}"
        fill = Fill(
            trade_id=same,
            stream_trade_id=same if self._world.rules.stream_trade_ids == "same" else other,
            ns=self._world.timers.now_ns,
            time_ms=self._world.now_ms,
            price=price,
            quantity=quantity,
            is_maker=is_maker,
            is_self_trade=own,
            fee=fee,
            fee_asset=fee_asset,
        )
        order.fills.append(fill)
        order.executed += quantity
        order.spent += price * quantity
        wallet = self._wallet
        if order.ticket.is_buy:
            self._lock(order, -min(order.locked, amount), "ENTRUST", spend=amount)
            wallet.move(coin.base, "ENTRUST", free=base)
        else:
            self._lock(order, -min(order.locked, base), "ENTRUST", spend=base)
            wallet.move(coin.quote, "ENTRUST", free=amount)
        if fee_asset == coin.quote and order.ticket.is_buy and order.locked:
            self._lock(order, -min(order.locked, fee), "TRADE_FEE", spend=fee)
        else:
            wallet.move(fee_asset, "TRADE_FEE", free=-fee)
        if order.executed >= order.quantity:
            order.status = FILLED
        else:
            order.status = PARTIALLY_CANCELED if was_final else PARTIALLY_FILLED
        order.note(fill.ns, fill.time_ms)
        if order.status == FILLED and not was_final:
            self._leave(order)
        self._listener.order_changed(order, fill)
        self._listener.order_filled(order, fill)

    def _fee(self, order: Order, amount: Decimal, base: Decimal, *, is_maker: bool) -> tuple[Decimal, str]:
        coin = order.market.instrument
        rate = Decimal(coin.maker_fee if is_maker else coin.taker_fee)
        if self._world.fee_asset == "base" and order.ticket.is_buy:
            return base * rate, coin.base
        if self._world.fee_asset == "mx":
            fee = self._in_mx(amount * rate * _MX_DISCOUNT, coin.quote)
            if fee is not None and fee <= self._wallet.of("MX").free:
                return fee, "MX"
        return amount * rate, coin.quote

    def _in_mx(self, amount: Decimal, quote: str) -> Decimal | None:
        """An amount of a quote asset in MX at last prices; None where the exchange has no price for it."""
        value = self._price_of(quote)
        price = self._price_of("MX")
        return None if value is None or not price else (amount * value / price).quantize(_SMALLEST_FEE)

    def _price_of(self, asset: str) -> Decimal | None:
        if asset == "USDT":
            return Decimal(1)
        market = self._world.markets.get(f"{asset}USDT")
        if market is None or market.last is None:
            return None
        return Decimal(text_of(market.last, market.instrument.price_scale))

    # -- ending -----------------------------------------------------------------------------------------------

    def cancel(self, order: Order, *, keep_lock: bool = False) -> None:
        """Cancel an open order; ``keep_lock`` leaves its funds held for a fill that is still on its way."""
        market = order.market
        self._end(order, keep_lock=keep_lock)
        market.publish_book()

    def market_closed(self, market: Market) -> None:
        """The pair is gone: what rests there is cancelled (called by the market's life cycle)."""
        for order in self.open_orders():
            if order.market is market:
                self._end(order)

    def release(self, order: Order) -> None:
        """Give back what a finished order still holds."""
        self._lock(order, -order.locked, "ENTRUST_UNFROZEN")

    def later(self, delay_ns: int, act: Callable[[], None]) -> None:
        """Do something after a while."""
        self._world.timers.after(delay_ns, lambda _: act())

    def _end(self, order: Order, *, keep_lock: bool = False) -> None:
        if order.ticket.amount is not None and not order.executed:
            order.status = CANCELED
        else:
            order.status = PARTIALLY_CANCELED if order.executed else CANCELED
        order.note(self._world.timers.now_ns, self._world.now_ms)
        self._leave(order, keep_lock=keep_lock, reason="ENTRUST_CANCEL")
        self._listener.order_changed(order, None)

    def _leave(self, order: Order, *, keep_lock: bool = False, reason: str = "ENTRUST_UNFROZEN") -> None:
        del self._open[order.id]
        if order.resting is not None:
            order.market.book.cancel(order.resting.id)
            del self._resting[order.market.symbol, order.resting.id]
            order.resting = None
            self._world.unwatch(order.market.symbol)
        if not keep_lock:
            self._lock(order, -order.locked, reason)

    def _lock(self, order: Order, change: Decimal, reason: str, *, spend: Decimal = ZERO) -> None:
        """Hold more (or less) of the order's asset; what is not spent moves between free and locked."""
        order.locked += change
        self._wallet.move(order.lock_asset, reason, free=-change - spend, locked=change)
