"""Every question of the pre-trade risk check: what it says of an unknown, and that one "no" is enough (I4, I6)."""

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from mexc_sniper.core.ids import client_order_id, intent_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, TradeSides
from mexc_sniper.model.limits import Gate, HardCaps
from mexc_sniper.model.market import Book, Side
from mexc_sniper.model.order import Approved, Denied, OrderIntent, OrderRole, OrderType
from mexc_sniper.model.trading import Guard, Trigger
from mexc_sniper.policy.checks import EntryView, Exposure
from mexc_sniper.policy.reference import KnownReference
from mexc_sniper.policy.risk import approve_reduction, assess
from tests.builders import a_book, an_instrument, ns

R = Reason
D = Decimal
KEY = intent_id("risk", 0)
INTENT = OrderIntent(
    id=KEY,
    client_order_id=client_order_id(Account.PAPER, 1, KEY, 0, 0),
    account=Account.PAPER,
    symbol=Symbol("ALPHAUSDT"),
    base=Asset("ALPHA"),
    quote=Asset("USDT"),
    side=Side.BUY,
    role=OrderRole.ENTRY,
    type=OrderType.MARKET,
    quote_quantity=D(20),
    worst_notional=D(20),
    reference_price=Price(D(1)),
)
GOOD = EntryView(
    intent=INTENT,
    trigger=Trigger.FIRST_TRADE,
    config=TradeConfig(),
    caps=HardCaps(max_trade=D(500), max_position=D(2000)),
    gate=Gate(generation=7),
    exposure=Exposure(free_quote=D(1000)),
    instrument=an_instrument("ALPHAUSDT"),
    in_api_list=True,
    now_ns=ns(10),
    opened_ns=ns(9),
    book=a_book(9).book,
    cap=Price(D("1.1")),
)
SIDELESS = Book(Symbol("ALPHAUSDT"), (), (), a_book(9).book.stamp)
ASKS_ONLY = a_book(9, bid=None).book
BIDS_ONLY = a_book(9, ask=None).book


def seen(**changes: Any) -> EntryView:
    return msgspec.structs.replace(GOOD, **changes)


def row(**changes: Any) -> Instrument:
    return msgspec.structs.replace(an_instrument("ALPHAUSDT"), **changes)


def intent(**changes: Any) -> OrderIntent:
    return msgspec.structs.replace(INTENT, **changes)


def guard(view: EntryView, name: Reason) -> Guard:
    return next(guard for guard in assess(view).guards() if guard.name == name)


def test_good_entry_is_approved_under_the_gate_it_was_judged_by() -> None:
    verdict = assess(GOOD).verdict
    assert verdict == Approved(intent=INTENT, generation=7)
    assert all(one.passed is not False for one in assess(GOOD).guards())


