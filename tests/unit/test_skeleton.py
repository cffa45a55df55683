"""Look-alike names (RELIABILITY 2.7, row 99; FIELD 7, trap 20)."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mexc_sniper.policy.skeleton import looks_like, skeleton


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("ВТС", "BTC"),  # Cyrillic throughout
        ("ＢＴＣ", "BTC"),  # full width
        ("B\u200bTC", "BTC"),  # zero-width space
        ("BTC\u202e", "BTC"),  # right-to-left mark
        ("ΕΤΗ", "ETH"),  # Greek
        ("ЅOL", "SOL"),
        ("btc", "BTC"),
        ("BTĆ", "BTC"),
    ],
)
def test_name_that_reads_the_same_but_is_written_differently_is_noticed(name, other):
    assert looks_like(name, other)


@pytest.mark.parametrize(("name", "other"), [("BTC", "BTC"), ("BTC2", "BTC"), ("SOL", "S0L"), ("币安", "币案")])
def test_same_name_and_honestly_different_names_are_not_look_alikes(name, other):
    assert not looks_like(name, other)


@given(st.text(max_size=30))
def test_skeleton_is_stable(name):
    assert skeleton(skeleton(name)) == skeleton(name)
