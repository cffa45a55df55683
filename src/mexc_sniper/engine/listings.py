"""The book of active listings: begin one, apply a signal, judge its newness, decide its outcome, let it go."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import listing_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.engine.baseline import Baseline
from mexc_sniper.engine.effects import ProbeAge, Refresh, Unwatch, Watch
from mexc_sniper.engine.state import EngineState, Evidence
from mexc_sniper.engine.turn import Turn, lag_ns
from mexc_sniper.model.events import SourceName
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.listing import (
    KnownSymbol,
    ListedAtBasis,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    SignalKind,
)
from mexc_sniper.model.market import Stamp
from mexc_sniper.policy.lifecycle import advance, date_reopening, learn_first_open_time, note_signal
from mexc_sniper.policy.newness import Candidate, classify

UNKNOWN_ASSET = Asset("")
"""Base or quote of a name whose rules nobody has told yet; symbols are never split by suffix."""
SAME_OPENING_NS = 600 * NS_PER_S
"""Pairs of one coin that appear within this time belong to one opening."""
PROOF_WAIT_NS = 5 * NS_PER_S
"""How long an open listing may wait for the proof of its newness."""
ON_TIME_NS = 5 * NS_PER_S
"""An opening seen within this time is not late, even right after a start (maxSignalAgeMs, DESIGN 4.1)."""
AFTER_GAP_NS = 60 * NS_PER_S
"""An opening this soon after a gap happened most likely within it."""
WATCH_OPEN_NS = 30 * 60 * NS_PER_S
WATCH_OTHERS_NS = 2 * 60 * NS_PER_S
"""How long an open listing is streamed: a new one, and any other kind."""
OVERDUE_NS = 24 * 3600 * NS_PER_S
FORGOTTEN_NS = 14 * 24 * 3600 * NS_PER_S
"""When a scheduled, and an unscheduled, listing that never opened is given up."""
MAX_WATCHED = 300
"""Symbols streamed at once (20 connections); beyond it listings are followed by polling alone."""

_OPENED_BEFORE = frozenset({ListingKind.RELIST, ListingKind.RETURNED})
"""Kinds whose first opening lies in the past: this episode is dated by its own reopening."""

_PROVES_EXISTENCE = frozenset(
    {
        SignalKind.EXCHANGE_INFO_ROW,
        SignalKind.DEFAULT_SYMBOLS,
        SignalKind.SELF_SYMBOLS,
        SignalKind.MINI_TICKERS,
        SignalKind.API_OPENED,
        SignalKind.FIRST_QUOTE,
        SignalKind.FIRST_TRADE,
    }
)
"""Signals after which the venue can be asked for candles; a name that is only announced is unknown to it."""

_SKIP_REASON = {
    ListingKind.RELIST: Reason.RELIST,
    ListingKind.RETURNED: Reason.RETURNED,
    ListingKind.SECOND_QUOTE: Reason.SECOND_QUOTE,
    ListingKind.RENAMED: Reason.RENAMED,
    ListingKind.LOOK_ALIKE: Reason.LOOK_ALIKE,
    ListingKind.INJECTED: Reason.TEST_INJECTION,
}


class Listings:
    """Operations on the engine's active listings. Holds no state of its own."""

    def __init__(self, state: EngineState, consider: Callable[[Turn, Listing], None]) -> None:
        """``consider`` takes a listing that is new and open, and gives it its outcome, now or later."""
        self._state = state
        self._consider = consider

    def begin(
        self,
        turn: Turn,
        symbol: Symbol,
        kind: SignalKind,
        *,
        unseen_until_ns: int,
        after_gap: bool,
        base: Asset = UNKNOWN_ASSET,
        quote: Asset = UNKNOWN_ASSET,
        full_name: str = "",
    ) -> Listing:
        """Open a new episode of a symbol; the baseline learns the name at once, so it is news only once."""
        state = self._state
        before = state.baseline.get(symbol)
        episode = before.episodes if before else 0
        listing = Listing(
            id=listing_id(symbol, episode),
            symbol=symbol,
            base=base,
            quote=quote,
            full_name=full_name,
            kind=ListingKind.UNPROVEN,
            phase=Phase.SIGNALED,
            outcome=Outcome.PENDING,
            source=kind.source,
            first_signal=kind,
            listed_at_ns=turn.venue_now_ns,
            listed_at_basis=ListedAtBasis.FIRST_SEEN,
            detected_at_ns=turn.now_ns,
        )
        known = before or KnownSymbol(symbol=symbol, base=base, quote=quote, first_seen_ns=turn.now_ns)
        state.baseline.learn(replace(known, episodes=episode + 1, absent_since_ns=None))
        state.evidence[symbol] = Evidence(unseen_until_ns=unseen_until_ns, before=before, seen_after_gap=after_gap)
        turn.put(listing)
        self._watch(turn, symbol)
        return listing

    def hear(
        self,
        turn: Turn,
        symbol: Symbol,
        kind: SignalKind,
        *,
        evidence: str = "",
        stamp: Stamp | None = None,
    ) -> Listing:
        """Apply one signal to the symbol's active listing, then judge and decide."""
        state = self._state
        stamp = stamp or turn.stamp
        signal = ListingSignal(symbol=symbol, kind=kind, stamp=stamp, evidence=evidence, lag_ns=lag_ns(state, stamp))
        listing, first = note_signal(state.active[symbol], signal)
        if not first:
            state.active[symbol] = listing  # a repetition is counted, and written with the next real change
            turn.note("signal_repeated", symbol=symbol, kind=str(kind))
            return listing
        turn.note("signal_received", symbol=symbol, kind=str(kind), lag_ms=_ms(signal.lag_ns))
        listing = self._advanced(turn, listing, signal)
        turn.signal(listing, signal)
        if kind in _PROVES_EXISTENCE:
            self._probe(turn, symbol)
            if symbol not in self._state.instruments:
                turn.ask(Refresh(SourceName.EXCHANGE_INFO))  # it cannot be entered without its rules
        self.judge(turn, symbol)
        return self.decide(turn, symbol)

    def describe(self, turn: Turn, symbol: Symbol, row: Instrument) -> None:
        """Take over what an exchangeInfo row says of an active listing."""
        listing = self._state.active[symbol]
        described = replace(
            listing,
            base=row.base,
            quote=row.quote,
            full_name=row.full_name or listing.full_name,
            contract_address=row.contract_address or listing.contract_address,
        )
        if row.first_open_time_ns is not None and listing.kind not in _OPENED_BEFORE:
            described = learn_first_open_time(described, row.first_open_time_ns)
        if described != listing:
            turn.put(described)
            self.judge(turn, symbol)

    def identify(self, turn: Turn, symbol: Symbol, *, coin_id: str, contract_address: str = "") -> None:
        """Take over the venue's coin id, and a contract where none is known yet."""
        listing = self._state.active[symbol]
        identified = replace(
            listing,
            coin_id=coin_id or listing.coin_id,
            contract_address=listing.contract_address or contract_address,
        )
        if identified != listing:
            turn.put(identified)

    def quote_again(self, turn: Turn, symbol: Symbol, stamp: Stamp) -> None:
        """Open a listing whose first quote came too early to be the opening, once its time has come."""
        listing = self._state.active[symbol]
        signal = ListingSignal(symbol=symbol, kind=SignalKind.FIRST_QUOTE, stamp=stamp)
        if self._advanced(turn, listing, signal).phase is not listing.phase:
            self.decide(turn, symbol)

    def _advanced(self, turn: Turn, listing: Listing, signal: ListingSignal) -> Listing:
        advanced = advance(listing, signal, venue_now_ns=turn.venue_now_ns)
        if advanced.phase is not listing.phase:
            turn.note(
                "listing_phase",
                symbol=listing.symbol,
                phase=str(advanced.phase),
                was=str(listing.phase),
                signal=str(signal.kind),
                detection_lag_ms=_ms(advanced.detection_lag_ns),
            )
        return turn.put(advanced)

    def judge(self, turn: Turn, symbol: Symbol) -> None:
        """Decide what kind of listing it is, from everything known now; then its siblings of the same opening."""
        self._judge_one(turn, symbol)
        base = self._state.active[symbol].base
        for sibling in self._opening_together(symbol, base) if base else ():
            self._judge_one(turn, sibling.symbol)

    def decide(self, turn: Turn, symbol: Symbol) -> Listing:
        """Give a listing its outcome as soon as it can have one; exactly one reason with it."""
        listing = self._state.active[symbol]
        if listing.outcome is not Outcome.PENDING:
            return listing
        if listing.phase is Phase.WITHDRAWN:
            return self._end(turn, listing, Outcome.SKIPPED, Reason.WITHDRAWN)
        if listing.phase is not Phase.OPEN:
            return self._give_up_if_overdue(turn, listing)
        if listing.kind in _SKIP_REASON:
            return self._end(turn, listing, Outcome.SKIPPED, _SKIP_REASON[listing.kind])
        if listing.kind is ListingKind.UNPROVEN and not self._proof_is_overdue(turn, listing):
            return listing
        if self._opened_unwatched(turn, listing):
            listing = turn.put(replace(listing, late=True))
            return self._end(turn, listing, Outcome.MISSED, Reason.DETECTED_LATE)
        if listing.kind is ListingKind.UNPROVEN:
            return self._end(turn, listing, Outcome.SKIPPED, Reason.NEWNESS_UNPROVEN)
        if listing.quote not in self._state.config.config.quote_assets:
            return self._end(turn, listing, Outcome.SKIPPED, Reason.QUOTE_NOT_CONFIGURED)
        self._consider(turn, listing)
        return self._state.active[symbol]

    def withdraw(self, turn: Turn, listing: Listing) -> None:
        """Follow a withdrawn listing no more."""
        turn.put(listing)
        self.decide(turn, listing.symbol)
        self._release(turn, listing.symbol)

    def tend(self, turn: Turn) -> None:
        """Once a second: decide what was waiting, let go what is long open."""
        for symbol, listing in tuple(self._state.active.items()):
            listing = self.decide(turn, symbol)
            if listing.phase is Phase.OPEN:
                limit_ns = WATCH_OPEN_NS if listing.kind is ListingKind.NEW else WATCH_OTHERS_NS
                done = listing.outcome is not Outcome.PENDING
                if done and turn.now_ns - (listing.opened_at_ns or turn.now_ns) > limit_ns:
                    self._release(turn, symbol)
            elif listing.outcome is not Outcome.PENDING:
                self._release(turn, symbol)

    def follow_again(self, turn: Turn, listing: Listing, *, unseen_until_ns: int) -> None:
        """Pick a listing up after a restart."""
        if listing.prepared_ns is not None:
            listing = turn.put(replace(listing, prepared_ns=None))  # what lay ready ended with its life
        self._state.active[listing.symbol] = listing
        self._state.evidence[listing.symbol] = Evidence(unseen_until_ns=unseen_until_ns)
        self._watch(turn, listing.symbol)
        if any(source.kind in _PROVES_EXISTENCE for source in listing.sources):
            self._probe(turn, listing.symbol)

    def _judge_one(self, turn: Turn, symbol: Symbol) -> None:
        state = self._state
        listing, evidence = state.active[symbol], state.evidence[symbol]
        if listing.kind not in (ListingKind.UNPROVEN, ListingKind.NEW) or not listing.base:
            return  # every other kind is a proof, and a proof is final
        row = state.instruments.get(symbol)
        verdict = classify(
            Candidate(
                symbol=symbol,
                base=listing.base,
                quote=listing.quote,
                contract_address=listing.contract_address,
                coin_id=listing.coin_id,
                first_open_time_ns=row.first_open_time_ns if row else None,
                before=evidence.before,
                unseen_until_ns=evidence.unseen_until_ns,
                candles=evidence.candles,
                opened=listing.phase is Phase.OPEN,
            ),
            _SettledOnly(state, exclude=self._opening_together(symbol, listing.base)),
            sibling=self._sibling_ahead(listing),
        )
        if verdict.kind is ListingKind.UNPROVEN and listing.kind is not ListingKind.UNPROVEN:
            return  # what was proven once stays proven until something contradicts it
        if verdict.kind is listing.kind and verdict.proof == listing.newness_proof:
            return
        self._count(turn, listing, verdict.kind)
        if verdict.kind in _OPENED_BEFORE:
            listing = date_reopening(listing, venue_offset_ns=state.clock_offset_ns)
        turn.put(
            replace(
                listing,
                kind=verdict.kind,
                newness_proof=verdict.proof,
                related_to=verdict.related_to,
                look_alike_of=verdict.look_alike_of,
            )
        )

    def _count(self, turn: Turn, listing: Listing, kind: ListingKind) -> None:
        step = (kind is ListingKind.NEW) - (listing.kind is ListingKind.NEW)
        if step:
            state = self._state
            state.monitor = replace(state.monitor, listings_detected=state.monitor.listings_detected + step)
        if kind is not listing.kind:
            turn.note(
                "listing_classified",
                symbol=listing.symbol,
                listing=listing.id,
                kind=str(kind),
                source=str(listing.source),
                signal=str(listing.first_signal),
            )

    def _opening_together(self, symbol: Symbol, base: Asset) -> Sequence[Listing]:
        """Return the other active listings of the same ticker that appeared with this one."""
        mine = self._state.active[symbol]
        return [
            other
            for other in self._state.active.values()
            if other.base == base
            and other.symbol != symbol
            and other.kind is not ListingKind.INJECTED
            and abs(other.detected_at_ns - mine.detected_at_ns) <= SAME_OPENING_NS
        ]

    def _sibling_ahead(self, listing: Listing) -> Symbol | None:
        """Return the pair of the same opening that goes first: configured quotes in their order, then the earlier."""

        def rank(pair: Listing) -> tuple[int, int, str]:
            quotes = self._state.config.config.quote_assets
            preference = quotes.index(pair.quote) if pair.quote in quotes else len(quotes)
            return preference, pair.detected_at_ns, pair.symbol

        together = self._opening_together(listing.symbol, listing.base)
        first = min(together, key=rank, default=None)
        return first.symbol if first is not None and rank(first) < rank(listing) else None

    def _probe(self, turn: Turn, symbol: Symbol) -> None:
        """Ask for the age of a coin whose newness is open; a probe that failed is asked again at the next sign."""
        evidence = self._state.evidence[symbol]
        kind = self._state.active[symbol].kind
        if kind in (ListingKind.UNPROVEN, ListingKind.NEW) and evidence.candles is None and not evidence.probing:
            evidence.probing, evidence.probe_failed = True, False
            turn.ask(ProbeAge(symbol))

    def _proof_is_overdue(self, turn: Turn, listing: Listing) -> bool:
        waited_ns = turn.now_ns - (listing.opened_at_ns or turn.now_ns)
        return waited_ns >= PROOF_WAIT_NS or self._state.evidence[listing.symbol].probe_failed

    def _opened_unwatched(self, turn: Turn, listing: Listing) -> bool:
        evidence = self._state.evidence[listing.symbol]
        if not evidence.seen_after_gap:
            return False
        opened_ns = listing.opened_at_ns or turn.now_ns
        if opened_ns - listing.detected_at_ns > AFTER_GAP_NS:
            return False  # we watched it for a while before it opened
        row = self._state.instruments.get(listing.symbol)
        told_ns = row.first_open_time_ns if row else None
        if told_ns is None and evidence.candles:
            told_ns = evidence.candles[0].open_time_ns + evidence.candles[0].interval_s * NS_PER_S
        if told_ns is None and evidence.candles is not None:
            return False  # the venue held no candle when asked: it had not traded yet
        return told_ns is None or turn.venue_now_ns - told_ns > ON_TIME_NS

    def _give_up_if_overdue(self, turn: Turn, listing: Listing) -> Listing:
        if listing.scheduled_for_ns is not None:
            given_up = turn.venue_now_ns - listing.scheduled_for_ns > OVERDUE_NS
        else:
            given_up = turn.now_ns - listing.detected_at_ns > FORGOTTEN_NS
        return self._end(turn, listing, Outcome.SKIPPED, Reason.NEVER_OPENED) if given_up else listing

    def _end(self, turn: Turn, listing: Listing, outcome: Outcome, reason: Reason) -> Listing:
        turn.note("listing_decided", symbol=listing.symbol, outcome=str(outcome), reason=str(reason))
        return turn.put(replace(listing, outcome=outcome, reason=reason))

    def _watch(self, turn: Turn, symbol: Symbol) -> None:
        watched = sum(evidence.watched for evidence in self._state.evidence.values())
        if watched >= MAX_WATCHED:
            turn.note("watch_limit_reached", symbol=symbol, limit=MAX_WATCHED)
            return
        self._state.evidence[symbol].watched = True
        turn.ask(Watch(symbol))

    def _release(self, turn: Turn, symbol: Symbol) -> None:
        self._state.active.pop(symbol, None)
        evidence = self._state.evidence.pop(symbol, None)
        trading = self._state.trading
        held = any(pair == symbol for _, pair in trading.by_symbol)
        if not held:
            trading.books.pop(symbol, None)  # nobody keeps it fresh any more
            trading.prices.pop(symbol, None)
        if evidence is not None and evidence.watched and not held:
            turn.ask(Unwatch(symbol))


class _SettledOnly:
    """The baseline without the pairs of the same opening: siblings are no proof of age against each other."""

    def __init__(self, state: EngineState, *, exclude: Sequence[Listing]) -> None:
        self._baseline: Baseline = state.baseline
        self._exclude = frozenset(listing.symbol for listing in exclude)

    def get(self, symbol: Symbol) -> KnownSymbol | None:
        return self._baseline.get(symbol)

    def with_base(self, base: Asset) -> tuple[KnownSymbol, ...]:
        return self._settled(self._baseline.with_base(base))

    def with_contract(self, contract: str) -> tuple[KnownSymbol, ...]:
        return self._settled(self._baseline.with_contract(contract))

    def with_coin_id(self, coin_id: str) -> tuple[KnownSymbol, ...]:
        return self._settled(self._baseline.with_coin_id(coin_id))

    def reading_alike(self, base: Asset) -> tuple[KnownSymbol, ...]:
        return self._settled(self._baseline.reading_alike(base))

    def _settled(self, symbols: tuple[KnownSymbol, ...]) -> tuple[KnownSymbol, ...]:
        return tuple(known for known in symbols if known.symbol not in self._exclude)


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1_000_000
