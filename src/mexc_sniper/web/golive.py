"""The go-live checklist: what stands between this program and live orders, each point with its evidence.

It shows; it does not judge. Whether the program may be armed is decided by the engine, which looks at its own state
when the command arrives.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.ledger.channels import Channel
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.account import Account, Balance, TradingState
from mexc_sniper.model.canary import CanaryResult
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.health import Component, ComponentStatus
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import TradingStatus
from mexc_sniper.web.convert_trading import computed
from mexc_sniper.web.risk import Key
from mexc_sniper.web.views_golive import GoLiveItemView

CLOCK_BOUND_MS = 250.0
"""Above this uncertainty of the venue's clock no entry is made (DESIGN 4.1)."""
PAPER_POSITIONS = 10
"""Closed paper positions that count as a record."""
PAPER_DAYS = 30
CANARY_DAYS = 30
_DAY_NS = 86_400 * NS_PER_S

State = Literal["ok", "missing", "warning"]
Found = tuple[State, str, str]
"""State, what was found, what to do."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the checklist is made of, read in one go."""

    live: bool
    engine_alive: bool
    now_ns: int
    key: Key | None
    """None: the engine tells nothing."""
    canary: CanaryResult | None
    channels: Sequence[Channel]
    components: Sequence[Component]
    balances: Sequence[Balance]
    trading: TradingStatus | None
    config: ConfigVersion | None
    paper: Sequence[Position]


def read_evidence(
    view: LedgerView,
    *,
    live: bool,
    engine_alive: bool,
    now_ns: int,
    key: Key | None,
    canary: CanaryResult | None,
    channels: Sequence[Channel],
) -> Evidence:
    """Add what the ledger holds."""
    closed = view.closed_positions(now_ns - PAPER_DAYS * _DAY_NS)
    return Evidence(
        live=live,
        engine_alive=engine_alive,
        now_ns=now_ns,
        key=key,
        canary=canary,
        channels=channels,
        components=view.components(),
        balances=view.balances(),
        trading=view.trading(),
        config=view.config(),
        paper=[position for position in closed if position.account is Account.PAPER],
    )


def checklist(evidence: Evidence) -> list[GoLiveItemView]:
    """Judge every point, in the order in which an operator would settle them."""
    items: Iterable[tuple[str, str, Callable[[Evidence], Found]]] = (
        ("paper_record", "Dry-run record", _paper_record),
        ("notifications", "Notifications arrive", _notifications),
        ("mode", "Started in live mode", _mode),
        ("key_rights", "Key may trade, may not withdraw", _key_rights),
        ("address_binding", "Key bound to this machine's address", _address_binding),
        ("canary", "Canary round trip", _canary),
        ("clock", "Venue clock known", _clock),
        ("balance", "Enough balance", _balance),
        ("reconciled", "Compared with the venue", _reconciled),
        ("state", "Trading is active", _state),
        ("auto_trade", "Automatic live entries", _auto_trade),
    )
    return [
        GoLiveItemView.model_validate({"id": name, "label": label, **dict(zip(_FOUND, judge(evidence), strict=True))})
        for name, label, judge in items
    ]


_FOUND = ("state", "detail", "mend")
_START_LIVE = "Start the program with MEXC_SNIPER_MODE=live and a key; see docs/operating.md."


def _mode(evidence: Evidence) -> Found:
    if evidence.live:
        return "ok", "The program runs in live mode.", ""
    return "missing", "The program runs in dry-run.", _START_LIVE


def _key_rights(evidence: Evidence) -> Found:
    if not evidence.live:
        return "missing", "No key is looked at in dry-run.", _START_LIVE
    if evidence.key is None:
        return "missing", "The engine does not tell.", "Wait until the engine answers."
    if not evidence.key.checked:
        problem = evidence.key.problem or "The key has not been tried yet."
        return "missing", problem, "Run mexc-sniper doctor; the engine tries the key again by itself."
    if evidence.key.warnings:
        return "warning", " ".join(evidence.key.warnings), "Look at the key's rights at the venue."
    return "ok", "It trades and reads; it sees no withdrawals.", ""


def _address_binding(evidence: Evidence) -> Found:
    if not evidence.live:
        return "missing", "No key is looked at in dry-run.", _START_LIVE
    return (
        "warning",
        "The venue tells no program whether a key is bound to an address, nor when it was made.",
        "Look at the key at the venue: bound to this machine's address, younger than 75 days (an unbound one dies "
        "after 90), and of a sub-account that holds only the budget.",
    )


