"""``python -m tests.fuzz``: the decoders, readers and settings with many cases, then the web API.

make fuzz ARGS="--examples 2000 --cases 10000"
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz import api
from tests.simulation.figures import record

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run both; 0 when nothing was uncaught and no call was answered wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000, help="cases of each decoder and reader")
    parser.add_argument("--cases", type=int, default=10_000, help="API calls")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.monotonic()
    folders = ["tests/fuzz/test_decoders.py", "tests/fuzz/test_settings.py", "tests/venue/test_fuzz.py"]
    pytest = [sys.executable, "-m", "pytest", *folders, "--timeout=3600", "-p", "no:cacheprovider", "-v"]
    counted = subprocess.run(
        [*pytest[:-1], "-q", "--collect-only"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    fuzzed = sum("test_decoders.py::" in line or "test_settings.py::" in line for line in counted.stdout.splitlines())
    code = subprocess.call(
        [*pytest, f"--hypothesis-seed={chosen.seed}"],
        cwd=ROOT,
        env={**os.environ, "FUZZ_EXAMPLES": str(chosen.examples)},
    )
    path = record(
        "decoder_fuzz",
        {
            "readers": fuzzed,
            "examples_of_each": chosen.examples,
            "cases": fuzzed * chosen.examples,
            "uncaught": 0 if code == 0 else "see the run",
            "seed": chosen.seed,
            "took_s": round(time.monotonic() - began),
        },
    )
    sys.stdout.write(f"{path}\n")
    sys.argv = ["tests.fuzz.api", "--cases", str(chosen.cases), "--seed", str(chosen.seed)]
    return code or api.main()


if __name__ == "__main__":
    raise SystemExit(main())
