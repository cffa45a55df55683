"""From an open listing to an order: wait for the book, ask every guard, send, try again where that is allowed.

The outcome of a listing that may be entered is decided here; every other listing's in `listings.py`.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import CommandId, TradeId, client_order_id, intent_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Symbol
from mexc_sniper.engine.effects import WakeAt, Watch
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Confirmation, Waiting
from mexc_sniper.engine.turn import Turn, lag_ns
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import DecisionMade, TradeChanged
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.listing import Listing, ListingKind, Outcome, Phase, SignalKind
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Denied, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.trading import Decision, Guard, Trade, TradeStatus, Trigger
from mexc_sniper.policy.accounts import account_for_entry
from mexc_sniper.policy.categories import categories
from mexc_sniper.policy.entry import EntryShape, shape
from mexc_sniper.policy.reference import known_reference
from mexc_sniper.policy.risk import EntryView, assess

BOOK_WAIT_NS = 200 * NS_PER_MS
"""How long an entry waits for the first book (DESIGN 4.1)."""
FIRST_QUOTE_WAIT_NS = 600 * NS_PER_S
"""How long a pair that is open to the API may stay without any quote and trade before it counts as not opening."""
OPEN_TO_API_NS = 5 * NS_PER_S
MAX_ATTEMPTS = 4
"""At most so many attempts within this time where the pair is not open to the API yet (DESIGN 4.1)."""
RETRY_NS = 300 * NS_PER_MS
CONFIRM_NS = 60 * NS_PER_S
_RETRY_AFTER: dict[Reason | None, int] = {Reason.MARKET_ORDERS_CLOSED: 0, Reason.CLOCK_UNCERTAIN: 1_200 * NS_PER_MS}
"""Refusals that say nothing about the pair: as a limit order at once, or signed anew once the clock was measured."""

_KNOWN_BEFORE = frozenset(
    {SignalKind.CALENDAR, SignalKind.ANNOUNCEMENT, SignalKind.WEB_SYMBOL, SignalKind.EXCHANGE_INFO_ROW}
)
_BOOK_REASONS = frozenset(
    {
        Reason.NO_BOOK,
        Reason.NO_REFERENCE_PRICE,
        Reason.SPREAD_TOO_WIDE,
        Reason.DEPTH_TOO_THIN,
        Reason.EXIT_TOO_THIN,
        Reason.SLIPPAGE_TOO_HIGH,
    }
)
"""Refusals that a fuller book may lift."""
_UNOFFICIAL_PROOF = frozenset({SignalKind.CALENDAR, SignalKind.WEB_SYMBOL, SignalKind.ANNOUNCEMENT, SignalKind.CANDLES})


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One attempt that a guard stopped; it is recorded when no later attempt will follow."""

    intent: OrderIntent
    decision: Decision
    verdict: Denied


