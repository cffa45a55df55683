"""What the API answers with about trading; part of the contract in `views`. Money is decimal text in quote asset."""

from typing import Any, Literal

from pydantic import Field

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.account import TradingState
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import AttentionKind, PinState, TradeStatus, Trigger
from mexc_sniper.web.view_base import DecimalText, Iso, Mode, View


class TradeView(View):
    """One decision to buy or sell and what came of it. Latencies in ms; null: does not apply or is not known."""

    id: str
    mode: Mode
    symbol: str
    side: Side
    role: OrderRole
    type: OrderType | None
    status: TradeStatus
    created_at: Iso
    updated_at: Iso
    requested_quote_qty: DecimalText | None
    requested_base_qty: DecimalText | None
    quote_qty: DecimalText
    """Paid or got so far."""
    base_qty: DecimalText
    avg_price: DecimalText | None
    reference_price: DecimalText | None
    slippage_bps: DecimalText | None
    fee: DecimalText
    fee_asset: str
    pnl: DecimalText | None
    """Realized by this sell; null for buys."""
    reason: Reason | None
    reason_text: str
    """The reason in one sentence; empty where there is none."""
    reason_detail: str
    trigger: Trigger | None
    listing_id: str | None
    position_id: str | None
    command_id: str | None
    client_order_id: str | None
    venue_order_id: str | None
    attempts: int
    config_version: int
    evidence: str
    """What the fill rests on: ``venue`` for live; book, trades or none for dry-run."""
    source_lag_ms: float | None
    """Venue time to frame."""
    tick_to_trade_ms: float | None
    """Frame to order bytes handed to the socket."""
    round_trip_ms: float | None
    """Send to the venue's answer."""
    ack_to_fill_ms: float | None
    open_to_order_ms: float | None
    """Opening at the venue to send."""
    confirm_until: Iso | None
    """For ``high_value_pending``: until when it may be confirmed."""


class TradesView(View):
    trades: list[TradeView]
    total: int
    limit: int
    offset: int


class GuardView(View):
    """One check: what it measured and what it allows. ``passed`` null: not asked for this trigger."""

    name: str
    text: str
    """The reason's sentence, where the guard has one."""
    passed: bool | None
    measured: str
    limit: str


class DecisionView(View):
    """An entry decision; ``reason`` null: it entered."""

    id: str
    listing_id: str | None
    symbol: str
    mode: Mode
    trigger: Trigger
    decided_at: Iso
    config_version: int
    guards: list[GuardView]
    reason: Reason | None
    reason_text: str


class OrderView(View):
    """One order as it stands. ``settled``: its end was seen twice; only then is its reservation released."""

    client_order_id: str
    venue_order_id: str | None
    mode: Mode
    symbol: str
    side: Side
    role: OrderRole
    type: OrderType
    status: OrderStatus
    open: bool
    """The venue may still act on it; it can be canceled."""
    price: DecimalText | None
    quantity: DecimalText | None
    quote_qty: DecimalText | None
    filled_qty: DecimalText
    filled_quote: DecimalText
    avg_price: DecimalText | None
    worst_notional: DecimalText
    reason: Reason | None
    reason_text: str
    code: int | None
    """The venue's own code, with its ``text``."""
    text: str
    attempt: int
    intent_id: str
    listing_id: str | None
    position_id: str | None
    command_id: str | None
    config_version: int
    created_at: Iso
    submitted_at: Iso | None
    acked_at: Iso | None
    first_fill_at: Iso | None
    ended_at: Iso | None
    settled_at: Iso | None
    settled: bool
    in_doubt_since: Iso | None
    late_fills: int
    tick_to_trade_ms: float | None
    round_trip_ms: float | None


class OrdersView(View):
    orders: list[OrderView]
    total: int
    limit: int
    offset: int


class FillView(View):
    id: str
    client_order_id: str
    mode: Mode
    symbol: str
    side: Side
    price: DecimalText
    base_qty: DecimalText
    quote_qty: DecimalText
    fee: DecimalText
    fee_asset: str
    maker: bool
    at: Iso
    received_at: Iso
    evidence: str


class TakeProfitView(View):
    price: DecimalText
    quantity: DecimalText
    done: bool


class ExitPlanView(View):
    take_profit: list[TakeProfitView]
    stop_price: DecimalText | None
    trailing_pct: DecimalText | None
    trailing_armed_at: DecimalText | None
    """The price at which the trailing stop begins to follow."""
    deadline: Iso | None