def _clock(evidence: Evidence) -> Found:
    clock = next((part for part in evidence.components if part.name == "clock"), None)
    error = None if clock is None else clock.figures.get("uncertainty_ms")
    if not evidence.engine_alive or clock is None or not isinstance(error, int | float):
        return "missing", "The venue's time is not known.", "Start the monitor; the clock is compared within seconds."
    offset = clock.figures.get("offset_ms")
    said = f"{offset:+.1f} ms, give or take {error:.1f} ms." if isinstance(offset, int | float) else ""
    if clock.status is not ComponentStatus.OK or error > CLOCK_BOUND_MS:
        return "missing", f"Known too badly: {said}", "Set this machine's clock by NTP and look at the network."
    return "ok", f"The venue minus us: {said}", ""


def _balance(evidence: Evidence) -> Found:
    if not evidence.live:
        return "missing", "No account is looked at in dry-run.", _START_LIVE
    config = _config(evidence)
    quote = config.quote_assets[0]
    held = [one for one in evidence.balances if one.account is Account.LIVE and one.asset == quote]
    if not held:
        return "missing", f"No {quote} balance is known.", "Wait for the first comparison with the venue."
    free = held[0].free
    if free < config.trade_usdt:
        return (
            "missing",
            f"{computed(free)} {quote} are free, one entry takes {computed(config.trade_usdt)}.",
            "Fund the sub-account, or lower the amount per trade.",
        )
    return "ok", f"{computed(free)} {quote} are free, one entry takes {computed(config.trade_usdt)}.", ""


def _reconciled(evidence: Evidence) -> Found:
    if not evidence.live:
        return "missing", "There is nothing to compare in dry-run.", _START_LIVE
    if evidence.trading is None or not evidence.trading.reconciled:
        return "missing", "Orders and balances have not been compared yet.", "It is done by itself; try in a moment."
    return "ok", "Orders, fills and balances were equal to ours.", ""


def _state(evidence: Evidence) -> Found:
    status = evidence.trading
    if status is None or not evidence.engine_alive:
        return "missing", "The engine does not tell.", "Wait until the engine answers."
    if status.state is not TradingState.ACTIVE:
        return "missing", f"{status.state.upper()}: {status.reason}", "Look at why, then resume in the kill panel."
    if status.gates:
        return "warning", f"Live entries are denied for now: {'; '.join(status.gates)}", "It ends by itself."
    return "ok", "ACTIVE, nothing is latched.", ""


def _canary(evidence: Evidence) -> Found:
    how = "Stop the engine and run mexc-sniper doctor --canary: one buy and sell of about the minimum, real money."
    result = evidence.canary
    if result is None:
        return "missing", "It was never run.", how
    if not result.passed:
        return "missing", f"It failed: {' '.join(result.problems)}", how
    if evidence.live and (evidence.trading is None or evidence.trading.canary_passed_ns is None):
        return "missing", "The one on record was with another key or at another venue.", how
    days = (evidence.now_ns - result.wall_ns) // _DAY_NS
    said = f"{result.symbol} bought and sold {days} days ago, cost {result.cost} USDT."
    if days > CANARY_DAYS:
        return "warning", said, how
    return "ok", said, ""


def _notifications(evidence: Evidence) -> Found:
    set_up = "Put a channel into the settings file, then send a test message on the settings page."
    if not evidence.channels:
        return "missing", "No channel is set up: nobody hears of trouble while the page is closed.", set_up
    proven = [channel for channel in evidence.channels if channel.test_answer is not None and channel.test_answer.ok]
    if not proven:
        return "missing", "No test message has arrived yet.", "Send one on the settings page."
    if all(channel.state.failing_since_ns is not None for channel in proven):
        return "missing", "Every tested channel fails at the moment.", "Look at its error on the settings page."
    return "ok", f"A test message arrived by {', '.join(channel.kind for channel in proven)}.", ""


def _paper_record(evidence: Evidence) -> Found:
    many = len(evidence.paper)
    trade_on = f"Let it trade in dry-run until {PAPER_POSITIONS} positions are closed, and look at what they brought."
    if not many:
        return "missing", f"No dry-run position was closed in {PAPER_DAYS} days.", trade_on
    profit = sum((position.realized_pnl for position in evidence.paper), Decimal(0))
    won = sum(position.realized_pnl > 0 for position in evidence.paper)
    said = f"{many} closed in {PAPER_DAYS} days, {won} won, {profit:+.2f} USDT."
    if many < PAPER_POSITIONS:
        return "warning", said, trade_on
    if profit < 0:
        return "warning", said, "It lost on paper, where fills are kinder than at the venue. Change the limits first."
    return "ok", said, ""


def _auto_trade(evidence: Evidence) -> Found:
    if _config(evidence).auto_trade:
        return "ok", "On: eligible listings are bought with real money while armed.", ""
    return "warning", "Off: while armed, only what you buy by hand is live.", "Switch it on under Risk if it is meant."


def _config(evidence: Evidence) -> TradeConfig:
    return evidence.config.config if evidence.config is not None else TradeConfig()
