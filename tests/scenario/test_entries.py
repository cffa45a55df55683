"""A listing traded: from its opening to a position and out again, and every way in which that may fail."""

from decimal import Decimal

import msgspec
import pytest

from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import CancelOrder, ReadBook, SetGate, Submit, Watch
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import DecisionMade, PositionChanged, TradeChanged
from mexc_sniper.model.events import ClockSynced, KillLatched, SourceChanged, SourceName
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.model.listing import Outcome
from mexc_sniper.model.order import OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.model.trading import Trade, TradeStatus
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


def _submitted(world: World) -> list[OrderIntent]:
    return [effect.approved.intent for effect in world.asked(Submit)]


def _trades(world: World) -> dict[str, Trade]:
    return {entry.trade.id: entry.trade for entry in world.entries if isinstance(entry, TradeChanged)}


def _positions(world: World) -> list[Position]:
    return list({e.position.id: e.position for e in world.entries if isinstance(e, PositionChanged)}.values())


def _last_result(world: World):
    return world.results()[-1].result


def _opened(world: World, symbol: str = "ALPHAUSDT", second: float = 10) -> World:
    """A new listing opens with a healthy book."""
    return world.hear(
        instruments_read(second, an_instrument(symbol), names={*OLD, *world.engine.state.listed_names}),
        default_symbols_read(second + 0.1, *sorted({*world.engine.state.default_names, symbol})),
        candles_read(second + 0.2, symbol),
        a_trade(second + 0.3, symbol),
        a_book(second + 0.35, symbol),
    )


def _bought(world: World, second: float = 10.4, price: str = "1.00", quantity: str = "20") -> OrderIntent:
    intent = _submitted(world)[-1]
    world.hear(
        reported(second, intent, S.SUBMITTED, sent_mono_ns=int((second + 0.0001) * 1e9)),
        reported(second + 0.05, intent, S.ACCEPTED),
        filled(second + 0.06, intent, price=price, quantity=quantity),
        reported(second + 0.06, intent, S.FILLED, filled=quantity, quote=str(Decimal(price) * Decimal(quantity))),
    )
    return intent


def test_new_listing_is_bought_on_paper_by_quote_amount():
    world = _opened(a_world_that_knows())
    (intent,) = _submitted(world)
    assert (intent.account, intent.type, intent.quote_quantity) == (Account.PAPER, OrderType.MARKET, Decimal(20))
    _bought(world)
    listing = world.listing("ALPHAUSDT")
    assert (listing.outcome, listing.reason) == (Outcome.ENTERED, Reason.ENTERED)
    (trade,) = _trades(world).values()
    assert (trade.status, trade.base_quantity, trade.quote_quantity) == (TradeStatus.FILLED, 20, 20)
    assert trade.tick_to_trade_ns is not None
    (position,) = _positions(world)
    assert position.plan is not None
    assert position.plan.stop_price == Decimal("0.85")


def test_entry_names_the_position_it_opened_once_something_was_filled():
    world = _opened(a_world_that_knows())
    (trade,) = _trades(world).values()
    assert trade.position_id is None, "nothing is held yet"
    _bought(world)
    (trade,) = _trades(world).values()
    (position,) = _positions(world)
    assert trade.position_id == position.id


def test_decision_records_every_guard_with_its_measured_value():
    world = _opened(a_world_that_knows())
    (decision,) = [entry.decision for entry in world.entries if isinstance(entry, DecisionMade)]
    names = {guard.name for guard in decision.guards}
    assert {"SPREAD_TOO_WIDE", "ABOVE_MAX_TRADE", "EXIT_TOO_THIN", "SIGNAL_TOO_OLD"} <= names
    assert decision.reason is None
    assert all(guard.passed is not False for guard in decision.guards)


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        ({"ask": "1.00", "bid": "0.90"}, Reason.SPREAD_TOO_WIDE),
        ({"ask": "1.00", "bid": None}, Reason.SPREAD_TOO_WIDE),
        ({"ask": "1.00", "bid": "0.99", "depth": "5"}, Reason.DEPTH_TOO_THIN),
        ({"ask": "1.40", "bid": "1.39"}, Reason.DEPTH_TOO_THIN),
        ({"ask": None, "bid": "0.99"}, Reason.NO_BOOK),
    ],
)
def test_market_that_is_not_fit_is_skipped_with_its_reason_after_the_wait(book, reason):
    world = a_world_that_knows().hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        default_symbols_read(10.1, *OLD, "ALPHAUSDT"),
        candles_read(10.2, "ALPHAUSDT"),
        a_trade(10.3),
        a_book(10.35, **book),
    )
    assert _submitted(world) == []
    world.hear(a_tick(10.6))
    assert (world.listing("ALPHAUSDT").outcome, world.listing("ALPHAUSDT").reason) == (Outcome.SKIPPED, reason)
    (trade,) = _trades(world).values()
    assert (trade.status, trade.reason) == (TradeStatus.REJECTED, reason)


