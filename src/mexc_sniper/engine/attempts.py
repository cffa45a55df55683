"""One attempt to enter: give the order its shape, ask every guard, send it, or say which guard said no."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.ids import CommandId, TradeId, client_order_id, intent_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Symbol
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Prepared, Waiting
from mexc_sniper.engine.turn import Turn, lag_ns
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import DecisionMade, TradeChanged
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.listing import Listing
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Denied, Order, OrderIntent, OrderRole, OrderType
from mexc_sniper.model.trading import Decision, Guard, Trade, TradeStatus, Trigger
from mexc_sniper.policy.categories import categories
from mexc_sniper.policy.checks import EntryView
from mexc_sniper.policy.entry import EntryShape, shape, timed_shape
from mexc_sniper.policy.reference import KnownReference, known_reference
from mexc_sniper.policy.risk import assess


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt is to buy, for whom and why. ``cause`` (listing or command id) names its order."""

    instrument: Instrument
    account: Account
    amount: Decimal
    cause: str
    listing: Listing | None = None
    command_id: str | None = None
    ineligible: Reason | None = None
    """Why its listing may not be entered automatically."""
    opened_ns: int | None = None
    """When the pair opened, our clock; the signal's age counts from it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One attempt that a guard stopped; it is recorded when no later attempt will follow."""

    intent: OrderIntent
    decision: Decision
    verdict: Denied


