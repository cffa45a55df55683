"""Take-profits that wait at the venue: placed once the entry is done, out of the way of other exits, never oversold.

Twenty coins are bought at 1.00; the ladder asks 40 % at +25 % and 30 % at +50 %, so 8 rest at 1.25 and 6 at 1.50.
"""

from decimal import Decimal

import msgspec
import pytest

from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import CancelOrder, LookUp, Submit
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import AttentionChanged, FillRecorded, OrderChanged, PositionChanged
from mexc_sniper.model.events import KillLatched
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.order import OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.model.restored import Restored
from tests.builders import (
    a_book,
    a_command,
    a_tick,
    a_trade,
    an_instrument,
    at,
    candles_read,
    default_symbols_read,
    filled,
    instruments_read,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows

S = OrderStatus
R = OrderRole
D08 = Decimal("0.80")


def submitted(world: World) -> list[OrderIntent]:
    return [effect.approved.intent for effect in world.asked(Submit)]


def resting(world: World) -> list[OrderIntent]:
    return [intent for intent in submitted(world) if intent.type is OrderType.LIMIT]


def sells(world: World) -> list[OrderIntent]:
    """Sells that do not wait."""
    return [intent for intent in submitted(world) if intent.role.reduces_risk and intent.type is not OrderType.LIMIT]


def canceled(world: World) -> list[str]:
    return [effect.order.intent.client_order_id for effect in world.asked(CancelOrder)]


def position(world: World) -> Position:
    (found,) = {e.position.id: e.position for e in world.entries if isinstance(e, PositionChanged)}.values()
    return found


def opened(row: Instrument | None = None, **config: object) -> World:
    world = a_world_that_knows().hear(
        a_command(1, Verb.UPDATE_CONFIG, config={"restingTakeProfit": True, **config}, confirm=True)
    )
    return world.hear(
        instruments_read(10, row or an_instrument("ALPHAUSDT"), names=set(OLD)),
        default_symbols_read(10.1, *OLD, "ALPHAUSDT"),
        candles_read(10.2, "ALPHAUSDT"),
        a_trade(10.3),
        a_book(10.35),
    )


def bought(world: World) -> World:
    entry = submitted(world)[-1]
    return world.hear(
        reported(10.4, entry, S.SUBMITTED),
        filled(10.5, entry, price="1.00", quantity="20"),
        reported(10.5, entry, S.FILLED, filled="20", quote="20"),
        a_book(11),
    )


def accepted(world: World, *intents: OrderIntent, second: float = 11.2) -> World:
    for intent in intents:
        world.hear(reported(second, intent, S.SUBMITTED), reported(second + 0.05, intent, S.ACCEPTED))
    return world


def waiting() -> tuple[World, OrderIntent, OrderIntent]:
    """Bought, and both legs wait at the venue."""
    world = bought(opened())
    low, high = resting(world)
    return accepted(world, low, high), low, high


def ended(
    world: World, intent: OrderIntent, second: float, status: OrderStatus = S.CANCELED, **details: object
) -> World:
    return world.hear(reported(second, intent, status, **details))


# ---------------------------------------------------------------------- placing


def test_ladder_rests_as_limit_sells_at_its_prices_once_the_entry_is_done() -> None:
    world = opened()
    entry = submitted(world)[-1]
    world.hear(
        reported(10.4, entry, S.SUBMITTED),
        reported(10.45, entry, S.PARTIALLY_FILLED, filled="5", quote="5"),
        filled(10.45, entry, price="1.00", quantity="5"),
        a_book(10.6),
    )
    assert resting(world) == [], "what is still being bought has no ladder yet"
    world.hear(
        filled(10.7, entry, price="1.00", quantity="15", trade_id="2"),
        reported(10.7, entry, S.FILLED, filled="20", quote="20"),
        a_book(10.8),
    )
    legs = [(i.side.value, i.role, i.quantity, i.price, i.account) for i in resting(world)]
    assert legs == [
        ("sell", R.TAKE_PROFIT, Decimal(8), Decimal("1.25"), Account.PAPER),
        ("sell", R.TAKE_PROFIT, Decimal(6), Decimal("1.50"), Account.PAPER),
    ]


def test_nothing_rests_unless_the_configuration_says_so() -> None:
    assert resting(bought(opened(restingTakeProfit=False))) == []


def test_configuration_of_the_entry_counts_and_not_a_later_one() -> None:
    world = opened()
    entry = submitted(world)[-1]
    world.hear(
        reported(10.4, entry, S.SUBMITTED),
        filled(10.5, entry, price="1.00", quantity="20"),
        a_command(10.55, Verb.UPDATE_CONFIG, config={"restingTakeProfit": False}),
        reported(10.6, entry, S.FILLED, filled="20", quote="20"),
        a_book(11),
    )
    assert len(resting(world)) == 2


def test_legs_are_placed_once_however_often_prices_move() -> None:
    world, *_ = waiting()
    for second in range(12, 40):
        world.hear(a_book(second, bid="1.10", ask="1.11"), a_tick(second + 0.5))
    assert len(resting(world)) == 2
    assert sells(world) == []


def test_leg_below_the_limit_orders_minimum_is_watched_here_and_sold_at_its_price() -> None:
    row = msgspec.structs.replace(an_instrument("ALPHAUSDT"), min_notional_limit=Decimal("9.5"))
    world = bought(opened(row))
    assert [intent.price for intent in resting(world)] == [Decimal("1.25")], "6 at 1.50 is 9, below the minimum of 9.5"
    accepted(world, *resting(world))
    world.hear(
        filled(12, resting(world)[0], price="1.25", quantity="8", trade_id="2"),
        reported(12, resting(world)[0], S.FILLED, filled="8", quote="10"),
        a_book(13, bid="1.51", ask="1.52"),
    )
    assert [(sell.role, sell.quantity) for sell in sells(world)] == [(R.TAKE_PROFIT, Decimal(6))]


def test_pair_that_takes_no_limit_orders_is_watched_here() -> None:
    row = msgspec.structs.replace(an_instrument("ALPHAUSDT"), order_types=("MARKET",))
    world = bought(opened(row))
    assert resting(world) == []
    world.hear(a_book(13, bid="1.26", ask="1.27"))
    assert [(sell.role, sell.quantity) for sell in sells(world)] == [(R.TAKE_PROFIT, Decimal(8))]


@pytest.mark.parametrize("status", [S.REJECTED, S.NOT_SENT, S.CANCELED])
def test_leg_that_does_not_come_to_rest_is_watched_here_and_never_tried_again(status: OrderStatus) -> None:
    world = bought(opened())
    low, high = resting(world)
    accepted(world, high)
    if status is not S.NOT_SENT:
        world.hear(reported(11.2, low, S.SUBMITTED))
    ended(world, low, 11.3, status, code=30010, reason=Reason.VENUE_REFUSED)
    world.hear(a_book(12), a_book(13, bid="1.26", ask="1.27"))
    assert len(resting(world)) == 2
    assert [(sell.role, sell.quantity, sell.type) for sell in sells(world)] == [
        (R.TAKE_PROFIT, Decimal(8), OrderType.MARKET)
    ]
    assert not [entry for entry in world.entries if isinstance(entry, AttentionChanged)]


def test_leg_canceled_by_a_person_is_watched_here_again() -> None:
    world, low, _ = waiting()
    world.hear(a_command(12, Verb.CANCEL_ORDER, clientOrderId=low.client_order_id))
    assert world.results()[-1].result.status is CommandStatus.DONE
    ended(world, low, 12.5).hear(a_book(13, bid="1.26", ask="1.27"))
    assert len(resting(world)) == 2
    assert [(sell.role, sell.quantity) for sell in sells(world)] == [(R.TAKE_PROFIT, Decimal(8))]


# ---------------------------------------------------------------------- filling


def test_filled_legs_and_a_sold_rest_close_the_position_with_its_profit() -> None:
    world, low, high = waiting()
    world.hear(
        filled(12, low, price="1.25", quantity="8", trade_id="2"),
        reported(12, low, S.FILLED, filled="8", quote="10"),
        filled(13, high, price="1.50", quantity="6", trade_id="3"),
        reported(13, high, S.FILLED, filled="6", quote="9"),
    )
    assert (position(world).quantity, position(world).exit_role) == (Decimal(6), "take_profit")
    world.hear(a_book(14, bid="1.50", ask="1.51"), a_book(15, bid="1.30", ask="1.31"))
    (rest,) = sells(world)
    assert (rest.role, rest.quantity) == (R.TRAILING_STOP, Decimal(6))
    world.hear(
        reported(15.1, rest, S.SUBMITTED),
        filled(15.2, rest, price="1.30", quantity="6", trade_id="4"),
        reported(15.2, rest, S.FILLED, filled="6", quote="7.8"),
    )
    assert position(world).status is PositionStatus.CLOSED
    assert position(world).realized_pnl == Decimal("6.8")


def test_whole_ladder_at_the_venue_closes_the_position_without_a_word_of_ours() -> None:
    world = bought(opened(takeProfit=[{"gainPct": "25", "sharePct": "100"}]))
    (only,) = resting(world)
    accepted(world, only).hear(
        filled(12, only, price="1.25", quantity="20", trade_id="2"),
        reported(12, only, S.FILLED, filled="20", quote="25"),
    )
    assert position(world).status is PositionStatus.CLOSED
    assert (sells(world), canceled(world)) == ([], [])


# ---------------------------------------------------------------------- every other way out


def fall(world: World, second: float = 20) -> World:
    return world.hear(a_book(second, bid="0.80", ask="0.81"))


def time_over(world: World, second: float = 20) -> World:
    return world.hear(a_tick(11 + 30 * 60))


def close_by_hand(world: World, second: float = 20) -> World:
    return world.hear(a_command(second, Verb.CLOSE_POSITION, positionId=position(world).id))


def flatten(world: World, second: float = 20) -> World:
    return world.hear(a_command(second, Verb.KILL, action="flatten"))


def latch(world: World, second: float = 20) -> World:
    return world.hear(KillLatched(stamp=at(second), action="flatten", actor="test"))


def trail(world: World, second: float = 20) -> World:
    return world.hear(a_book(second - 1, bid="1.20", ask="1.21"), a_book(second, bid="1.07", ask="1.08"))


WAYS = [
    (fall, R.STOP_LOSS),
    (trail, R.TRAILING_STOP),
    (time_over, R.TIME_EXIT),
    (close_by_hand, R.MANUAL_CLOSE),
    (flatten, R.FLATTEN),
    (latch, R.FLATTEN),
]


@pytest.mark.parametrize(("way", "role"), WAYS, ids=["stop", "trailing", "time", "by hand", "flatten", "latch file"])
def test_every_other_exit_cancels_the_ladder_first_and_sells_what_is_then_free(way, role: OrderRole) -> None:
    world, low, high = waiting()
    way(world)
    assert canceled(world) == [low.client_order_id, high.client_order_id]
    (free,) = sells(world)
    assert (free.role, free.quantity) == (role, Decimal(6)), "what no order holds is sold at once"
    second = 1812.0 if way is time_over else 21.0
    ended(world, low, second)
    ended(world, high, second + 0.1)
    assert [sell.quantity for sell in sells(world)] == [Decimal(6), Decimal(8), Decimal(6)], "each as it comes free"
    for number, sell in enumerate(sells(world)):
        world.hear(
            reported(second + 1, sell, S.SUBMITTED),
            filled(second + 1.1, sell, price="0.80", quantity=str(sell.quantity), trade_id=f"sell{number}"),
            reported(second + 1.1, sell, S.FILLED, filled=str(sell.quantity), quote=str(sell.quantity * D08)),
        )
    assert position(world).status is PositionStatus.CLOSED
    assert {sell.role for sell in sells(world)} == {role}


def test_stop_stands_when_the_price_recovers_before_the_cancels_are_answered() -> None:
    world, low, high = waiting()
    fall(world).hear(a_book(20.5, bid="0.99", ask="1.00"))
    free = sells(world)[0]
    ended(ended(world, low, 21), high, 21).hear(
        reported(21.1, free, S.SUBMITTED),
        filled(21.2, free, price="0.80", quantity="6", trade_id="2"),
        reported(21.2, free, S.FILLED, filled="6", quote="4.8"),
        a_book(22, bid="0.99", ask="1.00"),
    )
    assert sum(sell.quantity or 0 for sell in sells(world)) == 20
    assert len(resting(world)) == 2, "the ladder does not come back"


def test_cancel_without_an_answer_is_repeated_and_nothing_of_it_is_sold_meanwhile() -> None:
    world, low, _ = waiting()
    fall(world)
    for second in range(21, 40):
        world.hear(a_tick(second), a_book(second + 0.5, bid="0.80", ask="0.81"))
    assert canceled(world).count(low.client_order_id) >= 5
    assert sum(sell.quantity or 0 for sell in sells(world)) == 6


def test_leg_that_fills_while_its_cancel_is_on_the_way_is_counted_and_only_the_rest_is_sold() -> None:
    world, low, high = waiting()
    fall(world)
    free = sells(world)[0]
    world.hear(
        reported(20.5, low, S.FILLED, filled="8", quote="10"),
        filled(20.6, low, price="1.25", quantity="8", trade_id="2"),
        reported(20.7, high, S.CANCELED, filled="2", quote="3"),
    )
    assert len(sells(world)) == 1, "two more of the other leg were sold, and who got them is not known yet"
    world.hear(
        filled(20.8, high, price="1.50", quantity="2", trade_id="3"),
        reported(21, free, S.SUBMITTED),
        filled(21.1, free, price="0.80", quantity="6", trade_id="4"),
        reported(21.1, free, S.FILLED, filled="6", quote="4.8"),
        a_book(22, bid="0.80", ask="0.81"),
    )
    assert [sell.quantity for sell in sells(world)] == [Decimal(6), Decimal(4)]


def test_fill_told_after_the_end_of_a_canceled_leg_lowers_what_is_sold() -> None:
    world, low, high = waiting()
    ended(ended(world, low, 12), high, 12)
    world.hear(
        reported(12.5, low, S.CANCELED, filled="5", quote="6.25"),
        filled(12.6, low, price="1.25", quantity="5", trade_id="2"),
    )
    fall(world)
    assert sum(sell.quantity or 0 for sell in sells(world)) == 15
    attention = [entry.attention for entry in world.entries if isinstance(entry, AttentionChanged)]
    assert [item.kind.value for item in attention] == ["discrepancy"]


def test_leg_in_doubt_keeps_its_coins_reserved_and_is_canceled_once_it_is_found() -> None:
    world = bought(opened())
    low, high = resting(world)
    accepted(world, high).hear(reported(11.2, low, S.SUBMITTED), reported(11.3, low, S.IN_DOUBT))
    fall(world)
    assert canceled(world) == [high.client_order_id]
    assert sum(sell.quantity or 0 for sell in sells(world)) == 6
    world.hear(reported(22, low, S.ACCEPTED))
    assert canceled(world) == [high.client_order_id, low.client_order_id]


def test_small_free_rest_waits_for_the_canceled_legs_instead_of_becoming_dust() -> None:
    world = bought(opened(takeProfit=[{"gainPct": "25", "sharePct": "93"}]))
    (leg,) = resting(world)
    accepted(world, leg)
    row = msgspec.structs.replace(an_instrument("ALPHAUSDT"), min_notional_market=Decimal(2))
    world.hear(instruments_read(12, row, names=set(OLD)))
    fall(world)
    assert canceled(world) == [leg.client_order_id]
    assert sells(world) == [], "1.4 coins at 0.80 are below the minimum of 2"
    ended(world, leg, 21)
    assert [sell.quantity for sell in sells(world)] == [Decimal(20)]


def test_closing_by_hand_twice_asks_for_each_cancel_once() -> None:
    world, low, high = waiting()
    close_by_hand(world)
    close_by_hand(world, 20.1)
    assert canceled(world) == [low.client_order_id, high.client_order_id]
    assert all(entry.result.status is CommandStatus.DONE for entry in world.results()[-2:])


def test_pausing_leaves_the_ladder_where_it_is() -> None:
    world, *_ = waiting()
    world.hear(a_command(20, Verb.KILL, action="pause"), a_command(21, Verb.KILL, action="cancel"), a_tick(22))
    assert canceled(world) == []


def test_halted_nothing_new_comes_to_rest() -> None:
    world = opened()
    entry = submitted(world)[-1]
    world.hear(
        reported(10.4, entry, S.SUBMITTED),
        reported(10.45, entry, S.PARTIALLY_FILLED, filled="20", quote="20"),
        filled(10.45, entry, price="1.00", quantity="20"),
        reported(10.5, entry, S.CANCELED, filled="20", quote="20", reason=Reason.KEY_REFUSED),
        a_book(11),
        a_tick(12),
    )
    assert resting(world) == []


# ---------------------------------------------------------------------- restarts


def restored(world: World) -> Restored:
    """What the ledger holds of a world, trading included."""
    orders, positions, fills = {}, {}, []
    for entry in world.entries:
        match entry:
            case OrderChanged(order=order):
                orders[order.intent.client_order_id] = order
            case PositionChanged(position=changed):
                positions[changed.id] = changed
            case FillRecorded(fill=fill):
                fills.append(fill)
            case _:
                pass
    return msgspec.structs.replace(
        world.restored(),
        orders=tuple(orders.values()),
        positions=tuple(positions.values()),
        fills=tuple(fills),
        trading=world.engine.state.trading.status,
    )


def next_life(world: World, second: float = 100) -> World:
    again = World(restored(world), seconds=second)
    return again.hear(
        instruments_read(second + 0.1, an_instrument("ALPHAUSDT"), names={*OLD, "ALPHAUSDT"}),
        a_book(second + 0.2),
    )


def test_ladder_that_waits_over_a_restart_is_ours_again_and_not_placed_twice() -> None:
    before, low, high = waiting()
    world = next_life(before)
    assert submitted(world) == []
    fall(world, 110)
    assert canceled(world) == [low.client_order_id, high.client_order_id]
    assert sum(sell.quantity or 0 for sell in sells(world)) == 6


def test_leg_that_filled_while_nobody_watched_is_counted_after_the_restart() -> None:
    before, low, _ = waiting()
    world = next_life(before).hear(
        reported(101, low, S.FILLED, filled="8", quote="10"),
        filled(101, low, price="1.25", quantity="8", trade_id="2"),
    )
    assert position(world).quantity == 12
    fall(world, 110)
    assert sum(sell.quantity or 0 for sell in sells(world)) == 6, "six more wait for their cancel"


def test_stop_decided_before_a_restart_is_carried_out_after_it_whatever_the_price() -> None:
    before, low, high = waiting()
    fall(before)
    free = sells(before)[0]
    before.hear(
        reported(20.5, free, S.SUBMITTED),
        filled(20.6, free, price="0.80", quantity="6", trade_id="2"),
        reported(20.6, free, S.FILLED, filled="6", quote="4.8"),
    )
    world = next_life(before)
    ended(ended(world, low, 101), high, 101).hear(a_book(102, bid="1.10", ask="1.11"))
    assert [(sell.role, sell.quantity) for sell in sells(world)] == [
        (R.STOP_LOSS, Decimal(8)),
        (R.STOP_LOSS, Decimal(6)),
    ]


# ---------------------------------------------------------------------- what it costs


def test_waiting_live_legs_are_not_asked_for_every_two_seconds_while_the_stream_tells() -> None:
    world, *_ = waiting()
    world.engine.state.trading.private_stream = True
    asked = len(world.asked(LookUp))
    world.hear(*(a_tick(second) for second in range(12, 112)))
    assert len(world.asked(LookUp)) == asked
