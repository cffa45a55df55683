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
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mexc_sniper.venues.mexc.budget import WEIGHT_WINDOW_S
from tests.crash.lane import READY_WITHIN_S, Lane, Nursery
from tests.simulation.figures import record
from tests.support.figures import percentile
from tests.support.postgres import PostgresServer, database, server_programs, shared_server
from tests.support.simulator import SimulatorProcess

MOMENTS = ("start", "reconciled", "quoted", "posted", "accepted", "profit", "resting")
"""After the process started, was equal with the venue, a first quote came, the venue got the POST, it was accepted, the
price reached the take profit, and nothing happens."""
FRESH_EVERY = 8
"""Every so many lives a new interpreter, whose start is what "ready within ten seconds" is measured on."""
AHEAD = 24
"""Coins listed and not yet quoted: the engine knows them when the quote comes."""


class Loop:
    """One lane killed over and over."""

    def __init__(self, lane: Lane, dice: random.Random, *, crash_server: PostgresServer | None = None) -> None:
        self.lane = lane
        self.moments: Counter[str] = Counter()
        self._dice = dice
        self._server = crash_server
        self._lives = 0
        self.kills = 0
        self._waiting: list[str] = []

    def prepare(self) -> None:
        """Live once, undisturbed but for the end."""
        self.lane.prepare()
        self._stock_up()
        self.lane.kill()
        self.lane.simulator.delete("/sim/requests")
        self.lane.found.ready_s.clear()  # the very first start, with an empty ledger, is another question

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
            back_ns = time.time_ns()
            if lane.alive and moment != "start":
                lane.check_alive(since_ns=back_ns)  # it lives on, and nothing it knew is lost
            lane.kill()
        lane.check_dead(began_ns=life.started_ns)
        self.kills += 1
        if len(self._waiting) <= 1:
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
        lane.wait_rules()
        symbol = self._next_coin()
        if symbol is None:
            self.moments["no coin"] += 1
            return
        before = len(lane.posts())
        lane.quote(symbol, "0.9900", "1.0000")
        if moment == "quoted":
            time.sleep(dice.uniform(0, 0.06))
            return
        lane.wait_until(lambda: len(lane.posts()) > before, within_s=1.5)
        if moment == "posted":
            time.sleep(dice.uniform(0, 0.02))
            return
        lane.wait_until(lambda: lane.simulator.orders(symbol=symbol), within_s=1)
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

    def _next_coin(self) -> str | None:
        """A coin that will be entered at its first quote."""
        ready = [symbol for symbol in self.lane.coins_like("pending") if symbol in self._waiting]
        if not ready:
            return None
        self._waiting.remove(ready[0])
        return ready[0]

    def _stock_up(self) -> None:
        """List coins while an engine watches that has room for requests: one that is seen late is not entered."""
        time.sleep(WEIGHT_WINDOW_S)
        self._waiting = [self.lane.list_coin() for _ in range(AHEAD)]
        self.lane.wait_until(lambda: set(self._waiting) <= set(self.lane.coins_like("pending")), within_s=30)

    def settle(self) -> None:
        """Let one life sell everything, prolong the permission to trade, and see the next coins."""
        life = self.lane.start(fresh=False)
        self.lane.check_alive()
        self.lane.arm()
        self._sell_all()
        self._stock_up()
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
        life = self.lane.start(fresh=True)
        self.lane.check_alive()
        self._sell_all()
        time.sleep(1.0)
        self.lane.check_the_end()
        self.lane.kill()
        self.lane.check_dead(began_ns=life.started_ns)


