"""Entries made ready before the pair has a price: guards asked, intents journaled, requests signed (DESIGN 4).

A prepared entry rests on what was true when it was judged: the gate's generation, the sums of orders and positions
(`Trading.touched`), the pair's rules. Where one of them has changed, it is judged anew: at the next tick, or at the
trigger itself. Only what the market alone can answer is always left to the trigger.
"""

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.attempts import Attempts, Wish
from mexc_sniper.engine.effects import FireAt, HushPolls, Prepare, Unprepare
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trading_state import Prepared, Waiting
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.listing import Listing, ListingKind, Outcome, Phase, TimedEntry
from mexc_sniper.model.order import OrderType
from mexc_sniper.model.trading import Trigger
from mexc_sniper.policy.accounts import account_for_entry
from mexc_sniper.policy.entry import EntryShape, blind_market_shape, timed_shape
from mexc_sniper.policy.lifecycle import EARLY_QUOTE_NS
from mexc_sniper.policy.risk import Ahead, assess_ahead

MAX_ATTEMPTS = 4
"""At most so many attempts where the pair is not open to the API yet (DESIGN 4.1); all are prepared."""
PREPARE_AHEAD_NS = 60 * NS_PER_S
"""How long before its announced time an entry is made ready; a pair that waits for its first price always is."""
DUE_BEFORE_NS, DUE_AFTER_NS = EARLY_QUOTE_NS, 10 * NS_PER_S
"""Around an announced time the pair is expected to open at any moment, from when on its first quote would count."""
MAX_PREPARED = 50
HUSH_BEFORE_NS, HUSH_AFTER_NS = 3 * NS_PER_S, 2 * NS_PER_S
"""Around an announced opening no heavy poll is begun: 5 MB on the same loop would stand in the first frame's way."""


def may_be_entered_soon(listing: Listing, now_ns: int) -> bool:
    """Tell whether a listing may have to be entered within the next minute."""
    return (
        listing.outcome is Outcome.PENDING
        and listing.kind in (ListingKind.NEW, ListingKind.UNPROVEN)
        and listing.phase is not Phase.WITHDRAWN
        and (listing.scheduled_for_ns is None or abs(listing.scheduled_for_ns - now_ns) < PREPARE_AHEAD_NS)
    )


