"""The paper venue itself: takes orders in, matches them with what the live market shows, and says what became of them.

Synchronous and without a clock of its own: the gateway tells when an order arrives. Every statement leaves through
``say`` in the order fills, balances, order, so that after a crash the fills are never behind the rest.
"""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import BalancesRead, Event, FillsReported, OrderReported, TradesSeen
from mexc_sniper.model.market import Level, Side
from mexc_sniper.model.order import Fill, OrderStatus, OrderType, ReportSource
from mexc_sniper.venues.paper.account import PaperAccount
from mexc_sniper.venues.paper.exact import cost_of, minus, plus, times
from mexc_sniper.venues.paper.market import PaperMarket
from mexc_sniper.venues.paper.matching import Taking, take_amount, take_quantity
from mexc_sniper.venues.paper.options import MAX_OPEN_ORDERS, MAX_REMEMBERED
from mexc_sniper.venues.paper.orders import PaperOrder
from mexc_sniper.venues.paper.resting import Resting, look_at_queue, reached_by
from mexc_sniper.venues.paper.rules import Refusal, refusal

ZERO = Decimal(0)
ONE = Decimal(1)
S = OrderStatus
_WAITS = frozenset({OrderType.LIMIT, OrderType.LIMIT_MAKER})


class PaperExchange:
    """Orders and money of the paper account, against a market."""

    def __init__(self, market: PaperMarket, account: PaperAccount, *, epoch: int, say: Callable[[Event], None]) -> None:
        self.account = account
        self.orders: dict[ClientOrderId, PaperOrder] = {}
        """Every order of this venue that is not forgotten, also those on their way."""
        self._market = market
        self._resting = Resting()
        self._epoch = epoch
        self._say = say
        self._taken_in = 0
        self._ended: deque[ClientOrderId] = deque()

    def see(self, event: Event) -> None:
        """Take market data in; waiting orders that it reaches are filled."""
        moved = self._market.see(event)
        if moved is not None:
            self._book_moved(moved)
        elif isinstance(event, TradesSeen):
            self._traded(event)

    # ------------------------------------------------------------------ orders

    def announce(self, order: PaperOrder) -> None:
        """Reserve what an order on its way may cost; whether that suffices is judged when it arrives."""
        self.orders[order.intent.client_order_id] = order
        self._reserve(order)
        self._say_balances()

    def arrive(self, order: PaperOrder) -> None:
        """Take an order in, or refuse it, and match it with the book as it is now."""
        no = self._judge(order)
        if no is not None:
            self.refuse(order, no)
            return
        self._taken_in += 1
        order.venue_order_id = VenueOrderId(f"P{self._epoch}x{self._taken_in}")
        order.status = S.ACCEPTED
        order.rests_since_ns = self._market.venue_ns
        self._report(order)
        self._match(order)

    def refuse(self, order: PaperOrder, no: Refusal) -> None:
        """End an order that the venue does not take in."""
        order.code = no.code
        self.end(order, S.REJECTED, no.text, no.reason)

    def cancel(self, client_order_id: ClientOrderId) -> None:
        """Cancel a waiting order; anything else was too late or too early, and the venue says nothing of use."""
        order = self.orders.get(client_order_id)
        if order is not None and order.resting:
            self._resting.remove(order)
            self.end(order, S.CANCELED, "canceled")

    def end(
        self,
        order: PaperOrder,
        status: OrderStatus,
        text: str = "",
        reason: Reason | None = None,
        *,
        silently: bool = False,
    ) -> None:
        """End an order: give back what it had reserved, and say so unless nobody can know."""
        order.status, order.text, order.reason = status, text, reason
        self.orders[order.intent.client_order_id] = order
        self.account.release(order.intent.client_order_id)
        self._say_balances()
        if not silently:
            self._report(order)
        self._remember(order)

    def restore(self, orders: Sequence[PaperOrder]) -> list[PaperOrder]:
        """Take the orders of an earlier life over; returns those that were on their way and are lost."""
        lost = []
        for order in orders:
            self.orders[order.intent.client_order_id] = order
            if order.ended:
                self._remember(order)
            elif order.resting and self._reserve(order):
                order.rests_since_ns = self._market.venue_ns
                self._resting.add(order)
            else:
                order.status = S.SUBMITTED
                lost.append(order)
        return lost

    # ------------------------------------------------------------------ taking in

    def _judge(self, order: PaperOrder) -> Refusal | None:
        intent, market = order.intent, self._market
        book = market.book(intent.symbol)
        no = refusal(intent, market.instrument(intent.symbol), book, venue_ns=market.venue_ns)
        if no is not None:
            return no
        if self._resting.count >= MAX_OPEN_ORDERS:
            return Refusal(30029, "exceed the maximum order limit")
        if intent.type is OrderType.MARKET and market.is_fresh(intent.symbol) and not book.facing(order.faces):
            if book.last is None:
                return Refusal(30010, "no valid trade price", Reason.NO_BOOK)
            return Refusal(30025, "no opponent order", Reason.NO_BOOK)
        self.account.release(intent.client_order_id)  # a market order's worst price has moved since it was announced
        if self._reserve(order):
            return None
        if intent.side is Side.SELL:
            return Refusal(30004, "insufficient position", Reason.INSUFFICIENT_BALANCE)
        return Refusal(10101, "insufficient balance", Reason.INSUFFICIENT_BALANCE)

    def _reserve(self, order: PaperOrder) -> bool:
        intent = order.intent
        if intent.side is Side.SELL:
            return self.account.reserve(intent.client_order_id, intent.base, order.left)
        order.fees = self._market.fees(intent.symbol)
        cost = intent.quote_quantity
        if cost is None:
            price = intent.price or self._market.market_limit(intent.symbol, intent.side)
            if price is None:
                return True  # a market order without any price to go by: it will find no book either
            cost = cost_of(price, order.left)
        worst = times(cost, plus(ONE, max(order.fees)))
        return self.account.reserve(intent.client_order_id, intent.quote, worst)

    # ------------------------------------------------------------------ matching

    def _match(self, order: PaperOrder) -> None:
        intent = order.intent
        waits = intent.type in _WAITS
        if not self._market.is_fresh(intent.symbol):
            if waits:
                self._resting.add(order)
            else:
                why = f"no fill (evidence: none): {self._market.why_not_fresh(intent.symbol)}"
                self.end(order, S.CANCELED, why, Reason.NO_BOOK)
            return
        taking = self._take(order)
        if intent.type is OrderType.FOK and not taking.complete:
            self.end(order, S.CANCELED, f"not all at once: {taking.why}", Reason.NOTHING_FILLED)
            return
        if intent.type is OrderType.LIMIT_MAKER and taking.takes:
            self.end(order, S.CANCELED, "it would have taken, and may only make", Reason.NOTHING_FILLED)
            return
        if taking.takes:
            self._fill(order, taking.takes, evidence="book", maker=False)
        if taking.complete:
            self.end(order, S.FILLED)
        elif waits:
            look_at_queue(order, self._market.book(intent.symbol))
            self._resting.add(order)
            if taking.takes:
                self._progress(order)
        else:
            nothing = None if taking.takes else Reason.NOTHING_FILLED
            self.end(order, S.CANCELED, f"{order.share_filled}: {taking.why}", nothing)

    def _take(self, order: PaperOrder) -> Taking:
        intent, instrument = order.intent, self._market.instrument(order.intent.symbol)
        worst = intent.price or self._market.market_limit(intent.symbol, intent.side)
        if instrument is None or worst is None:
            return Taking(why="no price to go by")
        levels = self._market.levels(instrument, order.faces)
        if intent.quote_quantity is None:
            return take_quantity(levels, order.left, worst=worst, side=intent.side)
        return take_amount(levels, intent.quote_quantity, worst=worst, decimals=instrument.quantity_decimals)

    def _book_moved(self, symbol: Symbol) -> None:
        waiting = self._resting.of(symbol)
        if not waiting:
            return
        instrument, book = self._market.instrument(symbol), self._market.book(symbol)
        for order in waiting:
            look_at_queue(order, book)
            if instrument is None or order.intent.price is None:
                continue
            levels = self._market.levels(instrument, order.faces)
            taking = take_quantity(levels, order.left, worst=order.intent.price, side=order.intent.side)
            if taking.takes:
                for level in taking.takes:
                    book.take(order.faces, level.price, level.quantity)
                met = Quantity(sum((level.quantity for level in taking.takes), ZERO))
                self._fill_waiting(order, met, evidence="book")

    def _traded(self, event: TradesSeen) -> None:
        instrument, waiting = self._market.instrument(event.symbol), self._resting.of(event.symbol)
        if instrument is None or not waiting:
            return
        for trade in event.trades:
            alive = [order for order in waiting if order.resting]
            for order, quantity in reached_by(alive, trade, decimals=instrument.quantity_decimals):
                self._fill_waiting(order, quantity, evidence="trades")

    def _fill_waiting(self, order: PaperOrder, quantity: Quantity, *, evidence: str) -> None:
        if order.intent.price is None:
            raise InvariantError(f"paper order {order.intent.client_order_id} waits without a price")
        self._fill(order, (Level(order.intent.price, quantity),), evidence=evidence, maker=True)
        if order.left <= 0:
            self._resting.remove(order)
            self.end(order, S.FILLED)
        else:
            self._progress(order)

    # ------------------------------------------------------------------ money

    def _fill(self, order: PaperOrder, takes: Sequence[Level], *, evidence: str, maker: bool) -> None:
        intent, stamp = order.intent, self._market.stamp()
        taker_rate, maker_rate = order.fees or self._market.fees(intent.symbol)
        for level in takes:
            amount = cost_of(level.price, level.quantity)
            fee = times(amount, maker_rate if maker else taker_rate)
            self._settle(order, level.quantity, amount, fee)
            if not maker:
                self._market.book(intent.symbol).take(order.faces, level.price, level.quantity)
            order.filled = plus(order.filled, level.quantity)
            order.filled_quote = plus(order.filled_quote, amount)
            fill = Fill(
                trade_id=f"{order.venue_order_id}.{len(order.fills) + 1}",
                client_order_id=intent.client_order_id,
                account=Account.PAPER,
                symbol=intent.symbol,
                side=intent.side,
                price=level.price,
                quantity=level.quantity,
                quote_quantity=amount,
                fee=fee,
                fee_asset=intent.quote,
                is_maker=maker,
                ts_event_ns=self._market.venue_ns,
                ts_recv_ns=stamp.ts_recv_ns,
                evidence=evidence,
            )
            order.fills.append(fill)
        fills = tuple(order.fills[-len(takes) :])
        self._say(FillsReported(stamp=stamp, account=Account.PAPER, fills=fills, source=ReportSource.PAPER))

    def _settle(self, order: PaperOrder, quantity: Quantity, amount: Decimal, fee: Decimal) -> None:
        intent, name = order.intent, order.intent.client_order_id
        if intent.side is Side.BUY:
            self.account.exchange(name, pays=plus(amount, fee), gets=intent.base, amount=quantity)
        else:
            self.account.exchange(name, pays=quantity, gets=intent.quote, amount=minus(amount, fee))

    # ------------------------------------------------------------------ saying

    def say_all_balances(self) -> None:
        """Say every balance the account holds."""
        self.account.take_changed()
        balances = self.account.all()
        self._say(BalancesRead(stamp=self._market.stamp(), account=Account.PAPER, balances=balances, complete=True))

    def _say_balances(self) -> None:
        changed = self.account.take_changed()
        if changed:
            stamp = self._market.stamp()
            self._say(BalancesRead(stamp=stamp, account=Account.PAPER, balances=changed, complete=False))

    def _progress(self, order: PaperOrder) -> None:
        order.status = S.PARTIALLY_FILLED
        self._say_balances()
        self._report(order)

    def _report(self, order: PaperOrder) -> None:
        stamp = self._market.stamp()
        order.changed_ns = stamp.ts_recv_ns
        self._say(OrderReported(stamp=stamp, report=order.report(stamp)))

    def _remember(self, order: PaperOrder) -> None:
        """Count an order among the ended ones; the oldest of too many is forgotten."""
        self._ended.append(order.intent.client_order_id)
        while len(self._ended) > MAX_REMEMBERED:
            self.orders.pop(self._ended.popleft(), None)
