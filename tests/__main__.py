"""``python -m tests``: the whole suite in two sessions side by side, as ``make test`` runs it.

The tests of `tests/trading` and `tests/crash` start the real program and mostly wait for it; beside the others they
cost no time. Their output is shown when they are done. Any argument goes to one ordinary pytest session instead.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WAITING = ("tests/trading", "tests/crash")


def main(arguments: list[str]) -> int:
    """Run the suite; returns 0 when every session passed."""
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        return subprocess.call([*pytest, *arguments], cwd=ROOT)
    with tempfile.TemporaryFile("w+") as said:
        beside = subprocess.Popen(
            [*pytest, *WAITING, "-p", "no:cacheprovider", "--durations=5"], cwd=ROOT, stdout=said, stderr=said
        )
        try:
            ignored = [f"--ignore={folder}" for folder in WAITING]
            first = subprocess.call([*pytest, *ignored, "--durations=15"], cwd=ROOT)
            second = beside.wait()
        finally:
            if beside.poll() is None:
                beside.terminate()
                beside.wait()
        said.seek(0)
        sys.stdout.write(f"\n{' and '.join(WAITING)}, run beside the others:\n{said.read()}")
        sys.stdout.flush()
    return first or second


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
