"""What the engine asks of the world. The runtime carries effects out in order, after `handle` has returned."""

from typing import Any

import msgspec

from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.model.events import LookUpKind, SourceName
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.order import Approved, Order


class Record(msgspec.Struct, frozen=True):
    """Write entries to the ledger, in one transaction."""

    entries: tuple[LedgerEntry, ...]


class Watch(msgspec.Struct, frozen=True):
    """Stream quotes, trades and visible levels of a symbol."""

    symbol: Symbol


class Unwatch(msgspec.Struct, frozen=True):
    """Stop streaming a symbol."""

    symbol: Symbol


class ProbeAge(msgspec.Struct, frozen=True):
    """Ask for a symbol's oldest candles."""

    symbol: Symbol


class ReadBook(msgspec.Struct, frozen=True):
    """Ask for a symbol's book once: it may not have moved for long. Answered by a `BookSeen`, or not at all."""

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


class Prepare(msgspec.Struct, frozen=True):
    """Journal these intents with fsync, build and sign their requests ahead, keep connections warm."""

    symbol: Symbol
    approved: tuple[Approved, ...]


class Unprepare(msgspec.Struct, frozen=True):
    """Throw prepared requests of a symbol away; their intents end as NOT_SENT."""

    symbol: Symbol


class FireAt(msgspec.Struct, frozen=True):
    """Send an `OpeningReached` at this wall time (ns), to some microseconds; replaces what was asked for the pair.

    `Unprepare` takes it back.
    """

    symbol: Symbol
    wall_ns: int


class HushPolls(msgspec.Struct, frozen=True):
    """Begin no heavy poll before this wall time (ns)."""

    until_ns: int


class Submit(msgspec.Struct, frozen=True):
    """Send an order now: gate, throttle, journal, socket, in this order and without waiting in between."""

    approved: Approved


class CancelOrder(msgspec.Struct, frozen=True):
    """Ask the venue to cancel; repeated by the engine until an end is seen."""

    order: Order


class LookUp(msgspec.Struct, frozen=True):
    """Ask the venue for one order; answered by one `OrderLookedUp`."""

    order: Order
    kind: LookUpKind


class ReadFills(msgspec.Struct, frozen=True):
    """Ask for the executions of one order; answered by `FillsReported`, or not at all if the venue fails."""

    order: Order


class Sweep(msgspec.Struct, frozen=True):
    """Compare with the venue: open orders, recent orders of these symbols, these orders each by itself, balances;
    answered by `VenueSwept`."""

    account: Account
    symbols: tuple[Symbol, ...]
    orders: tuple[Order, ...] = ()


class WakeAt(msgspec.Struct, frozen=True):
    """Send a `Ticked` at this wall time (ns) at the latest."""

    wall_ns: int


class SetGate(msgspec.Struct, frozen=True):
    """Tell the runtime which generation of the gate is in force and why entries are denied, if they are.

    The runtime compares it before the write.
    """

    gate: Gate
    account: Account


class LiftLatch(msgspec.Struct, frozen=True):
    """A person has resumed: the kill switch's file goes, so that entries may leave and a new life does not stop."""


class Note(msgspec.Struct, frozen=True):
    """Something the log (and a counter) should know; ``name`` is the log event."""

    name: str
    fields: dict[str, Any]


Effect = (
    Record
    | Watch
    | Unwatch
    | ProbeAge
    | ReadBook
    | ExpectOpenings
    | Refresh
    | StartGateway
    | StopGateway
    | Prepare
    | Unprepare
    | FireAt
    | HushPolls
    | Submit
    | CancelOrder
    | LookUp
    | ReadFills
    | Sweep
    | WakeAt
    | SetGate
    | LiftLatch
    | Note
)
