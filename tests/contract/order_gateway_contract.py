"""What every `ports.OrderGateway` owes the engine, paper and live alike.

Each function is one promise and takes a harness: a gateway that runs against a venue with a market for one symbol.
The test file of a gateway calls every function of `CONTRACT` with a fresh harness.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Protocol

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.values import Quantity
from mexc_sniper.model.events import (
    Event,
    FillsReported,
    LookUpKind,
    OrderLookedUp,
    OrderReported,
    VenueSwept,
)
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import (
    TERMINAL,
    Approved,
    ExecutionReport,
    Fill,
    Order,
    OrderStatus,
)
from mexc_sniper.ports import OrderGateway

S = OrderStatus


class GatewayHarness(Protocol):
    """A running gateway and a venue with a market; nothing of it is shared between two promises.

    The account holds enough quote asset for every order made here. ``asks`` are deep enough to fill one buy at once.
    """

    gateway: OrderGateway
    events: list[Event]
    """Everything the gateway emitted, in order."""

    def approved(self, *, rests: bool) -> Approved:
        """Return a fresh buy with its own client order id: a market order that fills at once, or a LIMIT far below
        the market that waits."""
        ...

    async def until(self, done: Callable[[], bool], *, seconds: float) -> None:
        """Let time pass until ``done()``; fail the test when it never is within ``seconds`` of the gateway's clock."""
        ...

    async def pause(self, seconds: float) -> None:
        """Let time pass; whatever is going to be said within it has been said when this returns."""
        ...

    def prevent_next_send(self) -> None:
        """Make the next submit fail before its first byte leaves."""
        ...

    def orders_at_venue(self, client_order_id: ClientOrderId) -> int:
        """Return how many orders the venue has ever taken in under a client order id."""
        ...


Promise = Callable[[GatewayHarness], Awaitable[None]]
WAIT_S = 10.0


# ---------------------------------------------------------------------- what was said


def reports(harness: GatewayHarness, approved: Approved) -> list[ExecutionReport]:
    """Return the statements on one order, in order."""
    said = [event.report for event in harness.events if isinstance(event, OrderReported)]
    return [report for report in said if report.client_order_id == approved.intent.client_order_id]


def fills(harness: GatewayHarness, approved: Approved) -> list[Fill]:
    """Return the executions of one order, repeated ones once."""
    said = [fill for event in harness.events if isinstance(event, FillsReported) for fill in event.fills]
    mine = [fill for fill in said if fill.client_order_id == approved.intent.client_order_id]
    return list({fill.trade_id: fill for fill in mine}.values())


def as_order(harness: GatewayHarness, approved: Approved) -> Order:
    """Return the order as the engine would hold it after the last statement."""
    last = reports(harness, approved)[-1]
    return Order(
        intent=approved.intent,
        status=last.status,
        venue_order_id=next((r.venue_order_id for r in reports(harness, approved) if r.venue_order_id), None),
        filled_quantity=last.filled_quantity or Quantity(Decimal(0)),
    )


def _has(harness: GatewayHarness, approved: Approved, *statuses: OrderStatus) -> Callable[[], bool]:
    return lambda: any(report.status in statuses for report in reports(harness, approved))


def _ended(harness: GatewayHarness, approved: Approved) -> Callable[[], bool]:
    return _has(harness, approved, *TERMINAL)


async def _resting(harness: GatewayHarness) -> Approved:
    approved = harness.approved(rests=True)
    harness.gateway.submit(approved)
    await harness.until(_has(harness, approved, S.ACCEPTED), seconds=WAIT_S)
    return approved


async def _filled(harness: GatewayHarness) -> Approved:
    approved = harness.approved(rests=False)
    harness.gateway.submit(approved)
    await harness.until(_ended(harness, approved), seconds=WAIT_S)
    return approved


async def _answers(harness: GatewayHarness, order: Order, kind: LookUpKind) -> list[OrderLookedUp]:
    """Ask once and return every answer that came within a while."""
    before = len(harness.events)
    harness.gateway.look_up(order, kind)

    def answered() -> bool:
        return any(isinstance(event, OrderLookedUp) for event in harness.events[before:])

    await harness.until(answered, seconds=WAIT_S)
    await harness.pause(1.0)
    return [event for event in harness.events[before:] if isinstance(event, OrderLookedUp)]


# ---------------------------------------------------------------------- the promises


async def first_report_is_submitted_with_the_instant_of_the_send(harness: GatewayHarness) -> None:
    approved = harness.approved(rests=False)
    harness.gateway.submit(approved)
    await harness.until(lambda: bool(reports(harness, approved)), seconds=WAIT_S)
    first = reports(harness, approved)[0]
    assert first.status is S.SUBMITTED
    assert first.sent_mono_ns is not None
    assert first.account is harness.gateway.account


async def submit_that_leaves_no_byte_is_not_sent_and_makes_no_order(harness: GatewayHarness) -> None:
    harness.prevent_next_send()
    approved = harness.approved(rests=False)
    harness.gateway.submit(approved)
    await harness.until(_ended(harness, approved), seconds=WAIT_S)
    await harness.pause(1.0)
    assert [report.status for report in reports(harness, approved)] == [S.NOT_SENT]
    assert reports(harness, approved)[0].sent_mono_ns is None
    assert harness.orders_at_venue(approved.intent.client_order_id) == 0


async def filled_order_ends_with_executions_that_add_up(harness: GatewayHarness) -> None:
    approved = await _filled(harness)
    await harness.pause(1.0)
    last = reports(harness, approved)[-1]
    harness.gateway.read_fills(as_order(harness, approved))
    await harness.until(
        lambda: sum(fill.quantity for fill in fills(harness, approved)) == last.filled_quantity, seconds=WAIT_S
    )
    assert last.status is S.FILLED
    assert last.filled_quantity is not None
    assert last.filled_quantity > 0
    assert sum(fill.quote_quantity for fill in fills(harness, approved)) == last.filled_quote
    for fill in fills(harness, approved):
        assert fill.account is harness.gateway.account
        assert fill.side is Side.BUY
        assert fill.evidence


