"""``python -m tests.simulation.traces FIRST LAST``: the trace hash of each seed, for comparing interpreters."""

import sys

from tests.simulation.plan import draw
from tests.simulation.world import simulate

if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        outcome = simulate(draw(seed))
        print(seed, outcome.trace, outcome.orders, outcome.violation)  # noqa: T201
