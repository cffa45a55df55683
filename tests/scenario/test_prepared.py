"""Entries made ready before the pair has a price, and the opt-in entry at the announced time itself."""

from decimal import Decimal

import msgspec
import pytest

from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Quantity
from mexc_sniper.engine.effects import FireAt, HushPolls, Prepare, Submit, Unprepare
from mexc_sniper.engine.prepare import MAX_ATTEMPTS, MAX_PREPARED
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import DecisionMade
from mexc_sniper.model.events import ClockSynced, KeyChecked, OpeningReached, QuoteSeen
from mexc_sniper.model.listing import Outcome
from mexc_sniper.model.order import OrderIntent, OrderStatus, OrderType
from mexc_sniper.model.trading import Trigger
from tests.builders import (
    a_book,
    a_calendar_entry,
    a_command,
    a_quote,
    a_tick,
    a_trade,
    an_instrument,
    at,
    calendar_read,
    candles_read,
    default_symbols_read,
    instruments_read,
    ns,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows
from tests.scenario.test_live import _ready

S = OrderStatus
ALPHA = "ALPHAUSDT"
OPENS = 40.0


def announced(world: World | None = None, *, opens: float | None = OPENS, symbol: str = ALPHA) -> World:
    """A pair announced for later whose rules, membership and newness are known and that nobody quotes yet."""
    world = world or a_world_that_knows()
    names = sorted({*world.engine.state.default_names, symbol})
    return world.hear(
        calendar_read(10, a_calendar_entry(symbol.removesuffix("USDT"), opens_s=opens)),
        instruments_read(10.2, an_instrument(symbol), names={*OLD, *world.engine.state.listed_names}),
        default_symbols_read(10.4, *names),
        candles_read(10.5, symbol),
        a_tick(11),
    )


def deep_quote(second: float, symbol: str = ALPHA) -> QuoteSeen:
    quote = a_quote(second, symbol, bid="0.99", ask="1.00")
    much = Quantity(Decimal(1000))
    return msgspec.structs.replace(
        quote, quote=msgspec.structs.replace(quote.quote, bid_quantity=much, ask_quantity=much)
    )


def submitted(world: World) -> list[OrderIntent]:
    return [effect.approved.intent for effect in world.asked(Submit)]


def prepared(world: World) -> list[Prepare]:
    return world.asked(Prepare)  # type: ignore[return-value]


def decisions(world: World) -> list[DecisionMade]:
    return [entry for entry in world.entries if isinstance(entry, DecisionMade)]


# ---------------------------------------------------------------------- making ready


def test_announced_pair_is_prepared_with_all_its_attempts_under_ids_of_their_own():
    world = announced()
    (effect,) = prepared(world)
    intents = [one.intent for one in effect.approved]
    assert len({intent.client_order_id for intent in intents}) == len(intents) == MAX_ATTEMPTS
    assert {(intent.type, intent.quote_quantity) for intent in intents} == {(OrderType.MARKET, Decimal(20))}
    assert world.listing(ALPHA).prepared_ns == ns(11)


def test_pair_announced_for_later_than_a_minute_is_prepared_only_when_it_comes_near():
    world = announced(opens=200)
    assert not prepared(world)
    world.hear(a_tick(141))
    assert len(prepared(world)) == 1


def test_preparing_again_with_nothing_changed_asks_for_nothing():
    world = announced()
    world.hear(a_tick(12), a_tick(13), a_tick(14))
    assert len(prepared(world)) == 1
    assert not world.asked(Unprepare)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: world.hear(a_command(12, Verb.UPDATE_CONFIG, config={"dryRunEntries": False})),
        lambda world: world.hear(a_command(12, Verb.UPDATE_CONFIG, config={"entryType": "capped"})),
        lambda world: world.hear(a_command(12, Verb.KILL, action="pause")),
        lambda world: world.hear(a_command(12, Verb.STOP_MONITOR)),
        lambda world: world.hear(a_command(12, Verb.UPDATE_CONFIG, config={"maxOpenPositions": 0})),
        lambda world: world.hear(
            instruments_read(12, msgspec.structs.replace(an_instrument(ALPHA), order_types=("LIMIT",)), names=set(OLD))
        ),
        lambda world: world.hear(calendar_read(12, a_calendar_entry(opens_s=5000))),
    ],
    ids=["entries off", "price needed", "killed", "stopped", "limit reached", "no market orders", "postponed"],
)
def test_what_may_not_be_entered_any_more_is_thrown_away(spoil):
    world = announced()
    spoil(world)
    world.hear(a_tick(13))
    assert world.asked(Unprepare)
    assert not world.engine.state.trading.prepared
    assert world.listing(ALPHA).prepared_ns is None


