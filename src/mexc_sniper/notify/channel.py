"""One way to reach a person, through apprise: Telegram, Discord, Slack, e-mail or a webhook."""

import logging
import threading
from urllib.parse import parse_qsl, unquote, urlsplit

import apprise

from mexc_sniper.core.errors import ConfigError

KINDS: dict[str, str] = {
    "tgram": "telegram",
    "discord": "discord",
    "slack": "slack",
    "mailto": "email",
    "mailtos": "email",
    "json": "webhook",
    "jsons": "webhook",
    "form": "webhook",
    "forms": "webhook",
    "xml": "webhook",
    "xmls": "webhook",
}
"""apprise's address scheme → kind. Others are refused: what is not tested against hostile names is not promised."""

_OUR_CHOICE = ("format", "template", "overflow", "emojis", "batch")
"""Options of an address that would change how text is read; they stay ours."""

_SHORTEST_SECRET = 6
LONGEST_ERROR = 200


class Sender:
    """Sends through one address. Synchronous, for a thread of its own; one message at a time."""

    def __init__(self, name: str, address: str) -> None:
        """Do no I/O.

        Raises:
            ConfigError: the address is none apprise understands, or has an option that is ours to choose; the
                sentence does not repeat it.
        """
        self.name = name
        self.kind = kind_of(name, address)
        asset = apprise.AppriseAsset(
            app_id="mexc-sniper", app_desc="", app_url="", image_url_mask="", image_url_logo="", async_mode=False,
            secure_logging=True, interpret_escapes=False, interpret_emojis=False, plugin_paths=[], service_timeout=0,
        )  # fmt: skip
        plugin = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
        if plugin is None:
            raise ConfigError(
                f"notify.channels.{name} is no complete {self.kind} address: see docs/operating.md, Notifications"
            )
        plugin.overflow_mode = apprise.OverflowMode.SPLIT
        self._apprise = apprise.Apprise(asset=asset)
        self._apprise.add(plugin)

    def send(self, title: str, body: str) -> str:
        """Send; returns "" once the service took it, else what went wrong in words. Never raises."""
        with _heard() as complaints:
            try:
                if self._apprise.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
                    return ""
            except Exception as fault:  # a library's fault must not end the notifier
                complaints.append(f"{type(fault).__name__}: {fault}")
        text = complaints[-1] if complaints else "the service did not take it"
        return " ".join(text.split())[:LONGEST_ERROR]


def kind_of(name: str, address: str) -> str:
    """Return what kind of channel an address is.

    Raises:
        ConfigError: it is none of ours.
    """
    scheme = address.partition("://")[0].lower()
    if scheme not in KINDS:
        raise ConfigError(
            f"notify.channels.{name} does not begin with one of {', '.join(f'{known}://' for known in KINDS)}"
        )
    options = {key.lower().lstrip("+-:") for key, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}
    for option in _OUR_CHOICE:
        if option in options:
            raise ConfigError(f"notify.channels.{name} has the option {option}, which is not free to choose: leave it")
    return KINDS[scheme]


def secrets_in(address: str) -> set[str]:
    """Return the parts of an address that must appear nowhere: itself, user, password, path parts, option values."""
    parts = urlsplit(address)
    words = {address, parts.netloc, parts.username or "", parts.password or "", *parts.path.split("/")}
    words |= {value for _, value in parse_qsl(parts.query)}
    if not parts.username:  # in tgram://token/chat the token stands where a host does
        words.add(address.partition("://")[2].partition("/")[0])
    plain = {unquote(word) for word in words}
    return {word for word in words | plain if len(word) >= _SHORTEST_SECRET}


class _Ear(logging.Handler):
    """Hears what apprise complains about, per thread: it says why a message failed in its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        heard = getattr(self.said, "lines", None)
        if heard is not None:
            heard.append(record.getMessage())


_EAR = _Ear()
_LOGGER = logging.getLogger("apprise")
_LOGGER.addHandler(_EAR)
_LOGGER.propagate = False
"""What it says reaches us as the reason of a failure, redacted; its own lines would name addresses."""


class _heard:  # noqa: N801  # reads as a word: with _heard() as complaints
    def __enter__(self) -> list[str]:
        lines: list[str] = []
        _EAR.said.lines = lines
        return lines

    def __exit__(self, *_: object) -> None:
        _EAR.said.lines = None
