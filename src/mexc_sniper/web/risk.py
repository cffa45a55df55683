"""What is at stake against what is allowed, from the engine's figure ``trading`` or, without it, from the ledger.

The engine overwrites the figure a few times a second (DESIGN 2)::

    {"throttle": {"per_second": 5.0, "available": 5.0, "waiting": 0, "banned_until_ns": null},
     "exposure": {"paper": {…}, "live": {…}}}

An exposure holds the fields of `policy.checks.Exposure`, decimals as text. Everything may be missing: what is not told
is shown as not known, never as zero.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.account import Account
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import TradingStatus
from mexc_sniper.web import convert
from mexc_sniper.web.convert_trading import computed, decimal, mode_of, trading_view
from mexc_sniper.web.views_trading import AccountRiskView, LimitView, RiskMetricsView, ThrottleView

FIGURE = "trading"
MAX_AGE_S = 5.0
"""An older figure is of an engine that no longer says anything."""
MANY = 500
_DAY_NS = 86_400 * NS_PER_S
_ZERO = Decimal(0)

Figures = Mapping[str, tuple[bytes, int]]


class Throttle(msgspec.Struct, frozen=True):
    """The order-rate budget as the engine tells it."""

    per_second: float | None = None
    available: float | None = None
    waiting: int | None = None
    api_weight_used: int | None = None
    banned_until_ns: int | None = None


class Exposure(msgspec.Struct, frozen=True):
    """What one account has at stake as the engine tells it."""

    at_stake: Decimal | None = None
    open_positions: int | None = None
    spent_today: Decimal | None = None
    realized_today: Decimal | None = None
    drawdown: Decimal | None = None
    losses_in_a_row: int | None = None
    entries_last_hour: int | None = None
    free_quote: Decimal | None = None


class Key(msgspec.Struct, frozen=True):
    """What the engine found about the live account's key; ``checked``: fit for arming."""

    checked: bool = False
    problem: str = ""
    warnings: tuple[str, ...] = ()


class TradingFigure(msgspec.Struct, frozen=True):
    """The figure ``trading``."""

    throttle: Throttle = Throttle()
    key: Key = Key()
    exposure: dict[str, Exposure] = {}  # msgspec copies an empty default


_decode = msgspec.json.Decoder(TradingFigure).decode


class RiskRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger tells about risk, as of one moment."""

    trading: TradingStatus | None
    config: ConfigVersion | None
    positions: tuple[Position, ...]
    realized: dict[Account, Decimal]
    orders_open: int
    orders_in_doubt: int
    attention_open: int


def read_records(view: LedgerView, now_ns: int) -> RiskRecords:
    """Read what the ledger tells about risk."""
    realized: dict[Account, Decimal] = {}
    for account, _, profit in view.realized(now_ns - now_ns % _DAY_NS):
        realized[account] = realized.get(account, _ZERO) + profit
    positions, _ = view.positions(open_only=True, limit=MANY)
    orders, orders_open = view.orders(limit=MANY, open_only=True)
    return RiskRecords(
        trading=view.trading(),
        config=view.config(),
        positions=tuple(positions),
        realized=realized,
        orders_open=orders_open,
        orders_in_doubt=sum(order.status is OrderStatus.IN_DOUBT for order in orders),
        attention_open=len(view.attention()),
    )


def trading_figure(figures: Figures, now_ns: int) -> TradingFigure | None:
    """Read the engine's figure; None when there is none, it is old, or it cannot be read."""
    written = figures.get(FIGURE)
    if written is None or abs(now_ns - written[1]) > MAX_AGE_S * NS_PER_S:
        return None
    try:
        return _decode(written[0])
    except msgspec.MsgspecError:
        return None


def risk_view(records: RiskRecords, figure: TradingFigure | None, now_ns: int) -> RiskMetricsView:
    """Put the figures and the limits in force beside each other."""
    return RiskMetricsView(
        trading=trading_view(records.trading, now_ns),
        config_version=0 if records.config is None else records.config.version,
        accounts=[_account(account, records, figure) for account in Account],
        throttle=_throttle(Throttle() if figure is None else figure.throttle, now_ns),
        orders_open=records.orders_open,
        orders_in_doubt=records.orders_in_doubt,
        attention_open=records.attention_open,
        server_time=iso_from_ns(now_ns),
    )


def _account(account: Account, records: RiskRecords, figure: TradingFigure | None) -> AccountRiskView:
    told = None if figure is None else figure.exposure.get(account.value)
    exposure = told or _from_ledger(account, records)
    return AccountRiskView(
        mode=mode_of(account),
        source="ledger" if told is None else "engine",
        at_stake=decimal(exposure.at_stake),
        open_positions=exposure.open_positions,
        spent_today=decimal(exposure.spent_today),
        realized_today=decimal(exposure.realized_today),
        drawdown=decimal(exposure.drawdown),
        losses_in_a_row=exposure.losses_in_a_row,
        entries_last_hour=exposure.entries_last_hour,
        free_quote=decimal(exposure.free_quote),
        limits=list(_limits(exposure, records.config)),
    )


def _from_ledger(account: Account, records: RiskRecords) -> Exposure:
    """What the positions alone show; orders on their way are the engine's to know."""
    held = [position for position in records.positions if position.account is account]
    return Exposure(
        at_stake=sum((position.remaining_cost for position in held), _ZERO).quantize(Decimal("0.00000001")),
        open_positions=len(held),
        realized_today=records.realized.get(account, _ZERO),
    )


def _limits(exposure: Exposure, version: ConfigVersion | None) -> Iterable[LimitView]:
    if version is None:
        return
    config = version.config
    lost = None if exposure.realized_today is None else max(_ZERO, -exposure.realized_today)
    used: tuple[tuple[str, Decimal | int | None, Decimal | int], ...] = (
        ("maxPositionUsdt", exposure.at_stake, config.max_position_usdt),
        ("maxOpenPositions", exposure.open_positions, config.max_open_positions),
        ("maxDailySpendUsdt", exposure.spent_today, config.max_daily_spend_usdt),
        ("dailyLossLimitUsdt", lost, config.daily_loss_limit_usdt),
        ("maxDrawdownUsdt", exposure.drawdown, config.max_drawdown_usdt),
        ("maxConsecutiveLosses", exposure.losses_in_a_row, config.max_consecutive_losses),
        ("maxTradesPerHour", exposure.entries_last_hour, config.max_trades_per_hour),
    )
    for name, value, limit in used:
        bound = Decimal(limit)
        amount = None if value is None else Decimal(value)
        yield LimitView(
            name=name,
            used=decimal(amount),
            limit=decimal(bound) or "0",
            left=None if amount is None else computed(max(_ZERO, bound - amount)),
            utilisation=None if amount is None or bound <= 0 else round(float(amount / bound), 4),
        )


def _throttle(throttle: Throttle, now_ns: int) -> ThrottleView:
    until_ns = throttle.banned_until_ns
    banned = until_ns is not None and until_ns > now_ns
    return ThrottleView(
        per_second=throttle.per_second,
        available=throttle.available,
        waiting=throttle.waiting,
        api_weight_used=throttle.api_weight_used,
        banned_until=convert.iso(until_ns) if banned else None,
        banned_for_s=round((until_ns - now_ns) / NS_PER_S, 3) if banned and until_ns is not None else None,
    )