class Entries:
    """Operations on entries. Holds no state of its own."""

    def __init__(
        self, state: EngineState, gatekeeper: Gatekeeper, orders: Orders, holdings: Holdings, caps: HardCaps
    ) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._orders = orders
        self._holdings = holdings
        self._caps = caps

    # ------------------------------------------------------------------ automatic entries

    def consider(self, turn: Turn, listing: Listing) -> None:
        """A new listing has opened: enter as soon as its book is there, or say why not."""
        trading = self._state.trading
        if listing.symbol in trading.waiting or self._order_of(listing) is not None:
            return
        trigger = self._trigger_of(listing)
        trading.waiting[listing.symbol] = Waiting(
            trigger=trigger,
            since_ns=turn.now_ns,
            until_ns=turn.now_ns + BOOK_WAIT_NS,
            reference=self._reference(listing.symbol),
            trigger_mono_ns=turn.stamp.mono_ns,
            give_up_ns=turn.now_ns + OPEN_TO_API_NS,
        )
        if listing.symbol in trading.books:
            self._attempt(turn, listing.symbol)
        else:
            turn.ask(WakeAt(turn.now_ns + BOOK_WAIT_NS))

    def book_moved(self, turn: Turn, symbol: Symbol) -> None:
        """A waiting listing's book has moved: try, unless an attempt has to wait for its time."""
        waiting = self._state.trading.waiting[symbol]
        if waiting.quoted_ns is None:
            waiting.quoted_ns = turn.now_ns
            waiting.until_ns = max(waiting.until_ns, turn.now_ns + BOOK_WAIT_NS)
            waiting.give_up_ns = turn.now_ns + OPEN_TO_API_NS
            turn.ask(WakeAt(waiting.until_ns))
        if waiting.retry_at_ns is None or turn.now_ns >= waiting.retry_at_ns:
            waiting.trigger_mono_ns = turn.stamp.mono_ns
            self._attempt(turn, symbol)

    def tend(self, turn: Turn) -> None:
        """Decide what waited long enough; end offers nobody confirmed."""
        trading = self._state.trading
        for symbol, waiting in tuple(trading.waiting.items()):
            due_ns = waiting.retry_at_ns if waiting.retry_at_ns is not None else waiting.until_ns
            if turn.now_ns >= due_ns:
                self._attempt(turn, symbol)
        for trade_id, offer in tuple(trading.confirmations.items()):
            if turn.now_ns >= offer.until_ns:
                self._end_offer(turn, trade_id, Reason.CONFIRMATION_EXPIRED)

    def order_ended(self, turn: Turn, order: Order) -> None:
        """An entry's order has ended: the listing has its outcome, or gets another attempt."""
        listing = self._listing_of(order)
        if order.filled_quantity > 0:
            self._finish(turn, listing, Outcome.ENTERED, Reason.ENTERED)
            return
        if listing is None or listing.outcome is not Outcome.PENDING:
            return
        waiting = self._state.trading.waiting.get(listing.symbol)
        if waiting is not None and self._may_try_again(turn, waiting, order):
            waiting.attempt += 1
            waiting.retry_at_ns = turn.now_ns + _RETRY_AFTER.get(order.reason, RETRY_NS)
            turn.ask(WakeAt(waiting.retry_at_ns))
            return
        outcome, reason = _outcome_of(order)
        self._finish(turn, listing, outcome, reason)

    # ------------------------------------------------------------------ entries by hand

    def execute(self, turn: Turn, *, symbol: Symbol, amount: Decimal, command_id: str) -> Trade:
        """Enter by hand, through the same questions (DESIGN 4.1, column manual). Returns the trade as it stands."""
        instrument = self._state.instruments[symbol]
        trading = self._state.trading
        account = account_for_entry(
            self._state.config.config,
            live=trading.live,
            armed=self._gatekeeper.armed(turn.now_ns),
            manual=True,
            high_value=False,
        )
        if account is None:
            raise InvariantError("a manual entry always has an account")
        turn.ask(Watch(symbol))
        waiting = Waiting(
            trigger=Trigger.MANUAL,
            since_ns=turn.now_ns,
            until_ns=turn.now_ns,
            reference=self._reference(symbol),
            trigger_mono_ns=turn.stamp.mono_ns,
        )
        entered = self._enter(
            turn,
            instrument,
            waiting,
            amount=amount,
            account=account,
            cause=command_id,
            listing=None,
            command_id=command_id,
        )
        return self._record_denial(turn, entered) if isinstance(entered, _Refusal) else entered

    def confirm(self, turn: Turn, trade_id: TradeId, command_id: str) -> Trade | None:
        """Enter live what was done on paper for its size; every guard but age is asked again."""
        offer = self._state.trading.confirmations.get(trade_id)
        if offer is None or turn.now_ns >= offer.until_ns:
            return None
        self._end_offer(turn, trade_id, Reason.HIGH_VALUE)
        return self.execute(turn, symbol=offer.symbol, amount=offer.amount, command_id=command_id)

    def reject(self, turn: Turn, trade_id: TradeId) -> bool:
        """Say no to a live entry of high value; the paper trade stays."""
        if trade_id not in self._state.trading.confirmations:
            return False
        self._end_offer(turn, trade_id, Reason.REJECTED_BY_OPERATOR)
        return True

    # ------------------------------------------------------------------ one attempt

    def _attempt(self, turn: Turn, symbol: Symbol) -> None:
        trading = self._state.trading
        waiting = trading.waiting[symbol]
        listing = self._state.active.get(symbol)
        if listing is None or listing.outcome is not Outcome.PENDING:
            del trading.waiting[symbol]
            return
        instrument = self._state.instruments.get(symbol)
        order = self._order_of(listing)
        if order is not None and not order.terminal:
            return  # one is on its way; its end decides
        if symbol not in trading.books and turn.now_ns < self._book_until_ns(listing, waiting):
            return
        config = self._state.config.config
        amount = config.trade_usdt
        high_value = amount >= config.high_value_threshold_usdt
        account = account_for_entry(
            config,
            live=trading.live,
            armed=self._gatekeeper.armed(turn.now_ns),
            manual=False,
            high_value=high_value,
        )
        if account is None:
            self._finish(turn, listing, Outcome.SKIPPED, Reason.ENTRIES_OFF)
            return
        if instrument is None:
            if waiting.give_up_ns is not None and turn.now_ns < waiting.give_up_ns:
                waiting.retry_at_ns = turn.now_ns + RETRY_NS
                turn.ask(WakeAt(waiting.retry_at_ns))
                return
            self._finish(turn, listing, Outcome.SKIPPED, Reason.RULES_UNKNOWN)
            return
        waiting.reference = waiting.reference or self._reference(symbol)
        trade = self._enter(
            turn, instrument, waiting, amount=amount, account=account, cause=listing.id, listing=listing
        )
        if isinstance(trade, _Refusal):
            self._denied(turn, listing, waiting, trade)
        elif high_value and account is Account.PAPER and trading.live:
            self._offer(turn, trade, symbol, amount)

    def _book_until_ns(self, listing: Listing, waiting: Waiting) -> int:
        """Return how long to wait for a first book: where nobody has quoted or traded, nothing has opened yet."""
        if listing.first_quote_at_ns is None and listing.first_trade_at_ns is None:
            return waiting.since_ns + FIRST_QUOTE_WAIT_NS
        return waiting.until_ns

    def _denied(self, turn: Turn, listing: Listing, waiting: Waiting, refusal: "_Refusal") -> None:
        reason = refusal.verdict.reason
        if reason in _BOOK_REASONS and turn.now_ns < waiting.until_ns:
            return  # the first frames show a part of the book; what follows within the wait may be enough
        may_open = reason in (Reason.API_CLOSED, Reason.NOT_ONLINE)
        if may_open and waiting.give_up_ns is not None and turn.now_ns < waiting.give_up_ns:
            waiting.retry_at_ns = turn.now_ns + RETRY_NS
            turn.ask(WakeAt(waiting.retry_at_ns))
            return
        self._record_denial(turn, refusal)
        self._finish(turn, listing, Outcome.SKIPPED, Reason.NOT_OPEN_TO_API if may_open else reason)

    def _enter(
        self,
        turn: Turn,
        instrument: Instrument,
        waiting: Waiting,
        *,
        amount: Decimal,
        account: Account,
        cause: str,
        listing: Listing | None,
        command_id: str | None = None,
    ) -> "Trade | _Refusal":
        """Shape, judge and send one attempt; returns the trade it became, or the guard's no, unrecorded yet."""
        trading, config = self._state.trading, self._state.config
        book = trading.books.get(instrument.symbol)
        reference = waiting.reference
        wanted: EntryShape | Reason = (
            shape(config.config, instrument, amount=amount, reference=reference, book=book)
            if reference is not None
            else Reason.NO_REFERENCE_PRICE
        )
        market = isinstance(wanted, EntryShape) and wanted.type is OrderType.MARKET
        if market and reference is not None and self._market_refused(listing):
            forced = config.config.model_copy(update={"entry_type": "capped"})
            wanted = shape(forced, instrument, amount=amount, reference=reference, book=book)
        intent_key = intent_id(cause, 0)
        known = wanted if isinstance(wanted, EntryShape) else None
        intent = OrderIntent(
            id=intent_key,
            client_order_id=client_order_id(account, trading.epoch, intent_key, 0, waiting.attempt),
            account=account,
            symbol=instrument.symbol,
            base=instrument.base,
            quote=instrument.quote,
            side=Side.BUY,
            role=OrderRole.ENTRY,
            type=known.type if known else OrderType.MARKET,
            quantity=known.quantity if known else None,
            quote_quantity=(known.quote_quantity if known else amount),
            price=known.price if known else None,
            worst_notional=known.worst_notional if known else amount,
            reference_price=reference,
            attempt=waiting.attempt,
            listing_id=listing.id if listing else None,
            command_id=None if command_id is None else CommandId(command_id),
            config_version=config.version,
            decided_ns=turn.now_ns,
            trigger_mono_ns=waiting.trigger_mono_ns,
        )
        judgement = assess(self._view(turn, intent, instrument, waiting, listing, known))
        verdict = judgement.verdict
        shapeless = isinstance(wanted, Reason) and isinstance(verdict, Approved)
        if isinstance(wanted, Reason) and shapeless:
            verdict = Denied(reason=wanted)
        if isinstance(verdict, Approved):
            trading.last_entry_ns[(account, instrument.symbol)] = turn.now_ns
            trading.entry_times_ns.setdefault(account, []).append(turn.now_ns)
            self._orders.submit(turn, verdict, trigger=waiting.trigger, source_lag_ns=lag_ns(self._state, turn.stamp))
        reason = None if isinstance(verdict, Approved) else verdict.reason
        decision = Decision(
            id=intent_key,
            listing_id=intent.listing_id,
            symbol=intent.symbol,
            account=account,
            trigger=waiting.trigger,
            decided_ns=turn.now_ns,
            config_version=config.version,
            guards=judgement.guards() + ((Guard(name=str(wanted), passed=False),) if shapeless else ()),
            reason=reason,
        )
        if isinstance(verdict, Denied):
            return _Refusal(intent, decision, verdict)
        turn.entry(DecisionMade(decision=decision))
        return trading.trades[trading.trade_of[intent_key]]

    def _view(
        self,
        turn: Turn,
        intent: OrderIntent,
        instrument: Instrument,
        waiting: Waiting,
        listing: Listing | None,
        known: EntryShape | None,
    ) -> EntryView:
        state, trading = self._state, self._state.trading
        account = intent.account
        symbol = instrument.symbol
        opened_ns = None
        if listing is not None:
            opened_ns = listing.opened_at_ns
            first_ns = listing.first_trade_at_ns or listing.first_quote_at_ns
            if first_ns is not None:  # open to the API is not open yet: the age counts from the first trade or quote
                opened_ns = first_ns - state.clock_offset_ns
        return EntryView(
            intent=intent,
            trigger=waiting.trigger,
            config=state.config.config,
            caps=self._caps,
            gate=self._gatekeeper.gate(account, manual=waiting.trigger is Trigger.MANUAL),
            exposure=self._holdings.exposure(account, instrument.quote, turn.now_ns),
            instrument=instrument,
            in_api_list=symbol in state.default_names or symbol in state.self_names,
            now_ns=turn.now_ns,
            eligible=None if listing is None else _ineligible(listing),
            opened_ns=opened_ns,
            book=trading.books.get(symbol),
            cap=known.cap if known else None,
            known_reference=known_reference(
                state.config.config, instrument, trading.books, state.instruments, now_ns=turn.now_ns
            ),
            last_entry_ns=trading.last_entry_ns.get((account, symbol)) if waiting.attempt == 0 else None,
            base_entered=(account, instrument.base) in trading.entered_bases,
            categories=categories(instrument, known_bases=state.baseline.bases()),
        )

    def _record_denial(self, turn: Turn, refusal: "_Refusal") -> Trade:
        trading = self._state.trading
        intent, verdict = refusal.intent, refusal.verdict
        turn.entry(DecisionMade(decision=refusal.decision))
        trade_id = trading.trade_of.setdefault(intent.id, TradeId(f"T{intent.id}"))
        measured = ", ".join(f"{name} {value}" for name, value in verdict.measured.items())
        trade = Trade(
            id=trade_id,
            account=intent.account,
            symbol=intent.symbol,
            side=Side.BUY,
            role=OrderRole.ENTRY,
            type=intent.type,
            status=TradeStatus.REJECTED,
            created_ns=turn.now_ns,
            updated_ns=turn.now_ns,
            requested_quote=intent.quote_quantity,
            requested_quantity=intent.quantity,
            reference_price=intent.reference_price,
            reason=verdict.reason,
            reason_detail=measured,
            trigger=refusal.decision.trigger,
            listing_id=intent.listing_id,
            command_id=intent.command_id,
            attempts=intent.attempt,
            config_version=intent.config_version,
        )
        turn.entry(TradeChanged(trade=trade))
        turn.note(
            "entry_denied",
            symbol=intent.symbol,
            account=str(intent.account),
            reason=str(verdict.reason),
            measured=measured,
        )
        return trade

    # ------------------------------------------------------------------ small things

    def _trigger_of(self, listing: Listing) -> Trigger:
        first = listing.sources[0].kind if listing.sources else listing.first_signal
        if first not in _KNOWN_BEFORE:
            return Trigger.SURPRISE
        return Trigger.FIRST_TRADE if listing.first_trade_at_ns is not None else Trigger.FIRST_QUOTE

    def _reference(self, symbol: Symbol) -> Price | None:
        trading = self._state.trading
        book = trading.books.get(symbol)
        return trading.prices.get(symbol) or (book.ask if book is not None else None)

    def _order_of(self, listing: Listing) -> Order | None:
        """Return the last order of the listing's entry."""
        trading = self._state.trading
        client_order_id = trading.entry_of.get(listing.id)
        return None if client_order_id is None else trading.orders.get(client_order_id)

    def _listing_of(self, order: Order) -> Listing | None:
        return next((item for item in self._state.active.values() if item.id == order.intent.listing_id), None)

    def _market_refused(self, listing: Listing | None) -> bool:
        if listing is None:
            return False
        order = self._order_of(listing)
        return order is not None and order.reason is Reason.MARKET_ORDERS_CLOSED

    def _may_try_again(self, turn: Turn, waiting: Waiting, order: Order) -> bool:
        in_time = waiting.give_up_ns is not None and turn.now_ns < waiting.give_up_ns
        again = order.reason in (Reason.NOT_OPEN_TO_API, *_RETRY_AFTER)
        forced_market = self._state.config.config.entry_type == "market"
        if order.reason is Reason.MARKET_ORDERS_CLOSED and forced_market:
            return False
        return order.status is OrderStatus.REJECTED and again and in_time and waiting.attempt + 1 < MAX_ATTEMPTS

    def _finish(self, turn: Turn, listing: Listing | None, outcome: Outcome, reason: Reason) -> None:
        if listing is None:
            return
        self._state.trading.waiting.pop(listing.symbol, None)
        if listing.outcome is Outcome.PENDING:
            turn.put(replace(listing, outcome=outcome, reason=reason))
            turn.note("listing_decided", symbol=listing.symbol, outcome=str(outcome), reason=str(reason))

    def _offer(self, turn: Turn, trade: Trade, symbol: Symbol, amount: Decimal) -> None:
        trading = self._state.trading
        until_ns = turn.now_ns + CONFIRM_NS
        trading.confirmations[trade.id] = Confirmation(trade.id, symbol, amount, until_ns)
        offered = replace(
            trade, status=TradeStatus.HIGH_VALUE_PENDING, confirm_until_ns=until_ns, reason=Reason.HIGH_VALUE
        )
        trading.trades[trade.id] = offered
        turn.entry(TradeChanged(trade=offered))
        turn.ask(WakeAt(until_ns))

    def _end_offer(self, turn: Turn, trade_id: TradeId, reason: Reason) -> None:
        trading = self._state.trading
        trading.confirmations.pop(trade_id, None)
        trade = trading.trades.get(trade_id)
        if trade is not None:
            filled = trade.base_quantity > 0
            status = TradeStatus.FILLED if filled else TradeStatus.CANCELED
            trading.trades[trade_id] = replace(trade, status=status, reason=reason, updated_ns=turn.now_ns)
            turn.entry(TradeChanged(trade=trading.trades[trade_id]))


