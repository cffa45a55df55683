"""The small rules of money: rounding, ids, book walk, entry shape, exit plan, holdings, categories, configuration."""

from decimal import Decimal

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from mexc_sniper.core import precision
from mexc_sniper.core.errors import InvariantError
from mexc_sniper.core.ids import PositionId, client_order_id, intent_id, is_ours
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.config import TakeProfitStep, TradeConfig
from mexc_sniper.model.instrument import PriceBand
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.market import Book, Level, Quote, Side
from mexc_sniper.model.order import ExecutionReport, Fill, Order, OrderStatus, OrderType, ReportSource
from mexc_sniper.model.position import Position, PositionStatus
from mexc_sniper.policy.accounts import account_for_entry
from mexc_sniper.policy.book import with_top
from mexc_sniper.policy.categories import categories
from mexc_sniper.policy.config_rules import contradictions, large_raises, strictest
from mexc_sniper.policy.entry import EntryShape, band_limits, shape
from mexc_sniper.policy.exits import follow_price, mark_legs, next_exit, plan_exits, trailing_stop
from mexc_sniper.policy.holdings import apply_fill, close_if_done
from mexc_sniper.policy.order_table import apply_report, see_end_again
from mexc_sniper.policy.sizing import depth_within, sellable, walk_amount, walk_quantity
from tests.builders import an_instrument, at, ns
from tests.runtime.test_desk import Desk

S = OrderStatus
D = Decimal
CAPS = HardCaps(max_trade=D(500), max_position=D(2000))
_money = st.decimals(min_value=D("0.000001"), max_value=D(10**9), places=8, allow_nan=False, allow_infinity=False)
_decimals = st.integers(min_value=0, max_value=12)


def _price(text: str) -> Price:
    return Price(D(text))


def _levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(_price(price), Quantity(D(quantity))) for price, quantity in pairs)


# ---------------------------------------------------------------------- precision


@given(value=_money, decimals=_decimals)
def test_rounding_goes_to_the_safe_side_and_onto_the_grid(value, decimals):
    step = precision.step(decimals)
    low, high = precision.floor_to(value, decimals), precision.ceil_to(value, decimals)
    assert low <= value <= high
    assert high - low in (0, step)
    assert low % step == high % step == 0
    assert precision.buy_price(value, decimals) == low
    assert precision.sell_price(value, decimals) == high


@given(amount=_money, price=_money, decimals=_decimals)
def test_quantity_for_an_amount_never_costs_more_than_it(amount, price, decimals):
    quantity = precision.quantity_for(amount, Price(price), decimals)
    assert precision.notional(Price(price), quantity) <= amount
    assert precision.notional(Price(price), Quantity(quantity + precision.step(decimals))) > amount


@pytest.mark.parametrize("decimals", [-1, 19])
def test_grid_of_impossible_decimals_is_refused(decimals):
    with pytest.raises(ValueError):
        precision.step(decimals)


def test_average_price_of_nothing_is_none():
    assert precision.average_price(D(0), D(0)) is None
    assert precision.average_price(D(10), D(4)) == D("2.5")


def test_distances_are_measured_in_bps():
    assert precision.above(_price("100"), 250) == D("102.5")
    assert precision.below(_price("100"), 250) == D("97.5")
    assert precision.distance_bps(_price("102.5"), _price("100")) == 250


# ---------------------------------------------------------------------- ids


@given(cause=st.text(max_size=40), leg=st.integers(0, 35), attempt=st.integers(0, 35), epoch=st.integers(0, 36**4 - 1))
def test_order_id_is_short_plain_and_repeatable(cause, leg, attempt, epoch):
    key = intent_id(cause.encode("utf-8", "replace").decode(), leg)
    name = client_order_id("live", epoch, key, leg, attempt)
    assert len(name) <= 32
    assert name.isascii()
    assert name.isalnum()
    assert is_ours(name)
    assert name == client_order_id("live", epoch, key, leg, attempt)
    assert name != client_order_id("paper", epoch, key, leg, attempt)


@pytest.mark.parametrize(("epoch", "leg", "attempt"), [(-1, 0, 0), (36**4, 0, 0), (0, 36, 0), (0, 0, 36)])
def test_order_id_out_of_its_room_is_refused(epoch, leg, attempt):
    with pytest.raises(ValueError):
        client_order_id("live", epoch, intent_id("x", 0), leg, attempt)


@pytest.mark.parametrize("name", ["", "abc", "x" * 23, "ms" + "-" * 21])
def test_ids_of_others_are_not_ours(name):
    assert not is_ours(name)


