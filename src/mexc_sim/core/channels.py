"""Names of the stream channels (REFERENCE 2.3) and what each asks for."""

import re
from dataclasses import dataclass
from enum import Enum

from mexc_sim.core.candles import STREAM_INTERVALS
from mexc_sim.core.timers import NS_PER_MS, NS_PER_S

TIME_ZONES = frozenset(
    {
        "24H",
        "UTC-10",
        "UTC-8",
        "UTC-7",
        "UTC-6",
        "UTC-5",
        "UTC-4",
        "UTC-3",
        "UTC+0",
        "UTC+1",
        "UTC+2",
        "UTC+3",
        "UTC+4",
        "UTC+4:30",
        "UTC+5",
        "UTC+5:30",
        "UTC+6",
        "UTC+7",
        "UTC+8",
        "UTC+9",
        "UTC+10",
        "UTC+11",
        "UTC+12",
        "UTC+12:45",
        "UTC+13",
    }
)


class Kind(Enum):
    """What a channel pushes."""

    DEALS = "aggre.deals"
    DEPTH = "aggre.depth"
    TOP = "aggre.bookTicker"
    TOP_BATCH = "bookTicker.batch"
    LEVELS = "limit.depth"
    KLINE = "kline"
    MINI = "miniTicker"
    MINI_ALL = "miniTickers"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Channel:
    """One valid channel name taken apart."""

    name: str
    kind: Kind
    symbol: str
    every_ns: int
    levels: int = 0
    interval: str = ""


_AGGRE = re.compile(r"spot@public\.(aggre\.(?:deals|depth|bookTicker))\.v3\.api\.pb@(100|10)ms@([^@\s]+)")
_BATCH = re.compile(r"spot@public\.bookTicker\.batch\.v3\.api\.pb@([^@\s]+)")
_LEVELS = re.compile(r"spot@public\.limit\.depth\.v3\.api\.pb@([^@\s]+)@(5|10|20)")
_KLINE = re.compile(r"spot@public\.kline\.v3\.api\.pb@([^@\s]+)@(\w+)")
_MINI = re.compile(r"spot@public\.miniTicker\.v3\.api\.pb@([^@\s]+)@([^@\s]+)")
_PRIVATE = re.compile(r"spot@private\.(?:orders|deals|account)\.v3\.api\.pb")
_MINI_ALL = re.compile(r"spot@public\.miniTickers\.v3\.api\.pb@([^@\s]+)")


def parse_channel(name: str) -> Channel | None:
    """Take a channel name apart; None for everything the venue answers with "Blocked!" (REFERENCE 2.2)."""
    channel = _parse(name)
    if channel is None or channel.symbol != channel.symbol.upper():
        return None
    return channel


def _parse(name: str) -> Channel | None:
    if _PRIVATE.fullmatch(name):
        return Channel(name, Kind.PRIVATE, "", 0)
    if match := _AGGRE.fullmatch(name):
        return Channel(name, Kind(match[1]), match[3], int(match[2]) * NS_PER_MS)
    if match := _BATCH.fullmatch(name):
        return Channel(name, Kind.TOP_BATCH, match[1], 100 * NS_PER_MS)
    if match := _LEVELS.fullmatch(name):
        return Channel(name, Kind.LEVELS, match[1], 100 * NS_PER_MS, levels=int(match[2]))
    if (match := _KLINE.fullmatch(name)) and match[2] in STREAM_INTERVALS:
        return Channel(name, Kind.KLINE, match[1], NS_PER_S, interval=match[2])
    if (match := _MINI.fullmatch(name)) and match[2] in TIME_ZONES:
        return Channel(name, Kind.MINI, match[1], 3 * NS_PER_S)
    if (match := _MINI_ALL.fullmatch(name)) and match[1] in TIME_ZONES:
        return Channel(name, Kind.MINI_ALL, "", 3 * NS_PER_S)
    return None