async def cumulative_quantities_never_fall(harness: GatewayHarness) -> None:
    approved = await _filled(harness)
    await harness.pause(1.0)
    said = [report.filled_quantity for report in reports(harness, approved) if report.filled_quantity is not None]
    assert said == sorted(said)


async def venue_order_id_is_told_and_never_changes(harness: GatewayHarness) -> None:
    approved = await _filled(harness)
    await harness.pause(1.0)
    assert len({report.venue_order_id for report in reports(harness, approved) if report.venue_order_id}) == 1


async def canceled_order_ends_as_canceled(harness: GatewayHarness) -> None:
    approved = await _resting(harness)
    harness.gateway.cancel(as_order(harness, approved))
    for _ in range(5):  # a cancel's answer may show the state before it; then the venue is asked, as the engine does
        await harness.pause(1.0)
        if _ended(harness, approved)():
            break
        (answer,) = await _answers(harness, as_order(harness, approved), LookUpKind.ORDER)
        if answer.found is not None and answer.found.status is S.CANCELED:
            break
    else:
        raise AssertionError("the canceled order never ended")
    (answer,) = await _answers(harness, as_order(harness, approved), LookUpKind.OPEN_ORDERS)
    assert answer.found is None


async def look_up_is_answered_exactly_once_wherever_it_looks(harness: GatewayHarness) -> None:
    approved = await _resting(harness)
    for kind in LookUpKind:
        answers = await _answers(harness, as_order(harness, approved), kind)
        assert len(answers) == 1, kind
        assert answers[0].kind is kind
        assert answers[0].failed == ""
        assert answers[0].found is not None
        assert answers[0].found.client_order_id == approved.intent.client_order_id
        assert answers[0].found.status is S.ACCEPTED


async def order_the_venue_never_saw_is_not_found(harness: GatewayHarness) -> None:
    unknown = Order(intent=harness.approved(rests=True).intent, status=S.IN_DOUBT)
    for kind in LookUpKind:
        answers = await _answers(harness, unknown, kind)
        assert [(answer.found, answer.failed) for answer in answers] == [(None, "")], kind


async def ended_order_is_found_among_all_orders_and_not_among_open_ones(harness: GatewayHarness) -> None:
    approved = await _filled(harness)
    order = as_order(harness, approved)
    (everywhere,) = await _answers(harness, order, LookUpKind.ALL_ORDERS)
    (waiting,) = await _answers(harness, order, LookUpKind.OPEN_ORDERS)
    assert everywhere.found is not None
    assert everywhere.found.status is S.FILLED
    assert waiting.found is None


async def read_fills_repeats_the_same_executions(harness: GatewayHarness) -> None:
    approved = await _filled(harness)
    order = as_order(harness, approved)
    await harness.pause(1.0)
    seen: list[Counter[str]] = []
    for _ in range(2):
        before = len(harness.events)
        harness.gateway.read_fills(order)
        await harness.pause(1.0)
        answers = [event for event in harness.events[before:] if isinstance(event, FillsReported)]
        seen.append(Counter(fill.trade_id for answer in answers for fill in answer.fills))
    assert seen[0] == seen[1]
    assert seen[0]
    assert set(seen[0]) == {fill.trade_id for fill in fills(harness, approved)}


async def one_client_order_id_makes_one_order(harness: GatewayHarness) -> None:
    approved = await _resting(harness)
    try:
        harness.gateway.submit(approved)
    except Exception as error:  # a gateway may refuse loudly
        assert type(error).__name__ == "InvariantError"  # noqa: PT017
    await harness.pause(2.0)
    assert harness.orders_at_venue(approved.intent.client_order_id) == 1
    assert not {S.NOT_SENT, S.REJECTED} & {report.status for report in reports(harness, approved)}


async def sweep_is_answered_once_with_orders_and_balances(harness: GatewayHarness) -> None:
    waiting = await _resting(harness)
    done = await _filled(harness)
    before = len(harness.events)
    harness.gateway.sweep([waiting.intent.symbol])
    await harness.pause(3.0)
    (swept,) = [event for event in harness.events[before:] if isinstance(event, VenueSwept)]
    assert swept.failed == ""
    assert [order.client_order_id for order in swept.open_orders] == [waiting.intent.client_order_id]
    assert {done.intent.client_order_id} <= {order.client_order_id for order in swept.recent_orders}
    (shown,) = [order for order in swept.open_orders if order.client_order_id == waiting.intent.client_order_id]
    assert (shown.symbol, shown.side, shown.price) == (waiting.intent.symbol, "buy", waiting.intent.price)
    assert {waiting.intent.quote, waiting.intent.base} <= {balance.asset for balance in swept.balances}


CONTRACT: tuple[Promise, ...] = (
    first_report_is_submitted_with_the_instant_of_the_send,
    submit_that_leaves_no_byte_is_not_sent_and_makes_no_order,
    filled_order_ends_with_executions_that_add_up,
    cumulative_quantities_never_fall,
    venue_order_id_is_told_and_never_changes,
    canceled_order_ends_as_canceled,
    look_up_is_answered_exactly_once_wherever_it_looks,
    order_the_venue_never_saw_is_not_found,
    ended_order_is_found_among_all_orders_and_not_among_open_ones,
    read_fills_repeats_the_same_executions,
    one_client_order_id_makes_one_order,
    sweep_is_answered_once_with_orders_and_balances,
)
