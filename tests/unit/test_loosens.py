"""Which changes of the configuration allow more than before: those a browser gives its password again for."""

from typing import Any

import pytest

from mexc_sniper.model.config import TradeConfig, loosens

BASE = TradeConfig(entry_type="capped", dry_run_entries=False, reference_prices=("ALPHAUSDT=1",))
LOOSER: dict[str, Any] = {
    "auto_trade": True,
    "dry_run_entries": True,
    "quote_assets": ("USDT", "USDC"),
    "trade_usdt": 21,
    "max_trade_usdt": 101,
    "max_position_usdt": 501,
    "max_open_positions": 6,
    "max_daily_spend_usdt": 1001,
    "daily_loss_limit_usdt": 51,
    "max_drawdown_usdt": 101,
    "high_value_threshold_usdt": 501,
    "max_consecutive_losses": 6,
    "max_trades_per_hour": 31,
    "cooldown_per_symbol_minutes": 9,
    "max_signal_age_ms": 5001,
    "entry_type": "market",
    "max_slippage_bps": 1001,
    "max_spread_bps": 501,
    "min_depth_multiple": 2,
    "min_exit_depth_multiple": 0,
    "max_price_ratio": 6,
    "stop_loss_pct": 16,
    "max_hold_minutes": 31,
    "trailing_stop_pct": 0,
    "trailing_stop_armed_after_pct": 16,
    "take_profit": (),
    "resting_take_profit": True,
    "reference_prices": (),
    "excluded_categories": ("leveraged",),
}


def changed(**fields: Any) -> TradeConfig:
    return TradeConfig.model_validate(BASE.model_dump() | fields)


def test_every_field_is_judged() -> None:
    assert set(LOOSER) == set(TradeConfig.model_fields)


@pytest.mark.parametrize("name", LOOSER)
def test_allowing_more_is_seen_and_taking_it_back_is_free(name: str) -> None:
    looser = changed(**{name: LOOSER[name]})

    assert loosens(BASE, looser)
    assert not loosens(BASE, BASE)
    if name != "take_profit":
        assert not loosens(looser, BASE)


@pytest.mark.parametrize("name", ["stop_loss_pct", "trailing_stop_pct"])
def test_a_stop_switched_on_or_brought_nearer_protects_more(name: str) -> None:
    assert not loosens(changed(**{name: 0}), changed(**{name: 5}))
    assert not loosens(changed(**{name: 6}), changed(**{name: 5}))
    assert loosens(changed(**{name: 5}), changed(**{name: 6}))
    assert loosens(changed(**{name: 5}), changed(**{name: 0}))