def test_book_that_becomes_fit_within_the_wait_is_entered():
    world = a_world_that_knows().hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        default_symbols_read(10.1, *OLD, "ALPHAUSDT"),
        candles_read(10.2, "ALPHAUSDT"),
        a_trade(10.3),
        a_book(10.35, depth="1"),
        a_book(10.4),
    )
    assert len(_submitted(world)) == 1


def test_listing_with_trading_rules_that_forbid_market_orders_is_bought_by_a_capped_order():
    row = an_instrument("ALPHAUSDT")
    import msgspec

    world = a_world_that_knows().hear(
        instruments_read(10, msgspec.structs.replace(row, order_types=("LIMIT",)), names=set(OLD)),
        default_symbols_read(10.1, *OLD, "ALPHAUSDT"),
        candles_read(10.2, "ALPHAUSDT"),
        a_trade(10.3),
        a_book(10.35),
    )
    (intent,) = _submitted(world)
    assert (intent.type, intent.price, intent.quantity) == (OrderType.IOC, Decimal("1.1"), Decimal("18.18"))


def test_pair_not_open_to_the_api_yet_is_tried_again_and_given_up_after_four_attempts():
    world = _opened(a_world_that_knows())
    second = 10.4
    for _ in range(6):
        intent = _submitted(world)[-1]
        world.hear(
            reported(second, intent, S.SUBMITTED),
            reported(second + 0.05, intent, S.REJECTED, code=10007, reason=Reason.NOT_OPEN_TO_API),
            a_tick(second + 0.2),
            a_tick(second + 0.4),
            a_book(second + 0.45),
        )
        second += 0.5
    ids = [intent.client_order_id for intent in _submitted(world)]
    assert len(ids) == len(set(ids)) == 4
    assert world.listing("ALPHAUSDT").reason is Reason.NOT_OPEN_TO_API


def test_market_orders_refused_at_the_venue_lead_to_one_capped_order():
    world = _opened(a_world_that_knows())
    first = _submitted(world)[0]
    world.hear(
        reported(10.4, first, S.SUBMITTED),
        reported(10.45, first, S.REJECTED, code=30019, reason=Reason.MARKET_ORDERS_CLOSED),
        a_tick(10.5),
    )
    second = _submitted(world)[-1]
    assert (first.type, second.type) == (OrderType.MARKET, OrderType.IOC)
    assert first.client_order_id != second.client_order_id


def test_order_without_an_answer_is_in_doubt_and_blocks_a_second_entry():
    world = _opened(a_world_that_knows())
    intent = _submitted(world)[0]
    world.hear(reported(10.4, intent, S.SUBMITTED), reported(15.4, intent, S.IN_DOUBT, text="no answer"))
    for second in range(16, 40):
        world.hear(a_tick(second), a_book(second + 0.5))
    assert len(_submitted(world)) == 1
    (trade,) = _trades(world).values()
    assert trade.status is TradeStatus.IN_DOUBT
    world.hear(reported(41, intent, S.FILLED, filled="20", quote="20"), filled(41.1, intent, price="1", quantity="20"))
    assert world.listing("ALPHAUSDT").outcome is Outcome.ENTERED


