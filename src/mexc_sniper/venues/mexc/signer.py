"""Signing on the hot path: the key and everything known ahead are already inside prepared SHA-256 states.

HMAC is SHA-256 of the outer pad and SHA-256 of the inner pad and the text (RFC 2104). Copying a state that has
swallowed pad and prefix leaves the timestamp's 13 bytes to hash: 0.7 µs instead of the 1.5 µs of a one-shot HMAC.
"""

import hashlib

from mexc_sniper.venues.mexc.signing import Credentials

_BLOCK = 64


class Prefix:
    """A signed text whose beginning is known."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, inner: "hashlib._Hash", outer: "hashlib._Hash") -> None:
        self._inner = inner
        self._outer = outer

    def sign(self, rest: bytes) -> str:
        """Sign prefix and rest; lower-case hex."""
        inner = self._inner.copy()
        inner.update(rest)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


class Signer:
    """HMAC-SHA256 with the secret's pads hashed once (REFERENCE 1.2)."""

    def __init__(self, credentials: Credentials) -> None:
        secret = credentials.api_secret.encode()
        if len(secret) > _BLOCK:
            secret = hashlib.sha256(secret).digest()
        key = secret.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def sign(self, text: bytes) -> str:
        """Sign a whole text; lower-case hex."""
        inner = self._inner.copy()
        inner.update(text)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()

    def prefix(self, text: bytes) -> Prefix:
        """Swallow the beginning of a text to be signed."""
        inner = self._inner.copy()
        inner.update(text)
        return Prefix(inner, self._outer)
