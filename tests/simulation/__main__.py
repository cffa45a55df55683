"""``python -m tests.simulation``: sweep many seeds, or play one and tell its story."""

import argparse
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.simulation import figures
from tests.simulation.plan import draw, write
from tests.simulation.sweep import ENOUGH_HITS, FULL, Sweep, sweep
from tests.simulation.world import simulate


def main(arguments: list[str]) -> int:
    """Returns 0 when no seed failed and every fault kind struck often enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--processes", type=int, default=None, help="default: one per core")
    parser.add_argument("--play", type=int, default=None, metavar="SEED", help="play one seed and tell its story")
    parser.add_argument("--record", action="store_true", help="write docs/figures/simulation.json and the document")
    chosen = parser.parse_args(arguments)
    console = Console()
    if chosen.play is not None:
        return _tell(chosen.play, console)
    done = _run(range(chosen.first, chosen.first + chosen.seeds), chosen.processes, console)
    _report(done, console)
    if chosen.record:
        figures.record("simulation", figures.of_sweep(done, first=chosen.first))
    for plan, why in done.failed:
        path = write(plan, why=why)
        console.print(f"[red]seed {plan.seed}: {why}[/red]\n  kept as {path}\n  {plan}", markup=True, highlight=False)
    scarce = done.scarce()
    if scarce:
        console.print(f"[red]struck too rarely: {', '.join(scarce)}[/red]")
    return 1 if done.failed or scarce else 0


def _run(seeds: range, processes: int | None, console: Console) -> Sweep:
    columns = (
        TextColumn("Simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.1f} seeds/s"),
        TextColumn("[red]{task.fields[failed]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("seeds", total=len(seeds), rate=0.0, failed="")
        began = time.monotonic()

        def heard(state: Sweep) -> None:
            played = state.seeds - state.kept
            rate = state.seeds / max(0.001, time.monotonic() - began)
            failed = f"{len(state.failed)} failed" if state.failed else ""
            bar.update(task, completed=max(0, played), rate=rate, failed=failed)

        return sweep(seeds, processes=processes, heard=heard)


def _report(done: Sweep, console: Console) -> None:
    table = Table(title="Hits per fault kind", title_justify="left")
    for _ in range(3):
        table.add_column("kind")
        table.add_column("hits", justify="right")
    pairs = sorted(done.hits.items(), key=lambda pair: -pair[1])
    for row in range(0, len(pairs), 3):
        cells = [text for kind, hits in pairs[row : row + 3] for text in (kind, f"{hits}")]
        table.add_row(*cells)
    console.print(table)
    console.print(
        f"{done.seeds} seeds ({done.kept} of them kept) in {done.took_s:.0f} s: {done.per_second:.1f} seeds/s, "
        f"{done.virtual_s / 3600:.1f} virtual hours, {done.lives} lives, {done.orders} orders, {done.entries} entries; "
        f"equal to the venue at the latest {done.slowest_s:.0f} s after the last fault; "
        f"{len(done.hits)} fault kinds, each at least {ENOUGH_HITS} times in {FULL} seeds; {len(done.failed)} failed"
    )


def _tell(seed: int, console: Console) -> int:
    outcome = simulate(draw(seed), told=True)
    console.print("\n".join(outcome.story), highlight=False, markup=False)
    console.print(outcome.plan, highlight=False)
    console.print(f"{outcome.violation or 'no violation'}; trace {outcome.trace}", markup=False)
    return 1 if outcome.violation else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
