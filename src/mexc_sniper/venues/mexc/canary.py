"""One tiny round trip with real money, to measure what no document tells (DESIGN 8, ``doctor --canary``).

Buys for little more than the minimum, watches how soon the order can be read and what its executions say, sells what
it got. Every order goes through the same gateway as the engine's; nothing is sent twice, and whatever could not be
sold is told in the report.
"""

import asyncio
import contextlib
from collections.abc import Callable
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.ids import ClientOrderId, IntentId, client_order_id, intent_id
from mexc_sniper.core.precision import average_price, order_quantity, quote_amount
from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.model.events import (
    Event,
    FillsReported,
    GateSignaled,
    LookUpKind,
    OrderLookedUp,
    OrderReported,
    PrivateStreamChanged,
    VenueSwept,
)
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import (
    TERMINAL,
    Approved,
    ExecutionReport,
    Fill,
    Order,
    OrderIntent,
    OrderRole,
    OrderStatus,
    OrderType,
    ReportSource,
)
from mexc_sniper.ports import Clock, OrderGateway

MARGIN = Decimal("1.5")
"""The buy is this many minimums, so that what it bought can still be sold after fee, rounding and a falling price."""
_READY_S = 15.0
_END_S = 45.0
"""recvWindow, and the 25 s for which an order taken in may be unreadable, and some (RELIABILITY 3.3)."""
_ASK_EVERY_S = 0.02
_ASK_SLOWLY_S = 0.5
_FILLS_S = 20.0
_SELLS = 3
_ZERO = Decimal(0)
_S = OrderStatus


class Leg(msgspec.Struct, kw_only=True):
    """One order and what was measured on it; ms from the instant its bytes were handed to the socket."""

    side: str
    client_order_id: str
    status: str = ""
    text: str = ""
    ack_ms: float | None = None
    readable_ms: float | None = None
    """When GET order by client id first knew it."""
    stream_order_ms: float | None = None
    stream_fill_ms: float | None = None
    filled_quantity: Decimal = _ZERO
    filled_quote: Decimal = _ZERO
    average_price: Decimal | None = None
    fees: dict[str, Decimal] = msgspec.field(default_factory=dict)
    same_trade_ids: bool | None = None
    """Whether stream and REST name executions alike: fills are told apart by these names. None: not both seen."""


