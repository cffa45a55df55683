"""One record: 1,024 bytes, checksummed as a whole, so that a torn, flipped or foreign one is told from a good one.

Layout, little-endian: magic 4, kind 1, flags 1, length of the payload 2, epoch 4, zero 4, sequence 8, wall time 8,
payload up to 984 padded with zeros, BLAKE2b-64 of all before it. A slot never written is all zeros; byte 12 of a slot
is zero in every record (`disk.Segment.warm` may write it at any time).
"""

import struct
from enum import IntEnum, IntFlag
from hashlib import blake2b
from typing import Final

import msgspec

from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.order import OrderIntent

RECORD_SIZE: Final = 1024
"""Bytes. An intent with ordinary names takes about 500 of the 984 there are for it."""

_MAGIC: Final = b"MSJ1"
_HEADER: Final = struct.Struct("<4sBBHIIqq")
_DIGEST_SIZE: Final = 8
_COVERED: Final = RECORD_SIZE - _DIGEST_SIZE
PAYLOAD_MAX: Final = _COVERED - _HEADER.size
ZERO_BYTE: Final = 12

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(OrderIntent)


class Kind(IntEnum):
    """What a record says."""

    START = 1
    INTENT = 2
    SENT = 3
    SETTLED = 4
    GRANT = 5
    SWEPT = 6
    CLOSED = 7


class Flag(IntFlag):
    """More on an intent; on a START: it continues a life in a new file."""

    NONE = 0
    DURABLE = 1
    """It was fsynced before anybody relied on it; it draws from no grant."""
    CARRIED = 2
    """Copied from an older file; it was counted there."""
    LEFT = 4
    """Carried: it may have been sent."""
    CONTINUED = 8


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was read."""

    kind: Kind
    flags: Flag
    epoch: int
    seq: int
    wall_ns: int
    payload: bytes


class BadRecord(ValueError):
    """The bytes are no record; the text says why."""


def encode(kind: Kind, flags: int, epoch: int, seq: int, wall_ns: int, payload: bytes) -> bytes:
    """Make the bytes of a record.

    Raises:
        StoreError: when the payload does not fit.
    """
    if len(payload) > PAYLOAD_MAX:
        raise StoreError(
            f"A journal record holds {PAYLOAD_MAX} bytes, this one needs {len(payload)}; "
            "the order must not leave. Its symbol, assets or numbers are absurdly long."
        )
    header = _HEADER.pack(_MAGIC, kind, flags, len(payload), epoch, 0, seq, wall_ns)
    covered = (header + payload).ljust(_COVERED, b"\x00")
    return covered + blake2b(covered, digest_size=_DIGEST_SIZE).digest()


def decode(data: bytes) -> Record:
    """Read a record.

    Raises:
        BadRecord: when it is not exactly what `encode` made.
    """
    if len(data) != RECORD_SIZE:
        raise BadRecord(f"{len(data)} of {RECORD_SIZE} bytes")
    magic, kind, flags, length, epoch, _, seq, wall_ns = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise BadRecord("does not begin as a record does")
    if blake2b(data[:_COVERED], digest_size=_DIGEST_SIZE).digest() != data[_COVERED:]:
        raise BadRecord("checksum does not match")
    try:
        return Record(
            kind=Kind(kind),
            flags=Flag(flags),
            epoch=epoch,
            seq=seq,
            wall_ns=wall_ns,
            payload=data[_HEADER.size : _HEADER.size + length],
        )
    except ValueError as fault:
        raise BadRecord(f"written by another version ({fault})") from fault


def encode_intent(intent: OrderIntent) -> bytes:
    """Write an intent as a payload.

    Raises:
        StoreError: when a text in it is none (a lone surrogate): the venue could not have been told either.
    """
    try:
        return _encoder.encode(intent)
    except UnicodeEncodeError as fault:
        raise StoreError(
            f"An intent holds a text that cannot be written ({fault}); the order must not leave."
        ) from None


def decode_intent(payload: bytes) -> OrderIntent:
    """Read an intent.

    Raises:
        BadRecord: when it is none.
    """
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as fault:
        raise BadRecord(f"holds no intent: {fault}") from fault
