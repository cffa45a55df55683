"""How strict the paper venue is. The defaults are the pessimistic ones: a dry-run should flatter nobody."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.values import Asset
from mexc_sniper.model.instrument import PriceBand

MAX_OPEN_ORDERS = 500
"""The venue's own bound on one account; the next order is refused with 30029."""
MAX_REMEMBERED = 2_000
"""Ended orders kept for look-ups; the oldest are forgotten first."""

MAX_BOOKS = 1_000
"""Books kept; far more than symbols are ever watched at once."""


class Fault(StrEnum):
    """What can go wrong between here and the venue (FIELD 4.4, row 5); rehearsed on paper, on purpose or by chance."""

    NOT_SENT = "not_sent"
    """No connection: no byte leaves."""
    BUSY = "busy"
    """429: refused without a look."""
    LOST_BEFORE = "lost_before"
    """The connection dies and the order never arrives."""
    LOST_AFTER = "lost_after"
    """The connection dies and the order arrives all the same."""


class FaultOdds(msgspec.Struct, frozen=True, kw_only=True):
    """How often a fault strikes a submit, 0 to 1 each; the sum must not exceed 1."""

    not_sent: float = 0.0
    busy: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0


class LatencyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time between submit and the book comes from.

    Measured round trips of the live gateway are drawn from once there are ``min_samples`` of them; before that
    ``default_ns`` ± ``jitter_ns``. ``stress`` multiplies either: 1 is the base case, 3 the stressed one.
    """

    default_ns: int = 60 * NS_PER_MS
    jitter_ns: int = 20 * NS_PER_MS
    min_samples: int = 20
    stress: int = 1


class PaperOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may tune about paper fills. Fractions are of one (0.05 is five percent)."""

    start_quote: Decimal = Decimal(10_000)
    """Paper money of each quote asset at the very first start."""
    quote_assets: tuple[Asset, ...] = (Asset("USDT"),)
    latency: LatencyOptions = msgspec.field(default_factory=LatencyOptions)
    max_book_age_ns: int = 10 * NS_PER_S
    """A book nobody has confirmed for this long fills nothing."""
    queue_share: Decimal = Decimal("0.5")
    """The share of the best level that is ours to take; others are faster for the rest."""
    market_cap: Decimal = Decimal("0.05")
    """How far from the last price a market order trades (REFERENCE 1.8)."""
    range_band: PriceBand = PriceBand(Decimal("0.2"), Decimal("0.2"))
    """How far outside the day's range a fill is believed, for instruments that name no band of their own."""
    taker_fee: Decimal = Decimal("0.0005")
    """For instruments that name none (REFERENCE 4.5)."""
    maker_fee: Decimal = Decimal(0)
    faults: FaultOdds = msgspec.field(default_factory=FaultOdds)

    @property
    def starting_totals(self) -> dict[Asset, Decimal]:
        """The account's money at the very first start."""
        return dict.fromkeys(self.quote_assets, self.start_quote)
