"""Operator commands: done once, answered once, refused with one clear sentence."""

import msgspec
import pytest

from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import StartGateway, StopGateway, Submit
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.events import SourceChanged, SourceName
from mexc_sniper.model.health import ComponentStatus, MonitorStatus
from mexc_sniper.model.listing import ListingKind, Source
from mexc_sniper.model.order import OrderStatus
from tests.builders import (
    a_book,
    a_command,
    a_tick,
    an_instrument,
    at,
    candles_read,
    default_symbols_read,
    filled,
    instruments_read,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows


def _last(world: World):
    return world.results()[-1].result


def test_start_is_idempotent_and_begins_listening_once():
    world = World(running=False)
    world.hear(a_command(1, Verb.START_MONITOR), a_command(2, Verb.START_MONITOR))
    assert [entry.result.status for entry in world.results()] == [CommandStatus.DONE] * 2
    assert len(world.asked(StartGateway)) == 1
    assert world.engine.state.monitor.wanted


def test_stop_ends_listening_and_is_remembered():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.STOP_MONITOR), a_command(11, Verb.STOP_MONITOR))
    assert len(world.asked(StopGateway)) == 1
    again = World(world.restored(), seconds=20, running=False)
    assert again.engine.state.monitor.status is MonitorStatus.STOPPED


def test_stop_with_an_open_position_keeps_listening_until_it_is_sold():
    world = a_world_that_knows().hear(a_book(5, "OLDUSDT"))
    world.hear(a_command(6, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="10"))
    buy = world.asked(Submit)[-1].approved.intent
    world.hear(
        reported(6.1, buy, OrderStatus.SUBMITTED),
        filled(6.2, buy, price="1", quantity="10"),
        reported(6.2, buy, OrderStatus.FILLED, filled="10", quote="10"),
        a_command(10, Verb.STOP_MONITOR),
    )
    assert world.asked(StopGateway) == []
    world.hear(a_book(20, "OLDUSDT", bid="0.80", ask="0.81"))
    sell = world.asked(Submit)[-1].approved.intent
    assert sell.role.reduces_risk
    world.hear(
        reported(20.1, sell, OrderStatus.SUBMITTED),
        filled(20.2, sell, price="0.8", quantity="10", trade_id="2"),
        reported(20.2, sell, OrderStatus.FILLED, filled="10", quote="8"),
        a_tick(21),
    )
    assert len(world.asked(StopGateway)) == 1


def test_restart_with_an_open_position_listens_although_the_monitor_is_stopped():
    world = a_world_that_knows().hear(a_book(5, "OLDUSDT"))
    world.hear(a_command(6, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="10"))
    buy = world.asked(Submit)[-1].approved.intent
    world.hear(
        reported(6.1, buy, OrderStatus.SUBMITTED),
        filled(6.2, buy, price="1", quantity="10"),
        a_command(10, Verb.STOP_MONITOR),
    )
    positions = tuple(world.engine.state.trading.positions.values())
    restored = msgspec.structs.replace(world.restored(), positions=positions)
    again = World(restored, seconds=20, running=False)
    assert len(again.asked(StartGateway)) == 1
    again.hear(
        instruments_read(21, an_instrument("OLDUSDT"), an_instrument("NEWUSDT")),
        a_book(22, "OLDUSDT", bid="0.80", ask="0.81"),
    )
    assert again.asked(Submit)[-1].approved.intent.role.reduces_risk
    assert again.listings == {}


def test_same_command_delivered_twice_is_done_once():
    world = a_world_that_knows()
    command = a_command(10, Verb.INJECT_LISTING, symbol="TESTUSDT")
    world.hear(command, command)
    assert len(world.listings) == 1
    assert len(world.results()) == 1


def test_command_done_in_an_earlier_life_is_not_done_again():
    world = a_world_that_knows()
    command = a_command(10, Verb.INJECT_LISTING, symbol="TESTUSDT")
    world.hear(command)
    again = World(world.restored(), seconds=11)
    again.hear(command)
    assert again.listings == {}


def test_command_that_comes_too_late_is_expired_not_done():
    world = World(running=False)
    late = a_command(0, Verb.START_MONITOR)
    world.hear(type(late)(stamp=at(60), command=late.command))
    assert _last(world).status is CommandStatus.EXPIRED
    assert world.asked(StartGateway) == []


