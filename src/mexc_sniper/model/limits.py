"""What bounds every entry: the gate of the moment, and the caps of the settings file."""

from decimal import Decimal

import msgspec

from mexc_sniper.core.reasons import Reason


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed at this moment; ``closed`` holds the reasons in force, the gravest first.

    ``generation`` counts its changes: an approval under another number is void.
    """

    generation: int
    closed: tuple[Reason, ...] = ()


class HardCaps(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the settings file that no configuration, session or token can exceed (quote asset)."""

    max_trade: Decimal
    max_position: Decimal
