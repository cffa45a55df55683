"""What waits to be sent to one live page, bounded."""

import asyncio
from collections import deque
from contextlib import suppress

MAX_BEHIND = 500
"""Frames a page may be behind; one more and it is cut off, to come back with a snapshot."""


class Page:
    """One live connection's queue of frames, bounded by `MAX_BEHIND`."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int | None, str]] = deque()
        self._news = asyncio.Event()
        self.cut_off = asyncio.Event()
        self.resync = False

    def offer(self, seq: int | None, text: str) -> None:
        """Queue one frame; a page that is full is cut off instead. ``seq`` None: unnumbered."""
        if self.cut_off.is_set():
            return
        if len(self._frames) >= MAX_BEHIND:
            self._frames.clear()
            self.cut_off.set()
            return
        self._frames.append((seq, text))
        self._news.set()

    def restart(self) -> None:
        """Forget what is queued; the page needs a new snapshot."""
        self._frames.clear()
        self.resync = True
        self._news.set()

    async def next(self, *, timeout_s: float) -> tuple[int | None, str] | None:
        """Return the oldest frame, or None after ``timeout_s`` of silence or when a snapshot is due."""
        if not self._frames and not self.resync:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        return self._frames.popleft() if self._frames and not self.resync else None
