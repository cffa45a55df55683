"""Decisions, the operator's view of trades, what may be traded now, and what needs a person."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mexc_sniper.core.ids import ClientOrderId, CommandId, IntentId, ListingId, PositionId, TradeId, VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderRole, OrderType

ZERO = Decimal(0)


class Trigger(StrEnum):
    """What made us decide to enter (DESIGN 4.1, guards by trigger)."""

    SCHEDULED = "scheduled"
    FIRST_QUOTE = "first_quote"
    FIRST_TRADE = "first_trade"
    SURPRISE = "surprise"
    MANUAL = "manual"
    EXIT = "exit"


class Guard(msgspec.Struct, frozen=True):
    """One check with what it measured and what it allows, as text; ``passed`` None: not asked for this trigger."""

    name: str
    passed: bool | None
    measured: str = ""
    limit: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One entry decision and every guard's measured value. ``reason`` None: it entered."""

    id: IntentId
    listing_id: ListingId | None
    symbol: Symbol
    account: Account
    trigger: Trigger
    decided_ns: int
    config_version: int
    guards: tuple[Guard, ...] = ()
    reason: Reason | None = None


class TradeStatus(StrEnum):
    """The operator's word for where a trade stands (DESIGN 4.1)."""

    PENDING = "pending"
    FILLED = "filled"
    PARTIALLY_FILLED = "partially_filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    HIGH_VALUE_PENDING = "high_value_pending"


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's view of one decision to buy or sell: what was wanted and what came of it.

    Latencies are ns: ``source_lag`` venue time → frame, ``tick_to_trade`` frame → bytes handed to the socket,
    ``round_trip`` send → ack, ``ack_to_fill``, ``open_to_order`` opening → send. None: does not apply or not known.
    """

    id: TradeId
    account: Account
    symbol: Symbol
    side: Side
    role: OrderRole
    type: OrderType | None
    status: TradeStatus
    created_ns: int
    updated_ns: int
    requested_quote: Decimal | None = None
    requested_quantity: Quantity | None = None
    quote_quantity: Decimal = ZERO
    base_quantity: Quantity = Quantity(ZERO)
    average_price: Price | None = None
    reference_price: Price | None = None
    slippage_bps: Decimal | None = None
    fee: Decimal = ZERO
    fee_asset: str = ""
    pnl: Decimal | None = None
    """Realized by this sell, quote asset; None for buys."""
    reason: Reason | None = None
    reason_detail: str = ""
    trigger: Trigger | None = None
    listing_id: ListingId | None = None
    position_id: PositionId | None = None
    command_id: CommandId | None = None
    client_order_id: ClientOrderId | None = None
    venue_order_id: VenueOrderId | None = None
    attempts: int = 0
    config_version: int = 0
    evidence: str = ""
    """What a paper fill rests on: book, trades, none; ``venue`` for live."""
    source_lag_ns: int | None = None
    tick_to_trade_ns: int | None = None
    round_trip_ns: int | None = None
    ack_to_fill_ns: int | None = None
    open_to_order_ns: int | None = None
    confirm_until_ns: int | None = None
    """For HIGH_VALUE_PENDING: until when the operator may confirm it."""


class PinState(StrEnum):
    """Whether the key in use belongs to the account that was armed first."""

    NONE = "none"
    """Never armed: the first arming pins the account."""
    SAME = "same"
    OTHER = "other"
    """Arming is refused until a person says that the new account is meant."""
    UNKNOWN = "unknown"
    """Another key, and the venue does not tell whose: treated as another account."""


class AccountPin(msgspec.Struct, frozen=True, kw_only=True):
    """The account live entries were armed for: its number at the venue, and the key it was reached by."""

    uid: str | None
    """None: the venue did not tell; then only the same key counts as the same account."""
    fingerprint: str
    since_ns: int


class TradingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed now, who said so, and until when live entries are armed. Survives restarts."""

    state: TradingState = TradingState.HALTED
    reason: str = ""
    actor: str = ""
    since_ns: int = 0
    latched: bool = False
    """A person must resume; self-clearing gates are not latched."""
    flatten: bool = False
    """Everything held is to be sold, what an entry on its way may still bring included; until resumed."""
    armed_until_ns: int | None = None
    armed_by: str = ""
    gates: tuple[str, ...] = ()
    """Self-clearing reasons that deny live entries right now, in words."""
    reconciled: bool = False
    """The venue's orders, fills and balances were equal to ours in this life."""
    key_fit: bool | None = None
    """Whether the key passed its checks in this life; None: not tried yet, or no live account."""
    canary_passed_ns: int | None = None
    """When a canary passed with this key at this venue; None: never, and arming is refused."""
    pin: AccountPin | None = None
    """The account that live entries were first armed for."""
    pinned: PinState = PinState.NONE
    """How the key in use stands to it."""


class AttentionKind(StrEnum):
    """What only a person can end."""

    DISCREPANCY = "discrepancy"
    IN_DOUBT = "in_doubt"
    MANUAL_EXIT = "manual_exit"
    FOREIGN_ORDER = "foreign_order"
    LONG_ABSENCE = "long_absence"


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that needs a person, until resolved."""

    id: str
    kind: AttentionKind
    account: Account
    symbol: Symbol | None
    text: str
    """What is wrong and what to do, in a sentence or two."""
    raised_ns: int
    client_order_id: ClientOrderId | None = None
    position_id: PositionId | None = None
    resolved_ns: int | None = None
    resolved_by: str = ""
    resolution: str = ""
