"""From a numbered event of the ledger to the frame that pages and scripts get. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec
import structlog

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.ledger.codec import entry_from_event
from mexc_sniper.ledger.view import LedgerEvent
from mexc_sniper.model import entries
from mexc_sniper.model.health import Component
from mexc_sniper.web import convert, convert_trading, views
from mexc_sniper.web.views_trading import BalancesEventData

NO_MARKS: Mapping[str, views.MarkView] = MappingProxyType({})

_log = structlog.get_logger()


def entry_of(event: LedgerEvent) -> entries.LedgerEntry | None:
    """Read what the engine wrote; None for what this build does not know (a newer engine's) or cannot read."""
    try:
        return entry_from_event(event.kind, event.payload)
    except (msgspec.MsgspecError, ValueError):
        _log.exception("ledger_event_unreadable", seq=event.seq, kind=event.kind)
        return None


def event_frame(
    event: LedgerEvent,
    entry: entries.LedgerEntry,
    components: Iterable[Component],
    marks: Mapping[str, views.MarkView] = NO_MARKS,
) -> views.EventFrame | None:
    """Make the frame; None: no frame has such data.

    ``components`` are those a change of the monitor is shown with, ``marks`` the prices a position is valued at.
    """
    data = _data(entry, components, marks, event.ts_ns)
    if data is None:
        return None
    return views.EventFrame.model_construct(
        type="event", seq=event.seq, kind=event.kind, at=iso_from_ns(event.ts_ns), data=data
    )


def _data(
    entry: entries.LedgerEntry, components: Iterable[Component], marks: Mapping[str, views.MarkView], at_ns: int
) -> views.EventData | None:
    match entry:
        case entries.ListingChanged(listing=listing):
            return convert.listing_view(listing)
        case entries.SignalReceived(listing_id=listing_id, signal=signal):
            return views.SignalEventData(listing_id=listing_id, signal=convert.signal_view(signal))
        case entries.CalendarChanged():
            return convert.calendar_view(entry)
        case entries.ComponentChanged(component=component):
            return convert.component_view(component)
        case entries.MonitorChanged(state=state):
            return convert.monitor_view(state, components, at_ns)
        case entries.CommandFinished(result=result):
            return convert.command_view(result)
        case entries.ConfigChanged(version=version):
            return convert.config_view(version)
        case _:
            return _trading_data(entry, marks, at_ns)


def _trading_data(
    entry: entries.LedgerEntry, marks: Mapping[str, views.MarkView], at_ns: int
) -> views.EventData | None:
    match entry:
        case entries.DecisionMade(decision=decision):
            return convert_trading.decision_view(decision)
        case entries.OrderChanged(order=order):
            return convert_trading.order_view(order)
        case entries.FillRecorded(fill=fill):
            return convert_trading.fill_view(fill)
        case entries.PositionChanged(position=position):
            return convert_trading.position_view(position, marks)
        case entries.TradeChanged(trade=trade):
            return convert_trading.trade_view(trade)
        case entries.TradingChanged(status=status):
            return convert_trading.trading_view(status, at_ns)
        case entries.BalancesChanged(balances=balances):
            return BalancesEventData(balances=convert_trading.balances_view(balances))
        case entries.AttentionChanged(attention=attention):
            return convert_trading.attention_view(attention)
        case _:
            return None
