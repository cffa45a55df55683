"""One instance per data directory, and the file that tells the terminal where it runs."""

import contextlib
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from mexc_sniper.core.errors import ConfigError

_LOCK_NAME = "instance.lock"
_RUN_NAME = "run.json"
_DEMO_MARK = ".demo"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Where the running instance of a data directory can be reached."""

    pid: int
    url: str
    """Base address of the API, such as ``http://127.0.0.1:8787``."""
    mode: str
    demo: bool = False
    sim_url: str = ""


def prepare_data_dir(path: Path) -> None:
    """Create the data directory for its owner alone and prove that it can be written.

    Raises:
        ConfigError: when it cannot be made or written.
    """
    mend = "choose another with --data-dir or MEXC_SNIPER_DATA_DIR, or correct its owner"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".write-probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"the data directory {path} cannot be written ({error.strerror}): {mend}") from None


def claim_data_dir(path: Path, *, demo: bool, fresh: bool = False) -> None:
    """Keep demo data and real data apart; call it with the lock held.

    Args:
        path: the data directory.
        demo: whether a demo wants it.
        fresh: forget what an earlier demo recorded; only what we write ourselves is removed.

    Raises:
        ConfigError: when the directory belongs to the other kind.
    """
    mark = path / _DEMO_MARK
    if not demo:
        if mark.exists():
            raise ConfigError(f"the data directory {path} belongs to the demo: choose another with --data-dir")
        return
    if not mark.exists() and (path / "ledger.db").exists():
        raise ConfigError(
            f"the data directory {path} holds a real ledger, which the demo must not touch: "
            "choose another with --data-dir"
        )
    mark.touch()
    if fresh:
        for pattern in ("ledger.db*", "inbox.db*", "live.db*", "token", _RUN_NAME):
            for file in path.glob(pattern):
                file.unlink()
        for folder in ("logs", "backups"):
            shutil.rmtree(path / folder, ignore_errors=True)


class InstanceLock:
    """An exclusive lock on a data directory; the kernel frees it however the process ends."""

    def __init__(self, data_dir: Path, *, name: str = _LOCK_NAME) -> None:
        self._data_dir = data_dir
        self._name = name
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ConfigError: when another instance holds it; names its process and the directory.
        """
        fd = os.open(self._data_dir / self._name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise ConfigError(
                f"another mexc-sniper (process {holder}) already uses the data directory {self._data_dir}: "
                "stop it first, or give this one its own with --data-dir"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock back; idempotent."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def write_run_info(data_dir: Path, info: RunInfo) -> None:
    """Say where this instance runs; replaced in one step."""
    fresh = data_dir / f"{_RUN_NAME}.new"
    fresh.write_bytes(msgspec.json.encode(info))
    fresh.replace(data_dir / _RUN_NAME)


def read_run_info(data_dir: Path) -> RunInfo | None:
    """Return where the instance of a data directory runs, or None when none is running."""
    try:
        info = msgspec.json.decode((data_dir / _RUN_NAME).read_bytes(), type=RunInfo)
        os.kill(info.pid, 0)
    except (OSError, msgspec.DecodeError):
        return None
    return info


def remove_run_info(data_dir: Path) -> None:
    """Forget where this instance ran; idempotent."""
    with contextlib.suppress(FileNotFoundError):
        (data_dir / _RUN_NAME).unlink()


def run_info_json(info: RunInfo) -> dict[str, Any]:
    """Return the plain dictionary for ``--json``."""
    result: dict[str, Any] = json.loads(msgspec.json.encode(info))
    return result
