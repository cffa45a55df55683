"""What ``doctor --canary`` showed: a file in the data directory that arming and the go-live checklist read."""

from typing import Final

import msgspec

FILE_NAME: Final = "canary.json"
LARGEST_FILE: Final = 1_000_000
"""Bytes; more is not read."""


class CanaryResult(msgspec.Struct, frozen=True, kw_only=True):
    """The last tiny round trip with real money of one key at one venue; another key, or venue, needs one of its own."""

    venue: str
    """Host, and port where one is named, of the REST interface."""
    key: str
    """A fingerprint of the API key, which does not tell it."""
    wall_ns: int
    """When it ended."""
    symbol: str
    passed: bool
    cost: str = ""
    """In quote asset, decimal text."""
    problems: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(tuple[CanaryResult, ...]).decode


def encode_canaries(results: tuple[CanaryResult, ...]) -> bytes:
    """Write the results of all keys and venues."""
    return msgspec.json.encode(results) + b"\n"


def decode_canaries(raw: bytes) -> tuple[CanaryResult, ...]:
    """Read them; what cannot be read proves nothing, so then there are none."""
    try:
        return _decode(raw)
    except msgspec.MsgspecError:
        return ()
