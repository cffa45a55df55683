"""The tape file: a short head, then records of a fixed header, a label, and the raw bytes.

Little endian. Head: ``MXTAPE``, two bytes of version. Record: two marker bytes, kind, one zero byte, connection
number, wall ns, monotonic ns, length of the label, length of the payload, CRC-32 of everything else in the record.
"""

import struct
import zlib
from dataclasses import dataclass

from mexc_sniper.venues.mexc.tap import RawKind

HEAD = b"MXTAPE\x00\x01"
MARKER = b"\xf5R"
HEADER = struct.Struct("<2sBxIqqHI")
CHECK = struct.Struct("<I")
OVERHEAD = HEADER.size + CHECK.size
MAX_PAYLOAD = 256 << 20
"""A longer one is not a record but a damaged header."""


@dataclass(frozen=True, slots=True)
class TapeRecord:
    """One frame or answer as it came; times are those of its arrival."""

    kind: RawKind
    connection: int
    label: str
    payload: bytes
    wall_ns: int
    mono_ns: int


def encode(record: TapeRecord) -> bytes:
    """Write one record."""
    label = record.label.encode()[:65_535]
    header = HEADER.pack(
        MARKER,
        record.kind,
        record.connection,
        record.wall_ns,
        record.mono_ns,
        len(label),
        len(record.payload),
    )
    check = zlib.crc32(record.payload, zlib.crc32(label, zlib.crc32(header)))
    return b"".join((header, CHECK.pack(check), label, record.payload))