class PositionView(View):
    """One holding; profit and value are computed here, never by the page. ``mark…`` null: no price is known."""

    id: str
    mode: Mode
    symbol: str
    base: str
    quote: str
    status: PositionStatus
    open: bool
    listing_id: str | None
    quantity: DecimalText
    """Left to sell."""
    bought_qty: DecimalText
    sold_qty: DecimalText
    cost: DecimalText
    remaining_cost: DecimalText
    proceeds: DecimalText
    realized_pnl: DecimalText
    fees: dict[str, str]
    entry_price: DecimalText | None
    peak_price: DecimalText | None
    plan: ExitPlanView | None
    trailing_armed: bool
    manual_exit_needed: str
    """Why the venue lets us not out; empty while it does."""
    exit_role: str
    """What began to close it, once something did."""
    mark_price: DecimalText | None
    value: DecimalText | None
    """What is left, at the mark."""
    unrealized_pnl: DecimalText | None
    unrealized_pct: DecimalText | None
    opened_at: Iso
    closed_at: Iso | None
    config_version: int


class PositionMarkView(View):
    """A held position at the price of the moment."""

    id: str
    mark_price: DecimalText
    value: DecimalText
    unrealized_pnl: DecimalText
    unrealized_pct: DecimalText | None


class PositionsView(View):
    positions: list[PositionView]
    total: int
    limit: int
    offset: int


class TradeDetailView(View):
    """A trade with why it was made and everything that happened to it."""

    trade: TradeView
    decision: DecisionView | None
    orders: list[OrderView]
    fills: list[FillView]
    position: PositionView | None


class TradingView(View):
    """What is allowed now. ``latched``: only a person ends it; ``gates`` end by themselves."""

    state: TradingState
    reason: str
    actor: str
    since: Iso | None
    latched: bool
    armed: bool
    armed_until: Iso | None
    armed_by: str
    gates: list[str]
    reconciled: bool
    key_fit: bool | None
    """Live mode: whether the key passed its checks since the start; null: not tried yet, or dry-run."""
    canary_passed_at: Iso | None
    """When `doctor --canary` passed with this key at this venue; null: never, and arming is refused."""
    account_pin: PinState
    """How the key's account stands to the one armed first; `other` and `unknown` need `newAccount` to arm."""


class BalanceView(View):
    mode: Mode
    asset: str
    free: DecimalText
    locked: DecimalText


class BalancesEventData(View):
    balances: list[BalanceView]


class AttentionView(View):
    """One thing that needs a person, until resolved."""

    id: str
    kind: AttentionKind
    mode: Mode
    symbol: str | None
    text: str
    raised_at: Iso
    client_order_id: str | None
    position_id: str | None
    resolved_at: Iso | None
    resolved_by: str
    resolution: str


class AttentionsView(View):
    attention: list[AttentionView]


class LimitView(View):
    """A limit and how much of it is used. ``utilisation`` 1 is all of it; null: the limit is 0 or nothing is known."""

    name: str
    """The configuration's field."""
    used: DecimalText | None
    limit: DecimalText
    left: DecimalText | None
    utilisation: float | None


class AccountRiskView(View):
    """What one account has at stake, against the configuration in force."""

    mode: Mode
    source: Literal["engine", "ledger"]
    """``ledger``: the engine tells nothing; only what positions and trades show."""
    at_stake: DecimalText | None
    open_positions: int | None
    spent_today: DecimalText | None
    realized_today: DecimalText | None
    drawdown: DecimalText | None
    losses_in_a_row: int | None
    entries_last_hour: int | None
    free_quote: DecimalText | None
    limits: list[LimitView]


class ThrottleView(View):
    """The order-rate budget. ``bannedForS``: seconds until the venue listens again."""

    per_second: float | None
    available: float | None
    waiting: int | None
    api_weight_used: int | None
    banned_until: Iso | None
    banned_for_s: float | None


class RiskMetricsView(View):
    trading: TradingView
    config_version: int
    accounts: list[AccountRiskView]
    throttle: ThrottleView
    orders_open: int
    orders_in_doubt: int
    attention_open: int
    server_time: Iso


class KillView(View):
    """What stopping did. 200: the engine has answered; 202: it has not yet, and acts on the latch file as soon as it
    looks, before it sends anything."""

    action: Literal["pause", "cancel", "flatten", "resume"]
    latched: bool
    """The latch file is there: no entry leaves any more, with or without a database."""
    recorded: bool
    """The command is in the inbox."""
    engine_answered: bool
    message: str
    took_ms: float
    command_id: str | None
    result: dict[str, Any] = Field(default_factory=dict)


class ExecutedView(View):
    """What became of a manual buy so far; ``status`` ``pending``: no outcome within five seconds."""

    command_id: str
    trade_id: str
    mode: Mode
    status: TradeStatus
    trade: TradeView


class AuditEntryView(View):
    """Who did what, and what came of it; ``digest`` is of the row it tells of, as it was stored."""

    number: int
    at: Iso
    who: str
    what: str
    ref: str
    """Id of the command, configuration version or order."""
    result: str
    config_version: int
    detail: str
    digest: str


class AuditView(View):
    """Newest first. ``firstBroken``: the first row that is missing or not what was written; only with ``verify``."""

    entries: list[AuditEntryView]
    total: int
    limit: int
    offset: int
    head: str
    """The end of the hash chain; kept elsewhere, it proves later that nothing was cut off."""
    verified: bool
    first_broken: int | None
