"""What the paper venue knows of one order, and how it says so."""

from dataclasses import dataclass, field
from decimal import Decimal

from mexc_sniper.core.ids import VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Quantity
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import VenueOrder
from mexc_sniper.model.market import Side, Stamp
from mexc_sniper.model.order import TERMINAL, ExecutionReport, Fill, OrderIntent, OrderStatus, ReportSource

ZERO = Decimal(0)


@dataclass(slots=True)
class PaperOrder:
    """One order at the paper venue; ``status`` SUBMITTED means it is still on its way there."""

    intent: OrderIntent
    created_ns: int
    status: OrderStatus = OrderStatus.SUBMITTED
    venue_order_id: VenueOrderId | None = None
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)
    fees: tuple[Decimal, Decimal] | None = None
    """Taker and maker rate a buy's reservation was made with; a sell pays the rates of the moment."""
    ahead: Decimal | None = None
    """Quantity that stands before a resting order at its price; None: not looked at yet (after a restart)."""
    rests_since_ns: int = 0
    """Venue time at which it began to rest: trades before that are not its."""
    code: int | None = None
    text: str = ""
    reason: Reason | None = None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def resting(self) -> bool:
        return self.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)

    @property
    def known(self) -> bool:
        """Whether the venue can show it: it arrived and was taken in."""
        return self.status not in (
            OrderStatus.SUBMITTED,
            OrderStatus.REJECTED,
            OrderStatus.NOT_SENT,
            OrderStatus.NEVER_ARRIVED,
        )

    @property
    def left(self) -> Quantity:
        """What of an order by quantity is not filled."""
        return Quantity((self.intent.quantity or ZERO) - self.filled)

    @property
    def share_filled(self) -> str:
        """How much of what was wanted is filled, in words."""
        wanted, got = self.intent.quote_quantity, self.filled_quote
        if wanted is None:
            wanted, got = self.intent.quantity or ZERO, self.filled
        return f"{got / wanted * 100:.1f} % filled" if wanted else "nothing wanted"

    @property
    def faces(self) -> Side:
        """The resting side it trades against: a buy faces the sellers."""
        return Side.SELL if self.intent.side is Side.BUY else Side.BUY

    def report(
        self, stamp: Stamp, *, source: ReportSource = ReportSource.PAPER, sent_mono_ns: int | None = None
    ) -> ExecutionReport:
        """State where the order stands."""
        return ExecutionReport(
            stamp=stamp,
            account=Account.PAPER,
            client_order_id=self.intent.client_order_id,
            status=self.status,
            source=source,
            venue_order_id=self.venue_order_id,
            filled_quantity=Quantity(self.filled),
            filled_quote=self.filled_quote,
            code=self.code,
            text=self.text,
            reason=self.reason,
            sent_mono_ns=sent_mono_ns,
        )

    def listed(self, stamp: Stamp) -> VenueOrder:
        """Show the order as a list of the venue would."""
        return VenueOrder(
            symbol=self.intent.symbol,
            client_order_id=self.intent.client_order_id,
            report=self.report(stamp, source=ReportSource.QUERY),
            side=self.intent.side.value,
            price=self.intent.price,
            quantity=self.intent.quantity,
            created_ns=self.created_ns,
        )
