"""Paper or live: the one place where an order's account is chosen (DESIGN 4.1, "Who trades what")."""

from mexc_sniper.model.account import Account
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.trading import AccountPin, PinState


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


def pin_state(pin: AccountPin | None, *, uid: str | None, fingerprint: str) -> PinState:
    """Tell how a key stands to the account that was armed first (RELIABILITY 2.6, row 95).

    A renewed key of the same account is the same account; where the venue does not tell whose a new key is, it counts
    as another's.
    """
    if pin is None:
        return PinState.NONE
    told = pin.uid is not None and uid is not None
    if told:
        return PinState.SAME if pin.uid == uid else PinState.OTHER
    return PinState.SAME if pin.fingerprint == fingerprint else PinState.UNKNOWN
