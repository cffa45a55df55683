"""Parts of the running program and their state, as the operator sees them."""

from enum import StrEnum

import msgspec


class ComponentStatus(StrEnum):
    """STOPPED is wanted rest; UNAVAILABLE is normal for an unofficial source that does not answer."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the engine. Names: ``stream``, ``clock``, ``ledger``, ``source.<name>``, ``engine``."""

    name: str
    status: ComponentStatus
    since_ns: int
    last_event_ns: int | None = None
    detail: str = ""
    """One plain sentence for the operator; empty when all is well."""
    figures: dict[str, int | float | str | None] = msgspec.field(default_factory=dict)
    """Small named numbers such as interval_ms, lag_ms_p50, connections, offset_ms, uncertainty_ms."""


class MonitorStatus(StrEnum):
    """The monitor as a whole; DEGRADED is running with a part of it missing."""

    RUNNING = "running"
    STOPPED = "stopped"
    DEGRADED = "degraded"


class MonitorState(msgspec.Struct, frozen=True, kw_only=True):
    """What ``GET /monitor/status`` answers, without the sources (those are components)."""

    wanted: bool
    status: MonitorStatus
    started_at_ns: int | None = None
    last_event_ns: int | None = None
    listings_detected: int = 0
    websocket_connected: bool = False
    last_error: str = ""
    baseline_size: int = 0
    baseline_learned_at_ns: int | None = None
    learned_sources: tuple[str, ...] = ()
    """Sources whose first complete answer has been learned silently."""
