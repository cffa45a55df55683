"""What the engine knows about trading: orders, fills, positions, balances, what is allowed. Part of `EngineState`."""

from dataclasses import dataclass, field
from decimal import Decimal

from mexc_sniper.core.ids import ClientOrderId, IntentId, ListingId, PositionId, TradeId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.doubt import GRACE_NS
from mexc_sniper.model.events import KeyChecked, LookUpKind
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Book
from mexc_sniper.model.order import Order, OrderIntent
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, Trade, TradingStatus, Trigger
from mexc_sniper.policy.checks import Answers, EntryView
from mexc_sniper.policy.executions import Executions


@dataclass(slots=True)
class Doubt:
    """What has been asked about an order whose outcome is unknown (RELIABILITY 3.3)."""

    since_ns: int
    fence_ns: int
    """Our wall time after which the venue cannot accept the request any more."""
    asked: int = 0
    next_ask_ns: int = 0
    absent_after_fence: dict[LookUpKind, int] = field(default_factory=dict)
    """Places that did not know it when asked after fence and grace, and when they were asked."""
    alarmed: bool = False

    @property
    def proof_from_ns(self) -> int:
        """Absence counts when it was asked for from here on."""
        return self.fence_ns + GRACE_NS

    def wants_balances(self, now_ns: int, asked_ns: int) -> bool:
        """Tell whether the proof of absence lacks balances that were asked for late enough."""
        return asked_ns < self.proof_from_ns <= now_ns


@dataclass(slots=True)
class Waiting:
    """A listing that may be entered as soon as its book is there."""

    trigger: Trigger
    since_ns: int
    until_ns: int
    reference: Price | None
    trigger_mono_ns: int
    attempt: int = 0
    retry_at_ns: int | None = None
    give_up_ns: int | None = None
    quoted_ns: int | None = None
    """When its first book came."""
    late_ns: int | None = None
    """How long after the instant it was wanted the clock fired it (`TimedEntry`)."""


@dataclass(slots=True)
class Prepared:
    """An entry that lies ready: intents journaled, requests signed, and what could be asked ahead answered."""

    listing_id: ListingId
    account: Account
    instrument: Instrument
    intents: tuple[OrderIntent, ...]
    """One for each attempt."""
    view: EntryView
    ahead: Answers
    generation: int
    touched: int
    fire_at_ns: int | None = None
    """Our wall time at which it leaves without waiting for a price (`TimedEntry`)."""


@dataclass(slots=True)
class Confirmation:
    """A high-value entry done on paper and offered for live until ``until_ns``."""

    trade: TradeId
    symbol: Symbol
    amount: Decimal
    until_ns: int


@dataclass(slots=True)
class Day:
    """Sums of one UTC day of one account, quote asset."""

    number: int = 0
    spent: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)


