"""Figures of full runs, and ``docs/reliability.md`` made of them. A figure that was not run says so.

A figures file is ``docs/figures/<name>.json``: ``{"name", "commit", "date", "machine", "figures": {key: value}}``.
Whoever runs something worth quoting writes one with `record`; the document shows what `ROWS` asks for.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import json

from tests.simulation.faults import KINDS
from tests.simulation.sweep import ENOUGH_HITS, Sweep
from tests.support.figures import write_figures

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "figures"
DOCUMENT = ROOT / "docs" / "reliability.md"
NOT_RUN = "not run"


def record(name: str, figures: Mapping[str, Any]) -> Path:
    """Write the figures of a run that has just ended, and the document anew."""
    path = write_figures(name, dict(figures))
    write_document()
    return path


def of_sweep(done: Sweep, *, first: int) -> dict[str, Any]:
    """What a sweep has to say."""
    lowest = min(KINDS, key=lambda kind: done.hits[kind])
    return {
        "seeds": done.seeds,
        "first_seed": first,
        "kept_seeds": done.kept,
        "failed": len(done.failed),
        "failed_seeds": [plan.seed for plan, _ in done.failed][:50],
        "seconds": round(done.took_s),
        "seeds_per_second": round(done.per_second, 1),
        "virtual_hours": round(done.virtual_s / 3600, 1),
        "lives": done.lives,
        "orders": done.orders,
        "entries": done.entries,
        "slowest_convergence_s": round(done.slowest_s),
        "fault_kinds": len(KINDS),
        "kinds_with_enough_hits": sum(done.hits[kind] >= ENOUGH_HITS for kind in KINDS),
        "rarest_kind": f"{lowest} ({done.hits[lowest]})",
        "hits": {kind: done.hits[kind] for kind in sorted(KINDS, key=lambda kind: -done.hits[kind])},
    }


def read(name: str) -> dict[str, Any] | None:
    """Return a figures file, or None where nothing was run."""
    path = FOLDER / f"{name}.json"
    return json.decode(path.read_bytes()) if path.exists() else None


_BOTH, _KILLS = "simulation, planted bugs", "simulation, planted bugs, kill loops"
PROMISES = (
    ("I1", "One decision, one order: a client order id is posted once, and the venue never takes two orders for one "
     "intent.", _KILLS),
    ("I2", "What is held, hanging and being entered never exceeds the limits in force, by the venue's own record; nor "
     "does a day's spending.", _BOTH),
    ("I3", "No order leaves before its intent is in the journal, fsynced or covered by a fsynced grant.", _KILLS),
    ("I4", "Live entries leave only while armed, active, reconciled and through an open gate.", _BOTH),
    ("I5", "After the kill switch is set no entry leaves; the latch survives a restart.", _BOTH),
    ("I6", "45 s after the last fault (or the wait the venue ordered) orders, fills, positions and balances equal the "
     "venue's, and nothing is in doubt.", _BOTH),
    ("I7", "A new life enters nothing before it has been compared with the venue.", _KILLS),
    ("I8", "Filled quantities never fall, an execution counts once, a position is its fills, exits never sell more "
     "than is held.", _BOTH),
    ("I9", "What the account holds is what it began with, our fills, and what other hands did.", _BOTH),
    ("I11", "An order moves only along the table; its end is final but for late fills, which are counted and "
     "reported.", _BOTH),
    ("I13", "Every refusal and every doubt has a reason.", _BOTH),
    ("I16", "The same seed gives the same run, whatever the interpreter's hash seed.", "simulation"),
)  # fmt: skip

ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("Simulated seeds", "simulation", "seeds", "20,000 a push"),
    ("of these failed", "simulation", "failed", "0"),
    ("Seeds a second, all cores", "simulation", "seeds_per_second", "22"),
    ("Virtual hours", "simulation", "virtual_hours", ""),
    ("Orders posted", "simulation", "orders", ""),
    ("Lives of the process", "simulation", "lives", ""),
    ("Fault kinds", "simulation", "fault_kinds", "30"),
    ("of these with 100 hits or more", "simulation", "kinds_with_enough_hits", "all"),
    ("Rarest fault kind", "simulation", "rarest_kind", "100 hits"),
    (
        "Slowest return to equality, s (of what the venue tells us to wait, 45 s later at most)",
        "simulation",
        "slowest_convergence_s",
        "",
    ),
    ("Planted bugs", "planted", "bugs", "20"),
    ("of these found", "planted", "found", "all"),
    ("Latest seed at which one was found", "planted", "latest_seed", "500"),
    ("SQLite: engine killed, times", "engine_kills_sqlite", "kills", "500"),
    ("of these: orphan orders", "engine_kills_sqlite", "orphan_orders", "0"),
    ("of these: duplicate orders", "engine_kills_sqlite", "duplicate_orders", "0"),
    ("of these: violations of any promise", "engine_kills_sqlite", "violations", "0"),
    ("of these: ready again, p99 s", "engine_kills_sqlite", "ready_p99_s", "10"),
    ("of these: equal with the venue at the latest, s", "engine_kills_sqlite", "equal_with_the_venue_max_s", "15"),
    ("PostgreSQL: engine killed, times", "engine_kills_postgres", "kills", "150"),
    ("of these: orphan orders", "engine_kills_postgres", "orphan_orders", "0"),
    ("of these: duplicate orders", "engine_kills_postgres", "duplicate_orders", "0"),
    ("of these: violations of any promise", "engine_kills_postgres", "violations", "0"),
    ("of these: ready again, p99 s", "engine_kills_postgres", "ready_p99_s", "10"),
    ("of these: equal with the venue at the latest, s", "engine_kills_postgres", "equal_with_the_venue_max_s", "15"),
    ("PostgreSQL: server crashed, times", "engine_server_crashes", "kills", "50"),
    ("of these: orphan orders", "engine_server_crashes", "orphan_orders", "0"),
    ("of these: duplicate orders", "engine_server_crashes", "duplicate_orders", "0"),
    ("of these: violations of any promise", "engine_server_crashes", "violations", "0"),
    ("of these: ready again, p99 s", "engine_server_crashes", "ready_p99_s", "10"),
    ("of these: equal with the venue at the latest, s", "engine_server_crashes", "equal_with_the_venue_max_s", "15"),
    ("Power cuts", "power_sweep", "power_cuts", "1,500"),
    ("Power cuts, I/O errors and full disks", "power_sweep", "points", ""),
    ("Acknowledged rows lost by them", "power_sweep", "acknowledged_rows_lost", "0"),
    ("Files corrupt after them", "power_sweep", "corrupt", "0"),
    ("SQLite: ledger writer killed, times", "storage_kills_sqlite", "ledger_kills", ""),
    ("Journal writer killed, times", "storage_kills_sqlite", "journal_kills", ""),
    ("of these: violations", "storage_kills_sqlite", "violations", "0"),
    ("PostgreSQL: ledger writer killed, times", "storage_kills_postgres", "ledger_kills", ""),
    ("of these: violations", "storage_kills_postgres", "violations", "0"),
    ("API cases", "api_fuzz", "cases", "10,000"),
    ("Answers 5xx that the contract does not promise", "api_fuzz", "answers_5xx_unpromised", "0"),
    ("Other wrong answers", "api_fuzz", "wrong_answers", "0"),
    ("Hostile inputs to decoder and parsers", "decoder_fuzz", "cases", ""),
    ("Uncaught errors", "decoder_fuzz", "uncaught", "0"),
)


def document() -> str:
    """Write the document."""
    lines = [
        "<!-- Made by `make simulate`, `make crash` and `make fuzz` (tests/simulation/figures.py); do not edit. -->",
        "# What must never happen, and how it is tested",
        "",
        "The engine that trades is the engine that is simulated: the same code on other ports. The simulation "
        "(`tests/simulation`) runs the real engine, runtime, streams, order entry, fault table, journal, recovery, "
        "reconciliation and paper venue in virtual time against the simulator's exchange core. The process dies, "
        "stalls, loses packets and power at points of its own code; what it sent and holds is judged by the venue's "
        "record.",
        "",
        "## Promises",
        "",
        "| | promise | tested by |",
        "| --- | --- | --- |",
        *(f"| {name} | {text} | {how} |" for name, text, how in PROMISES),
        "",
        "The numbers are those of the invariants in the tests' own words (`tests/simulation/judge.py`).",
        "",
        "## Figures of the last full runs",
        "",
        "| figure | value | aim | commit | date |",
        "| --- | --- | --- | --- | --- |",
    ]
    machines: dict[str, None] = {}
    for title, name, key, aim in ROWS:
        found = read(name)
        if found is None or key not in found["figures"]:
            lines.append(f"| {title} | {NOT_RUN} | {aim} | | |")
            continue
        machines[f"{name}: {found['machine']}"] = None
        lines.append(f"| {title} | {_text(found['figures'][key])} | {aim} | {found['commit']} | {found['date'][:10]} |")
    lines += ["", *(f"Machine of {text}." for text in machines), ""]
    lines += _seeds() + _hits() + _planted()
    lines += [
        "## Run it yourself",
        "",
        "- `make simulate SEEDS=20000` sweeps seeds on all cores, writes `docs/figures/simulation.json` and this page.",
        "- `python -m tests.simulation --play SEED` tells the story of one seed.",
        "- A seed that fails prints its options and becomes a file under `tests/simulation/seeds`; those run first.",
        "- `python -m tests.simulation.planted` plants every bug and says at which seed it was found.",
        "- `make crash` kills, cuts and spoils at full length, `make fuzz` sends what nobody should.",
        "",
        "A figures file is `docs/figures/<name>.json` with `name`, `commit`, `date`, `machine` and `figures`; a figure "
        f"without one is shown as {NOT_RUN}.",
        "",
    ]
    return "\n".join(lines)


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _seeds() -> list[str]:
    found = read("simulation")
    if found is None:
        return []
    first, seeds, kept = (found["figures"][key] for key in ("first_seed", "seeds", "kept_seeds"))
    lines = [f"Seeds {first} to {first + seeds - kept - 1}, after the {kept} kept ones.", ""]
    if found["figures"]["failed"]:
        lines[:0] = [f"Failing seeds: {', '.join(map(str, found['figures']['failed_seeds']))}.", ""]
    return lines


def _hits() -> list[str]:
    found = read("simulation")
    if found is None:
        return []
    lines = ["## Hits per fault kind", "", "| kind | hits | kind | hits | kind | hits |", "| --- | --- " * 3 + "|"]
    pairs = list(found["figures"]["hits"].items())
    for at in range(0, len(pairs), 3):
        cells = [f"{kind} | {hits:,}" for kind, hits in pairs[at : at + 3]]
        lines.append("| " + " | ".join([*cells, *(" | " for _ in range(3 - len(cells)))]) + " |")
    return [*lines, ""]


def _planted() -> list[str]:
    found = read("planted")
    if found is None:
        return []
    lines = ["## Planted bugs", "", "| bug | found at seed | by |", "| --- | --- | --- |"]
    for name, (seed, why) in found["figures"]["where"].items():
        lines.append(f"| {name} | {'not found' if seed is None else seed} | {why.split(' ')[0] if why else ''} |")
    return [*lines, ""]


def write_document() -> None:
    """Make the document anew."""
    DOCUMENT.write_text(document(), encoding="utf-8")
