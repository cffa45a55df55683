"""Reads a tape: every record in order, a damaged one with a clear word, a cut tail with a note."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from mexc_sniper.core.errors import StoreError
from mexc_sniper.tape.format import CHECKS, HEAD, HEADER, MARKER, OVERHEAD, TapeRecord
from mexc_sniper.venues.mexc.tap import RawKind


class TapePlayer:
    """A tape opened for reading; iterate it once per ``with``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.truncated_at: int | None = None
        """Offset of a last record that was not written to its end (the recorder was killed); None if there is none."""

    def __enter__(self) -> "TapePlayer":
        try:
            self._file = self.path.open("rb")
            self._size = self.path.stat().st_size
            head = self._file.read(len(HEAD))
        except OSError as error:
            raise StoreError(f"cannot read the tape {self.path}: {error.strerror}; check the file's name") from None
        if head != HEAD:
            self._file.close()
            if head[:6] == HEAD[:6]:
                raise StoreError(f"{self.path} is a tape of another version; use the version that recorded it")
            raise StoreError(f"{self.path} is no tape (offset 0); name a file made by `mexc-sniper record`")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[TapeRecord]:
        """Yield the records.

        Raises:
            StoreError: a record in the middle is damaged; names the file, the offset and the mend.
        """
        offset = len(HEAD)
        self._file.seek(offset)
        while offset < self._size:
            record, end = self._read(offset)
            if record is None:
                self.truncated_at = offset
                return
            yield record
            offset = end

    def _read(self, offset: int) -> tuple[TapeRecord | None, int]:
        """Read the record at an offset; None when it is the unfinished last one."""
        header = self._file.read(OVERHEAD)
        if len(header) < OVERHEAD:
            return None, self._size
        marker, kind, connection, wall_ns, mono_ns, label_size, size = HEADER.unpack_from(header)
        header_check, body_check = CHECKS.unpack_from(header, HEADER.size)
        if marker != MARKER or zlib.crc32(header[: HEADER.size]) != header_check:
            if self._rest_is_zero(header):  # a file system that had grown the file before a power cut
                return None, self._size
            raise self._damaged(offset, "no record begins here")
        end = offset + OVERHEAD + label_size + size
        if end > self._size:
            return None, self._size
        label = self._file.read(label_size)
        payload = self._file.read(size)
        if zlib.crc32(payload, zlib.crc32(label)) != body_check:
            if end == self._size:
                return None, self._size
            raise self._damaged(offset, "the checksum does not fit")
        try:
            return TapeRecord(RawKind(kind), connection, label.decode(), payload, wall_ns, mono_ns), end
        except ValueError:
            raise self._damaged(offset, f"unknown kind {kind}") from None

    def _rest_is_zero(self, header: bytes) -> bool:
        if any(header):
            return False
        while block := self._file.read(1 << 20):
            if any(block):
                return False
        return True

    def _damaged(self, offset: int, what: str) -> StoreError:
        return StoreError(
            f"the tape {self.path} is damaged at offset {offset}: {what}. "
            f"To keep what lies before it: truncate --size={offset} on a copy"
        )
