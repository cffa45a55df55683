"""Corners of the parts that no order reaches by itself."""

import pytest

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.events import ClockSynced, VenueSwept
from mexc_sniper.model.market import Book, Level, PublicTrade, Side, Stamp
from mexc_sniper.model.order import OrderStatus, OrderType
from mexc_sniper.model.restored import Restored
from mexc_sniper.venues.paper.account import PaperAccount
from mexc_sniper.venues.paper.book import LiveBook
from mexc_sniper.venues.paper.exact import minus, times
from mexc_sniper.venues.paper.market import PaperMarket
from mexc_sniper.venues.paper.matching import take_amount
from mexc_sniper.venues.paper.options import MAX_BOOKS, MAX_REMEMBERED, PaperOptions
from tests.paper.world import PaperWorld, a_paper_instrument, an_intent, an_order, d, levels, running
from tests.venue.clock import ManualClock

S = OrderStatus
ORDER = ClientOrderId("order1")
USDT, ALPHA = Asset("USDT"), Asset("ALPHA")


@pytest.mark.parametrize("amount", ["10.01", "-1", "NaN", "Infinity"])
def test_account_reserves_no_amount_it_has_not_or_that_is_none(amount):
    account = PaperAccount({USDT: d(10)})
    assert not account.reserve(ORDER, USDT, d(amount))
    assert account.free(USDT) == 10


def test_account_pays_no_more_than_was_reserved():
    account = PaperAccount({USDT: d(10)})
    account.reserve(ORDER, USDT, d(5))
    with pytest.raises(InvariantError, match="has reserved 5"):
        account.exchange(ORDER, pays=d("5.01"), gets=ALPHA, amount=d(1))


def test_account_keeps_every_digit():
    account = PaperAccount({USDT: d("10000")})
    account.reserve(ORDER, USDT, d("10000"))
    account.exchange(ORDER, pays=d("0.000000000000000000000000000000000001"), gets=ALPHA, amount=d(1))
    account.release(ORDER)
    assert account.free(USDT) == d("9999.999999999999999999999999999999999999")


def test_amount_that_buys_less_than_one_step_buys_nothing():
    taking = take_amount(levels("100x5"), d("0.99"), worst=Price(d(100)), decimals=2)
    assert (taking.takes, taking.complete) == ((), False)


def test_amount_is_complete_when_the_rest_buys_no_step_of_the_next_level():
    taking = take_amount(levels("1x10 100x5"), d("10.5"), worst=Price(d(100)), decimals=2)
    assert [level.quantity for level in taking.takes] == [10]
    assert taking.complete


def test_quotient_that_was_rounded_up_never_overspends():
    price = Price(d("3.0000000000000000000000000000000000001"))
    amount = minus(times(price, d("1" + "0" * 37)), d("0." + "0" * 37 + "1"))
    taking = take_amount((Level(price, Quantity(d("1" + "0" * 38))),), amount, worst=price, decimals=18)
    (take,) = taking.takes
    assert minus(amount, times(take.price, take.quantity)) >= 0
    assert taking.complete


def test_day_range_begins_anew_with_the_day():
    book = LiveBook()
    day_ns = 86_400_000_000_000

    def trade(price: str, day: int) -> None:
        book.see_trades((PublicTrade(Price(d(price)), Quantity(d(1)), Side.BUY, day * day_ns + 1),))

    trade("5", 1)
    trade("9", 1)
    trade("1", 2)
    trade("2", 2)
    assert book.day_range == (1, 2)


def test_time_that_ran_ahead_once_does_not_freeze_the_book():
    book = LiveBook()

    def show(ask: str, event_s: int) -> None:
        stamp = Stamp(event_s * 1_000_000_000, 0, event_s)
        book.see_book(Book(Symbol("A"), (), levels(f"{ask}x1"), stamp))

    show("1", 10)
    show("2", 9)
    assert book.asks[0].price == 1, "sent before what is known"
    show("3", 1_000)
    show("4", 11)
    assert book.asks[0].price == 4


def test_books_are_bounded():
    market = PaperMarket(ManualClock(), PaperOptions())
    first = market.book(Symbol("A"))
    for number in range(MAX_BOOKS):
        market.book(Symbol(f"S{number}"))
    assert market.book(Symbol("A")) is not first


async def test_ended_orders_are_forgotten_beyond_a_bound(world):
    world.show(asks="1.00x100")
    intents = [an_intent(quantity="0.1") for _ in range(MAX_REMEMBERED + 1)]  # too small: refused
    for start in range(0, len(intents), 500):
        for intent in intents[start : start + 500]:
            world.submit(intent)
        await world.clock.advance(0.1)
    assert len(world.gateway._exchange.orders) == MAX_REMEMBERED


async def test_orders_beyond_what_can_be_on_their_way_are_not_sent(world):
    intents = [world.submit(an_intent(quantity="0.1")) for _ in range(1_001)]
    assert world.statuses(intents[-1]) == [S.NOT_SENT]
    assert world.statuses(intents[-2]) == [S.SUBMITTED]


async def test_opening_is_judged_by_the_venues_clock(world):
    opens_ns = world.clock.wall_ns() + 60_000_000_000
    world.lists(a_paper_instrument(first_open_time_ns=opens_ns))
    world.show(asks="1.00x100")
    assert (await world.trade_out(an_intent(quantity="10"))).code == 30016
    world.gateway.see(ClockSynced(stamp=world.stamp(), offset_ns=61_000_000_000, uncertainty_ns=1))
    assert (await world.trade_out(an_intent(quantity="10"))).status is S.FILLED


async def test_instrument_with_an_absurd_grid_is_not_traded(world):
    world.lists(a_paper_instrument(quantity_decimals=30))
    world.show(asks="1.00x100")
    assert (await world.trade_out(an_intent(quantity="10"))).code == 10007


async def test_waiting_order_of_a_symbol_that_left_the_list_is_not_filled(world):
    world.show(bids="0.99x10", asks="1.01x10")
    intent = an_intent(Side.BUY, OrderType.LIMIT, quantity="10", price="1.00")
    await world.trade_out(intent)
    world.lists(a_paper_instrument(symbol=Symbol("OTHERUSDT")))
    world.show(bids="0.90x10", asks="0.95x10")
    world.trade("0.95x10", Side.SELL)
    assert world.fills(intent) == []
    world.gateway.cancel(an_order(intent))
    await world.clock.advance(0.1)
    assert world.statuses(intent)[-1] is S.CANCELED


async def test_sweep_shows_ended_orders_of_late_only(world):
    """The engine forgets settled orders after a while and must not take them for somebody else's."""
    world.show(asks="1.00x100")
    intent = an_intent(quantity="10")
    await world.trade_out(intent)
    for later_s, shown in ((0, 1), (301, 0)):
        await world.clock.advance(later_s)
        world.gateway.sweep([intent.symbol])
        assert len(world.said(VenueSwept)[-1].recent_orders) == shown


async def test_gateway_that_runs_again_tells_of_the_restart_once(world):
    flying = an_intent(amount="20")
    after = PaperWorld(restored=Restored(orders=(an_order(flying, S.SUBMITTED),)), clock=world.clock)
    for _ in range(2):
        async with running(after):
            pass
    assert after.statuses(flying) == [S.SUBMITTED, S.CANCELED]
