"""Defects that the simulation found, each in the smallest story that shows it; seeds: tests/simulation/seeds."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.ids import PositionId
from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.engine.effects import ReadFills
from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Order, OrderRole, OrderStatus
from mexc_sniper.model.restored import Restored
from tests.builders import an_instrument, at, filled, instruments_read, ns, reported
from tests.engine_world import OLD
from tests.scenario.test_live import _opened, _ready, _submitted

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
