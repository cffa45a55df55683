"""The proof of a passed canary, written as `doctor --canary` writes it, for tests whose subject is another."""

import time
from collections.abc import Mapping
from pathlib import Path

from mexc_sniper.app.canary_proof import CanaryProof, key_fingerprint, remember_canary, venue_name


def pass_canary(environment: Mapping[str, str]) -> None:
    """Prove a canary for the key, venue and data directory of a program's environment; without a key do nothing."""
    api_key = environment.get("MEXC_SNIPER_VENUE__API_KEY")
    if not api_key:
        return
    proof = CanaryProof(
        venue=venue_name(environment["MEXC_SNIPER_VENUE__REST_URL"]),
        key=key_fingerprint(api_key),
        symbol="MXUSDT",
        passed_ns=time.time_ns(),
    )
    remember_canary(Path(environment["MEXC_SNIPER_DATA_DIR"]), proof)
