"""Exact numbers on the wire: the book counts in whole ticks and steps, the wire writes decimal text."""

from math import ceil, log10


def text_of(units: int, scale: int, *, padded: bool = False) -> str:
    """Write ``units`` x 10^-``scale`` as plain decimal text; ``padded`` keeps trailing zeros.

    The venue drops trailing zeros in bookTicker and deals and keeps them in limit.depth (REFERENCE trap 27).
    """
    if scale == 0:
        return str(units)
    sign, digits = ("-" if units < 0 else ""), str(abs(units)).rjust(scale + 1, "0")
    whole, part = digits[:-scale], digits[-scale:]
    if not padded:
        part = part.rstrip("0")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def units_of(value: float, scale: int) -> int:
    """Round a modelled (never a client's) number to whole units, at least one."""
    return max(1, round(value * float(10**scale)))


def price_scale_for(price: float) -> int:
    """Choose the price decimals the venue would: about five significant digits, between 2 and 12."""
    return min(12, max(2, ceil(-log10(price)) + 4))


def quantity_scale_for(price: float) -> int:
    """Choose the quantity decimals: 2 for ordinary coins, more for expensive ones."""
    return 2 if price < 500 else 6
