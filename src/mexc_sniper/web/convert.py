"""From the model's structs to what the API answers with; the only place that knows both."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S, iso_from_ns
from mexc_sniper.core.reasons import SENTENCES
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.entries import CalendarChanged
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.model.listing import Listing, ListingSignal, Phase, ScheduleChange, SourceTime
from mexc_sniper.web import views

NEVER_RAN = MonitorState(wanted=False, status=MonitorStatus.STOPPED)
"""The monitor's state while the engine has written none."""


def iso(ns: int | None) -> str | None:
    """Write an optional time."""
    return None if ns is None else iso_from_ns(ns)


def milliseconds(ns: int | None) -> float | None:
    """Write an optional duration in ms, to the microsecond."""
    return None if ns is None else round(ns / NS_PER_MS, 3)


def component_view(component: Component) -> views.ComponentView:
    """Show one part of the engine."""
    return views.ComponentView(
        name=component.name,
        status=component.status,
        since=iso_from_ns(component.since_ns),
        last_event_at=iso(component.last_event_ns),
        detail=component.detail,
        figures=component.figures,
    )


def monitor_view(state: MonitorState | None, components: Iterable[Component], now_ns: int) -> views.MonitorView:
    """Show the monitor with its sources; None: the engine has never run."""
    state = state or NEVER_RAN
    runs = state.status is not MonitorStatus.STOPPED and state.started_at_ns is not None
    uptime_ns = max(0, now_ns - state.started_at_ns) if runs and state.started_at_ns is not None else 0
    return views.MonitorView(
        status=state.status,
        wanted=state.wanted,
        started_at=iso(state.started_at_ns),
        last_event_at=iso(state.last_event_ns),
        uptime_seconds=round(uptime_ns / NS_PER_S, 3),
        listings_detected=state.listings_detected,
        websocket_connected=state.websocket_connected,
        last_error=state.last_error,
        baseline_size=state.baseline_size,
        baseline_learned_at=iso(state.baseline_learned_at_ns),
        sources=[component_view(part) for part in components if is_source(part.name)],
    )


def is_source(component_name: str) -> bool:
    """Whether a component is a channel listings are heard on."""
    return component_name == "stream" or component_name.startswith("source.")


def health_status(
    *, engine_alive: bool, components: Iterable[Component], monitor: MonitorState | None
) -> Literal["ok", "degraded", "error"]:
    """Sum up: error without an engine, degraded with a part missing; an absent unofficial source is normal."""
    if not engine_alive:
        return "error"
    missing = (ComponentStatus.DEGRADED, ComponentStatus.DOWN)
    if any(part.status in missing for part in components):
        return "degraded"
    if monitor is not None and monitor.status is MonitorStatus.DEGRADED:
        return "degraded"
    return "ok"


def source_time_view(time: SourceTime) -> views.SourceTimeView:
    """Show when one kind of signal first spoke."""
    return views.SourceTimeView(
        kind=time.kind,
        source=time.kind.source,
        official=time.kind.official,
        received_at=iso_from_ns(time.ts_recv_ns),
        event_at=iso(time.ts_event_ns),
        lag_ms=milliseconds(time.lag_ns),
    )


def listing_view(listing: Listing) -> views.ListingView:
    """Show one listing."""
    return views.ListingView(
        id=listing.id,
        symbol=listing.symbol,
        base=listing.base,
        quote=listing.quote,
        full_name=listing.full_name,
        kind=listing.kind,
        phase=listing.phase,
        outcome=listing.outcome,
        reason=listing.reason,
        reason_text=SENTENCES[listing.reason] if listing.reason is not None else "",
        source=listing.source,
        first_signal=listing.first_signal,
        listed_at=iso_from_ns(listing.listed_at_ns),
        listed_at_basis=listing.listed_at_basis,
        listed_at_frozen=listing.listed_at_frozen,
        detected_at=iso_from_ns(listing.detected_at_ns),
        scheduled_for=iso(listing.scheduled_for_ns),
        row_seen_at=iso(listing.row_seen_at_ns),
        api_opened_at=iso(listing.api_opened_at_ns),
        first_quote_at=iso(listing.first_quote_at_ns),
        first_trade_at=iso(listing.first_trade_at_ns),
        opened_at=iso(listing.opened_at_ns),
        closed_at=iso(listing.closed_at_ns),
        detection_lag_ms=milliseconds(listing.detection_lag_ns),
        late=listing.late,
        look_alike_of=listing.look_alike_of,
        related_to=listing.related_to,
        coin_id=listing.coin_id,
        contract_address=listing.contract_address,
        sources=[source_time_view(time) for time in listing.sources],
        duplicate_signals=listing.duplicate_signals,
        newness_proof=listing.newness_proof,
        prepared_at=iso(listing.prepared_ns),
        timed_entry=None
        if (timed := listing.timed_entry) is None
        else views.TimedEntryView(cap_price=text_from_decimal(timed.cap), offset_ms=timed.offset_ms, actor=timed.actor),
    )


