"""The paper account after a restart: nobody else could give it back (DESIGN 2)."""

from msgspec.structs import replace

from mexc_sniper.core.ids import PositionId
from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import BalancesRead, FillsReported, LookUpKind, OrderLookedUp
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderStatus, OrderType
from mexc_sniper.model.position import Position
from mexc_sniper.model.restored import Restored
from tests.paper.world import PaperWorld, an_intent, an_order, d, restored_after, running

S = OrderStatus


def next_life(world: PaperWorld, restored: Restored) -> PaperWorld:
    return PaperWorld(restored=restored, clock=world.clock, epoch=2)


def a_position(quantity: str) -> Position:
    return Position(
        id=PositionId("P1"),
        account=Account.PAPER,
        symbol=an_intent().symbol,
        base=Asset("ALPHA"),
        quote=Asset("USDT"),
        quantity=Quantity(d(quantity)),
    )


async def test_first_start_says_the_starting_balance():
    async with running(PaperWorld()) as world:
        (read,) = world.said(BalancesRead)
        assert read.complete
        assert [(b.asset, b.free, b.locked) for b in read.balances] == [("USDT", 10_000, 0)]


async def test_balances_and_waiting_orders_go_on(world):
    await world.hold("100")
    waiting = an_intent(Side.SELL, OrderType.LIMIT, quantity="40", price="1.25")
    await world.trade_out(waiting)
    world.trade("1.30x15", Side.BUY)
    restored = replace(restored_after(world, waiting), positions=(a_position("85"),))
    async with running(next_life(world, restored)) as after:
        after.lists()
        assert (after.free("ALPHA"), after.locked("ALPHA")) == (60, 25)
        assert after.free("USDT") == world.free("USDT")
        assert after.statuses(waiting) == []
        after.trade("1.30x15", Side.BUY)
        assert after.statuses(waiting) == [], "a trade of the instant of the start may be older than it"
        await world.clock.advance(0.1)
        after.trade("1.30x100", Side.BUY)
        assert after.reports(waiting)[-1].filled_quantity == 40
        trade_ids = [fill.trade_id for fill in world.fills(waiting) + after.fills(waiting)]
        assert len(set(trade_ids)) == len(trade_ids)


async def test_order_that_was_on_its_way_ends_canceled_with_what_it_had_filled(world):
    world.show(asks="1.00x100")
    flying = world.submit(an_intent(amount="20"))
    restored = restored_after(world, flying)
    async with running(next_life(world, restored)) as after:
        assert after.statuses(flying) == [S.SUBMITTED, S.CANCELED]
        assert after.reports(flying)[-1].filled_quantity == 0
        assert (after.free("USDT"), after.locked("USDT")) == (10_000, 0)
        after.gateway.look_up(an_order(flying), LookUpKind.ORDER)
        (answer,) = after.said(OrderLookedUp)
        assert answer.found is not None
        assert answer.found.status is S.CANCELED


async def test_intent_that_may_have_left_is_told_as_submitted_first(world):
    """INTENDED may not become CANCELED (the order table); SUBMITTED may, and IN_DOUBT ignores it."""
    intended = an_intent(amount="20")
    restored = Restored(orders=(an_order(intended, S.INTENDED),))
    async with running(next_life(world, restored)) as after:
        assert after.statuses(intended) == [S.SUBMITTED, S.CANCELED]


async def test_question_asked_before_the_run_is_answered_once_it_runs(world):
    done = an_intent(amount="20")
    restored = Restored(orders=(an_order(done, S.CANCELED),))
    after = next_life(world, restored)
    after.gateway.look_up(an_order(done), LookUpKind.ORDER)
    assert after.events == []
    async with running(after):
        assert len(after.said(OrderLookedUp)) == 1


async def test_ended_order_is_not_sent_again_after_a_restart(world):
    done = an_intent(amount="20")
    restored = Restored(orders=(an_order(done, S.CANCELED),))
    async with running(next_life(world, restored)) as after:
        after.submit(done)
        await world.clock.advance(0.2)
        assert after.reports(done) == []


async def test_buy_whose_fill_was_stored_without_its_balances_is_paid_for(world):
    """The power went between two transactions."""
    world.show(asks="1.00x100")
    intent = an_intent(quantity="30")
    await world.trade_out(intent)
    fills = tuple(fill for event in world.said(FillsReported) for fill in event.fills)
    order = an_order(intent, S.ACCEPTED)
    torn = Restored(orders=(order,), fills=fills, balances=(), positions=(a_position("30"),))
    async with running(next_life(world, torn)) as after:
        assert (after.free("USDT"), after.free("ALPHA")) == (9_970, 30)
    whole = replace(torn, balances=world.gateway.balances)
    async with running(next_life(world, whole)) as after:
        assert (after.free("USDT"), after.free("ALPHA")) == (9_970, 30)
        assert after.reports(intent)[-1].filled_quantity == 30


async def test_sell_whose_fill_was_stored_without_its_balances_is_paid_out(world):
    await world.hold("100")
    before = world.gateway.balances
    intent = an_intent(Side.SELL, quantity="40")
    world.show(bids="1.00x100")
    await world.trade_out(intent)
    order = an_order(intent, S.ACCEPTED)
    for balances in (before, world.gateway.balances):
        fills = tuple(world.fills(intent))
        torn = Restored(orders=(order,), fills=fills, balances=balances, positions=(a_position("60"),))
        async with running(next_life(world, torn)) as after:
            assert (after.free("USDT"), after.free("ALPHA")) == (9_940, 60)


async def test_live_rows_of_the_ledger_are_none_of_its_business(world):
    live = replace(an_intent(amount="20"), account=Account.LIVE)
    restored = Restored(orders=(an_order(live, S.SUBMITTED),))
    async with running(next_life(world, restored)) as after:
        assert after.reports(live) == []
