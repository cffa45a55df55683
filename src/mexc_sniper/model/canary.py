"""What the last ``doctor --canary`` showed: a file in the data directory that the go-live checklist reads."""

import msgspec

FILE_NAME = "canary-result.json"


class CanaryResult(msgspec.Struct, frozen=True, kw_only=True):
    """One tiny round trip with real money. ``wall_ns``: when it ended."""

    wall_ns: int
    symbol: str
    passed: bool
    cost: str = ""
    """In quote asset, decimal text."""
    problems: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(CanaryResult).decode


def encode_canary(result: CanaryResult) -> bytes:
    """Write a result."""
    return msgspec.json.encode(result) + b"\n"


def decode_canary(raw: bytes) -> CanaryResult | None:
    """Read a result; None for anything that is none: it then counts as not run."""
    try:
        return _decode(raw)
    except msgspec.MsgspecError:
        return None
