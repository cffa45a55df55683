"""Rules over several fields of the trade configuration: contradictions, raises that need a second word, hard caps."""

from decimal import Decimal

from mexc_sniper.model.config import LOWERS, RAISES, TradeConfig
from mexc_sniper.model.limits import HardCaps


def contradictions(config: TradeConfig, caps: HardCaps) -> dict[str, str]:
    """Return what contradicts itself, by field name (camelCase); empty when nothing does."""
    found: dict[str, str] = {}
    if config.trade_usdt > config.max_trade_usdt:
        found["tradeUsdt"] = f"must not be above maxTradeUsdt ({config.max_trade_usdt})"
    if config.max_trade_usdt > config.max_position_usdt:
        found["maxTradeUsdt"] = f"must not be above maxPositionUsdt ({config.max_position_usdt})"
    if config.max_trade_usdt > caps.max_trade:
        found["maxTradeUsdt"] = f"must not be above the hard cap of the settings file ({caps.max_trade})"
    if config.max_position_usdt > caps.max_position:
        found["maxPositionUsdt"] = f"must not be above the hard cap of the settings file ({caps.max_position})"
    if config.stop_loss_pct >= 100:
        found["stopLossPct"] = "must be below 100"
    if config.trailing_stop_pct >= 100:
        found["trailingStopPct"] = "must be below 100"
    if sum((step.share_pct for step in config.take_profit), Decimal(0)) > 100:
        found["takeProfit"] = "the shares must not add up to more than 100 %"
    gains = [step.gain_pct for step in config.take_profit]
    if gains != sorted(set(gains)):
        found["takeProfit"] = "the gains must rise from step to step"
    pairs = [line.partition("=")[0] for line in config.reference_prices]
    if len(pairs) != len(set(pairs)):
        found["referencePrices"] = "names a pair twice"
    elif any(not Decimal(line.partition("=")[2]) for line in config.reference_prices):
        found["referencePrices"] = "a price must be above 0"
    if not config.quote_assets:
        found["quoteAssets"] = "name at least one quote currency"
    return found


def large_raises(old: TradeConfig, new: TradeConfig) -> dict[str, str]:
    """Return the limits that more than double, and switching live entries on: they must be confirmed."""
    found: dict[str, str] = {}
    aliases = {name: field.alias or name for name, field in TradeConfig.model_fields.items()}
    for name in RAISES:
        before, after = Decimal(getattr(old, name)), Decimal(getattr(new, name))
        if after > 2 * before:
            found[aliases[name]] = f"{before} → {after}"
    for name in LOWERS:
        before, after = Decimal(getattr(old, name)), Decimal(getattr(new, name))
        if 2 * after < before:
            found[aliases[name]] = f"{before} → {after}"
    if new.auto_trade and not old.auto_trade:
        found["autoTrade"] = "off → on"
    return found


def strictest(old: TradeConfig, new: TradeConfig) -> TradeConfig:
    """Return the tighter of two versions, limit by limit: what applies to an entry that began under the old one."""
    if old == new:
        return new
    tight = {name: min(getattr(old, name), getattr(new, name)) for name in RAISES}
    wide = {name: max(getattr(old, name), getattr(new, name)) for name in LOWERS}
    return new.model_copy(update=tight | wide)
