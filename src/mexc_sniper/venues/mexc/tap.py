"""Where raw frames and answers can be listened to before anything reads them (the tape does)."""

from enum import IntEnum
from typing import Protocol


class RawKind(IntEnum):
    """What a raw record is; numbers are those of the tape file."""

    TEXT_FRAME = 1
    BINARY_FRAME = 2
    ANSWER = 3
    """A REST body after decompression; ``label`` is the endpoint's name and, if unsigned, its query."""
    CLOSED = 4
    """A connection ended; the payload says why."""


class FrameTap(Protocol):
    """Hears everything as it came. Called on the loop's thread; must not block or raise."""

    def record(self, kind: RawKind, connection: int, label: str, payload: bytes, wall_ns: int, mono_ns: int) -> None:
        """Take one raw record; ``connection`` numbers the WebSocket it came from, 0 for REST."""
        ...
