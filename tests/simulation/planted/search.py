"""Looks for planted bugs, one at a time in each process."""

import gc
import multiprocessing
import os
from collections.abc import Iterator, Sequence

from tests.simulation.plan import draw
from tests.simulation.planted.bugs import planted
from tests.simulation.world import simulate

WITHIN = 500
"""Seeds in which every bug must be found."""

Found = tuple[str, int | None, str]
"""Bug, seed, violation."""


def find(name: str) -> Found:
    """Play seeds with a bug until one fails."""
    with planted(name):
        for seed in range(WITHIN):
            violation = simulate(draw(seed)).violation
            if violation:
                return name, seed, violation
            if seed % 50 == 49:
                gc.collect()
    return name, None, ""


def find_all(names: Sequence[str], *, processes: int | None = None) -> Iterator[Found]:
    """Plant several bugs, one at a time in each process; in the order in which they are found."""
    with multiprocessing.get_context("spawn").Pool(processes or os.cpu_count() or 1) as pool:
        yield from pool.imap_unordered(find, names)
