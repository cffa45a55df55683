"""The venue's clock: median, outliers, caches and steps of our own."""

import pytest

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.venues.mexc.time_sync import OffsetEstimate
from tests.venue.clock import ManualClock

OFFSET = 1_234 * NS_PER_MS


def _probe(estimate, clock, *, offset_ns=OFFSET, there_ms=10, back_ms=10):
    """A probe whose way there and back take these times; the venue writes whole milliseconds."""
    sent = clock.now
    clock.now += there_ms * NS_PER_MS
    venue_ns = (clock.wall_ns() + offset_ns) // NS_PER_MS * NS_PER_MS
    clock.now += back_ms * NS_PER_MS
    estimate.add(venue_ns, sent_mono_ns=sent, received_mono_ns=clock.now, received_wall_ns=clock.wall_ns())
    clock.now += NS_PER_S


def test_offset_is_known_within_its_uncertainty():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(5):
        _probe(estimate, clock)
    assert abs(estimate.offset_ns - OFFSET) <= NS_PER_MS
    assert estimate.uncertainty_ns is not None
    assert 10 * NS_PER_MS <= estimate.uncertainty_ns <= 12 * NS_PER_MS


def test_one_slow_probe_moves_nothing():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(4):
        _probe(estimate, clock)
    _probe(estimate, clock, there_ms=10, back_ms=800)
    assert abs(estimate.offset_ns - OFFSET) <= NS_PER_MS


def test_one_wrong_venue_time_moves_nothing():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(4):
        _probe(estimate, clock)
    _probe(estimate, clock, offset_ns=OFFSET + 60 * NS_PER_S)
    assert abs(estimate.offset_ns - OFFSET) <= NS_PER_MS


def test_uneven_way_stays_within_the_uncertainty():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(5):
        _probe(estimate, clock, there_ms=2, back_ms=40)
    assert estimate.uncertainty_ns is not None
    assert abs(estimate.offset_ns - OFFSET) <= estimate.uncertainty_ns


def test_cached_venue_time_is_left_out():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(3):
        _probe(estimate, clock)
    known = estimate.offset_ns
    stale = estimate._last_venue_ns
    clock.now += 30 * NS_PER_S
    for _ in range(9):
        clock.now += NS_PER_S
        estimate.add(stale, sent_mono_ns=clock.now, received_mono_ns=clock.now + 1, received_wall_ns=clock.wall_ns())
    assert estimate.offset_ns == known


@pytest.mark.parametrize(("step_ms", "stepped"), [(499, False), (501, True), (-2000, True)])
def test_step_of_our_wall_clock_voids_what_was_measured(step_ms, stepped):
    clock, estimate = ManualClock(), OffsetEstimate()
    estimate.stepped(clock.wall_ns(), clock.mono_ns())
    _probe(estimate, clock)
    clock.step_ns += step_ms * NS_PER_MS
    assert estimate.stepped(clock.wall_ns(), clock.mono_ns()) is stepped
    assert (estimate.uncertainty_ns is None) is stepped


def test_old_probes_age_out_when_the_clocks_drift():
    clock, estimate = ManualClock(), OffsetEstimate()
    for _ in range(9):
        _probe(estimate, clock)
    clock.now += 300 * NS_PER_S
    _probe(estimate, clock, offset_ns=OFFSET + 80 * NS_PER_MS)
    assert abs(estimate.offset_ns - OFFSET - 80 * NS_PER_MS) <= NS_PER_MS