# ---------------------------------------------------------------------- the book


def test_walk_spends_best_first_and_stops_at_the_limit():
    asks = _levels(("1.0", "10"), ("1.1", "10"), ("2.0", "10"))
    walk = walk_amount(asks, D(15), limit=_price("1.5"))
    assert (walk.amount, walk.worst, walk.complete) == (15, D("1.1"), True)
    short = walk_amount(asks, D(50), limit=_price("1.5"))
    assert (short.amount, short.complete) == (21, False)
    assert walk_amount((), D(5)).worst is None


def test_sell_walk_takes_bids_down_to_the_limit():
    bids = _levels(("1.0", "10"), ("0.9", "10"))
    walk = walk_quantity(bids, Quantity(D(15)), limit=_price("0.95"))
    assert (walk.quantity, walk.amount, walk.complete) == (10, 10, False)
    assert walk_quantity(bids, Quantity(D(15))).complete


@given(st.lists(st.tuples(_money, _money), max_size=8), _money)
def test_walk_never_spends_more_than_wanted_nor_takes_more_than_there_is(pairs, amount):
    asks = tuple(sorted((Level(Price(p), Quantity(q)) for p, q in pairs), key=lambda level: level.price))
    walk = walk_amount(asks, amount)
    assert walk.amount <= amount
    assert walk.quantity <= sum((level.quantity for level in asks), D(0))


def test_depth_counts_what_is_at_the_limit_or_better():
    asks = _levels(("1.0", "10"), ("1.1", "10"))
    assert depth_within(asks, _price("1.05"), asks=True) == 10
    assert depth_within(_levels(("1.0", "10"), ("0.5", "10")), _price("0.9"), asks=False) == 10


def test_newer_best_prices_replace_what_they_made_impossible():
    book = Book(Symbol("AUSDT"), _levels(("1.0", "5"), ("0.9", "5")), _levels(("1.1", "5"), ("1.2", "5")), at(1))
    quote = Quote(Symbol("AUSDT"), _price("0.95"), Quantity(D(2)), _price("1.15"), Quantity(D(3)))
    newer = with_top(book, quote, at(2))
    assert [level.price for level in newer.bids] == [D("0.95"), D("0.9")]
    assert [level.price for level in newer.asks] == [D("1.15"), D("1.2")]
    empty = with_top(newer, Quote(Symbol("AUSDT"), None, None, None, None), at(3))
    assert (empty.bids, empty.asks) == ((), ())
    assert with_top(None, quote, at(4)).ask == D("1.15")


# ---------------------------------------------------------------------- the entry's shape


@pytest.mark.parametrize(
    ("band", "lowest", "highest"),
    [(("5", "0.2"), "0.2", "5"), (("0.2", "0.2"), "0.8", "1.2"), (("0.02", "0.02"), "0.98", "1.02")],
)
def test_band_numbers_are_multipliers_above_one_and_fractions_below(band, lowest, highest):
    low, high = band_limits(PriceBand(D(band[0]), D(band[1])), _price("1"))
    assert (low, high) == (D(lowest), D(highest))


def test_capped_entry_stays_inside_the_venues_band():
    row = msgspec.structs.replace(an_instrument(), price_band=PriceBand(D("0.05"), D("0.05")))
    chosen = shape(TradeConfig(entry_type="capped"), row, amount=D(20), reference=_price("1"), book=None)
    assert isinstance(chosen, EntryShape)
    assert chosen.type is OrderType.IOC
    assert chosen.cap < D("1.05")
    assert chosen.quantity is not None
    assert chosen.quantity * chosen.cap <= 20


def test_forced_market_entry_of_a_pair_without_market_orders_is_refused():
    row = msgspec.structs.replace(an_instrument(), order_types=("LIMIT",))
    refused = shape(TradeConfig(entry_type="market"), row, amount=D(20), reference=_price("1"), book=None)
    assert refused is Reason.MARKET_ORDERS_CLOSED


def test_price_cap_that_rounds_to_nothing_is_refused():
    row = msgspec.structs.replace(an_instrument(), price_decimals=2)
    assert shape(TradeConfig(), row, amount=D(20), reference=_price("0.0001"), book=None) is Reason.OUTSIDE_PRICE_BAND


# ---------------------------------------------------------------------- exits


