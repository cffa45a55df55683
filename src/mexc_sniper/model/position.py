"""Holdings from our own fills, and the plan to get out of them."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mexc_sniper.core.ids import ListingId, PositionId
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account

ZERO = Decimal(0)


class PositionStatus(StrEnum):
    """From fills only. Dust below the venue's minimum stays visible as CLOSED_WITH_DUST and is never retried."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    CLOSED_WITH_DUST = "closed_with_dust"


class TakeProfitLeg(msgspec.Struct, frozen=True):
    """Sell ``quantity`` at ``price`` or better; ``done`` once an order for it has left."""

    price: Price
    quantity: Quantity
    done: bool = False


class ExitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Barriers around a position; prices are on the instrument's grid. Made when the entry fills."""

    take_profit: tuple[TakeProfitLeg, ...] = ()
    stop_price: Price | None = None
    trailing_bps: int = 0
    """How far below its peak the trailing stop lies; 0: none."""
    trailing_armed_at: Price | None = None
    """The price at which the trailing stop begins to follow; None: at once."""
    deadline_ns: int | None = None
    """Wall time of the time exit."""
    resting: bool = False
    """The ladder waits at the venue as limit orders; every other way out cancels them first."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One holding, first fill to end. Money in quote asset; ``quantity`` is what is left to sell."""

    id: PositionId
    account: Account
    symbol: Symbol
    base: Asset
    quote: Asset
    status: PositionStatus = PositionStatus.OPEN
    listing_id: ListingId | None = None
    quantity: Quantity = Quantity(ZERO)
    bought_quantity: Quantity = Quantity(ZERO)
    sold_quantity: Quantity = Quantity(ZERO)
    cost: Decimal = ZERO
    """Paid for all bought, fees in quote included."""
    proceeds: Decimal = ZERO
    """Got for all sold, fees in quote taken off."""
    fees: dict[str, str] = msgspec.field(default_factory=dict)
    """Fee by asset, decimal text."""
    entry_price: Price | None = None
    plan: ExitPlan | None = None
    peak_price: Price | None = None
    trailing_armed: bool = False
    mark_price: Price | None = None
    manual_exit_needed: str = ""
    """Why the venue lets us not out; empty while it does."""
    exit_role: str = ""
    """What began to close it (OrderRole), once something did."""
    opened_ns: int = 0
    closed_ns: int | None = None
    config_version: int = 0

    @property
    def closed(self) -> bool:
        return self.status in (PositionStatus.CLOSED, PositionStatus.CLOSED_WITH_DUST)

    @property
    def remaining_cost(self) -> Decimal:
        """What the unsold part cost, in quote asset."""
        if self.bought_quantity <= 0:
            return ZERO
        return self.cost * self.quantity / self.bought_quantity

    @property
    def realized_pnl(self) -> Decimal:
        """Profit of what was sold, in quote asset."""
        return self.proceeds - (self.cost - self.remaining_cost)
