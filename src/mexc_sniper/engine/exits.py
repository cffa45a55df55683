"""Watches over positions: follows prices, sells when the plan, a person or the kill switch says so."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.ids import CommandId, client_order_id, intent_id
from mexc_sniper.core.precision import below, buy_price
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.engine.attention import raise_attention
from mexc_sniper.engine.effects import ReadBook, WakeAt
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.model.trading import Attention, AttentionKind, Trigger
from mexc_sniper.policy.entry import BAND_MARGIN, band_limits
from mexc_sniper.policy.exits import Exit, follow_price, legs_to_rest, mark_legs, next_exit
from mexc_sniper.policy.risk import approve_reduction
from mexc_sniper.policy.sizing import is_dust, meets_minimum, sellable

RETRY_NS = 500 * NS_PER_MS
"""Pause before an exit that came back unfilled or refused is tried again; doubles up to `RETRY_MAX_NS`."""
RETRY_MAX_NS = 30_000 * NS_PER_MS
RETRY_BOOK_NS = 4_000 * NS_PER_MS
"""The longest pause where the book was too old: what it is asked for must still be fresh by then."""
_WORDS = frozenset({OrderRole.MANUAL_CLOSE, OrderRole.FLATTEN})
_DECIDED = frozenset({OrderRole.STOP_LOSS, OrderRole.TRAILING_STOP, OrderRole.TIME_EXIT})
ZERO = Decimal(0)
MAX_EXITS = 36 * 36
_SHUT_OUT = frozenset({Reason.API_CLOSED, Reason.NOT_OPEN_TO_API, Reason.ONE_SIDED, Reason.NOT_ONLINE})
"""Refusals after which only a person with the venue's app can sell (FIELD 4.1 c)."""


