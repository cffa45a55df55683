"""The understudy's dry runs: they reach an order every time, and touch nothing but themselves."""

from mexc_sniper.engine.effects import Submit
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.runtime.rehearsal import (
    DUE_EVERY_S,
    NEAR_EVERY_S,
    Rehearsal,
    opening_is_due,
    opening_is_near,
    rehearse_every_s,
)
from tests.builders import a_calendar_entry, calendar_read, ns
from tests.engine_world import a_world_that_knows
from tests.scenario.test_prepared import announced


def test_every_rehearsal_comes_as_far_as_an_order():
    rehearsal = Rehearsal(LoopClock())
    for _ in range(20):
        rehearsal.play()
    assert rehearsal.entered == 20


def test_rehearsals_do_not_grow():
    rehearsal = Rehearsal(LoopClock())
    rehearsal.play()
    state = rehearsal._engine.state
    before = (len(state.baseline), len(state.active), len(state.evidence), len(state.components), len(state.calendar))
    for _ in range(50):
        rehearsal.play()
    after = (len(state.baseline), len(state.active), len(state.evidence), len(state.components), len(state.calendar))
    assert after == before
    assert not state.trading.orders
    assert not state.trading.trades


def test_rehearsal_leaves_a_real_engine_alone():
    world = a_world_that_knows()
    Rehearsal(LoopClock()).play()
    assert not world.asked(Submit)
    assert set(world.engine.state.active) == set()


def test_opening_is_near_a_minute_before_its_announced_time():
    world = a_world_that_knows().hear(calendar_read(10, a_calendar_entry(opens_s=3600)))
    world.hear(calendar_read(11, a_calendar_entry(opens_s=3600)))
    assert not opening_is_near(world.engine.state)
    world.engine.state.now_ns += 3_550 * 10**9
    assert opening_is_near(world.engine.state)


def test_no_opening_is_near_where_nothing_is_listed():
    assert not opening_is_near(a_world_that_knows().engine.state)


def test_latch_keeps_rehearsals_from_the_door_and_is_left_to_others(tmp_path):
    latch = tmp_path / "kill.latch"
    latch.write_text("{}")
    rehearsal = Rehearsal(LoopClock(), latch)
    rehearsal.play()
    assert rehearsal.entered == 0
    assert latch.exists()


def test_opening_is_due_around_its_time_and_only_while_its_entry_lies_ready():
    world = announced()
    state = world.engine.state
    due = []
    for second in (30, 34.9, 35.1, 49.9, 50.1):
        state.now_ns = ns(second)
        due.append(opening_is_due(state))
    assert due == [False, False, True, True, False]
    state.now_ns = ns(40)
    state.trading.prepared.clear()
    assert not opening_is_due(state)


def test_opening_is_due_around_its_time_where_no_entry_is_ever_made_ready():
    state = announced().engine.state
    state.trading.prepare = False
    state.trading.prepared.clear()
    due = []
    for second in (30, 35.1, 49.9, 50.1):
        state.now_ns = ns(second)
        due.append(opening_is_due(state))
    assert due == [False, True, True, False]


def test_rehearsals_are_closer_together_while_an_opening_is_due():
    state = announced().engine.state
    state.now_ns = ns(20)
    assert rehearse_every_s(state) == NEAR_EVERY_S
    state.now_ns = ns(40)
    assert rehearse_every_s(state) == DUE_EVERY_S
    assert rehearse_every_s(a_world_that_knows().engine.state) is None
