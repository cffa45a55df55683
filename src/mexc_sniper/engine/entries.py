"""From an open listing to an order: wait for the book, ask every guard, send, try again where that is allowed.

The outcome of a listing that may be entered is decided here; every other listing's in `listings.py`.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import TradeId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.attempts import Attempts, Refusal, Wish
from mexc_sniper.engine.effects import WakeAt, Watch
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.prepare import MAX_ATTEMPTS, Preparation
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Confirmation, Waiting
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import TradeChanged
from mexc_sniper.model.listing import Listing, ListingKind, Outcome, Phase, SignalKind
from mexc_sniper.model.order import Order, OrderStatus
from mexc_sniper.model.trading import Trade, TradeStatus, Trigger
from mexc_sniper.policy.accounts import account_for_entry
from mexc_sniper.policy.lifecycle import EARLY_QUOTE_NS

BOOK_WAIT_NS = 200 * NS_PER_MS
"""How long an entry waits for the first book (DESIGN 4.1)."""
FIRST_QUOTE_WAIT_NS = 600 * NS_PER_S
"""How long a pair that is open to the API may stay without any quote and trade before it counts as not opening."""
OPEN_TO_API_NS = 5 * NS_PER_S
"""`MAX_ATTEMPTS` within this time where the pair is not open to the API yet (DESIGN 4.1)."""
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


class Entries:
    """Operations on entries. Holds no state of its own."""

    def __init__(
        self, state: EngineState, gatekeeper: Gatekeeper, attempts: Attempts, preparation: Preparation
    ) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._attempts = attempts
        self._preparation = preparation

    # ------------------------------------------------------------------ automatic entries

    def consider(self, turn: Turn, listing: Listing) -> None:
        """A new listing has opened: enter as soon as its book is there, or say why not."""
        trading = self._state.trading
        if listing.symbol in trading.waiting or self._attempts.last_order(listing) is not None:
            return
        trigger = self._trigger_of(listing)
        trading.waiting[listing.symbol] = Waiting(
            trigger=trigger,
            since_ns=turn.now_ns,
            until_ns=turn.now_ns + BOOK_WAIT_NS,
            reference=self._attempts.reference(listing.symbol),
            trigger_mono_ns=turn.stamp.mono_ns,
            give_up_ns=turn.now_ns + OPEN_TO_API_NS,
        )
        if listing.symbol in trading.books:
            self._attempt(turn, listing.symbol)
        else:
            turn.ask(WakeAt(turn.now_ns + BOOK_WAIT_NS))

    def strike(
        self, turn: Turn, symbol: Symbol, trigger: Trigger, *, event_ns: int | None = None, late_ns: int | None = None
    ) -> None:
        """The first frame of a prepared pair: send before anything else is made of the frame.

        Where a guard says no, nothing is said here: the frame goes its ordinary way, and that decides.

        Args:
            event_ns: the venue's time of what opened it; None: it does not tell, or the clock fired it.
            late_ns: how long after the wanted instant the clock fired it.
        """
        trading = self._state.trading
        listing = self._state.active.get(symbol)
        if listing is None or listing.outcome is not Outcome.PENDING or listing.kind is not ListingKind.NEW:
            return
        ahead = listing.scheduled_for_ns is not None and listing.scheduled_for_ns - turn.venue_now_ns > EARLY_QUOTE_NS
        if trigger is Trigger.FIRST_QUOTE and ahead and listing.phase is not Phase.OPEN:
            return  # a market maker getting ready
        if self._attempts.last_order(listing) is not None:
            return
        if trigger is not Trigger.SCHEDULED and not _announced(listing):
            trigger = Trigger.SURPRISE
        waiting = trading.waiting.get(symbol) or Waiting(
            trigger=trigger,
            since_ns=turn.now_ns,
            until_ns=turn.now_ns + BOOK_WAIT_NS,
            reference=self._attempts.reference(symbol),
            trigger_mono_ns=0,
            give_up_ns=turn.now_ns + OPEN_TO_API_NS,
        )
        waiting.trigger, waiting.late_ns = trigger, late_ns
        waiting.trigger_mono_ns = turn.stamp.mono_ns
        waiting.reference = self._attempts.reference(symbol)
        if trigger is Trigger.SCHEDULED and listing.timed_entry is not None:
            waiting.reference = listing.timed_entry.cap
        opened_ns = listing.first_trade_at_ns or listing.first_quote_at_ns or event_ns
        made = self._make(turn, listing, waiting, opened_ns=opened_ns, lies_ready=True)
        if isinstance(made, Trade):
            trading.waiting[symbol] = waiting

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
                waiting.trigger_mono_ns = turn.stamp.mono_ns  # time itself is what triggers it now
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
        if order.status is OrderStatus.NEVER_ARRIVED and not _has_a_price(listing):
            # Prepared by a life that ended: proven not to exist, and the pair has not opened. It is made ready anew.
            self._state.trading.entry_of.pop(listing.id, None)
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
            reference=self._attempts.reference(symbol),
            trigger_mono_ns=turn.stamp.mono_ns,
        )
        wish = Wish(instrument=instrument, account=account, amount=amount, cause=command_id, command_id=command_id)
        entered = self._attempts.make(turn, wish, waiting)
        return self._attempts.record(turn, entered) if isinstance(entered, Refusal) else entered

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
        order = self._attempts.last_order(listing)
        if order is not None and not order.terminal:
            return  # one is on its way; its end decides
        blind = waiting.trigger is Trigger.SCHEDULED
        if symbol not in trading.books and not blind and turn.now_ns < self._book_until_ns(listing, waiting):
            return
        if not self._state.instruments:
            # This life has not read the venue's rules yet: they say nothing of this pair, for or against it.
            waiting.retry_at_ns = turn.now_ns + RETRY_NS
            waiting.until_ns = max(waiting.until_ns, turn.now_ns + BOOK_WAIT_NS)
            turn.ask(WakeAt(waiting.retry_at_ns))
            return
        waiting.reference = waiting.reference or self._attempts.reference(symbol)
        opened_ns = listing.first_trade_at_ns or listing.first_quote_at_ns
        made = self._make(turn, listing, waiting, opened_ns=opened_ns, lies_ready=blind)
        if isinstance(made, Refusal):
            self._denied(turn, listing, waiting, made)
        elif made is Reason.RULES_UNKNOWN and waiting.give_up_ns is not None and turn.now_ns < waiting.give_up_ns:
            waiting.retry_at_ns = turn.now_ns + RETRY_NS
            turn.ask(WakeAt(waiting.retry_at_ns))
        elif isinstance(made, Reason):
            self._finish(turn, listing, Outcome.SKIPPED, made)

    def _make(
        self, turn: Turn, listing: Listing, waiting: Waiting, *, opened_ns: int | None, lies_ready: bool = False
    ) -> Trade | Refusal | Reason:
        """Make one attempt for a listing; a reason where there is nothing to attempt with.

        Args:
            opened_ns: first trade or quote, the venue's clock; open to the API is not open yet, and nothing ages.
            lies_ready: prepared, so that it need not be open.
        """
        state, config, symbol = self._state, self._state.config.config, listing.symbol
        high_value = config.trade_usdt >= config.high_value_threshold_usdt
        account = account_for_entry(
            config,
            live=state.trading.live,
            armed=self._gatekeeper.armed(turn.now_ns),
            manual=False,
            high_value=high_value,
        )
        if account is None:
            return Reason.ENTRIES_OFF
        instrument = state.instruments.get(symbol)
        if instrument is None:
            return Reason.RULES_UNKNOWN
        wish = Wish(
            instrument=instrument,
            account=account,
            amount=config.trade_usdt,
            cause=listing.id,
            listing=listing,
            ineligible=_ineligible(listing, lies_ready=lies_ready),
            opened_ns=listing.opened_at_ns if opened_ns is None else opened_ns - state.clock_offset_ns,
        )
        made = self._attempts.make(turn, wish, waiting, self._preparation.of(symbol, account, turn.now_ns))
        if isinstance(made, Trade) and high_value and account is Account.PAPER and state.trading.live:
            self._offer(turn, made, symbol, config.trade_usdt)
        return made

    def _book_until_ns(self, listing: Listing, waiting: Waiting) -> int:
        """Return how long to wait for a first book: where nobody has quoted or traded, nothing has opened yet."""
        return waiting.until_ns if _has_a_price(listing) else waiting.since_ns + FIRST_QUOTE_WAIT_NS

    def _denied(self, turn: Turn, listing: Listing, waiting: Waiting, refusal: Refusal) -> None:
        reason = refusal.verdict.reason
        if reason in _BOOK_REASONS and turn.now_ns < waiting.until_ns:
            return  # the first frames show a part of the book; what follows within the wait may be enough
        may_open = reason in (Reason.API_CLOSED, Reason.NOT_ONLINE)
        if may_open and waiting.give_up_ns is not None and turn.now_ns < waiting.give_up_ns:
            waiting.retry_at_ns = turn.now_ns + RETRY_NS
            turn.ask(WakeAt(waiting.retry_at_ns))
            return
        self._attempts.record(turn, refusal)
        self._finish(turn, listing, Outcome.SKIPPED, Reason.NOT_OPEN_TO_API if may_open else reason)

    # ------------------------------------------------------------------ small things

    def _trigger_of(self, listing: Listing) -> Trigger:
        if not _announced(listing):
            return Trigger.SURPRISE
        return Trigger.FIRST_TRADE if listing.first_trade_at_ns is not None else Trigger.FIRST_QUOTE

    def _listing_of(self, order: Order) -> Listing | None:
        return next((item for item in self._state.active.values() if item.id == order.intent.listing_id), None)

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
        self._preparation.drop(turn, listing.symbol)
        listing = self._state.active.get(listing.symbol, listing)
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


def _has_a_price(listing: Listing) -> bool:
    return listing.first_quote_at_ns is not None or listing.first_trade_at_ns is not None


def _announced(listing: Listing) -> bool:
    first = listing.sources[0].kind if listing.sources else listing.first_signal
    return first in _KNOWN_BEFORE or listing.scheduled_for_ns is not None


def _ineligible(listing: Listing, *, lies_ready: bool) -> Reason | None:
    """Tell why a listing may not be entered automatically (DESIGN 4.1); what its rules say is asked in risk."""
    if listing.kind is not ListingKind.NEW:
        return Reason.NEWNESS_UNPROVEN
    if listing.phase is not Phase.OPEN and not lies_ready:
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
