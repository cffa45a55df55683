"""Seeds that failed once, a slice of fresh ones, the same run from the same seed, and bugs that must be found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.faults import KINDS
from tests.simulation.plan import Plan, draw, kept, read
from tests.simulation.planted.bugs import BUGS
from tests.simulation.planted.search import WITHIN, find_all
from tests.simulation.sweep import Sweep, sweep
from tests.simulation.world import Outcome, simulate

ROOT = Path(__file__).resolve().parent.parent.parent
SLICE = int(os.environ.get("SIMULATION_SEEDS", "2000"))
CALM = 3
"""A seed in which nothing goes wrong and one coin is traded from its first quote to its last coin."""


@pytest.mark.parametrize("path", kept(), ids=lambda path: path.stem)
def test_a_seed_that_failed_once_fails_no_more(path: Path):
    outcome = simulate(read(path))
    assert not outcome.violation, f"{outcome.violation}\n{outcome.plan}"


def test_one_listing_is_traded_live_from_its_first_quote_to_the_end():
    plan = draw(CALM)
    calm = Plan(
        seed=CALM,
        listings=(type(plan.listings[0])(base="SIMA", opens_s=6.0, path=(1.06, 1.05, 1.05, 1.05)),),
        strikes=(),
    )
    outcome = simulate(calm, told=True)
    assert not outcome.violation
    told = "\n".join(outcome.story)
    assert outcome.entries == 1, told
    assert outcome.orders >= 3, told  # the entry and the exits of its ladder
    assert "POST BUY" in told
    assert "POST SELL" in told


def test_the_same_seed_gives_the_same_run_whatever_the_hash_seed():
    command = [sys.executable, "-m", "tests.simulation.traces", "0", "30"]
    path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    running = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "4711")
    ]
    traces = [process.communicate(timeout=110)[0] for process in running]
    assert len(traces[0].splitlines()) == 30
    assert traces[0] == traces[1] == traces[2]


def test_other_seeds_give_other_runs():
    traces = {simulate(draw(seed)).trace for seed in range(6)}
    assert len(traces) == 6


def test_a_kind_that_never_strikes_fails_a_sweep():
    done = Sweep(seeds=20_000)
    done.hits.update(dict.fromkeys(KINDS, 100))
    assert done.scarce() == []
    done.hits["die"] = 99
    assert done.scarce() == ["die (99)"]


@pytest.mark.timeout(900)
def test_a_slice_of_seeds_keeps_every_promise(capsys: pytest.CaptureFixture[str]):
    done = sweep(range(SLICE), keep=False)
    with capsys.disabled():
        sys.stdout.write(f"\n{done.seeds} seeds, {done.per_second:.1f}/s, {done.orders} orders, {done.lives} lives\n")
    _told(done)
    assert len(KINDS) >= 30
    assert done.scarce() == []


def _told(done: Sweep) -> None:
    lines = [f"seed {plan.seed}: {why}\n  {plan}" for plan, why in done.failed[:5]]
    assert not done.failed, (
        f"{len(done.failed)} of {done.seeds} seeds failed; python -m tests.simulation --play SEED\n"
        + ("\n".join(lines))
    )


@pytest.mark.timeout(1200)
def test_every_planted_bug_is_found(capsys: pytest.CaptureFixture[str]):
    """A simulation that finds nothing is suspect (RELIABILITY 0.9)."""
    assert len(BUGS) >= 20
    found = {name: (seed, why) for name, seed, why in find_all(list(BUGS))}
    with capsys.disabled():
        for name, (seed, why) in sorted(found.items()):
            sys.stdout.write(f"\n  {name:30} seed {seed}: {why[:80]}")
    missed = [name for name, (seed, _) in found.items() if seed is None]
    assert not missed, f"not found within {WITHIN} seeds: {missed}"


def test_a_bug_that_is_taken_out_again_is_gone():
    outcomes: list[Outcome] = [simulate(draw(seed)) for seed in (18, 0)]
    assert [outcome.violation for outcome in outcomes] == ["", ""]