def _held(**changes: object) -> Position:
    position = Position(
        id=PositionId("P1"),
        account=Account.PAPER,
        symbol=Symbol("ALPHAUSDT"),
        base=Asset("ALPHA"),
        quote=Asset("USDT"),
        quantity=Quantity(D(20)),
        bought_quantity=Quantity(D(20)),
        cost=D(20),
        entry_price=_price("1"),
        opened_ns=ns(0),
    )
    plan = plan_exits(TradeConfig(), an_instrument(), quantity=position.quantity, entry_price=_price("1"), now_ns=ns(0))
    return msgspec.structs.replace(position, **{"plan": plan, **changes})


def test_ladder_legs_below_the_minimum_are_merged():
    steps = tuple(TakeProfitStep(gain_pct=D(10 * n), share_pct=D(10)) for n in range(1, 8))
    config = TradeConfig(take_profit=steps)
    row = msgspec.structs.replace(an_instrument(), min_notional_market=D(5))
    plan = plan_exits(config, row, quantity=Quantity(D(20)), entry_price=_price("1"), now_ns=0)
    assert plan.take_profit
    assert all(leg.quantity * leg.price >= 5 for leg in plan.take_profit)
    assert sum(leg.quantity for leg in plan.take_profit) <= 20


def test_position_too_small_for_any_leg_has_no_ladder():
    row = msgspec.structs.replace(an_instrument(), min_notional_market=D(50))
    assert plan_exits(TradeConfig(), row, quantity=Quantity(D(20)), entry_price=_price("1"), now_ns=0).take_profit == ()


def test_plan_without_barriers_has_only_its_time():
    config = TradeConfig(stop_loss_pct=D(0), trailing_stop_pct=D(0), take_profit=())
    plan = plan_exits(config, an_instrument(), quantity=Quantity(D(20)), entry_price=_price("1"), now_ns=0)
    assert (plan.stop_price, plan.trailing_bps, plan.take_profit) == (None, 0, ())
    assert plan.deadline_ns is not None


def test_two_legs_reached_at_once_are_sold_together_and_the_stop_goes_before_them():
    position = _held()
    due = next_exit(position, an_instrument(), price=_price("2"), free=Quantity(D(20)), now_ns=ns(1))
    assert due is not None
    assert (due.quantity, due.legs) == (14, (0, 1))
    stop = next_exit(position, an_instrument(), price=_price("0.5"), free=Quantity(D(20)), now_ns=ns(1))
    assert stop is not None
    assert stop.role.value == "stop_loss"


def test_rest_that_would_be_dust_is_sold_along():
    row = msgspec.structs.replace(an_instrument(), min_notional_market=D(10))
    position = _held()
    due = next_exit(position, row, price=_price("1.5"), free=Quantity(D(18)), now_ns=ns(1))
    assert due is not None
    assert due.quantity == 18


@pytest.mark.parametrize("price", [None, _price("1.01")])
def test_nothing_is_sold_without_a_reason(price):
    assert next_exit(_held(), an_instrument(), price=price, free=Quantity(D(20)), now_ns=ns(1)) is None


def test_nothing_is_sold_twice():
    position = _held()
    assert next_exit(position, an_instrument(), price=_price("2"), free=Quantity(D(0)), now_ns=ns(1)) is None
    assert position.plan is not None
    done = msgspec.structs.replace(position, plan=mark_legs(position.plan, (0, 1)))
    assert next_exit(done, an_instrument(), price=_price("2"), free=Quantity(D(6)), now_ns=ns(1)) is None
    without = msgspec.structs.replace(position, plan=None)
    assert next_exit(without, an_instrument(), price=_price("2"), free=Quantity(D(6)), now_ns=ns(1)) is None


def test_trailing_stop_follows_the_peak_once_armed():
    position = follow_price(_held(), _price("1.10"))
    assert trailing_stop(position) is None
    position = follow_price(follow_price(position, _price("1.30")), _price("1.25"))
    assert trailing_stop(position) == D("1.170")


# ---------------------------------------------------------------------- holdings


def _fill(side: Side, quantity: str, price: str, *, fee: str = "0", asset: str = "USDT", number: int = 1) -> Fill:
    return Fill(
        trade_id=str(number),
        client_order_id=client_order_id("paper", 1, intent_id("x", 0), 0, 0),
        account=Account.PAPER,
        symbol=Symbol("ALPHAUSDT"),
        side=side,
        price=_price(price),
        quantity=Quantity(D(quantity)),
        quote_quantity=D(quantity) * D(price),
        fee=D(fee),
        fee_asset=Asset(asset),
        is_maker=False,
        ts_event_ns=0,
        ts_recv_ns=0,
    )


def _flat() -> Position:
    return _held(quantity=Quantity(D(0)), bought_quantity=Quantity(D(0)), cost=D(0), entry_price=None, plan=None)


