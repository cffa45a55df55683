"""kill -9 of a real process: every intent whose `write` had returned is there, and the epoch never comes again."""

import os
import random
import subprocess
import sys
from pathlib import Path
from time import sleep

from tests.journal.builders import ids, look
from tests.journal.writing_process import ROOMY

ROOT = Path(__file__).parents[2]
KILLS = 12


def test_process_killed_at_any_moment_keeps_every_intent_it_wrote(tmp_path: Path) -> None:
    dice = random.Random(3)
    written: set[str] = set()
    epochs: list[int] = []
    for _ in range(KILLS):
        lines = run_and_kill(tmp_path / "journal", dice.uniform(0, 0.08))
        epochs.append(int(lines[0].split()[1]))
        settled = {line.split()[0] for line in lines[1:] if line.endswith(" settled")}
        written |= {line for line in lines[1:] if " " not in line}
        found = look(tmp_path / "journal", ROOMY)
        written -= settled - ids(found)  # a settled one may be gone with its file
        assert written <= ids(found)
        assert all(place.tail for place in found.damage)  # the record being stored as the kill fell, never an older one
        assert not found.clean
        assert found.epoch == epochs[-1]
        assert [suspect.epoch for suspect in found.suspect][-1] == epochs[-1]
        written -= settled  # and may be gone at the next start
    assert epochs == list(range(1, KILLS + 1))
    assert len(written) > KILLS


def run_and_kill(directory: Path, after_s: float) -> list[str]:
    """Return the whole lines the process printed before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journal.writing_process", str(directory)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, "the process ended by itself"
    sleep(after_s)
    process.kill()
    rest = process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    return [line.decode().strip() for line in (first, *rest) if line.endswith(b"\n")]
