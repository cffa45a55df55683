"""Orders: what we want, what was approved, what the venue says, and the table of allowed states (DESIGN 4.1)."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import ClientOrderId, CommandId, IntentId, ListingId, PositionId, VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side, Stamp

ZERO = Decimal(0)


class OrderType(StrEnum):
    """MEXC has no timeInForce: IOC and FOK are types of their own (REFERENCE 1.7)."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    IOC = "IMMEDIATE_OR_CANCEL"
    FOK = "FILL_OR_KILL"


class OrderRole(StrEnum):
    """Why the order exists; every role but ENTRY only reduces risk."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    TRAILING_STOP = "trailing_stop"
    TIME_EXIT = "time_exit"
    MANUAL_CLOSE = "manual_close"
    FLATTEN = "flatten"

    @property
    def reduces_risk(self) -> bool:
        return self is not OrderRole.ENTRY


class OrderStatus(StrEnum):
    """Where an order stands. CANCELED with a filled quantity holds coins (REFERENCE 1.7: PARTIALLY_CANCELED)."""

    INTENDED = "intended"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCEL_PENDING = "cancel_pending"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"
    NEVER_ARRIVED = "never_arrived"


_S = OrderStatus

TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.INTENDED: frozenset({_S.SUBMITTED, _S.NOT_SENT}),
    _S.SUBMITTED: frozenset(
        {_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.REJECTED, _S.IN_DOUBT, _S.NOT_SENT}
    ),
    _S.ACCEPTED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCEL_PENDING, _S.CANCELED, _S.EXPIRED}),
    _S.PARTIALLY_FILLED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCEL_PENDING, _S.CANCELED, _S.EXPIRED}),
    _S.CANCEL_PENDING: frozenset({_S.CANCELED, _S.FILLED, _S.PARTIALLY_FILLED, _S.ACCEPTED}),
    _S.IN_DOUBT: frozenset({_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.REJECTED, _S.NEVER_ARRIVED}),
    _S.FILLED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.NOT_SENT: frozenset(),
    _S.NEVER_ARRIVED: frozenset(),
}
"""The order table of DESIGN 4.1, with one addition: SUBMITTED → NOT_SENT, for a write that failed before its first
byte after the intent was marked as leaving."""

TERMINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
WITHOUT_TRACE = frozenset({_S.NOT_SENT, _S.REJECTED, _S.NEVER_ARRIVED})
"""Terminal states in which the venue holds no order of ours."""
RESTING = frozenset({_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.CANCEL_PENDING})


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What we want, before risk. Exactly one of ``quantity`` (base) and ``quote_quantity`` is set.

    ``worst_notional`` is what the order can cost at most in quote asset, fees included; limits count it until the
    order is settled.
    """

    id: IntentId
    client_order_id: ClientOrderId
    account: Account
    symbol: Symbol
    base: Asset
    quote: Asset
    side: Side
    role: OrderRole
    type: OrderType
    quantity: Quantity | None = None
    quote_quantity: Decimal | None = None
    price: Price | None = None
    worst_notional: Decimal = ZERO
    reference_price: Price | None = None
    attempt: int = 0
    leg: int = 0
    listing_id: ListingId | None = None
    position_id: PositionId | None = None
    command_id: CommandId | None = None
    config_version: int = 0
    decided_ns: int = 0
    trigger_mono_ns: int = 0
    """Monotonic instant of the frame that triggered it; tick-to-trade begins here. 0: no frame did."""
    good_until_ns: int = 0
    """Our wall time after which an entry that still waits for the rate limit has lost its point; 0: not told."""

    def same_order(self, other: "OrderIntent") -> bool:
        """Tell whether both would put the same order at the venue; when and why they were decided may differ."""
        return (
            self.client_order_id == other.client_order_id
            and self.account is other.account
            and self.symbol == other.symbol
            and self.side is other.side
            and self.role is other.role
            and self.type is other.type
            and self.quantity == other.quantity
            and self.quote_quantity == other.quote_quantity
            and self.price == other.price
        )

    @property
    def rests(self) -> bool:
        """Whether what is not filled at once waits at the venue. Ours that do are take-profits (DESIGN 2, 4.1)."""
        return self.type in (OrderType.LIMIT, OrderType.LIMIT_MAKER)


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """Our refusal: it never left the house. ``measured`` holds the value and the limit as text."""

    reason: Reason
    measured: dict[str, str] = msgspec.field(default_factory=dict)


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """An intent that passed risk: the only type an order gateway accepts.

    Made in `mexc_sniper.policy.risk` and nowhere else (tests/test_architecture.py looks). ``generation`` is the
    number of the gate it was approved under; a changed gate voids it.
    """

    intent: OrderIntent
    generation: int


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One of our executions. ``evidence`` says what it rests on: venue, book, trades (FIELD 4.4, row 10)."""

    trade_id: str
    client_order_id: ClientOrderId
    account: Account
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: Asset
    is_maker: bool
    ts_event_ns: int
    ts_recv_ns: int
    evidence: str = "venue"


class ReportSource(StrEnum):
    """Who told: the answer to the submit, the private stream, or a query (the judge, REFERENCE 4.6)."""

    ACK = "ack"
    STREAM = "stream"
    QUERY = "query"
    PAPER = "paper"
    LOCAL = "local"


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Any statement on one of our orders. Quantities are cumulative and never fall."""

    stamp: Stamp
    account: Account
    client_order_id: ClientOrderId
    status: OrderStatus
    source: ReportSource
    venue_order_id: VenueOrderId | None = None
    filled_quantity: Quantity | None = None
    filled_quote: Decimal | None = None
    code: int | None = None
    text: str = ""
    reason: Reason | None = None
    sent_mono_ns: int | None = None
    """Monotonic instant at which the order's bytes were handed to the socket."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands."""

    intent: OrderIntent
    status: OrderStatus = OrderStatus.INTENDED
    venue_order_id: VenueOrderId | None = None
    filled_quantity: Quantity = Quantity(ZERO)
    filled_quote: Decimal = ZERO
    reason: Reason | None = None
    code: int | None = None
    text: str = ""
    created_ns: int = 0
    submitted_ns: int | None = None
    signed_ts_ms: int | None = None
    """The timestamp it was signed with; with recvWindow the fence that makes "not found" a proof (RELIABILITY 3.3)."""
    acked_ns: int | None = None
    first_fill_ns: int | None = None
    ended_ns: int | None = None
    end_seen_ns: int | None = None
    settled_ns: int | None = None
    """The end was seen twice, 15 s apart; only then is the reservation released."""
    doubt_since_ns: int | None = None
    late_fills: int = 0
    tick_to_trade_ns: int | None = None
    round_trip_ns: int | None = None

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def settled(self) -> bool:
        return self.settled_ns is not None


def check_transition(order: Order, status: OrderStatus) -> None:
    """Refuse what the table does not know.

    Raises:
        InvariantError: naming both states and the order.
    """
    if status is not order.status and status not in TRANSITIONS[order.status]:
        raise InvariantError(
            f"order {order.intent.client_order_id}: {order.status} cannot become {status} (DESIGN 4.1, order table)"
        )
