"""The order rate limit is what the settings file says, for both accounts."""

from pathlib import Path

from mexc_sniper.app.settings_load import load_settings
from mexc_sniper.app.trading import throttle_of
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.runtime.throttle import BURST, DEFAULT_RATE, RESERVED, VENUE_LIMIT, Lane, Throttle


def instants(throttle: Throttle, count: int) -> list[int]:
    """When each of ``count`` entries leaves, each as early as it may."""
    now_ns, left = NS_PER_S, []
    while len(left) < count:
        wait_ns = throttle.take(Lane.ENTRY, now_ns)
        if wait_ns == 0:
            left.append(now_ns)
        now_ns += wait_ns
    return left


def test_without_a_setting_orders_leave_at_the_documented_default() -> None:
    throttle = throttle_of(load_settings(environ={}))
    assert instants(throttle, 50) == instants(Throttle(rate_per_s=DEFAULT_RATE, burst=BURST), 50)


def test_the_settings_files_rate_and_burst_are_what_orders_leave_at(tmp_path: Path) -> None:
    config = tmp_path / "mexc-sniper.toml"
    config.write_text("[orders]\nper_second = 10\nburst = 2\n")
    throttle = throttle_of(load_settings(config=config, environ={}))
    left = instants(throttle, 12)
    assert left[:2] == [NS_PER_S] * 2
    assert left[-1] - left[0] == (12 - 2) * NS_PER_S // 10
    assert throttle.per_second == 10


def test_the_greatest_rate_and_burst_are_what_the_venue_allows() -> None:
    environ = {
        "MEXC_SNIPER_ORDERS__PER_SECOND": str(VENUE_LIMIT),
        "MEXC_SNIPER_ORDERS__BURST": str(VENUE_LIMIT - RESERVED),
    }
    assert throttle_of(load_settings(environ=environ)).per_second == VENUE_LIMIT
