"""The live account: arming, reconciliation before anything, doubt resolved by proof, what only a person can end."""

from decimal import Decimal

import msgspec
import pytest

from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Quantity, Symbol
from mexc_sniper.engine.effects import CancelOrder, LookUp, ReadFills, Submit, Sweep
from mexc_sniper.model.account import Account, Balance, TradingState
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import AttentionChanged, TradeChanged, TradingChanged
from mexc_sniper.model.events import (
    BalancesRead,
    KeyChecked,
    LookUpKind,
    OrderLookedUp,
    PrivateStreamChanged,
    VenueOrder,
    VenueSwept,
)
from mexc_sniper.model.listing import Outcome
from mexc_sniper.model.order import ExecutionReport, Order, OrderIntent, OrderStatus, ReportSource
from mexc_sniper.model.trading import AttentionKind, PinState, TradeStatus
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
    ns,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows
from tests.journal.builders import an_intent

S = OrderStatus
UID = "209302839"
NOWHERE = (LookUpKind.ORDER, LookUpKind.OPEN_ORDERS, LookUpKind.ALL_ORDERS)


def _key(second: float, *problems: str, **details: object) -> KeyChecked:
    """A key with everything arming asks for, unless told otherwise."""
    known: dict[str, object] = {"canary_passed_ns": ns(-3600), "uid": UID, "fingerprint": "key-1", **details}
    return KeyChecked(stamp=at(second), problems=problems, **known)  # type: ignore[arg-type]


def _usdt(free: str = "1000") -> Balance:
    return Balance(Account.LIVE, Asset("USDT"), Decimal(free), Decimal(0))


def _swept(second: float, *orders: VenueOrder, balances: tuple[Balance, ...] = (), failed: str = "") -> VenueSwept:
    return VenueSwept(
        stamp=at(second),
        account=Account.LIVE,
        open_orders=tuple(order for order in orders if order.report.status is S.ACCEPTED),
        recent_orders=orders,
        balances=balances or (_usdt(),),
        asked_ns=at(second).ts_recv_ns,
        failed=failed,
    )


def _venue_order(
    second: float, client_id: str, status: OrderStatus = S.ACCEPTED, symbol: str = "OLDUSDT"
) -> VenueOrder:
    report = ExecutionReport(
        stamp=at(second),
        account=Account.LIVE,
        client_order_id=ClientOrderId(client_id),
        status=status,
        source=ReportSource.QUERY,
    )
    return VenueOrder(
        symbol=Symbol("OLDUSDT"),
        client_order_id=client_id,
        report=report,
        side="BUY",
        price=None,
        quantity=None,
        created_ns=ns(second),
    )


def _looked_up(second: float, intent: OrderIntent, kind: LookUpKind, **details: object) -> OrderLookedUp:
    found = details.pop("found", None)
    return OrderLookedUp(
        stamp=at(second),
        account=Account.LIVE,
        client_order_id=intent.client_order_id,
        kind=kind,
        found=found,  # type: ignore[arg-type]
        asked_ns=ns(second - 0.05),
        **details,  # type: ignore[arg-type]
    )


def _ready(*, auto: bool = True, armed: bool = True) -> World:
    """A live process, reconciled, its key fit; armed and buying by itself unless told otherwise."""
    world = a_world_that_knows(live=True).hear(
        _key(0.3),
        _swept(0.5),
    )
    if armed:
        world.hear(a_command(1, Verb.ARM, minutes=60))
    if auto:
        world.hear(a_command(2, Verb.UPDATE_CONFIG, config={"autoTrade": True}, confirm=True))
    return world


def _opened(world: World, symbol: str = "ALPHAUSDT", second: float = 10) -> World:
    return world.hear(
        instruments_read(second, an_instrument(symbol), names={*OLD, *world.engine.state.listed_names}),
        default_symbols_read(second + 0.1, *sorted({*world.engine.state.default_names, symbol})),
        candles_read(second + 0.2, symbol),
        a_trade(second + 0.3, symbol),
        a_book(second + 0.35, symbol),
    )


def _submitted(world: World) -> list[OrderIntent]:
    return [effect.approved.intent for effect in world.asked(Submit)]


def _order(world: World, intent: OrderIntent) -> Order:
    return world.engine.state.trading.orders[intent.client_order_id]


def _attention(world: World) -> list[AttentionKind]:
    latest = {e.attention.id: e.attention for e in world.entries if isinstance(e, AttentionChanged)}
    return [item.kind for item in latest.values() if item.resolved_ns is None]


def _status(world: World, intent: OrderIntent) -> TradeStatus:
    trades = [e.trade for e in world.entries if isinstance(e, TradeChanged)]
    return [t.status for t in trades if t.client_order_id == intent.client_order_id][-1]


