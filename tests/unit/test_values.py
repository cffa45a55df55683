"""Numbers from the venue: plain ASCII decimals and nothing else (RELIABILITY 2.1, row 12)."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mexc_sniper.core.values import (
    MalformedNumber,
    decimal_from_text,
    price_from_text,
    quantity_from_text,
    text_from_decimal,
)


@pytest.mark.parametrize("text", ["0", "1", "-1", "84270", "84270.00", "0.00000001", "123456789.123456789"])
def test_plain_decimal_is_read_exactly(text):
    assert decimal_from_text(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1.", ".5", "01", "1e5", "1E400", "NaN", "Infinity", "-Infinity", "1_000", "１２", "٣",
     "1,5", "0x10", "--1", "1\n", "9" * 39, "0." + "1" * 39],
)  # fmt: skip
def test_anything_that_python_would_also_call_a_number_is_refused(text):
    with pytest.raises(MalformedNumber):
        decimal_from_text(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_but_never_crashes(text):
    try:
        value = decimal_from_text(text)
    except MalformedNumber:
        return
    assert value.is_finite()
    assert text.isascii()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**20, places=12))
def test_decimal_survives_the_way_to_text_and_back(value):
    assert decimal_from_text(text_from_decimal(value)) == value


def test_price_of_zero_and_negative_quantity_are_refused():
    with pytest.raises(MalformedNumber):
        price_from_text("0")
    with pytest.raises(MalformedNumber):
        quantity_from_text("-0.1")
    assert quantity_from_text("0") == 0