NOES: list[tuple[dict[str, Any], Reason]] = [
    ({"gate": Gate(generation=1, closed=(R.FEED_STALE, R.KILL_LATCHED))}, R.FEED_STALE),
    ({"instrument": None}, R.RULES_UNKNOWN),
    ({"instrument": row(status=InstrumentStatus.PAUSED)}, R.NOT_ONLINE),
    ({"instrument": row(api_trading=False)}, R.API_CLOSED),
    ({"in_api_list": False}, R.API_CLOSED),
    ({"instrument": row(trade_sides=TradeSides.BUY_ONLY)}, R.ONE_SIDED),
    ({"instrument": row(special_treatment=True)}, R.SPECIAL_TREATMENT),
    ({"categories": ("stocks",)}, R.CATEGORY_EXCLUDED),
    ({"instrument": row(order_types=("LIMIT",))}, R.MARKET_ORDERS_CLOSED),
    ({"base_entered": True}, R.BASE_ALREADY_ENTERED),
    ({"intent": intent(quote_quantity=D(501))}, R.ABOVE_HARD_CAP),
    ({"intent": intent(quote_quantity=D(101))}, R.ABOVE_MAX_TRADE),
    ({"exposure": Exposure(free_quote=D(1000), at_stake=D(1981))}, R.ABOVE_POSITION_HARD_CAP),
    ({"exposure": Exposure(free_quote=D(1000), at_stake=D("480.01"))}, R.ABOVE_MAX_POSITION),
    ({"exposure": Exposure(free_quote=D(1000), open_positions=5)}, R.TOO_MANY_POSITIONS),
    ({"exposure": Exposure(free_quote=D(1000), spent_today=D("980.01"))}, R.DAILY_SPEND_REACHED),
    ({"exposure": Exposure(free_quote=D(1000), realized_today=D(-50))}, R.DAILY_LOSS_REACHED),
    ({"exposure": Exposure(free_quote=D(1000), drawdown=D(100))}, R.DRAWDOWN_REACHED),
    ({"exposure": Exposure(free_quote=D(1000), losses_in_a_row=5)}, R.CONSECUTIVE_LOSSES_REACHED),
    ({"exposure": Exposure(free_quote=D(1000), entries_last_hour=30)}, R.TRADES_PER_HOUR_REACHED),
    ({"last_entry_ns": ns(-589)}, R.COOLDOWN),
    ({"exposure": Exposure(free_quote=D("19.99"))}, R.INSUFFICIENT_BALANCE),
    ({"exposure": Exposure()}, R.INSUFFICIENT_BALANCE),
    ({"opened_ns": ns(4.9)}, R.SIGNAL_TOO_OLD),
    ({"opened_ns": None}, R.SIGNAL_TOO_OLD),
    ({"intent": intent(reference_price=None)}, R.NO_REFERENCE_PRICE),
    ({"book": None}, R.NO_BOOK),
    ({"book": BIDS_ONLY}, R.NO_BOOK),
    ({"book": ASKS_ONLY}, R.SPREAD_TOO_WIDE),
    ({"book": a_book(9, bid="0.90").book}, R.SPREAD_TOO_WIDE),
    ({"book": a_book(9, depth="19").book}, R.DEPTH_TOO_THIN),
    ({"cap": None}, R.DEPTH_TOO_THIN),
    ({"config": TradeConfig(min_exit_depth_multiple=D(1000))}, R.EXIT_TOO_THIN),
    ({"intent": intent(reference_price=Price(D("0.85")))}, R.SLIPPAGE_TOO_HIGH),
    ({"known_reference": KnownReference(Price(D("0.19")), "a test")}, R.PRICE_IMPLAUSIBLE),
    ({"known_reference": KnownReference(Price(D("5.01")), "a test")}, R.PRICE_IMPLAUSIBLE),
    ({"instrument": row(min_notional_market=D(21))}, R.BELOW_MINIMUM),
    ({"instrument": row(min_notional_market=D(18))}, R.EXIT_LEG_TOO_SMALL),
    ({"eligible": R.NO_OFFICIAL_SOURCE}, R.NO_OFFICIAL_SOURCE),
]


@pytest.mark.parametrize(("changes", "reason"), NOES, ids=[f"{n}-{reason}" for n, (_, reason) in enumerate(NOES)])
def test_each_no_is_enough_and_named(changes: dict[str, Any], reason: Reason) -> None:
    judgement = assess(seen(**changes))
    assert isinstance(judgement.verdict, Denied)
    assert judgement.verdict.reason is reason
    assert any(one.name == reason and one.passed is False for one in judgement.guards())


@pytest.mark.parametrize(
    ("quantity", "price", "fits"),
    [("20", "1.1", True), (None, "1.1", False), ("20", None, False), ("0", "1.1", False), ("0.5", "1.1", False)],
)
def test_limit_entry_is_measured_by_quantity_and_price(quantity: str | None, price: str | None, fits: bool) -> None:
    wanted = intent(
        type=OrderType.IOC,
        quote_quantity=None,
        quantity=None if quantity is None else Quantity(D(quantity)),
        price=None if price is None else Price(D(price)),
    )
    view = seen(intent=wanted, instrument=row(order_types=("LIMIT",), min_quantity=D(1)))
    assert guard(view, R.BELOW_MINIMUM).passed is fits
    assert guard(view, R.MARKET_ORDERS_CLOSED).passed is True


