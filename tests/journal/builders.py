"""Intents with sensible defaults, and a way to look into a journal without opening it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from mexc_sniper.core.ids import IntentId, client_order_id, intent_id
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.journal import GrantLimits, Recovered
from mexc_sniper.journal.recovery import recover
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, OrderIntent, OrderRole, OrderType
from tests.builders import T0_NS

LIMITS = GrantLimits(entries=4, exits=6, notional_per_entry=Decimal(100), notional=Decimal(300))


def an_intent(number: int = 0, *, epoch: int = 1, **changes: Any) -> OrderIntent:
    symbol = changes.get("symbol", f"S{number}USDT")
    account = changes.get("account", Account.LIVE)
    intent = intent_id(f"decision {number}", 0)
    values: dict[str, Any] = {
        "id": IntentId(intent),
        "client_order_id": client_order_id(account, epoch, intent, 0, 0),
        "account": account,
        "symbol": Symbol(symbol),
        "base": Asset(f"S{number}"),
        "quote": Asset("USDT"),
        "side": Side.BUY,
        "role": OrderRole.ENTRY,
        "type": OrderType.MARKET,
        "quote_quantity": Decimal(20),
        "worst_notional": Decimal("20.04"),
        "decided_ns": T0_NS,
        "config_version": 1,
    }
    return OrderIntent(**{**values, **changes})


def an_exit(number: int = 0, **changes: Any) -> OrderIntent:
    return an_intent(
        number,
        **{
            "side": Side.SELL,
            "role": OrderRole.STOP_LOSS,
            "quantity": Decimal(5),
            "quote_quantity": None,
            **changes,
        },
    )


def approved(intent: OrderIntent) -> Approved:
    return Approved(intent=intent, generation=1)


def look(directory: Path, limits: GrantLimits | None = LIMITS) -> Recovered:
    """Read what is in the files right now, as a start after a kill would."""
    while True:
        try:
            files = [(path.name, path.read_bytes()) for path in sorted(directory.glob("*.journal"))]
        except FileNotFoundError:
            continue  # one was deleted between the two looks
        return recover(files, limits)


def ids(found: Recovered) -> set[str]:
    return {known.intent.client_order_id for known in found.intents}
