"""A position from its fills, and nothing else: quantities, cost, proceeds, profit (RELIABILITY 3.1, I8)."""

from decimal import Decimal

import msgspec

from mexc_sniper.core.precision import average_price
from mexc_sniper.core.values import Quantity, text_from_decimal
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.policy.sizing import is_dust, meets_minimum, sellable

ZERO = Decimal(0)


def apply_fill(position: Position, fill: Fill) -> Position:
    """Add one fill. A fee in the base asset lowers what can be sold, one in the quote asset costs money; any other
    asset (MX) is kept apart (REFERENCE 4.5)."""
    fees = dict(position.fees)
    if fill.fee:
        before = Decimal(fees.get(fill.fee_asset, "0"))
        fees[fill.fee_asset] = text_from_decimal(before + fill.fee)
    base_fee = fill.fee if fill.fee_asset == position.base else ZERO
    quote_fee = fill.fee if fill.fee_asset == position.quote else ZERO
    if fill.side is Side.BUY:
        bought = Quantity(position.bought_quantity + fill.quantity - base_fee)
        cost = position.cost + fill.quote_quantity + quote_fee
        return msgspec.structs.replace(
            position,
            fees=fees,
            bought_quantity=bought,
            quantity=Quantity(position.quantity + fill.quantity - base_fee),
            cost=cost,
            entry_price=average_price(cost, bought),
        )
    return msgspec.structs.replace(
        position,
        fees=fees,
        sold_quantity=Quantity(position.sold_quantity + fill.quantity + base_fee),
        quantity=Quantity(position.quantity - fill.quantity - base_fee),
        proceeds=position.proceeds + fill.quote_quantity - quote_fee,
    )


def close_if_done(position: Position, instrument: Instrument, *, now_ns: int) -> Position:
    """End a position that has nothing left that the venue would take; what is left over stays visible as dust.

    Call it only when no order for it is on its way.
    """
    if position.closed:
        return position
    left = sellable(instrument, position.quantity)
    price = position.mark_price or position.entry_price
    if position.sold_quantity <= 0 and left > 0:
        return position
    if left > 0 and (
        price is None
        or meets_minimum(instrument, left, price, market=True)
        or not is_dust(left, price, position.cost)  # the venue's minimum was raised: it stays counted
    ):
        return position
    status = PositionStatus.CLOSED_WITH_DUST if position.quantity > 0 else PositionStatus.CLOSED
    return msgspec.structs.replace(position, status=status, closed_ns=now_ns)