def test_injection_is_a_row_with_its_own_source_and_never_counts_as_detected():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.INJECT_LISTING, symbol="TESTUSDT"))
    listing = world.listing("TESTUSDT")
    assert (listing.kind, listing.source, listing.reason) == (
        ListingKind.INJECTED,
        Source.TEST_INJECTION,
        Reason.TEST_INJECTION,
    )
    assert _last(world).result["listingId"] == listing.id
    assert world.engine.state.monitor.listings_detected == 0


def test_injection_does_not_hide_a_real_listing_of_the_same_name():
    world = a_world_that_knows()
    world.hear(
        a_command(10, Verb.INJECT_LISTING, symbol="ALPHAUSDT"),
        default_symbols_read(20, *OLD, "ALPHAUSDT"),
        instruments_read(20.2, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(20.4, "ALPHAUSDT"),
    )
    kinds = sorted(listing.kind for listing in world.listings.values())
    assert kinds == [ListingKind.INJECTED, ListingKind.NEW]


def test_injection_while_stopped_is_refused_with_409():
    world = World(running=False)
    world.hear(a_command(1, Verb.INJECT_LISTING, symbol="TESTUSDT"))
    assert (_last(world).code, _last(world).http_status) == ("monitor_stopped", 409)
    assert world.listings == {}


@pytest.mark.parametrize("symbol", ["", "   ", None, 5, "A" * 65, "EVIL\x00USDT", "LINE\nUSDT"])
def test_injection_of_something_that_is_no_symbol_is_refused_with_422(symbol):
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.INJECT_LISTING, symbol=symbol))
    assert (_last(world).code, _last(world).http_status) == ("invalid_symbol", 422)


@pytest.mark.parametrize("symbol", ["币安人生USDT", "<img src=x>USDT", "abcUSDT"])
def test_injection_takes_any_visible_name(symbol):
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.INJECT_LISTING, symbol=symbol))
    assert world.listing(symbol).symbol == symbol


def test_config_change_makes_the_next_version_and_survives_a_restart():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.UPDATE_CONFIG, version=1, config={"tradeUsdt": "25"}))
    assert _last(world).result == {"version": 2}
    again = World(world.restored(), seconds=20)
    assert str(again.engine.state.config.config.trade_usdt) == "25"


def test_config_change_on_an_old_version_is_refused():
    world = a_world_that_knows()
    world.hear(
        a_command(10, Verb.UPDATE_CONFIG, version=1, config={"tradeUsdt": "25"}),
        a_command(11, Verb.UPDATE_CONFIG, version=1, config={"tradeUsdt": "30"}),
    )
    assert (_last(world).code, _last(world).http_status) == ("stale_version", 409)
    assert world.engine.state.config.version == 2


@pytest.mark.parametrize(
    "change", [{"tradeUsdt": "-1"}, {"tradeUsdt": "many"}, {"nonsense": 1}, {"stopLossPct": "101"}]
)
def test_config_change_that_is_invalid_names_the_field(change):
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.UPDATE_CONFIG, config=change))
    assert _last(world).code == "invalid_config"
    assert list(_last(world).result["fields"]) == list(change)
    assert world.engine.state.config.version == 1


def test_monitor_is_degraded_while_an_essential_source_is_down_and_recovers():
    world = a_world_that_knows()

    def say(second: float, status: ComponentStatus, source: SourceName) -> MonitorStatus:
        world.hear(SourceChanged(stamp=at(second), source=source, status=status, detail="x" if status != "ok" else ""))
        return world.engine.state.monitor.status

    assert say(10, ComponentStatus.OK, SourceName.STREAM) is MonitorStatus.RUNNING
    assert say(11, ComponentStatus.DOWN, SourceName.STREAM) is MonitorStatus.DEGRADED
    assert not world.engine.state.monitor.websocket_connected
    assert say(12, ComponentStatus.OK, SourceName.STREAM) is MonitorStatus.RUNNING
    assert say(13, ComponentStatus.UNAVAILABLE, SourceName.CALENDAR) is MonitorStatus.RUNNING
