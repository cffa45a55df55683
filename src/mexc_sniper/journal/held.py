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

    @property
    def durable(self) -> bool:
        return bool(self.flags & Flag.DURABLE)

    def same_order(self, other: OrderIntent) -> bool:
        """Whether ``other`` would put the same order at the venue; when and why it was decided may differ."""
        mine = self.intent
        return (
            mine.account is other.account
            and mine.symbol == other.symbol
            and mine.side is other.side
            and mine.role is other.role
            and mine.type is other.type
            and mine.quantity == other.quantity
            and mine.quote_quantity == other.quote_quantity
            and mine.price == other.price
            and mine.worst_notional >= other.worst_notional
        )