def test_twenty_listings_at_once_never_exceed_the_exposure_limit():
    world = a_world_that_knows()
    world.hear(
        a_command(5, Verb.UPDATE_CONFIG, config={"maxPositionUsdt": "100", "maxOpenPositions": 50}, confirm=True)
    )
    names = [f"N{number}USDT" for number in range(20)]
    for number, name in enumerate(names):
        _opened(world, name, 10 + number / 100)
    stake = sum(intent.worst_notional for intent in _submitted(world))
    assert stake <= 100
    assert len(_submitted(world)) == 5
    reasons = [world.listing(name).reason for name in names if world.listing(name).outcome is Outcome.SKIPPED]
    assert reasons == [Reason.ABOVE_MAX_POSITION] * 15


def test_same_coin_is_entered_once_however_often_it_opens():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(699), a_command(700, Verb.EXECUTE_TRADE, symbol="ALPHAUSDT", quoteQty="10"))
    assert len(_submitted(world)) == 2, "by hand it may be bought again"


@pytest.mark.parametrize(
    ("price", "role"),
    [("0.80", OrderRole.STOP_LOSS), ("1.30", OrderRole.TAKE_PROFIT)],
)
def test_barrier_that_is_reached_sells(price, role):
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid=price, ask=str(Decimal(price) + Decimal("0.01"))))
    sell = _submitted(world)[-1]
    assert (sell.role, sell.account) == (role, Account.PAPER)
    assert sell.quantity == (Decimal(20) if role is OrderRole.STOP_LOSS else Decimal(8))


def test_take_profit_that_sold_nothing_is_tried_again():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid="1.30", ask="1.31"))
    sell = _submitted(world)[-1]
    world.hear(reported(20.1, sell, S.SUBMITTED), reported(20.2, sell, S.CANCELED), a_book(22, bid="1.30", ask="1.31"))
    again = _submitted(world)[-1]
    assert again.client_order_id != sell.client_order_id
    assert (again.role, again.quantity) == (OrderRole.TAKE_PROFIT, sell.quantity)
    assert (sell.type, again.type) == (OrderType.MARKET, OrderType.IOC), "a gap defeats market orders"


def test_trailing_stop_follows_only_after_its_profit_level():
    world = _opened(a_world_that_knows())
    world.hear(a_command(5, Verb.UPDATE_CONFIG, config={"takeProfit": []}))
    _bought(world)
    world.hear(a_book(20, bid="1.10", ask="1.11"), a_book(21, bid="0.98", ask="0.99"))
    assert len(_submitted(world)) == 1
    world.hear(a_book(22, bid="1.20", ask="1.21"), a_book(23, bid="1.07", ask="1.08"))
    assert _submitted(world)[-1].role is OrderRole.TRAILING_STOP


def test_position_is_sold_when_its_time_is_over():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20), a_tick(10.4 + 30 * 60 + 1))
    assert _submitted(world)[-1].role is OrderRole.TIME_EXIT


def test_sold_position_closes_with_its_profit():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid="0.80", ask="0.81"))
    sell = _submitted(world)[-1]
    world.hear(
        reported(20.1, sell, S.SUBMITTED),
        filled(20.2, sell, price="0.79", quantity="20", trade_id="2"),
        reported(20.2, sell, S.FILLED, filled="20", quote="15.8"),
    )
    (position,) = _positions(world)
    assert position.status is PositionStatus.CLOSED
    assert position.realized_pnl == Decimal("-4.2")


def test_sell_never_exceeds_what_is_free_while_another_is_on_its_way():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid="1.30", ask="1.31"), a_book(21, bid="0.80", ask="0.81"))
    sells = [intent for intent in _submitted(world) if intent.role.reduces_risk]
    assert sum(intent.quantity or 0 for intent in sells) <= 20


def test_refused_sell_of_a_pair_without_api_access_needs_a_person_and_stays_counted():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid="0.80", ask="0.81"))
    sell = _submitted(world)[-1]
    world.hear(
        reported(20.1, sell, S.SUBMITTED),
        reported(20.2, sell, S.REJECTED, code=10007, reason=Reason.NOT_OPEN_TO_API),
    )
    (position,) = _positions(world)
    assert "10007" in position.manual_exit_needed
    exposure = world.engine._trader.holdings.exposure(Account.PAPER, "USDT", at(21).ts_recv_ns)
    assert exposure.at_stake == 20


