"""The kill latch: a file in the data directory that stops entries without any database (DESIGN 2).

The web process, the command line and the engine's runtime share this one form. Whoever finds the file acts on it;
only a resume that the engine has carried out takes it away.
"""

import msgspec

FILE_NAME = "kill.latch"
ACTIONS = ("pause", "cancel", "flatten")
"""From mild to grave. A latch is only ever replaced by one at least as grave."""


class KillLatch(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds, as JSON. ``wall_ns`` is the time it was set, by the setter's clock."""

    action: str
    actor: str
    wall_ns: int
    reason: str = ""


def encode_latch(latch: KillLatch) -> bytes:
    """Write a latch."""
    return msgspec.json.encode(latch) + b"\n"


def decode_latch(raw: bytes) -> KillLatch:
    """Read a latch; a file that cannot be read (created by hand, torn) is the default, ``cancel``: it is there."""
    try:
        latch = msgspec.json.decode(raw, type=KillLatch)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return KillLatch(action="cancel", actor="unknown", wall_ns=0)
    return latch if latch.action in ACTIONS else msgspec.structs.replace(latch, action="cancel")


def graver(first: KillLatch, second: KillLatch) -> KillLatch:
    """Return the graver of two latches; the first when they are equal."""
    return second if ACTIONS.index(second.action) > ACTIONS.index(first.action) else first
