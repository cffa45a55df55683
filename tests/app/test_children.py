"""Supervised children, as real processes under a clock the test turns."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mexc_sniper.app.children import Child, ChildEnded, ChildSpec
from mexc_sniper.core.clock import NS_PER_S


class TurnedClock:
    """Time passes only while somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now_ns = 0

    def wall_ns(self) -> int:
        return self._now_ns

    def mono_ns(self) -> int:
        return self._now_ns

    def pass_by(self, seconds: float) -> None:
        self._now_ns += int(seconds * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        self._now_ns = max(self._now_ns, mono_ns)
        await asyncio.sleep(0)


def a_child(code: str, clock: TurnedClock, troubles: list[str], **rest: object) -> Child:
    spec = ChildSpec(name="engine", argv=[sys.executable, "-c", code], env=dict(os.environ), **rest)  # type: ignore[arg-type]
    return Child(spec, clock, on_trouble=troubles.append)


async def eventually(condition: Callable[[], bool], deadline_s: float = 20.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_child_that_dies_at_once_is_restarted_with_doubling_delays_up_to_thirty_seconds() -> None:
    clock, troubles = TurnedClock(), []
    child = a_child("raise SystemExit(7)", clock, troubles)
    watching = asyncio.create_task(child.keep_alive())
    await eventually(lambda: len(clock.slept) >= 7)
    await child.stop()
    await watching
    assert clock.slept[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert "exit code 7" in troubles[0]


async def test_five_deaths_in_ten_minutes_are_shown_as_a_crash_loop() -> None:
    clock, troubles = TurnedClock(), []
    child = a_child("raise SystemExit(1)", clock, troubles)
    watching = asyncio.create_task(child.keep_alive())
    await eventually(lambda: len(troubles) >= 5)
    await child.stop()
    await watching
    assert not any("CRASH LOOP" in text for text in troubles[:4])
    assert "CRASH LOOP" in troubles[4]


async def test_child_killed_after_a_long_life_starts_again_after_the_shortest_delay() -> None:
    clock, troubles = TurnedClock(), []
    child = a_child("import time; time.sleep(600)", clock, troubles)
    watching = asyncio.create_task(child.keep_alive())
    for _ in range(3):
        await eventually(lambda: child.pid is not None)
        clock.pass_by(61)
        before, pid = len(clock.slept), child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda before=before: len(clock.slept) > before)
        await eventually(lambda pid=pid: child.pid not in {None, pid})
    await child.stop()
    await watching
    assert clock.slept == [1, 1, 1]
    assert "SIGKILL" in troubles[0]


async def test_child_with_a_wrong_setting_is_not_restarted() -> None:
    clock, troubles = TurnedClock(), []
    with pytest.raises(ChildEnded):
        await a_child("raise SystemExit(2)", clock, troubles).keep_alive()
    assert clock.slept == []


async def test_child_that_ignores_the_polite_signal_is_killed_after_its_grace() -> None:
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
    first_line = asyncio.get_running_loop().create_future()
    child = a_child(code, TurnedClock(), [], grace_s=0.2, first_line=first_line)
    watching = asyncio.create_task(child.keep_alive())
    assert await asyncio.wait_for(first_line, 20) == b"deaf\n"
    await child.stop()
    assert child.pid is None
    await watching


async def test_child_dies_with_its_supervisor_even_by_kill(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    grandchild = (
        "import os, sys, time\nfrom mexc_sniper.app.hardening import die_with_parent\n"
        f"die_with_parent(os.getppid())\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {grandchild!r}])"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    await eventually(lambda: pid_file.is_file() and pid_file.read_text() != "")
    process.kill()
    await process.wait()
    await eventually(lambda: not _alive(int(pid_file.read_text())))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