@dataclass(slots=True)
class Trading:
    """The engine's trading memory; rebuilt from ledger and journal at start, then made equal to the venue."""

    orders: dict[ClientOrderId, Order] = field(default_factory=dict)
    """Not settled, and recent ones; paper and live alike."""
    entry_of: dict[ListingId, ClientOrderId] = field(default_factory=dict)
    """The latest order of each listing's entry; the order itself may be forgotten by now."""
    executions: dict[ClientOrderId, Executions] = field(default_factory=dict)
    booked: dict[ClientOrderId, Decimal] = field(default_factory=dict)
    """Quantity of each order counted fill by fill."""
    positions: dict[PositionId, Position] = field(default_factory=dict)
    by_symbol: dict[tuple[Account, Symbol], PositionId] = field(default_factory=dict)
    """The open position of an account in a symbol; at most one."""
    trades: dict[TradeId, Trade] = field(default_factory=dict)
    trade_of: dict[IntentId, TradeId] = field(default_factory=dict)
    balances: dict[tuple[Account, Asset], Balance] = field(default_factory=dict)
    attention: dict[str, Attention] = field(default_factory=dict)
    status: TradingStatus = field(default_factory=TradingStatus)
    gates: dict[Reason, str] = field(default_factory=dict)
    """Self-clearing conditions in force, with their detail."""
    generation: int = 0
    doubts: dict[ClientOrderId, Doubt] = field(default_factory=dict)
    doubts_paid_until_ns: int = 0
    """Until when the questions asked about doubts have used up the weight set aside for them."""
    books: dict[Symbol, Book] = field(default_factory=dict)
    prices: dict[Symbol, Price] = field(default_factory=dict)
    """Last trade of watched symbols."""
    waiting: dict[Symbol, Waiting] = field(default_factory=dict)
    prepared: dict[Symbol, Prepared] = field(default_factory=dict)
    touched: int = 0
    """Counts every change of orders, positions and balances: what was judged before it must be judged anew."""
    hushed_until_ns: int = 0
    """Until when the gateway was asked to begin no heavy poll."""
    confirmations: dict[TradeId, Confirmation] = field(default_factory=dict)
    entered_bases: dict[tuple[Account, Asset], None] = field(default_factory=dict)
    last_entry_ns: dict[tuple[Account, Symbol], int] = field(default_factory=dict)
    entry_times_ns: dict[Account, list[int]] = field(default_factory=dict)
    days: dict[Account, Day] = field(default_factory=dict)
    realized_total: dict[Account, Decimal] = field(default_factory=dict)
    realized_peak: dict[Account, Decimal] = field(default_factory=dict)
    losses_in_a_row: dict[Account, int] = field(default_factory=dict)
    cancel_again_ns: dict[ClientOrderId, int] = field(default_factory=dict)
    exit_after_ns: dict[PositionId, int] = field(default_factory=dict)
    """No exit of a position before this time: the last one came to nothing."""
    exit_pause_ns: dict[PositionId, int] = field(default_factory=dict)
    exit_count: dict[PositionId, int] = field(default_factory=dict)
    exit_unfilled: dict[PositionId, int] = field(default_factory=dict)
    """Exits of a position in a row that sold nothing."""
    exit_banded: dict[PositionId, None] = field(default_factory=dict)
    """Positions whose last exit named a price outside the venue's band: the last price is not what we think."""
    forgotten: dict[ClientOrderId, None] = field(default_factory=dict)
    """Orders of ours, long settled and not kept any more; the venue may still list them."""
    acknowledged: dict[str, None] = field(default_factory=dict)
    """Ids of attention about foreign orders that a person has resolved; the venue may still list them."""
    exit_legs: dict[ClientOrderId, tuple[int, ...]] = field(default_factory=dict)
    """Take-profit legs that an exit on its way carries out."""
    rested: dict[tuple[PositionId, int], None] = field(default_factory=dict)
    """Take-profit legs that wait at the venue or did in this life: each rests once, after that it is watched here."""
    private_stream: bool = False
    filled_ns: dict[PositionId, int] = field(default_factory=dict)
    """When a fill last changed a position: the venue's account may be older than it for a while."""
    swept_ns: int = 0
    sweeping: bool = False
    """A comparison is asked for and not answered."""
    balances_asked_ns: int = 0
    """When the newest complete balances we have were asked for."""
    balances_tried_ns: int = 0
    """When they were last asked for between two comparisons."""
    balances_heard_ns: int = 0
    """When the private stream last told of a change."""
    filled_live_ns: int = 0
    """When an execution at the venue was last counted."""
    lacking_until_ns: int = 0
    """Until when orders of earlier lives may appear that journal and ledger lost (`Restored.may_lack_orders`)."""
    left_out: frozenset[Symbol] = frozenset()
    """Pairs whose orders were not asked for with the last comparison; their turn comes."""
    sweeps: int = 0
    """Place in the round of pairs that periodic comparisons go through."""
    epoch: int = 0
    """Number of this life of the engine; part of every client order id."""
    key: KeyChecked | None = None
    """What was last found of the live account's key; None: not tried in this life."""
    prepare: bool = True
    """Entries are made ready before their pair has a price."""
    live: bool = False
    """The process was started in live mode; live orders are possible once armed."""