def _last_result(world: World):
    return world.results()[-1].result


def _doubtful(second: float = 10.4) -> tuple[World, OrderIntent]:
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(reported(second, intent, S.SUBMITTED), reported(second + 5, intent, S.IN_DOUBT, text="no answer"))
    return world, intent


# ---------------------------------------------------------------------- arming


def test_armed_live_process_with_auto_trade_buys_live():
    world = _opened(_ready())
    assert [intent.account for intent in _submitted(world)] == [Account.LIVE]


@pytest.mark.parametrize(("auto", "armed"), [(False, True), (True, False)])
def test_live_process_that_is_not_armed_or_not_switched_on_buys_on_paper(auto, armed):
    world = _opened(_ready(auto=auto, armed=armed))
    assert [intent.account for intent in _submitted(world)] == [Account.PAPER]


def test_arming_ends_by_itself_and_later_entries_go_to_paper():
    world = _ready()
    world.hear(a_tick(3700))
    assert world.engine.state.trading.status.armed_until_ns is None
    _opened(world, "BETAUSDT", 3800)
    assert [intent.account for intent in _submitted(world)] == [Account.PAPER]


def test_live_position_keeps_its_live_exits_after_disarming():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
        a_command(11, Verb.DISARM),
        a_book(20, bid="0.80", ask="0.81"),
    )
    sell = _submitted(world)[-1]
    assert (sell.account, sell.role.reduces_risk) == (Account.LIVE, True)


@pytest.mark.parametrize(
    ("prepare", "minutes", "words"),
    [
        ((), 60, "key has not been checked"),
        ((_key(0.3, "The key can read withdrawals."),), 60, "withdrawals"),
        ((_key(0.3, canary_passed_ns=None), _swept(0.5)), 60, "doctor --canary"),
        ((_key(0.3),), 60, "not been compared"),
        ((_key(0.3), _swept(0.5)), 0, "minutes"),
        ((_key(0.3), _swept(0.5), a_command(0.6, Verb.KILL)), 60, "not active"),
    ],
)
def test_arming_is_refused_with_the_reason(prepare, minutes, words):
    world = a_world_that_knows(live=True).hear(*prepare, a_command(1, Verb.ARM, minutes=minutes))
    assert _last_result(world).code == "arming_refused"
    assert words in _last_result(world).message
    assert world.engine.state.trading.status.armed_until_ns is None


def test_key_that_stops_being_fit_disarms():
    world = _ready()
    world.hear(_key(5, "The key can read withdrawals."))
    assert world.engine.state.trading.status.armed_until_ns is None


def test_key_without_its_own_canary_disarms_and_says_so():
    world = _ready()
    assert world.engine.state.trading.status.canary_passed_ns == ns(-3600)
    world.hear(_key(5, canary_passed_ns=None, fingerprint="key-2"))
    assert world.engine.state.trading.status.armed_until_ns is None
    assert world.engine.state.trading.status.canary_passed_ns is None


def _next_life(world: World) -> World:
    """Another life of the program, which restores what the ledger was told of trading."""
    told = [entry.status for entry in world.entries if isinstance(entry, TradingChanged)]
    restored = msgspec.structs.replace(world.restored(), trading=told[-1])
    return World(restored, seconds=100, live=True).hear(_swept(100.5))


def test_first_arming_pins_the_account_and_the_pin_outlives_a_restart():
    world = _ready()
    pin = world.engine.state.trading.status.pin
    assert pin is not None
    assert (pin.uid, pin.fingerprint) == (UID, "key-1")
    again = _next_life(world).hear(_key(101))
    assert again.engine.state.trading.status.pin == pin
    assert again.engine.state.trading.status.pinned is PinState.SAME


@pytest.mark.parametrize(
    ("details", "state"),
    [
        ({"uid": "777", "fingerprint": "key-2"}, PinState.OTHER),
        ({"uid": "777"}, PinState.OTHER),
        ({"uid": None, "fingerprint": "key-2"}, PinState.UNKNOWN),
    ],
)
def test_another_accounts_key_ends_the_arming_and_is_refused_until_a_person_confirms(details, state):
    world = _next_life(_ready()).hear(_key(101, **details))
    status = world.engine.state.trading.status
    assert (status.pinned, status.armed_until_ns) == (state, None)
    world.hear(a_command(102, Verb.ARM, minutes=60))
    assert _last_result(world).code == "arming_refused"
    assert f"account {UID}" in _last_result(world).message
    assert "--new-account" in _last_result(world).message
    assert world.engine.state.trading.status.armed_until_ns is None
    world.hear(a_command(103, Verb.ARM, minutes=60, newAccount=True))
    assert _last_result(world).status is CommandStatus.DONE
    pin = world.engine.state.trading.status.pin
    assert pin is not None
    assert (pin.uid, world.engine.state.trading.status.pinned) == (details.get("uid", UID), PinState.SAME)


