"""The nightly backup of a supervised run."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from mexc_sniper.app.backup import backup_set, backup_sets, made_at_ns
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import SniperError
from mexc_sniper.ledger.location import locate
from mexc_sniper.ports import Clock

HOUR_NS = 3_600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
LOOK_S = 60.0
AGAIN_S = 3_600.0
"""After a failure it is tried again so much later."""

log = structlog.get_logger(__name__)


def backup_dir(settings: Settings) -> Path:
    """Return where the nightly sets go."""
    return settings.backup.dir or settings.data_dir / "backups" / "nightly"


def due(settings: Settings, clock: ClockReader) -> bool:
    """Whether the last set was made before the hour that passed last; without any, whether that hour has struck."""
    now_ns = clock.wall_ns()
    hour_ns = settings.backup.hour_utc * HOUR_NS
    struck_ns = (now_ns - hour_ns) // DAY_NS * DAY_NS + hour_ns
    made = backup_sets(backup_dir(settings))
    return not made or made_at_ns(made[-1], clock) < struck_ns


async def nightly(settings: Settings, clock: Clock, *, on_trouble: Callable[[str], None]) -> None:
    """Make each night's set until cancelled. A failure is told and tried again; it ends nothing."""
    location = locate(settings.database.url, settings.data_dir)
    if not location.is_sqlite:
        log.info("nightly_backup_not_ours", reason="the ledger lives in PostgreSQL: back it up with pg_dump")
        return
    while True:
        await clock.sleep(LOOK_S)
        if not location.sqlite.ledger.is_file() or not await asyncio.to_thread(due, settings, clock):
            continue
        folder = backup_dir(settings)
        try:
            made = await asyncio.to_thread(backup_set, location, folder, clock, keep=settings.backup.keep)
            log.info("nightly_backup_made", path=str(made))
        except (SniperError, OSError) as error:
            log.error("nightly_backup_failed", error=str(error))
            on_trouble(f"The nightly backup failed: {error}")
            await clock.sleep(AGAIN_S)
