"""What the venue would refuse, with its own codes (REFERENCE 1.10, 4.1 to 4.4), and the bounds it trades within."""

from decimal import Decimal

import msgspec

from mexc_sniper.core.precision import BPS, above, below, buy_price, floor_to, sell_price
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price, Quantity
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, PriceBand, TradeSides
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderIntent, OrderType
from mexc_sniper.venues.paper.book import LiveBook
from mexc_sniper.venues.paper.exact import cost_of, times

_LISTED_TYPES = frozenset({OrderType.LIMIT, OrderType.LIMIT_MAKER})
"""IOC and FOK are never listed in a row's order types, yet accepted (REFERENCE 1.6)."""
_FORBIDDEN = {Side.BUY: TradeSides.SELL_ONLY, Side.SELL: TradeSides.BUY_ONLY}
_ONE = Decimal(1)


class Refusal(msgspec.Struct, frozen=True):
    """The venue's no: its code, its words, and our reason."""

    code: int
    text: str
    reason: Reason = Reason.VENUE_REFUSED


def refusal(intent: OrderIntent, instrument: Instrument | None, book: LiveBook, *, venue_ns: int) -> Refusal | None:
    """Return why the venue would not take an order in; None when it would. Balance is asked for elsewhere.

    ``venue_ns`` is the venue's wall time, for an opening that lies ahead.
    """
    if instrument is None:
        return Refusal(10007, "symbol not support api", Reason.API_CLOSED)
    return (
        _closed(intent, instrument, venue_ns)
        or _wrong_type(intent, instrument)
        or _wrong_number(intent, instrument)
        or _wrong_size(intent, instrument, book)
        or _wrong_price(intent, instrument, book)
    )


def band_of(band: PriceBand, low: Price, high: Price) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest price a band allows around a range of prices.

    An upper number above 1 means multipliers, otherwise both are fractions (REFERENCE 4.2).
    """
    if band.bid_multiplier_up > 1:
        return times(low, band.ask_multiplier_down), times(high, band.bid_multiplier_up)
    return times(low, _ONE - band.ask_multiplier_down), times(high, _ONE + band.bid_multiplier_up)


def market_limit(side: Side, instrument: Instrument, reference: Price, cap: Decimal) -> Price:
    """Return the worst price a market order trades at: about 5 % from the last price (REFERENCE 1.8)."""
    if side is Side.BUY:
        return buy_price(above(reference, cap * BPS), instrument.price_decimals)
    return sell_price(below(reference, cap * BPS), instrument.price_decimals)


# ---------------------------------------------------------------------- the questions, in the venue's order


def _closed(intent: OrderIntent, instrument: Instrument, venue_ns: int) -> Refusal | None:
    if not instrument.api_trading:
        return Refusal(10007, "symbol not support api", Reason.API_CLOSED)
    if instrument.status is InstrumentStatus.PAUSED:
        return Refusal(30000, "suspended transaction for the symbol", Reason.NOT_ONLINE)
    opens_ns = instrument.first_open_time_ns
    if instrument.status is not InstrumentStatus.ONLINE or (opens_ns is not None and venue_ns < opens_ns):
        return Refusal(30016, "trading disabled", Reason.NOT_ONLINE)
    if instrument.trade_sides in (TradeSides.CLOSED, _FORBIDDEN.get(intent.side)):
        return Refusal(30001, "current transaction direction is not allowed", Reason.ONE_SIDED)
    return None


def _wrong_type(intent: OrderIntent, instrument: Instrument) -> Refusal | None:
    if intent.type is OrderType.MARKET and OrderType.MARKET not in instrument.order_types:
        return Refusal(30019, "api market order is disabled", Reason.MARKET_ORDERS_CLOSED)
    if intent.type in _LISTED_TYPES and intent.type not in instrument.order_types:
        return Refusal(30041, "current order type can not place order")
    return None


def _wrong_number(intent: OrderIntent, instrument: Instrument) -> Refusal | None:
    quantity, amount, price = intent.quantity, intent.quote_quantity, intent.price
    if (quantity is None) == (amount is None) or (amount is not None and not _may_name_amount(intent)):
        return Refusal(10095, "amount cannot be null")
    if (intent.type is OrderType.MARKET) != (price is None):
        return Refusal(33333, "param error")
    for number, decimals in ((quantity, instrument.quantity_decimals), (price, instrument.price_decimals)):
        if number is not None and (not number.is_finite() or number <= 0):
            return Refusal(10102, "amount cannot be zero or negative")
        if number is not None and floor_to(number, decimals) != number:
            return Refusal(10096, "amount decimal places is too long")
    if amount is not None and (not amount.is_finite() or amount <= 0):
        return Refusal(10102, "amount cannot be zero or negative")
    return None


def _may_name_amount(intent: OrderIntent) -> bool:
    return intent.type is OrderType.MARKET and intent.side is Side.BUY


def _wrong_size(intent: OrderIntent, instrument: Instrument, book: LiveBook) -> Refusal | None:
    market = intent.type is OrderType.MARKET
    smallest = instrument.min_notional_market if market else instrument.min_notional_limit
    largest = instrument.max_notional_market if market else instrument.max_notional_limit
    if intent.quantity is not None and intent.quantity < instrument.min_quantity:
        return _too_small(instrument.min_quantity)
    value = _value(intent, book)
    if value is not None and value < smallest:
        return _too_small(smallest)
    if value is not None and largest is not None and value > largest:
        return Refusal(30003, f"the maximum transaction volume cannot exceed:{largest}")
    return None


def _value(intent: OrderIntent, book: LiveBook) -> Decimal | None:
    if intent.quote_quantity is not None:
        return intent.quote_quantity
    price = intent.price if intent.price is not None else book.reference
    return None if price is None or intent.quantity is None else cost_of(price, Quantity(intent.quantity))


def _too_small(minimum: Decimal) -> Refusal:
    return Refusal(30002, f"the minimum transaction volume cannot be less than:{minimum}", Reason.BELOW_MINIMUM)


def _wrong_price(intent: OrderIntent, instrument: Instrument, book: LiveBook) -> Refusal | None:
    """The band is measured from the last price; what the venue takes before the first trade is not known."""
    if intent.price is None or instrument.price_band is None or book.reference is None:
        return None
    lowest, highest = band_of(instrument.price_band, book.reference, book.reference)
    beyond = intent.price > highest if intent.side is Side.BUY else intent.price < lowest
    if beyond:
        return Refusal(30087, "order price exceeds the allowed range", Reason.OUTSIDE_PRICE_BAND)
    return None