@pytest.mark.parametrize(
    "details",
    [{"fingerprint": "key-2"}, {"uid": None}],
    ids=["a renewed key of the same account", "the same key, its account not told"],
)
def test_key_of_the_pinned_account_arms_without_a_second_word(details):
    world = _next_life(_ready()).hear(_key(101, **details), a_command(102, Verb.ARM, minutes=60))
    assert _last_result(world).status is CommandStatus.DONE
    assert world.engine.state.trading.status.pinned is PinState.SAME


def test_account_the_venue_did_not_name_is_pinned_by_its_key_and_named_as_soon_as_it_is_told():
    world = a_world_that_knows(live=True).hear(_key(0.3, uid=None), _swept(0.5), a_command(1, Verb.ARM, minutes=60))
    pin = world.engine.state.trading.status.pin
    assert pin is not None
    assert (pin.uid, pin.fingerprint) == (None, "key-1")
    world.hear(_key(5), a_command(6, Verb.ARM, minutes=60))
    pin = world.engine.state.trading.status.pin
    assert pin is not None
    assert pin.uid == UID


def test_arming_that_outlived_a_restart_counts_only_once_the_key_was_looked_at():
    world = _next_life(_ready()).hear(a_command(101, Verb.EXECUTE_TRADE, symbol="OLDUSDT", quoteQty="20"))
    assert world.engine.state.trading.status.armed_until_ns is not None
    gate = world.engine._trader.gatekeeper
    assert not gate.armed(ns(101))
    world.hear(_key(102))
    assert gate.armed(ns(102))


def test_key_that_could_not_be_checked_does_not_end_the_permission_to_trade():
    world = _ready()
    before = world.engine.state.trading.status.armed_until_ns
    assert before is not None
    world.hear(_key(5, "The venue could not be asked.", condemned=False))
    assert world.engine.state.trading.status.armed_until_ns == before
    world.hear(a_command(6, Verb.ARM, minutes=60))
    assert _last_result(world).code == "arming_refused"


# ---------------------------------------------------------------------- start and reconciliation


def test_live_start_is_halted_until_the_venue_was_compared():
    world = a_world_that_knows(live=True)
    assert world.engine.state.trading.status.state is TradingState.HALTED
    assert len(world.asked(Sweep)) == 1
    world.hear(_swept(0.5, failed="venue away"))
    assert not world.engine.state.trading.status.reconciled
    world.hear(a_tick(3))
    assert len(world.asked(Sweep)) == 2
    world.hear(_swept(3.5))
    assert world.engine.state.trading.status.state is TradingState.ACTIVE


def test_venue_is_compared_again_every_half_minute():
    world = _ready()
    before = len(world.asked(Sweep))
    world.hear(*(a_tick(second) for second in range(3, 100)))
    assert len(world.asked(Sweep)) - before == 3


def test_order_that_was_leaving_when_the_last_life_ended_is_in_doubt_until_the_venue_tells():
    first = _opened(_ready())
    intent = _submitted(first)[0]
    order = msgspec.structs.replace(_order(first, intent), status=S.SUBMITTED, submitted_ns=ns(10.4))
    again = World(msgspec.structs.replace(first.restored(), orders=(order,), listings=()), seconds=20, live=True)
    assert _order(again, intent).status is S.IN_DOUBT
    found = ExecutionReport(
        stamp=at(21),
        account=Account.LIVE,
        client_order_id=intent.client_order_id,
        status=S.FILLED,
        source=ReportSource.QUERY,
        filled_quantity=Quantity(Decimal(20)),
        filled_quote=Decimal(20),
    )
    again.hear(_looked_up(21, intent, LookUpKind.ORDER, found=found))
    assert _order(again, intent).status is S.FILLED
    assert {ask.order.intent.client_order_id for ask in again.asked(ReadFills)} == {intent.client_order_id}


def test_own_order_in_the_venues_list_is_adopted():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(reported(10.4, intent, S.SUBMITTED), _swept(12, _venue_order(12, intent.client_order_id)))
    assert _order(world, intent).status is S.ACCEPTED


def test_order_of_somebody_else_is_shown_and_left_alone():
    world = _ready()
    world.hear(_swept(31, _venue_order(31, "by-hand-1")), _swept(61, _venue_order(61, "by-hand-1")))
    assert _attention(world) == [AttentionKind.FOREIGN_ORDER]
    assert world.engine.state.trading.status.state is TradingState.ACTIVE
    assert world.asked(CancelOrder) == []


