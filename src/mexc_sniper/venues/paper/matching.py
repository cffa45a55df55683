"""How an order meets the book: level by level, up to a price, on the venue's quantity grid. Pure."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from mexc_sniper.core.precision import quantity_for, step
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.market import Level, Side
from mexc_sniper.venues.paper.exact import cost_of, minus

ZERO = Decimal(0)


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """What an order gets. ``complete``: all it wanted, or all that fits the grid. ``why`` tells what ended it early."""

    takes: tuple[Level, ...] = ()
    complete: bool = False
    why: str = ""


def take_quantity(levels: Sequence[Level], quantity: Quantity, *, worst: Price, side: Side) -> Taking:
    """Take up to ``quantity`` from levels, best first, at ``worst`` or better for a taker of ``side``."""
    takes: list[Level] = []
    left = Decimal(quantity)
    for level in levels:
        if left <= 0:
            break
        if _beyond(level.price, worst, side):
            return Taking(takes=tuple(takes), why=f"nothing more at {worst} or better")
        part = Quantity(min(left, level.quantity))
        takes.append(Level(level.price, part))
        left = minus(left, part)
    return Taking(takes=tuple(takes), complete=left <= 0, why="" if left <= 0 else "the visible book ended")


def take_amount(levels: Sequence[Level], amount: Decimal, *, worst: Price, decimals: int) -> Taking:
    """Buy for up to ``amount`` of quote asset, at ``worst`` or better.

    The rest that buys less than one step of quantity is not spent, and the order is complete all the same.
    """
    takes: list[Level] = []
    left, complete, why = amount, False, "the visible book ended"
    for level in levels:
        affordable = _affordable(left, level.price, decimals)
        if affordable <= 0:
            complete, why = bool(takes), "the amount buys less than one step of quantity"
            break
        if _beyond(level.price, worst, Side.BUY):
            why = f"nothing more at {worst} or better"
            break
        part = Quantity(min(affordable, level.quantity))
        takes.append(Level(level.price, part))
        left = minus(left, cost_of(level.price, part))
    if takes and _affordable(left, takes[-1].price, decimals) <= 0:
        complete = True
    return Taking(takes=tuple(takes), complete=complete, why="" if complete else why)


def within(levels: Sequence[Level], bounds: tuple[Decimal, Decimal] | None) -> list[Level]:
    """Return the levels up to the first whose price is not believable (FIELD 4.4, row 12)."""
    believable = []
    for level in levels:
        if bounds is not None and not bounds[0] <= level.price <= bounds[1]:
            break
        believable.append(level)
    return believable


def _affordable(amount: Decimal, price: Price, decimals: int) -> Quantity:
    quantity = quantity_for(amount, price, decimals)
    if cost_of(price, quantity) > amount:  # a quotient of more digits than `quantity_for` carries was rounded up
        return Quantity(minus(quantity, step(decimals)))
    return quantity


def _beyond(price: Price, worst: Price, side: Side) -> bool:
    return price > worst if side is Side.BUY else price < worst