class Attempts:
    """Operations on single attempts. Holds no state of its own."""

    def __init__(
        self, state: EngineState, gatekeeper: Gatekeeper, orders: Orders, holdings: Holdings, caps: HardCaps
    ) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._orders = orders
        self._holdings = holdings
        self._caps = caps

    def make(self, turn: Turn, wish: Wish, waiting: Waiting, prepared: Prepared | None = None) -> Trade | Refusal:
        """Shape, judge and send one attempt; returns the trade it became, or the guard's no, unrecorded yet.

        ``prepared``: what was asked ahead and still holds (`Preparation.of`); the rest is asked now.
        """
        trading, config = self._state.trading, self._state.config
        wanted = self._shaped(wish, waiting)
        known = wanted if isinstance(wanted, EntryShape) else None
        intent = replace(
            self._lies_ready(prepared, known, waiting.attempt)
            or self.intent(wish, known, waiting.attempt, config_version=config.version),
            reference_price=waiting.reference,
            decided_ns=turn.now_ns,
            trigger_mono_ns=waiting.trigger_mono_ns,
            good_until_ns=turn.now_ns + config.config.max_signal_age_ms * NS_PER_MS,
        )
        book = trading.books.get(intent.symbol)
        cap = known.cap if known else None
        if prepared is not None:
            view = replace(
                prepared.view, intent=intent, trigger=waiting.trigger, now_ns=turn.now_ns, opened_ns=wish.opened_ns,
                eligible=wish.ineligible, book=book, cap=cap,
                known_reference=self._known_reference(turn, wish.instrument),
            )  # fmt: skip
            judgement = assess(view, prepared.ahead)
        else:
            judgement = assess(self.view(turn, wish, waiting, intent, cap=cap))
        verdict = judgement.verdict
        shapeless = isinstance(wanted, Reason) and isinstance(verdict, Approved)
        if isinstance(wanted, Reason) and shapeless:
            verdict = Denied(reason=wanted)
        if isinstance(verdict, Approved):
            trading.last_entry_ns[(intent.account, intent.symbol)] = turn.now_ns
            trading.entry_times_ns.setdefault(intent.account, []).append(turn.now_ns)
            late_ns = waiting.late_ns if waiting.late_ns is not None else lag_ns(self._state, turn.stamp)
            self._orders.submit(turn, verdict, trigger=waiting.trigger, source_lag_ns=late_ns)
        reason = None if isinstance(verdict, Approved) else verdict.reason
        decision = Decision(
            id=intent.id,
            listing_id=intent.listing_id,
            symbol=intent.symbol,
            account=intent.account,
            trigger=waiting.trigger,
            decided_ns=turn.now_ns,
            config_version=config.version,
            guards=judgement.guards() + ((Guard(name=str(wanted), passed=False),) if shapeless else ()),
            reason=reason,
        )
        if isinstance(verdict, Denied):
            return Refusal(intent, decision, verdict)
        turn.entry(DecisionMade(decision=decision))
        return trading.trades[trading.trade_of[intent.id]]

    def intent(self, wish: Wish, known: EntryShape | None, attempt: int, *, config_version: int) -> OrderIntent:
        """Write the order of an attempt; the same wish and attempt give the same id."""
        instrument, listing = wish.instrument, wish.listing
        key = intent_id(wish.cause, 0)
        return OrderIntent(
            id=key,
            client_order_id=client_order_id(wish.account, self._state.trading.epoch, key, 0, attempt),
            account=wish.account,
            symbol=instrument.symbol,
            base=instrument.base,
            quote=instrument.quote,
            side=Side.BUY,
            role=OrderRole.ENTRY,
            type=known.type if known else OrderType.MARKET,
            quantity=known.quantity if known else None,
            quote_quantity=(known.quote_quantity if known else wish.amount),
            price=known.price if known else None,
            worst_notional=known.worst_notional if known else wish.amount,
            attempt=attempt,
            listing_id=listing.id if listing else None,
            command_id=None if wish.command_id is None else CommandId(wish.command_id),
            config_version=config_version,
        )

    def view(
        self, turn: Turn, wish: Wish, waiting: Waiting, intent: OrderIntent, *, cap: Price | None = None
    ) -> EntryView:
        """Gather everything the guards look at."""
        state, trading, symbol = self._state, self._state.trading, intent.symbol
        account, instrument = wish.account, wish.instrument
        return EntryView(
            intent=intent,
            trigger=waiting.trigger,
            config=state.config.config,
            caps=self._caps,
            gate=self._gatekeeper.gate(account, manual=waiting.trigger is Trigger.MANUAL),
            exposure=self._holdings.exposure(account, instrument.quote, turn.now_ns),
            instrument=instrument,
            in_api_list=self.in_api_list(symbol),
            now_ns=turn.now_ns,
            eligible=wish.ineligible,
            opened_ns=wish.opened_ns,
            book=trading.books.get(symbol),
            cap=cap,
            known_reference=self._known_reference(turn, instrument),
            last_entry_ns=trading.last_entry_ns.get((account, symbol)) if waiting.attempt == 0 else None,
            base_entered=(account, instrument.base) in trading.entered_bases,
            categories=categories(instrument, known_bases=state.baseline.bases()),
        )

    def _known_reference(self, turn: Turn, instrument: Instrument) -> KnownReference | None:
        state = self._state
        return known_reference(
            state.config.config, instrument, state.trading.books, state.instruments, now_ns=turn.now_ns
        )

    def in_api_list(self, symbol: Symbol) -> bool:
        """Tell whether a list of pairs that an ordinary key can trade names it (REFERENCE 3.4)."""
        return symbol in self._state.default_names or symbol in self._state.self_names

    def record(self, turn: Turn, refusal: Refusal) -> Trade:
        """Write down an attempt that a guard stopped."""
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

    def reference(self, symbol: Symbol) -> Price | None:
        """Return the last trade of a pair, or else its best offer."""
        trading = self._state.trading
        book = trading.books.get(symbol)
        return trading.prices.get(symbol) or (book.ask if book is not None else None)

    def last_order(self, listing: Listing) -> Order | None:
        """Return the last order of a listing's entry."""
        trading = self._state.trading
        client_order_id = trading.entry_of.get(listing.id)
        return None if client_order_id is None else trading.orders.get(client_order_id)

    def _lies_ready(self, prepared: Prepared | None, known: EntryShape | None, attempt: int) -> OrderIntent | None:
        """Return the prepared order of an attempt where the price asks for just that one."""
        if prepared is None or known is None:
            return None
        ready = prepared.intents[attempt]
        alike = (
            ready.type is known.type
            and ready.quote_quantity == known.quote_quantity
            and ready.quantity == known.quantity
            and ready.price == known.price
        )
        return ready if alike else None

    def _shaped(self, wish: Wish, waiting: Waiting) -> EntryShape | Reason:
        trading, config = self._state.trading, self._state.config.config
        if wish.listing is not None and wish.listing.timed_entry is not None:
            return timed_shape(wish.instrument, amount=wish.amount, cap=wish.listing.timed_entry.cap)
        if waiting.reference is None:
            return Reason.NO_REFERENCE_PRICE
        book = trading.books.get(wish.instrument.symbol)
        wanted = shape(config, wish.instrument, amount=wish.amount, reference=waiting.reference, book=book)
        market = isinstance(wanted, EntryShape) and wanted.type is OrderType.MARKET
        if market and wish.listing is not None and self._market_refused(wish.listing):
            forced = config.model_copy(update={"entry_type": "capped"})
            return shape(forced, wish.instrument, amount=wish.amount, reference=waiting.reference, book=book)
        return wanted

    def _market_refused(self, listing: Listing) -> bool:
        order = self.last_order(listing)
        return order is not None and order.reason is Reason.MARKET_ORDERS_CLOSED
