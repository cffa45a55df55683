"""Times as text: always UTC, always with a zone."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mexc_sniper.core.clock import NS_PER_MS, SystemClock, iso_from_ns, ns_from_iso


def test_time_is_written_in_utc_with_milliseconds():
    assert iso_from_ns(1_795_347_000_123_456_789) == "2026-11-22T11:30:00.123Z"


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_time_survives_the_way_to_text_and_back_to_the_millisecond(milliseconds):
    assert ns_from_iso(iso_from_ns(milliseconds * NS_PER_MS)) == milliseconds * NS_PER_MS


def test_offset_is_honoured():
    assert ns_from_iso("2026-11-22T19:30:00+08:00") == ns_from_iso("2026-11-22T11:30:00Z")


@pytest.mark.parametrize("text", ["2026-11-22T11:30:00", "2026-11-22", "soon", ""])
def test_time_without_a_zone_is_refused(text):
    with pytest.raises(ValueError):
        ns_from_iso(text)


def test_monotonic_clock_never_goes_back():
    clock = SystemClock()
    reads = [clock.mono_ns() for _ in range(100)]
    assert reads == sorted(reads)