class CanaryReport(msgspec.Struct, kw_only=True):
    """What the round trip showed; ``left`` is what of the coin is still held because of it."""

    symbol: str
    legs: list[Leg] = msgspec.field(default_factory=list)
    left: Decimal = _ZERO
    problems: list[str] = msgspec.field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it was bought, sold and understood."""
        return not self.problems and len(self.legs) >= 2

    @property
    def cost(self) -> Decimal:
        """What it cost in quote asset, without fees taken in other assets."""
        return sum((leg.filled_quote if leg.side == "buy" else -leg.filled_quote for leg in self.legs), _ZERO)


class Canary:
    """One run. ``approve`` is the risk manager's word for each intent; the canary approves nothing itself."""

    def __init__(
        self,
        gateway: OrderGateway,
        clock: Clock,
        instrument: Instrument,
        *,
        approve: Callable[[OrderIntent], Approved | None],
        record: Callable[[OrderIntent], None],
        epoch: int = 0,
    ) -> None:
        """``record`` must have journaled the intent when it returns: no order may exist that nobody wrote down."""
        self._gateway = gateway
        self._clock = clock
        self._instrument = instrument
        self._approve = approve
        self._record = record
        self._epoch = epoch
        self._cause = f"canary:{clock.wall_ns()}"
        self._events: list[Event] = []

    async def run(self) -> CanaryReport:
        """Buy, measure, sell. Never raises for what the venue does; ``problems`` tells."""
        report = CanaryReport(symbol=str(self._instrument.symbol))
        running = asyncio.ensure_future(self._gateway.run(self._events.append))
        try:
            await self._round_trip(report, running)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        return report

    async def _round_trip(self, report: CanaryReport, running: "asyncio.Future[None]") -> None:
        rules = self._instrument
        minimum = max(rules.min_notional_market, rules.min_notional_limit, Decimal(1))
        amount = quote_amount(minimum * MARGIN, rules.price_decimals)
        if not await self._until(lambda: running.done() or self._is_ready(), _READY_S) or running.done():
            report.problems.append("No connection or private stream came up in time; nothing was sent.")
            return
        held = await self._free(rules.quote)
        if held is None or held < amount:
            report.problems.append(f"{amount} {rules.quote} are needed and {held} are free; nothing was sent.")
            return
        bought = await self._leg(report, self._intent(Side.BUY, 0, quote_quantity=amount))
        if bought is None or bought.filled_quantity <= 0:
            return
        report.left = bought.filled_quantity - bought.fees.get(str(rules.base), _ZERO)
        for attempt in range(1, _SELLS + 1):
            quantity = order_quantity(report.left, rules.quantity_decimals)
            if quantity <= 0 or quantity < rules.min_quantity:
                break
            sold = await self._leg(report, self._intent(Side.SELL, attempt, quantity=quantity))
            if sold is None:
                break
            report.left -= sold.filled_quantity + sold.fees.get(str(rules.base), _ZERO)
            if sold.status == _S.FILLED.value:
                break
        if order_quantity(report.left, rules.quantity_decimals) > 0:
            report.problems.append(f"{report.left} {rules.base} are still held: sell them by hand.")

    async def _leg(self, report: CanaryReport, intent: OrderIntent) -> Leg | None:
        """Send one order and see it end; None when its end is not known (then nothing more may be sent)."""
        leg = Leg(side=intent.side.value, client_order_id=intent.client_order_id)
        report.legs.append(leg)
        approved = self._approve(intent)
        if approved is None:
            leg.status = "denied"
            report.problems.append(f"The {leg.side} was denied by our own limits.")
            return leg
        self._record(intent)
        self._gateway.submit(approved)
        await self._until(lambda: bool(self._reports(intent)), 1.0)
        sent_ns = next((r.sent_mono_ns for r in self._reports(intent) if r.sent_mono_ns is not None), None)
        if sent_ns is None:
            leg.status = _S.NOT_SENT.value
            report.problems.append(f"The {leg.side} did not leave: {self._last(intent).text}")
            return leg
        end = await self._see_end(intent, leg, sent_ns)
        self._measure(intent, leg, sent_ns)
        if end is None:
            leg.status = _S.IN_DOUBT.value
            known = max(self._reports(intent), key=lambda r: r.filled_quantity or _ZERO)
            leg.filled_quantity = known.filled_quantity or _ZERO
            report.problems.append(
                f"What became of the {leg.side} {leg.client_order_id} is not known: look at the venue first of all."
            )
            return None
        leg.status, leg.text = end.status.value, end.text
        if end.status is not _S.FILLED:
            report.problems.append(f"The {leg.side} ended as {leg.status}: {end.code or ''} {end.text}".rstrip(": "))
        if end.filled_quantity:
            await self._read_fills(report, intent, leg, end)
        return leg

    async def _see_end(self, intent: OrderIntent, leg: Leg, sent_ns: int) -> ExecutionReport | None:
        """Ask for the order until it has ended, quickly until it can be read."""
        give_up = sent_ns + int(_END_S * NS_PER_S)
        order = Order(intent=intent, status=_S.SUBMITTED, created_ns=self._clock.wall_ns())
        while self._clock.mono_ns() < give_up:
            ended = [r for r in self._reports(intent) if r.status in TERMINAL]
            if ended and (ended[-1].status is _S.REJECTED or leg.readable_ms is not None):
                best = max(ended, key=lambda r: (r.filled_quantity or _ZERO, r.source is ReportSource.QUERY))
                if best.status is _S.REJECTED or best.source is ReportSource.QUERY:
                    return best
            asked = len(self._events)
            self._gateway.look_up(order, LookUpKind.ORDER)
            await self._until(lambda: any(isinstance(e, OrderLookedUp) for e in self._events[asked:]), 5.0)  # noqa: B023
            for event in self._events[asked:]:
                if isinstance(event, OrderLookedUp) and event.found is not None:
                    if leg.readable_ms is None:
                        leg.readable_ms = _ms(event.stamp.mono_ns - sent_ns)
                    self._events.append(OrderReported(stamp=event.stamp, report=event.found))
                    break
            recent = self._clock.mono_ns() - sent_ns < NS_PER_S
            await self._clock.sleep(_ASK_EVERY_S if recent and leg.readable_ms is None else _ASK_SLOWLY_S)
        return None

    async def _read_fills(self, report: CanaryReport, intent: OrderIntent, leg: Leg, end: ExecutionReport) -> None:
        """Read executions until they add up to what the order says."""
        wanted = end.filled_quantity or Quantity(_ZERO)
        order = Order(intent=intent, status=end.status, venue_order_id=end.venue_order_id, filled_quantity=wanted)
        give_up = self._clock.mono_ns() + int(_FILLS_S * NS_PER_S)
        pushed = {fill.trade_id for fill in self._fills(intent)}
        read: dict[str, Fill] = {}
        while True:
            asked = len(self._events)
            self._gateway.read_fills(order)
            await self._until(lambda: any(isinstance(e, FillsReported) for e in self._events[asked:]), 2.0)  # noqa: B023
            answers = [e.fills for e in self._events[asked:] if isinstance(e, FillsReported)]
            # The answer to the question holds the whole order; a push holds one execution.
            whole = max(answers, key=len, default=())
            read |= {fill.trade_id: fill for fill in whole if fill.client_order_id == intent.client_order_id}
            if sum(fill.quantity for fill in read.values()) == wanted or self._clock.mono_ns() >= give_up:
                break
            await self._clock.sleep(_ASK_SLOWLY_S)
        leg.filled_quantity = wanted
        leg.filled_quote = end.filled_quote or _ZERO
        leg.average_price = average_price(leg.filled_quote, leg.filled_quantity)
        if sum(fill.quantity for fill in read.values()) != wanted:
            report.problems.append(
                f"The executions of the {leg.side} do not add up to {wanted}; if stream and REST name executions "
                "differently, fills would be counted twice."
            )
        for fill in read.values():
            if fill.fee:
                leg.fees[str(fill.fee_asset)] = leg.fees.get(str(fill.fee_asset), _ZERO) + fill.fee
        if pushed and read:
            leg.same_trade_ids = pushed <= read.keys()
            if not leg.same_trade_ids:
                report.problems.append("Stream and REST name executions differently: live trading would count twice.")

    def _measure(self, intent: OrderIntent, leg: Leg, sent_ns: int) -> None:
        for report in self._reports(intent):
            took = _ms(report.stamp.mono_ns - sent_ns)
            if report.source is ReportSource.ACK and leg.ack_ms is None:
                leg.ack_ms = took
            if report.source is ReportSource.STREAM and leg.stream_order_ms is None:
                leg.stream_order_ms = took
        for event in self._events:
            mine = isinstance(event, FillsReported) and any(
                fill.client_order_id == intent.client_order_id for fill in event.fills
            )
            if mine and leg.stream_fill_ms is None:
                leg.stream_fill_ms = _ms(event.stamp.mono_ns - sent_ns)

    async def _free(self, asset: Asset) -> Decimal | None:
        asked = len(self._events)
        self._gateway.sweep([self._instrument.symbol])
        await self._until(lambda: any(isinstance(e, VenueSwept) for e in self._events[asked:]), 10.0)
        for event in self._events[asked:]:
            if isinstance(event, VenueSwept) and not event.failed:
                return sum((b.free for b in event.balances if b.asset == asset), _ZERO)
        return None

    def _intent(
        self, side: Side, leg: int, *, quantity: Quantity | None = None, quote_quantity: Decimal | None = None
    ) -> OrderIntent:
        rules = self._instrument
        intent: IntentId = intent_id(self._cause, leg)
        name: ClientOrderId = client_order_id(self._gateway.account.value, self._epoch, intent, leg, 0)
        return OrderIntent(
            id=intent,
            client_order_id=name,
            account=self._gateway.account,
            symbol=rules.symbol,
            base=rules.base,
            quote=rules.quote,
            side=side,
            role=OrderRole.ENTRY if side is Side.BUY else OrderRole.MANUAL_CLOSE,
            type=OrderType.MARKET,
            quantity=quantity,
            quote_quantity=quote_quantity,
            worst_notional=quote_quantity or _ZERO,
            leg=leg,
            decided_ns=self._clock.wall_ns(),
        )

    def _is_ready(self) -> bool:
        lines = any(isinstance(e, GateSignaled) and not e.closed for e in self._events)
        stream = [e.connected for e in self._events if isinstance(e, PrivateStreamChanged)]
        return lines and bool(stream) and stream[-1]

    def _reports(self, intent: OrderIntent) -> list[ExecutionReport]:
        said = [event.report for event in self._events if isinstance(event, OrderReported)]
        return [report for report in said if report.client_order_id == intent.client_order_id]

    def _last(self, intent: OrderIntent) -> ExecutionReport:
        return self._reports(intent)[-1]

    def _fills(self, intent: OrderIntent) -> list[Fill]:
        said = [fill for event in self._events if isinstance(event, FillsReported) for fill in event.fills]
        return [fill for fill in said if fill.client_order_id == intent.client_order_id]

    async def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        give_up = self._clock.mono_ns() + int(seconds * NS_PER_S)
        while not done():
            if self._clock.mono_ns() >= give_up:
                return False
            await self._clock.sleep(0.005)
        return True


def _ms(ns: int) -> float:
    return round(ns / NS_PER_MS, 2)
