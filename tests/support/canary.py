"""The result of a passed canary, written as `doctor --canary` writes it, for tests whose subject is another."""

import time
from collections.abc import Mapping
from pathlib import Path

from mexc_sniper.app.canary_file import key_fingerprint, remember_canary, venue_name
from mexc_sniper.model.canary import CanaryResult


def pass_canary(environment: Mapping[str, str]) -> None:
    """Prove a canary for the key, venue and data directory of a program's environment; without a key do nothing."""
    api_key = environment.get("MEXC_SNIPER_VENUE__API_KEY")
    if not api_key:
        return
    result = CanaryResult(
        venue=venue_name(environment["MEXC_SNIPER_VENUE__REST_URL"]),
        key=key_fingerprint(api_key),
        symbol="MXUSDT",
        wall_ns=time.time_ns(),
        passed=True,
    )
    remember_canary(Path(environment["MEXC_SNIPER_DATA_DIR"]), result)