def test_another_amount_is_prepared_anew_under_the_same_ids():
    world = announced()
    world.hear(a_command(12, Verb.UPDATE_CONFIG, config={"tradeUsdt": "30"}), a_tick(13))
    first, second = prepared(world)
    assert [one.intent.client_order_id for one in first.approved] == [
        one.intent.client_order_id for one in second.approved
    ]
    assert {one.intent.quote_quantity for one in second.approved} == {Decimal(30)}


def test_arming_moves_what_lies_ready_to_the_live_account():
    world = announced(_ready(armed=False))
    assert {one.intent.account for one in prepared(world)[-1].approved} == {Account.PAPER}
    world.hear(a_command(12, Verb.ARM, minutes=60), a_tick(13))
    assert {one.intent.account for one in prepared(world)[-1].approved} == {Account.LIVE}


def test_no_more_is_prepared_than_the_order_gateway_keeps():
    names = [f"N{number}USDT" for number in range(MAX_PREPARED + 5)]
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, *(an_instrument(name) for name in names), names=set(OLD)),
        *(candles_read(10.5, name) for name in names),
        default_symbols_read(10.6, *OLD, *names),
        a_tick(11),
    )
    assert len(world.engine.state.trading.prepared) == MAX_PREPARED


def test_heavy_polls_are_hushed_around_the_announced_time():
    world = announced()
    world.hear(*(a_tick(second) for second in range(12, 37)))
    assert not world.asked(HushPolls)
    world.hear(a_tick(37.5), a_tick(38.5))
    (hush,) = world.asked(HushPolls)
    assert hush.until_ns == ns(OPENS + 2)


# ---------------------------------------------------------------------- the trigger


def test_first_quote_sends_what_lies_ready():
    world = announced()
    world.hear(deep_quote(39.9))
    (intent,) = submitted(world)
    assert intent.same_order(prepared(world)[-1].approved[0].intent)
    assert intent.reference_price == 1
    (decision,) = decisions(world)
    assert decision.decision.trigger is Trigger.FIRST_QUOTE
    assert {"ABOVE_MAX_POSITION", "SPREAD_TOO_WIDE", "DEPTH_TOO_THIN"} <= {g.name for g in decision.decision.guards}


def test_first_trade_on_a_quoted_book_sends_what_lies_ready():
    world = announced()
    world.hear(deep_quote(20))  # a market maker getting ready
    assert not submitted(world)
    world.hear(a_trade(OPENS + 0.01))
    assert len(submitted(world)) == 1


def test_quote_that_no_guard_lets_pass_leaves_the_entry_ready_for_the_next_one():
    world = announced()
    world.hear(a_quote(39.9, bid="0.5", ask="1.00"))
    assert not submitted(world)
    world.hear(deep_quote(39.95))
    (intent,) = submitted(world)
    assert intent.same_order(prepared(world)[-1].approved[0].intent)


def test_entry_is_sent_once_however_many_frames_follow():
    world = announced()
    world.hear(deep_quote(39.9), deep_quote(39.91), a_trade(39.92), a_book(39.93), a_tick(40))
    assert len(submitted(world)) == 1


