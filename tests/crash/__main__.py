"""``python -m tests.crash``: everything that is killed, cut and spoiled, at full length.

make crash ARGS="--sqlite 500 --postgres 150 --servers 50 --points 1500 --lanes 4"
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the parts one after the other; 0 when none found a violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sqlite", type=int, default=500, help="kills of an engine on SQLite")
    parser.add_argument("--postgres", type=int, default=150, help="kills of an engine on PostgreSQL")
    parser.add_argument("--servers", type=int, default=50, help="crashes of the PostgreSQL server")
    parser.add_argument("--storage", type=int, default=500, help="kills of a process that only writes")
    parser.add_argument("--points", type=int, default=1_500, help="power cuts, an I/O error and a full disk at each")
    parser.add_argument("--lanes", type=int, default=4, help="engines side by side")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    python, common = [sys.executable, "-m"], ["--lanes", str(chosen.lanes), "--seed", str(chosen.seed)]
    loop = [*python, "tests.crash.kill_loop"]
    parts = [
        [*loop, "--database", "sqlite", "--kills", str(chosen.sqlite), *common],
        [*loop, "--database", "postgres", "--kills", str(chosen.postgres), *common],
        [*loop, "--database", "postgres", "--victim", "server", "--kills", str(chosen.servers), *common],
        [*python, "tests.crash.storage_kills", "--kills", str(chosen.storage), "--seed", str(chosen.seed)],
        [*python, "tests.crash.storage_kills", "--kills", str(chosen.storage // 3), "--database", "postgres"],
        [*python, "tests.crash.power_sweep", "--points", str(chosen.points), "--seed", str(chosen.seed)],
        [*python, "pytest", "-q", "tests/crash", "-p", "no:cacheprovider"],
    ]
    path = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    codes = [
        subprocess.call(part, cwd=ROOT, env={**os.environ, "PYTHONPATH": path, "CRASH_FULL": "1"}) for part in parts
    ]
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main())
