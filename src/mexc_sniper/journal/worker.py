"""Who does the journal's slow work beside the loop: a thread in the program, virtual time in the simulation."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Protocol

Work = Callable[[], bool]
"""Does what there is to do now; False when nothing may follow."""


class Worker(Protocol):
    """Calls the work once after each `wake`, never twice at a time."""

    def start(self, work: Work) -> None:
        """Begin; called once."""
        ...

    def wake(self) -> None:
        """Have the work called soon; wakes until then count as one. Callable from the loop's thread; never blocks."""
        ...

    async def stop(self, *, deadline_s: float) -> bool:
        """Have the work called a last time and end; False when that took longer than ``deadline_s``."""
        ...


class ThreadWorker:
    """Implements `Worker` with one thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._signals: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._awake = False
        self._thread: threading.Thread | None = None
        self._work: Work | None = None

    def start(self, work: Work) -> None:
        """Start the thread."""
        self._work = work
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Signal the thread."""
        if not self._awake:
            self._awake = True
            self._signals.put(True)

    async def stop(self, *, deadline_s: float) -> bool:
        """Let the thread work once more, and join it."""
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        self._signals.put(False)
        await asyncio.get_running_loop().run_in_executor(None, thread.join, deadline_s)
        return not thread.is_alive()

    def _run(self) -> None:
        if self._work is None:
            raise RuntimeError("not started")
        while self._signals.get():
            self._awake = False  # before working: what is asked for from now on signals again
            if not self._work():
                return
        self._work()
