"""What a start finds in the ledger: everything the engine's state needs to go on."""

import msgspec

from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.health import MonitorState
from mexc_sniper.model.listing import CalendarEntry, KnownSymbol, Listing, ScheduleChange


class RestoredCalendarLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the stored calendar with the history of its time."""

    entry: CalendarEntry
    first_seen_ns: int
    schedule: tuple[ScheduleChange, ...]
    withdrawn: bool


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's contents as the engine wants them; all empty on a first start."""

    symbols: tuple[KnownSymbol, ...] = ()
    listings: tuple[Listing, ...] = ()
    """Those still PENDING or whose symbol may still be watched (opened within the last hour), injected ones not."""
    calendar: tuple[RestoredCalendarLine, ...] = ()
    monitor: MonitorState | None = None
    config: ConfigVersion | None = None
    finished_commands: frozenset[str] = frozenset()
    """Ids of commands answered within the last day."""
    listings_detected: int = 0
    """How many listings of kind ``new`` the ledger holds."""
