"""How fast orders leave: the bucket, the venue's hard limit, the lane of exits, and who waits for whom."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.runtime.throttle import BURST, RESERVED, VENUE_LIMIT, Lane, Throttle, WaitingOrders

FOREVER = 10**18


def leave_all(throttle: Throttle, lane: Lane, count: int, start: int = NS_PER_S) -> list[int]:
    """The instants at which ``count`` requests leave, each as early as it may."""
    now, left = start, []
    while len(left) < count:
        wait = throttle.take(lane, now)
        if wait == 0:
            left.append(now)
        now += wait
    return left


def test_burst_of_fifty_leaves_at_n_minus_five_over_the_rate():
    left = leave_all(Throttle(), Lane.ENTRY, 50)
    assert left[:BURST] == [NS_PER_S] * BURST
    assert left[-1] - left[0] == (50 - BURST) * NS_PER_S // 5
    assert left == [NS_PER_S + max(0, n - BURST) * NS_PER_S // 5 for n in range(1, 51)]


@pytest.mark.parametrize("rate", [1, 5, 12])
def test_entries_never_use_the_part_of_the_limit_kept_for_exits(rate):
    left = leave_all(Throttle(rate_per_s=rate, burst=10), Lane.ENTRY, 60)
    for at in left:
        assert sum(at - NS_PER_S < other <= at for other in left) <= VENUE_LIMIT - RESERVED


def test_exit_leaves_at_once_when_entries_have_used_all_their_room():
    throttle = Throttle(rate_per_s=12, burst=10)
    leave_all(throttle, Lane.ENTRY, 10)
    assert throttle.take(Lane.ENTRY, NS_PER_S) > 0
    assert throttle.take(Lane.EXIT, NS_PER_S) == 0
    assert throttle.take(Lane.CANCEL, NS_PER_S) == 0
    assert throttle.take(Lane.CANCEL, NS_PER_S) == NS_PER_S  # the venue's own limit holds for everyone


def test_what_exits_take_is_paid_back_by_entries_but_no_more_than_a_burst():
    throttle = Throttle()
    assert [throttle.take(Lane.EXIT, NS_PER_S) for _ in range(12)] == [0] * 12
    assert throttle.tokens(NS_PER_S) == -BURST
    assert throttle.take(Lane.ENTRY, NS_PER_S) == (BURST + 1) * NS_PER_S // 5


def test_wait_that_was_answered_is_long_enough():
    throttle = Throttle()
    leave_all(throttle, Lane.ENTRY, 5)
    wait = throttle.take(Lane.ENTRY, NS_PER_S)
    assert throttle.take(Lane.ENTRY, NS_PER_S + wait - 1) == 1
    assert throttle.take(Lane.ENTRY, NS_PER_S + wait) == 0


@pytest.mark.parametrize(
    "settings", [{"rate_per_s": 0}, {"rate_per_s": 13}, {"rate_per_s": -1}, {"burst": 0}, {"burst": 11}]
)
def test_rate_or_burst_beyond_the_venues_limit_is_refused(settings):
    with pytest.raises(ValueError):
        Throttle(**settings)


def test_waiting_exits_go_first_then_the_most_valuable_entry_then_the_earliest():
    throttle = Throttle()
    leave_all(throttle, Lane.ENTRY, 5)
    waiting: WaitingOrders[str] = WaitingOrders(throttle)
    for name, lane, value in [
        ("small", Lane.ENTRY, 10),
        ("big", Lane.ENTRY, 90),
        ("also big", Lane.ENTRY, 90),
        ("exit", Lane.EXIT, 1),
        ("cancel", Lane.CANCEL, 0),
    ]:
        assert waiting.add(name, lane, value=value, expires_ns=FOREVER) is None
    order, now = [], NS_PER_S
    while len(waiting):
        order += waiting.due(now)
        now = waiting.wake_ns(now) or now
    assert order == ["cancel", "exit", "big", "also big", "small"]


def test_newcomer_does_not_overtake_who_waits_in_its_lane_but_an_exit_overtakes_entries():
    throttle = Throttle()
    waiting: WaitingOrders[str] = WaitingOrders(throttle)
    waiting.add("entry", Lane.ENTRY, value=1, expires_ns=FOREVER)
    assert not waiting.may_leave(Lane.ENTRY, NS_PER_S)
    assert waiting.may_leave(Lane.EXIT, NS_PER_S)


def test_waiting_entry_expires_and_takes_no_room():
    throttle = Throttle()
    leave_all(throttle, Lane.ENTRY, 5)
    waiting: WaitingOrders[str] = WaitingOrders(throttle)
    waiting.add("late", Lane.ENTRY, value=9, expires_ns=NS_PER_S + 50 * NS_PER_MS)
    waiting.add("patient", Lane.ENTRY, value=1, expires_ns=FOREVER)
    assert waiting.wake_ns(NS_PER_S) == NS_PER_S + 50 * NS_PER_MS
    now = NS_PER_S + 200 * NS_PER_MS
    assert waiting.expired(now) == ["late"]
    assert waiting.due(now) == ["patient"]


def test_full_queue_turns_the_least_valuable_entry_away_and_never_an_exit():
    waiting: WaitingOrders[str] = WaitingOrders(Throttle(), limit=2)
    waiting.add("exit", Lane.EXIT, value=0, expires_ns=FOREVER)
    waiting.add("cheap", Lane.ENTRY, value=1, expires_ns=FOREVER)
    assert waiting.add("cheaper", Lane.ENTRY, value=0.5, expires_ns=FOREVER) == "cheaper"
    assert waiting.add("dear", Lane.ENTRY, value=2, expires_ns=FOREVER) == "cheap"
    assert waiting.clear() == ["exit", "dear"]
    assert waiting.wake_ns(0) is None


class ThrottleMachine(RuleBasedStateMachine):
    """Against a model that remembers everything: every instant at which anything left."""

    @initialize(rate=st.integers(1, 12), burst=st.integers(1, 10))
    def begin(self, rate, burst):
        self.throttle = Throttle(rate_per_s=rate, burst=burst)
        self.rate, self.burst = rate, burst
        self.now = NS_PER_S
        self.left: list[tuple[int, Lane]] = []

    @rule(passed=st.one_of(st.integers(0, 3 * NS_PER_S), st.integers(0, 1000)))
    def time_passes(self, passed):
        self.now += passed

    @rule(lane=st.sampled_from(Lane))
    def someone_asks(self, lane):
        expected = self.throttle.wait_ns(lane, self.now)
        wait = self.throttle.take(lane, self.now)
        assert wait == expected >= 0
        if wait == 0:
            self.left.append((self.now, lane))
        else:
            assert wait <= max(NS_PER_S, 2 * self.burst * NS_PER_S // self.rate)

    @rule(lane=st.sampled_from(Lane))
    def someone_waits_until_there_is_room(self, lane):
        self.now += self.throttle.wait_ns(lane, self.now)
        assert self.throttle.take(lane, self.now) == 0
        self.left.append((self.now, lane))

    @invariant()
    def no_second_holds_more_than_the_venue_takes(self):
        recent = [at for at, _ in getattr(self, "left", []) if at > self.now - 2 * NS_PER_S]
        for at in recent:
            assert sum(at <= other < at + NS_PER_S for other in recent) <= VENUE_LIMIT

    @invariant()
    def entries_keep_to_burst_and_rate_over_any_span(self):
        entries = [at for at, lane in getattr(self, "left", []) if lane is Lane.ENTRY]
        for first in range(max(0, len(entries) - 30), len(entries)):
            span = entries[-1] - entries[first]
            assert len(entries) - first <= self.burst + span * self.rate // NS_PER_S + 1


TestThrottleMachine = ThrottleMachine.TestCase
TestThrottleMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
