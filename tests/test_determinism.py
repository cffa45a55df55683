"""No hidden chance (RELIABILITY 3.2): what decides reads no clock of its own, draws nothing, starts no thread, and
never goes through a set in the order of its hashes. The simulation proves it by running; this finds it by reading."""

import ast
from pathlib import Path

import pytest

SNIPER = Path(__file__).resolve().parent.parent / "src" / "mexc_sniper"
PURE = ("core", "model", "policy", "engine")
SHELL = ("runtime",)
PORTS_OF_CHANCE = {SNIPER / "core" / "clock.py", SNIPER / "runtime" / "clock.py"}
"""The machine's clocks and the thread pool, behind ports."""

MODULES = {"random", "secrets", "uuid", "threading", "multiprocessing", "concurrent", "queue", "subprocess"}
CALLS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.urandom",
    "os.getrandom", "asyncio.to_thread", "loop.run_in_executor", "asyncio.wait_for", "random.random", "random.Random",
}  # fmt: skip
"""`asyncio.wait_for` is among them because it may swallow a cancellation that comes in the tick of the answer."""
UNORDERED = {"set", "frozenset"}
KEEPS_ORDER_OF = {"list", "tuple", "dict.fromkeys", "iter", "enumerate", "zip", "map", "filter", "next", "reversed"}
"""Whatever is made of a set by these has the set's order."""


def _files(*parts: str) -> list[Path]:
    return sorted(path for part in parts for path in (SNIPER / part).rglob("*.py") if path not in PORTS_OF_CHANCE)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return f"{ast.unparse(node.func.value).split('.')[-1]}.{node.func.attr}"
    return node.func.id if isinstance(node.func, ast.Name) else ""


def violations(source: str) -> list[str]:
    """Where a text reads a clock, draws, or starts a thread."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"{node.lineno}: import {a.name}" for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"{node.lineno}: from {node.module}")
        elif isinstance(node, ast.Call):
            called = _called(node)
            if called in CALLS or called.endswith((".run_in_executor", ".to_thread")):
                found.append(f"{node.lineno}: {called}")
    return found


def _is_set_type(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    if isinstance(annotation, ast.BinOp):  # X | None
        return _is_set_type(annotation.left) or _is_set_type(annotation.right)
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(base, ast.Name) and base.id in UNORDERED


def set_names(sources: list[str]) -> set[str]:
    """Names of fields, parameters and variables that are declared as sets anywhere in these texts."""
    names: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.AnnAssign) and _is_set_type(node.annotation):
                names.add(node.target.attr if isinstance(node.target, ast.Attribute) else ast.unparse(node.target))
            elif isinstance(node, ast.arg) and _is_set_type(node.annotation):
                names.add(node.arg)
            elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Set, ast.SetComp)):
                names.update(ast.unparse(target) for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.FunctionDef) and _is_set_type(node.returns):
                names.add(f"{node.name}()")
    return names


def iterations(source: str, names: set[str]) -> list[str]:
    """Where a text goes through a set in the order of its hashes; `sorted` and questions of membership are fine."""

    def unordered(node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name in names
            case ast.BinOp(left=left, right=right, op=ast.Sub() | ast.BitAnd() | ast.BitOr() | ast.BitXor()):
                return unordered(left) or unordered(right)
            case ast.Call():
                called = _called(node)
                if called in UNORDERED or f"{called.split('.')[-1]}()" in names:
                    return True
                if called in KEEPS_ORDER_OF:
                    return any(unordered(argument) for argument in node.args)
                method = called.split(".")[-1]
                inner = node.func.value if isinstance(node.func, ast.Attribute) else None
                wanted = ("union", "difference", "intersection", "symmetric_difference", "copy")
                return method in wanted and inner is not None and unordered(inner)
        return False

    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.For, ast.AsyncFor)) and unordered(node.iter):
            found.append(f"{node.iter.lineno}: for … in {ast.unparse(node.iter)}")
        elif isinstance(node, (ast.ListComp, ast.DictComp)):  # a set of a set, any() and all() have no order to keep
            found += [f"{g.iter.lineno}: {ast.unparse(node)[:60]}" for g in node.generators if unordered(g.iter)]
        elif isinstance(node, ast.Call) and _called(node) in KEEPS_ORDER_OF - {"iter", "map", "filter", "zip"}:
            if any(unordered(argument) for argument in node.args):
                found.append(f"{node.lineno}: {ast.unparse(node)[:60]}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "join" and any(unordered(argument) for argument in node.args):
                found.append(f"{node.lineno}: {ast.unparse(node)[:60]}")
            if node.func.attr == "pop" and not node.args and unordered(node.func.value):
                found.append(f"{node.lineno}: {ast.unparse(node)[:60]}")
    return found


NAMES = set_names([path.read_text(encoding="utf-8") for path in _files(*PURE)])


@pytest.mark.parametrize("path", _files(*PURE, *SHELL), ids=lambda path: str(path.relative_to(SNIPER)))
def test_nothing_that_decides_reads_a_clock_draws_or_starts_a_thread(path: Path):
    assert violations(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", _files(*PURE), ids=lambda path: str(path.relative_to(SNIPER)))
def test_nothing_that_decides_goes_through_a_set(path: Path):
    assert iterations(path.read_text(encoding="utf-8"), NAMES) == []


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from uuid import uuid4",
        "import time\nnow = time.perf_counter()",
        "from datetime import datetime\nnow = datetime.now()",
        "import os\nkey = os.urandom(8)",
        "await_ = asyncio.to_thread(work)",
        "loop.run_in_executor(None, work)",
        "asyncio.wait_for(event.wait(), 3)",
        "from concurrent.futures import ThreadPoolExecutor",
    ],
)
def test_the_check_sees_chance(line: str):
    assert violations(line)


@pytest.mark.parametrize(
    "line",
    [
        "for name in {1, 2}: pass",
        "names: frozenset[str]\nfor name in names: pass",
        "names: frozenset[str]\nfor name in names - known: pass",
        "names: set[str]\nchosen = [name for name in names]",
        "names: set[str]\nchosen = tuple(names)",
        "names: set[str]\nchosen = dict.fromkeys(names)",
        "class A:\n    names: set[str]\n    def f(self):\n        for n in self.names: pass",
        "names: set[str]\ntext = ', '.join(names)",
        "names: set[str]\nname = names.pop()",
        "def known() -> set[str]: ...\nfor name in known(): pass",
    ],
)
def test_the_check_sees_a_set_gone_through(line: str):
    assert iterations(line, set_names([line]))


@pytest.mark.parametrize(
    "line",
    [
        "names: set[str]\nfor name in sorted(names): pass",
        "names: set[str]\nfound = name in names",
        "names: set[str]\nfound = any(name == 'a' for name in names)",
        "names: set[str]\ncount = len(names)",
    ],
)
def test_the_check_lets_pass_what_has_no_order(line: str):
    assert not iterations(line, set_names([line]))
