"""From a numbered event of the ledger to the frame that pages and scripts get. Pure."""

from collections.abc import Iterable

import msgspec
import structlog

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.ledger.codec import entry_from_event
from mexc_sniper.ledger.view import LedgerEvent
from mexc_sniper.model import entries
from mexc_sniper.model.health import Component
from mexc_sniper.web import convert, views

EventData = (
    views.ListingView
    | views.SignalEventData
    | views.CalendarEntryView
    | views.ComponentView
    | views.MonitorView
    | views.CommandView
    | views.ConfigView
)

_log = structlog.get_logger()


def entry_of(event: LedgerEvent) -> entries.LedgerEntry | None:
    """Read what the engine wrote; None for what this build does not know (a newer engine's) or cannot read."""
    try:
        return entry_from_event(event.kind, event.payload)
    except (msgspec.MsgspecError, ValueError):
        _log.exception("ledger_event_unreadable", seq=event.seq, kind=event.kind)
        return None


def event_frame(
    event: LedgerEvent, entry: entries.LedgerEntry, components: Iterable[Component]
) -> views.EventFrame | None:
    """Make the frame; ``components`` are those a change of the monitor is shown with. None: no frame has such data."""
    data = _data(entry, components, event.ts_ns)
    if data is None:
        return None
    return views.EventFrame.model_construct(
        type="event", seq=event.seq, kind=event.kind, at=iso_from_ns(event.ts_ns), data=data
    )


def _data(entry: entries.LedgerEntry, components: Iterable[Component], at_ns: int) -> EventData | None:
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
            return None
