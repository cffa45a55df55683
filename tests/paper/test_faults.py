"""Rehearsed faults: what is unknown stays unknown until the venue's own books answer (FIELD 4.4, row 5)."""

from msgspec.structs import replace

from mexc_sniper.model.events import LookUpKind, OrderLookedUp
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.venues.paper.options import Fault, FaultOdds
from tests.paper.world import PLAIN, PaperWorld, an_intent, an_order, running

S = OrderStatus


async def test_answer_lost_after_the_accept_is_in_doubt_and_ends_filled(world):
    world.show(asks="1.00x100")
    world.gateway.rehearse(Fault.LOST_AFTER)
    intent = an_intent(quantity="10")
    await world.trade_out(intent)
    assert world.statuses(intent) == [S.SUBMITTED, S.IN_DOUBT, S.ACCEPTED, S.FILLED]


async def test_order_lost_on_its_way_is_in_doubt_and_nowhere_to_be_found(world):
    world.show(asks="1.00x100")
    world.gateway.rehearse(Fault.LOST_BEFORE)
    intent = an_intent(quantity="10")
    await world.trade_out(intent)
    assert world.statuses(intent) == [S.SUBMITTED, S.IN_DOUBT]
    for kind in LookUpKind:
        world.gateway.look_up(an_order(intent, S.IN_DOUBT), kind)
    assert [event.found for event in world.said(OrderLookedUp)] == [None, None, None]
    assert (world.free("USDT"), world.locked("USDT")) == (10_000, 0)


async def test_busy_venue_refuses_with_429(world):
    world.show(asks="1.00x100")
    world.gateway.rehearse(Fault.BUSY)
    report = await world.trade_out(an_intent(quantity="10"))
    assert (report.status, report.code) == (S.REJECTED, 429)


async def test_order_on_its_way_is_not_known_to_the_venue_yet(world):
    intent = world.submit(an_intent(quantity="10"))
    world.gateway.look_up(an_order(intent), LookUpKind.ORDER)
    assert world.said(OrderLookedUp)[0].found is None


async def test_fault_odds_strike_by_the_seed_and_the_odds():
    odds = FaultOdds(not_sent=0.25, busy=0.25, lost_before=0.25, lost_after=0.25)
    seen = []
    for _ in range(2):
        async with running(PaperWorld(replace(PLAIN, faults=odds), seed=7)) as world:
            world.lists()
            world.show(asks="1.00x100000")
            intents = [an_intent(quantity="10") for _ in range(40)]
            for intent in intents:
                world.submit(intent)
            await world.clock.advance(0.2)
            seen.append([tuple(world.statuses(intent)) for intent in intents])
    assert seen[0] == seen[1]
    assert {statuses[-1] for statuses in seen[0]} == {S.NOT_SENT, S.REJECTED, S.IN_DOUBT, S.FILLED}
