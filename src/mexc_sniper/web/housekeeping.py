"""Keeps the web process's own tables small: what has ended is deleted once an hour."""

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ports import Clock
from mexc_sniper.web.store import Store

EVERY_S = 3_600.0
COMMANDS_KEPT_S = 30 * 86_400
BATCH = 500
"""Commands deleted in one transaction, so that no operator waits behind a long one."""

_log = structlog.get_logger()


async def keep_small(store: Store, clock: Clock) -> None:
    """Prune at once and then hourly, until cancelled; a database that refuses is asked again the next hour."""
    while True:
        try:
            await _prune(store, clock.wall_ns())
        except StoreError as error:
            _log.warning("inbox_not_pruned", error=str(error))
        await clock.sleep(EVERY_S)


async def _prune(store: Store, now_ns: int) -> None:
    before_ns = now_ns - COMMANDS_KEPT_S * NS_PER_S
    await store.inbox(lambda inbox: inbox.prune(now_ns))
    while await store.inbox(lambda inbox: inbox.forget_commands(before_ns, rows=BATCH)) == BATCH:
        pass