def test_unknown_order_of_our_form_means_a_second_copy_and_halts():
    world = _ready()
    world.hear(_swept(31, _venue_order(31, "msl0001abcdefabcdef1200", S.FILLED)))
    status = world.engine.state.trading.status
    assert (status.state, status.latched) == (TradingState.HALTED, True)
    assert _attention(world) == [AttentionKind.FOREIGN_ORDER]


def test_position_without_its_coins_is_a_discrepancy_that_a_person_may_adopt():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
        _swept(41, balances=(_usdt("980"), Balance(Account.LIVE, Asset("ALPHA"), Decimal(5), Decimal(0)))),
    )
    assert _attention(world) == [AttentionKind.DISCREPANCY]
    attention_id = next(iter(world.engine.state.trading.attention))
    world.hear(a_command(42, Verb.RESOLVE_ATTENTION, id=attention_id, resolution="adopt"))
    assert _last_result(world).status is CommandStatus.DONE
    assert _attention(world) == []
    (position,) = world.engine.state.trading.positions.values()
    assert position.quantity == 5


def test_position_whose_coins_are_all_gone_is_closed_when_adopted():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
        _swept(41, balances=(_usdt("980"),)),
    )
    attention_id = next(iter(world.engine.state.trading.attention))
    world.hear(a_command(42, Verb.RESOLVE_ATTENTION, id=attention_id, resolution="adopt"))
    (position,) = world.engine.state.trading.positions.values()
    assert position.closed


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"id": "nothing", "resolution": "adopt"}, "unknown_attention"), ({"resolution": "burn"}, "invalid_resolution")],
)
def test_resolution_that_makes_no_sense_is_refused(arguments, code):
    world = _ready()
    world.hear(_swept(31, _venue_order(31, "by-hand-1")))
    attention_id = next(iter(world.engine.state.trading.attention))
    world.hear(a_command(41, Verb.RESOLVE_ATTENTION, **{"id": attention_id, **arguments}))
    assert _last_result(world).code == code


def test_private_stream_that_comes_back_asks_for_a_comparison():
    world = _ready()
    before = len(world.asked(Sweep))
    world.hear(PrivateStreamChanged(stamp=at(5), account=Account.LIVE, connected=False, detail="cut"))
    world.hear(PrivateStreamChanged(stamp=at(9), account=Account.LIVE, connected=True))
    assert len(world.asked(Sweep)) == before + 1


def test_asset_missing_from_complete_balances_is_gone():
    world = _ready()
    coins = Balance(Account.LIVE, Asset("ALPHA"), Decimal(7), Decimal(0))
    world.hear(BalancesRead(stamp=at(5), account=Account.LIVE, balances=(coins,), complete=False))
    world.hear(BalancesRead(stamp=at(6), account=Account.LIVE, balances=(_usdt(),), complete=True))
    assert world.engine.state.trading.balances[(Account.LIVE, Asset("ALPHA"))].free == 0


# ---------------------------------------------------------------------- doubt


def test_doubt_asks_at_two_places_again_and_again():
    world, _ = _doubtful()
    world.hear(*(a_tick(second) for second in range(16, 30)))
    kinds = [ask.kind for ask in world.asked(LookUp)]
    assert kinds.count(LookUpKind.ORDER) >= 5
    assert kinds.count(LookUpKind.OPEN_ORDERS) >= 5
    assert LookUpKind.ALL_ORDERS not in kinds


def test_not_found_before_the_fence_and_the_grace_have_passed_proves_nothing():
    world, intent = _doubtful()
    for second in (16, 20, 30, 40):
        world.hear(*(_looked_up(second, intent, kind) for kind in NOWHERE))
    assert _order(world, intent).status is S.IN_DOUBT


def test_not_found_anywhere_after_fence_and_grace_with_balances_unchanged_is_proof():
    world, intent = _doubtful()
    world.hear(_swept(41.5), *(_looked_up(42, intent, kind) for kind in NOWHERE))
    assert _order(world, intent).status is S.NEVER_ARRIVED
    assert _status(world, intent) is TradeStatus.FAILED
    assert world.listing("ALPHAUSDT").outcome is Outcome.FAILED
    assert len(_submitted(world)) == 1, "no second attempt"


def test_balances_from_before_the_grace_was_over_prove_nothing():
    world, intent = _doubtful()
    world.hear(_swept(41), *(_looked_up(42, intent, kind) for kind in NOWHERE))
    assert _order(world, intent).status is S.IN_DOUBT
    world.hear(_swept(42.5))
    assert _order(world, intent).status is S.NEVER_ARRIVED


