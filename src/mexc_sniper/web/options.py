"""What the web process is told at its start; `check` refuses what would be dangerous."""

import ipaddress
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from mexc_sniper import __version__
from mexc_sniper.core.errors import ConfigError

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
MIN_TOKEN_CHARACTERS = 24
PLACEHOLDER_TOKENS = ("changeme", "change-me", "secret", "password", "token", "example", "placeholder", "xxxx")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Settings of the web process. Durations are seconds.

    Attributes:
        data_dir: where the token file lives.
        host: address to bind; anything but loopback needs a password and TLS, or ``trusted_proxy``.
        port: TCP port; 0 lets the system choose.
        environment: free word shown to the operator.
        mode: ``dry-run`` or ``live``, shown everywhere.
        version: the program's version, shown to the operator.
        public_url: how browsers reach the page when that differs from ``http://host:port``; https here turns on
            Secure cookies and HSTS.
        allowed_hosts: further names a browser may use in ``Host``; loopback names and ``public_url`` are always in.
        trusted_proxy: the operator's word that only a TLS proxy, or a container port published on the host's
            loopback, reaches this address. Forwarded headers are never read.
        tls_cert: certificate chain in PEM; with ``tls_key`` the page itself speaks TLS.
        tls_key: its private key, readable by its owner alone.
        token: bearer token with all scopes; None: the file ``token`` in the data directory holds one.
        metrics_public: let ``/metrics`` be read without a token.
        session_idle_s: a browser session ends after so long without use.
        session_absolute_s: and after so long in any case.
        login_token_s: life of a one-time sign-in link.
        engine_stale_s: age of the engine's heartbeat above which it counts as gone.
        command_wait_s: how long a command waits for the engine's answer.
        trade_wait_s: how long a manual trade waits for the first outcome of its order.
        reads_per_minute: per session or token.
        commands_per_minute: per session or token.
        logins_per_minute: tries at a password per address; twice as many per account, six times in all.
        static_dir: the built page; None: ``static`` beside this package.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8787
    environment: str = "local"
    mode: Literal["dry-run", "live"] = "dry-run"
    version: str = __version__
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    token: str | None = None
    metrics_public: bool = False
    session_idle_s: float = 1_800.0
    session_absolute_s: float = 43_200.0
    login_token_s: float = 900.0
    engine_stale_s: float = 3.0
    command_wait_s: float = 1.8
    trade_wait_s: float = 5.0
    reads_per_minute: int = 1_200
    commands_per_minute: int = 20
    logins_per_minute: int = 5
    static_dir: Path | None = None

    @property
    def tls(self) -> bool:
        """Whether browsers reach the page over TLS."""
        if self.tls_cert is not None:
            return True
        return self.public_url is not None and urlsplit(self.public_url).scheme == "https"

    @property
    def open_to_a_network(self) -> bool:
        """Whether others than this machine and a named proxy reach the page."""
        return not is_loopback(self.host) and not self.trusted_proxy

    @property
    def host_names(self) -> frozenset[str]:
        """Every name a request may carry in ``Host``, lower case, without port."""
        names = {*LOOPBACK_NAMES, *(name.lower().strip("[]") for name in self.allowed_hosts)}
        if self.public_url is not None and (name := urlsplit(self.public_url).hostname):
            names.add(name)
        if not _is_wildcard(self.host):
            names.add(self.host.lower().strip("[]"))
        return frozenset(names)

    def check(self) -> None:
        """Refuse a start that would be dangerous.

        Raises:
            ConfigError: address open to a network without TLS or a proxy in front, an unusable certificate, a bad
                public URL, or a weak token.
        """
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("web.tls_cert_file and web.tls_key_file belong together: set both or none")
        if self.tls_cert is not None and self.tls_key is not None:
            _check_certificate(self.tls_cert, self.tls_key)
        if self.open_to_a_network and self.tls_cert is None:
            raise ConfigError(
                f"MEXC_SNIPER_WEB__HOST={self.host} would open the dashboard to a network without encryption. Keep "
                "127.0.0.1 (reach it with `ssh -L 8787:127.0.0.1:8787 host`), or set MEXC_SNIPER_WEB__TLS_CERT_FILE "
                "and MEXC_SNIPER_WEB__TLS_KEY_FILE and a password, or set MEXC_SNIPER_WEB__TRUSTED_PROXY=true if only "
                "a TLS proxy or a container port published on the host's loopback can reach this address."
            )
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise ConfigError(
                    f"MEXC_SNIPER_WEB__PUBLIC_URL={self.public_url!r} is no address of a page; "
                    "write it like https://sniper.example.org"
                )
        if any("*" in name or not name for name in self.allowed_hosts):
            raise ConfigError("MEXC_SNIPER_WEB__ALLOWED_HOSTS takes exact names; wildcards would let any page in")
        if self.token is not None:
            _check_token(self.token)


def require_password(options: WebOptions, accounts: Collection[str]) -> None:
    """Refuse to open the page to a network while nobody has a password.

    Raises:
        ConfigError: naming the command that sets one.
    """
    if options.open_to_a_network and not accounts:
        raise ConfigError(
            f"MEXC_SNIPER_WEB__HOST={options.host} opens the dashboard to a network, and nobody has a password yet. "
            "Set one first: mexc-sniper user password"
        )


def is_loopback(host: str) -> bool:
    """Whether an address to bind is reachable from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _check_certificate(cert: Path, key: Path) -> None:
    try:
        loose = key.stat().st_mode & 0o077
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"web.tls_cert_file {cert} and web.tls_key_file {key} cannot be used ({error.strerror or error}): "
            "give a certificate chain and its key, both in PEM"
        ) from None
    if loose:
        raise ConfigError(f"web.tls_key_file {key} can be read by other users: run 'chmod 600 {key}'")


def _check_token(token: str) -> None:
    weak = (
        len(token) < MIN_TOKEN_CHARACTERS
        or len(set(token)) < 8
        or any(word in token.lower() for word in PLACEHOLDER_TOKENS)
    )
    if weak or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"MEXC_SNIPER_WEB__TOKEN must be at least {MIN_TOKEN_CHARACTERS} random printable ASCII characters "
            "and no placeholder. Make one with `python -c 'import secrets; print(secrets.token_urlsafe(32))'`, "
            "or leave it out: the first start makes one."
        )
