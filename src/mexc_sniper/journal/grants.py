"""Grants: fsynced budgets for orders whose own record is written but not yet fsynced when they leave (DESIGN 2).

A power cut can make such orders unknown to us; it can not make them more, or dearer, than the grant. Only live orders
draw: what the paper venue does is in the ledger, in one commit with its effects.
"""

from decimal import Decimal

import msgspec

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.model.account import Account
from mexc_sniper.model.order import OrderIntent, OrderType

ZERO = Decimal(0)

_NEVER_RESTS = frozenset({OrderType.MARKET, OrderType.IOC, OrderType.FOK})


class GrantLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be lost from sight at most; the rest of a grant never exceeds it. Notional in quote asset."""

    entries: int = 20
    exits: int = 100
    notional_per_entry: Decimal = Decimal(500)
    notional: Decimal = Decimal(2000)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums since the life began."""

    entries: int = 0
    exits: int = 0
    notional: Decimal = ZERO
    """Of entries, at their worst."""

    def plus(self, other: "Totals") -> "Totals":
        return Totals(
            entries=self.entries + other.entries,
            exits=self.exits + other.exits,
            notional=self.notional + other.notional,
        )

    def less(self, other: "Totals") -> "Totals":
        """Take away; what is more than there was leaves nothing."""
        return Totals(
            entries=max(0, self.entries - other.entries),
            exits=max(0, self.exits - other.exits),
            notional=max(ZERO, self.notional - other.notional),
        )

    def at_least(self, other: "Totals") -> "Totals":
        return Totals(
            entries=max(self.entries, other.entries),
            exits=max(self.exits, other.exits),
            notional=max(self.notional, other.notional),
        )

    @property
    def nothing(self) -> bool:
        return self.entries == 0 and self.exits == 0


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a GRANT record: all that was ever granted in this life, and what was drawn when it was written.

    Fsyncing it fsyncs every record before it, so the draws it counts can not be lost any more.
    """

    granted: Totals
    drawn: Totals


def draw_of(intent: OrderIntent) -> Totals | None:
    """What an unfsynced intent takes from the grant; None: nothing, because no real order leaves.

    Raises:
        InvariantError: an entry that could rest at the venue unseen must be journaled durably.
    """
    if intent.account is not Account.LIVE:
        return None
    if intent.role.reduces_risk:
        return Totals(exits=1)
    if intent.type not in _NEVER_RESTS:
        raise InvariantError(
            f"order {intent.client_order_id}: a {intent.type} entry may rest, so its intent must be fsynced first"
        )
    return Totals(entries=1, notional=intent.worst_notional)


class Budget:
    """The grant in memory. Not thread-safe: the journal's lock guards it."""

    def __init__(self, limits: GrantLimits | None) -> None:
        """``limits`` None grants nothing: no unprepared live order can leave."""
        self.limits = limits
        self.granted = Totals()
        self.drawn = Totals()

    def covers(self, intent: OrderIntent, draw: Totals) -> bool:
        """Whether a draw is within what is granted."""
        if self.limits is None or (draw.entries and intent.worst_notional > self.limits.notional_per_entry):
            return False
        after = self.drawn.plus(draw)
        if draw.exits:
            return after.exits <= self.granted.exits
        return after.entries <= self.granted.entries and after.notional <= self.granted.notional

    @property
    def low(self) -> bool:
        """Whether half of a grant is used up."""
        if self.limits is None:
            return False
        rest = self.granted.less(self.drawn)
        return (
            rest.entries * 2 <= self.limits.entries
            or rest.exits * 2 <= self.limits.exits
            or rest.notional * 2 <= self.limits.notional
        )

    def renewal(self) -> Grant:
        """The grant that would make the rest whole again; in force only once `renewed`."""
        if self.limits is None:
            return Grant(granted=self.granted, drawn=self.drawn)
        whole = Totals(entries=self.limits.entries, exits=self.limits.exits, notional=self.limits.notional)
        return Grant(granted=self.drawn.plus(whole), drawn=self.drawn)

    def renewed(self, grant: Grant) -> None:
        """The grant is on the disk: draws may use it."""
        self.granted = grant.granted
