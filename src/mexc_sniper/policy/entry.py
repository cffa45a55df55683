"""The shape of an entry: MARKET by quote amount, or an IOC limit at a price bound (DESIGN 4, 4.1)."""

from decimal import Decimal

import msgspec

from mexc_sniper.core.precision import above, buy_price, quote_amount
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument, PriceBand
from mexc_sniper.model.market import Book
from mexc_sniper.model.order import OrderType
from mexc_sniper.policy.sizing import capped_quantity, walk_amount

BAND_MARGIN = Decimal("0.1")
"""Share of the band's width by which a bound stays inside: its reference price is not documented to the tick.

A share and not a distance, because bands differ from 0.5 % to 20 % (REFERENCE 4.2)."""


class EntryShape(msgspec.Struct, frozen=True, kw_only=True):
    """The order to send. ``worst_notional`` includes the taker fee; ``cap`` None: there was no price to bound."""

    type: OrderType
    quote_quantity: Decimal | None = None
    quantity: Quantity | None = None
    price: Price | None = None
    cap: Price | None
    worst_notional: Decimal


def band_limits(band: PriceBand, last: Price) -> tuple[Price, Price]:
    """Return the lowest sell and the highest buy price the band allows.

    The same numbers were multipliers until 2025 and are fractions since: above 1 for the upper one means multipliers
    (REFERENCE 4.2).
    """
    if band.bid_multiplier_up > 1:
        return Price(last * band.ask_multiplier_down), Price(last * band.bid_multiplier_up)
    return Price(last * (1 - band.ask_multiplier_down)), Price(last * (1 + band.bid_multiplier_up))


def price_cap(config: TradeConfig, instrument: Instrument, reference: Price) -> Price:
    """Return the most an entry may pay: the slippage limit above the reference, inside the venue's band."""
    cap = above(reference, config.max_slippage_bps)
    if instrument.price_band is not None:
        _, highest = band_limits(instrument.price_band, reference)
        cap = min(cap, Price(highest - (highest - reference) * BAND_MARGIN))
    return buy_price(cap, instrument.price_decimals)


def shape(
    config: TradeConfig, instrument: Instrument, *, amount: Decimal, reference: Price, book: Book | None
) -> EntryShape | Reason:
    """Choose the order of an entry, or the reason why there is none.

    MARKET by quote amount where the configuration wants it, or (``auto``) where the visible book fills it below the
    cap; otherwise an IOC limit at the cap. Market orders closed for the pair mean IOC, unless ``market`` was forced.
    """
    market_open = OrderType.MARKET in instrument.order_types
    cap = price_cap(config, instrument, reference)
    if cap <= 0:
        return Reason.OUTSIDE_PRICE_BAND
    spend = quote_amount(amount, instrument.price_decimals)
    if config.entry_type == "market" and not market_open:
        return Reason.MARKET_ORDERS_CLOSED
    within_cap = book is not None and walk_amount(book.asks, spend, limit=cap).complete
    if market_open and (config.entry_type == "market" or (config.entry_type == "auto" and within_cap)):
        return _market(instrument, spend, cap)
    return _capped(instrument, spend, cap)


def blind_market_shape(instrument: Instrument, *, amount: Decimal) -> EntryShape:
    """Return the MARKET order of an entry before there is a price; the trigger finds out whether it may leave."""
    return _market(instrument, quote_amount(amount, instrument.price_decimals), None)


def timed_shape(instrument: Instrument, *, amount: Decimal, cap: Price) -> EntryShape:
    """Return the order of an entry whose most price the operator has named: an IOC limit there, whatever the book."""
    price = buy_price(cap, instrument.price_decimals)
    return _capped(instrument, quote_amount(amount, instrument.price_decimals), price)


def _market(instrument: Instrument, spend: Decimal, cap: Price | None) -> EntryShape:
    worst = spend * (1 + (instrument.taker_fee or Decimal(0)))
    return EntryShape(type=OrderType.MARKET, quote_quantity=spend, cap=cap, worst_notional=worst)


def _capped(instrument: Instrument, spend: Decimal, cap: Price) -> EntryShape:
    quantity = capped_quantity(instrument, spend, cap) if cap > 0 else Quantity(Decimal(0))
    worst = quantity * cap * (1 + (instrument.taker_fee or Decimal(0)))
    return EntryShape(type=OrderType.IOC, quantity=quantity, price=cap, cap=cap, worst_notional=worst)
