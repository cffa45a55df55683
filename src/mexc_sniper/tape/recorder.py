"""Writes the tape on a thread of its own: the loop only appends to a queue, and drops rather than waits."""

import contextlib
import os
import threading
from io import BufferedWriter
from pathlib import Path
from queue import Empty, SimpleQueue

import structlog

from mexc_sniper.core.errors import StoreError
from mexc_sniper.tape.format import HEAD, OVERHEAD, TapeRecord, encode
from mexc_sniper.venues.mexc.tap import RawKind

DEFAULT_QUEUE_BYTES = 64 << 20
_FLUSH_EVERY_S = 0.5

_log = structlog.get_logger("mexc_sniper.tape")


class TapeRecorder:
    """Implements `FrameTap`. Full queue: the record is dropped and counted, the venue's traffic never waits."""

    def __init__(self, path: Path, *, queue_bytes: int = DEFAULT_QUEUE_BYTES) -> None:
        self.path = path
        self.failed: StoreError | None = None
        """Set when the file could not be written any more; everything after it is dropped."""
        self._queue: SimpleQueue[TapeRecord | None] = SimpleQueue()
        self._queue_bytes = queue_bytes
        self._file: BufferedWriter | None = None
        self._thread = threading.Thread(target=self._write_all, name="tape", daemon=True)
        # Each counter has one writer: the loop's thread the first two, the tape's thread the last two.
        self._put_bytes = 0
        self._dropped = 0
        self._taken_bytes = 0
        self._written = 0

    @property
    def written(self) -> int:
        """Records on the tape."""
        return self._written

    @property
    def dropped(self) -> int:
        """Records lost because the disk was slower than the venue, or failed."""
        return self._dropped

    def start(self) -> None:
        """Create the file and begin.

        Raises:
            StoreError: it exists already, or cannot be created.
        """
        try:
            self._file = self.path.open("xb")
            self._file.write(HEAD)
            self._file.flush()
        except FileExistsError:
            raise StoreError(f"{self.path} exists already; name a file that does not") from None
        except OSError as error:
            raise StoreError(f"cannot create the tape {self.path}: {error.strerror}; name another file") from None
        self._thread.start()

    def record(self, kind: RawKind, connection: int, label: str, payload: bytes, wall_ns: int, mono_ns: int) -> None:
        """Queue one record; never blocks and never raises."""
        size = OVERHEAD + len(payload)
        if self.failed is not None or self._put_bytes - self._taken_bytes + size > self._queue_bytes:
            if self._dropped == 0:
                _log.warning("tape_dropping", path=str(self.path))
            self._dropped += 1
            return
        self._put_bytes += size
        self._queue.put(TapeRecord(kind, connection, label, payload, wall_ns, mono_ns))

    def close(self) -> None:
        """Write what is queued, force it to disk, and end; idempotent."""
        if self._file is None:
            return
        self._queue.put(None)
        self._thread.join()
        with contextlib.suppress(OSError, ValueError):
            os.fsync(self._file.fileno())
        with contextlib.suppress(OSError):
            self._file.close()
        self._file = None

    def _write_all(self) -> None:
        while True:
            try:
                record = self._queue.get(timeout=_FLUSH_EVERY_S)
            except Empty:
                self._guarded(None)
                continue
            if record is None:
                self._guarded(None)
                return
            self._guarded(record)
            self._taken_bytes += OVERHEAD + len(record.payload)

    def _guarded(self, record: TapeRecord | None) -> None:
        """Write a record, or flush; the first failure ends the recording and says so."""
        if self.failed is not None or self._file is None:
            return
        try:
            if record is None:
                self._file.flush()
            else:
                self._file.write(encode(record))
                self._written += 1
        except OSError as error:
            self.failed = StoreError(
                f"cannot write the tape {self.path}: {error.strerror}; free space and record to a new file"
            )
            _log.error("tape_failed", path=str(self.path), error=str(self.failed))