class Preparation:
    """Keeps prepared entries in step with what they rest on. Holds no state of its own."""

    def __init__(self, state: EngineState, gatekeeper: Gatekeeper, attempts: Attempts) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._attempts = attempts

    def of(self, symbol: Symbol, account: Account, now_ns: int) -> Prepared | None:
        """Return a pair's prepared entry if all it rests on still holds for this account."""
        trading = self._state.trading
        prepared = trading.prepared.get(symbol)
        if (
            prepared is None
            or prepared.account is not account
            or prepared.generation != trading.generation
            or prepared.touched != trading.touched
            or prepared.instrument is not self._state.instruments.get(symbol)
            or prepared.view.in_api_list != self._attempts.in_api_list(symbol)
            or (account is Account.LIVE and not self._gatekeeper.armed(now_ns))
        ):
            return None
        return prepared

    def tend(self, turn: Turn) -> None:
        """Make ready what opens soon, judge anew what has changed, let go what is decided."""
        trading, active = self._state.trading, self._state.active
        if not self._state.running or not trading.prepare:
            self.drop_all(turn)
            return
        for symbol in tuple(trading.prepared):
            listing = active.get(symbol)
            if listing is None or not may_be_entered_soon(listing, turn.now_ns):
                self.drop(turn, symbol)
        for listing in tuple(active.values()):
            if listing.kind is ListingKind.NEW and may_be_entered_soon(listing, turn.now_ns):
                self._make_ready(turn, listing)
        self._hush(turn)

    def due_ns(self, listing: Listing) -> int | None:
        """Return when, on our wall clock, a listing is to be entered without a price; None: never."""
        timed, scheduled_ns = listing.timed_entry, listing.scheduled_for_ns
        if timed is None or scheduled_ns is None:
            return None
        return scheduled_ns - self._state.clock_offset_ns + timed.offset_ms * NS_PER_MS

    def time_entry(self, turn: Turn, listing: Listing, timed: TimedEntry | None) -> None:
        """Take over the operator's wish to enter at the announced time, or take it back; prepared anew at once."""
        turn.put(replace(listing, timed_entry=timed))
        self.drop(turn, listing.symbol)
        self.tend(turn)

    def drop(self, turn: Turn, symbol: Symbol) -> None:
        """Throw a prepared entry away; nothing of it has left, or what has left is known by its order."""
        if self._state.trading.prepared.pop(symbol, None) is None:
            return
        turn.ask(Unprepare(symbol))
        listing = self._state.active.get(symbol)
        if listing is not None and listing.prepared_ns is not None:
            turn.put(replace(listing, prepared_ns=None))

    def drop_all(self, turn: Turn) -> None:
        """Throw everything away: the monitor stops, or the kill switch was thrown."""
        for symbol in tuple(self._state.trading.prepared):
            self.drop(turn, symbol)

    # ------------------------------------------------------------------ inside

    def _make_ready(self, turn: Turn, listing: Listing) -> None:
        trading, symbol = self._state.trading, listing.symbol
        if self._attempts.last_order(listing) is not None:
            return  # under way; further attempts lie ready until the listing is decided
        account = self._account(turn)
        instrument = self._state.instruments.get(symbol)
        if (
            account is None
            or instrument is None
            or listing.quote not in self._state.config.config.quote_assets
            or self._may_have_opened_unseen(listing)
        ):
            self.drop(turn, symbol)
            return
        before = trading.prepared.get(symbol)
        if before is not None and self.of(symbol, account, turn.now_ns) is before:
            self._aim(turn, listing, before)
            return
        known = self._shape(listing, instrument)
        if known is None or (before is None and len(trading.prepared) >= MAX_PREPARED):
            self.drop(turn, symbol)
            return
        wish = Wish(
            instrument=instrument,
            account=account,
            amount=self._state.config.config.trade_usdt,
            cause=listing.id,
            listing=listing,
        )
        intents = tuple(
            self._attempts.intent(wish, known, attempt, config_version=self._state.config.version)
            for attempt in range(MAX_ATTEMPTS)
        )
        waiting = Waiting(
            trigger=Trigger.SCHEDULED if listing.timed_entry else Trigger.FIRST_QUOTE,
            since_ns=turn.now_ns,
            until_ns=turn.now_ns,
            reference=None,
            trigger_mono_ns=0,
        )
        ahead = assess_ahead(self._attempts.view(turn, wish, waiting, intents[0], cap=known.cap), intents)
        if not isinstance(ahead, Ahead):
            self.drop(turn, symbol)
            return
        prepared = Prepared(
            listing_id=listing.id,
            account=account,
            instrument=instrument,
            intents=intents,
            view=ahead.view,
            ahead=ahead.answers,
            generation=trading.generation,
            touched=trading.touched,
            fire_at_ns=before.fire_at_ns if before is not None else None,
        )
        trading.prepared[symbol] = prepared
        if before is None or not all(old.same_order(new) for old, new in zip(before.intents, intents, strict=True)):
            turn.ask(Prepare(symbol, ahead.approved))
        if listing.prepared_ns is None:
            turn.put(replace(listing, prepared_ns=turn.now_ns))
            turn.note("listing_prepared", symbol=symbol, account=str(account), attempts=len(intents))
        self._aim(turn, listing, prepared)

    def _account(self, turn: Turn) -> Account | None:
        config = self._state.config.config
        return account_for_entry(
            config,
            live=self._state.trading.live,
            armed=self._gatekeeper.armed(turn.now_ns),
            manual=False,
            high_value=config.trade_usdt >= config.high_value_threshold_usdt,
        )

    def _shape(self, listing: Listing, instrument: Instrument) -> EntryShape | None:
        """Return the order that can be written before there is a price; None where only a price makes one."""
        config = self._state.config.config
        if listing.timed_entry is not None:
            return timed_shape(instrument, amount=config.trade_usdt, cap=listing.timed_entry.cap)
        if config.entry_type == "capped" or OrderType.MARKET not in instrument.order_types:
            return None
        return blind_market_shape(instrument, amount=config.trade_usdt)

    def _may_have_opened_unseen(self, listing: Listing) -> bool:
        evidence = self._state.evidence.get(listing.symbol)
        return evidence is None or (evidence.seen_after_gap and listing.scheduled_for_ns is None)

    def _aim(self, turn: Turn, listing: Listing, prepared: Prepared) -> None:
        """Set the clock for an entry at the announced time."""
        at_ns = self.due_ns(listing)
        if at_ns is not None and at_ns != prepared.fire_at_ns and at_ns > turn.now_ns:
            prepared.fire_at_ns = at_ns
            turn.ask(FireAt(listing.symbol, at_ns))

    def _hush(self, turn: Turn) -> None:
        trading = self._state.trading
        until_ns = 0
        for symbol in trading.prepared:
            scheduled_ns = self._state.active[symbol].scheduled_for_ns
            if scheduled_ns is None:
                continue
            at_ns = scheduled_ns - self._state.clock_offset_ns
            if at_ns - HUSH_BEFORE_NS <= turn.now_ns < at_ns + HUSH_AFTER_NS:
                until_ns = max(until_ns, at_ns + HUSH_AFTER_NS)
        if until_ns > trading.hushed_until_ns:
            trading.hushed_until_ns = until_ns
            turn.ask(HushPolls(until_ns))
