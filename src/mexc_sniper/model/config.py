"""The trade configuration: what an operator may change while the bot runs, as numbered, immutable versions.

Field names at the API are camelCase, decimals are text. Defaults and meanings: DESIGN 4.1.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Usdt = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=8)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
PairPrice = Annotated[str, Field(pattern=r"^[^\s=,]{1,64}=[0-9]{1,12}(\.[0-9]{1,18})?$")]
"""``PAIR=PRICE``, the price in the pair's own quote currency: ``LUMOUSDT=0.25``."""


class TakeProfitStep(BaseModel):
    """Sell ``sharePct`` of the position at ``gainPct`` above the entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    gain_pct: Annotated[Decimal, Field(gt=0, le=100_000)]
    share_pct: Annotated[Decimal, Field(gt=0, le=100)]


class TradeConfig(BaseModel):
    """One version of the trade configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    auto_trade: bool = False
    dry_run_entries: bool = True
    quote_assets: tuple[str, ...] = ("USDT",)
    trade_usdt: Usdt = Decimal(20)
    max_trade_usdt: Usdt = Decimal(100)
    max_position_usdt: Usdt = Decimal(500)
    max_open_positions: Annotated[int, Field(ge=0, le=1000)] = 5
    max_daily_spend_usdt: Usdt = Decimal(1000)
    daily_loss_limit_usdt: Usdt = Decimal(50)
    max_drawdown_usdt: Usdt = Decimal(100)
    high_value_threshold_usdt: Usdt = Decimal(500)
    max_consecutive_losses: Annotated[int, Field(ge=1, le=1000)] = 5
    max_trades_per_hour: Annotated[int, Field(ge=0, le=10_000)] = 30
    cooldown_per_symbol_minutes: Annotated[int, Field(ge=0, le=10_080)] = 10
    max_signal_age_ms: Annotated[int, Field(ge=100, le=600_000)] = 5000
    entry_type: Annotated[str, Field(pattern="^(auto|market|capped)$")] = "auto"
    max_slippage_bps: Annotated[int, Field(ge=0, le=10_000)] = 1000
    max_spread_bps: Annotated[int, Field(ge=0, le=10_000)] = 500
    min_depth_multiple: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(3)
    min_exit_depth_multiple: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(1)
    max_price_ratio: Annotated[Decimal, Field(ge=1, le=1000)] = Decimal(5)
    reference_prices: Annotated[tuple[PairPrice, ...], Field(max_length=100)] = ()
    stop_loss_pct: Percent = Decimal(15)
    max_hold_minutes: Annotated[int, Field(ge=1, le=10_080)] = 30
    trailing_stop_pct: Percent = Decimal(10)
    trailing_stop_armed_after_pct: Annotated[Decimal, Field(ge=0, le=100_000)] = Decimal(15)
    take_profit: tuple[TakeProfitStep, ...] = (
        TakeProfitStep(gain_pct=Decimal(25), share_pct=Decimal(40)),
        TakeProfitStep(gain_pct=Decimal(50), share_pct=Decimal(30)),
    )
    resting_take_profit: bool = False
    excluded_categories: tuple[str, ...] = ("leveraged", "stocks", "stables", "wrapped")


RAISES = (
    "trade_usdt",
    "max_trade_usdt",
    "max_position_usdt",
    "max_open_positions",
    "max_daily_spend_usdt",
    "daily_loss_limit_usdt",
    "max_drawdown_usdt",
    "high_value_threshold_usdt",
    "max_consecutive_losses",
    "max_trades_per_hour",
    "max_slippage_bps",
    "max_spread_bps",
)
"""Fields that allow more when they grow; a typo such as 1000 for 100 must be said twice."""

LOWERS = ("min_depth_multiple", "min_exit_depth_multiple", "cooldown_per_symbol_minutes")
"""Fields that allow more when they shrink."""

_ALSO_RAISES = ("max_price_ratio", "max_signal_age_ms", "max_hold_minutes", "trailing_stop_armed_after_pct")


NO_STOP = Decimal(101)
"""What a stop of 0 %, which means none, stands for among distances: wider than every stop."""


def loosens(old: TradeConfig, new: TradeConfig) -> bool:
    """Whether a change allows anything more than before; what protects less, such as a wider stop, counts, and so does
    any other ladder of take-profits, of which none is stricter than another."""
    grew = any(getattr(new, name) > getattr(old, name) for name in (*RAISES, *_ALSO_RAISES))
    shrank = any(getattr(new, name) < getattr(old, name) for name in LOWERS)
    on = (new.auto_trade and not old.auto_trade) or (new.dry_run_entries and not old.dry_run_entries)
    added = not set(new.quote_assets) <= set(old.quote_assets)
    let_in = not set(old.excluded_categories) <= set(new.excluded_categories)
    wider = any(
        (getattr(new, name) or NO_STOP) > (getattr(old, name) or NO_STOP)
        for name in ("stop_loss_pct", "trailing_stop_pct")
    )
    uncapped = old.entry_type == "capped" and new.entry_type != "capped"
    later = old.take_profit != new.take_profit
    rests = new.resting_take_profit and not old.resting_take_profit
    unasked = not set(old.reference_prices) <= set(new.reference_prices)
    return grew or shrank or on or added or let_in or wider or uncapped or later or rests or unasked


class ConfigVersion(BaseModel):
    """One immutable row of ``config_versions``; the current one has the highest number."""

    model_config = ConfigDict(frozen=True)

    version: int
    created_ns: int
    actor: str
    config: TradeConfig


DEMO_CONFIG = TradeConfig(
    max_spread_bps=4000,
    max_slippage_bps=2500,
    min_depth_multiple=Decimal(1),
    max_hold_minutes=2,
    stop_loss_pct=Decimal(20),
    trailing_stop_pct=Decimal(6),
    trailing_stop_armed_after_pct=Decimal(8),
    take_profit=(
        TakeProfitStep(gain_pct=Decimal(5), share_pct=Decimal(40)),
        TakeProfitStep(gain_pct=Decimal(12), share_pct=Decimal(30)),
    ),
    cooldown_per_symbol_minutes=1,
)
"""For the demo: wide enough for the first seconds of an invented listing, and out again within two minutes."""

FIRST_CONFIGS: dict[str, TradeConfig] = {"default": TradeConfig(), "demo": DEMO_CONFIG}
"""What the very first start may write as version 1, by the name of the setting ``first_config``."""
