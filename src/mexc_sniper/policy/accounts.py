"""Paper or live: the one place where an order's account is chosen (DESIGN 4.1, "Who trades what")."""

from mexc_sniper.model.account import Account
from mexc_sniper.model.config import TradeConfig


def account_for_entry(
    config: TradeConfig, *, live: bool, armed: bool, manual: bool, high_value: bool
) -> Account | None:
    """Choose the account of a new entry; None: entries are switched off.

    Args:
        config: ``auto_trade`` governs live entries, ``dry_run_entries`` paper ones.
        live: the process was started in live mode.
        armed: the operator's permission for live entries is in force.
        manual: asked for by a person: needs arming, not auto-trade.
        high_value: at or above the threshold and not confirmed: never live.
    """
    if live and armed and not high_value and (manual or config.auto_trade):
        return Account.LIVE
    if manual or config.dry_run_entries:
        return Account.PAPER
    return None
