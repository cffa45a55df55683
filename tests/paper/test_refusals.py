"""FIELD 4.4, row 5: what the venue would refuse, paper refuses with the venue's own code (REFERENCE 1.10, 4)."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.instrument import InstrumentStatus, PriceBand, TradeSides
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderIntent, OrderStatus, OrderType
from mexc_sniper.venues.paper.options import MAX_OPEN_ORDERS
from tests.paper.world import PLAIN, PaperWorld, a_paper_instrument, an_intent, d, running

S = OrderStatus
FRACTIONS = PriceBand(d("0.2"), d("0.2"))
FUTURE_NS = 4_000_000_000_000_000_000


def ioc(price: str, quantity: str = "10", side: Side = Side.BUY) -> OrderIntent:
    return an_intent(side, OrderType.IOC, quantity=quantity, price=price)


def limit(price: str, quantity: str = "10") -> OrderIntent:
    return an_intent(Side.BUY, OrderType.LIMIT, quantity=quantity, price=price)


REFUSED: list[tuple[str, dict[str, Any], OrderIntent, int]] = [
    ("closed to the API", {"api_trading": False}, an_intent(amount="20"), 10007),
    ("paused", {"status": InstrumentStatus.PAUSED}, an_intent(amount="20"), 30000),
    ("offline", {"status": InstrumentStatus.OFFLINE}, an_intent(amount="20"), 30016),
    ("of unknown status", {"status": InstrumentStatus.UNKNOWN}, an_intent(amount="20"), 30016),
    ("not opened yet", {"first_open_time_ns": FUTURE_NS}, an_intent(amount="20"), 30016),
    ("sell only", {"trade_sides": TradeSides.SELL_ONLY}, an_intent(amount="20"), 30001),
    ("buy only", {"trade_sides": TradeSides.BUY_ONLY}, an_intent(Side.SELL, quantity="20"), 30001),
    ("closed to both sides", {"trade_sides": TradeSides.CLOSED}, an_intent(amount="20"), 30001),
    ("without market orders", {"order_types": ("LIMIT", "LIMIT_MAKER")}, an_intent(amount="20"), 30019),
    ("without limit orders", {"order_types": ("MARKET",)}, limit("1.0"), 30041),
    ("amount missing", {}, an_intent(), 10095),
    ("amount and quantity", {}, an_intent(amount="20", quantity="20"), 10095),
    ("sell by amount", {}, an_intent(Side.SELL, amount="20"), 10095),
    ("limit by amount", {}, an_intent(type=OrderType.IOC, amount="20", price="1.0"), 10095),
    ("market with a price", {}, an_intent(amount="20", price="1.0"), 33333),
    ("limit without a price", {}, an_intent(type=OrderType.IOC, quantity="20"), 33333),
    ("quantity zero", {}, ioc("1.0", "0"), 10102),
    ("quantity negative", {}, ioc("1.0", "-5"), 10102),
    ("amount negative", {}, an_intent(amount="-5"), 10102),
    ("quantity not a number", {}, ioc("1.0", "NaN"), 10102),
    ("amount infinite", {}, an_intent(amount="Infinity"), 10102),
    ("quantity off the grid", {}, ioc("1.0", "10.001"), 10096),
    ("price off the grid", {}, ioc("1.00001"), 10096),
    ("quantity below the minimum", {"min_quantity": d("5")}, ioc("1.0", "4"), 30002),
    ("value below the minimum", {}, ioc("1.0", "0.5"), 30002),
    ("amount below the minimum", {"min_notional_market": d("5")}, an_intent(amount="4.99"), 30002),
    ("market sell below the minimum", {}, an_intent(Side.SELL, quantity="0.5"), 30002),
    ("value above the maximum", {"max_notional_limit": d("9")}, ioc("1.0"), 30003),
    ("amount above the maximum", {"max_notional_market": d("9")}, an_intent(amount="10"), 30003),
    ("buy above the band", {"price_band": FRACTIONS}, ioc("1.2001"), 30087),
    ("sell below the band", {"price_band": FRACTIONS}, ioc("0.7999", side=Side.SELL), 30087),
    ("buy above a band of multipliers", {"price_band": PriceBand(d("5"), d("0.2"))}, ioc("5.0001"), 30087),
    ("buy beyond the balance", {}, an_intent(amount="10001"), 10101),
    ("sell of nothing held", {}, an_intent(Side.SELL, quantity="20"), 30004),
]


@pytest.mark.parametrize(("rules", "intent", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_order_is_refused_with_the_venues_code_and_costs_nothing(world, rules, intent, code):
    world.lists(a_paper_instrument(**rules))
    world.trade("1.00x1")
    world.show(bids="0.99x1000", asks="1.00x100000")
    intent = replace(intent, client_order_id=an_intent().client_order_id)
    report = await world.trade_out(intent)
    assert world.statuses(intent) == [S.SUBMITTED, S.REJECTED]
    assert (report.code, report.filled_quantity) == (code, 0)
    assert report.reason is not None
    assert world.fills(intent) == []
    assert (world.free("USDT"), world.locked("USDT")) == (10_000, 0)


async def test_symbol_the_venue_does_not_list_is_refused(world):
    intent = an_intent(amount="20", symbol="GHOSTUSDT")
    assert (await world.trade_out(intent)).code == 10007


async def test_symbol_that_left_the_list_is_refused(world):
    world.show(asks="1.00x100")
    world.lists(a_paper_instrument(symbol="OTHERUSDT"))
    assert (await world.trade_out(an_intent(amount="20"))).code == 10007


async def test_rules_are_those_of_the_arrival(world):
    """An order that leaves before the flag flips and arrives after it is taken in."""
    world.lists(a_paper_instrument(api_trading=False))
    world.show(asks="1.00x100")
    intent = world.submit(an_intent(amount="20"))
    await world.clock.advance(0.03)
    world.lists(a_paper_instrument(api_trading=True))
    await world.clock.advance(0.1)
    assert world.statuses(intent)[-1] is S.FILLED


async def test_market_order_against_an_empty_side_has_no_opponent_or_no_price(world):
    world.show(bids="0.99x10")
    assert (await world.trade_out(an_intent(amount="20"))).code == 30010
    world.trade("1.00x1")
    assert (await world.trade_out(an_intent(amount="20"))).code == 30025


async def test_band_is_not_asked_for_before_any_price_is_known(world):
    world.lists(a_paper_instrument(price_band=FRACTIONS))
    report = await world.trade_out(ioc("500"))
    assert (report.status, report.reason) == (S.CANCELED, Reason.NO_BOOK)


async def test_more_open_orders_than_the_venue_allows_are_refused(world):
    intents = [limit("0.0100", "100") for _ in range(MAX_OPEN_ORDERS + 1)]
    for intent in intents:
        world.submit(intent)
    await world.clock.advance(0.2)
    assert {world.statuses(intent)[-1] for intent in intents[:-1]} == {S.ACCEPTED}
    assert world.reports(intents[-1])[-1].code == 30029


async def test_reservation_of_one_order_leaves_too_little_for_the_next(world):
    world.show(asks="1.00x100000")
    first = world.submit(an_intent(amount="6000"))
    second = world.submit(an_intent(amount="6000"))
    await world.clock.advance(0.1)
    assert world.statuses(first)[-1] is S.FILLED
    assert world.reports(second)[-1].code == 10101


async def test_fee_must_be_affordable_too():
    async with running(PaperWorld(replace(PLAIN, taker_fee=Decimal("0.01")))) as world:
        world.lists()
        world.show(asks="1.00x100000")
        assert (await world.trade_out(an_intent(amount="9950"))).code == 10101


async def test_price_at_the_edge_of_the_band_is_taken_in(world):
    world.lists(a_paper_instrument(price_band=FRACTIONS))
    world.trade("1.00x1")
    world.show(bids="0.99x10", asks="1.00x100")
    assert (await world.trade_out(ioc("1.2000"))).status is S.FILLED
