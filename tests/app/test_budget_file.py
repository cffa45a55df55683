"""What earlier lives spent of the venue's request limits counts in the next one."""

from pathlib import Path

import pytest

from mexc_sniper.app.budget_file import SLOTS, BudgetFile
from mexc_sniper.core.errors import RateLimited, ThrottleTimeout
from mexc_sniper.venues.mexc.budget import HEAVY_SHARE, READS_SHARE, WEIGHT_LIMIT, WeightBudget
from tests.venue.clock import ManualClock

ROOM = int(WEIGHT_LIMIT * READS_SHARE)
"""What all reading may spend."""


def a_life(path: Path, clock: ManualClock) -> WeightBudget:
    """A budget as a process that was killed leaves it: nothing is closed."""
    return WeightBudget(clock, record=BudgetFile(path), requests_per_s=10_000)


async def test_new_life_has_what_the_window_leaves(tmp_path: Path) -> None:
    clock = ManualClock()
    first = a_life(tmp_path / "spent", clock)
    await first.acquire(200, deadline_s=0)
    await clock.advance(4)
    second = a_life(tmp_path / "spent", clock)
    assert second.weight_used == 200
    await second.acquire(ROOM - 200, deadline_s=0)
    third = a_life(tmp_path / "spent", clock)
    with pytest.raises(ThrottleTimeout):
        await third.acquire(1, deadline_s=5)
    await clock.advance(6)
    await third.acquire(200, deadline_s=0)
    with pytest.raises(ThrottleTimeout):
        await third.acquire(1, deadline_s=3)


async def test_lives_that_follow_each_other_fast_never_exceed_the_window_together(tmp_path: Path) -> None:
    clock = ManualClock()
    spent: list[tuple[int, int]] = []
    for _ in range(40):
        life = a_life(tmp_path / "spent", clock)
        for weight in (25, 10, 1):
            try:
                await life.acquire(weight, deadline_s=0)
            except ThrottleTimeout:
                continue
            spent.append((clock.now, weight))
        await clock.advance(0.7)
    for at, _ in spent:
        assert sum(weight for when, weight in spent if at <= when < at + 10_000_000_000) <= WEIGHT_LIMIT
    assert sum(weight for _, weight in spent) > 2 * WEIGHT_LIMIT


async def test_polling_of_a_new_life_leaves_room_to_compare_its_orders(tmp_path: Path) -> None:
    clock = ManualClock()
    first = a_life(tmp_path / "spent", clock)
    await first.acquire(int(WEIGHT_LIMIT * HEAVY_SHARE), deadline_s=0, share=HEAVY_SHARE)
    second = a_life(tmp_path / "spent", clock)
    with pytest.raises(ThrottleTimeout):
        await second.acquire(25, deadline_s=1, share=HEAVY_SHARE)
    await second.acquire(ROOM - int(WEIGHT_LIMIT * HEAVY_SHARE), deadline_s=0)


async def test_ban_is_heeded_by_the_next_life(tmp_path: Path) -> None:
    clock = ManualClock()
    a_life(tmp_path / "spent", clock).block(120, "the venue banned us")
    await clock.advance(20)
    second = a_life(tmp_path / "spent", clock)
    assert second.blocked_for_s() == 100
    with pytest.raises(RateLimited):
        await second.acquire(1, deadline_s=60)
    await clock.advance(100)
    await a_life(tmp_path / "spent", clock).acquire(1, deadline_s=0)


async def test_clock_that_was_stepped_back_delays_by_no_more_than_window_and_wait(tmp_path: Path) -> None:
    clock = ManualClock()
    first = a_life(tmp_path / "spent", clock)
    await first.acquire(ROOM, deadline_s=0)
    first.block(30, "slow down")
    clock.step_ns -= 3_600_000_000_000
    second = a_life(tmp_path / "spent", clock)
    assert second.weight_used == ROOM
    assert second.blocked_for_s() == 30
    await clock.advance(30)
    await second.acquire(WEIGHT_LIMIT, deadline_s=0)


async def test_endpoint_with_a_limit_of_its_own_keeps_its_distance_over_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    await a_life(tmp_path / "spent", clock).acquire(10, deadline_s=0, kind=3, gap_s=0.5)
    second = a_life(tmp_path / "spent", clock)
    await second.acquire(10, deadline_s=0, kind=4, gap_s=0.5)
    with pytest.raises(ThrottleTimeout):
        await second.acquire(10, deadline_s=0.4, kind=3, gap_s=0.5)
    await clock.advance(0.5)
    await second.acquire(10, deadline_s=0, kind=3, gap_s=0.5)


async def test_ring_keeps_the_newest_calls(tmp_path: Path) -> None:
    clock = ManualClock()
    first = a_life(tmp_path / "spent", clock)
    for _ in range(SLOTS + 30):
        await first.acquire(3, deadline_s=0)
        await clock.advance(0.11)
    assert a_life(tmp_path / "spent", clock).weight_used == first.weight_used > 200


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 9_000], ids=["empty", "short", "long"])
async def test_odd_file_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spent").write_bytes(content)
    clock = ManualClock()
    first = a_life(tmp_path / "spent", clock)
    assert first.weight_used == 0
    await first.acquire(7, deadline_s=0)
    assert a_life(tmp_path / "spent", clock).weight_used == 7


async def test_file_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    budget = a_life(tmp_path / "no such directory" / "spent", ManualClock())
    await budget.acquire(1, deadline_s=0)
    budget.block(1, "slow down")
    assert budget.weight_used == 1
