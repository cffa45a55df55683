"""Many seeds at once: both cores, hits per fault kind, and a failing seed kept as a file."""

import gc
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.faults import KINDS
from tests.simulation.plan import Plan, draw, kept, read
from tests.simulation.world import Outcome, simulate

CHUNK = 20
ENOUGH_HITS = 100
"""Of every kind in a full sweep; a fault that never strikes proves nothing."""
FULL = 20_000


@dataclass
class Sweep:
    """What came of many seeds."""

    seeds: int = 0
    kept: int = 0
    failed: list[tuple[Plan, str]] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    entries: int = 0
    lives: int = 0
    virtual_s: float = 0.0
    slowest_s: float = 0.0
    """Longest time from the last fault to equality."""
    began: float = field(default_factory=time.monotonic)
    took_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.seeds += 1
        self.hits += outcome.hits
        self.orders += outcome.orders
        self.entries += outcome.entries
        self.lives += outcome.lives
        self.virtual_s += outcome.virtual_s
        self.slowest_s = max(self.slowest_s, outcome.converged_s)
        self.took_s = time.monotonic() - self.began
        if outcome.violation:
            self.failed.append((outcome.plan, outcome.violation))

    @property
    def per_second(self) -> float:
        return self.seeds / max(self.took_s, 1e-9)

    def scarce(self) -> list[str]:
        """Kinds that struck too rarely for so many seeds."""
        bar = min(ENOUGH_HITS, self.seeds * ENOUGH_HITS // FULL)
        return [f"{kind} ({self.hits[kind]})" for kind in KINDS if self.hits[kind] < bar]


def _play(chunk: tuple[Plan, ...] | range) -> list[Outcome]:
    gc.disable()
    outcomes = [simulate(plan if isinstance(plan, Plan) else draw(plan)) for plan in chunk]
    gc.collect()
    return outcomes


def _chunks(seeds: range) -> Iterator[range]:
    for at in range(0, len(seeds), CHUNK):
        yield seeds[at : at + CHUNK]


def sweep(
    seeds: range, *, processes: int | None = None, heard: Callable[[Sweep], None] | None = None, keep: bool = True
) -> Sweep:
    """Play the kept plans first, then ``seeds``; ``heard`` is told the state after every few."""
    done = Sweep()
    files: list[Path] = kept() if keep else []
    work: list[tuple[Plan, ...] | range] = [(read(path),) for path in files]
    done.kept = len(files)
    work += _chunks(seeds)
    for outcomes in _spread(work, processes or os.cpu_count() or 1):
        for outcome in outcomes:
            done.add(outcome)
        if heard is not None:
            heard(done)
    return done


def _spread(work: Iterable[tuple[Plan, ...] | range], processes: int) -> Iterator[list[Outcome]]:
    if processes == 1:
        yield from map(_play, work)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_play, work)
