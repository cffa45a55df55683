"""An asyncio loop without real time and without I/O: sleeping costs nothing, and the same seed gives the same run."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Generator, Iterator
from itertools import count
from typing import Any

SPINS = 50_000


class Deadlock(AssertionError):
    """Everything waits and nothing will ever wake it, or somebody waits for nothing again and again."""


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """End, with `Deadlock`, what keeps the processor for so long in real time: a step that never comes back turns no
    loop. For the main thread alone.
    """

    def give_up(*_: object) -> None:
        raise Deadlock(f"one step has not come to an end within {seconds:g} s of real time")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Killed(BaseException):
    """The process is dead. No `except Exception` sees it, and whatever a `finally` tries raises it again."""


class VirtualTask(asyncio.Task):  # type: ignore[type-arg]
    """A task whose place in a set depends on when it was made and not on where it lies in memory."""

    _numbers = count()

    def __init__(self, coro: Generator[Any, None, Any] | Coroutine[Any, Any, Any], **options: Any) -> None:
        self.number = next(VirtualTask._numbers)
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _NoSockets:
    """What the loop takes for a selector: waiting means that time passes."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._spun = 0

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Deadlock("nothing is ready and no timer is set")
        self._spun += 1
        if timeout > 1e-6:
            self._spun = 0
        elif self._spun > SPINS:
            raise Deadlock(f"{SPINS} turns in which next to no time passed: somebody spins")
        self._loop.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """FIFO like every asyncio loop; `now` (seconds) moves only when nothing is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _NoSockets(self)
        self._clock_resolution = 1e-9
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._heard_of)
        self.errors: list[BaseException] = []
        """What no task and no caller wanted to have; a run that ends with some has failed."""
        self.tasks: dict[VirtualTask, None] = {}
        VirtualTask._numbers = count()

    def time(self) -> float:
        return self.now

    def mono_ns(self) -> int:
        """The virtual monotonic clock."""
        return round(self.now * 1e9)

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        raise AssertionError("a thread in virtual time: give this part a seam")

    def _make_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> VirtualTask:
        task = VirtualTask(coro, loop=loop, **options)
        self.tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: VirtualTask) -> None:
        self.tasks.pop(task, None)

    def _heard_of(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not is_death(error):
            self.errors.append(error)


def is_death(error: BaseException) -> bool:
    """Whether an error is nothing but the process's end."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_death(part) for part in error.exceptions)
    return isinstance(error, (Killed, asyncio.CancelledError))
