"""Whose money: the paper account or the live one. An order and a position keep theirs for life (DESIGN 1, 4.1)."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mexc_sniper.core.values import Asset


class Account(StrEnum):
    """PAPER is what the page calls dry-run."""

    PAPER = "paper"
    LIVE = "live"


class Balance(msgspec.Struct, frozen=True):
    """One asset of one account; ``locked`` is tied up in resting orders."""

    account: Account
    asset: Asset
    free: Decimal
    locked: Decimal


class TradingState(StrEnum):
    """What is allowed now (DESIGN 4.1, STYLE 6): ACTIVE all, REDUCING exits and cancels, HALTED cancels only."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"
