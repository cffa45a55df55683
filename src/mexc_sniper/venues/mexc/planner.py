"""How often each source is asked: calm, near and imminent, all within half of the venue's budget (REFERENCE 1.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.model.events import SourceName
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.budget import REQUESTS_PER_S, WEIGHT_LIMIT, WEIGHT_WINDOW_S
from mexc_sniper.venues.mexc.urls import Endpoint

NEAR_S = 600
IMMINENT_S = 60
AFTER_OPENING_S = 30
"""How long after an announced time polling stays tight: openings are late more often than early."""
JITTER = 0.1
MAX_DEFAULT_SYMBOLS_MS = 1000
SETTING_PREFIX = "MEXC_SNIPER_MONITOR__"


class Nearness(StrEnum):
    """How close the nearest announced opening is."""

    CALM = "calm"
    NEAR = "near"
    IMMINENT = "imminent"


@dataclass(frozen=True)
class PollingOptions:
    """Milliseconds between two polls of a source while nothing is announced; each is a setting of that name."""

    exchange_info_interval_ms: int = 5_000
    default_symbols_interval_ms: int = 500
    self_symbols_interval_ms: int = 1_000
    calendar_interval_ms: int = 30_000
    web_symbols_interval_ms: int = 60_000
    announcements_interval_ms: int = 30_000
    offline_interval_ms: int = 60_000
    time_interval_ms: int = 10_000


_TIGHT: dict[SourceName, dict[Nearness, int]] = {
    SourceName.EXCHANGE_INFO: {Nearness.NEAR: 3_500, Nearness.IMMINENT: 2_500},
    SourceName.CALENDAR: {Nearness.NEAR: 10_000, Nearness.IMMINENT: 5_000},
    SourceName.WEB_SYMBOLS: {Nearness.NEAR: 30_000, Nearness.IMMINENT: 15_000},
}
"""Upper bounds near an opening, ms; sources not named keep their calm interval."""

HEAVY = frozenset({SourceName.EXCHANGE_INFO, SourceName.WEB_SYMBOLS})
"""Sources whose answers hold the loop for milliseconds (5 MB, bench/decode.py)."""

_ENDPOINTS: dict[SourceName, Endpoint] = {
    SourceName.EXCHANGE_INFO: Endpoint.EXCHANGE_INFO,
    SourceName.DEFAULT_SYMBOLS: Endpoint.DEFAULT_SYMBOLS,
    SourceName.SELF_SYMBOLS: Endpoint.SELF_SYMBOLS,
    SourceName.OFFLINE: Endpoint.OFFLINE,
    SourceName.ANNOUNCEMENTS: Endpoint.ANNOUNCEMENTS,
}


def calm_interval_ms(options: PollingOptions, source: SourceName) -> int:
    """The setting of a source."""
    value: int = getattr(options, f"{source.value}_interval_ms")
    return value


def interval_ms(options: PollingOptions, source: SourceName, nearness: Nearness) -> int:
    """The interval of a source at some nearness; never longer than its calm one."""
    calm = calm_interval_ms(options, source)
    return min(calm, _TIGHT.get(source, {}).get(nearness, calm))


def check_plan(options: PollingOptions, *, with_key: bool, weight_limit: int = WEIGHT_LIMIT) -> None:
    """Refuse a plan that is senseless or would spend more than half of the venue's limits at an opening.

    Raises:
        ConfigError: names the settings to raise (or, for defaultSymbols above a second, to lower).
    """
    for name in PollingOptions.__dataclass_fields__:
        value = getattr(options, name)
        if not 50 <= value <= 3_600_000:
            raise ConfigError(f"{_setting(name)} is {value}; set it between 50 and 3600000 (milliseconds)")
    if options.default_symbols_interval_ms > MAX_DEFAULT_SYMBOLS_MS:
        raise ConfigError(
            f"{_setting('default_symbols_interval_ms')} is {options.default_symbols_interval_ms}; "
            f"set it to {MAX_DEFAULT_SYMBOLS_MS} or less, an unannounced listing must be seen within 1.5 s"
        )
    weight, requests, parts = _spend(options, with_key=with_key)
    if weight > weight_limit / 2 or requests > REQUESTS_PER_S / 2:
        heaviest = sorted(parts, key=lambda name: parts[name], reverse=True)[:2]
        raise ConfigError(
            f"the polling plan spends weight {weight:.0f} per {WEIGHT_WINDOW_S} s and {requests:.1f} requests per "
            f"second; half of the venue's limits is {weight_limit / 2:.0f} and {REQUESTS_PER_S / 2:.0f}. "
            f"Raise {' or '.join(_setting(f'{name}_interval_ms') for name in heaviest)}"
        )


def _spend(options: PollingOptions, *, with_key: bool) -> tuple[float, float, dict[str, float]]:
    parts = {"time": WEIGHT_WINDOW_S * 1000 / options.time_interval_ms}
    requests = 1000 / options.time_interval_ms
    for source, endpoint in _ENDPOINTS.items():
        if endpoint.signed and not with_key:
            continue
        interval = interval_ms(options, source, Nearness.IMMINENT)
        parts[source.value] = endpoint.weight * WEIGHT_WINDOW_S * 1000 / interval
        requests += 1000 / interval
    return sum(parts.values()), requests, parts


def _setting(name: str) -> str:
    return SETTING_PREFIX + name.upper()


class Planner:
    """Knows the announced openings and turns them into the next interval of a source."""

    def __init__(self, options: PollingOptions, clock: Clock, random: Random) -> None:
        self._options = options
        self._clock = clock
        self._random = random
        self._openings: tuple[int, ...] = ()
        self._hushed_until_ns = 0

    def hush(self, until_ns: int) -> None:
        """Have heavy sources wait until this wall time (ns)."""
        self._hushed_until_ns = max(self._hushed_until_ns, until_ns)

    def hushed_s(self, source: SourceName) -> float:
        """Seconds a source must still wait for an opening's sake; 0 for light ones."""
        if source not in HEAVY:
            return 0.0
        return max(0, self._hushed_until_ns - self._clock.wall_ns()) / NS_PER_S

    def expect(self, opens_at_ns: Sequence[int]) -> None:
        """Replace the openings that lie ahead (our wall clock, ns)."""
        self._openings = tuple(sorted(opens_at_ns))

    def nearness(self) -> Nearness:
        """How close the nearest opening is now; an opening counts as near until half a minute after its time."""
        now = self._clock.wall_ns()
        gaps = [at - now for at in self._openings if at - now > -AFTER_OPENING_S * NS_PER_S]
        if not gaps or min(gaps) > NEAR_S * NS_PER_S:
            return Nearness.CALM
        return Nearness.IMMINENT if min(gaps) <= IMMINENT_S * NS_PER_S else Nearness.NEAR

    def interval_s(self, source: SourceName) -> float:
        """Seconds from one poll's start to the next, at the present nearness, without jitter."""
        return interval_ms(self._options, source, self.nearness()) / 1000

    def jittered(self, seconds: float) -> float:
        """Spread by a tenth to either side, so that polls do not march in step."""
        return seconds * self._random.uniform(1 - JITTER, 1 + JITTER)
