"""How to get out: the plan made when an entry has filled, and the next step when a price or time has come.

Every leg must be an order the venue takes; legs below its minimum are merged into their neighbour (FIELD 7, trap 19).
"""

from collections.abc import Container, Sequence
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.precision import above, below, floor_to, notional, sell_price
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.order import OrderRole, OrderType
from mexc_sniper.model.position import ExitPlan, Position, TakeProfitLeg
from mexc_sniper.policy.sizing import meets_minimum, sellable

ZERO = Decimal(0)
MOST_RESTING = 36
"""Legs of one position that may wait at the venue: their number is one letter of the order's id."""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """Sell ``quantity`` now because of ``role``; ``legs`` are the take-profit legs it carries out, by index."""

    role: OrderRole
    quantity: Quantity
    legs: tuple[int, ...] = ()


def plan_exits(
    config: TradeConfig, instrument: Instrument, *, quantity: Quantity, entry_price: Price, now_ns: int
) -> ExitPlan:
    """Make the plan for a filled entry. Stop and targets are measured from the real average price, not the wanted."""
    stop: Price | None = None
    if config.stop_loss_pct > 0:
        stop = Price(floor_to(below(entry_price, config.stop_loss_pct * 100), instrument.price_decimals))
        stop = stop if stop > 0 else None
    armed_at: Price | None = None
    if config.trailing_stop_pct > 0 and config.trailing_stop_armed_after_pct > 0:
        armed_at = sell_price(above(entry_price, config.trailing_stop_armed_after_pct * 100), instrument.price_decimals)
    return ExitPlan(
        take_profit=_ladder(config, instrument, quantity, entry_price),
        stop_price=stop,
        trailing_bps=int(config.trailing_stop_pct * 100),
        trailing_armed_at=armed_at,
        deadline_ns=now_ns + config.max_hold_minutes * 60 * NS_PER_S,
        resting=config.resting_take_profit,
    )


def follow_price(position: Position, price: Price) -> Position:
    """Take a new price into the position: its mark, its peak, and whether the trailing stop follows by now."""
    peak = price if position.peak_price is None or price > position.peak_price else position.peak_price
    plan = position.plan
    armed = position.trailing_armed
    if plan is not None and plan.trailing_bps and not armed:
        armed = plan.trailing_armed_at is None or price >= plan.trailing_armed_at
    return msgspec.structs.replace(position, mark_price=price, peak_price=peak, trailing_armed=armed)


def trailing_stop(position: Position) -> Price | None:
    """Return where the trailing stop lies now; None while it does not follow."""
    plan = position.plan
    if plan is None or not position.trailing_armed or position.peak_price is None or not plan.trailing_bps:
        return None
    return below(position.peak_price, plan.trailing_bps)


def next_exit(
    position: Position, instrument: Instrument, *, price: Price | None, free: Quantity, now_ns: int
) -> Exit | None:
    """Return what must be sold now, or None.

    Args:
        position: with its price followed up to now.
        instrument: its rules.
        price: what a sell would get now (best bid); None: no market, then only time can act.
        free: quantity not reserved by exits already on their way.
        now_ns: wall time.
    """
    plan = position.plan
    whole = sellable(instrument, free)
    if plan is None or whole <= 0:
        return None
    if plan.deadline_ns is not None and now_ns >= plan.deadline_ns:
        return Exit(role=OrderRole.TIME_EXIT, quantity=whole)
    if price is None:
        return None
    if plan.stop_price is not None and price <= plan.stop_price:
        return Exit(role=OrderRole.STOP_LOSS, quantity=whole)
    trail = trailing_stop(position)
    if trail is not None and price <= trail:
        return Exit(role=OrderRole.TRAILING_STOP, quantity=whole)
    reached = tuple(index for index, leg in enumerate(plan.take_profit) if not leg.done and price >= leg.price)
    if not reached:
        return None
    wanted = sellable(instrument, min(whole, sum((plan.take_profit[index].quantity for index in reached), ZERO)))
    rest = Quantity(whole - wanted)
    if rest > 0 and not meets_minimum(instrument, rest, price, market=True):
        wanted = whole  # what would stay is dust nobody could sell
    if wanted <= 0:
        return None
    return Exit(role=OrderRole.TAKE_PROFIT, quantity=wanted, legs=reached)


def legs_to_rest(
    plan: ExitPlan, instrument: Instrument, *, free: Quantity, taken: Container[int]
) -> list[tuple[int, Price, Quantity]]:
    """Return the legs that should wait at the venue: index, price and quantity, lowest price first.

    What the venue would not take as a limit order is left out: it is watched here, and sold when its price comes.

    Args:
        plan: of the position; nothing rests where it does not say so.
        instrument: its rules.
        free: quantity that no exit on its way has reserved.
        taken: indices that rest already, or did before.
    """
    if not plan.resting or OrderType.LIMIT not in instrument.order_types:
        return []
    found = []
    left = sellable(instrument, free)
    for index, leg in enumerate(plan.take_profit[:MOST_RESTING]):
        quantity = sellable(instrument, min(left, leg.quantity))
        most = instrument.max_notional_limit
        too_much = most is not None and notional(leg.price, quantity) > most
        if leg.done or index in taken or too_much or not meets_minimum(instrument, quantity, leg.price, market=False):
            continue
        left = Quantity(left - quantity)
        found.append((index, leg.price, quantity))
    return found


def mark_legs(plan: ExitPlan, legs: Sequence[int], *, done: bool = True) -> ExitPlan:
    """Return the plan with the given take-profit legs done, or open again because their order sold nothing."""
    ladder = tuple(
        msgspec.structs.replace(leg, done=done) if index in legs else leg for index, leg in enumerate(plan.take_profit)
    )
    return msgspec.structs.replace(plan, take_profit=ladder)


def _ladder(
    config: TradeConfig, instrument: Instrument, quantity: Quantity, entry_price: Price
) -> tuple[TakeProfitLeg, ...]:
    legs: list[TakeProfitLeg] = []
    left = sellable(instrument, quantity)
    carried = ZERO
    for step in sorted(config.take_profit, key=lambda step: step.gain_pct):
        price = sell_price(above(entry_price, step.gain_pct * 100), instrument.price_decimals)
        wanted = sellable(instrument, min(left, quantity * step.share_pct / 100 + carried))
        if not meets_minimum(instrument, wanted, price, market=True):
            carried += quantity * step.share_pct / 100  # too small alone: sold together with the next leg
            continue
        carried = ZERO
        left = Quantity(left - wanted)
        if left > 0 and not meets_minimum(instrument, left, price, market=True):
            wanted, left = Quantity(wanted + left), Quantity(ZERO)
        legs.append(TakeProfitLeg(price=price, quantity=wanted))
        if left <= 0:
            break
    return tuple(legs)
