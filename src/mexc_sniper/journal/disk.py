"""The journal's directory and its files; the one place that touches the disk, so that tests can cut its power."""

import errno
import fcntl
import mmap
import os
import platform
from pathlib import Path
from typing import Final

from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.journal.record import RECORD_SIZE, ZERO_BYTE

WARM_PAGES: Final = 4
"""Pages made writable ahead of the next record: 16 records."""

_PAGE: Final = 4096
_fdatasync = getattr(os, "fdatasync", os.fsync)  # not everywhere
_FLUSH_MAP = platform.system() != "Linux"  # elsewhere an fsync need not see what was stored through a mapping


class Segment:
    """One preallocated file, mapped into memory. A store survives the process at once and a power cut after `sync`.

    Storing into a mapped page costs a microsecond while the page is dirty and tens when the kernel must make it
    writable again after an fsync (bench/journal.py); `warm` lets that happen beside the loop.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Create the file: blocks allocated by writing zeros (a hole would be a SIGBUS on a full disk), fsynced."""
        self.path = path
        self.size = size
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            zeros = bytes(1 << 20)
            written = 0
            while written < size:
                written += os.write(self._fd, zeros[: size - written])
            os.fsync(self._fd)
            self._map = mmap.mmap(self._fd, size)
        except BaseException:
            os.close(self._fd)
            path.unlink(missing_ok=True)
            raise

    def store(self, offset: int, record: bytes) -> None:
        """Put a record; when this returns it survives kill -9."""
        self._map[offset : offset + RECORD_SIZE] = record

    def look_at(self, offset: int) -> None:
        """Read the place of a record, so that it lies in the processor's caches."""
        self._map[offset : offset + RECORD_SIZE]

    def warm(self, offset: int) -> None:
        """Make the pages from ``offset`` on writable, by storing a zero where every record has one."""
        first = offset // _PAGE * _PAGE
        for page in range(first, min(first + WARM_PAGES * _PAGE, self.size), _PAGE):
            self._map[page + ZERO_BYTE] = 0

    def sync(self) -> None:
        """Return when everything stored before is on the disk."""
        if _FLUSH_MAP:
            self._map.flush()
        _fdatasync(self._fd)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._fd)


class Disk:
    """The directory. Every method may raise OSError; `trouble` says what it means."""

    def __init__(self, directory: Path) -> None:
        """Do no I/O."""
        self.directory = directory
        self.boot = _boot()
        self._lock_fd: int | None = None

    def open(self) -> None:
        """Make the directory, for this user alone, and keep every other engine out of it.

        Raises:
            ConfigError: another process has it.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise ConfigError(
                f"Another engine writes the journal {self.directory}; stop it, or give this one a data directory "
                "of its own."
            ) from None
        self._lock_fd = lock

    def close(self) -> None:
        """Let the next engine in."""
        lock, self._lock_fd = self._lock_fd, None
        if lock is not None:
            os.close(lock)

    def names(self) -> list[str]:
        """Return the names of all files, in order."""
        return sorted(path.name for path in self.directory.iterdir())

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return (self.directory / name).read_bytes()

    def create(self, name: str, size: int) -> Segment:
        """Create a segment; its name survives a power cut after `sync_names`."""
        return Segment(self.directory / name, size)

    def remove(self, name: str) -> None:
        """Delete a file."""
        (self.directory / name).unlink(missing_ok=True)

    def rename(self, name: str, new: str) -> None:
        """Rename a file."""
        (self.directory / name).rename(self.directory / new)

    def replace(self, name: str, content: bytes) -> None:
        """Write a small file whole or not at all, fsynced."""
        new = self.directory / f"{name}.new"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.directory / name)
        self.sync_names()

    def sync_names(self) -> None:
        """Return when creations, deletions and renames are on the disk."""
        fd = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _boot() -> str:
    """The kernel's name of its own run, new at every boot; empty where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def trouble(fault: OSError, directory: Path) -> StoreError:
    """Say what an operating system's error means and how to mend it."""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"The disk holding the journal {directory} is full; free some space and start again.")
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"The journal {directory} cannot be written ({fault.strerror}); give this user a directory it owns."
        )
    return StoreError(
        f"The disk holding the journal {directory} reports an error ({fault.strerror or fault}); "
        "check the disk, then start again."
    )