def signal_view(signal: ListingSignal) -> views.SignalView:
    """Show one line of a timeline."""
    return views.SignalView(
        kind=signal.kind,
        source=signal.kind.source,
        official=signal.kind.official,
        received_at=iso_from_ns(signal.stamp.ts_recv_ns),
        event_at=iso(signal.stamp.ts_event_ns),
        lag_ms=milliseconds(signal.lag_ns),
        evidence=signal.evidence,
    )


def schedule_view(schedule: Iterable[ScheduleChange]) -> list[views.ScheduleChangeView]:
    """Show every announced time, oldest first."""
    return [
        views.ScheduleChangeView(noted_at=iso_from_ns(change.noted_at_ns), opens_at=iso(change.opens_at_ns))
        for change in schedule
    ]


def phases(listing: Listing) -> list[views.PhaseView]:
    """Derive the phases a listing went through from its times; one of no length is left out."""
    dated = next((change.noted_at_ns for change in listing.schedule if change.opens_at_ns is not None), None)
    entered: list[tuple[Phase, int]] = [(Phase.SIGNALED, listing.detected_at_ns)]
    for phase, at_ns in (
        (Phase.SCHEDULED, dated),
        (Phase.PRE_OPEN, listing.row_seen_at_ns),
        (Phase.OPEN, listing.opened_at_ns),
        (Phase.WITHDRAWN, listing.closed_at_ns),
    ):
        if at_ns is not None and _not_after(phase, listing.phase):
            entered.append((phase, max(at_ns, entered[-1][1])))
    if entered[-1][0] is not listing.phase:
        entered.append((listing.phase, entered[-1][1]))
    ends: list[int | None] = [at_ns for _, at_ns in entered[1:]]
    shown = []
    for (phase, at_ns), end_ns in zip(entered, [*ends, None], strict=True):
        if end_ns == at_ns:
            continue
        seconds = None if end_ns is None else round((end_ns - at_ns) / NS_PER_S, 3)
        shown.append(views.PhaseView(phase=phase, entered_at=iso_from_ns(at_ns), seconds=seconds))
    return shown


_ORDER = {phase: place for place, phase in enumerate(Phase)}


def _not_after(phase: Phase, current: Phase) -> bool:
    return _ORDER[phase] <= _ORDER[current]


def calendar_view(line: CalendarChanged) -> views.CalendarEntryView:
    """Show one line of the venue's calendar."""
    return views.CalendarEntryView(
        coin_id=line.entry.coin_id,
        asset=line.entry.asset,
        full_name=line.entry.full_name,
        opens_at=iso(line.entry.opens_at_ns),
        zone=line.entry.zone,
        first_seen_at=iso_from_ns(line.first_seen_ns),
        schedule=schedule_view(line.schedule),
        withdrawn=line.withdrawn,
        listing_id=line.listing_id,
    )


def config_view(version: ConfigVersion) -> views.ConfigView:
    """Show one version of the trade configuration, decimals as text."""
    return views.ConfigView(
        version=version.version,
        updated_at=iso_from_ns(version.created_ns),
        updated_by=version.actor,
        config=version.config.model_dump(mode="json", by_alias=True),
    )


def command_view(result: CommandResult) -> views.CommandView:
    """Show the engine's answer to one command."""
    return views.CommandView(
        id=result.id,
        verb=result.verb.value,
        actor=result.actor,
        status=result.status.value,
        code=result.code,
        message=result.message,
        finished_at=iso_from_ns(result.finished_ns),
        result=plain(result.result),
    )


class _Mark(msgspec.Struct):
    ts_ns: int
    last: str | None = None
    bid: str | None = None
    ask: str | None = None


_decode_mark = msgspec.json.Decoder(_Mark).decode
MARK_PREFIX = "mark:"
MARK_MAX_AGE_S = 600
"""An older mark is of a symbol nobody watches any more; it would look like a price of now."""


def mark_views(figures: Mapping[str, tuple[bytes, int]], now_ns: int) -> dict[str, views.MarkView]:
    """Read the marks among the live figures, by symbol; an old one, or one that cannot be read, is left out."""
    marks = {}
    for key, (value, _) in figures.items():
        if not key.startswith(MARK_PREFIX):
            continue
        try:
            mark = _decode_mark(value)
        except msgspec.MsgspecError:
            continue
        if now_ns - mark.ts_ns > MARK_MAX_AGE_S * NS_PER_S:
            continue
        symbol = key.removeprefix(MARK_PREFIX)
        marks[symbol] = views.MarkView(
            symbol=symbol, last=mark.last, bid=mark.bid, ask=mark.ask, at=iso_from_ns(mark.ts_ns)
        )
    return marks


def plain(value: Any) -> Any:
    """Reduce a command's result to JSON's own types."""
    return msgspec.to_builtins(value)
