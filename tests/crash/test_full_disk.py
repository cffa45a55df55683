"""A full disk: no entry leaves, what is held is still sold, /health says it, and nothing is missing once there is space
again (RELIABILITY 2.5, rows 69 and 70)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import Refused, eventually
from tests.support.trader import Trader, by_hand_only, trading_bot

SIZE_MB = 64


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> Path:
    """Leave no byte free."""
    hog = place / "hog"
    for size in (1 << 20, 4096, 1):
        with contextlib.suppress(OSError), hog.open("ab", buffering=0) as file:
            while file.write(bytes(size)):
                pass
    return hog


def test_full_disk_stops_entries_and_no_exit(small_disk: Path) -> None:
    with trading_bot(small_disk / "data", live=True) as trader:
        by_hand_only(trader)
        held = trader.open_market("HELD")
        trader.buy(held)
        trader.holds(held, "20")
        wanted = trader.open_market("WANTED")
        hog = fill(small_disk)
        # Rows to write are wanted, not three hundred lively markets: those cost the simulator a processor.
        trader.bot.sim("POST", "/sim/listings", {"count": 300, "quoteInS": "never", "tradeInS": "never"})
        health = eventually("health tells of the full disk", lambda: _said(trader), deadline_s=30)
        assert health["status"] != "ok"
        assert health["engineAlive"]

        with pytest.raises(Refused):
            trader.buy(wanted)
        assert trader.posts(wanted) == []

        trader.quote(held, "1.3000", "1.3100")  # past the take profit
        eventually("the exit leaves", lambda: [p for p in trader.posts(held) if p["params"]["side"] == "SELL"])

        hog.unlink()
        eventually("the ledger is written again", lambda: _said(trader) is None, deadline_s=30)
        eventually("the exit is in the ledger", lambda: _sold(trader, held), deadline_s=30)
        assert {one["clientOrderId"] for one in trader.venue_orders(held)} == {
            one["clientOrderId"] for one in trader.orders(held)
        }
        eventually("entries leave again", lambda: _bought(trader, wanted), deadline_s=40)


def _said(trader: Trader) -> dict[str, Any] | None:
    health = trader.bot.api("GET", "/health")
    parts = [part for part in health["components"] if part["name"] == "ledger"]
    return health if parts and "full" in parts[0]["detail"] else None


def _sold(trader: Trader, symbol: str) -> bool:
    sells = [order for order in trader.orders(symbol) if order["side"].lower() == "sell"]
    return bool(sells) and all(order["status"] == "filled" for order in sells)


def _bought(trader: Trader, symbol: str) -> bool:
    trader.quote(symbol, "0.9900", "1.0000")
    try:
        trader.buy(symbol)
    except Refused:
        return False
    return True
