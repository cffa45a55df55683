"""The JSON Schema of the trade configuration, with what a form needs: groups, titles, units, ranges (DASHBOARD 3.5)."""

from typing import Any

from pydantic.fields import FieldInfo

from mexc_sniper.model.config import TradeConfig

GROUPS = {
    "entries": "Entries",
    "size": "Size",
    "limits": "Limits",
    "market": "Market checks",
    "exits": "Exits",
}

_FIELDS: dict[str, tuple[str, str, str, str]] = {
    "auto_trade": ("entries", "Automatic live entries", "", "Enter new listings live while armed. Warn before it."),
    "dry_run_entries": ("entries", "Automatic dry-run entries", "", "Enter new listings on the paper account."),
    "quote_assets": ("entries", "Quote currencies", "", "Only listings against these are entered."),
    "entry_type": ("entries", "Entry order", "", "auto: market where the book fills it, else limit at the cap."),
    "max_signal_age_ms": ("entries", "Latest entry", "ms", "After the first trade; later is too late."),
    "cooldown_per_symbol_minutes": ("entries", "Pause per pair", "min", "Between two entries of the same pair."),
    "excluded_categories": ("entries", "Excluded kinds of coins", "", "Never entered automatically."),
    "trade_usdt": ("size", "Amount per entry", "USDT", "What an automatic entry spends."),
    "max_trade_usdt": ("size", "Largest entry", "USDT", "No entry above it, manual ones included."),
    "high_value_threshold_usdt": ("size", "Ask above", "USDT", "Automatic entries above it wait for your word."),
    "max_position_usdt": ("limits", "Largest exposure", "USDT", "Positions and orders on their way, together."),
    "max_open_positions": ("limits", "Open positions", "", "At most so many at once."),
    "max_daily_spend_usdt": ("limits", "Spend per day", "USDT", "Bought within one UTC day."),
    "daily_loss_limit_usdt": ("limits", "Loss per day", "USDT", "Reached: trading stops until you resume."),
    "max_drawdown_usdt": ("limits", "Loss from the peak", "USDT", "Reached: trading stops until you resume."),
    "max_consecutive_losses": ("limits", "Losses in a row", "", "Reached: no entries until you resume."),
    "max_trades_per_hour": ("limits", "Entries per hour", "", "At most so many."),
    "max_slippage_bps": ("market", "Slippage", "bps", "How far above the reference an entry may pay."),
    "max_spread_bps": ("market", "Spread", "bps", "Between best bid and ask at entry."),
    "min_depth_multiple": ("market", "Depth to buy", "x", "Offered within the slippage, as a multiple of the entry."),
    "min_exit_depth_multiple": ("market", "Depth to sell", "x", "Bid near the price, as a multiple of the entry."),
    "max_price_ratio": ("market", "Price sanity", "x", "Against a known reference price."),
    "reference_prices": ("market", "Reference prices", "", "What you expect a pair to cost, such as LUMOUSDT=0.25."),
    "stop_loss_pct": ("exits", "Stop loss", "%", "Below the entry price; 0: none."),
    "max_hold_minutes": ("exits", "Longest hold", "min", "Sold after it, whatever the price."),
    "trailing_stop_pct": ("exits", "Trailing stop", "%", "Below the peak; 0: none."),
    "trailing_stop_armed_after_pct": ("exits", "Trailing stop from", "%", "Profit at which it begins to follow."),
    "take_profit": ("exits", "Take profit", "", "Steps: sell this share at this gain."),
    "resting_take_profit": ("exits", "Steps wait at the venue", "", "As limit orders; they sell without the bot."),
}
"""Field → group, title, unit, description. A test holds it against the model: every field has its line."""

_STEP = {"gainPct": ("Gain", "%"), "sharePct": ("Share", "%")}


def config_schema() -> dict[str, Any]:
    """Return the schema, by the API's names. A decimal is ``{"type": ["string", "number"], "format": "decimal"}``
    with ``minimum`` and ``maximum``; ``x-unit``, ``x-group`` and ``x-order`` are for the form."""
    schema = TradeConfig.model_json_schema(by_alias=True, mode="validation")
    schema["title"] = "Trade configuration"
    schema["description"] = "Every field may be left out of a change; decimals are text."
    schema["x-groups"] = [{"id": group, "title": title} for group, title in GROUPS.items()]
    for order, (name, (group, title, unit, description)) in enumerate(_FIELDS.items()):
        field = TradeConfig.model_fields[name]
        schema["properties"][_alias(name, field)] |= {
            "title": title,
            "description": description,
            "x-group": group,
            "x-unit": unit,
            "x-order": order,
        }
    step = schema["$defs"]["TakeProfitStep"]
    step["title"] = "Step"
    for alias, (title, unit) in _STEP.items():
        step["properties"][alias] |= {"title": title, "x-unit": unit}
    for properties in (schema["properties"], step["properties"]):
        for alias, described in properties.items():
            properties[alias] = _with_plain_decimal(described)
    return schema


def _alias(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _with_plain_decimal(described: dict[str, Any]) -> dict[str, Any]:
    """Write a decimal as one type with its range instead of a choice between number and pattern."""
    choices = described.get("anyOf", [])
    number = next((choice for choice in choices if choice.get("type") == "number"), None)
    if number is None or len(choices) != 2:
        return described
    rest = {key: value for key, value in described.items() if key != "anyOf"}
    return {"type": ["string", "number"], "format": "decimal", **number, **rest} | {"type": ["string", "number"]}
