"""What the engine writes down: everything the ledger accepts. One entry is one state row and, mostly, one event.

The writer gives every event the next number; consumers refuse any number but the next.
"""

from typing import ClassVar

import msgspec

from mexc_sniper.core.ids import ListingId
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.health import Component, MonitorState
from mexc_sniper.model.listing import CalendarEntry, KnownSymbol, Listing, ListingSignal, ScheduleChange


class ListingChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace a listing's row; event ``listing_changed`` with the whole listing."""

    event: ClassVar[str | None] = "listing_changed"
    durable: ClassVar[bool] = False
    listing: Listing


class SignalReceived(msgspec.Struct, frozen=True, kw_only=True):
    """Append one line to a listing's timeline; event ``signal_received``."""

    event: ClassVar[str | None] = "signal_received"
    durable: ClassVar[bool] = False
    listing_id: ListingId
    signal: ListingSignal


class SymbolsLearned(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace lines of the baseline; no event."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    symbols: tuple[KnownSymbol, ...]


class CalendarChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace one calendar line with the history of its time; event ``calendar_changed``."""

    event: ClassVar[str | None] = "calendar_changed"
    durable: ClassVar[bool] = False
    entry: CalendarEntry
    first_seen_ns: int
    schedule: tuple[ScheduleChange, ...]
    withdrawn: bool = False
    listing_id: ListingId | None = None


class ComponentChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a component's row; event ``component_changed``."""

    event: ClassVar[str | None] = "component_changed"
    durable: ClassVar[bool] = False
    component: Component


class MonitorChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the monitor's row; event ``monitor_changed``. Durable: the wanted state survives a power cut."""

    event: ClassVar[str | None] = "monitor_changed"
    durable: ClassVar[bool] = True
    state: MonitorState


class ComponentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a component's row because only its figures moved; no event (they move every few seconds)."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    component: Component


class MonitorProgressed(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the monitor's row because only its last event's time moved; no event."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    state: MonitorState


class CommandFinished(msgspec.Struct, frozen=True, kw_only=True):
    """Append a command's result; event ``command_finished``. Durable: a command is done once."""

    event: ClassVar[str | None] = "command_finished"
    durable: ClassVar[bool] = True
    result: CommandResult


class ConfigChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Append a configuration version; event ``config_changed``."""

    event: ClassVar[str | None] = "config_changed"
    durable: ClassVar[bool] = True
    version: ConfigVersion


LedgerEntry = (
    ListingChanged
    | SignalReceived
    | SymbolsLearned
    | CalendarChanged
    | ComponentChanged
    | ComponentFigures
    | MonitorChanged
    | MonitorProgressed
    | CommandFinished
    | ConfigChanged
)
