"""What the engine asks of the world. The runtime carries effects out in order, after `handle` has returned."""

from typing import Any

import msgspec

from mexc_sniper.core.values import Symbol
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.model.events import SourceName


class Record(msgspec.Struct, frozen=True):
    """Write entries to the ledger, in one transaction."""

    entries: tuple[LedgerEntry, ...]


class Watch(msgspec.Struct, frozen=True):
    """Stream quotes and trades of a symbol."""

    symbol: Symbol


class Unwatch(msgspec.Struct, frozen=True):
    """Stop streaming a symbol."""

    symbol: Symbol


class ProbeAge(msgspec.Struct, frozen=True):
    """Ask for a symbol's oldest candles."""

    symbol: Symbol


class ExpectOpenings(msgspec.Struct, frozen=True):
    """Tell the gateway which openings lie ahead (our wall clock, ascending)."""

    opens_at_ns: tuple[int, ...]


class Refresh(msgspec.Struct, frozen=True):
    """Poll a source as soon as the budget allows."""

    source: SourceName


class StartGateway(msgspec.Struct, frozen=True):
    """Start listening and polling."""


class StopGateway(msgspec.Struct, frozen=True):
    """Stop listening and polling."""


class Note(msgspec.Struct, frozen=True):
    """Something the log (and a counter) should know; ``name`` is the log event."""

    name: str
    fields: dict[str, Any]


Effect = Record | Watch | Unwatch | ProbeAge | ExpectOpenings | Refresh | StartGateway | StopGateway | Note
