"""Measures branch coverage and holds it to its bars: ``make coverage`` (ARGS: paths of tests instead of all but e2e).

Processes that tests start are measured too: a ``.pth`` file in the environment's site-packages starts coverage in each
of them while ``COVERAGE_PROCESS_START`` is set, and is inert otherwise.
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "artifacts" / "coverage"
MONEY_BAR, PROJECT_BAR = 95.0, 85.0
MONEY: dict[str, tuple[str, ...]] = {
    "order table": ("model/order.py", "policy/order_table.py"),
    "risk": ("policy/risk.py", "policy/checks.py", "policy/sizing.py", "policy/reference.py"),
    "precision": ("core/precision.py",),
    "ids": ("core/ids.py",),
    "dispatch": ("runtime/dispatch.py", "runtime/desk.py", "runtime/throttle.py"),
    "reconcile": ("engine/reconcile.py",),
    "faults": ("venues/mexc/faults.py",),
}
"""What handles money, by the words of the plan, and the files of it under ``src/mexc_sniper``."""
TESTS = (
    "unit", "property", "scenario", "runtime", "contract", "paper", "venue", "journal", "ledger", "web", "app", "sim",
    "trading", "crash", "test_architecture.py",
)  # fmt: skip
HOOK = "mexc_sniper_coverage.pth"


def main() -> int:
    """Run tests under coverage, print the figures; 1 when a test fails or a bar is missed."""
    DATA.mkdir(parents=True, exist_ok=True)
    for old in DATA.glob(".coverage*"):
        old.unlink()
    chosen = sys.argv[1:] or [f"tests/{name}" for name in TESTS]
    hook = Path(sysconfig.get_path("purelib")) / HOOK
    hook.write_text("import coverage; coverage.process_startup()\n", encoding="utf-8")
    environment = {
        **os.environ, "COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(DATA / ".coverage"),
    }  # fmt: skip
    try:
        ran = _run(["-m", "pytest", "-q", *chosen], environment)
    finally:
        hook.unlink(missing_ok=True)
    _run(["-m", "coverage", "combine", "--quiet", str(DATA)], environment)
    report = DATA / "coverage.json"
    _run(["-m", "coverage", "json", "--quiet", "-o", str(report)], environment)
    missed = show(json.loads(report.read_text(encoding="utf-8")))
    return 1 if ran or missed else 0


def show(report: dict[str, object]) -> int:
    """Print each bar with what was reached; returns how many were missed."""
    files = {str(Path(name).as_posix()): found["summary"] for name, found in report["files"].items()}  # type: ignore[attr-defined]
    missed = 0
    for name, wanted in MONEY.items():
        for path in wanted:
            summary = next((s for file, s in files.items() if file.endswith(f"src/mexc_sniper/{path}")), None)
            missed += _line(f"{name}: {path}", None if summary is None else branches(summary), MONEY_BAR)
    missed += _line("the project, branches", branches(report["totals"]), PROJECT_BAR)  # type: ignore[arg-type]
    covered = report["totals"]["percent_covered"]  # type: ignore[index]
    sys.stdout.write(f"      the project, lines and branches together: {covered:.1f} %\n")
    return missed


def branches(summary: dict[str, int]) -> float:
    """Return the share of branches taken, in percent; a file without any counts by its lines."""
    if summary["num_branches"]:
        return 100 * summary["covered_branches"] / summary["num_branches"]
    return 100 * summary["covered_lines"] / max(1, summary["num_statements"])


def _line(what: str, reached: float | None, bar: float) -> bool:
    short = reached is None or reached < bar
    figure = "not measured" if reached is None else f"{reached:.1f} %"
    sys.stdout.write(f"{'MISS' if short else 'ok  '}  {what}: {figure} (bar {bar:g} %)\n")
    return short


def _run(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
