"""The venue's calendar (unofficial): announced openings, moved, undetermined and withdrawn ones."""

from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.detection import ASSUMED_QUOTE
from mexc_sniper.engine.effects import ExpectOpenings
from mexc_sniper.engine.listings import Listings
from mexc_sniper.engine.state import CalendarLine, EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.entries import CalendarChanged
from mexc_sniper.model.events import CalendarRead, SourceName
from mexc_sniper.model.listing import CalendarEntry, Phase, ScheduleChange, SignalKind
from mexc_sniper.policy.lifecycle import reschedule, withdraw

PAST_NS = 600 * NS_PER_S
"""An entry that lies further back when first seen is history, not an announcement."""
WITHDRAWN_ANSWERS = 3
WITHDRAWN_NS = 10 * NS_PER_S
"""An announced opening is taken back after this many complete answers without it, over at least this time."""


class Schedule:
    """Handler of calendar answers, and keeper of what lies ahead."""

    def __init__(self, state: EngineState, listings: Listings) -> None:
        self._state = state
        self._listings = listings

    def calendar(self, turn: Turn, event: CalendarRead) -> None:
        """Compare a complete calendar answer with the calendar as it stood."""
        lines = self._state.calendar
        seen: dict[str, None] = {}
        for entry in event.entries:
            seen[entry.coin_id] = None
            line = lines.get(entry.coin_id)
            if line is None:
                self._announced(turn, entry)
            elif line.withdrawn or line.entry.opens_at_ns != entry.opens_at_ns:
                self._changed(turn, line, entry)
            else:
                line.missing_answers, line.missing_since_ns = 0, None
        for coin_id, line in tuple(lines.items()):
            if coin_id not in seen:
                self._missing(turn, line)
        self._state.answered_ns[SourceName.CALENDAR] = turn.now_ns
        self.tell_openings(turn)

    def tell_openings(self, turn: Turn) -> None:
        """Tell the gateway the openings ahead, in our own clock, when they changed."""
        ahead = sorted(
            listing.scheduled_for_ns - self._state.clock_offset_ns
            for listing in self._state.active.values()
            if listing.scheduled_for_ns is not None and listing.phase in (Phase.SCHEDULED, Phase.PRE_OPEN)
        )
        openings = tuple(at_ns for at_ns in ahead if at_ns > turn.now_ns - 60 * NS_PER_S)
        # A clock that drifts by less than a poll must not cause a new plan every second.
        rounded = tuple(at_ns // (100 * 1_000_000) for at_ns in openings)
        if rounded != self._state.openings:
            self._state.openings = rounded
            turn.ask(ExpectOpenings(openings))

    def _announced(self, turn: Turn, entry: CalendarEntry) -> None:
        line = CalendarLine(entry=entry, first_seen_ns=turn.now_ns)
        self._state.calendar[entry.coin_id] = line
        if entry.opens_at_ns is not None and entry.opens_at_ns < turn.venue_now_ns - PAST_NS:
            return
        line.schedule = (ScheduleChange(noted_at_ns=turn.now_ns, opens_at_ns=entry.opens_at_ns),)
        self._follow(turn, line)
        self._save(turn, line)

    def _changed(self, turn: Turn, line: CalendarLine, entry: CalendarEntry) -> None:
        came_back, line.withdrawn = line.withdrawn, False
        line.entry = entry
        line.missing_answers, line.missing_since_ns = 0, None
        line.schedule = (*line.schedule, ScheduleChange(noted_at_ns=turn.now_ns, opens_at_ns=entry.opens_at_ns))
        turn.note(
            "calendar_changed",
            asset=entry.asset,
            opens_at=iso_from_ns(entry.opens_at_ns) if entry.opens_at_ns else None,
            came_back=came_back,
        )
        self._follow(turn, line)
        self._save(turn, line)

    def _missing(self, turn: Turn, line: CalendarLine) -> None:
        opens_at_ns = line.entry.opens_at_ns
        if line.withdrawn or (opens_at_ns is not None and opens_at_ns <= turn.venue_now_ns):
            return  # the venue drops entries some days after their time; that is no withdrawal
        line.missing_answers += 1
        line.missing_since_ns = line.missing_since_ns or turn.now_ns
        if line.missing_answers < WITHDRAWN_ANSWERS or turn.now_ns - line.missing_since_ns < WITHDRAWN_NS:
            return
        line.withdrawn = True
        turn.note("calendar_withdrawn", asset=line.entry.asset)
        listing = self._state.active.get(line.symbol) if line.symbol else None
        if listing is not None and listing.phase in (Phase.SIGNALED, Phase.SCHEDULED):
            self._listings.withdraw(turn, withdraw(listing, now_ns=turn.now_ns))
        self._save(turn, line)

    def _follow(self, turn: Turn, line: CalendarLine) -> None:
        """Tie the entry to its listing, opening one where the pair does not trade yet."""
        state, entry = self._state, line.entry
        symbol = self._symbol_of(entry)
        if symbol not in state.active:
            known = state.baseline.get(symbol)
            if known is not None and (known.in_default_symbols or known.api_trading):
                return  # the pair trades; the entry is about something else or over
            row = state.instruments.get(symbol)
            self._listings.begin(
                turn,
                symbol,
                SignalKind.CALENDAR,
                unseen_until_ns=turn.now_ns,
                after_gap=False,
                base=row.base if row else entry.asset,
                quote=row.quote if row else ASSUMED_QUOTE,
                full_name=entry.full_name,
            )
            if row is not None:
                self._listings.describe(turn, symbol, row)
        line.symbol = symbol
        self._listings.identify(turn, symbol, coin_id=entry.coin_id)
        listing = reschedule(state.active[symbol], entry.opens_at_ns, noted_at_ns=turn.now_ns)
        turn.put(listing)
        opens = iso_from_ns(entry.opens_at_ns) if entry.opens_at_ns else "to be determined"
        self._listings.hear(turn, symbol, SignalKind.CALENDAR, evidence=f"opens {opens}")

    def _symbol_of(self, entry: CalendarEntry) -> Symbol:
        by_coin = [k for k in self._state.baseline.with_coin_id(entry.coin_id) if k.quote == ASSUMED_QUOTE]
        if by_coin:
            return by_coin[0].symbol
        return Symbol(f"{entry.asset}{ASSUMED_QUOTE}")

    def _save(self, turn: Turn, line: CalendarLine) -> None:
        listing = self._state.active.get(line.symbol) if line.symbol else None
        turn.entry(
            CalendarChanged(
                entry=line.entry,
                first_seen_ns=line.first_seen_ns,
                schedule=line.schedule,
                withdrawn=line.withdrawn,
                listing_id=listing.id if listing else None,
            )
        )
