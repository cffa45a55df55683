"""Waiting for a loop's sockets to be really gone, so that none outlives its test."""

import asyncio
import time


async def sockets_closed(*, deadline_s: float = 5.0) -> None:
    """Wait until this loop watches no socket but its own wake-up pipe.

    Closing a session only begins the closing of its transports; over TLS it takes the peer's answer to end.
    """
    watched = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    end = time.monotonic() + deadline_s
    while len(watched.get_map()) > 1:
        assert time.monotonic() < end, f"still open: {list(watched.get_map().values())}"
        await asyncio.sleep(0.005)