def test_limit_reached_since_it_was_prepared_is_asked_at_the_trigger():
    world = announced(symbol="BETAUSDT")
    announced(world)
    world.hear(a_command(11.2, Verb.UPDATE_CONFIG, config={"maxOpenPositions": 1}), a_tick(11.5))
    assert len(world.engine.state.trading.prepared) == 2
    world.hear(deep_quote(39.9, "BETAUSDT"), deep_quote(39.9001))
    assert [intent.symbol for intent in submitted(world)] == ["BETAUSDT"]
    world.hear(a_tick(40.2))
    assert world.listing(ALPHA).reason is Reason.TOO_MANY_POSITIONS


def test_kill_between_preparation_and_trigger_lets_nothing_leave():
    world = announced()
    world.hear(a_command(39.8, Verb.KILL, action="pause"), deep_quote(39.9))
    assert not submitted(world)


def test_arming_that_ended_between_preparation_and_trigger_enters_on_paper():
    world = announced(_ready(armed=False))
    world.hear(a_command(11.1, Verb.ARM, minutes=1), a_tick(12))
    assert world.engine.state.trading.prepared[ALPHA].account is Account.LIVE
    world.hear(calendar_read(50, a_calendar_entry(opens_s=71.2)), a_tick(70.9), deep_quote(71.15))
    (intent,) = submitted(world)
    assert intent.account is Account.PAPER


def test_pair_closed_to_the_api_is_tried_again_with_the_next_prepared_attempt():
    world = announced()
    world.hear(deep_quote(39.9))
    (first,) = submitted(world)
    world.hear(
        reported(39.95, first, S.SUBMITTED),
        reported(40, first, S.REJECTED, code=10007, reason=Reason.NOT_OPEN_TO_API),
        a_tick(40.4),
    )
    second = submitted(world)[1]
    assert second.same_order(prepared(world)[-1].approved[1].intent)
    world.hear(reported(40.5, second, S.SUBMITTED), reported(40.6, second, S.FILLED, filled="20", quote="20"))
    assert world.listing(ALPHA).outcome is Outcome.ENTERED
    assert world.asked(Unprepare)


# ---------------------------------------------------------------------- at the announced time


def timed(world: World, *, cap: str = "1.2", offset_ms: int = 0, second: float = 12) -> World:
    world.hear(
        a_command(second, Verb.TIME_ENTRY, listingId=world.listing(ALPHA).id, capPrice=cap, offsetMs=offset_ms),
        a_tick(second + 0.5),
    )
    assert world.results()[-1].result.status is CommandStatus.DONE
    return world


def reached(world: World, second: float, due_s: float = OPENS) -> World:
    return world.hear(OpeningReached(stamp=at(second), symbol=world.listing(ALPHA).symbol, due_ns=ns(due_s)))


def test_timed_entry_leaves_at_its_instant_as_a_limit_at_the_cap_without_any_price():
    world = timed(announced())
    assert world.asked(FireAt)[-1].wall_ns == ns(OPENS)
    reached(world, OPENS)
    (intent,) = submitted(world)
    assert (intent.type, intent.price, intent.quantity) == (OrderType.IOC, Decimal("1.2"), Decimal("16.66"))
    assert intent.same_order(prepared(world)[-1].approved[0].intent)
    (decision,) = decisions(world)
    assert decision.decision.trigger is Trigger.SCHEDULED
    asked = {guard.name: guard.passed for guard in decision.decision.guards}
    assert asked["SPREAD_TOO_WIDE"] is asked["DEPTH_TOO_THIN"] is asked["SLIPPAGE_TOO_HIGH"] is None
    assert asked["SIGNAL_TOO_OLD"] is True


