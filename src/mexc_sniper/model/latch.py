"""The kill latch: a file in the data directory that stops entries without any database (DESIGN 2).

One line of text, so that a hand can make one too (``echo pause > kill.latch``, or an empty file): action, actor,
UNIX ns and reason, parted by tabs. Whoever finds the file acts on it; only a resume that the engine has carried out
takes it away.
"""

import msgspec

FILE_NAME = "kill.latch"
ACTIONS = ("pause", "cancel", "flatten")
"""From mild to grave. A latch is only ever replaced by one at least as grave."""
DEFAULT_ACTION = "cancel"
"""What a file means that names no action: it is there, and that is enough."""


class KillLatch(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds. ``wall_ns`` is the time it was set, by the setter's clock; 0: not told."""

    action: str
    actor: str = ""
    wall_ns: int = 0
    reason: str = ""


def encode_latch(latch: KillLatch) -> bytes:
    """Write a latch."""
    fields = (latch.action, latch.actor, str(latch.wall_ns), latch.reason)
    return ("\t".join(map(_one_line, fields)) + "\n").encode("utf-8", "replace")


def decode_latch(raw: bytes) -> KillLatch:
    """Read a latch, whatever is in the file."""
    fields = raw.decode("utf-8", "replace").strip("\n").split("\t")
    action, actor, wall, reason = (*fields, "", "", "", "")[:4]
    action = action.strip()
    digits = wall if wall.isascii() and wall.isdigit() and len(wall) < 20 else "0"
    if action not in ACTIONS:
        return KillLatch(action=DEFAULT_ACTION)
    return KillLatch(action=action, actor=actor, wall_ns=int(digits), reason=reason)


def graver(first: KillLatch, second: KillLatch) -> KillLatch:
    """Return the graver of two latches; the first when they are equal."""
    return second if ACTIONS.index(second.action) > ACTIONS.index(first.action) else first


def _one_line(text: str) -> str:
    return "".join(" " if char.isspace() or not char.isprintable() else char for char in text)
