"""Limit orders that wait: when they are reached, by what evidence, how cancels cross fills (FIELD 4.4, rows 6, 10)."""

from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderIntent, OrderStatus, OrderType
from tests.paper.world import a_paper_instrument, an_intent, an_order, d

S = OrderStatus


async def resting_sell(world, quantity: str = "50", price: str = "1.25") -> OrderIntent:
    """A take-profit that waits above the market."""
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000 1.30x500")
    intent = an_intent(Side.SELL, OrderType.LIMIT, quantity=quantity, price=price)
    report = await world.trade_out(intent)
    assert report.status is S.ACCEPTED
    return intent


async def test_waiting_sell_reserves_its_coins(world):
    await resting_sell(world)
    assert (world.free("ALPHA"), world.locked("ALPHA")) == (50, 50)


async def test_trade_beyond_the_price_fills_at_our_price_with_its_own_quantity(world):
    intent = await resting_sell(world)
    world.trade("1.26x20", Side.BUY)
    (fill,) = world.fills(intent)
    assert (fill.price, fill.quantity, fill.is_maker, fill.evidence) == (d("1.25"), 20, True, "trades")
    assert world.statuses(intent)[-1] is S.PARTIALLY_FILLED


async def test_trade_whose_taker_sold_fills_no_sell(world):
    intent = await resting_sell(world)
    world.trade("1.26x20", Side.SELL)
    world.trade("1.26x20", Side.UNKNOWN)
    assert world.fills(intent) == []


async def test_trade_from_before_the_order_rested_fills_nothing(world):
    intent = await resting_sell(world)
    world.trade("1.26x20", Side.BUY, event_ns=world.clock.wall_ns() - 300_000_000)
    assert world.fills(intent) == []


async def test_trade_at_our_price_serves_first_what_stood_there_before(world):
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000 1.25x30")
    intent = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.25")
    await world.trade_out(intent)
    world.trade("1.25x30", Side.BUY)
    assert world.fills(intent) == []
    world.trade("1.25x10", Side.BUY)
    assert [fill.quantity for fill in world.fills(intent)] == [10]


async def test_queue_shortens_when_those_before_us_leave(world):
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000 1.25x30")
    intent = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.25")
    await world.trade_out(intent)
    world.show(bids="0.99x1000", asks="1.01x1000 1.25x5")
    world.trade("1.25x10", Side.BUY)
    assert [fill.quantity for fill in world.fills(intent)] == [5]


async def test_price_deeper_than_the_visible_book_has_an_unknown_queue(world):
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000")
    intent = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.25")
    await world.trade_out(intent)
    world.trade("1.25x1000", Side.BUY)
    assert world.fills(intent) == []


async def test_bid_at_our_price_fills_us_with_what_it_wants(world):
    intent = await resting_sell(world)
    world.show(bids="1.28x20 1.24x100", asks="1.30x1")
    (fill,) = world.fills(intent)
    assert (fill.price, fill.quantity, fill.is_maker, fill.evidence) == (d("1.25"), 20, True, "book")
    world.show(bids="1.28x20 1.24x100", asks="1.30x1")
    assert len(world.fills(intent)) == 1, "the same bid cannot be met twice"
    world.quote(bid="1.28x40", ask="1.30x1")
    assert world.statuses(intent)[-1] is S.FILLED
    assert world.locked("ALPHA") == 0


async def test_maker_pays_the_makers_fee(world):
    world.lists(a_paper_instrument(maker_fee=d("0.001"), taker_fee=d("0.01")))
    world.show(bids="0.99x1000", asks="1.01x1000")
    intent = an_intent(Side.BUY, OrderType.LIMIT, quantity="100", price="1.00")
    await world.trade_out(intent)
    assert world.locked("USDT") == 101
    world.trade("0.98x500", Side.SELL)
    (fill,) = world.fills(intent)
    assert (fill.price, fill.fee) == (d("1.00"), d("0.1"))
    assert (world.free("USDT"), world.locked("USDT")) == (d("9899.9"), 0)


async def test_limit_that_crosses_takes_first_and_rests_with_the_remainder(world):
    world.show(bids="0.99x1000", asks="1.00x30 1.02x100")
    intent = an_intent(Side.BUY, OrderType.LIMIT, quantity="50", price="1.00")
    await world.trade_out(intent)
    assert world.statuses(intent) == [S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED]
    assert (world.locked("USDT"), world.free("ALPHA")) == (20, 30)


async def test_limit_maker_that_would_take_is_canceled_unfilled(world):
    world.show(bids="0.99x1000", asks="1.00x30")
    report = await world.trade_out(an_intent(Side.BUY, OrderType.LIMIT_MAKER, quantity="50", price="1.00"))
    assert (report.status, report.filled_quantity) == (S.CANCELED, 0)
    assert world.locked("USDT") == 0


async def test_limit_maker_that_makes_waits(world):
    world.show(bids="0.99x1000", asks="1.02x30")
    report = await world.trade_out(an_intent(Side.BUY, OrderType.LIMIT_MAKER, quantity="50", price="1.00"))
    assert report.status is S.ACCEPTED


async def test_limit_without_a_book_waits_and_is_not_filled_by_hope(world):
    intent = an_intent(Side.BUY, OrderType.LIMIT, quantity="50", price="1.00")
    assert (await world.trade_out(intent)).status is S.ACCEPTED
    world.show(bids="0.99x1", asks="0.98x20 1.00x10")
    assert [fill.quantity for fill in world.fills(intent)] == [30]


async def test_better_priced_order_is_served_first(world):
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000 1.50x500")
    dear = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.30")
    cheap = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.20")
    await world.trade_out(dear)
    await world.trade_out(cheap)
    world.trade("1.40x60", Side.BUY)
    assert sum(fill.quantity for fill in world.fills(cheap)) == 50
    assert sum(fill.quantity for fill in world.fills(dear)) == 10


async def test_cancel_ends_a_waiting_order_with_what_it_had_filled(world):
    intent = await resting_sell(world)
    world.trade("1.26x20", Side.BUY)
    world.gateway.cancel(an_order(intent))
    await world.clock.advance(0.1)
    last = world.reports(intent)[-1]
    assert (last.status, last.filled_quantity) == (S.CANCELED, 20)
    assert world.locked("ALPHA") == 0


async def test_cancel_that_arrives_after_the_fill_says_nothing(world):
    intent = await resting_sell(world)
    world.gateway.cancel(an_order(intent))
    world.trade("1.26x50", Side.BUY)
    await world.clock.advance(0.1)
    assert world.statuses(intent)[-1] is S.FILLED


async def test_fill_is_told_before_balances_and_balances_before_the_order(world):
    """After a crash the ledger's fills are never behind its balances, nor these behind its orders (DESIGN 2)."""
    await resting_sell(world)
    world.events.clear()
    world.trade("1.26x20", Side.BUY)
    assert [type(event).__name__ for event in world.events] == ["FillsReported", "BalancesRead", "OrderReported"]


async def test_those_who_join_the_queue_later_stand_behind_us(world):
    await world.hold("100")
    world.show(bids="0.99x1000", asks="1.01x1000 1.25x30")
    intent = an_intent(Side.SELL, OrderType.LIMIT, quantity="50", price="1.25")
    await world.trade_out(intent)
    world.show(bids="0.99x1000", asks="1.01x1000 1.25x500")
    world.trade("1.25x40", Side.BUY)
    assert [fill.quantity for fill in world.fills(intent)] == [10]
