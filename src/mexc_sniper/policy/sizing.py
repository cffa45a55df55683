"""How much, at what price: walks the visible book and puts amounts on the venue's grid."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from mexc_sniper.core.precision import notional, order_quantity, quantity_for
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Level

ZERO = Decimal(0)


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """What taking liquidity down (or up) a book would give.

    ``worst`` is the last price touched; None when nothing was taken. ``complete`` tells whether all that was wanted
    was there.
    """

    quantity: Quantity
    amount: Decimal
    worst: Price | None
    complete: bool


def walk_amount(levels: Sequence[Level], amount: Decimal, *, limit: Price | None = None) -> Walk:
    """Spend ``amount`` of quote asset on asks, best first, up to a limit price; exact, not on any grid."""
    left, quantity, worst = amount, ZERO, None
    for level in levels:
        if left <= 0 or (limit is not None and level.price > limit):
            break
        whole = notional(level.price, level.quantity)
        if whole <= left:
            quantity += level.quantity
            left -= whole
        else:
            quantity += left / level.price
            left = ZERO
        worst = level.price
    return Walk(quantity=Quantity(quantity), amount=amount - left, worst=worst, complete=left <= 0)


def walk_quantity(levels: Sequence[Level], quantity: Quantity, *, limit: Price | None = None) -> Walk:
    """Sell ``quantity`` into bids, best first, down to a limit price."""
    left, amount, worst = Decimal(quantity), ZERO, None
    for level in levels:
        if left <= 0 or (limit is not None and level.price < limit):
            break
        part = min(left, level.quantity)
        amount += notional(level.price, Quantity(part))
        left -= part
        worst = level.price
    return Walk(quantity=Quantity(quantity - left), amount=amount, worst=worst, complete=left <= 0)


def depth_within(levels: Sequence[Level], limit: Price, *, asks: bool) -> Decimal:
    """Sum the notional offered (asks) or bid for (bids) at ``limit`` or better, in quote asset."""
    return sum(
        (
            notional(level.price, level.quantity)
            for level in levels
            if (level.price <= limit if asks else level.price >= limit)
        ),
        ZERO,
    )


def capped_quantity(instrument: Instrument, amount: Decimal, cap: Price) -> Quantity:
    """Return the largest grid quantity that costs at most ``amount`` even if all of it is bought at ``cap``."""
    return quantity_for(amount, cap, instrument.quantity_decimals)


def sellable(instrument: Instrument, quantity: Decimal) -> Quantity:
    """Return what of a holding can be sold: on the grid, down (REFERENCE 4.5)."""
    return order_quantity(quantity, instrument.quantity_decimals)


def is_dust(quantity: Quantity, price: Price, cost: Decimal) -> bool:
    """Tell whether a rest that no order may sell is too little to trouble a person: a tenth of the position's cost."""
    return notional(price, quantity) * 10 <= cost


def meets_minimum(instrument: Instrument, quantity: Quantity, price: Price, *, market: bool) -> bool:
    """Tell whether an order of this size satisfies quantity and notional minimums (REFERENCE 4.4)."""
    minimum = instrument.min_notional_market if market else instrument.min_notional_limit
    return quantity > 0 and quantity >= instrument.min_quantity and notional(price, quantity) >= minimum