def test_coins_that_nothing_explains_keep_the_order_in_doubt():
    world, intent = _doubtful()
    coins = Balance(Account.LIVE, Asset("ALPHA"), Decimal(20), Decimal(0))
    world.hear(_swept(41.5, balances=(_usdt(), coins)))
    world.hear(*(_looked_up(42, intent, kind) for kind in NOWHERE))
    assert _order(world, intent).status is S.IN_DOUBT


def test_question_that_failed_proves_nothing():
    world, intent = _doubtful()
    world.hear(_swept(41.5), *(_looked_up(42, intent, kind, failed="venue away") for kind in NOWHERE))
    assert _order(world, intent).status is S.IN_DOUBT


def test_doubt_keeps_the_whole_amount_reserved_and_needs_a_person_after_a_minute():
    world, intent = _doubtful()
    exposure = world.engine.exposure(Account.LIVE, ns(20))
    assert exposure.at_stake == intent.worst_notional
    world.hear(*(a_tick(second) for second in range(16, 90)))
    assert _attention(world) == [AttentionKind.IN_DOUBT]


def _crashed_with_doubts(count: int) -> World:
    """A new life at second 20 after one that ended while so many orders may have been leaving."""
    doubts = tuple(
        msgspec.structs.replace(order, status=S.IN_DOUBT, submitted_ns=ns(20), doubt_since_ns=ns(20))
        for order in map(_unsettled, range(count))
    )
    return World(msgspec.structs.replace(_ready().restored(), orders=doubts), seconds=20, live=True)


WEIGHT_OF = {LookUpKind.ORDER: 2, LookUpKind.OPEN_ORDERS: 3, LookUpKind.ALL_ORDERS: 10}
"""REFERENCE 1.3."""


def _weight(world: World) -> int:
    swept = sum(13 + 10 * len(ask.symbols) for ask in world.asked(Sweep))
    return swept + sum(WEIGHT_OF[ask.kind] for ask in world.asked(LookUp))


def test_crash_with_many_entries_prepared_leaves_room_under_the_venues_limit():
    world = _crashed_with_doubts(50)
    assert _weight(world) <= 150, "the comparison at the start"
    world.hear(_swept(20.5))
    assert world.engine.state.trading.status.reconciled, "doubts are resolved beside the trade"
    spent = [0]
    for second in range(21, 120):
        world.hear(*(a_tick(second + tenth / 10) for tenth in range(10)))
        spent.append(_weight(world))
    in_ten_s = [late - early for early, late in zip(spent, spent[10:], strict=False)]
    assert max(in_ten_s) <= 220, "of 300"
    assert in_ten_s[-1] > 0, "it goes on asking"


def test_every_one_of_many_doubts_is_resolved_in_turn():
    world = _crashed_with_doubts(50)
    world.hear(_swept(20.5))
    answered = {LookUp: 0, Sweep: 1}
    for tenth in range(215, 2600):
        now = tenth / 10
        world.hear(a_tick(now))
        for ask in world.asked(LookUp)[answered[LookUp] :]:
            answered[LookUp] += 1
            world.hear(_looked_up(now, ask.order.intent, ask.kind))
        for _ in world.asked(Sweep)[answered[Sweep] :]:
            answered[Sweep] += 1
            world.hear(_swept(now))
        if all(order.status is S.NEVER_ARRIVED for order in world.engine.state.trading.orders.values()):
            break
    assert now < 20 + 31 + 50 * 15 / 10 + 5, "proof costs weight 15 for each, at 10 a second"


# ---------------------------------------------------------------------- the end of an order


def test_reservation_is_released_only_when_the_end_was_seen_twice():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(reported(10.4, intent, S.SUBMITTED), reported(10.5, intent, S.CANCELED))
    assert world.engine.exposure(Account.LIVE, ns(11)).at_stake == intent.worst_notional
    world.hear(a_tick(26))
    assert world.asked(LookUp)[-1].kind is LookUpKind.ORDER
    seen = reported(26.1, intent, S.CANCELED, source=ReportSource.QUERY).report
    world.hear(_looked_up(26.1, intent, LookUpKind.ORDER, found=seen))
    assert _order(world, intent).settled
    assert world.engine.exposure(Account.LIVE, ns(27)).at_stake == 0


