"""Numbers and names as the rest of the program uses them.

Money is ``Decimal`` from text to text. The venue writes numbers as ASCII text; Python's ``Decimal`` accepts
much more (full-width digits, underscores, blanks, NaN, Infinity), so every number of the venue enters through
`decimal_from_text`.
"""

import re
from decimal import Decimal
from typing import NewType

Symbol = NewType("Symbol", str)
"""A venue's text id of an instrument, such as ``METALUSDT``. Opaque: any code points, never split by suffix."""

Asset = NewType("Asset", str)
"""A venue's text id of an asset, such as ``USDT``."""

Price = NewType("Price", Decimal)
"""Quote asset per one unit of base asset."""

Quantity = NewType("Quantity", Decimal)
"""Units of base asset, never negative."""

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,37})(?:\.[0-9]{1,38})?", re.ASCII)


class MalformedNumber(ValueError):
    """A text that should be a number is none; the text is kept for the report."""


def decimal_from_text(text: str) -> Decimal:
    """Read a plain ASCII decimal: optional minus, digits, optional fraction; no exponent, sign plus, or blanks.

    Raises:
        MalformedNumber: for anything else, the empty text and NaN included, and for more than 38 digits on
            either side of the point.
    """
    if not _PLAIN_NUMBER.fullmatch(text):
        raise MalformedNumber(f"not a plain decimal number: {text[:64]!r}")
    return Decimal(text)


def price_from_text(text: str) -> Price:
    """Read a price; must be positive.

    Raises:
        MalformedNumber: when it is no plain number or not above zero.
    """
    value = decimal_from_text(text)
    if value <= 0:
        raise MalformedNumber(f"a price must be above zero: {text[:64]!r}")
    return Price(value)


def quantity_from_text(text: str) -> Quantity:
    """Read a quantity; zero is allowed (a removed level of a book), negative is not.

    Raises:
        MalformedNumber: when it is no plain number or negative.
    """
    value = decimal_from_text(text)
    if value < 0:
        raise MalformedNumber(f"a quantity must not be negative: {text[:64]!r}")
    return Quantity(value)


def text_from_decimal(value: Decimal) -> str:
    """Write a decimal as plain text, never with an exponent."""
    return format(value, "f")
