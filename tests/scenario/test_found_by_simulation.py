"""Defects that the simulation found, each in the smallest story that shows it; seeds: tests/simulation/seeds."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.ids import PositionId
from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.engine.effects import ReadFills, Sweep
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.doubt import PROOF_AFTER_NS
from mexc_sniper.model.events import InstrumentsRead
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Order, OrderIntent, OrderRole, OrderStatus
from mexc_sniper.model.position import Position
from mexc_sniper.model.restored import Restored
from mexc_sniper.model.trading import TradingStatus
from tests.builders import (
    a_book,
    a_command,
    a_tick,
    an_instrument,
    at,
    default_symbols_read,
    filled,
    instruments_read,
    ns,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows
from tests.scenario.test_entries import _bought
from tests.scenario.test_entries import _opened as opened_on_paper
from tests.scenario.test_live import _key, _opened, _ready, _submitted, _swept, _usdt

S = OrderStatus


def _after_a_kill() -> tuple[Engine, Order, Order]:
    """A new life that knows an entry and its exit by their intents alone: everything else was lost."""
    (intent,) = _submitted(_opened(_ready()))
    entry = Order(intent=intent, status=S.SUBMITTED, created_ns=ns(10), submitted_ns=ns(10))
    selling = replace(
        intent,
        client_order_id=type(intent.client_order_id)(f"{intent.client_order_id[:-2]}10"),
        side=Side.SELL,
        role=OrderRole.STOP_LOSS,
        quantity=Quantity(Decimal(8)),
        quote_quantity=None,
        position_id=PositionId(f"P{intent.id}"),
    )
    leaving = Order(intent=selling, status=S.SUBMITTED, created_ns=ns(11), submitted_ns=ns(11))
    engine = Engine()
    engine.start(Restored(orders=(entry, leaving)), at(20), force_running=True, live=True, epoch=2)
    engine.handle(instruments_read(20.1, an_instrument("ALPHAUSDT"), names={*OLD, "ALPHAUSDT"}))
    return engine, entry, leaving


def _ended(order: Order, second: float, quantity: str):
    return reported(second, order, S.FILLED, filled=quantity, quote=quantity)


def test_executions_of_an_exit_wait_for_those_of_its_entry():
    engine, entry, leaving = _after_a_kill()
    engine.handle(_ended(leaving, 21, "8"))
    engine.handle(filled(21.1, leaving, quantity="8", price="1", trade_id="sold"))
    assert not engine.state.trading.positions, "nothing was sold that had not been bought"
    engine.handle(_ended(entry, 21.2, "20"))
    effects = engine.handle(filled(21.3, entry, quantity="20", price="1", trade_id="bought"))
    assert [e.order.intent.role for e in effects if isinstance(e, ReadFills)] == [OrderRole.STOP_LOSS]
    engine.handle(filled(21.4, leaving, quantity="8", price="1", trade_id="sold"))
    (position,) = engine.state.trading.positions.values()
    assert position.quantity == 12
    assert not position.closed


def test_what_an_ended_order_filled_is_spent_before_its_executions_are_booked():
    world = _opened(_ready())
    (intent,) = _submitted(world)
    world.hear(reported(10.5, intent, S.SUBMITTED), _ended(Order(intent=intent), 10.6, "20"))
    exposure = world.engine.exposure(Account.LIVE, ns(10.7))
    assert exposure.spent_today >= 20
    balance = world.engine.state.trading.balances[(Account.LIVE, Asset("USDT"))]
    assert exposure.free_quote is not None
    assert exposure.free_quote <= balance.free - 20


ALPHA = "ALPHAUSDT"


def a_held_position() -> World:
    """Twenty coins bought at 1.00 on paper, with the usual ladder and stop."""
    world = opened_on_paper(a_world_that_knows())
    _bought(world)
    return world


def sells(world: World) -> list[OrderIntent]:
    return [intent for intent in _submitted(world) if intent.side is Side.SELL]


def open_positions(world: World) -> list[Position]:
    return [position for position in world.engine.state.trading.positions.values() if not position.closed]


def _minimum(second: float, least: str) -> InstrumentsRead:
    row = replace(an_instrument(ALPHA), min_notional_market=Decimal(least), min_notional_limit=Decimal(least))
    return instruments_read(second, row, names=set(OLD))


def test_leg_below_a_minimum_that_was_raised_is_sold_with_what_comes_after_it():
    """Seed 1683: it closed the whole position as dust, which then counted in no limit any more."""
    world = a_held_position()
    world.hear(_minimum(20, "12"), a_book(21, bid="1.30", ask="1.31"))
    assert not sells(world), "a leg of 40 % of 20 coins is worth 10.4"
    (position,) = open_positions(world)
    assert position.quantity == 20
    world.hear(a_book(22, bid="0.80", ask="0.81"))
    (sell,) = sells(world)
    assert (sell.role, sell.quantity) == (OrderRole.STOP_LOSS, 20)


def test_position_below_a_minimum_that_was_raised_needs_a_person_and_stays_counted():
    world = a_held_position()
    world.hear(_minimum(20, "50"), a_book(22, bid="0.80", ask="0.81"))
    assert not sells(world)
    (position,) = open_positions(world)
    assert "below the venue's minimum" in position.manual_exit_needed
    world.hear(_minimum(30, "1"), a_book(31, bid="0.80", ask="0.81"))
    assert [sell.quantity for sell in sells(world)] == [20]


def test_comparison_that_failed_is_asked_for_again_within_seconds():
    """Seed 1640: the next one came half a minute later, and balances were old until then."""
    world = _ready()
    world.hear(a_tick(31))
    asked = len(world.asked(Sweep))
    world.hear(_swept(31.2, failed="HTTP 503"), a_tick(33.3))
    assert len(world.asked(Sweep)) == asked + 1


def _armed_life(*, may_lack_orders: bool) -> World:
    """A life that begins armed, compares at once, and sees a listing open two seconds later."""
    armed = TradingStatus(armed_until_ns=ns(3600))
    world = World(Restored(may_lack_orders=may_lack_orders, trading=armed), live=True)
    world.hear(
        instruments_read(0.1, *(an_instrument(name) for name in OLD)), default_symbols_read(0.2, *OLD), _key(0.3),
        _swept(0.5), a_command(1, Verb.UPDATE_CONFIG, config={"autoTrade": True}, confirm=True),
    )  # fmt: skip
    return _opened(world, second=2)


def test_after_a_power_cut_nothing_is_entered_live_until_a_lost_order_would_be_listed():
    """Seed 14455: the listing itself was lost with its order, was news to the next life, and was entered again."""
    entered = _submitted(_armed_life(may_lack_orders=False))
    assert [intent.account for intent in entered] == [Account.LIVE], "else nothing is shown by what follows"
    world = _armed_life(may_lack_orders=True)
    coins = Balance(Account.LIVE, Asset("ALPHA"), Decimal(20), Decimal(0))
    asked = len(world.asked(Sweep))
    world.hear(*(a_tick(second) for second in range(3, 31)))
    assert not _submitted(world)
    assert not world.engine.state.trading.status.reconciled, "equal, but what was lost may still be invisible"
    assert len(world.asked(Sweep)) == asked, "asking earlier proves nothing and costs weight"
    world.hear(a_tick(PROOF_AFTER_NS / 1e9 + 0.1))
    *_, last = world.asked(Sweep)
    assert ALPHA in last.symbols
    world.hear(_swept(PROOF_AFTER_NS / 1e9 + 0.3, balances=(_usdt(), coins)))
    assert world.engine.state.trading.status.reconciled
