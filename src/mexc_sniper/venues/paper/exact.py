"""Arithmetic on paper money that never rounds: it raises instead, so that every digit is accounted for."""

from decimal import Context, Decimal, Inexact

from mexc_sniper.core.values import Price, Quantity

_EXACT = Context(prec=400, traps=[Inexact])
"""Wider than any product of three venue numbers (76 digits at most each); `Inexact` would be a bug of ours."""


def plus(left: Decimal, right: Decimal) -> Decimal:
    """Add without rounding."""
    return _EXACT.add(left, right)


def minus(left: Decimal, right: Decimal) -> Decimal:
    """Subtract without rounding."""
    return _EXACT.subtract(left, right)


def times(left: Decimal, right: Decimal) -> Decimal:
    """Multiply without rounding."""
    return _EXACT.multiply(left, right)


def cost_of(price: Price, quantity: Quantity) -> Decimal:
    """Return what a quantity costs, in quote asset."""
    return _EXACT.multiply(price, quantity)
