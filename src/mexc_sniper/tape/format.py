"""The tape file: a short head, then records of a fixed header, a label, and the raw bytes.

Little endian. Head: ``MXTAPE``, two bytes of version. Record: two marker bytes, kind, one zero byte, connection
number, wall ns, monotonic ns, length of the label, length of the payload; CRC-32 of that header, so that a damaged
length cannot pass for a cut tape; CRC-32 of label and payload.
"""

import struct
import zlib
from dataclasses import dataclass

from mexc_sniper.venues.mexc.tap import RawKind

HEAD = b"MXTAPE\x00\x01"
MARKER = b"\xf5R"
HEADER = struct.Struct("<2sBxIqqHI")
CHECKS = struct.Struct("<II")
OVERHEAD = HEADER.size + CHECKS.size


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
    checks = CHECKS.pack(zlib.crc32(header), zlib.crc32(record.payload, zlib.crc32(label)))
    return b"".join((header, checks, label, record.payload))
