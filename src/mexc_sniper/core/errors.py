"""Every error the program raises on purpose.

SniperError
├─ ConfigError               wrong settings: refuse to start; names the key, its origin and the mend
├─ InvariantError            our own bug or corrupt data: never swallowed
├─ StoreError                ledger or tape cannot be read or written
└─ VenueError                answers two questions: may I retry? could the venue have acted?
   ├─ NotSent                outcome NOT_SENT
   │  ├─ ConnectFailed       no connection: refused, DNS, TLS
   │  └─ ThrottleTimeout     our own limiter had no budget in time
   ├─ Refused                outcome REFUSED
   │  ├─ RateLimited         429, 418; retry_after_s tells when
   │  ├─ FirewallBlocked     403 or an HTML page from the web application firewall
   │  ├─ ClockSkew           700003
   │  ├─ AuthFailed          key, signature, address or right
   │  ├─ NotTradable         symbol, side or API closed
   │  └─ UnknownRefusal      a code the table does not know; code and text are kept
   ├─ InDoubt                outcome IN_DOUBT for an order, harmless for a read
   │  ├─ ResponseTimeout
   │  ├─ ConnectionLost
   │  ├─ VenueUnavailable    5xx, maintenance page
   │  └─ ProtocolError       the answer could not be decoded
   └─ StreamError            a stream closed, went stale or was refused
      ├─ StreamClosed
      ├─ StreamStale
      └─ SubscriptionRefused
"""

from enum import StrEnum
from typing import ClassVar


class CallOutcome(StrEnum):
    """What a failed call may have done at the venue."""

    NOT_SENT = "not_sent"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"


class SniperError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(SniperError):
    """A setting is wrong; the text names the setting, where it came from and how to mend it."""


class InvariantError(SniperError):
    """Our own bug or corrupt data; never swallowed."""


class StoreError(SniperError):
    """The ledger or the tape cannot be read or written."""


class VenueError(SniperError):
    """The boundary to the venue failed.

    Attributes:
        retryable: whether the same call may be made again.
        outcome: whether the venue could have acted on it.
        code: the venue's own code, if it gave one.
        http_status: the HTTP status, if there was one.
        retry_after_s: seconds the venue asked us to wait, if it did.
    """

    retryable: ClassVar[bool] = False
    outcome: ClassVar[CallOutcome] = CallOutcome.NOT_SENT

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        http_status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.retry_after_s = retry_after_s

    @property
    def kind(self) -> str:
        """The class name in snake case: the label used in metrics and component states."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class NotSent(VenueError):
    """No byte of the request left."""

    retryable = True


class ConnectFailed(NotSent):
    """No connection: refused, name not resolved, or TLS failed."""


class ThrottleTimeout(NotSent):
    """Our own limiter had no budget before the deadline."""


class Refused(VenueError):
    """The venue said no; it has not acted."""

    outcome = CallOutcome.REFUSED


class RateLimited(Refused):
    """429 or 418: wait ``retry_after_s`` (None: the venue did not say)."""

    retryable = True


class FirewallBlocked(Refused):
    """403 or an HTML page from the firewall; not an authentication error."""

    retryable = True


class ClockSkew(Refused):
    """700003: our timestamp is outside the venue's window; resync and sign anew."""

    retryable = True


class AuthFailed(Refused):
    """Key, signature, address or right refused."""


class NotTradable(Refused):
    """Symbol, side, order type or API access is closed."""


class UnknownRefusal(Refused):
    """A code the fault table does not know."""


class InDoubt(VenueError):
    """The venue may have acted; for a read that is harmless."""

    retryable = True
    outcome = CallOutcome.IN_DOUBT


class ResponseTimeout(InDoubt):
    """No answer before the deadline."""


class ConnectionLost(InDoubt):
    """The connection ended after the request began to leave."""


class VenueUnavailable(InDoubt):
    """5xx or a maintenance page."""


class ProtocolError(InDoubt):
    """The answer could not be decoded into what the reference promises."""


class StreamError(VenueError):
    """A stream failed; resubscribe and reconcile."""

    retryable = True


class StreamClosed(StreamError):
    """The stream's connection ended."""


class StreamStale(StreamError):
    """The stream's connection is open but says nothing."""


class SubscriptionRefused(StreamError):
    """The venue refused a channel (REFERENCE 2.2: code 0 can be a rejection)."""

    retryable = False
