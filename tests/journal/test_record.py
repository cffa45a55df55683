"""A record comes back exactly as written, or is known to be bad; nothing in between."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.core.errors import StoreError
from mexc_sniper.journal.record import (
    PAYLOAD_MAX,
    RECORD_SIZE,
    ZERO_BYTE,
    BadRecord,
    Flag,
    Kind,
    decode,
    decode_intent,
    encode,
    encode_intent,
)
from mexc_sniper.model.account import Account
from tests.builders import T0_NS
from tests.journal.builders import an_intent

TEXTS = st.text(st.characters(), max_size=60) | st.sampled_from(["\x00", "\ud800", "x\udfff", "𝒳" * 70, "", "'; --"])
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=0, max_value=10**30)


def the_record(payload: bytes = b"payload") -> bytes:
    return encode(Kind.INTENT, Flag.DURABLE, 7, 2**40, T0_NS, payload)


@given(symbol=TEXTS, base=TEXTS, command=TEXTS, quantity=NUMBERS, price=st.none() | NUMBERS)
def test_intent_with_any_texts_comes_back_or_is_refused_loudly(
    symbol: str, base: str, command: str, quantity: Decimal, price: Decimal | None
) -> None:
    intent = an_intent(symbol=symbol, base=base, command_id=command, quantity=quantity, price=price)
    try:
        record = encode(Kind.INTENT, 0, 1, 1, T0_NS, encode_intent(intent))
    except StoreError:
        return  # told apart from what may leave; that ordinary names fit is tested below
    assert len(record) == RECORD_SIZE
    assert decode_intent(decode(record).payload) == intent


def test_intent_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(StoreError, match="must not leave"):
        encode_intent(an_intent(symbol="\ud800"))


def test_intent_of_the_longest_ordinary_names_fits() -> None:
    intent = an_intent(
        symbol="𝒳" * 20 + "USDT", base="𝒳" * 20, command_id="C" + "f" * 24, listing_id="L" + "f" * 15,
        quantity=Decimal("123456789012.123456789012345678"), price=Decimal("123456789012.123456789012345678"),
        reference_price=Decimal("123456789012.123456789012345678"), position_id="P" + "f" * 14,
    )  # fmt: skip
    assert len(encode_intent(intent)) < PAYLOAD_MAX * 0.9


@given(payload=st.binary(max_size=PAYLOAD_MAX))
def test_payload_comes_back_whatever_its_bytes(payload: bytes) -> None:
    record = decode(the_record(payload))
    assert (record.kind, record.flags, record.epoch, record.seq, record.wall_ns, record.payload) == (
        Kind.INTENT, Flag.DURABLE, 7, 2**40, T0_NS, payload,
    )  # fmt: skip


def test_payload_that_is_too_long_is_refused() -> None:
    with pytest.raises(StoreError, match="must not leave"):
        the_record(bytes(PAYLOAD_MAX + 1))


@given(bit=st.integers(0, RECORD_SIZE * 8 - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(the_record())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadRecord):
        decode(bytes(data))


@given(whole=st.integers(0, RECORD_SIZE - 1))
def test_half_a_record_is_noticed(whole: int) -> None:
    record = the_record(bytes(range(1, 200)))
    torn = record[:whole] + bytes(RECORD_SIZE - whole)
    if torn != record:
        with pytest.raises(BadRecord):
            decode(torn)
    with pytest.raises(BadRecord):
        decode(record[:whole])


@given(payload=st.binary(max_size=PAYLOAD_MAX), epoch=st.integers(0, 2**32 - 1), seq=st.integers(0, 2**63 - 1))
def test_byte_that_warming_may_write_is_zero_in_every_record(payload: bytes, epoch: int, seq: int) -> None:
    assert encode(Kind.SENT, 0, epoch, seq, T0_NS, payload)[ZERO_BYTE] == 0


def test_intent_of_another_version_is_bad() -> None:
    with pytest.raises(BadRecord):
        decode_intent(b"\x81\xa2id\x01")
    assert an_intent().account is Account.LIVE
