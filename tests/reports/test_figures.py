"""Percentiles and histograms, checked against the definition."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mexc_sniper.reports.figures import Window, percentile, spread

NS_PER_MS = 1_000_000


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentile_is_the_smallest_value_that_covers_the_share(values: list[int], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found is not None
    covered = sum(value <= found for value in ordered)
    below = sum(value < found for value in ordered)
    need = math.ceil(round(len(ordered) * share, 6))
    assert below < need <= covered


@given(st.lists(st.integers(0, 10**11), max_size=300))
def test_every_value_is_in_exactly_one_bin(values: list[int]) -> None:
    found = spread(values)
    assert found.count == len(values) == sum(one.count for one in found.bins)
    low = -1
    for one in found.bins:
        if one.up_to_ns is not None and low >= 0:
            assert one.count == sum(low < value <= one.up_to_ns for value in values)
        low = -1 if one.up_to_ns is None else one.up_to_ns
    if found.bins:
        assert min(found.bins[0].count, found.bins[-1].count) > 0, "no empty bins at the ends"


def test_nothing_measured_is_none_and_not_zero() -> None:
    found = spread([])
    assert (found.count, found.p50_ns, found.p99_ns, found.bins) == (0, None, None, ())


def test_windows_look_back_from_now() -> None:
    hour = 3_600 * 10**9
    assert Window.HOUR.since_ns(10 * hour) == 9 * hour
    assert Window.ALL.since_ns(10 * hour) == 0