def test_fill_after_the_end_is_counted_and_raised():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        reported(10.5, intent, S.CANCELED),
        reported(12, intent, S.CANCELED, filled="20", quote="20", source=ReportSource.STREAM),
        filled(12.1, intent, price="1", quantity="20"),
    )
    assert _order(world, intent).late_fills == 1
    assert _attention(world) == [AttentionKind.DISCREPANCY]
    (position,) = world.engine.state.trading.positions.values()
    assert position.quantity == 20


def test_order_recorded_as_rejected_that_the_venue_shows_after_all_is_raised():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        reported(10.5, intent, S.REJECTED, code=30002, reason=Reason.BELOW_MINIMUM),
        reported(12, intent, S.ACCEPTED, source=ReportSource.STREAM),
    )
    assert _attention(world) == [AttentionKind.DISCREPANCY]


def test_cancel_is_repeated_until_an_end_is_seen():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(reported(10.4, intent, S.SUBMITTED), reported(10.5, intent, S.ACCEPTED))
    world.hear(a_command(11, Verb.CANCEL_ORDER, clientOrderId=intent.client_order_id))
    assert _last_result(world).status is CommandStatus.DONE
    world.hear(*(a_tick(second) for second in range(12, 20)))
    assert len(world.asked(CancelOrder)) >= 4
    world.hear(reported(20, intent, S.CANCELED))
    before = len(world.asked(CancelOrder))
    world.hear(*(a_tick(second) for second in range(21, 30)))
    assert len(world.asked(CancelOrder)) == before


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        (Verb.CANCEL_ORDER, {"clientOrderId": "nope"}, "unknown_order"),
        (Verb.CLOSE_POSITION, {"positionId": "nope"}, "unknown_position"),
        (Verb.CONFIRM_TRADE, {"tradeId": "nope"}, "not_pending"),
        (Verb.REJECT_TRADE, {"tradeId": "nope"}, "not_pending"),
        (Verb.KILL, {"action": "explode"}, "invalid_action"),
    ],
)
def test_command_about_nothing_is_refused_in_words(verb, arguments, code):
    world = _ready()
    world.hear(a_command(5, verb, **arguments))
    assert _last_result(world).code == code
    assert _last_result(world).message.endswith(".")


def test_closing_a_position_by_hand_sells_it_once():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
    )
    (position,) = world.engine.state.trading.positions.values()
    world.hear(a_command(11, Verb.CLOSE_POSITION, positionId=position.id))
    world.hear(a_command(12, Verb.CLOSE_POSITION, positionId=position.id))
    assert [r.result.status for r in world.results()][-2:] == [CommandStatus.DONE, CommandStatus.REFUSED]
    assert len(_submitted(world)) == 2


# ---------------------------------------------------------------------- high value


def _high_value() -> World:
    world = _ready()
    return _opened(
        world.hear(a_command(3, Verb.UPDATE_CONFIG, config={"highValueThresholdUsdt": "20"})),
    )


def test_high_value_entry_is_done_on_paper_and_offered_for_live():
    world = _high_value()
    (intent,) = _submitted(world)
    assert intent.account is Account.PAPER
    assert _status(world, intent) is TradeStatus.HIGH_VALUE_PENDING


def test_confirmed_high_value_entry_goes_live_through_every_guard():
    world = _high_value()
    trade_id = next(iter(world.engine.state.trading.confirmations))
    world.hear(a_command(20, Verb.CONFIRM_TRADE, tradeId=trade_id))
    assert [intent.account for intent in _submitted(world)] == [Account.PAPER, Account.LIVE]


def test_high_value_entry_nobody_answers_stays_paper():
    world = _high_value()
    (intent,) = _submitted(world)
    world.hear(a_tick(80))
    assert _status(world, intent) is not TradeStatus.HIGH_VALUE_PENDING
    assert world.engine.state.trading.confirmations == {}
    assert len(_submitted(world)) == 1


def test_rejected_high_value_entry_stays_paper():
    world = _high_value()
    trade_id = next(iter(world.engine.state.trading.confirmations))
    world.hear(a_command(20, Verb.REJECT_TRADE, tradeId=trade_id))
    assert _last_result(world).status is CommandStatus.DONE
    assert world.engine.state.trading.confirmations == {}


# ---------------------------------------------------------------------- answers that are old, doubled or too short


ALPHA = Balance(Account.LIVE, Asset("ALPHA"), Decimal(20), Decimal(0))


def _held() -> tuple[World, OrderIntent]:
    """Twenty coins bought live at 10.5 s."""
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        reported(10.45, intent, S.ACCEPTED, venue_order_id="C02__1"),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
    )
    return world, intent


