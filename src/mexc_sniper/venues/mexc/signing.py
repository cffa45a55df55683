"""Request signing (REFERENCE 1.2): HMAC-SHA256 over the query exactly as it is sent."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

UNRESERVED = "-_.~"


class Credentials:
    """An API key and its secret; prints as stars."""

    __slots__ = ("api_key", "api_secret")

    def __init__(self, api_key: str, api_secret: str) -> None:
        self.api_key = api_key
        self.api_secret = api_secret

    def __repr__(self) -> str:
        return "Credentials(api_key='***', api_secret='***')"


def query_text(parameters: Mapping[str, str]) -> str:
    """Write parameters percent-encoded: UTF-8, upper-case hex, a blank as ``%20``; order is kept."""
    return "&".join(
        f"{quote(key, safe=UNRESERVED)}={quote(value, safe=UNRESERVED)}" for key, value in parameters.items()
    )


def signature(secret: str, payload: str) -> str:
    """Sign query text (followed directly by a body, if there is one); lower-case hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def signed_query(
    credentials: Credentials, parameters: Mapping[str, str], *, timestamp_ms: int, recv_window_ms: int
) -> str:
    """Return the query with ``recvWindow``, ``timestamp`` (venue clock) and, last, ``signature``."""
    payload = query_text({**parameters, "recvWindow": str(recv_window_ms), "timestamp": str(timestamp_ms)})
    return f"{payload}&signature={signature(credentials.api_secret, payload)}"
