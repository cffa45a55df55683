"""How one report changes an order: the order table applied, with the venue's odd but real cases (DESIGN 4.1)."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.values import Quantity
from mexc_sniper.model.order import (
    RESTING,
    TERMINAL,
    ExecutionReport,
    Order,
    OrderStatus,
    ReportSource,
    check_transition,
)

S = OrderStatus
SETTLE_NS = 15_000_000_000
"""The end must be seen a second time this long after the first before a reservation is released."""

_PROGRESS = {S.INTENDED: 0, S.SUBMITTED: 1, S.IN_DOUBT: 1, S.ACCEPTED: 2, S.PARTIALLY_FILLED: 3, S.CANCEL_PENDING: 4}


def apply_report(order: Order, report: ExecutionReport) -> Order:
    """Apply one statement; stale ones change nothing, impossible ones are loud.

    A report that is older than what is known (a cached answer, a repeated push) never lowers a quantity or revives an
    ended order. A late fill after the end adds its quantity and is counted in ``late_fills``; the caller raises the
    Discrepancy.

    Raises:
        InvariantError: when the report contradicts the table in a way no delay explains.
    """
    now_ns = report.stamp.ts_recv_ns
    filled, quote = _cumulative(order, report)
    more = filled > order.filled_quantity
    named = replace(
        order,
        venue_order_id=order.venue_order_id or report.venue_order_id,
        filled_quantity=filled,
        filled_quote=quote,
        first_fill_ns=order.first_fill_ns or (now_ns if more else None),
    )
    if order.status in TERMINAL:
        return _after_the_end(order, named, report, more=more)
    status = _status_after(named, report)
    if status is order.status:
        return replace(named, acked_ns=named.acked_ns or _acked(report, now_ns))
    check_transition(order, status)
    changed = replace(named, status=status)
    if status is S.SUBMITTED:
        return replace(changed, submitted_ns=now_ns)
    if status is S.IN_DOUBT:
        return replace(changed, doubt_since_ns=now_ns, text=report.text, code=report.code)
    changed = replace(changed, doubt_since_ns=None, acked_ns=changed.acked_ns or _acked(report, now_ns))
    if status in TERMINAL:
        changed = replace(
            changed,
            ended_ns=now_ns,
            end_seen_ns=now_ns,
            reason=report.reason or order.reason,
            code=report.code if report.code is not None else order.code,
            text=report.text or order.text,
        )
        if status in (S.NOT_SENT, S.REJECTED, S.NEVER_ARRIVED):
            return replace(changed, settled_ns=now_ns)  # the venue holds nothing of it; there is nothing to wait for
    return changed


def see_end_again(order: Order, now_ns: int) -> Order:
    """Stamp an ended order as settled once its end was confirmed `SETTLE_NS` after it was first seen."""
    if order.settled_ns is None and order.end_seen_ns is not None and now_ns - order.end_seen_ns >= SETTLE_NS:
        return replace(order, settled_ns=now_ns)
    return order


def _cumulative(order: Order, report: ExecutionReport) -> tuple[Quantity, Decimal]:
    filled = order.filled_quantity
    quote = order.filled_quote
    if report.filled_quantity is not None and report.filled_quantity > filled:
        filled = report.filled_quantity
    if report.filled_quote is not None and report.filled_quote > quote:
        quote = report.filled_quote
    return filled, quote


def _status_after(order: Order, report: ExecutionReport) -> OrderStatus:
    """Return where the report puts the order, or where it is if the report is old news."""
    said, now = report.status, order.status
    if said in TERMINAL:
        return said
    if said is S.IN_DOUBT:
        return said if now is S.SUBMITTED else now  # doubt about a cancel or a query is no doubt about the order
    if now is S.CANCEL_PENDING and said in (S.ACCEPTED, S.PARTIALLY_FILLED):
        # Only the answer to the cancel itself ends the waiting; the stream may still show the time before it.
        return said if report.source is ReportSource.ACK else now
    if said is S.CANCEL_PENDING:
        return said if now in RESTING else now
    return said if _PROGRESS[said] > _PROGRESS[now] else now


def _after_the_end(before: Order, after: Order, report: ExecutionReport, *, more: bool) -> Order:
    if more:
        # A fill that arrives after the end is real money: it counts, and the end must be seen twice again.
        return replace(after, late_fills=before.late_fills + 1, end_seen_ns=report.stamp.ts_recv_ns, settled_ns=None)
    return replace(before, venue_order_id=after.venue_order_id)


def _acked(report: ExecutionReport, now_ns: int) -> int | None:
    told = report.status in (S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.REJECTED)
    return now_ns if told else None