def test_kill_switch_closes_the_gate_before_anything_else_and_survives_a_restart():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_command(20, Verb.KILL, action="pause", reason="test"))
    gates = world.asked(SetGate)
    assert Reason.KILL_LATCHED in gates[-1].gate.closed
    _opened(world, "BETAUSDT", 30)
    assert len(_submitted(world)) == 1
    assert world.listing("BETAUSDT").reason is Reason.KILL_LATCHED
    world.hear(a_book(40, bid="0.80", ask="0.81"))
    assert _submitted(world)[-1].role is OrderRole.STOP_LOSS, "exits stay alive"
    again = World(_restored_with_trading(world), seconds=50)
    assert again.engine.state.trading.status.state is TradingState.REDUCING
    assert again.engine.state.trading.status.latched


def _restored_with_trading(world: World):
    return msgspec.structs.replace(world.restored(), trading=world.engine.state.trading.status)


def test_flatten_cancels_sells_everything_and_halts():
    world = _opened(a_world_that_knows())
    _bought(world)
    _opened(world, "BETAUSDT", 15)
    beta = _submitted(world)[-1]
    world.hear(reported(15.4, beta, S.SUBMITTED), reported(15.45, beta, S.ACCEPTED))
    world.hear(a_command(20, Verb.KILL, action="flatten"))
    assert [ask.order.intent.symbol for ask in world.asked(CancelOrder)] == ["BETAUSDT"]
    assert _submitted(world)[-1].role is OrderRole.FLATTEN
    assert world.engine.state.trading.status.state is TradingState.HALTED


def test_latch_file_works_like_the_command():
    world = a_world_that_knows()
    world.hear(KillLatched(stamp=at(20), action="pause", actor="panic"))
    assert world.engine.state.trading.status.latched


def test_resume_needs_a_person_and_reopens_the_gate():
    world = a_world_that_knows()
    world.hear(a_command(20, Verb.KILL), a_command(21, Verb.RESUME, reason="checked"))
    assert world.engine.state.trading.status.state is TradingState.ACTIVE
    _opened(world, "BETAUSDT", 30)
    assert len(_submitted(world)) == 1


def test_arming_in_dry_run_is_refused():
    world = a_world_that_knows()
    world.hear(a_command(20, Verb.ARM, minutes=60))
    assert _last_result(world).code == "arming_refused"


def test_daily_loss_limit_latches():
    world = _opened(a_world_that_knows())
    world.hear(a_command(5, Verb.UPDATE_CONFIG, config={"dailyLossLimitUsdt": "3"}))
    _bought(world)
    world.hear(a_book(20, bid="0.80", ask="0.81"))
    sell = _submitted(world)[-1]
    world.hear(
        reported(20.1, sell, S.SUBMITTED),
        filled(20.2, sell, price="0.80", quantity="20", trade_id="2"),
        reported(20.2, sell, S.FILLED, filled="20", quote="16"),
        a_tick(21),
    )
    assert world.engine.state.trading.status.latched
    assert "DAILY_LOSS_REACHED" in world.engine.state.trading.status.reason


def test_entry_by_hand_answers_with_the_first_outcome():
    world = a_world_that_knows().hear(a_book(5, "OLDUSDT"))
    command = a_command(6, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="10")
    world.hear(command)
    assert world.results() == []
    _bought(world, 6.1, quantity="10")
    result = _last_result(world)
    assert result.status is CommandStatus.DONE
    assert (result.result["status"], result.result["mode"]) == ("filled", "dry-run")