def test_account_older_than_our_last_fill_is_no_discrepancy_and_lowers_nothing():
    """RELIABILITY 2.2, row 35."""
    world, intent = _held()
    world.hear(_swept(12), _swept(38))
    assert _attention(world) == []
    assert next(iter(world.engine.state.trading.positions.values())).quantity == 20
    world.hear(reported(39, intent, S.PARTIALLY_FILLED, filled="5", quote="5", source=ReportSource.QUERY))
    order = _order(world, intent)
    assert (order.status, order.filled_quantity) == (S.FILLED, 20)
    world.hear(_swept(41))
    assert _attention(world) == [AttentionKind.DISCREPANCY], "what is missing half a minute later is missing"


@pytest.mark.parametrize("known", [True, False], ids=["the order is known", "the order is in doubt"])
def test_two_orders_under_one_id_of_ours_halt_and_change_nothing_of_ours(known):
    """RELIABILITY 2.3, row 39."""
    if known:
        world, intent = _held()
    else:
        world, intent = _doubtful()
    first, second = (
        msgspec.structs.replace(row, report=msgspec.structs.replace(row.report, venue_order_id=number))
        for number, row in (
            ("C02__1", _venue_order(12, intent.client_order_id, S.FILLED)),
            ("C02__2", _venue_order(12, intent.client_order_id)),
        )
    )
    before = _order(world, intent).status
    world.hear(_swept(12, first, second, balances=(_usdt(), ALPHA)))
    assert AttentionKind.FOREIGN_ORDER in _attention(world)
    status = world.engine.state.trading.status
    assert (status.state, status.latched) == (TradingState.HALTED, True)
    assert _order(world, intent).status is before
    assert world.asked(CancelOrder) == [], "a person decides what becomes of it"


def _after(days: float, world: World, **details: object) -> World:
    positions = tuple(world.engine.state.trading.positions.values())
    restored = msgspec.structs.replace(
        world.restored(), positions=positions, trading=world.engine.state.trading.status, **details
    )
    second = days * 86_400
    return World(restored, seconds=second, live=True).hear(
        _key(second + 0.1), _swept(second + 0.5, balances=(_usdt(), ALPHA))
    )


def test_absence_beyond_the_venues_lists_with_live_positions_needs_a_persons_word():
    """RELIABILITY 2.3, row 56."""
    world = _after(1.5, _held()[0])
    status = world.engine.state.trading.status
    assert _attention(world) == [AttentionKind.LONG_ABSENCE]
    assert (status.reconciled, status.state) == (False, TradingState.HALTED)
    start = 1.5 * 86_400
    world.hear(a_command(start + 1, Verb.ARM, minutes=5))
    assert _last_result(world).code == "arming_refused"
    (attention_id,) = world.engine.state.trading.attention
    world.hear(
        a_command(start + 2, Verb.RESOLVE_ATTENTION, id=attention_id, resolution="ignore"),
        _swept(start + 3, balances=(_usdt(), ALPHA)),
    )
    status = world.engine.state.trading.status
    assert (status.reconciled, status.state) == (True, TradingState.ACTIVE)
    assert next(iter(world.engine.state.trading.positions.values())).quantity == 20


def test_adopting_after_a_long_absence_takes_positions_from_the_balances():
    world = _after(40, _held()[0])
    start = 40 * 86_400
    few = Balance(Account.LIVE, Asset("ALPHA"), Decimal(7), Decimal(0))
    (attention_id,) = world.engine.state.trading.attention
    world.hear(
        BalancesRead(stamp=at(start + 1), account=Account.LIVE, balances=(few,), complete=False),
        a_command(start + 2, Verb.RESOLVE_ATTENTION, id=attention_id, resolution="adopt"),
    )
    assert next(iter(world.engine.state.trading.positions.values())).quantity == 7


def test_exits_of_a_position_stay_alive_while_a_long_absence_waits_for_a_word():
    world = _after(2, _held()[0])
    start = 2 * 86_400
    world.hear(
        instruments_read(start + 1, an_instrument("ALPHAUSDT"), names={*OLD, "ALPHAUSDT"}),
        a_book(start + 2, bid="0.50", ask="0.51"),
    )
    assert [intent.role.reduces_risk for intent in _submitted(world)] == [True]


@pytest.mark.parametrize(("days", "held"), [(0.9, True), (30, False)], ids=["short enough", "nothing live was left"])
def test_absence_that_hides_nothing_asks_nobody(days, held):
    world = _held()[0] if held else _ready()
    again = _after(days, world)
    assert _attention(again) == []
    assert again.engine.state.trading.status.reconciled