def _ineligible(listing: Listing) -> Reason | None:
    """Tell why a listing may not be entered automatically (DESIGN 4.1); what its rules say is asked in risk."""
    if listing.kind is not ListingKind.NEW:
        return Reason.NEWNESS_UNPROVEN
    if listing.phase is not Phase.OPEN:
        return Reason.NEVER_OPENED
    if not any(source.kind not in _UNOFFICIAL_PROOF for source in listing.sources):
        return Reason.NO_OFFICIAL_SOURCE
    return None


def _outcome_of(order: Order) -> tuple[Outcome, Reason]:
    match order.status:
        case OrderStatus.REJECTED if order.reason is Reason.NOT_OPEN_TO_API:
            return Outcome.SKIPPED, Reason.NOT_OPEN_TO_API
        case OrderStatus.REJECTED:
            return Outcome.FAILED, order.reason or Reason.VENUE_REFUSED
        case OrderStatus.NOT_SENT:
            return Outcome.FAILED, order.reason or Reason.NOT_SENT
        case OrderStatus.NEVER_ARRIVED:
            return Outcome.FAILED, Reason.NEVER_ARRIVED
        case _:
            return Outcome.SKIPPED, order.reason or Reason.NOTHING_FILLED


def amount_from(value: Any) -> Decimal | None:
    """Read an amount given by a person; None when it is no positive plain number."""
    if not isinstance(value, str | int):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None