def test_entry_by_hand_without_an_outcome_is_answered_pending():
    world = a_world_that_knows().hear(a_book(5, "OLDUSDT"))
    world.hear(a_command(6, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="10"), a_tick(11))
    assert _last_result(world).result["status"] == "pending"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"symbol": "NOPEUSDT", "quoteQty": "10"}, "unknown_symbol"),
        ({"symbol": "OLDUSDT", "quoteQty": "-1"}, "invalid_amount"),
        ({"symbol": "OLDUSDT", "quoteQty": "many"}, "invalid_amount"),
        ({"symbol": "OLDUSDT", "quoteQty": "0.5"}, "below_minimum"),
        ({"symbol": "OLDUSDT", "quoteQty": "101"}, "above_max_trade"),
        ({"symbol": "OLDUSDT", "quoteQty": "501"}, "above_hard_cap"),
    ],
)
def test_entry_by_hand_that_is_wrong_is_refused_recorded_and_sends_nothing(arguments, code):
    world = a_world_that_knows().hear(a_book(5, "OLDUSDT"))
    world.hear(a_command(6, Verb.EXECUTE_TRADE, **arguments))
    assert _last_result(world).code == code
    assert _submitted(world) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tradeUsdt": "150"}, "tradeUsdt"),
        ({"maxTradeUsdt": "600", "maxPositionUsdt": "1900"}, "maxTradeUsdt"),
        ({"maxPositionUsdt": "50"}, "maxTradeUsdt"),
        ({"stopLossPct": "100"}, "stopLossPct"),
        ({"takeProfit": [{"gainPct": "10", "sharePct": "60"}, {"gainPct": "20", "sharePct": "60"}]}, "takeProfit"),
    ],
)
def test_limits_that_contradict_each_other_are_refused_by_field(change, field):
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.UPDATE_CONFIG, config=change, confirm=True))
    assert _last_result(world).code == "invalid_config"
    assert field in _last_result(world).result["fields"]


def test_limit_raised_to_more_than_double_asks_for_a_second_word():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.UPDATE_CONFIG, config={"maxPositionUsdt": "1500"}))
    assert _last_result(world).code == "confirmation_required"
    assert world.engine.state.config.version == 1
    world.hear(a_command(11, Verb.UPDATE_CONFIG, config={"maxPositionUsdt": "1500"}, confirm=True))
    assert world.engine.state.config.version == 2


def test_feed_that_is_down_denies_entries_while_it_lasts_and_no_longer():
    world = a_world_that_knows()

    def stream(second: float, status: ComponentStatus) -> None:
        world.hear(SourceChanged(stamp=at(second), source=SourceName.STREAM, status=status, detail="cut"))

    stream(5, ComponentStatus.DOWN)
    _opened(world, "ALPHAUSDT", 10)
    assert world.listing("ALPHAUSDT").reason is Reason.FEED_STALE
    stream(20, ComponentStatus.OK)
    _opened(world, "BETAUSDT", 30)
    assert len(_submitted(world)) == 1


def test_uncertain_clock_denies_live_entries_and_leaves_paper_alone():
    world = a_world_that_knows()
    world.hear(ClockSynced(stamp=at(5), offset_ns=0, uncertainty_ns=400_000_000))
    gates = {effect.account: effect.gate for effect in world.asked(SetGate)}
    assert Reason.CLOCK_UNCERTAIN in gates[Account.LIVE].closed
    assert Reason.CLOCK_UNCERTAIN not in gates[Account.PAPER].closed


def test_refused_key_halts_until_a_person_has_looked():
    world = _opened(a_world_that_knows())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        reported(10.5, intent, S.REJECTED, code=700006, reason=Reason.KEY_REFUSED, text="ip"),
    )
    status = world.engine.state.trading.status
    assert (status.state, status.latched) == (TradingState.HALTED, True)


def test_one_execution_named_differently_by_stream_and_list_is_counted_once():
    world = _opened(a_world_that_knows())
    intent = _bought(world)
    world.hear(filled(11, intent, price="1.00", quantity="20", trade_id="another-name"))
    (position,) = _positions(world)
    assert position.quantity == 20


def test_rollback_makes_an_old_version_the_newest_and_asks_twice_for_a_large_raise():
    world = a_world_that_knows()
    first = world.engine.state.config.config.model_dump(by_alias=True)
    world.hear(a_command(10, Verb.UPDATE_CONFIG, config={"maxDailySpendUsdt": "100"}))
    world.hear(a_command(11, Verb.ROLLBACK_CONFIG, version=1, config=first))
    assert _last_result(world).code == "confirmation_required"
    world.hear(a_command(12, Verb.ROLLBACK_CONFIG, version=1, config=first, confirm=True))
    assert world.engine.state.config.version == 3
    assert world.engine.state.config.config.max_daily_spend_usdt == 1000


