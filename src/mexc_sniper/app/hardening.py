"""What a process asks of the kernel: no core dumps, no reading of its memory, and no life after its parent."""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def forbid_dumps() -> None:
    """Keep secrets out of core files and, for the same user, out of ``/proc/<pid>/environ`` (RELIABILITY 4.1)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def die_with_parent(parent_pid: int) -> None:
    """End when the supervisor ends, even by kill -9; at once if it is gone already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGTERM)
