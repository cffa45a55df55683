"""Quiet hours: when only urgent messages pass."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.ledger.channels import QuietHours

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def problem_of(quiet: QuietHours) -> str | None:
    """Return what is wrong with quiet hours in words, None when they will do."""
    if not _TIME.fullmatch(quiet.start) or not _TIME.fullmatch(quiet.end):
        return "write times as HH:MM, such as 22:00"
    if quiet.start == quiet.end:
        return "begin and end must differ"
    try:
        ZoneInfo(quiet.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "is no time zone such as Europe/Berlin or UTC"
    return None


def is_quiet(quiet: QuietHours | None, now_ns: int) -> bool:
    """Whether ``now_ns`` (wall time) lies in quiet hours; their end is no part of them."""
    if quiet is None:
        return False
    now = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).astimezone(ZoneInfo(quiet.zone)).strftime("%H:%M")
    if quiet.start < quiet.end:
        return quiet.start <= now < quiet.end
    return now >= quiet.start or now < quiet.end