def test_refused_timestamp_is_signed_anew_once_the_clock_was_measured():
    world = _opened(_ready())
    first = _submitted(world)[0]
    world.hear(
        reported(10.4, first, S.SUBMITTED),
        reported(10.45, first, S.REJECTED, code=700003, reason=Reason.CLOCK_UNCERTAIN),
        a_tick(11.2),
    )
    assert _submitted(world) == [first], "the clock is measured within a second; before that it would be refused again"
    world.hear(a_tick(11.7))
    again = _submitted(world)[-1]
    assert again.client_order_id != first.client_order_id
    assert (again.account, again.attempt) == (Account.LIVE, 1)


def test_order_at_the_venue_that_is_not_listed_is_asked_for_and_fills_it_tells_of_are_read():
    world = _opened(_ready())
    intent = _submitted(world)[0]
    world.hear(reported(10.4, intent, S.SUBMITTED), reported(10.45, intent, S.FILLED, filled="20", quote="20"))
    looked, read = len(world.asked(LookUp)), len(world.asked(ReadFills))
    world.hear(_swept(11, balances=(_usdt(), ALPHA)))
    assert len(world.asked(LookUp)) == looked + 1
    assert len(world.asked(ReadFills)) == read + 1


def test_old_orders_of_ours_the_venue_still_lists_are_no_strangers():
    world, intent = _held()
    world.hear(
        a_tick(27),
        _looked_up(28, intent, LookUpKind.ORDER, found=_report(28, intent)),
        *(a_tick(700 + n) for n in (0, 1)),
    )
    assert intent.client_order_id not in world.engine.state.trading.orders
    world.hear(_swept(702, _venue_order(702, intent.client_order_id, S.FILLED), balances=(_usdt(), ALPHA)))
    assert _attention(world) == []


def _report(second: float, intent: OrderIntent) -> ExecutionReport:
    return reported(second, intent, S.FILLED, filled="20", quote="20", source=ReportSource.QUERY).report


def test_ended_order_of_somebody_else_is_nobodys_business():
    world = _ready().hear(_swept(5, _venue_order(5, "by-hand-9", S.FILLED)))
    assert _attention(world) == []
    world.hear(_swept(6, balances=(_usdt(),)), _swept(7, balances=(_usdt(),)))
    assert world.engine.state.trading.status.reconciled


def test_paper_orders_and_positions_are_not_compared_with_the_venue():
    world = _opened(_ready(auto=False))
    intent = _submitted(world)[0]
    assert intent.account is Account.PAPER
    asked = len(world.asked(LookUp))
    world.hear(
        reported(10.4, intent, S.SUBMITTED),
        filled(10.5, intent, price="1.00", quantity="20"),
        reported(10.5, intent, S.FILLED, filled="20", quote="20"),
        _swept(60),
        a_tick(95),
    )
    assert len(world.asked(LookUp)) == asked
    assert _attention(world) == []
    assert world.asked(Sweep)[-1] == Sweep(Account.LIVE, ())


def test_many_pairs_are_compared_in_turn_and_their_orders_one_by_one_after_a_start():
    world = _ready()
    trading = world.engine.state.trading
    trading.orders = {order.intent.client_order_id: order for order in map(_unsettled, range(12))}
    asked = []
    for turn in range(4):
        world.hear(a_tick(100 + 31 * turn))
        asked.append(world.asked(Sweep)[-1])
        assert asked[-1].orders == ()
    assert {len(sweep.symbols) for sweep in asked} == {3}
    assert {symbol for sweep in asked for symbol in sweep.symbols} == {f"N{number}USDT" for number in range(12)}
    trading.status = msgspec.structs.replace(trading.status, reconciled=False)
    world.hear(a_tick(300))
    first = world.asked(Sweep)[-1]
    assert len(first.symbols) == 1
    compared = {*first.symbols, *(order.intent.symbol for order in first.orders)}
    assert compared == {f"N{number}USDT" for number in range(12)}


def test_first_comparison_looks_up_an_order_that_the_venue_did_not_show():
    world = _ready()
    trading = world.engine.state.trading
    trading.orders = {order.intent.client_order_id: order for order in map(_unsettled, range(5))}
    trading.status = msgspec.structs.replace(trading.status, reconciled=False)
    world.hear(a_tick(300))
    asked = len(world.asked(LookUp))
    shown = [_venue_order(301, order.intent.client_order_id, S.ACCEPTED) for order in list(trading.orders.values())[:4]]
    world.hear(_swept(301, *shown, balances=(_usdt(),)))
    assert [ask.order.intent.symbol for ask in world.asked(LookUp)[asked:]] == ["N4USDT"]


def _unsettled(number: int) -> Order:
    intent = an_intent(number, symbol=Symbol(f"N{number}USDT"))
    return Order(intent=intent, status=S.ACCEPTED, created_ns=ns(50), submitted_ns=ns(50))
