"""Names, numbers and times of the venue, checked once where they enter."""

import re
from decimal import Decimal
from typing import TypeVar

import msgspec

from mexc_sniper.core.clock import ns_from_ms
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Asset, Symbol, decimal_from_text
from mexc_sniper.venues.mexc.faults import fault_of

T = TypeVar("T")

Code = int | str | None
"""A business code; some answers write it as text (RELIABILITY 2.2, 23)."""
Number = int | float | str | None
"""A number that some copies of the interface quote."""

MAX_NAME = 100
MAX_TEXT = 500
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Control characters and those that turn the direction of writing."""
_EARLIEST_MS = 1_262_304_000_000  # 2010
_LATEST_MS = 4_102_444_800_000  # 2100


class Bad(ValueError):
    """One value is not what the reference promises; the caller decides what falls with it."""


def decode(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw, what: str) -> T:
    """Decode JSON into its typed form.

    Raises:
        ProtocolError: no JSON, the wrong shape, nested too deep, or a required field missing.
    """
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        head = bytes(body[:64]) if isinstance(body, bytes) else b""
        raise ProtocolError(f"{what}: {str(error)[:200]}; begins {head!r}") from None


def accept(code: Code, text: str | None) -> None:
    """Raise what a business code of a 200 answer means; 0, 200 and none are success.

    Raises:
        VenueError: by the fault table.
        ProtocolError: the code is no number.
    """
    if isinstance(code, str):
        if not (code.lstrip("-").isascii() and code.lstrip("-").isdigit() and len(code) < 12):
            raise ProtocolError(f"business code is no number: {code[:40]!r}")
        code = int(code)
    if (fault := fault_of(200, code, text or "", is_json=True)) is not None:
        raise fault


def symbol_of(text: str) -> Symbol:
    """A symbol as it came: any code points (REFERENCE 5, trap 5) but control characters, blanks at its ends, or
    more than a hundred of them."""
    return Symbol(_name(text))


def asset_of(text: str) -> Asset:
    """An asset's ticker, checked like a symbol."""
    return Asset(_name(text))


def free_text(text: str | None) -> str:
    """Text for people: control characters and direction marks become blanks, at most 500 characters."""
    return _UNSEEN.sub(" ", text[:MAX_TEXT]).strip() if text else ""


def whole(value: Number) -> int:
    """A whole number of at most 18 digits, quoted or not.

    Raises:
        Bad: anything else.
    """
    if isinstance(value, bool) or value is None:
        raise Bad(f"not a whole number: {value!r}")
    if isinstance(value, float):
        if not value.is_integer() or abs(value) >= 1e15:
            raise Bad(f"not a whole number: {value!r}")
        return int(value)
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise Bad(f"not a whole number: {value[:40]!r}")
        return int(value)
    if abs(value) >= 10**18:
        raise Bad("a whole number of more than 18 digits")
    return value


def decimal_or_none(text: str | None) -> Decimal | None:
    """A plain decimal, or None for an absent or empty one; MalformedNumber (a ValueError) for anything else."""
    return decimal_from_text(text) if text else None


def ns_or_none(milliseconds: Number) -> int | None:
    """UNIX milliseconds as nanoseconds; None where the value is absent, zero or no time between 2010 and 2100."""
    try:
        value = whole(milliseconds)
    except Bad:
        return None
    return ns_from_ms(value) if _EARLIEST_MS <= value < _LATEST_MS else None


def _name(text: str) -> str:
    if not text or len(text) > MAX_NAME or _CONTROL.search(text) or text != text.strip():
        raise Bad(f"not a name: {text[:40]!r}")
    return text