def test_rollback_to_a_version_that_is_not_there_is_refused():
    world = a_world_that_knows()
    world.hear(a_command(10, Verb.ROLLBACK_CONFIG, version=9, config=None))
    assert _last_result(world).code == "unknown_version"


def test_flatten_is_repeated_until_everything_is_sold_and_takes_in_what_arrives_late():
    world = _opened(a_world_that_knows())
    _bought(world)
    _opened(world, "BETAUSDT", 15)
    beta = _submitted(world)[-1]
    world.hear(reported(15.4, beta, S.SUBMITTED), a_command(20, Verb.KILL, action="flatten"))
    first = _submitted(world)[-1]
    world.hear(reported(20.1, first, S.SUBMITTED), reported(20.2, first, S.CANCELED), a_book(22), a_tick(22.1))
    again = _submitted(world)[-1]
    assert (again.symbol, again.role) == ("ALPHAUSDT", OrderRole.FLATTEN)
    assert again.client_order_id != first.client_order_id
    world.hear(
        filled(23, beta, price="1.00", quantity="20"),
        reported(23, beta, S.FILLED, filled="20", quote="20"),
        a_book(24, "BETAUSDT"),
    )
    late = _submitted(world)[-1]
    assert (late.symbol, late.role) == ("BETAUSDT", OrderRole.FLATTEN)


def test_close_by_hand_is_repeated_until_everything_is_sold():
    world = _opened(a_world_that_knows())
    _bought(world)
    (position,) = _positions(world)
    world.hear(a_command(20, Verb.CLOSE_POSITION, positionId=position.id))
    first = _submitted(world)[-1]
    world.hear(reported(20.1, first, S.SUBMITTED), reported(20.2, first, S.CANCELED), a_book(22))
    again = _submitted(world)[-1]
    assert (again.role, again.quantity) == (OrderRole.MANUAL_CLOSE, first.quantity)
    assert again.client_order_id != first.client_order_id


def test_milder_stop_after_a_graver_one_does_not_lower_it():
    world = a_world_that_knows()
    world.hear(a_command(20, Verb.KILL, action="flatten"), a_command(21, Verb.KILL, action="pause"))
    status = world.engine.state.trading.status
    assert (status.state, status.flatten) == (TradingState.HALTED, True)
    world.hear(a_command(22, Verb.RESUME))
    status = world.engine.state.trading.status
    assert (status.state, status.flatten) == (TradingState.ACTIVE, False)


# ---------------------------------------------------------------------- a price known from elsewhere


def _guard(world: World, name: Reason) -> tuple[bool | None, str]:
    decision = [entry.decision for entry in world.entries if isinstance(entry, DecisionMade)][-1]
    return next((guard.passed, guard.measured) for guard in decision.guards if guard.name == name)


def test_price_far_from_the_operators_reference_is_not_bought():
    world = a_world_that_knows().hear(
        a_command(1, Verb.UPDATE_CONFIG, config={"referencePrices": ["ALPHAUSDT=0.01"]}),
    )
    _opened(world)
    assert _submitted(world) == []
    assert world.listing("ALPHAUSDT").reason is Reason.PRICE_IMPLAUSIBLE
    passed, measured = _guard(world, Reason.PRICE_IMPLAUSIBLE)
    assert passed is False
    assert "the operator's reference price (0.01)" in measured


def test_price_near_the_coins_other_pair_is_bought_and_the_decision_names_it():
    world = a_world_that_knows("OLDUSDT", "OLDUSDC").hear(
        instruments_read(1, an_instrument("OLDUSDC", quote="USDC"), an_instrument("OLDUSDT")),
        a_book(2, "OLDUSDT", bid="0.95", ask="1.05"),
        a_book(2, "OLDUSDC", bid="0.99", ask="1.00"),
        a_command(3, Verb.EXECUTE_TRADE, symbol="OLDUSDC", quoteQty="20"),
    )
    passed, measured = _guard(world, Reason.PRICE_IMPLAUSIBLE)
    assert passed is True
    assert measured.endswith("of the price of OLDUSDT (1)")


def test_without_any_known_price_nothing_is_compared_and_the_decision_says_so():
    world = _opened(a_world_that_knows())
    assert _guard(world, Reason.PRICE_IMPLAUSIBLE) == (None, "nothing to compare with")


