"""Looks for planted bugs, one at a time in each process."""

import gc
import multiprocessing
import os
from collections.abc import Iterator, Sequence

from tests.simulation.plan import draw
from tests.simulation.planted.bugs import planted
from tests.simulation.planted.where import order
from tests.simulation.world import simulate

WITHIN = 500
"""Seeds in which every bug must be found."""

Found = tuple[str, int | None, str]
"""Bug, seed, violation."""


def find(name: str) -> Found:
    """Play the first seeds with a bug until one fails, the likely ones first."""
    plans = order(name, [draw(seed) for seed in range(WITHIN)])
    with planted(name):
        for played, plan in enumerate(plans):
            violation = simulate(plan).violation
            if violation:
                return name, plan.seed, violation
            if played % 50 == 49:
                gc.collect()
    return name, None, ""


def find_all(names: Sequence[str], *, processes: int | None = None) -> Iterator[Found]:
    """Plant several bugs, one at a time in each process; in the order in which they are found."""
    with multiprocessing.get_context("spawn").Pool(processes or os.cpu_count() or 1) as pool:
        yield from pool.imap_unordered(find, names)
