"""The file in the data directory that tells a new life what earlier ones spent of the venue's request limits."""

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from mexc_sniper.venues.mexc.budget import Ordered, Spent

BUDGET_NAME: Final = "request-weight"
SLOTS: Final = 512
"""Calls remembered; the venue's limits let fewer than half of that into one window."""

_ORDERED: Final = struct.Struct("<qq")
_SPENT: Final = struct.Struct("<qii")
_SLOT: Final = 16
_SIZE: Final = (1 + SLOTS) * _SLOT

_log = structlog.get_logger()


class BudgetFile:
    """Implements `venues.mexc.budget.BudgetRecord`: one ordered wait, then a ring of calls, 16 bytes each.

    It survives kill -9, not a power cut: after that the window has passed anyway. What the disk does to it never stops
    anything; without it a quick restart may draw a 429, which is heeded.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; a file of another size is begun anew."""
        self._path = path
        self._fd: int | None = None
        self._content = bytes(_SIZE)
        try:
            self._fd = fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            found = os.pread(fd, _SIZE + 1, 0)
            if len(found) == _SIZE:
                self._content = found
            else:
                os.ftruncate(fd, 0)
                os.pwrite(fd, self._content, 0)
        except OSError as fault:
            self._give_up(fault)
        calls = self._calls()
        self._next = calls.index(min(calls))

    def close(self) -> None:
        """Let go of the file; idempotent."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def spent(self) -> Sequence[Spent]:
        """Return what was kept before this life began."""
        return [call for call in self._calls() if call.weight > 0]

    def ordered(self) -> Ordered | None:
        """Return the wait that was kept before this life began."""
        wall_ns, until_ns = _ORDERED.unpack_from(self._content, 0)
        return Ordered(wall_ns, until_ns) if until_ns > wall_ns > 0 else None

    def note_spent(self, spent: Spent) -> None:
        """Keep a call in the place of the oldest; microseconds."""
        self._put(1 + self._next, _SPENT.pack(*spent))
        self._next = (self._next + 1) % SLOTS

    def note_ordered(self, ordered: Ordered) -> None:
        """Keep a wait in the place of the one before."""
        self._put(0, _ORDERED.pack(*ordered))

    def _calls(self) -> list[Spent]:
        return [Spent(*call) for call in _SPENT.iter_unpack(self._content[_SLOT:])]

    def _put(self, slot: int, content: bytes) -> None:
        if self._fd is None:
            return
        try:
            os.pwrite(self._fd, content, slot * _SLOT)
        except OSError as fault:
            self._give_up(fault)

    def _give_up(self, fault: OSError) -> None:
        _log.warning("request_weight_not_kept", path=str(self._path), reason=fault.strerror or str(fault))
        self.close()
