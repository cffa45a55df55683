"""Waiting for an event or for time, whichever is first, on the injected clock."""

import asyncio

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
    finally:  # not awaited: that could swallow a cancellation of the caller
        waiter.cancel()
        timer.cancel()
    return event.is_set()