class Exits:
    """Operations on the ways out. Holds no state of its own."""

    def __init__(self, state: EngineState, gatekeeper: Gatekeeper, orders: Orders, holdings: Holdings) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._orders = orders
        self._holdings = holdings

    def price(self, turn: Turn, symbol: Symbol, price: Price) -> None:
        """What a sell would get has moved: follow it, and act where a barrier is reached."""
        for account in Account:
            position = self._holdings.open_position(account, symbol)
            if position is not None:
                self._watch(turn, position, price)

    def tend(self, turn: Turn) -> None:
        """Act on time, and on positions whose last exit came to nothing."""
        for position in tuple(self._state.trading.positions.values()):
            if not position.closed:
                self._watch(turn, position, self._bid(position.symbol))

    def close(self, turn: Turn, position: Position, role: OrderRole, command_id: CommandId | None = None) -> bool:
        """Sell all of a position now; False when nothing is left that is not on its way already.

        Right after a start the pair's rules may not be known yet: the word stands, and is done as soon as they are.
        """
        instrument = self._state.instruments.get(position.symbol)
        if instrument is None:
            self._holdings.put(turn, replace(position, status=PositionStatus.CLOSING, exit_role=str(role)))
            return True
        held = sellable(instrument, self._held(position))
        if held <= 0:
            return False
        due = Exit(role=role, quantity=held)
        if self._holdings.resting_exits(position):
            free = self._clear_the_way(turn, position, instrument, due)
            if free is None:
                return True  # the cancels are on their way, and the word to sell stands
            due, position = free, self._state.trading.positions[position.id]
        return self._sell(turn, position, instrument, due, command_id)

    def order_ended(self, turn: Turn, order: Order) -> None:
        """An exit has ended: what it did not sell is free again; a door that is shut needs a person."""
        trading = self._state.trading
        position = trading.positions.get(order.intent.position_id) if order.intent.position_id else None
        if position is None or position.closed:
            return
        if order.intent.rests:
            self._resting_ended(turn, position, order)
            return
        unfilled = order.filled_quantity <= 0
        trading.exit_unfilled[position.id] = trading.exit_unfilled.get(position.id, 0) + 1 if unfilled else 0
        if order.reason is Reason.OUTSIDE_PRICE_BAND:
            trading.exit_banded[position.id] = None
        else:
            trading.exit_banded.pop(position.id, None)
        if order.reason is Reason.NO_BOOK:  # paper sells into no book that has not moved for long: have it confirmed
            turn.ask(ReadBook(position.symbol))
        legs = trading.exit_legs.pop(order.intent.client_order_id, ())
        if unfilled and legs and position.plan is not None:
            position = replace(position, plan=mark_legs(position.plan, legs, done=False))
            self._holdings.put(turn, position)
        longest_ns = RETRY_BOOK_NS if order.reason is Reason.NO_BOOK else RETRY_MAX_NS
        pause_ns = min(longest_ns, 2 * trading.exit_pause_ns.get(position.id, RETRY_NS // 2)) if unfilled else RETRY_NS
        trading.exit_pause_ns[position.id] = pause_ns
        trading.exit_after_ns[position.id] = turn.now_ns + pause_ns
        turn.ask(WakeAt(turn.now_ns + pause_ns))
        if order.status is OrderStatus.REJECTED and order.reason in _SHUT_OUT:
            self._needs_person(
                turn,
                position,
                f"The venue refuses to sell {position.symbol} by API ({order.code}: {order.text}).",
            )
        elif not unfilled and position.manual_exit_needed:
            self._holdings.put(turn, replace(trading.positions[position.id], manual_exit_needed=""))

    def resting_moved(self, turn: Turn, order: Order) -> None:
        """A waiting take-profit was taken in or filled in part: what was decided meanwhile can be done now."""
        position = self._state.trading.positions.get(order.intent.position_id) if order.intent.position_id else None
        if position is not None and not position.closed:
            self._watch(turn, position, self._bid(position.symbol))

    # ------------------------------------------------------------------ inside

    def _watch(self, turn: Turn, position: Position, price: Price | None) -> None:
        trading = self._state.trading
        instrument = self._state.instruments.get(position.symbol)
        if instrument is None:
            return
        if price is not None:
            followed = follow_price(position, price)
            if followed.trailing_armed != position.trailing_armed:
                self._holdings.put(turn, followed)
            else:
                trading.positions[position.id] = followed  # marks reach the page as live figures, not as events
            position = followed
        if self._entry_alive(position):
            return  # the plan is made from what is filled in the end
        if turn.now_ns < trading.exit_after_ns.get(position.id, 0):
            return
        held = self._held(position)
        due = self._wished(position, instrument, held) or next_exit(
            position, instrument, price=price, free=held, now_ns=turn.now_ns
        )
        if due is not None and self._holdings.resting_exits(position):
            if due.role is OrderRole.TAKE_PROFIT:  # a leg that does not wait at the venue; what waits there is not ours
                free = self._holdings.free_quantity(position)
                due = next_exit(position, instrument, price=price, free=free, now_ns=turn.now_ns)
            else:
                due = self._clear_the_way(turn, position, instrument, due)
                position = trading.positions[position.id]
        elif due is None:
            self._rest(turn, position, instrument)
        if due is not None:
            self._sell(turn, position, instrument, due, None)

    def _held(self, position: Position) -> Quantity:
        """Return what can be sold once the waiting take-profits are canceled."""
        waiting = sum((self._holdings.left_of(order) for order in self._holdings.resting_exits(position)), ZERO)
        return Quantity(self._holdings.free_quantity(position) + waiting)

    # ------------------------------------------------------------------ take-profits that wait at the venue

    def _rest(self, turn: Turn, position: Position, instrument: Instrument) -> None:
        """Let the legs of the ladder wait at the venue, each once."""
        trading = self._state.trading
        if position.plan is None or not position.plan.resting or trading.status.state is TradingState.HALTED:
            return
        taken = {leg for owner, leg in trading.rested if owner == position.id}
        legs = legs_to_rest(position.plan, instrument, free=self._holdings.free_quantity(position), taken=taken)
        for leg, price, quantity in legs:
            due = Exit(role=OrderRole.TAKE_PROFIT, quantity=quantity, legs=(leg,))
            if self._send(turn, position, due, OrderType.LIMIT, price, leg=leg) is None:
                return
            trading.rested[(position.id, leg)] = None
            plan = trading.positions[position.id].plan or position.plan
            self._holdings.put(turn, replace(trading.positions[position.id], plan=mark_legs(plan, (leg,))))
            turn.note("take_profit_rests", symbol=position.symbol, price=str(price), account=str(position.account))

    def _clear_the_way(self, turn: Turn, position: Position, instrument: Instrument, due: Exit) -> Exit | None:
        """Cancel the waiting take-profits; what they held is sold when they have ended, for the decision stands.

        Returns what can be sold at once without leaving dust behind; None: nothing.
        """
        resting = self._holdings.resting_exits(position)
        if position.exit_role != str(due.role) or position.status is not PositionStatus.CLOSING:
            self._holdings.put(turn, replace(position, status=PositionStatus.CLOSING, exit_role=str(due.role)))
        for order in resting:
            if order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
                self._orders.cancel(turn, order, Reason.CANCELED_FOR_EXIT)
        waiting = sum((self._holdings.left_of(order) for order in resting), ZERO)
        free = sellable(instrument, self._holdings.free_quantity(position))
        bid = self._bid(position.symbol) or position.mark_price
        alone = bid is not None and all(
            meets_minimum(instrument, quantity, bid, market=True) for quantity in (free, sellable(instrument, waiting))
        )
        return Exit(role=due.role, quantity=free) if alone else None

    def _resting_ended(self, turn: Turn, position: Position, order: Order) -> None:
        """A take-profit does not wait any more: sold, or its leg is watched here again."""
        if order.filled_quantity <= 0 and position.plan is not None:
            position = replace(position, plan=mark_legs(position.plan, (order.intent.leg,), done=False))
            self._holdings.put(turn, position)
        elif order.filled_quantity > 0 and not position.exit_role:
            position = replace(position, status=PositionStatus.CLOSING, exit_role=str(OrderRole.TAKE_PROFIT))
            self._holdings.put(turn, position)
        self._watch(turn, position, self._bid(position.symbol))

    # ------------------------------------------------------------------ one sell

    def _wished(self, position: Position, instrument: Instrument, free: Quantity) -> Exit | None:
        """A person's word to sell, or the kill switch's, stands until everything is sold, whatever one try brings."""
        role = OrderRole.FLATTEN if self._state.trading.status.flatten else None
        if role is None and position.exit_role == OrderRole.MANUAL_CLOSE:
            role = OrderRole.MANUAL_CLOSE
        if role is None and position.plan is not None and position.plan.resting and position.exit_role in _DECIDED:
            role = OrderRole(position.exit_role)  # its take-profits were canceled for it: there is no way back
        quantity = sellable(instrument, free)
        return Exit(role=role, quantity=quantity) if role is not None and quantity > 0 else None

    def _sell(
        self, turn: Turn, position: Position, instrument: Instrument, due: Exit, command_id: CommandId | None
    ) -> bool:
        trading = self._state.trading
        bid = self._bid(position.symbol) or position.mark_price
        quantity = Quantity(due.quantity)
        if bid is not None and not meets_minimum(instrument, quantity, bid, market=True):
            self._too_little(turn, position, instrument, due, bid)
            return False
        # A market order trades within some 5 % of the last price only (REFERENCE 1.8): after a gap it sells nothing,
        # so the next try names its own price.
        gapped = trading.exit_unfilled.get(position.id, 0) > 0 and bid is not None
        market = OrderType.MARKET in instrument.order_types and not self._market_refused(position) and not gapped
        floor: Price | None = None
        if not market:
            if bid is None:
                return False
            banded = position.id in trading.exit_banded
            floor = bid if banded else self._floor(instrument, bid)
        sent = self._send(turn, position, due, OrderType.MARKET if market else OrderType.IOC, floor, command_id)
        if sent is None:
            return False
        plan = position.plan
        if plan is not None and due.legs:
            plan = mark_legs(plan, due.legs)
            trading.exit_legs[sent.intent.client_order_id] = due.legs
        self._holdings.put(
            turn,
            replace(
                trading.positions[position.id],
                plan=plan,
                status=PositionStatus.CLOSING,
                exit_role=str(due.role) if due.role in _WORDS else position.exit_role or str(due.role),
            ),
        )
        turn.note("exit_sent", symbol=position.symbol, role=str(due.role), account=str(position.account))
        return True

    def _too_little(self, turn: Turn, position: Position, instrument: Instrument, due: Exit, bid: Price) -> None:
        """What is due is below the venue's minimum (it may have been raised): merge it, forget it, or ask a person."""
        rest = sellable(instrument, self._holdings.free_quantity(position))
        if rest > due.quantity and meets_minimum(instrument, rest, bid, market=True):
            if due.legs and position.plan is not None:  # the leg is sold with what comes after it
                self._holdings.put(turn, replace(position, plan=mark_legs(position.plan, due.legs)))
        elif self._holdings.exits_on_their_way(position):
            pass  # what they bring decides
        elif is_dust(rest, bid, position.cost):
            self._holdings.finish_dust(turn, position)
        else:
            self._needs_person(turn, position, f"What is left of {position.symbol} is below the venue's minimum.")

    def _send(
        self,
        turn: Turn,
        position: Position,
        due: Exit,
        order_type: OrderType,
        price: Price | None,
        command_id: CommandId | None = None,
        leg: int | None = None,
    ) -> Order | None:
        """Send one sell; ``leg``: of the ladder, for an order that waits at the venue. None: it may not leave."""
        trading = self._state.trading
        number = trading.exit_count.get(position.id, 0)
        if number >= MAX_EXITS:
            return None
        trading.exit_count[position.id] = number + 1
        key = intent_id(f"{position.id}:{number}", number % 36)
        leg = number % 36 if leg is None else leg
        intent = OrderIntent(
            id=key,
            client_order_id=client_order_id(position.account, trading.epoch, key, leg, 0),
            account=position.account,
            symbol=position.symbol,
            base=position.base,
            quote=position.quote,
            side=Side.SELL,
            role=due.role,
            type=order_type,
            quantity=due.quantity,
            price=price,
            reference_price=price
            if order_type is OrderType.LIMIT
            else self._bid(position.symbol) or position.mark_price,
            leg=leg,
            listing_id=position.listing_id,
            position_id=position.id,
            command_id=command_id,
            config_version=self._state.config.version,
            decided_ns=turn.now_ns,
            trigger_mono_ns=turn.stamp.mono_ns,
        )
        verdict = approve_reduction(intent, self._gatekeeper.gate(position.account))
        if not isinstance(verdict, Approved):
            turn.note("exit_denied", symbol=position.symbol, reason=str(verdict.reason))
            trading.exit_after_ns[position.id] = turn.now_ns + RETRY_NS
            return None
        return self._orders.submit(turn, verdict, trigger=Trigger.EXIT)

    def _floor(self, instrument: Instrument, bid: Price) -> Price:
        """Return the least a limit sell takes: the slippage limit below the bid, inside the venue's band.

        Rounded down, because it must fill: it never asks less than one tick below the bound.
        """
        floor = below(bid, self._state.config.config.max_slippage_bps)
        last = self._state.trading.prices.get(instrument.symbol) or bid
        if instrument.price_band is not None:
            lowest, _ = band_limits(instrument.price_band, last)
            floor = max(floor, Price(lowest + (last - lowest) * BAND_MARGIN))
        return buy_price(floor, instrument.price_decimals)

    def _bid(self, symbol: Symbol) -> Price | None:
        book = self._state.trading.books.get(symbol)
        return book.bid if book is not None else None

    def _entry_alive(self, position: Position) -> bool:
        return any(
            order.intent.role is OrderRole.ENTRY
            and not order.terminal
            and order.intent.account is position.account
            and order.intent.symbol == position.symbol
            for order in self._state.trading.orders.values()
        )

    def _market_refused(self, position: Position) -> bool:
        """Tell whether market sells came back: closed for the pair, or stopped by the venue's own cap.

        A market order fills within about 5 % of the last price only (REFERENCE 1.8); in a fall beyond that it would
        come back empty for ever, and a limit below the bid gets out.
        """
        return any(
            order.intent.position_id == position.id
            and (
                order.reason is Reason.MARKET_ORDERS_CLOSED
                or (
                    order.intent.type is OrderType.MARKET
                    and order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
                )
            )
            for order in self._state.trading.orders.values()
        )

    def _needs_person(self, turn: Turn, position: Position, why: str) -> None:
        trading = self._state.trading
        if position.manual_exit_needed:
            return
        self._holdings.put(turn, replace(trading.positions[position.id], manual_exit_needed=why))
        attention = Attention(
            id=f"{AttentionKind.MANUAL_EXIT}:{position.id}",
            kind=AttentionKind.MANUAL_EXIT,
            account=position.account,
            symbol=position.symbol,
            text=f"{why} Sell it in the venue's app; it stays counted until then.",
            raised_ns=turn.now_ns,
            position_id=position.id,
        )
        raise_attention(self._state, turn, attention)
