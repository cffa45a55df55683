"""Who may know whom (DESIGN 3), and what the pure layers may not touch."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parent.parent / "src"
SNIPER = SRC / "mexc_sniper"

MAY_IMPORT = {
    "core": set(),
    "model": {"core"},
    "policy": {"core", "model"},
    "engine": {"core", "model", "policy"},
    "ports": {"core", "model"},
    "telemetry": set(),
    "runtime": {"core", "model", "ports", "engine", "telemetry"},
    "venues": {"core", "model", "ports", "telemetry"},
    "ledger": {"core", "model", "ports", "telemetry"},
    "journal": {"core", "model", "ports"},
    "tape": {"core", "model", "ports", "telemetry", "venues", "ledger"},
    "reports": {"core", "model", "ports", "telemetry", "ledger"},
    "notify": {"core", "model", "ports", "telemetry", "ledger"},
    "web": {"core", "model", "ports", "telemetry", "ledger", "tape", "notify", "reports"},
}
"""Package → packages it may import besides itself; app may import everything."""

PURE = ("core", "model", "policy", "engine")
CLOCK_FILE = SNIPER / "core" / "clock.py"
BANNED_IN_PURE = {
    "asyncio", "threading", "socket", "aiohttp", "picows", "httpx", "requests", "sqlite3", "sqlalchemy",
    "psycopg", "random", "secrets", "uuid", "os", "subprocess", "concurrent", "structlog", "logging",
    "prometheus_client", "datetime", "time",
}  # fmt: skip
ONLY_WIRE_KNOWS = {"picows", "aiofastnet", "ssl", "socket"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "static" not in path.parts)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _part(path: Path) -> str:
    relative = path.relative_to(SNIPER)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", _files(SNIPER), ids=lambda path: str(path.relative_to(SNIPER)))
def test_imports_point_downwards(path):
    part = _part(path)
    if part in ("app", "__init__", "__main__"):
        return
    known = {name.split(".")[1] for name in _imports(path) if name.startswith("mexc_sniper.")}
    allowed = MAY_IMPORT[part] | {part, "__version__"}
    assert known <= allowed, f"{path.name} ({part}) imports {sorted(known - allowed)}"


@pytest.mark.parametrize("path", _files(SRC / "mexc_sim"), ids=lambda path: path.name)
def test_simulator_knows_nothing_of_the_bot(path):
    assert not any(name.startswith("mexc_sniper") for name in _imports(path))


@pytest.mark.parametrize(
    "path", [file for part in PURE for file in _files(SNIPER / part)], ids=lambda path: str(path.relative_to(SNIPER))
)
def test_pure_layers_know_no_io_no_clock_and_no_chance(path):
    if path == CLOCK_FILE:
        return
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & BANNED_IN_PURE, f"{path.name} imports {sorted(roots & BANNED_IN_PURE)}"


@pytest.mark.parametrize(
    "path", [file for part in PURE for file in _files(SNIPER / part)], ids=lambda path: str(path.relative_to(SNIPER))
)
def test_pure_layers_never_iterate_over_a_set(path):
    """A set's order depends on hashing; decisions must not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.For, ast.comprehension)):
            assert not isinstance(node.iter, (ast.Set, ast.SetComp)), f"{path.name} iterates over a set"


@pytest.mark.parametrize(
    "path", _files(SNIPER / "venues") + _files(SNIPER / "runtime"), ids=lambda path: str(path.relative_to(SNIPER))
)
def test_only_the_wire_knows_the_socket_library(path):
    if path.name == "wire.py":
        return
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & ONLY_WIRE_KNOWS, f"{path.name} imports {sorted(roots & ONLY_WIRE_KNOWS)}"


@pytest.mark.parametrize("path", _files(SNIPER), ids=lambda path: str(path.relative_to(SNIPER)))
def test_time_is_read_in_one_place(path):
    """Wall time comes from a Clock; nothing else asks the machine."""
    if path == CLOCK_FILE:
        return
    banned = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = f"{ast.unparse(node.func.value).split('.')[-1]}.{node.func.attr}"
            assert called not in banned, f"{path.name}:{node.lineno} calls {called}"