def test_fee_in_base_lowers_what_can_be_sold_and_fee_in_quote_costs_money():
    in_base = apply_fill(_flat(), _fill(Side.BUY, "20", "1", fee="0.5", asset="ALPHA"))
    assert (in_base.quantity, in_base.cost) == (D("19.5"), 20)
    in_quote = apply_fill(_flat(), _fill(Side.BUY, "20", "1", fee="0.1"))
    assert (in_quote.quantity, in_quote.cost) == (20, D("20.1"))
    in_mx = apply_fill(_flat(), _fill(Side.BUY, "20", "1", fee="0.3", asset="MX"))
    assert (in_mx.quantity, in_mx.cost, in_mx.fees) == (20, 20, {"MX": "0.3"})


@given(
    buys=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 200)), min_size=1, max_size=5),
    parts=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 200)), max_size=5),
)
def test_position_is_the_sum_of_its_fills(buys, parts):
    position = _flat()
    for number, (quantity, cents) in enumerate(buys):
        position = apply_fill(position, _fill(Side.BUY, str(quantity), str(D(cents) / 100), number=number))
    left = sum(quantity for quantity, _ in buys)
    earned = D(0)
    for number, (quantity, cents) in enumerate(parts):
        sold = min(left, quantity)
        left -= sold
        earned += sold * D(cents) / 100
        position = apply_fill(position, _fill(Side.SELL, str(sold), str(D(cents) / 100), number=100 + number))
    assert position.quantity == left
    assert position.proceeds == earned
    assert position.cost == sum(quantity * D(cents) / 100 for quantity, cents in buys)
    assert position.quantity == position.bought_quantity - position.sold_quantity


@pytest.mark.parametrize(
    ("left", "sold", "status"),
    [
        ("0", "20", PositionStatus.CLOSED),
        ("0.004", "19.996", PositionStatus.CLOSED_WITH_DUST),
        ("0.5", "19.5", PositionStatus.CLOSED_WITH_DUST),
        ("5", "15", PositionStatus.OPEN),
        ("20", "0", PositionStatus.OPEN),
    ],
)
def test_position_closes_when_nothing_sellable_is_left(left, sold, status):
    position = _held(quantity=Quantity(D(left)), sold_quantity=Quantity(D(sold)), mark_price=_price("1"))
    done = close_if_done(position, an_instrument(), now_ns=ns(9))
    assert done.status is status
    assert close_if_done(done, an_instrument(), now_ns=ns(10)).status is status


def test_sellable_quantity_is_on_the_grid_and_never_more():
    assert sellable(an_instrument(), D("19.999")) == D("19.99")


# ---------------------------------------------------------------------- categories, accounts, configuration


@pytest.mark.parametrize(
    ("base", "plates", "found"),
    [
        ("XRP3L", (), ("leveraged",)),
        ("ALPHA3L", (), ()),  # no coin ALPHA trades: a name is no proof
        ("SHELL", (), ()),
        ("TSLAX", ("mc-trade-zone-xStocks",), ("stocks",)),
        ("RELAX", (), ()),
        ("GOLD", ("mc-trade-zone-metals",), ("commodities",)),
        ("USD1", (), ("stables",)),
        ("WBTC", (), ("wrapped",)),
        ("BTC2S", ("mc-trade-zone-ETF",), ("leveraged",)),
    ],
)
def test_category_comes_from_the_venues_word_or_an_exact_list(base, plates, found):
    row = msgspec.structs.replace(an_instrument(f"{base}USDT", base=base), concept_plates=plates)
    assert categories(row, known_bases=frozenset({"XRP", "BTC"})) == found


@pytest.mark.parametrize(
    ("live", "armed", "auto", "paper", "manual", "high", "account"),
    [
        (True, True, True, True, False, False, Account.LIVE),
        (True, True, True, True, False, True, Account.PAPER),
        (True, False, True, True, False, False, Account.PAPER),
        (True, True, False, True, False, False, Account.PAPER),
        (True, True, False, False, True, False, Account.LIVE),
        (False, True, True, True, False, False, Account.PAPER),
        (False, False, True, False, False, False, None),
        (False, False, False, False, True, False, Account.PAPER),
    ],
)
def test_account_is_live_only_where_everything_says_so(live, armed, auto, paper, manual, high, account):
    config = TradeConfig(auto_trade=auto, dry_run_entries=paper)
    assert account_for_entry(config, live=live, armed=armed, manual=manual, high_value=high) is account


