"""One supervised child process: started, watched, restarted with backoff, ended cleanly."""

import asyncio
import contextlib
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.ports import Clock

log = structlog.get_logger(__name__)

FIRST_RESTART_S = 1.0
LONGEST_RESTART_S = 30.0
STEADY_S = 60.0
"""A child that lived this long starts again after the first, shortest delay."""
CRASH_LOOP_STARTS = 5
CRASH_LOOP_WINDOW_S = 600.0
PARENT_PID_ENV = "MEXC_SNIPER_SUPERVISOR_PID"
"""Not a setting: taken out of the environment by the child before settings are read."""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """What to run and how long it may take to end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    grace_s: float = 10.0
    final_codes: frozenset[int] = frozenset({2})
    """Exit codes that another start cannot mend (a wrong setting)."""
    pass_fds: tuple[int, ...] = ()
    first_line: "asyncio.Future[bytes] | None" = None
    """Gets the first line of its standard output; later lines are read and dropped."""
    log_file: Path | None = None
    """Where its standard error goes, started anew each time; None: to ours."""


class ChildEnded(Exception):
    """A child ended with a code that a restart cannot mend."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"the {name} process cannot run (exit code {code}); its own message stands above")
        self.code = code


class Child:
    """Keeps one process alive until told to stop."""

    def __init__(self, spec: ChildSpec, clock: Clock, *, on_trouble: Callable[[str], None]) -> None:
        self.spec = spec
        self._clock = clock
        self._on_trouble = on_trouble
        self._process: asyncio.subprocess.Process | None = None
        self._deaths: deque[int] = deque(maxlen=CRASH_LOOP_STARTS)
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def keep_alive(self) -> None:
        """Run the child, restarting it whenever it ends, until `stop`.

        Raises:
            ChildEnded: when its exit code says that a restart is no use.
        """
        delay = FIRST_RESTART_S
        while not self._stopped():
            started = self._clock.mono_ns()
            self._process = process = await self._start()
            log.info("child_started", child=self.spec.name, pid=process.pid)
            await self._read_output(process)
            code = await process.wait()
            if self._stopped():
                return
            if code in self.spec.final_codes:
                raise ChildEnded(self.spec.name, code)
            lived_s = (self._clock.mono_ns() - started) / NS_PER_S
            delay = FIRST_RESTART_S if lived_s >= STEADY_S else delay
            log.error("child_died", child=self.spec.name, exit_code=code, lived_s=round(lived_s, 1), restart_in_s=delay)
            self._report(code, delay)
            await self._clock.sleep(delay)
            delay = min(delay * 2, LONGEST_RESTART_S)

    def _stopped(self) -> bool:
        return self._stopping

    async def _start(self) -> asyncio.subprocess.Process:
        spec = self.spec
        with contextlib.ExitStack() as opened:
            stderr = None
            if spec.log_file is not None:
                spec.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                stderr = opened.enter_context(spec.log_file.open("wb"))
            return await asyncio.create_subprocess_exec(
                *spec.argv,
                env=dict(spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if spec.first_line is not None else None,
                stderr=stderr,
                pass_fds=spec.pass_fds,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the children in order
            )

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        with contextlib.suppress(ValueError):  # a line beyond the stream's limit is nobody's ready line
            async for line in process.stdout:
                if self.spec.first_line is not None and not self.spec.first_line.done():
                    self.spec.first_line.set_result(line)

    def _report(self, code: int, delay: float) -> None:
        now = self._clock.mono_ns()
        self._deaths.append(now)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        text = f"The {self.spec.name} process {how}; it starts again in {delay:g} s."
        in_window = now - self._deaths[0] <= CRASH_LOOP_WINDOW_S * NS_PER_S
        if len(self._deaths) == CRASH_LOOP_STARTS and in_window:
            text = (
                f"CRASH LOOP: the {self.spec.name} process died {CRASH_LOOP_STARTS} times within "
                f"{CRASH_LOOP_WINDOW_S / 60:g} minutes. {text} Its log tells why."
            )
            log.error("crash_loop", child=self.spec.name, deaths=CRASH_LOOP_STARTS)
        self._on_trouble(text)

    async def stop(self) -> None:
        """Ask the child to end, wait its grace, then kill it; idempotent."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self.spec.grace_s):
                await process.wait()
        except TimeoutError:
            log.warning("child_killed", child=self.spec.name, grace_s=self.spec.grace_s)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def own_command(*arguments: str) -> list[str]:
    """Return the command line that runs this very program with the same interpreter."""
    return [sys.executable, "-m", "mexc_sniper", *arguments]
