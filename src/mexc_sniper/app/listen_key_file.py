"""The file in the data directory by which a new life finds the listen key that the one before it left at the venue."""

import os
from pathlib import Path
from typing import Final

import structlog

LISTEN_KEY_NAME: Final = "listen-key"
_LENGTH: Final = 64

_log = structlog.get_logger()


class ListenKeyFile:
    """Implements `venues.mexc.listen_key.ListenKeyRecord`: one line of 64 letters.

    It survives kill -9. What the disk does to it never stops anything: the venue forgets a lost key within the hour.
    """

    def __init__(self, path: Path) -> None:
        """No I/O."""
        self._path = path

    def last(self) -> str:
        """Return what was kept; empty when that is nothing or not a fingerprint."""
        try:
            with self._path.open("rb") as file:
                found = file.read(_LENGTH + 2).strip()
        except OSError:
            return ""
        return found.decode() if len(found) == _LENGTH and found.isalnum() else ""

    def note(self, fingerprint: str) -> None:
        """Write in place: half a fingerprint finds no key, as none does."""
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, f"{fingerprint}\n".encode())
            finally:
                os.close(fd)
        except OSError as fault:
            _log.warning("listen_key_not_kept", path=str(self._path), reason=fault.strerror or str(fault))
