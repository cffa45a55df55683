"""Sets the kill latch: fsynced before anything else is tried, needs neither database nor engine."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.latch import FILE_NAME, KillLatch, decode_latch, encode_latch, graver


def read_latch(data_dir: Path) -> KillLatch | None:
    """Return the latch in force; None when there is none. A file that cannot be read is one all the same."""
    try:
        return decode_latch((data_dir / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except OSError:
        return decode_latch(b"")


def set_latch(data_dir: Path, latch: KillLatch) -> KillLatch:
    """Set the latch and return the one in force: a graver one that was there stays.

    Raises:
        StoreError: the file cannot be written.
    """
    path = data_dir / FILE_NAME
    before = read_latch(data_dir)
    in_force = latch if before is None else graver(latch, before)
    fresh = data_dir / f".{FILE_NAME}.{token_hex(6)}"
    try:
        _write(fresh, encode_latch(in_force))
        fresh.replace(path)
        _sync_folder(data_dir)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        if before is None or in_force is latch:
            return _bare(path)
    return in_force


def _write(path: Path, raw: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, raw)
        os.fsync(fd)
    finally:
        os.close(fd)


def _bare(path: Path) -> KillLatch:
    """The last resort on a full disk: an empty file needs no space and is a latch too."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"the kill latch {path} cannot be written ({error.strerror})") from None
    return decode_latch(b"")


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