def test_without_rules_every_question_that_needs_them_says_no() -> None:
    view = seen(instrument=None)
    for name in (R.NOT_ONLINE, R.API_CLOSED, R.ONE_SIDED, R.SPECIAL_TREATMENT, R.BELOW_MINIMUM, R.EXIT_LEG_TOO_SMALL):
        assert guard(view, name).passed is False, name


def test_without_a_book_every_question_about_it_says_no() -> None:
    view = seen(book=SIDELESS)
    for name in (R.NO_BOOK, R.SPREAD_TOO_WIDE, R.DEPTH_TOO_THIN, R.EXIT_TOO_THIN, R.SLIPPAGE_TOO_HIGH):
        assert guard(view, name).passed is False, name
    assert guard(seen(book=None), R.SLIPPAGE_TOO_HIGH).measured == "unknown"


def test_at_the_announced_instant_nothing_of_a_book_is_asked() -> None:
    view = seen(trigger=Trigger.SCHEDULED, book=None, opened_ns=None)
    for name in (R.NO_BOOK, R.SPREAD_TOO_WIDE, R.DEPTH_TOO_THIN, R.EXIT_TOO_THIN, R.SLIPPAGE_TOO_HIGH, R.API_CLOSED):
        assert guard(view, name).passed is None, name
    assert guard(view, R.SIGNAL_TOO_OLD).passed is True
    assert isinstance(assess(view).verdict, Approved)


def test_by_hand_neither_age_nor_eligibility_nor_an_earlier_entry_counts() -> None:
    view = seen(trigger=Trigger.MANUAL, opened_ns=ns(-900), base_entered=True, eligible=R.NO_OFFICIAL_SOURCE)
    assert isinstance(assess(view).verdict, Approved)
    assert guard(seen(trigger=Trigger.MANUAL), R.BASE_ALREADY_ENTERED).passed is None
    assert guard(view, R.SIGNAL_TOO_OLD).passed is None


@given(
    stake=st.decimals(min_value=0, max_value=3000, places=2),
    amount=st.decimals(min_value=D("0.01"), max_value=1000, places=2),
    limit=st.decimals(min_value=0, max_value=3000, places=2),
)
def test_no_approved_entry_brings_an_account_above_a_limit(stake: Decimal, amount: Decimal, limit: Decimal) -> None:
    view = seen(
        config=TradeConfig(max_position_usdt=limit, max_trade_usdt=D(1000)),
        exposure=Exposure(free_quote=D(10_000), at_stake=stake),
        intent=intent(quote_quantity=amount, worst_notional=amount),
    )
    if isinstance(assess(view).verdict, Approved):
        assert stake + amount <= min(limit, view.caps.max_position)
        assert amount <= view.caps.max_trade


@pytest.mark.parametrize("reason", [R.JOURNAL_UNHEALTHY, R.LEASE_LOST])
def test_exit_is_stopped_by_records_that_cannot_be_trusted_and_by_nothing_else(reason: Reason) -> None:
    sell = intent(role=OrderRole.STOP_LOSS, side=Side.SELL)
    assert approve_reduction(sell, Gate(generation=1, closed=(R.KILL_LATCHED, reason))) == Denied(reason=reason)
    others = tuple(one for one in Reason if one not in (R.JOURNAL_UNHEALTHY, R.LEASE_LOST))
    assert isinstance(approve_reduction(sell, Gate(generation=1, closed=others)), Approved)
    with pytest.raises(ValueError, match="not an exit"):
        approve_reduction(INTENT, Gate(generation=1))
