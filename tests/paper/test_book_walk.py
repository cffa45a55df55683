"""FIELD 4.4, rows 1 to 4, 6, 7, 9, 10 and 12: what a market or IOC order gets from the live book."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.instrument import PriceBand
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderStatus, OrderType
from mexc_sniper.venues.paper.options import LatencyOptions
from tests.paper.world import PLAIN, PaperWorld, a_paper_instrument, an_intent, d, running

S = OrderStatus


async def test_order_meets_the_book_as_of_its_arrival_not_of_its_decision(world):
    world.show(asks="1.00x100")
    intent = world.submit(an_intent(quantity="10"))
    await world.clock.advance(0.030)
    world.show(asks="1.03x100")
    await world.clock.advance(0.029)
    assert world.statuses(intent) == [S.SUBMITTED]
    await world.clock.advance(0.001)
    assert [fill.price for fill in world.fills(intent)] == [d("1.03")]


async def test_order_that_fell_due_before_a_frame_meets_the_book_before_it(world):
    """The loop was held up: the frame is handled first, but the order was there before it."""
    world.show(asks="1.00x100")
    intent = world.submit(an_intent(quantity="10"))
    world.clock.now += 100_000_000
    world.show(asks="1.03x100")
    assert [fill.price for fill in world.fills(intent)] == [d("1.00")]


async def test_submit_is_reported_with_its_instant_before_it_returns(world):
    intent = world.submit(an_intent(amount="10"))
    (report,) = world.reports(intent)
    assert (report.status, report.sent_mono_ns) == (S.SUBMITTED, world.clock.mono_ns())


async def test_market_buy_walks_the_levels_and_pays_each_its_price(world):
    world.show(asks="1.00x10 1.01x20 1.02x100")
    report = await world.trade_out(an_intent(quantity="50"))
    assert report.status is S.FILLED
    assert report.filled_quantity == 50
    assert report.filled_quote == d("10") + d("20.20") + d("20.40")


async def test_market_buy_by_amount_never_spends_more_than_the_amount(world):
    world.show(asks="0.0333x1000000")
    intent = an_intent(amount="20")
    report = await world.trade_out(intent)
    assert report.status is S.FILLED
    assert report.filled_quote is not None
    assert d("20") - d("0.0333") * d("0.01") < report.filled_quote <= 20


async def test_own_order_removes_liquidity_until_the_level_changes(world):
    world.show(asks="1.00x100 1.05x100")
    await world.trade_out(an_intent(quantity="60"))
    world.show(asks="1.00x100 1.05x100")  # the same level again: the venue never saw our order
    second = an_intent(quantity="60")
    await world.trade_out(second)
    assert [(fill.price, fill.quantity) for fill in world.fills(second)] == [(d("1.00"), 40), (d("1.05"), 20)]
    world.show(asks="1.00x99 1.05x100")
    third = an_intent(quantity="60")
    await world.trade_out(third)
    assert [(fill.price, fill.quantity) for fill in world.fills(third)] == [(d("1.00"), 60)]


async def test_market_remainder_is_canceled_and_the_fill_is_kept(world):
    world.show(asks="1.00x10")
    intent = an_intent(quantity="40")
    report = await world.trade_out(intent)
    assert world.statuses(intent) == [S.SUBMITTED, S.ACCEPTED, S.CANCELED]
    assert (report.status, report.filled_quantity) == (S.CANCELED, 10)
    assert "25.0 % filled" in report.text


async def test_ioc_takes_up_to_its_price_and_no_further(world):
    world.show(asks="1.00x10 1.01x10 1.02x10")
    report = await world.trade_out(an_intent(type=OrderType.IOC, quantity="30", price="1.01"))
    assert (report.status, report.filled_quantity) == (S.CANCELED, 20)


async def test_fill_or_kill_takes_all_or_nothing(world):
    world.show(asks="1.00x10 1.01x10")
    none = await world.trade_out(an_intent(type=OrderType.FOK, quantity="21", price="1.01"))
    assert (none.status, none.filled_quantity, none.reason) == (S.CANCELED, 0, Reason.NOTHING_FILLED)
    everything = await world.trade_out(an_intent(type=OrderType.FOK, quantity="20", price="1.01"))
    assert (everything.status, everything.filled_quantity) == (S.FILLED, 20)


async def test_market_order_trades_no_further_than_five_percent_from_the_last_price(world):
    world.trade("1.00x1")
    world.show(asks="1.04x10 1.05x10 1.06x10")
    report = await world.trade_out(an_intent(quantity="30"))
    assert (report.status, report.filled_quantity) == (S.CANCELED, 20)


@pytest.mark.parametrize("type_", [OrderType.MARKET, OrderType.IOC, OrderType.FOK])
async def test_order_without_a_book_is_not_filled_at_the_last_price(world, type_):
    world.trade("1.00x1000")
    price = None if type_ is OrderType.MARKET else "1.0"
    report = await world.trade_out(an_intent(type=type_, quantity="10", price=price))
    assert (report.status, report.filled_quantity, report.reason) == (S.CANCELED, 0, Reason.NO_BOOK)
    assert "evidence: none" in report.text


async def test_stale_book_fills_nothing(world):
    world.show(asks="1.00x100")
    await world.clock.advance(10.0)
    report = await world.trade_out(an_intent(quantity="10"))
    assert (report.status, report.filled_quantity) == (S.CANCELED, 0)


async def test_quote_keeps_the_book_alive_and_moves_its_best_level(world):
    world.show(bids="0.99x10", asks="1.00x10 1.01x10 1.02x10")
    await world.clock.advance(9.0)
    world.quote(bid="0.99x10", ask="1.01x4")
    await world.clock.advance(9.0)
    intent = an_intent(quantity="8")
    await world.trade_out(intent)
    assert [(fill.price, fill.quantity) for fill in world.fills(intent)] == [(d("1.01"), 4), (d("1.02"), 4)]


async def test_quote_sent_before_the_book_changes_nothing(world):
    early = world.stamp()
    await world.clock.advance(0.01)
    world.show(asks="1.02x10")
    later = world.stamp
    world.stamp = lambda: replace(later(), ts_event_ns=early.ts_event_ns)
    world.quote(ask="1.00x10")
    world.stamp = later
    intent = an_intent(quantity="5")
    await world.trade_out(intent)
    assert world.fills(intent)[0].price == d("1.02")


async def test_best_level_is_shared_with_others_by_default_deeper_ones_are_not():
    async with running(PaperWorld(replace(PLAIN, queue_share=Decimal("0.5")))) as world:
        world.lists()
        world.show(asks="1.00x10 1.01x10")
        intent = an_intent(quantity="20")
        await world.trade_out(intent)
        assert [(fill.price, fill.quantity) for fill in world.fills(intent)] == [(d("1.00"), 5), (d("1.01"), 10)]


async def test_sell_walks_the_bids_and_gaps_with_them(world):
    """A stop is a market sell at the next book: it gets what is bid, not the stop's price."""
    await world.hold("50")
    intent = world.submit(an_intent(Side.SELL, quantity="50"))
    world.trade("0.85x1", Side.SELL)
    world.show(bids="0.85x20 0.83x100", asks="0.99x1")
    await world.clock.advance(0.1)
    assert [(fill.price, fill.quantity) for fill in world.fills(intent)] == [(d("0.85"), 20), (d("0.83"), 30)]


