"""Every setting, with its default and its meaning (docs/configuration.md is generated from here).

A setting is what needs a restart: places, addresses, secrets. What an operator changes while the program runs is a
configuration version in the ledger (`model/config.py`); ``[hard_caps]`` bound it.
"""

import ipaddress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mexc_sniper.app.paths import default_data_dir
from mexc_sniper.app.secrets import Secret

ENV_PREFIX = "MEXC_SNIPER_"
MEXC_DOMAINS = ("mexc.com",)
"""Hosts (and everything below them) that live mode accepts as the venue; pinned in code, not in a setting."""


def _url(*schemes: str) -> AfterValidator:
    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            port_ok = parts.port is None or parts.port > 0
        except ValueError:
            port_ok = False
        if not port_ok or parts.scheme not in schemes or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"must be an address such as {schemes[0]}://host, without a password or a question mark")
        return text.rstrip("/")

    return AfterValidator(check)


def _plain_path(path: Path) -> Path:
    return path.expanduser()


HttpAddress = Annotated[str, _url("https", "http")]
SocketAddress = Annotated[str, _url("wss", "ws")]
DirectoryPath = Annotated[Path, AfterValidator(_plain_path)]
FilePath = Annotated[Path, AfterValidator(_plain_path)]
Port = Annotated[int, Field(ge=0, le=65535)]


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's own: ``localhost`` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Section(BaseModel):
    """Base of the sections: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class VenueSettings(Section):
    rest_url: HttpAddress = Field(default="https://api.mexc.com", description="REST interface of the venue.")
    ws_url: SocketAddress = Field(
        default="wss://wbs-api.mexc.com/ws",
        description="WebSocket interface of the venue.",
    )
    web_url: HttpAddress = Field(
        default="https://www.mexc.com",
        description="The venue's web site: the unofficial calendar and announcements are read there.",
    )
    api_key: Secret | None = Field(
        default=None,
        description="API key. The monitor needs none; with one it also reads which symbols the key may trade.",
    )
    api_key_file: FilePath | None = Field(default=None, description="A file (mode 600) that holds the API key.")
    api_secret: Secret | None = Field(default=None, description="API secret; only the engine process ever gets it.")
    api_secret_file: FilePath | None = Field(default=None, description="A file (mode 600) that holds the API secret.")


class DatabaseSettings(Section):
    url: str | None = Field(
        default=None,
        description="`sqlite:///path/ledger.db` or `postgresql://user:password@host/name`; "
        "empty: SQLite files in the data directory.",
        repr=False,
    )
    url_file: FilePath | None = Field(
        default=None, description="A file (mode 600) that holds this address, for one with a password."
    )


class WebSettings(Section):
    host: str = Field(default="127.0.0.1", description="Address the page and the API listen on.", min_length=1)
    port: Port = Field(default=8787, description="Port the page and the API listen on; 0 lets the system choose.")
    token: Secret | None = Field(
        default=None, description="Bearer token with all scopes; empty: one is drawn and kept in the data directory."
    )
    token_file: FilePath | None = Field(default=None, description="A file (mode 600) that holds the bearer token.")
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Names besides loopback under which browsers may reach the page, as a JSON list."
    )
    trusted_proxy: bool = Field(
        default=False,
        description="Your word that only a TLS proxy, or a container port published on the host's loopback, reaches "
        "the page; to listen beyond loopback it needs this, or TLS and a password.",
    )
    tls_cert_file: FilePath | None = Field(
        default=None, description="Certificate chain in PEM, for a page that speaks TLS itself."
    )
    tls_key_file: FilePath | None = Field(default=None, description="Its private key in PEM (mode 600).")
    public_url: HttpAddress | None = Field(
        default=None, description="Address browsers use when it differs; https here turns on secure cookies."
    )
    metrics_public: bool = Field(default=False, description="Serve `/metrics` without a token.")
    session_idle_minutes: int = Field(
        default=30,
        ge=1,
        le=1440,
        description="A browser unused this long signs in again.",
    )
    reads_per_minute: int = Field(
        default=1200, ge=60, le=1_000_000, description="Reads one session or token may make in a minute."
    )
    commands_per_minute: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Commands one session or token may give in a minute.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=720,
        description="A browser signs in again after this long in any case.",
    )


class MonitorSettings(Section):
    """Milliseconds between two reads of each source while nothing is announced; near an opening they tighten."""

    default_symbols_interval_ms: int = Field(
        default=500, ge=100, le=1000, description="Symbols open to the API: where an unannounced listing shows first."
    )
    exchange_info_interval_ms: int = Field(
        default=5000, ge=1000, le=60_000, description="All instruments with their rules (exchangeInfo)."
    )
    self_symbols_interval_ms: int = Field(
        default=1000, ge=500, le=60_000, description="Symbols your key may trade; read only with a key."
    )
    calendar_interval_ms: int = Field(default=30_000, ge=2000, le=600_000, description="The web calendar (unofficial).")
    web_symbols_interval_ms: int = Field(
        default=60_000, ge=5000, le=600_000, description="The web site's list of symbols (unofficial)."
    )
    announcements_interval_ms: int = Field(
        default=30_000, ge=5000, le=3_600_000, description="Announcements of new listings (unofficial)."
    )
    offline_interval_ms: int = Field(default=60_000, ge=5000, le=3_600_000, description="Symbols taken off the market.")
    time_interval_ms: int = Field(default=10_000, ge=1000, le=600_000, description="The venue's clock.")


class NotifySettings(Section):
    """Channels have names of your choosing (small letters, digits, `_`): `[notify.channels]` with `phone_file =
    "/path"`, or `MEXC_SNIPER_NOTIFY__CHANNELS__PHONE` and `…__PHONE_FILE`. The value is an address as in
    [operating](operating.md#notifications); it is a secret. What each is told is chosen on the page.
    """

    channels: dict[str, Secret] = Field(default_factory=dict, description="The channels, by name.", repr=False)
    heartbeat_url: Secret | None = Field(
        default=None,
        description="An outside watchman's address (such as healthchecks.io), asked for regularly while the engine "
        "lives; he raises the alarm when nobody asks.",
    )
    heartbeat_url_file: FilePath | None = Field(default=None, description="A file (mode 600) that holds that address.")
    heartbeat_seconds: int = Field(default=60, ge=5, le=86_400, description="How often it is asked for.")

    @property
    def configured(self) -> bool:
        """Whether there is anything to run a notifier for."""
        return bool(self.channels) or self.heartbeat_url is not None


class BackupSettings(Section):
    """The nightly copy of SQLite ledgers, made while they are in use and checked."""

    enabled: bool = Field(default=True, description="Make it.")
    hour_utc: int = Field(default=3, ge=0, le=23, description="When, UTC; a run that slept through makes it at once.")
    keep: int = Field(default=7, ge=1, le=365, description="Copies kept; older ones are deleted.")
    dir: DirectoryPath | None = Field(
        default=None,
        description="Where they go; empty: `backups/nightly` in the data directory. Another disk is better.",
    )


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Least severity that is written.",
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="What the terminal shows; `auto`: readable on a terminal, JSON elsewhere. Files are JSON.",
    )
    file_mb: int = Field(default=10, ge=1, le=1024, description="A log file is rotated at this size.")
    files: int = Field(default=5, ge=1, le=100, description="Files kept per process; file_mb times this is the cap.")


class OrderSettings(Section):
    """The venue allows twelve requests a second for orders and cancels; two of them stay free for exits and cancels."""

    per_second: int = Field(
        default=5, ge=1, le=12, description="Entries that may leave in a second in the long run, for each account."
    )
    burst: int = Field(default=5, ge=1, le=10, description="Entries that may leave at once after a pause.")
    prepare: bool = Field(
        default=True,
        description="Check, journal and sign entries before a pair opens; off: all of it at its first price.",
    )
    stay_awake: bool = Field(
        default=True,
        description="Keep one processor core busy from 5 s before a prepared opening until 10 s after it: a core that "
        "sleeps wakes too late. Not on a machine with a single core.",
    )


class HardCaps(Section):
    """Bounds no configuration version, session or token can exceed."""

    max_trade_usdt: Decimal = Field(
        default=Decimal(500),
        ge=0,
        le=1_000_000,
        description="Upper bound of `maxTradeUsdt` in any configuration version.",
    )
    max_position_usdt: Decimal = Field(
        default=Decimal(2000),
        ge=0,
        le=10_000_000,
        description="Upper bound of `maxPositionUsdt` in any configuration version.",
    )


class Settings(Section):
    """All settings; `settings_load.load_settings` builds it and turns every mistake into one sentence."""

    mode: Literal["dry-run", "live"] = Field(
        default="dry-run",
        description="`live` plugs the live account in beside the paper one; live orders leave only while armed.",
    )
    environment: str = Field(
        default="local", pattern=r"^[A-Za-z0-9._-]{1,32}$", description="A label shown on the page and in the logs."
    )
    data_dir: DirectoryPath = Field(
        default_factory=default_data_dir, description="Where ledger, logs and the token live; one instance each."
    )
    first_config: Literal["default", "demo"] = Field(
        default="default", description="The trade configuration that the very first start writes as version 1."
    )
    venue: VenueSettings = Field(default_factory=VenueSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    monitor: MonitorSettings = Field(default_factory=MonitorSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    orders: OrderSettings = Field(default_factory=OrderSettings)
    hard_caps: HardCaps = Field(default_factory=HardCaps)

    @model_validator(mode="after")
    def _live_mode_knows_its_venue(self) -> "Settings":
        if self.mode != "live":
            return self
        for key in ("rest_url", "ws_url", "web_url"):
            parts = urlsplit(getattr(self.venue, key))
            host = parts.hostname or ""
            loopback = is_loopback(host)
            ours = any(host == domain or host.endswith(f".{domain}") for domain in MEXC_DOMAINS)
            if not loopback and (not ours or parts.scheme not in {"https", "wss"}):
                raise ValueError(
                    f"venue.{key} is '{host}', and live mode accepts only MEXC's own hosts (over TLS) or this machine: "
                    "correct it or set mode to dry-run"
                )
        return self


CHANNELS = "notify.channels."
"""What the names of channels begin with; each is a secret, and the name with ``_file`` behind it names its file."""

SECRET_KEYS: dict[str, str] = {
    "venue.api_key": "venue.api_key_file",
    "venue.api_secret": "venue.api_secret_file",
    "web.token": "web.token_file",
    "notify.heartbeat_url": "notify.heartbeat_url_file",
}
"""Settings that are secrets, and the setting that names a file for each. Never legal in the toml file itself."""
