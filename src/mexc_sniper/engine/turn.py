"""One call of `handle`: collects what is to be written and asked, and puts it in a fixed order."""

from collections.abc import Callable
from typing import Any

from mexc_sniper.engine.effects import Effect, Note, Record, SetGate, Submit
from mexc_sniper.engine.state import EngineState
from mexc_sniper.model.entries import LedgerEntry, ListingChanged, SignalReceived, SymbolsLearned
from mexc_sniper.model.listing import Listing, ListingSignal
from mexc_sniper.model.market import Stamp


class Turn:
    """The output of one event.

    However often a listing changes within an event, it is written once, as it stands at the end; entries of one
    event land in one transaction, state before what refers to it.
    """

    def __init__(self, state: EngineState, stamp: Stamp, carry_out: Callable[[Effect], None] | None = None) -> None:
        """``carry_out`` takes an order the moment it is decided; what is said of it afterwards need not wait."""
        self.stamp = stamp
        self.now_ns = stamp.ts_recv_ns
        self.venue_now_ns = stamp.ts_recv_ns + state.clock_offset_ns
        self._state = state
        self._listings: dict[str, Listing] = {}
        self._signals: list[SignalReceived] = []
        self._entries: list[LedgerEntry] = []
        self._asks: list[Effect] = []
        self._urgent: list[Effect] = []
        self._carry_out = carry_out

    def put(self, listing: Listing) -> Listing:
        """Make a listing's new version the engine's truth and have it written."""
        self._state.active[listing.symbol] = listing
        self._listings[listing.id] = listing
        return listing

    def write_only(self, listing: Listing) -> None:
        """Have a listing written that the engine does not follow any more."""
        self._listings[listing.id] = listing

    def signal(self, listing: Listing, signal: ListingSignal) -> None:
        """Put a signal on the listing's timeline."""
        self._signals.append(SignalReceived(listing_id=listing.id, signal=signal))

    def entry(self, entry: LedgerEntry) -> None:
        """Have any other entry written."""
        self._entries.append(entry)

    def ask(self, effect: Effect) -> None:
        """Ask the world for something."""
        if not isinstance(effect, (Submit, SetGate)):
            self._asks.append(effect)
        elif self._carry_out is not None:
            self._carry_out(effect)
        else:
            self._urgent.append(effect)

    def note(self, name: str, **fields: Any) -> None:
        """Tell the log."""
        self._asks.append(Note(name, fields))

    def effects(self) -> list[Effect]:
        """Return everything: orders first (nothing may stand between a decision and its bytes), then the writing."""
        entries: list[LedgerEntry] = []
        if learned := self._state.baseline.take_unsaved():
            entries.append(SymbolsLearned(symbols=learned))
        entries.extend(ListingChanged(listing=listing) for listing in self._listings.values())
        entries.extend(self._signals)
        entries.extend(self._entries)
        record: list[Effect] = [Record(tuple(entries))] if entries else []
        return self._urgent + record + self._asks


def lag_ns(state: EngineState, stamp: Stamp) -> int | None:
    """Compute source lag: the venue's time of an event to its arrival, in the venue's clock; never negative."""
    if stamp.ts_event_ns is None:
        return None
    return max(0, stamp.ts_recv_ns + state.clock_offset_ns - stamp.ts_event_ns)