async def test_market_sell_after_a_gap_beyond_the_cap_is_not_filled(world):
    """REFERENCE 1.8: a market order whose bids fell 5 % below the last trade stays unfilled."""
    await world.hold("50")
    world.trade("1.00x1")
    world.show(bids="0.94x100", asks="0.99x1")
    report = await world.trade_out(an_intent(Side.SELL, quantity="50"))
    assert (report.status, report.filled_quantity, report.reason) == (S.CANCELED, 0, Reason.NOTHING_FILLED)


async def test_taker_fee_of_the_instrument_is_paid_in_quote(world):
    world.lists(a_paper_instrument(taker_fee=d("0.0005")))
    world.show(asks="1.00x100")
    before = world.free("USDT")
    intent = an_intent(quantity="20")
    await world.trade_out(intent)
    (fill,) = world.fills(intent)
    assert (fill.fee, fill.fee_asset, fill.is_maker) == (d("0.01"), "USDT", False)
    assert before - world.free("USDT") == d("20.01")


async def test_level_finer_than_the_grid_is_taken_on_the_grid(world):
    world.show(asks="1.00x10.129 1.01x100")
    intent = an_intent(quantity="20")
    await world.trade_out(intent)
    assert [fill.quantity for fill in world.fills(intent)] == [d("10.12"), d("9.88")]