def figures_of(loops: list[Loop], took_s: float) -> dict[str, Any]:
    """What a run is told by."""
    found = [loop.lane.found for loop in loops]
    moments: Counter[str] = Counter()
    for loop in loops:
        moments += loop.moments
    ready = [took for one in found for took in one.ready_s]
    return {
        "kills": sum(loop.kills for loop in loops),
        "violations": sum(len(one.violations) for one in found),
        "orphan_orders": sum(text.startswith("I3") for one in found for text in one.violations),
        "duplicate_orders": sum(text.startswith("I1") for one in found for text in one.violations),
        "orders_at_the_venue": sum(one.orders for one in found),
        "order_posts": sum(one.posts for one in found),
        "orders_only_the_journal_knew": sum(one.sent_and_unknown_to_ledger for one in found),
        "orders_in_doubt_at_the_end": sum(one.in_doubt for one in found),
        "starts_measured": len(ready),
        "ready_p50_s": round(percentile(ready, 0.5), 2),
        "ready_p99_s": round(percentile(ready, 0.99), 2),
        "forked_ready_p99_s": round(percentile([took for one in found for took in one.ready_forked_s], 0.99), 2),
        "equal_with_the_venue_max_s": round(max((took for one in found for took in one.equal_s), default=0.0), 2),
        "moments": dict(sorted(moments.items())),
        "took_s": round(took_s),
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


class Run:
    """Several lanes side by side, each with a simulator, a data directory and a database of its own: most of a life is
    waiting, at the usual request weight for the venue's budget."""

    def __init__(
        self, kills: int, *, kind: str, victim: str = "engine", seed: int = 1, lanes: int = 1, minutes: float = 600.0,
        ip_weight: int | None = None,
    ) -> None:  # fmt: skip
        self._kind, self._victim, self._seed = kind, victim, seed
        self._ip_weight = ip_weight
        self._until = time.monotonic() + minutes * 60
        self._wanted = kills
        self._lock = threading.Lock()
        self._lanes = lanes
        self.loops: list[Loop] = []
        self.broken: list[str] = []
        self.directory = Path(tempfile.mkdtemp(prefix="mxs-kill-"))
        self.directory.chmod(0o755)

    def run(self) -> tuple[dict[str, Any], list[str]]:
        """Kill until enough were killed or the time is over; returns the figures and what was violated."""
        began = time.monotonic()
        if self._kind == "postgres" and self._victim == "engine":
            shared_server()
        with progress() as bar, ThreadPoolExecutor(self._lanes) as pool:
            self._bar = bar
            self._task = bar.add_task(f"{self._victim} kills, {self._kind}", total=self._wanted, said="")
            for lane in [pool.submit(self._lane, number) for number in range(self._lanes)]:
                if (error := lane.exception()) is not None:
                    self.broken.append(f"a lane ended early: {type(error).__name__}: {str(error)[:300]}")
        figures = figures_of(self.loops, time.monotonic() - began)
        violations = [text for loop in self.loops for text in loop.lane.found.violations] + self.broken
        ready = [took for loop in self.loops for took in loop.lane.found.ready_s]
        if percentile(ready, 0.99) > READY_WITHIN_S:
            violations.append(f"ready: p99 is {percentile(ready, 0.99):.1f} s, above {READY_WITHIN_S:g} s")
        figures |= {"violations": len(violations), "lanes": self._lanes, "seed": self._seed}
        return figures, violations

    def _next(self) -> bool:
        with self._lock:
            done = sum(loop.kills for loop in self.loops)
            found = sum(len(loop.lane.found.violations) for loop in self.loops)
            self._bar.update(self._task, completed=done, said=f"{found} violations")
            return done < self._wanted and time.monotonic() < self._until

    def _lane(self, number: int) -> None:
        seed = self._seed * 1000 + number
        with contextlib.ExitStack() as stack:
            server: PostgresServer | None = None
            url: str | None = None
            if self._victim == "server":
                programs = server_programs()
                if programs is None:
                    raise SystemExit("PostgreSQL's server programs (initdb, postgres) are not installed")
                server = PostgresServer(programs, fsync=True)
                stack.callback(server.remove)
                server.start()
                url = server.url("postgres")
            elif self._kind == "postgres":
                url = stack.enter_context(database())
            nursery = Nursery()
            stack.callback(nursery.close)
            simulator = stack.enter_context(SimulatorProcess(symbols=20, seed=seed, ip_weight=self._ip_weight))
            lane = stack.enter_context(Lane(self.directory / f"{number}", simulator, database=url, nursery=nursery))
            loop = Loop(lane, random.Random(seed), crash_server=server)
            loop.prepare()
            self.loops.append(loop)
            while self._next():
                loop.kill_once()
            loop.finish()


def main() -> int:
    """Parse, run, print, write the figures; 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--victim", choices=("engine", "server"), default="engine", help="who is killed")
    parser.add_argument("--lanes", type=int, default=3, help="engines side by side, each with a venue of its own")
    parser.add_argument("--ip-weight", type=int, help="request weight of the venue; default: the usual one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time with what was done")
    parser.add_argument("--keep", action="store_true", help="keep the data directory")
    chosen = parser.parse_args()
    if chosen.victim == "server" and chosen.database != "postgres":
        parser.error("--victim server needs --database postgres")
    run = Run(
        chosen.kills, kind=chosen.database, victim=chosen.victim, seed=chosen.seed, minutes=chosen.minutes,
        lanes=chosen.lanes, ip_weight=chosen.ip_weight,
    )  # fmt: skip
    figures, violations = run.run()
    figures["request_weight"] = chosen.ip_weight or "usual"
    if chosen.keep or violations:
        print(f"kept: {run.directory}", file=sys.stderr)  # noqa: T201 - a command's own output
    else:
        shutil.rmtree(run.directory, ignore_errors=True)
    name = f"engine_kills_{chosen.database}" if chosen.victim == "engine" else "engine_server_crashes"
    show(name, figures, violations)
    print(record(name, figures))  # noqa: T201
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
