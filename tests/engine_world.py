"""The engine with a ledger in memory: feeds events, remembers what was written, asked and noted."""

from collections.abc import Iterable

from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.effects import Effect, Note, Record
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.entries import (
    CalendarChanged,
    CommandFinished,
    ConfigChanged,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    MonitorProgressed,
    SignalReceived,
    SymbolsLearned,
)
from mexc_sniper.model.events import Event
from mexc_sniper.model.listing import KnownSymbol, Listing, ListingKind, Outcome, Phase
from mexc_sniper.model.restored import Restored, RestoredCalendarLine
from tests.builders import (
    an_instrument,
    at,
    default_symbols_read,
    instruments_read,
    paper_balances,
)


class World:
    """An engine and everything it ever asked for."""

    def __init__(
        self, restored: Restored | None = None, *, seconds: float = 0, running: bool = True, live: bool = False
    ) -> None:
        self.engine = Engine()
        self.entries: list[LedgerEntry] = []
        self.asks: list[Effect] = []
        self.notes: list[Note] = []
        self._take(self.engine.start(restored or Restored(), at(seconds), force_running=running, live=live))
        self.hear(paper_balances(seconds))

    def hear(self, *events: Event) -> "World":
        for event in events:
            self._take(self.engine.handle(event))
        return self

    def asked(self, kind: type[Effect]) -> list[Effect]:
        return [effect for effect in self.asks if isinstance(effect, kind)]

    @property
    def listings(self) -> dict[str, Listing]:
        """Every listing ever written, by id, as it stands."""
        return {e.listing.id: e.listing for e in self.entries if isinstance(e, ListingChanged)}

    def listing(self, symbol: str) -> Listing:
        """The only listing of a symbol."""
        found = [listing for listing in self.listings.values() if listing.symbol == symbol]
        assert len(found) == 1, f"{symbol}: {found}"
        return found[0]

    def timeline(self, symbol: str) -> list[str]:
        wanted = self.listing(symbol).id
        return [str(e.signal.kind) for e in self.entries if isinstance(e, SignalReceived) and e.listing_id == wanted]

    def results(self) -> list[CommandFinished]:
        return [entry for entry in self.entries if isinstance(entry, CommandFinished)]

    def calendar(self) -> list[CalendarChanged]:
        return [entry for entry in self.entries if isinstance(entry, CalendarChanged)]

    def restored(self) -> Restored:
        """What a real ledger would give back to the next life."""
        known: dict[Symbol, KnownSymbol] = {}
        calendar: dict[str, RestoredCalendarLine] = {}
        monitor = config = None
        for entry in self.entries:
            match entry:
                case SymbolsLearned(symbols=symbols):
                    known.update({symbol.symbol: symbol for symbol in symbols})
                case CalendarChanged():
                    calendar[entry.entry.coin_id] = RestoredCalendarLine(
                        entry=entry.entry,
                        first_seen_ns=entry.first_seen_ns,
                        schedule=entry.schedule,
                        withdrawn=entry.withdrawn,
                    )
                case MonitorChanged(state=state) | MonitorProgressed(state=state):
                    monitor = state
                case ConfigChanged(version=version):
                    config = version
                case _:
                    pass
        pending = [
            listing
            for listing in self.listings.values()
            if listing.kind is not ListingKind.INJECTED
            and (listing.outcome is Outcome.PENDING or listing.phase is Phase.OPEN)
        ]
        return Restored(
            symbols=tuple(known.values()),
            listings=tuple(pending),
            calendar=tuple(calendar.values()),
            monitor=monitor,
            config=config,
            finished_commands=frozenset(entry.result.id for entry in self.results()),
            listings_detected=sum(listing.kind is ListingKind.NEW for listing in self.listings.values()),
        )

    def _take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Record(entries):
                    self.entries.extend(entries)
                case Note():
                    self.notes.append(effect)
                case _:
                    self.asks.append(effect)


OLD = ("OLDUSDT", "OTHERUSDT")


def a_world_that_knows(*symbols: str, seconds: float = 0, live: bool = False) -> World:
    """A running monitor whose baseline holds the given pairs (two by default)."""
    names = symbols or OLD
    rows = tuple(an_instrument(name) for name in names)
    return World(seconds=seconds, live=live).hear(
        instruments_read(seconds + 0.1, *rows), default_symbols_read(seconds + 0.2, *names)
    )