def test_offset_and_the_venues_clock_move_the_instant():
    world = announced()
    world.hear(ClockSynced(stamp=at(11.5), offset_ns=250_000_000, uncertainty_ns=1_000_000))
    timed(world, offset_ms=40)
    assert world.asked(FireAt)[-1].wall_ns == ns(OPENS - 0.25 + 0.04)


def test_instant_follows_the_calendar():
    world = timed(announced())
    world.hear(calendar_read(14, a_calendar_entry(opens_s=55)), a_tick(15))
    assert world.asked(FireAt)[-1].wall_ns == ns(55)
    reached(world, OPENS)
    assert not submitted(world), "the old instant is void"
    reached(world, 55, 55)
    assert len(submitted(world)) == 1


@pytest.mark.parametrize("how", ["undetermined", "taken back", "killed", "stopped"])
def test_timed_entry_that_was_called_off_does_not_leave(how):
    world = timed(announced())
    match how:
        case "undetermined":
            world.hear(calendar_read(39.9, a_calendar_entry(opens_s=None)))
        case "taken back":
            world.hear(a_command(39.9, Verb.TIME_ENTRY, listingId=world.listing(ALPHA).id, capPrice=None))
        case "killed":
            world.hear(a_command(39.9, Verb.KILL, action="pause"))
        case "stopped":
            world.hear(a_command(39.9, Verb.STOP_MONITOR))
    reached(world, OPENS)
    assert not submitted(world)


def test_first_quote_before_the_instant_enters_once_and_never_above_the_cap():
    world = timed(announced(), cap="1.01")
    world.hear(deep_quote(39.9))
    reached(world, OPENS)
    (intent,) = submitted(world)
    assert (intent.type, intent.price) == (OrderType.IOC, Decimal("1.01"))


def test_timed_entry_closed_to_the_api_is_tried_again_with_all_guards():
    world = timed(announced())
    reached(world, OPENS)
    (first,) = submitted(world)
    world.hear(
        reported(40.01, first, S.SUBMITTED),
        reported(40.05, first, S.REJECTED, code=10007, reason=Reason.NOT_OPEN_TO_API),
        a_tick(40.4),
    )
    assert [intent.attempt for intent in submitted(world)] == [0, 1]
    second = submitted(world)[1]
    world.hear(reported(40.41, second, S.SUBMITTED), reported(40.45, second, S.REJECTED, reason=Reason.NOT_OPEN_TO_API))
    world.hear(a_command(40.5, Verb.KILL, action="pause"), a_tick(41))
    assert len(submitted(world)) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"capPrice": "0"}, "invalid_price"),
        ({"capPrice": "-1"}, "invalid_price"),
        ({"capPrice": "NaN"}, "invalid_price"),
        ({"capPrice": "1", "offsetMs": 10**9}, "invalid_offset"),
        ({"capPrice": "1", "listingId": "Lnowhere"}, "listing_not_found"),
    ],
)
def test_senseless_timed_entry_is_refused_and_changes_nothing(arguments, code):
    world = announced()
    world.hear(a_command(12, Verb.TIME_ENTRY, **({"listingId": world.listing(ALPHA).id} | arguments)))
    assert world.results()[-1].result.code == code
    assert world.listing(ALPHA).timed_entry is None


def test_listing_that_is_decided_cannot_be_timed():
    world = announced()
    world.hear(deep_quote(39.9), a_command(40, Verb.TIME_ENTRY, listingId=world.listing(ALPHA).id, capPrice="1"))
    assert world.results()[-1].result.code == "too_late"


def test_timed_entry_survives_a_restart():
    world = timed(announced())
    later = World(world.restored(), seconds=20)
    later.hear(
        instruments_read(20.2, an_instrument(ALPHA), names=set(OLD)),
        default_symbols_read(20.4, *OLD, ALPHA),
        candles_read(20.5, ALPHA),
        KeyChecked(stamp=at(20.6), problems=()),
        a_tick(21),
    )
    assert later.asked(FireAt)[-1].wall_ns == ns(OPENS)
