"""``python -m tests.simulation.planted``: plant every bug, one at a time, and say at which seed it was found."""

import sys

from rich.console import Console

from tests.simulation import figures
from tests.simulation.planted.bugs import BUGS
from tests.simulation.planted.search import find_all


def main(arguments: list[str]) -> int:
    """Returns 0 when every bug was found."""
    console = Console()
    found: dict[str, tuple[int | None, str]] = {}
    for name, seed, why in find_all([name for name in arguments if name in BUGS] or list(BUGS)):
        found[name] = (seed, why)
        place = "[red]NOT FOUND[/red]" if seed is None else f"seed {seed}"
        console.print(f"{name:32} {place:12} {why[:110]}", highlight=False)
    if not [name for name in arguments if name in BUGS]:
        seeds = [seed for seed, _ in found.values() if seed is not None]
        figures.record(
            "planted",
            {
                "bugs": len(BUGS),
                "found": len(seeds),
                "latest_seed": max(seeds, default=0),
                "where": {name: found[name] for name in BUGS},
            },
        )
    return 0 if all(seed is not None for seed, _ in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
