"""Waiting for an event or for time, whichever is first, on the injected clock."""

import asyncio
import contextlib

from mexc_sniper.ports import Clock


async def wait_for(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Return whether the event was set within ``seconds``."""
    if event.is_set():
        return True
    if seconds <= 0:
        return False
    waiter = asyncio.ensure_future(event.wait())
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((waiter, timer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiter, timer):
            task.cancel()
        for task in (waiter, timer):
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return event.is_set()
