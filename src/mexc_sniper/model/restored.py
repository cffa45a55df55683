"""What a start finds in the ledger: everything the engine's state needs to go on."""

from decimal import Decimal

import msgspec

from mexc_sniper.core.values import Asset
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.health import MonitorState
from mexc_sniper.model.listing import CalendarEntry, KnownSymbol, Listing, ScheduleChange
from mexc_sniper.model.order import Fill, Order
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, Trade, TradingStatus


class RestoredCalendarLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the stored calendar with the history of its time."""

    entry: CalendarEntry
    first_seen_ns: int
    schedule: tuple[ScheduleChange, ...]
    withdrawn: bool


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's contents as the engine wants them; all empty on a first start."""

    symbols: tuple[KnownSymbol, ...] = ()
    listings: tuple[Listing, ...] = ()
    """Those still PENDING or whose symbol may still be watched (opened within the last hour), injected ones not."""
    calendar: tuple[RestoredCalendarLine, ...] = ()
    monitor: MonitorState | None = None
    config: ConfigVersion | None = None
    finished_commands: frozenset[str] = frozenset()
    """Ids of commands answered within the last month: a kill never expires and must not be carried out twice."""
    listings_detected: int = 0
    """How many listings of kind ``new`` the ledger holds."""
    orders: tuple[Order, ...] = ()
    """Those not settled, and those of the last day."""
    fills: tuple[Fill, ...] = ()
    """Of the orders and open positions above."""
    positions: tuple[Position, ...] = ()
    """Those not closed, and those closed within the last day (UTC)."""
    trades: tuple[Trade, ...] = ()
    """Those of unsettled orders and pending confirmations."""
    trading: TradingStatus | None = None
    balances: tuple[Balance, ...] = ()
    attention: tuple[Attention, ...] = ()
    """Those not resolved."""
    acknowledged: frozenset[str] = frozenset()
    """Ids of attention about foreign orders that a person resolved lately: the venue still lists those orders."""
    may_lack_orders: bool = False
    """The machine went down under a live engine: orders that left last may be in neither journal nor ledger."""
    entered_bases: tuple[tuple[Account, Asset], ...] = ()
    """Every base asset ever entered, by account."""
    realized: tuple[tuple[Account, int, Decimal], ...] = ()
    """Closed positions in order: account, closing time (ns), profit in quote; for drawdown and losses in a row."""
