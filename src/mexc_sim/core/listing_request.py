"""What one asks the simulator to list, and when each step of its life happens.

The same keys serve the control API (``POST /sim/listings``) and scenario files (``[[listing]]``). Offsets are
seconds from now (from the scenario's beginning in a file); ``null`` or ``"never"`` means the step never happens.

What is not given follows from what is: the opening is ``openInS``, else the first given of trade, quote, row, else
now; row and quote come with it, flag and default with the later of row and opening, the first trade a quarter of a
second after the first quote. Calendar and announcement exist only where asked for (kinds postponed, tbd and withdrawn
imply a calendar entry at once), so the empty description is a surprise listing right now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

KINDS = ("new", "relist", "second_quote", "renamed", "returned", "look_alike", "postponed", "tbd", "withdrawn")
_NEVER = "never"
_STEPS = (
    "announceInS",
    "calendarInS",
    "webRowInS",
    "rowInS",
    "flagInS",
    "defaultInS",
    "quoteInS",
    "tradeInS",
    "apiOpenInS",
)
_NUMBERS = (
    *_STEPS, "openInS", "postponeInS", "postponedByS", "withdrawInS", "fixInS", "goneInS", "haltInS", "haltForS",
    "delistInS", "openPrice", "peak", "peakAfterS", "settle",
)  # fmt: skip
_TEXTS = ("base", "quote", "kind", "of", "fullName", "contract")
_FLAGS = ("oldCandles", "st", "marketOrders")
_LISTS = ("plates",)
_WHOLE = ("tradeSideType",)
KEYS = (*_TEXTS, *_NUMBERS, *_FLAGS, *_LISTS, *_WHOLE)

Offset = float | None


class ListingError(ValueError):
    """A listing was described wrongly; the text names the key and the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds from now of every step; None never happens. ``open`` is the true official opening."""

    announce: Offset
    calendar: Offset
    web_row: Offset
    row: Offset
    flag: Offset
    default: Offset
    quote: Offset
    trade: Offset
    api_open: Offset
    open: Offset
    first_announced_open: Offset
    """What the calendar says at first; None is "to be determined"."""
    schedule_change: Offset
    """When the calendar learns ``open`` (postponed, or a TBD that gets fixed)."""
    withdraw: Offset
    gone: Offset
    halt: Offset
    halt_for: float
    delist: Offset

    def shifted(self, seconds: float) -> "Times":
        """The same life, later."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return Times(**{k: v if v is None or k == "halt_for" else v + seconds for k, v in moved.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRequest:
    """A checked description of one listing."""

    kind: str
    base: str | None
    quote: str | None
    of: str | None
    full_name: str | None
    contract: str | None
    times: Times
    open_price: float | None
    peak: float | None
    peak_after_s: float | None
    settle: float | None
    old_candles: bool
    special_treatment: bool
    market_orders: bool
    trade_side_type: int
    plates: tuple[str, ...] | None


def read_listing(spec: Mapping[str, Any]) -> ListingRequest:
    """Check a description and plan its times.

    Raises:
        ListingError: an unknown key, a wrong type or times that contradict each other.
    """
    _check_types(spec)
    kind = spec.get("kind", "new")
    if kind not in KINDS:
        raise ListingError(f"kind {kind!r} is unknown; use one of {', '.join(KINDS)}")
    for key in ("base", "quote"):
        text = spec.get(key)
        if text is not None and (not text or len(text) > 32 or text != text.upper() or any(c in text for c in "@ &=,")):
            raise ListingError(f"{key} {text!r} must be 1 to 32 upper-case characters without @ & = , or blanks")
    return ListingRequest(
        kind=kind,
        base=spec.get("base"),
        quote=spec.get("quote"),
        of=spec.get("of"),
        full_name=spec.get("fullName"),
        contract=spec.get("contract"),
        times=_plan(kind, spec),
        open_price=_positive(spec, "openPrice"),
        peak=_positive(spec, "peak"),
        peak_after_s=_positive(spec, "peakAfterS"),
        settle=_positive(spec, "settle"),
        old_candles=spec.get("oldCandles", kind in ("relist", "returned")),
        special_treatment=spec.get("st", False),
        market_orders=spec.get("marketOrders", True),
        trade_side_type=spec.get("tradeSideType", 1),
        plates=tuple(spec["plates"]) if "plates" in spec else None,
    )


def _check_types(spec: Mapping[str, Any]) -> None:
    for key, value in spec.items():
        if key not in KEYS:
            raise ListingError(f"key {key!r} is unknown; a listing takes {', '.join(KEYS)}")
        if key in _NUMBERS:
            fine = value is None or value == _NEVER or (isinstance(value, int | float) and not isinstance(value, bool))
            fine = fine and not (isinstance(value, float) and (value != value or abs(value) > 1e12))
        elif key in _TEXTS:
            fine = isinstance(value, str)
        elif key in _FLAGS:
            fine = isinstance(value, bool)
        elif key in _WHOLE:
            fine = isinstance(value, int) and value in (1, 2, 3, 4)
        else:
            fine = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not fine:
            raise ListingError(f"{key} has a wrong value: {value!r}")


def _positive(spec: Mapping[str, Any], key: str) -> float | None:
    value = spec.get(key)
    if value is None:
        return None
    if value == _NEVER or value <= 0:
        raise ListingError(f"{key} must be a number above 0, not {value!r}")
    return float(value)


def _plan(kind: str, spec: Mapping[str, Any]) -> Times:
    def given(key: str, default: Offset) -> Offset:
        value = spec.get(key, default)
        return None if value is None or value == _NEVER else float(value)

    announced = next(
        (given(k, None) for k in ("openInS", "tradeInS", "quoteInS", "rowInS") if given(k, None) is not None), 0.0
    )
    later = given("postponedByS", 30.0 if kind == "postponed" else 0.0) or 0.0
    opens = (announced or 0.0) + later
    change: Offset = None
    if kind == "postponed" or later:
        change = given("postponeInS", (announced or 0.0) / 2)
    elif kind == "tbd":
        change = given("fixInS", opens / 2)
    first_known = announced if kind != "tbd" else None
    calendar = given("calendarInS", 0.0 if kind in ("postponed", "tbd", "withdrawn") else None)
    withdraw = given("withdrawInS", opens / 2 if kind == "withdrawn" else None)
    row = given("rowInS", opens)
    flag = given("flagInS", None if row is None else max(row, opens))
    default = given("defaultInS", flag)
    quote = given("quoteInS", opens)
    trade = given("tradeInS", None if quote is None else max(opens, quote) + 0.25)
    halt = given("haltInS", None)
    return Times(
        announce=given("announceInS", None),
        calendar=calendar,
        web_row=given("webRowInS", row),
        row=row,
        flag=flag,
        default=default,
        quote=quote,
        trade=trade,
        api_open=given("apiOpenInS", default),
        open=opens,
        first_announced_open=first_known,
        schedule_change=change,
        withdraw=withdraw,
        gone=given("goneInS", 0.0 if kind == "returned" else None),
        halt=halt,
        halt_for=given("haltForS", 20.0) or 20.0,
        delist=given("delistInS", None),
    )