def test_closing_right_after_a_start_is_done_once_the_pairs_rules_are_known():
    before = _opened(a_world_that_knows())
    _bought(before)
    (held,) = _positions(before)
    world = World(msgspec.structs.replace(_restored_with_trading(before), positions=(held,)), seconds=100)
    world.hear(a_command(101, Verb.CLOSE_POSITION, positionId=held.id))
    assert _last_result(world).status is CommandStatus.DONE
    assert _submitted(world) == []
    world.hear(instruments_read(102, an_instrument("ALPHAUSDT"), names={*OLD, "ALPHAUSDT"}), a_book(103))
    assert [(sell.role, sell.quantity) for sell in _submitted(world)] == [(OrderRole.MANUAL_CLOSE, Decimal(20))]


def test_exit_refused_for_the_price_band_names_the_bid_next_instead_of_the_same_price_for_ever():
    """After a restart the last price is not known, and the band is measured from it."""
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_book(20, bid="0.80", ask="0.81"))
    market = _submitted(world)[-1]
    world.hear(reported(20.1, market, S.SUBMITTED), reported(20.2, market, S.CANCELED), a_book(21, bid="0.80"))
    capped = _submitted(world)[-1]
    assert (capped.type, capped.price) == (OrderType.IOC, Decimal("0.72"))
    world.hear(
        reported(21.1, capped, S.SUBMITTED),
        reported(21.2, capped, S.REJECTED, code=30010, reason=Reason.OUTSIDE_PRICE_BAND),
        a_book(23, bid="0.79", ask="0.80"),
    )
    assert (_submitted(world)[-1].type, _submitted(world)[-1].price) == (OrderType.IOC, Decimal("0.79"))


# ---------------------------------------------------------------------- books that do not move


@pytest.mark.parametrize("known", [False, True], ids=["never seen", "half a minute old"])
def test_buying_by_hand_asks_once_for_a_book_that_does_not_move_and_buys_what_it_shows(known):
    world = a_world_that_knows()
    if known:
        world.hear(a_book(10, "OLDUSDT", bid="1.99", ask="2.00"))
    world.hear(a_command(40, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="20"), a_tick(40.1))
    assert (world.asked(ReadBook), world.asked(Watch)) == ([ReadBook("OLDUSDT")], [Watch("OLDUSDT")])
    assert _submitted(world) == []
    world.hear(a_book(40.2, "OLDUSDT"), a_tick(40.25), a_tick(40.5))
    (intent,) = _submitted(world)
    assert intent.reference_price == Decimal("1.00")
    assert world.asked(ReadBook) == [ReadBook("OLDUSDT")]


def test_buying_by_hand_without_any_answer_about_the_book_is_refused_after_three_seconds():
    world = a_world_that_knows().hear(
        a_command(40, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="20"), a_tick(42.9), a_tick(43.1)
    )
    assert _last_result(world).code in ("no_book", "no_reference_price")
    assert _submitted(world) == []


def test_paper_exit_into_a_silent_book_has_it_confirmed_and_sells_within_its_freshness():
    world = _opened(a_world_that_knows())
    _bought(world)
    world.hear(a_tick(10.4 + 30 * 60 + 1))
    second = 1812.0
    for number in range(1, 8):
        sell = _submitted(world)[-1]
        assert sell.role is OrderRole.TIME_EXIT
        world.hear(reported(second, sell, S.SUBMITTED), reported(second + 0.1, sell, S.CANCELED, reason=Reason.NO_BOOK))
        assert len(world.asked(ReadBook)) == number
        answered = second + 0.2
        world.hear(a_book(answered))
        while _submitted(world)[-1] is sell:
            second += 0.1
            world.hear(a_tick(second))
        assert second - answered < 10, "the next try meets a book that is still fresh"


def test_start_with_a_position_asks_for_its_book():
    before = _opened(a_world_that_knows())
    _bought(before)
    (held,) = _positions(before)
    world = World(msgspec.structs.replace(_restored_with_trading(before), positions=(held,)), seconds=100)
    assert world.asked(ReadBook) == [ReadBook("ALPHAUSDT")]
