"""Rounding, in the one place where it may happen.

Buys are rounded down, sells up, quantities down: a rounded order never spends more, never asks less and never sells
more than was decided. Grids are counts of decimals (REFERENCE 1.6: price tick 10^-quotePrecision, quantity step
10^-baseAssetPrecision).
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

from mexc_sniper.core.values import Price, Quantity

MAX_DECIMALS = 18
"""Venues name at most this many; more is a corrupt rule."""

_CONTEXT = Context(prec=60)
"""Wide enough for any product of two venue numbers (38 digits each side are refused at the edge).

Used by its own methods: entering a copy of it with ``localcontext`` costs four times the multiplication, and a
``quantize`` that is told its rounding copies it as well; so each rounding has a context of its own.
"""
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)
_UP = Context(prec=60, rounding=ROUND_CEILING)
_NEAREST = Context(prec=60, rounding=ROUND_HALF_EVEN)

_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(MAX_DECIMALS + 1))

BPS = Decimal(10_000)


def step(decimals: int) -> Decimal:
    """Return the grid step of a number of decimals, such as 0.01 for 2.

    Raises:
        ValueError: outside 0…18.
    """
    if not 0 <= decimals <= MAX_DECIMALS:
        raise ValueError(f"decimals must be 0 to {MAX_DECIMALS}: {decimals}")
    return _STEPS[decimals]


def floor_to(value: Decimal, decimals: int) -> Decimal:
    """Round down to the grid (towards minus infinity)."""
    return _DOWN.quantize(value, step(decimals))


def ceil_to(value: Decimal, decimals: int) -> Decimal:
    """Round up to the grid."""
    return _UP.quantize(value, step(decimals))


def buy_price(price: Decimal, decimals: int) -> Price:
    """Put a buy's limit price on the grid: down, so that it never pays more."""
    return Price(floor_to(price, decimals))


def sell_price(price: Decimal, decimals: int) -> Price:
    """Put a sell's limit price on the grid: up, so that it never asks less."""
    return Price(ceil_to(price, decimals))


def order_quantity(quantity: Decimal, decimals: int) -> Quantity:
    """Put a quantity on the grid: down, so that it never trades more."""
    return Quantity(max(Decimal(0), floor_to(quantity, decimals)))


def quote_amount(amount: Decimal, decimals: int) -> Decimal:
    """Put an amount of quote asset to spend on the grid: down."""
    return max(Decimal(0), floor_to(amount, decimals))


def notional(price: Price, quantity: Quantity) -> Decimal:
    """Multiply price and quantity exactly: an amount of quote asset."""
    return _CONTEXT.multiply(price, quantity)


def quantity_for(amount: Decimal, price: Price, decimals: int) -> Quantity:
    """Return the largest quantity on the grid whose notional at ``price`` is at most ``amount``."""
    return order_quantity(_CONTEXT.divide(amount, price), decimals)


def average_price(quote_quantity: Decimal, base_quantity: Decimal) -> Price | None:
    """Divide what was paid by what was got; None before anything was filled. For display and limits only."""
    if base_quantity <= 0:
        return None
    average = _CONTEXT.divide(quote_quantity, base_quantity)
    return Price(_NEAREST.quantize(average, step(MAX_DECIMALS)))


def above(price: Price, bps: int | Decimal) -> Price:
    """Return the price ``bps`` hundredths of a percent above."""
    return Price(_CONTEXT.divide(_CONTEXT.multiply(price, BPS + bps), BPS))


def below(price: Price, bps: int | Decimal) -> Price:
    """Return the price ``bps`` hundredths of a percent below."""
    return Price(_CONTEXT.divide(_CONTEXT.multiply(price, BPS - bps), BPS))


def distance_bps(price: Price, reference: Price) -> Decimal:
    """Return how far ``price`` lies above ``reference``, in bps (negative: below), to 4 places."""
    share = _CONTEXT.divide(_CONTEXT.subtract(price, reference), reference)
    return _NEAREST.quantize(_CONTEXT.multiply(share, BPS), _STEPS[4])
