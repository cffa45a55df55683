"""What the venue's answer to an order means: accepted, refused, or nobody knows (REFERENCE 1.10, RELIABILITY 2.2).

Whatever is not plainly one of the first two is the third: nothing unknown is ever called failed.
"""

from typing import NamedTuple

import msgspec

from mexc_sniper.core.errors import CallOutcome, RateLimited, VenueError
from mexc_sniper.core.ids import VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.venues.mexc.faults import REFUSED_FOR_GOOD, fault_of, reason_of
from mexc_sniper.venues.mexc.http_answer import HttpAnswer
from mexc_sniper.venues.mexc.lines import Exchange
from mexc_sniper.venues.mexc.parse.text import free_text
from mexc_sniper.venues.mexc.rest import retry_after_s

MAX_ORDER_ID = 64


class _Body(msgspec.Struct, rename="camel"):
    """An answer to POST or DELETE order, or an error; every field may be missing."""

    symbol: str | None = None
    order_id: str | int | None = None
    client_order_id: str | None = None
    orig_client_order_id: str | None = None
    new_client_order_id: str | None = None
    code: int | str | None = None
    msg: str | None = None
    message: str | None = None


_decoder = msgspec.json.Decoder(_Body)


class Verdict(NamedTuple):
    """``status`` is ACCEPTED, REJECTED or IN_DOUBT; ``fault`` is the error class of what was not accepted."""

    status: OrderStatus
    venue_order_id: VenueOrderId | None = None
    code: int | None = None
    text: str = ""
    reason: Reason | None = None
    fault: VenueError | None = None
    is_mismatch: bool = False
    """The answer spoke of another order: our bug or theirs, and never to be swallowed."""


def judge(symbol: str, client_order_id: str, exchange: Exchange) -> Verdict:
    """Judge what came of one POST or DELETE of an order."""
    answer = exchange.answer
    if answer is None:
        return _doubt(exchange.why)
    if answer.status in (418, 429):
        return _rate_limited(answer)
    body = _body(answer)
    if body is None:
        fault = fault_of(answer.status, None, _head(answer.body), is_json=False)
        return _doubt(f"HTTP {answer.status} without a readable JSON object: {_head(answer.body)}", fault=fault)
    code = _code(body.code)
    if code is None and body.code is not None:
        return _doubt(f"HTTP {answer.status} with the code {str(body.code)[:40]!r}")
    text = free_text(body.msg or body.message)
    fault = fault_of(answer.status, code, text, is_json=True, retry_after_s=retry_after_s(answer.retry_after))
    if fault is None:
        return _taken_in(symbol, client_order_id, body)
    if body.order_id is not None or code in (None, 0, 200):
        return _doubt(f"HTTP {answer.status}, code {code}: {_head(answer.body)}", fault=fault, code=code)
    if fault.outcome is not CallOutcome.REFUSED and not (code in REFUSED_FOR_GOOD and answer.status < 500):
        return _doubt(text or str(fault), fault=fault, code=code)
    if answer.status == 408:  # the venue's own time-out, whatever it says besides
        return _doubt(text or str(fault), fault=fault, code=code)
    return Verdict(OrderStatus.REJECTED, code=code, text=text, reason=reason_of(code, text), fault=fault)


def _rate_limited(answer: HttpAnswer) -> Verdict:
    """429 and 418 are definite refusals of the request (RELIABILITY 2.2, 24 and 26)."""
    body = _body(answer)
    code = _code(body.code) if body is not None else None
    text = free_text(body.msg or body.message) if body is not None else ""
    fault = RateLimited(
        f"HTTP {answer.status}: {text!r}",
        code=code,
        http_status=answer.status,
        retry_after_s=retry_after_s(answer.retry_after),
    )
    return Verdict(OrderStatus.REJECTED, code=code or answer.status, text=text, reason=Reason.VENUE_BANNED, fault=fault)


def _taken_in(symbol: str, client_order_id: str, body: _Body) -> Verdict:
    order_id = "" if body.order_id is None else str(body.order_id)
    if not order_id or len(order_id) > MAX_ORDER_ID or not order_id.isprintable():
        return _doubt("a good status, but no order id")
    if body.symbol != symbol:
        return _doubt(f"the answer speaks of {str(body.symbol)[:40]!r} instead of {symbol!r}", is_mismatch=True)
    named = {body.client_order_id, body.orig_client_order_id, body.new_client_order_id} - {None, ""}
    if named and client_order_id not in named:
        return _doubt(f"the answer names another order: {sorted(map(str, named))}", is_mismatch=True)
    return Verdict(OrderStatus.ACCEPTED, venue_order_id=VenueOrderId(order_id))


def _doubt(
    text: str, *, fault: VenueError | None = None, code: int | None = None, is_mismatch: bool = False
) -> Verdict:
    return Verdict(
        OrderStatus.IN_DOUBT,
        code=code,
        text=text[:300],
        reason=Reason.OUTCOME_UNKNOWN,
        fault=fault,
        is_mismatch=is_mismatch,
    )


def _body(answer: HttpAnswer) -> _Body | None:
    if answer.is_packed:
        return None
    try:
        return _decoder.decode(answer.body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _code(code: int | str | None) -> int | None:
    if isinstance(code, str):
        digits = code.removeprefix("-")
        return int(code) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None
    return code


def _head(body: bytes) -> str:
    return free_text(body[:120].decode("utf-8", "replace"))
