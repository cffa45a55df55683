"""Kill the real engine again and again while it trades, and check after every kill that its owner was not hurt.

    python -m tests.crash.kill_loop --kills 100 --database sqlite
    python -m tests.crash.kill_loop --kills 50 --database postgres
    python -m tests.crash.kill_loop --kills 20 --database postgres --victim server   # pg_ctl stop -m immediate

One life: start, compare with the venue, meet the first quote of a listing, enter, take profit. The kill falls a seeded
number of milliseconds after one of the points of `MOMENTS`. The simulator runs at its usual request weight.
"""

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.crash.lane import READY_WITHIN_S, Lane, Nursery
from tests.support.figures import percentile, write_figures
from tests.support.postgres import PostgresServer, database, server_programs, shared_server
from tests.support.simulator import SimulatorProcess

MOMENTS = ("start", "reconciled", "quoted", "posted", "accepted", "profit", "resting")
"""After the process started, was equal with the venue, a first quote came, the venue got the POST, it was accepted, the
price reached the take profit, and nothing happens."""
FRESH_EVERY = 8
"""Every so many lives a new interpreter, whose start is what "ready within ten seconds" is measured on."""
AHEAD = 3
"""Coins listed and not yet quoted: the engine knows them when the quote comes."""


class Loop:
    """One lane killed over and over."""

    def __init__(self, lane: Lane, dice: random.Random, *, crash_server: PostgresServer | None = None) -> None:
        self.lane = lane
        self.moments: Counter[str] = Counter()
        self._dice = dice
        self._server = crash_server
        self._lives = 0
        self._waiting: list[str] = []

    def prepare(self) -> None:
        """Live once, undisturbed but for the end."""
        self.lane.prepare()
        self._list_ahead()
        self.lane.wait_until(lambda: self.lane.knows(self._waiting[0]), within_s=20)
        self.lane.kill()
        self.lane.simulator.delete("/sim/requests")

    def kill_once(self, moment: str | None = None) -> None:
        """Start a life, kill it (or its database) at some moment, and look at what it left."""
        lane, dice = self.lane, self._dice
        moment = moment or dice.choice(MOMENTS)
        self._lives += 1
        life = lane.start(fresh=self._lives % FRESH_EVERY == 0)
        self._reach(moment)
        self.moments[moment] += 1
        if self._server is None:
            lane.kill()
        else:
            self._server.stop(signal.SIGQUIT)  # pg_ctl stop -m immediate
            time.sleep(dice.uniform(0, 1.0))
            self._server.start()
            if lane.alive and moment != "start":
                lane.check_alive()  # it lives on, and nothing it knew is lost
            lane.kill()
        lane.check_dead(began_ns=life.started_ns)
        if self._lives % 40 == 0:
            self.settle()

    def _reach(self, moment: str) -> None:
        lane, dice = self.lane, self._dice
        if moment == "start":
            time.sleep(dice.uniform(0, 0.8))
            return
        lane.check_alive()
        if moment == "reconciled":
            time.sleep(dice.uniform(0, 0.3))
            return
        self._sell_leftovers()
        symbol = self._next_coin()
        before = len(lane.posts())
        lane.quote(symbol, "0.9900", "1.0000")
        if moment == "quoted":
            time.sleep(dice.uniform(0, 0.06))
            return
        lane.wait_until(lambda: len(lane.posts()) > before, within_s=3)
        if moment == "posted":
            time.sleep(dice.uniform(0, 0.02))
            return
        lane.wait_until(lambda: lane.simulator.orders(symbol=symbol), within_s=2)
        if moment == "accepted":
            time.sleep(dice.uniform(0, 0.04))
            return
        if moment == "resting":
            time.sleep(dice.uniform(0.1, 0.5))
            return
        time.sleep(dice.uniform(0, 0.2))
        lane.quote(symbol, "1.0500", "1.0600")
        time.sleep(dice.uniform(0, 0.08))

    def _sell_leftovers(self) -> None:
        """Let what earlier lives hold reach its take profit, so that positions do not pile up."""
        for symbol in self.lane.coins:
            price = 1.05 + self._dice.randrange(100) / 10_000  # a book is told when it changes
            self.lane.quote(symbol, f"{price:.4f}", f"{price + 0.01:.4f}")

    def _next_coin(self) -> str:
        symbol = self._waiting.pop(0)
        self.lane.wait_until(lambda: self.lane.knows(symbol), within_s=10)
        self._list_ahead()
        return symbol

    def _list_ahead(self) -> None:
        while len(self._waiting) < AHEAD:
            self._waiting.append(self.lane.list_coin())

    def settle(self) -> None:
        """Let one life sell everything, and keep the permission to trade."""
        life = self.lane.start(fresh=False)
        self.lane.check_alive()
        self.lane.arm()
        self._sell_all()
        self.lane.kill()
        self.lane.check_dead(began_ns=life.started_ns)

    def _sell_all(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self._sell_leftovers()
            time.sleep(0.3)
            if not self.lane.reader.positions(open_only=True, limit=1)[0]:
                return

    def finish(self) -> None:
        """A last life, everything sold, and both records compared as a whole."""
        self.lane.start(fresh=True)
        self.lane.check_alive()
        self._sell_all()
        time.sleep(1.0)
        self.lane.check_the_end()
        self.lane.kill()


def figures_of(loop: Loop, kills: int, took_s: float) -> dict[str, Any]:
    """What a run is told by."""
    found = loop.lane.found
    return {
        "kills": kills,
        "violations": len(found.violations),
        "orders_at_the_venue": found.orders,
        "order_posts": found.posts,
        "orders_only_the_journal_knew": found.sent_and_unknown_to_ledger,
        "orders_in_doubt_at_the_end": found.in_doubt,
        "ready_p50_s": round(percentile(found.ready_s, 0.5), 2),
        "ready_p99_s": round(percentile(found.ready_s, 0.99), 2),
        "starts_measured": len(found.ready_s),
        "forked_ready_p99_s": round(percentile(found.ready_forked_s, 0.99), 2),
        "equal_with_the_venue_max_s": round(max(found.equal_s, default=0.0), 2),
        "took_s": round(took_s),
        "moments": dict(sorted(loop.moments.items())),
    }


def show(name: str, figures: dict[str, Any], violations: list[str]) -> None:
    """Print the result table."""
    table = Table(title=name)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for key, value in figures.items():
        table.add_row(key.replace("_", " "), str(value))
    console = Console()
    console.print(table)
    for violation in violations:
        console.print(f"[red]{violation}[/red]", highlight=False)


def progress() -> Progress:
    """A bar with what was found."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"), console=Console(stderr=True), refresh_per_second=2,
    )  # fmt: skip


def run(
    kills: int, *, kind: str, victim: str = "engine", seed: int = 1, minutes: float = 600.0, keep: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Run one loop; returns its figures and what was violated. Ends early when ``minutes`` are over."""
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="mxs-kill-"))
    with contextlib.ExitStack() as stack:
        server: PostgresServer | None = None
        url: str | None = None
        if kind == "postgres" and victim == "server":
            programs = server_programs()
            if programs is None:
                raise SystemExit("PostgreSQL's server programs (initdb, postgres) are not installed")
            server = PostgresServer(programs, fsync=True)
            stack.callback(server.remove)
            server.start()
            url = server.url("postgres")
        elif kind == "postgres":
            shared_server()
            url = stack.enter_context(database())
        nursery = Nursery()
        stack.callback(nursery.close)
        simulator = stack.enter_context(SimulatorProcess(symbols=20, seed=seed))
        lane = stack.enter_context(Lane(directory / "data", simulator, database=url, nursery=nursery))
        loop = Loop(lane, random.Random(seed), crash_server=server)
        with progress() as bar:
            task = bar.add_task(f"{victim} kills, {kind}", total=kills, said="")
            loop.prepare()
            done = 0
            while done < kills and time.monotonic() - began < minutes * 60:
                loop.kill_once()
                done += 1
                bar.update(task, completed=done, said=f"{len(lane.found.violations)} violations")
        loop.finish()
        figures = figures_of(loop, done, time.monotonic() - began)
        violations = lane.found.violations
        slow = [took for took in lane.found.ready_s if took > READY_WITHIN_S]
        if percentile(lane.found.ready_s, 0.99) > READY_WITHIN_S:
            violations.append(f"ready: p99 is above {READY_WITHIN_S} s: {slow}")
        figures["violations"] = len(violations)
    if keep is not None or violations:
        print(f"kept: {directory}", file=sys.stderr)  # noqa: T201 - a command's own output
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return figures, violations


def main() -> int:
    """Parse, run, print, write the figures; 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--victim", choices=("engine", "server"), default="engine", help="who is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time with what was done")
    parser.add_argument("--keep", action="store_true", help="keep the data directory")
    chosen = parser.parse_args()
    if chosen.victim == "server" and chosen.database != "postgres":
        parser.error("--victim server needs --database postgres")
    figures, violations = run(
        chosen.kills, kind=chosen.database, victim=chosen.victim, seed=chosen.seed, minutes=chosen.minutes,
        keep=Path() if chosen.keep else None,
    )  # fmt: skip
    figures["seed"] = chosen.seed
    name = f"engine_kills_{chosen.database}" if chosen.victim == "engine" else "engine_server_crashes"
    show(name, figures, violations)
    print(write_figures(name, figures))  # noqa: T201
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