async def test_fill_says_that_it_rests_on_the_book(world):
    world.show(asks="1.00x100")
    intent = an_intent(quantity="20")
    await world.trade_out(intent)
    assert {fill.evidence for fill in world.fills(intent)} == {"book"}


async def test_level_outside_the_days_range_and_band_is_not_believed(world):
    world.lists(a_paper_instrument(price_band=None))
    await world.hold("50")
    world.trade("1.00x1")
    world.show(bids="0.96x10 0.5x1000", asks="1.1x1")
    market = await world.trade_out(an_intent(Side.SELL, type=OrderType.IOC, quantity="50", price="0.4"))
    assert (market.status, market.filled_quantity) == (S.CANCELED, 10)


async def test_multiplier_band_is_read_as_multipliers(world):
    world.lists(a_paper_instrument(price_band=PriceBand(d("5"), d("0.2"))))
    await world.hold("50")
    world.trade("1.00x1")
    world.show(bids="0.96x10 0.5x1000", asks="1.1x1")
    report = await world.trade_out(an_intent(Side.SELL, type=OrderType.IOC, quantity="50", price="0.4"))
    assert (report.status, report.filled_quantity) == (S.FILLED, 50)


async def test_latency_is_drawn_from_measured_round_trips_once_there_are_enough():
    options = replace(PLAIN, latency=LatencyOptions(min_samples=3, stress=3))
    async with running(PaperWorld(options)) as world:
        world.lists()
        world.show(asks="1.00x100")
        assert world.gateway.latency_basis == "assumed x3"
        for _ in range(3):
            world.gateway.note_round_trip(10_000_000)
        world.gateway.note_round_trip(-5)
        assert world.gateway.latency_basis == "measured x3"
        intent = world.submit(an_intent(quantity="10"))
        await world.clock.advance(0.029)
        assert world.statuses(intent) == [S.SUBMITTED]
        await world.clock.advance(0.001)
        assert world.statuses(intent)[-1] is S.FILLED


async def test_deeper_level_stays_taken_while_it_shows_the_same(world):
    world.show(asks="1.00x10 1.01x20 1.02x100")
    await world.trade_out(an_intent(quantity="25"))
    world.quote(ask="1.01x20")
    second = an_intent(quantity="10")
    await world.trade_out(second)
    assert [(fill.price, fill.quantity) for fill in world.fills(second)] == [(d("1.01"), 5), (d("1.02"), 5)]


async def test_deeper_bid_stays_taken_while_it_shows_the_same(world):
    await world.hold("100")
    world.trade("0.99x1", Side.SELL)
    world.show(bids="0.99x10 0.98x20 0.97x100", asks="1.00x1")
    await world.trade_out(an_intent(Side.SELL, quantity="25"))
    world.quote(bid="0.98x20", ask="1.00x1")
    second = an_intent(Side.SELL, quantity="10")
    await world.trade_out(second)
    assert [(fill.price, fill.quantity) for fill in world.fills(second)] == [(d("0.98"), 5), (d("0.97"), 5)]