def test_default_configuration_contradicts_nothing():
    assert contradictions(TradeConfig(), CAPS) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_position_usdt": D(2500), "max_trade_usdt": D(100)}, "maxPositionUsdt"),
        ({"trailing_stop_pct": D(100)}, "trailingStopPct"),
        ({"quote_assets": ()}, "quoteAssets"),
        (
            {
                "take_profit": (
                    TakeProfitStep(gain_pct=D(20), share_pct=D(10)),
                    TakeProfitStep(gain_pct=D(10), share_pct=D(10)),
                )
            },
            "takeProfit",
        ),
    ],
)
def test_contradiction_is_told_by_field(changes, field):
    assert field in contradictions(TradeConfig(**changes), CAPS)


def test_loosening_by_shrinking_counts_as_a_raise_too():
    assert "minDepthMultiple" in large_raises(TradeConfig(), TradeConfig(min_depth_multiple=D(1)))
    assert "autoTrade" in large_raises(TradeConfig(), TradeConfig(auto_trade=True))
    assert large_raises(TradeConfig(), TradeConfig(trade_usdt=D(30))) == {}


def test_strictest_of_two_versions_is_the_tighter_limit_by_limit():
    old, new = TradeConfig(trade_usdt=D(20), min_depth_multiple=D(2)), TradeConfig(trade_usdt=D(40))
    tight = strictest(old, new)
    assert (tight.trade_usdt, tight.min_depth_multiple) == (20, 3)
    assert strictest(old, old) == old


# ---------------------------------------------------------------------- the order table


def _order(tmp_path, status: OrderStatus) -> Order:
    return Order(intent=Desk(tmp_path).an_order(1).intent, status=status)


def _said(order: Order, status: OrderStatus, *, filled: str | None = None, second: float = 1) -> ExecutionReport:
    return ExecutionReport(
        stamp=at(second),
        account=order.intent.account,
        client_order_id=order.intent.client_order_id,
        status=status,
        source=ReportSource.QUERY,
        filled_quantity=None if filled is None else Quantity(D(filled)),
        filled_quote=None if filled is None else D(filled),
    )


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (S.INTENDED, S.FILLED),
        (S.INTENDED, S.REJECTED),
        (S.ACCEPTED, S.REJECTED),
        (S.ACCEPTED, S.NEVER_ARRIVED),
        (S.PARTIALLY_FILLED, S.NOT_SENT),
    ],
)
def test_impossible_statement_is_loud(tmp_path, now, said):
    order = _order(tmp_path, now)
    with pytest.raises(InvariantError):
        apply_report(order, _said(order, said))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (S.ACCEPTED, S.SUBMITTED),
        (S.PARTIALLY_FILLED, S.ACCEPTED),
        (S.CANCEL_PENDING, S.ACCEPTED),
        (S.ACCEPTED, S.IN_DOUBT),
        (S.FILLED, S.ACCEPTED),
        (S.CANCELED, S.IN_DOUBT),
        (S.INTENDED, S.CANCEL_PENDING),
    ],
)
def test_old_news_changes_no_status(tmp_path, now, said):
    order = _order(tmp_path, now)
    assert apply_report(order, _said(order, said)).status is now


_statements = st.lists(
    st.tuples(st.sampled_from([S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.IN_DOUBT]), st.integers(0, 20)),
    max_size=12,
)


@given(_statements)
def test_whatever_is_said_quantity_never_falls_and_an_end_is_final(tmp_path_factory, statements):
    order = _order(tmp_path_factory.mktemp("desk"), S.SUBMITTED)
    for second, (status, quantity) in enumerate(statements, 2):
        before = order
        order = apply_report(order, _said(order, status, filled=str(quantity), second=second))
        assert order.filled_quantity >= before.filled_quantity
        if before.terminal:
            assert order.status is before.status
            if order.filled_quantity > before.filled_quantity:
                assert order.late_fills == before.late_fills + 1
                assert not order.settled


def test_end_is_settled_only_fifteen_seconds_later(tmp_path):
    order = _order(tmp_path, S.ACCEPTED)
    ended = apply_report(order, _said(order, S.CANCELED, second=10))
    assert not see_end_again(ended, ns(24)).settled
    assert see_end_again(ended, ns(25)).settled


@pytest.mark.parametrize("status", [S.NOT_SENT, S.REJECTED])
def test_order_that_left_nothing_at_the_venue_is_settled_at_once(tmp_path, status):
    order = _order(tmp_path, S.SUBMITTED)
    assert apply_report(order, _said(order, status)).settled
