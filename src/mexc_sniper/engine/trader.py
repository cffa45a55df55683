"""The trading half of the engine: joins entries, orders, exits, kill switch and reconciliation to events."""

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.ids import ClientOrderId, TradeId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.attempts import Attempts
from mexc_sniper.engine.entries import Entries
from mexc_sniper.engine.exits import Exits
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.killswitch import KillSwitch
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.prepare import Preparation
from mexc_sniper.engine.reconcile import Reconciliation
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trade_commands import TradeCommands
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.doubt import PROOF_AFTER_NS
from mexc_sniper.model.events import (
    BalancesRead,
    BookSeen,
    FillsReported,
    GateSignaled,
    KeyChecked,
    KillLatched,
    OpeningReached,
    OrderLookedUp,
    OrderReported,
    PrivateStreamChanged,
    QuoteSeen,
    TradesSeen,
    VenueSwept,
)
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.listing import Listing
from mexc_sniper.model.order import Order, OrderRole, OrderStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.model.trading import PinState, TradingStatus, Trigger
from mexc_sniper.policy.book import with_top
from mexc_sniper.policy.executions import Executions

SAME_INSTANT_NS = 100 * NS_PER_MS
"""The venue's clock is measured anew every few seconds; an announced time that moves, moves by more."""


class Trader:
    """Owns no state besides commands that wait for an order's first outcome."""

    def __init__(self, state: EngineState, caps: HardCaps) -> None:
        self._state = state
        self.gatekeeper = Gatekeeper(state)
        self.holdings = Holdings(state)
        self.orders = Orders(state, self.holdings)
        attempts = Attempts(state, self.gatekeeper, self.orders, self.holdings, caps)
        self.preparation = Preparation(state, self.gatekeeper, attempts)
        self.entries = Entries(state, self.gatekeeper, attempts, self.preparation)
        self.exits = Exits(state, self.gatekeeper, self.orders, self.holdings)
        self.killswitch = KillSwitch(state, self.gatekeeper, self.orders, self.exits, self.holdings)
        self.reconciliation = Reconciliation(state, self.gatekeeper, self.holdings)
        self.commands = TradeCommands(
            state, self.entries, self.exits, self.orders, self.killswitch, self.holdings, self.preparation
        )

    # ------------------------------------------------------------------ life

    def start(self, turn: Turn, restored: Restored, *, live: bool, epoch: int, prepare: bool) -> None:
        """Take over what the ledger holds. Live trading stays halted until it was compared with the venue."""
        trading = self._state.trading
        trading.live, trading.epoch, trading.prepare = live, epoch, prepare
        trading.orders = {o.intent.client_order_id: _in_doubt_after_end(o, turn.now_ns) for o in restored.orders}
        for fill in restored.fills:
            trading.executions.setdefault(fill.client_order_id, Executions()).count(fill, None)
            trading.booked[fill.client_order_id] = (
                trading.booked.get(fill.client_order_id, fill.quantity * 0) + fill.quantity
            )
        for position in restored.positions:
            trading.positions[position.id] = position
            if not position.closed:
                trading.by_symbol[(position.account, position.symbol)] = position.id
        for order in restored.orders:
            if order.intent.position_id is not None:
                count = trading.exit_count.get(order.intent.position_id, 0)
                trading.exit_count[order.intent.position_id] = count + 1
                if order.intent.rests:
                    trading.rested[(order.intent.position_id, order.intent.leg)] = None
            if order.intent.role is OrderRole.ENTRY:
                if order.intent.listing_id is not None:
                    trading.entry_of[order.intent.listing_id] = order.intent.client_order_id
                key = (order.intent.account, order.intent.symbol)
                trading.last_entry_ns[key] = max(order.created_ns, trading.last_entry_ns.get(key, 0))
                trading.entry_times_ns.setdefault(order.intent.account, []).append(order.created_ns)
        for trade in restored.trades:
            trading.trades[trade.id] = trade
        for order in restored.orders:
            trade_id = TradeId(f"T{order.intent.id}")
            if trade_id in trading.trades:
                trading.trade_of[order.intent.id] = trade_id
        trading.balances = {(b.account, b.asset): b for b in restored.balances}
        trading.attention = {item.id: item for item in restored.attention}
        trading.acknowledged = dict.fromkeys(sorted(restored.acknowledged))
        trading.entered_bases = dict.fromkeys(restored.entered_bases)
        self.holdings.restore_results(turn, restored)
        before = restored.trading or TradingStatus()
        latched = before.latched
        state = before.state if latched else (TradingState.HALTED if live else TradingState.ACTIVE)
        trading.status = replace(
            before,
            state=state,
            reconciled=not live,
            gates=(),
            armed_until_ns=before.armed_until_ns if live else None,
            reason=before.reason if latched else "start",
            actor=before.actor if latched else "start",
            since_ns=before.since_ns if latched else turn.now_ns,
            key_fit=None,
            canary_passed_ns=None,
            pinned=PinState.UNKNOWN if before.pin is not None else PinState.NONE,
        )
        self.gatekeeper.save(turn)
        last_life_ns = _last_sign_of_life(restored)
        if live and restored.may_lack_orders:
            trading.lacking_until_ns = turn.now_ns + PROOF_AFTER_NS
        self.reconciliation.look_back(turn, last_life_ns)
        self.reconciliation.ask(turn)

    def tick(self, turn: Turn) -> None:
        """Whatever waits for time."""
        self.orders.tend(turn)
        self.entries.tend(turn)
        self.exits.tend(turn)
        self.killswitch.tend(turn)
        self.reconciliation.tend(turn)
        self.commands.tend(turn)
        self.preparation.tend(turn)

    def held_symbols(self) -> dict[Symbol, None]:
        """Return the pairs with an open position, of either account."""
        return {symbol: None for _, symbol in self._state.trading.by_symbol}

    # ------------------------------------------------------------------ events

    def consider(self, turn: Turn, listing: Listing) -> None:
        """A new listing is open and may be entered."""
        self.entries.consider(turn, listing)

    def strike(self, turn: Turn, event: QuoteSeen | TradesSeen) -> None:
        """Let a prepared entry leave before anything else is made of the frame that opens its pair."""
        trading = self._state.trading
        if isinstance(event, QuoteSeen):
            symbol = event.quote.symbol
            if symbol in trading.prepared and event.quote.ask is not None:
                trading.books[symbol] = with_top(trading.books.get(symbol), event.quote, event.stamp)
                self.entries.strike(turn, symbol, Trigger.FIRST_QUOTE, event_ns=event.stamp.ts_event_ns)
        elif event.symbol in trading.prepared and event.trades:
            self.trades(turn, event)
            self.entries.strike(turn, event.symbol, Trigger.FIRST_TRADE, event_ns=event.trades[0].ts_event_ns)

    def opening_reached(self, turn: Turn, event: OpeningReached) -> None:
        """Enter at the announced time without a price, where the operator asked for it."""
        listing = self._state.active.get(event.symbol)
        due_ns = None if listing is None else self.preparation.due_ns(listing)
        if due_ns is not None and abs(due_ns - event.due_ns) < SAME_INSTANT_NS:  # it was not moved or taken back
            late_ns = max(0, event.stamp.ts_recv_ns - event.due_ns)
            self.entries.strike(turn, event.symbol, Trigger.SCHEDULED, late_ns=late_ns)
            turn.note("opening_reached", symbol=event.symbol, late_ms=late_ns / NS_PER_MS)

    def book(self, turn: Turn, event: BookSeen) -> None:
        """Enter where a book was waited for, then look after positions."""
        trading, symbol = self._state.trading, event.book.symbol
        if event.book.bid is None and event.book.ask is None and symbol not in trading.books:
            return  # read by REST before anybody quotes: nothing to enter at, and no sign of an opening
        trading.books[symbol] = event.book
        if symbol in trading.waiting:
            self.entries.book_moved(turn, symbol)
        if event.book.bid is not None and trading.by_symbol:
            self.exits.price(turn, symbol, event.book.bid)

    def quote(self, turn: Turn, event: QuoteSeen) -> None:
        """Keep the top of the book; enter where that is enough; look after positions at the best bid."""
        trading, symbol = self._state.trading, event.quote.symbol
        trading.books[symbol] = with_top(trading.books.get(symbol), event.quote, event.stamp)
        if symbol in trading.waiting:
            self.entries.book_moved(turn, symbol)
        if event.quote.bid is not None and trading.by_symbol:
            self.exits.price(turn, symbol, event.quote.bid)

    def trades(self, turn: Turn, event: TradesSeen) -> None:
        """Remember the last price of a watched pair."""
        if event.trades:
            self._state.trading.prices[event.symbol] = event.trades[-1].price

    def reported(self, turn: Turn, event: OrderReported) -> None:
        """Hear an order; its end decides what comes next."""
        ended = self.orders.reported(turn, event)
        self._after(turn, ended, event.report.client_order_id)

    def looked_up(self, turn: Turn, event: OrderLookedUp) -> None:
        """Hear the answer to a question."""
        ended = self.orders.looked_up(turn, event)
        self._after(turn, ended, event.client_order_id)

    def fills(self, turn: Turn, event: FillsReported) -> None:
        """Count executions."""
        self.orders.fills(turn, event)

    def balances(self, turn: Turn, event: BalancesRead) -> None:
        """Take over balances."""
        self.reconciliation.balances(turn, event)
        if event.account is Account.LIVE:
            self._state.trading.balances_heard_ns = turn.now_ns

    def swept(self, turn: Turn, event: VenueSwept) -> None:
        """Compare with the venue."""
        for report in self.reconciliation.swept(turn, event):
            self.reported(turn, report)
        for ended in self.orders.prove_absent(turn):
            self._after(turn, ended, ended.intent.client_order_id)

    def private_stream(self, turn: Turn, event: PrivateStreamChanged) -> None:
        """The private stream is a speed-up; without it orders are asked for."""
        if event.account is not Account.LIVE:
            return
        self._state.trading.private_stream = event.connected
        turn.note("private_stream", connected=event.connected, detail=event.detail)
        if event.connected:
            self.reconciliation.ask(turn)

    def gate_signaled(self, turn: Turn, event: GateSignaled) -> None:
        """A self-clearing condition began or ended."""
        self.gatekeeper.signal(turn, event.reason, closed=event.closed, detail=event.detail)

    def key_checked(self, turn: Turn, event: KeyChecked) -> None:
        """Arming needs a key that is fit; one that is proven unfit disarms. A check that could not be made does not: a
        network that is away for a second at a start must not end the operator's permission for hours."""
        self.killswitch.key_checked(turn, event)

    def kill_latched(self, turn: Turn, event: KillLatched) -> None:
        """The latch file was found: act as if the command had come."""
        self.killswitch.kill(turn, event.action, actor=event.actor, reason="latch file")

    def _after(self, turn: Turn, ended: Order | None, client_order_id: ClientOrderId) -> None:
        order = self._state.trading.orders.get(client_order_id)
        if order is not None:
            self.commands.order_moved(turn, order)
            if order.intent.rests and ended is None:
                self.exits.resting_moved(turn, order)
        if ended is None:
            return
        if ended.reason is Reason.KEY_REFUSED:
            self.killswitch.halt(turn, reason=f"the venue refuses the key ({ended.code}: {ended.text})")
        if ended.intent.role is OrderRole.ENTRY:
            self.entries.order_ended(turn, ended)
        else:
            self.exits.order_ended(turn, ended)


def _last_sign_of_life(restored: Restored) -> int | None:
    """Return when the program last was at work, as far as the ledger tells; None: never."""
    signs = [order.ended_ns or order.created_ns for order in restored.orders]
    signs += [fill.ts_recv_ns for fill in restored.fills]
    signs += [position.opened_ns for position in restored.positions]
    if restored.monitor is not None and restored.monitor.last_event_ns is not None:
        signs.append(restored.monitor.last_event_ns)
    if restored.trading is not None:
        signs.append(restored.trading.since_ns)
    return max(signs, default=None)


def _in_doubt_after_end(order: Order, now_ns: int) -> Order:
    """A live order that was leaving when the last life ended may have arrived: only the venue can tell."""
    leaving = order.status in (OrderStatus.INTENDED, OrderStatus.SUBMITTED)
    if order.intent.account is not Account.LIVE or not leaving:
        return order
    return replace(
        order,
        status=OrderStatus.IN_DOUBT,
        submitted_ns=order.submitted_ns or order.created_ns,
        doubt_since_ns=now_ns,
        text="the program ended while it was leaving",
    )
