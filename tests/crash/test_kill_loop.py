"""A short kill loop of the real engine, one kill at every moment; ``make crash`` runs hundreds."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.kill_loop import MOMENTS, Loop
from tests.crash.lane import READY_WITHIN_S, Lane, Nursery
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def loop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Loop]:
    """A loop behind its first life; parameter: the venue's request weight, None the usual one."""
    nursery = Nursery()
    weight = getattr(request, "param", None)
    try:
        with (
            SimulatorProcess(symbols=20, ip_weight=weight) as simulator,
            Lane(tmp_path / "data", simulator, nursery=nursery) as lane,
        ):
            made = Loop(lane, random.Random(1))
            made.prepare()
            yield made
    finally:
        nursery.close()


@pytest.mark.timeout(300)
def test_engine_killed_at_every_moment_leaves_no_orphan_no_duplicate_and_agrees_with_the_venue(loop: Loop) -> None:
    """At the venue's usual request weight, although the lives follow each other within seconds."""
    for moment in ("start", "quoted", "posted", "accepted", "profit"):
        assert moment in MOMENTS
        loop.kill_once(moment)
    loop.finish()
    found = loop.lane.found
    assert found.violations == []
    assert found.orders >= 3
    assert max(found.ready_s + found.ready_forked_s) < 2 * READY_WITHIN_S


@pytest.mark.timeout(300)
@pytest.mark.parametrize("loop", [100_000], indirect=True)
def test_loop_notices_an_order_that_neither_journal_nor_ledger_knows(loop: Loop) -> None:
    loop.kill_once("accepted")
    symbol = loop.lane.coins[0]
    order = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "quantity": "10", "price": "0.5"}
    loop.lane.simulator.post("/sim/foreign-order", {**order, "clientOrderId": "msl0001aaaaaaaaaaaaaa00"})
    loop.lane.check_orders()
    assert sorted(text[:2] for text in loop.lane.found.violations) == ["I1", "I3"], loop.lane.found.violations
