"""Kill a process that only writes the ledger and the journal, thousands of times: what it said is written is there.

    python -m tests.crash.storage_kills --kills 500 --database sqlite

The storage alone, without engine and venue: a life costs a tenth of a second, so that many moments inside a commit and
inside a record are met. `tests.crash.kill_loop` kills the whole engine.
"""

import argparse
import asyncio
import contextlib
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from mexc_sniper.ledger import LedgerWriter, locate, migrations
from mexc_sniper.runtime.clock import LoopClock
from tests.crash.kill_loop import progress, show
from tests.journal import writing_process as journal_process
from tests.journal.builders import ids, look
from tests.journal.writing_process import ROOMY
from tests.ledger import writing_process as ledger_process
from tests.ledger.test_crash import check_ledger, learn_baseline
from tests.simulation.figures import record
from tests.support.postgres import database, shared_server

FRESH_AFTER = 40
"""Kills after which a new, empty ledger is begun: looking through a large one would take longer than the kill."""


def killed(work: Callable[[], Coroutine[Any, Any, None]], arguments: list[str], after_s: float) -> list[str]:
    """Run a writing process, kill it so long after its first word; returns the whole lines it said."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w")
        sys.argv = ["writing_process", *arguments]
        try:
            asyncio.run(work())
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    try:
        if select.select([reading], [], [], 60)[0]:
            said = os.read(reading, 65_536)
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
        while piece := os.read(reading, 65_536):
            said += piece
    finally:
        os.close(reading)
        os.waitpid(pid, 0)
    assert said, "the process ended by itself"
    return [line.decode() for line in said.splitlines(keepends=True) if line.endswith(b"\n")]


class LedgerKills:
    """A ledger written, killed and looked through, begun anew now and then."""

    def __init__(self, home: Path, kind: str, stack: contextlib.ExitStack) -> None:
        self._home, self._kind, self._stack = home, kind, stack
        self._number = 0
        self._arguments: list[str] = []

    def kill(self, dice: random.Random) -> int:
        """One kill; returns how many rows were acknowledged and are there."""
        if self._number % FRESH_AFTER == 0:
            self._begin()
        self._number += 1
        lines = killed(ledger_process.main, self._arguments, dice.uniform(0, 0.06))
        acknowledged = max(int(line) for line in lines)
        check_ledger(self._location, at_least=acknowledged)
        return acknowledged

    def _begin(self) -> None:
        directory = self._home / f"ledger-{self._number}"
        directory.mkdir()
        url = self._stack.enter_context(database()) if self._kind == "postgres" else None
        self._location = locate(url, directory)
        self._arguments = [str(directory), *([] if url is None else [url])]
        migrations.upgrade(self._location)

        async def learn() -> None:
            writer = LedgerWriter(self._location, LoopClock())
            writer.start()
            await learn_baseline(writer)
            await writer.aclose()

        asyncio.run(learn())


class JournalKills:
    """A journal written and killed; what it holds is remembered over all lives."""

    def __init__(self, home: Path) -> None:
        self._home = home / "journal"
        self._written: set[str] = set()
        self._epoch = 0

    def kill(self, dice: random.Random) -> int:
        """One kill; returns how many intents are known to be there."""
        lines = [line.strip() for line in killed(journal_process.main, [str(self._home)], dice.uniform(0, 0.06))]
        epoch = int(lines[0].split()[1])
        assert epoch > self._epoch, "an epoch came twice"
        self._epoch = epoch
        settled = {line.split()[0] for line in lines[1:] if line.endswith(" settled")}
        self._written |= {line for line in lines[1:] if " " not in line}
        found = look(self._home, ROOMY)
        self._written -= settled - ids(found)
        assert self._written <= ids(found), "an intent that was written is gone"
        assert not found.damage
        self._written -= settled
        return len(self._written)


def main() -> int:
    """Kill, print, write the figures; 1 when anything was missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="of the ledger, and as many of the journal on SQLite")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time with what was done")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    dice = random.Random(chosen.seed)
    wrong: list[str] = []
    done = {"ledger": 0, "journal": 0}
    rows = 0
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="mxs-storage-"))
    with contextlib.ExitStack() as stack:
        if chosen.database == "postgres":
            shared_server()
        parts: dict[str, Any] = {"ledger": LedgerKills(home, chosen.database, stack)}
        if chosen.database == "sqlite":
            parts["journal"] = JournalKills(home)
        bar = stack.enter_context(progress())
        task = bar.add_task(f"storage kills, {chosen.database}", total=chosen.kills * len(parts), said="")
        for _ in range(chosen.kills):
            if time.monotonic() > began + chosen.minutes * 60:
                break
            for name, part in parts.items():
                try:
                    rows += part.kill(dice)
                except AssertionError as error:
                    wrong.append(f"{name}, kill {done[name]}: {error}")
                done[name] += 1
                bar.update(task, completed=sum(done.values()), said=f"{len(wrong)} wrong")
    shutil.rmtree(home, ignore_errors=True)
    figures = {
        "ledger_kills": done["ledger"],
        "journal_kills": done["journal"],
        "acknowledged_rows_checked": rows,
        "violations": len(wrong),
        "seed": chosen.seed,
        "took_s": round(time.monotonic() - began),
    }
    show(f"storage_kills_{chosen.database}", figures, wrong)
    sys.stdout.write(f"{record(f'storage_kills_{chosen.database}', figures)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
