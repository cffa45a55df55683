"""One pair's fixed facts, and its exchangeInfo row in the recorded field order (REFERENCE 1.6)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

QUOTE_IDS = {"USDT": "128f589271cb4951b03e71e6323eb7be"}
"""Ids of quote currencies that public recordings show; others are derived."""


def hex_id(*parts: object) -> str:
    """Derive a stable 32-hex id like the venue's from what it stands for."""
    return sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()[:32]


def coin_id(asset: str) -> str:
    """The venue's id of an asset: the calendar's ``vcoinId``, symbolsV2's ``cd``, a pair's ``mcd``."""
    return QUOTE_IDS.get(asset) or hex_id("coin", asset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What never changes while a pair lives."""

    symbol: str
    base: str
    quote: str
    full_name: str
    price_scale: int
    quantity_scale: int
    min_quantity: str
    min_notional: str
    reference_price: float
    """Mid price the model starts from; a modelled number, never money."""
    first_open_ms: int | None
    contract: str = ""
    coin_id: str
    market_orders: bool = True
    special_treatment: bool = False
    trade_side_type: int = 1
    plates: tuple[str, ...] = ()
    plate_ids: tuple[int, ...] = ()
    band: str = "0.2"
    max_notional: str = "2000000"
    max_notional_market: str = "100000"
    maker_fee: str = "0"
    taker_fee: str = "0.0005"

    @property
    def symbol_id(self) -> str:
        """The venue's id of the pair."""
        return hex_id("symbol", self.symbol)

    def row(self, *, spot_allowed: bool, status: str) -> dict[str, Any]:
        """The exchangeInfo row as the wire has it in 2026."""
        row: dict[str, Any] = {
            "symbol": self.symbol,
            "status": status,
            "baseAsset": self.base,
            "baseAssetPrecision": self.quantity_scale,
            "quoteAsset": self.quote,
            "quotePrecision": self.price_scale,
            "quoteAssetPrecision": self.price_scale,
            "baseCommissionPrecision": self.quantity_scale,
            "quoteCommissionPrecision": self.price_scale,
            "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"] if self.market_orders else ["LIMIT", "LIMIT_MAKER"],
            "isSpotTradingAllowed": spot_allowed,
            "isMarginTradingAllowed": False,
            "quoteAmountPrecision": self.min_notional,
            "baseSizePrecision": self.min_quantity,
            "permissions": ["SPOT"],
            "filters": [
                {
                    "filterType": "PERCENT_PRICE_BY_SIDE",
                    "bidMultiplierUp": self.band,
                    "askMultiplierDown": self.band,
                }
            ],
            "maxQuoteAmount": self.max_notional,
            "makerCommission": self.maker_fee,
            "takerCommission": self.taker_fee,
            "quoteAmountPrecisionMarket": self.min_notional,
            "maxQuoteAmountMarket": self.max_notional_market,
            "fullName": self.full_name,
            "tradeSideType": self.trade_side_type,
            "contractAddress": self.contract,
        }
        if self.first_open_ms is not None:
            row["firstOpenTime"] = self.first_open_ms
        row["bizType"] = None
        row["conceptPlateIds"] = list(self.plate_ids)
        row["conceptPlates"] = list(self.plates)
        row["st"] = self.special_treatment
        return row
