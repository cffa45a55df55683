"""What the engine writes down: everything the ledger accepts. One entry is one state row and, mostly, one event.

The writer gives every event the next number; consumers refuse any number but the next.
"""

from typing import ClassVar

import msgspec

from mexc_sniper.core.ids import ListingId
from mexc_sniper.model.account import Balance
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.health import Component, MonitorState
from mexc_sniper.model.listing import CalendarEntry, KnownSymbol, Listing, ListingSignal, ScheduleChange
from mexc_sniper.model.market import Bar
from mexc_sniper.model.order import Fill, Order
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, Decision, Trade, TradingStatus


class ListingChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace a listing's row; event ``listing_changed`` with the whole listing."""

    event: ClassVar[str | None] = "listing_changed"
    durable: ClassVar[bool] = False
    listing: Listing


class SignalReceived(msgspec.Struct, frozen=True, kw_only=True):
    """Append one line to a listing's timeline; event ``signal_received``."""

    event: ClassVar[str | None] = "signal_received"
    durable: ClassVar[bool] = False
    listing_id: ListingId
    signal: ListingSignal


class SymbolsLearned(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace lines of the baseline; no event."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    symbols: tuple[KnownSymbol, ...]


class CalendarChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace one calendar line with the history of its time; event ``calendar_changed``."""

    event: ClassVar[str | None] = "calendar_changed"
    durable: ClassVar[bool] = False
    entry: CalendarEntry
    first_seen_ns: int
    schedule: tuple[ScheduleChange, ...]
    withdrawn: bool = False
    listing_id: ListingId | None = None


class ComponentChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a component's row; event ``component_changed``."""

    event: ClassVar[str | None] = "component_changed"
    durable: ClassVar[bool] = False
    component: Component


class MonitorChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the monitor's row; event ``monitor_changed``. Durable: the wanted state survives a power cut."""

    event: ClassVar[str | None] = "monitor_changed"
    durable: ClassVar[bool] = True
    state: MonitorState


class ComponentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Replace a component's row because only its figures moved; no event (they move every few seconds)."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    component: Component


class MonitorProgressed(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the monitor's row because only its last event's time moved; no event."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    state: MonitorState


class BarsRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace bars of public trades; no event, and the first to be left out when the ledger is behind."""

    event: ClassVar[str | None] = None
    durable: ClassVar[bool] = False
    bars: tuple[Bar, ...]


class CommandFinished(msgspec.Struct, frozen=True, kw_only=True):
    """Append a command's result; event ``command_finished``. Durable: a command is done once."""

    event: ClassVar[str | None] = "command_finished"
    durable: ClassVar[bool] = True
    result: CommandResult


class ConfigChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Append a configuration version; event ``config_changed``."""

    event: ClassVar[str | None] = "config_changed"
    durable: ClassVar[bool] = True
    version: ConfigVersion


class DecisionMade(msgspec.Struct, frozen=True, kw_only=True):
    """Append an entry decision with every guard's measured value; event ``decision_made``."""

    event: ClassVar[str | None] = "decision_made"
    durable: ClassVar[bool] = False
    decision: Decision


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace an order's row (by account and client order id); event ``order_changed``.

    Paper orders are the paper venue's only truth: the writer commits each such change on its own account's rules
    (DESIGN 2, classes).
    """

    event: ClassVar[str | None] = "order_changed"
    durable: ClassVar[bool] = False
    order: Order


class FillRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """Append a fill, once per (account, trade id, client order id); event ``fill_recorded``."""

    event: ClassVar[str | None] = "fill_recorded"
    durable: ClassVar[bool] = False
    fill: Fill


class PositionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace a position's row; event ``position_changed``."""

    event: ClassVar[str | None] = "position_changed"
    durable: ClassVar[bool] = False
    position: Position


class TradeChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace a row of the operator's view; event ``trade_changed``."""

    event: ClassVar[str | None] = "trade_changed"
    durable: ClassVar[bool] = False
    trade: Trade


class TradingChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the one row of what is allowed now; event ``trading_changed``. Durable: latch and arming survive."""

    event: ClassVar[str | None] = "trading_changed"
    durable: ClassVar[bool] = True
    status: TradingStatus


class BalancesChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Replace balances of an account; event ``balances_changed``. The paper account's are its only truth."""

    event: ClassVar[str | None] = "balances_changed"
    durable: ClassVar[bool] = False
    balances: tuple[Balance, ...]


class AttentionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Insert or replace something that needs a person; event ``attention_changed``."""

    event: ClassVar[str | None] = "attention_changed"
    durable: ClassVar[bool] = True
    attention: Attention


LedgerEntry = (
    ListingChanged
    | SignalReceived
    | SymbolsLearned
    | CalendarChanged
    | ComponentChanged
    | ComponentFigures
    | MonitorChanged
    | MonitorProgressed
    | CommandFinished
    | ConfigChanged
    | DecisionMade
    | OrderChanged
    | FillRecorded
    | PositionChanged
    | TradeChanged
    | TradingChanged
    | BalancesChanged
    | AttentionChanged
    | BarsRecorded
)
