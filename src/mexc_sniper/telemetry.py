"""Every Prometheus metric of the program, declared once. Pure layers (core … engine) never touch it.

The engine has no HTTP port of its own: it hands `render()` to the live figures and the web process appends it to
its own at ``/metrics``.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

_NETWORK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LOCAL_S = (0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1)
_LAG_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30, 60, 600)

LISTINGS_DETECTED = Counter(
    "listings_detected", "New listings, by the channel that spoke first.", ["source"], registry=REGISTRY
)
SIGNALS = Counter(
    "listing_signals", "Listing signals by kind; duplicate: its kind had spoken before.",
    ["kind", "duplicate"], registry=REGISTRY,
)  # fmt: skip
SOURCE_LAG = Histogram(
    "listing_source_lag_seconds", "Venue time of a signal to its arrival here.", ["kind"],
    registry=REGISTRY, buckets=_LAG_S,
)  # fmt: skip
DETECTION_LAG = Histogram(
    "listing_detection_lag_seconds", "Opening at the venue to the first signal that it is open.",
    registry=REGISTRY, buckets=_LAG_S,
)  # fmt: skip
RECONNECTIONS = Counter("websocket_reconnections", "WebSocket connections opened anew.", registry=REGISTRY)
ACTIVE_CONNECTIONS = Gauge("websocket_active_connections", "Open WebSocket connections.", registry=REGISTRY)
FRAMES = Counter("websocket_frames", "Frames received, by what they were.", ["kind"], registry=REGISTRY)
BAD_FRAMES = Counter("websocket_bad_frames", "Frames that could not be decoded.", registry=REGISTRY)
API_REQUEST_SECONDS = Histogram(
    "venue_api_request_duration_seconds", "Round trip of a REST call to the venue.",
    ["endpoint", "outcome"], registry=REGISTRY, buckets=_NETWORK_S,
)  # fmt: skip
API_ERRORS = Counter("venue_api_errors", "Failed venue calls by error kind.", ["type"], registry=REGISTRY)
API_WEIGHT = Gauge("venue_api_weight_used", "Weight used in the last ten seconds, of 300.", registry=REGISTRY)
DB_SECONDS = Histogram(
    "db_operation_duration_seconds", "Time of a ledger operation.", ["operation"],
    registry=REGISTRY, buckets=_LOCAL_S,
)  # fmt: skip
LEDGER_QUEUE = Gauge("ledger_queue_entries", "Entries waiting for the writer.", registry=REGISTRY)
HANDLE_SECONDS = Histogram(
    "engine_handle_duration_seconds", "Time of one engine decision.", ["event"],
    registry=REGISTRY, buckets=_LOCAL_S,
)  # fmt: skip
LOOP_LAG_SECONDS = Gauge("engine_loop_lag_seconds", "How late the last tick ran.", registry=REGISTRY)
CLOCK_OFFSET_SECONDS = Gauge("venue_clock_offset_seconds", "Venue clock minus ours.", registry=REGISTRY)
COMMANDS = Counter("operator_commands", "Operator commands by verb and status.", ["verb", "status"], registry=REGISTRY)
TRADES = Counter(
    "trades_executed", "Trades that ended, by mode and status.", ["mode", "status"], registry=REGISTRY
)  # fmt: skip
RISK_REJECTIONS = Counter(
    "risk_checks_rejected", "Entries our own checks refused, by reason.", ["reason"], registry=REGISTRY
)  # fmt: skip
ORDERS_NOT_SENT = Counter(
    "orders_not_sent", "Approved orders that never left, by reason.", ["reason"], registry=REGISTRY
)  # fmt: skip
TRADE_SECONDS = Histogram(
    "trade_execution_latency_seconds", "Stages of a trade: tick_to_trade, round_trip, ack_to_fill, open_to_order.",
    ["mode", "stage"], registry=REGISTRY, buckets=_LOCAL_S,
)  # fmt: skip
ORDERS_IN_DOUBT = Gauge("orders_in_doubt", "Orders whose outcome is unknown.", registry=REGISTRY)
OPEN_POSITIONS = Gauge("open_positions", "Open positions by mode.", ["mode"], registry=REGISTRY)
AT_STAKE = Gauge("at_stake_usdt", "Exposure by mode, worst case.", ["mode"], registry=REGISTRY)
THROTTLE_ROOM = Gauge("order_throttle_room", "Orders that could leave at once.", ["mode"], registry=REGISTRY)
CONFIG_UPDATES = Counter("config_updates", "Configuration versions written.", registry=REGISTRY)
HTTP_SECONDS = Histogram(
    "api_request_duration_seconds", "Time to answer a request of the API.", ["method", "path", "status"],
    registry=REGISTRY, buckets=_NETWORK_S,
)  # fmt: skip
LIVE_PAGES = Gauge("dashboard_live_pages", "Open dashboard WebSockets.", registry=REGISTRY)

ENGINE_UP = "engine_up"
"""Whether the engine's heartbeat is fresh; the web process says it of the engine, so neither registry holds it."""


def render() -> bytes:
    """Return all metrics of this process in the Prometheus text format."""
    return generate_latest(REGISTRY)
