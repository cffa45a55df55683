"""What can be traded and by which rules, from one row of exchangeInfo (REFERENCE 1.6)."""

from decimal import Decimal
from enum import IntEnum, StrEnum

import msgspec

from mexc_sniper.core.values import Asset, Symbol


class InstrumentStatus(StrEnum):
    """The venue's status text: "1" online, "2" pause, "3" offline; the word ENABLED until 2024-08-16."""

    ONLINE = "online"
    PAUSED = "paused"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class TradeSides(IntEnum):
    """``tradeSideType``: which sides may trade."""

    UNKNOWN = 0
    ALL = 1
    BUY_ONLY = 2
    SELL_ONLY = 3
    CLOSED = 4


class PriceBand(msgspec.Struct, frozen=True):
    """PERCENT_PRICE_BY_SIDE as the row carries it; its meaning depends on the value (REFERENCE 4.2)."""

    bid_multiplier_up: Decimal
    ask_multiplier_down: Decimal


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Rules and state of one symbol.

    Decimals of price and quantity are counts of digits after the point; minimums and maximums are in the unit
    their name says (quote: notional). ``min_quantity`` zero means the step is the minimum.
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    status: InstrumentStatus
    api_trading: bool
    """isSpotTradingAllowed: ordinary API keys may trade. Status alone says nothing (REFERENCE 1.6)."""
    trade_sides: TradeSides
    order_types: tuple[str, ...]
    price_decimals: int
    quantity_decimals: int
    min_quantity: Decimal
    min_notional_limit: Decimal
    min_notional_market: Decimal
    max_notional_limit: Decimal | None = None
    max_notional_market: Decimal | None = None
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    price_band: PriceBand | None = None
    full_name: str = ""
    contract_address: str = ""
    concept_plates: tuple[str, ...] = ()
    special_treatment: bool = False
    first_open_time_ns: int | None = None
