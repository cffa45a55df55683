"""An intent the journal must not forget."""

import msgspec

from mexc_sniper.journal.record import Flag
from mexc_sniper.model.order import OrderIntent


class Held(msgspec.Struct):
    """An intent that is not settled, as it must be carried into the next file."""

    intent: OrderIntent
    payload: bytes
    epoch: int
    wall_ns: int
    flags: int
    mark: bytes = b""
    """The record that says it has left, made ahead for one that was written durably."""

    @property
    def durable(self) -> bool:
        return bool(self.flags & Flag.DURABLE)

    def covers(self, other: OrderIntent) -> bool:
        """Whether ``other`` would put the same order at the venue, at no greater cost."""
        return self.intent.same_order(other) and self.intent.worst_notional >= other.worst_notional
