"""Positions from fills, what they cost and earned, and what an account has at stake."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import PositionId, position_of
from mexc_sniper.core.values import Asset, Quantity, Symbol
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Day
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import PositionChanged
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import TERMINAL, Fill, Order, OrderRole, OrderStatus
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.policy.checks import Exposure
from mexc_sniper.policy.exits import plan_exits
from mexc_sniper.policy.holdings import apply_fill, close_if_done

ZERO = Decimal(0)
DAY_NS = 86_400 * NS_PER_S
HOUR_NS = 3_600 * NS_PER_S
STALE_ACCOUNT_NS = 30 * NS_PER_S
"""How long after a fill the account may still show the time before it; what is missing later is missing."""


class Holdings:
    """Operations on positions and sums. Holds no state of its own."""

    def __init__(self, state: EngineState) -> None:
        self._state = state

    # ------------------------------------------------------------------ fills

    def fill(self, turn: Turn, order: Order, fill: Fill) -> None:
        """Put one execution into its position, opening one for the first fill of an entry."""
        trading = self._state.trading
        position = self._position_for(turn, order)
        filled = apply_fill(position, fill)
        instrument = self._state.instruments.get(position.symbol)
        if fill.side is Side.BUY and instrument is not None and filled.entry_price is not None:
            plan = plan_exits(
                self._state.config.config,
                instrument,
                quantity=filled.quantity,
                entry_price=filled.entry_price,
                now_ns=filled.opened_ns,
            )
            filled = replace(filled, plan=plan, mark_price=filled.mark_price or fill.price)
        if fill.side is Side.BUY:
            day = self._day(order.intent.account, turn.now_ns)
            day.spent += fill.quote_quantity
            trading.entered_bases[(order.intent.account, position.base)] = None
        trading.filled_ns[filled.id] = turn.now_ns
        self.put(turn, filled)

    def finish(self, turn: Turn, order: Order) -> None:
        """After an exit has ended: close its position if nothing sellable is left and nothing is on its way."""
        position = self._of(order)
        if position is None or position.closed or self.exits_on_their_way(position):
            return
        instrument = self._state.instruments.get(position.symbol)
        if instrument is None:
            return
        done = close_if_done(position, instrument, now_ns=turn.now_ns)
        if done.closed:
            self._end(turn, done)

    def finish_dust(self, turn: Turn, position: Position) -> None:
        """Close a position whose rest no order could sell any more."""
        if not position.closed and not self.exits_on_their_way(position):
            self._end(turn, replace(position, status=PositionStatus.CLOSED_WITH_DUST, closed_ns=turn.now_ns))

    def entry_came_to_nothing(self, turn: Turn, order: Order) -> None:
        """An entry ended without a fill; one that is proven never to have been is no entry for the limits either."""
        if order.status is OrderStatus.NEVER_ARRIVED and order.intent.role is OrderRole.ENTRY:
            trading, key = self._state.trading, (order.intent.account, order.intent.symbol)
            if trading.last_entry_ns.get(key) == order.created_ns:
                del trading.last_entry_ns[key]
            times = trading.entry_times_ns.get(order.intent.account, [])
            if order.created_ns in times:
                times.remove(order.created_ns)
        turn.note("order_unfilled", symbol=order.intent.symbol, status=str(order.status))

    def put(self, turn: Turn, position: Position) -> None:
        """Make a position's new version the truth and have it written."""
        self._state.trading.positions[position.id] = position
        self._state.trading.touched += 1
        turn.entry(PositionChanged(position=position))

    def adopt_balance(self, turn: Turn, position_id: PositionId) -> None:
        """The operator says the account is right: what is missing was sold or moved by hand, at an unknown price."""
        trading = self._state.trading
        position = trading.positions.get(position_id)
        if position is None or position.closed:
            return
        balance = trading.balances.get((position.account, position.base))
        held = ZERO if balance is None else balance.free + balance.locked
        adopted = replace(position, quantity=Quantity(min(position.quantity, held)))
        if adopted.quantity <= 0:
            self._end(turn, replace(adopted, status=PositionStatus.CLOSED, closed_ns=turn.now_ns))
        else:
            self.put(turn, adopted)

    def restore_results(self, turn: Turn, restored: Restored) -> None:
        """Rebuild sums of the day, peak and losses in a row from what the ledger holds."""
        trading = self._state.trading
        today = turn.now_ns // DAY_NS
        for account, closed_ns, result in restored.realized:
            total = trading.realized_total.get(account, ZERO) + result
            trading.realized_total[account] = total
            trading.realized_peak[account] = max(total, trading.realized_peak.get(account, ZERO))
            trading.losses_in_a_row[account] = trading.losses_in_a_row.get(account, 0) + 1 if result < 0 else 0
            if closed_ns // DAY_NS == today:
                self._day(account, turn.now_ns).realized += result
        for fill in restored.fills:
            if fill.side is Side.BUY and fill.ts_recv_ns // DAY_NS == today:
                self._day(fill.account, turn.now_ns).spent += fill.quote_quantity

    # ------------------------------------------------------------------ questions

    def open_position(self, account: Account, symbol: Symbol) -> Position | None:
        """Return the open position of an account in a symbol."""
        position_id = self._state.trading.by_symbol.get((account, symbol))
        return self._state.trading.positions.get(position_id) if position_id else None

    def exits_on_their_way(self, position: Position) -> list[Order]:
        """Return the unsettled exits of a position: terminal ones count until their fills are all booked."""
        return [
            order
            for order in self._state.trading.orders.values()
            if order.intent.position_id == position.id
            and order.intent.role.reduces_risk
            and (not order.terminal or self.filled_of(order) < order.filled_quantity)
        ]

    def resting_exits(self, position: Position) -> list[Order]:
        """Return the take-profits of a position that wait at the venue, or may."""
        return [order for order in self.exits_on_their_way(position) if order.intent.rests]

    def left_of(self, order: Order) -> Decimal:
        """Return how much an exit may still sell."""
        return max(ZERO, (order.intent.quantity or ZERO) - self.filled_of(order))

    def free_quantity(self, position: Position) -> Quantity:
        """Return what no exit on its way has reserved: exits reserve quantity as entries reserve money.

        Never more than the account holds, once it was read late enough after the position's last execution: coins that
        left by another way cannot be sold.
        """
        trading = self._state.trading
        held: Decimal = position.quantity
        filled_ns = trading.filled_ns.get(position.id, position.opened_ns)
        if position.account is Account.LIVE and trading.balances_asked_ns > filled_ns + STALE_ACCOUNT_NS:
            balance = trading.balances.get((Account.LIVE, position.base))
            held = min(held, ZERO if balance is None else balance.free + balance.locked)
        reserved = sum((self.left_of(order) for order in self.exits_on_their_way(position)), ZERO)
        return Quantity(max(ZERO, held - reserved))

    def entry_unbooked(self, order: Order) -> bool:
        """Tell whether an exit's position is not whole yet: the entry it belongs to is in doubt or not all booked.

        After a restart the executions of both are read anew, in any order; an exit counted first would close a
        position whose coins are still to come.
        """
        if order.intent.position_id is None:
            return False
        return any(
            entry.status is OrderStatus.IN_DOUBT or self.filled_of(entry) < entry.filled_quantity
            for entry in self._state.trading.orders.values()
            if entry.intent.role is OrderRole.ENTRY and f"P{entry.intent.id}" == order.intent.position_id
        )

    def exits_unbooked(self, entry: Order) -> list[Order]:
        """Return exits of an entry's position whose executions are not all booked."""
        if entry.intent.role is not OrderRole.ENTRY:
            return []
        return [
            order
            for order in self._state.trading.orders.values()
            if order.intent.position_id == f"P{entry.intent.id}" and self.filled_of(order) < order.filled_quantity
        ]

    def filled_of(self, order: Order) -> Decimal:
        """Return how much of an order is booked fill by fill."""
        return self._state.trading.booked.get(order.intent.client_order_id, ZERO)

    def pnl_of(self, order: Order) -> Decimal | None:
        """Return what a sell has realized so far, quote asset; None for buys and before any fill."""
        if order.intent.side is Side.BUY or order.filled_quantity <= 0:
            return None
        position = self._of(order)
        if position is None or position.bought_quantity <= 0:
            return None
        return order.filled_quote - position.cost * order.filled_quantity / position.bought_quantity

    def balances_explain_absence(self, order: Order) -> bool:
        """Tell whether the balances look as if the order never happened (RELIABILITY 3.3, last step).

        For a buy: the account holds no more of the base asset than our positions account for.
        """
        trading, intent = self._state.trading, order.intent
        balance = trading.balances.get((intent.account, intent.base))
        held = ZERO if balance is None else balance.free + balance.locked
        expected = sum(
            (p.quantity for p in trading.positions.values() if p.account is intent.account and p.base == intent.base),
            ZERO,
        )
        return held <= expected if intent.side is Side.BUY else held >= expected

    def exposure(self, account: Account, quote: Asset, now_ns: int) -> Exposure:
        """Return what the account has at stake; orders count at their worst until they are settled."""
        trading = self._state.trading
        at_stake, unsettled_spend, entering = ZERO, ZERO, 0
        for order in trading.orders.values():
            if order.settled_ns is not None or order.intent.role is not OrderRole.ENTRY:
                continue
            intent = order.intent
            if intent.account is not account:
                continue
            position = self._of(order)
            left = intent.worst_notional if position is None else max(ZERO, intent.worst_notional - position.cost)
            at_stake += left
            entering += position is None or position.closed
            # What an ended order has filled is spent, whether or not its executions are booked yet.
            if order.status not in TERMINAL or self.filled_of(order) < order.filled_quantity:
                unsettled_spend += left
        open_positions = 0
        for held in trading.positions.values():
            if held.account is account and not held.closed:
                open_positions += 1
                at_stake += held.remaining_cost
        day = self._day(account, now_ns)
        times = trading.entry_times_ns.get(account, [])
        balance = trading.balances.get((account, quote))
        total = trading.realized_total.get(account, ZERO)
        return Exposure(
            at_stake=at_stake,
            open_positions=open_positions + entering,
            spent_today=day.spent + unsettled_spend,
            realized_today=day.realized,
            drawdown=trading.realized_peak.get(account, ZERO) - total,
            losses_in_a_row=trading.losses_in_a_row.get(account, 0),
            entries_last_hour=sum(now_ns - at_ns < HOUR_NS for at_ns in times),
            free_quote=None if balance is None else balance.free - unsettled_spend,
        )

    # ------------------------------------------------------------------ inside

    def _position_for(self, turn: Turn, order: Order) -> Position:
        trading, intent = self._state.trading, order.intent
        known = self._of(order)
        if known is not None:
            return known
        position = Position(
            id=intent.position_id or position_of(intent.id),
            account=intent.account,
            symbol=intent.symbol,
            base=intent.base,
            quote=intent.quote,
            listing_id=intent.listing_id,
            opened_ns=turn.now_ns,
            config_version=intent.config_version,
        )
        trading.by_symbol[(intent.account, intent.symbol)] = position.id
        return position

    def _of(self, order: Order) -> Position | None:
        trading, intent = self._state.trading, order.intent
        if intent.position_id is not None:
            return trading.positions.get(intent.position_id)
        return trading.positions.get(position_of(intent.id))

    def _day(self, account: Account, now_ns: int) -> Day:
        number = now_ns // DAY_NS
        day = self._state.trading.days.setdefault(account, Day(number))
        if day.number != number:
            day.number, day.spent, day.realized = number, ZERO, ZERO
        return day

    def _end(self, turn: Turn, position: Position) -> None:
        self._book_result(turn, position)
        self._state.trading.by_symbol.pop((position.account, position.symbol), None)
        turn.note("position_closed", symbol=position.symbol, account=str(position.account), status=str(position.status))
        self.put(turn, position)

    def _book_result(self, turn: Turn, position: Position) -> None:
        trading, account = self._state.trading, position.account
        result = position.proceeds - position.cost
        self._day(account, turn.now_ns).realized += result
        total = trading.realized_total.get(account, ZERO) + result
        trading.realized_total[account] = total
        trading.realized_peak[account] = max(total, trading.realized_peak.get(account, ZERO))
        trading.losses_in_a_row[account] = trading.losses_in_a_row.get(account, 0) + 1 if result < 0 else 0
