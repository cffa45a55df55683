"""What a restart, a stop and an outage may and may not change (FIELD 7, trap 1; MISSION "Restart")."""

from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import StartGateway, Watch
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.health import MonitorStatus
from mexc_sniper.model.listing import ListingKind, Outcome, Phase
from tests.builders import (
    a_calendar_entry,
    a_command,
    a_tick,
    a_trade,
    an_instrument,
    calendar_read,
    candles_read,
    default_symbols_read,
    instruments_read,
    ns,
)
from tests.engine_world import OLD, World, a_world_that_knows

HOUR = 3600.0


def _next_life(world: World, seconds: float) -> World:
    return World(world.restored(), seconds=seconds, running=False)


def test_restart_remembers_the_baseline_and_reports_nothing_twice():
    world = a_world_that_knows()
    world.hear(
        default_symbols_read(10, *OLD, "ALPHAUSDT"),
        instruments_read(10.2, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(10.4, "ALPHAUSDT"),
        a_trade(10.5),
    )
    rows = [an_instrument(name) for name in (*OLD, "ALPHAUSDT")]
    again = _next_life(world, 20).hear(
        instruments_read(21, *rows), default_symbols_read(21.5, *OLD, "ALPHAUSDT"), a_trade(22)
    )
    assert again.listings == {}
    assert again.engine.state.monitor.listings_detected == 1


def test_restart_goes_on_running_when_the_operator_wanted_it_running():
    world = a_world_that_knows()
    again = _next_life(world, 20)
    assert again.engine.state.monitor.status is MonitorStatus.RUNNING
    assert len(again.asked(StartGateway)) == 1


def test_very_first_start_waits_for_the_operator():
    world = World(running=False)
    assert world.engine.state.monitor.status is MonitorStatus.STOPPED
    assert world.asked(StartGateway) == []


def test_listing_that_opened_while_the_bot_was_down_is_reported_late_not_new_enough():
    world = a_world_that_knows()
    world.hear(a_tick(60))
    again = _next_life(world, 6 * HOUR)
    again.hear(
        instruments_read(
            6 * HOUR + 1,
            an_instrument("ALPHAUSDT", first_open_s=3 * HOUR),
            *(an_instrument(name) for name in OLD),
        ),
        default_symbols_read(6 * HOUR + 1.2, *OLD, "ALPHAUSDT"),
        candles_read(6 * HOUR + 2, "ALPHAUSDT", 3 * HOUR),
        a_trade(6 * HOUR + 2.5),
    )
    listing = again.listing("ALPHAUSDT")
    assert listing.kind is ListingKind.NEW
    assert listing.late
    assert (listing.outcome, listing.reason) == (Outcome.MISSED, Reason.DETECTED_LATE)
    assert listing.listed_at_ns == ns(3 * HOUR)


def test_listing_that_opened_seconds_after_a_restart_is_not_late():
    world = a_world_that_knows()
    again = _next_life(world, 100)
    again.hear(
        instruments_read(101, an_instrument("ALPHAUSDT", first_open_s=100.5), *(an_instrument(name) for name in OLD)),
        default_symbols_read(101.2, *OLD, "ALPHAUSDT"),
        candles_read(101.4, "ALPHAUSDT", 60),
        a_trade(101.5),
        a_tick(102),
    )
    listing = again.listing("ALPHAUSDT")
    assert not listing.late
    assert listing.reason is Reason.NO_BOOK


def test_relist_during_downtime_is_still_a_relist():
    world = a_world_that_knows()
    again = _next_life(world, HOUR)
    again.hear(
        instruments_read(HOUR + 1, an_instrument("ALPHAUSDT"), *(an_instrument(name) for name in OLD)),
        default_symbols_read(HOUR + 1.2, *OLD, "ALPHAUSDT"),
        candles_read(HOUR + 2, "ALPHAUSDT", -90 * 86_400, interval_s=86_400),
        a_trade(HOUR + 3),
    )
    assert again.listing("ALPHAUSDT").kind is ListingKind.RELIST


def test_scheduled_listing_is_followed_across_a_restart():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("ALPHA", opens_s=500)), candles_read(11, "ALPHAUSDT"))
    identity = world.listing("ALPHAUSDT").id
    again = _next_life(world, 100)
    assert [ask.symbol for ask in again.asked(Watch)][:1] == ["ALPHAUSDT"]
    again.hear(
        calendar_read(101, a_calendar_entry("ALPHA", opens_s=500)),
        candles_read(102, "ALPHAUSDT"),
        a_trade(500.2, event_s=500.1),
    )
    listing = again.listing("ALPHAUSDT")
    assert (listing.id, listing.phase, listing.listed_at_ns) == (identity, Phase.OPEN, ns(500))
    assert listing.kind is ListingKind.NEW
    assert not listing.late


def test_second_episode_of_a_symbol_has_an_id_of_its_own():
    world = a_world_that_knows()
    alpha = a_calendar_entry("ALPHA", opens_s=5000)
    world.hear(calendar_read(10, alpha), *(calendar_read(second) for second in (20, 30, 40, 50)))
    world.hear(calendar_read(60, alpha))
    phases = {listing.id: listing.phase for listing in world.listings.values()}
    assert sorted(phases.values()) == [Phase.SCHEDULED, Phase.WITHDRAWN]


def test_stop_then_start_treats_the_pause_as_unwatched():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.STOP_MONITOR))
    assert world.engine.state.monitor.status is MonitorStatus.STOPPED
    world.hear(a_command(2 * HOUR, Verb.START_MONITOR))
    world.hear(
        default_symbols_read(2 * HOUR + 1, *OLD, "ALPHAUSDT"),
        instruments_read(2 * HOUR + 2, an_instrument("ALPHAUSDT", first_open_s=HOUR), names=set(OLD)),
        candles_read(2 * HOUR + 3, "ALPHAUSDT", HOUR),
        a_trade(2 * HOUR + 4),
    )
    assert world.listing("ALPHAUSDT").late


def test_outage_of_an_hour_makes_what_opened_in_it_late():
    world = a_world_that_knows()
    world.hear(
        default_symbols_read(HOUR, *OLD, "ALPHAUSDT"),
        instruments_read(HOUR + 0.5, an_instrument("ALPHAUSDT", first_open_s=HOUR / 2), names=set(OLD)),
        candles_read(HOUR + 1, "ALPHAUSDT", HOUR / 2),
        a_trade(HOUR + 2),
    )
    assert world.listing("ALPHAUSDT").late
