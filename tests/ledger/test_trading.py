"""Trading's rows: written once, read back exactly, kept for ever, and restored at a start."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mexc_sniper.core.ids import ListingId, PositionId, TradeId
from mexc_sniper.core.values import Symbol
from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerWriter, entry_from_event
from mexc_sniper.ledger.sqlite_store import SqliteStore
from mexc_sniper.model.account import Account, Balance, TradingState
from mexc_sniper.model.entries import (
    AttentionChanged,
    BalancesChanged,
    DecisionMade,
    FillRecorded,
    LedgerEntry,
    OrderChanged,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradeStatus, TradingStatus
from mexc_sniper.runtime.clock import LoopClock
from tests.builders import T0_NS, ns
from tests.ledger.conftest import StartWriter
from tests.ledger.trading_builders import (
    a_decision,
    a_fill,
    a_position,
    a_trade,
    an_attention,
    an_order,
)

PAPER, LIVE = Account.PAPER, Account.LIVE
USDT = Balance(PAPER, "USDT", Decimal("979.4939"), Decimal(0))  # type: ignore[arg-type]
STATUS = TradingStatus(state=TradingState.REDUCING, reason="pause", actor="operator", since_ns=T0_NS, latched=True)

ONE_OF_EACH: list[LedgerEntry] = [
    DecisionMade(decision=a_decision()),
    OrderChanged(order=an_order()),
    FillRecorded(fill=a_fill()),
    PositionChanged(position=a_position(fees={"MX": "0.1"}, cost=Decimal("12.351778"))),
    TradeChanged(trade=a_trade(tick_to_trade_ns=150_000)),
    TradingChanged(status=STATUS),
    BalancesChanged(balances=(USDT,)),
    AttentionChanged(attention=an_attention()),
]


async def test_entries_of_trading_come_back_as_they_were(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append(ONE_OF_EACH)
    await writer.flush(deadline_s=5)
    decision, order, fill, position, trade, status, balances, attention = ONE_OF_EACH
    assert reader.decisions(ListingId("L1")) == [decision.decision]
    assert reader.order(PAPER, order.order.intent.client_order_id) == order.order
    assert reader.order(LIVE, order.order.intent.client_order_id) is None
    assert reader.fills(fill.fill.client_order_id) == [fill.fill]
    assert reader.position(PositionId("p1")) == position.position
    assert reader.trade(TradeId("T1")) == trade.trade
    assert reader.trading() == status.status
    assert reader.balances() == list(balances.balances)
    assert reader.attention() == [attention.attention]
    told = [entry_from_event(event.kind, event.payload) for event in reader.events(0, 100)]
    assert told == ONE_OF_EACH


async def test_fill_told_again_is_one_row_and_one_event_in_every_life(
    start_writer: StartWriter, reader: LedgerReader
) -> None:
    recent = LoopClock().wall_ns()
    first = FillRecorded(fill=a_fill(ts_recv_ns=recent))
    again = FillRecorded(fill=a_fill(ts_recv_ns=recent + 5))
    others = [
        FillRecorded(fill=a_fill(trade="t2", ts_recv_ns=recent)),
        FillRecorded(fill=a_fill("o2", ts_recv_ns=recent)),
        FillRecorded(fill=a_fill(account=LIVE, ts_recv_ns=recent)),
    ]
    writer = start_writer()
    writer.append([first, again])
    writer.append([again])
    await writer.aclose()
    writer = start_writer()
    writer.append([again, *others])
    await writer.flush(deadline_s=5)
    assert reader.last_seq() == 4
    assert reader.fills(first.fill.client_order_id)[0] == first.fill
    assert [len(reader.fills(name)) for name in ("o1", "o2")] == [3, 1]  # type: ignore[arg-type]


async def test_order_and_position_changed_again_replace_their_rows(writer: LedgerWriter, reader: LedgerReader) -> None:
    for status in (OrderStatus.INTENDED, OrderStatus.SUBMITTED, OrderStatus.FILLED):
        writer.append([OrderChanged(order=an_order(status=status)), OrderChanged(order=an_order(account=LIVE))])
    await writer.flush(deadline_s=5)
    orders, total = reader.orders(limit=10)
    assert total == 2
    assert {(order.intent.account, order.status) for order in orders} == {
        (PAPER, OrderStatus.FILLED),
        (LIVE, OrderStatus.INTENDED),
    }
    assert [order.intent.account for order in reader.orders(limit=10, open_only=True)[0]] == [LIVE]
    assert reader.orders(limit=10, symbol=Symbol("NONEUSDT")) == ([], 0)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["T4", "T3", "T2", "T1"]),
        ({"mode": LIVE}, ["T2"]),
        ({"status": TradeStatus.FILLED}, ["T4", "T1"]),
        ({"symbol": Symbol("B\x00T")}, ["T3"]),
        ({"side": Side.SELL}, ["T4"]),
        ({"side": Side.BUY, "status": TradeStatus.FILLED, "mode": PAPER}, ["T1"]),
    ],
)
async def test_trades_are_filtered_newest_first(
    writer: LedgerWriter, reader: LedgerReader, filters: dict[str, Any], found: list[str]
) -> None:
    trades = [
        a_trade("T1", created_ns=ns(1)),
        a_trade("T2", created_ns=ns(2), account=LIVE, status=TradeStatus.REJECTED),
        a_trade("T3", created_ns=ns(3), symbol=Symbol("B\x00T"), status=TradeStatus.IN_DOUBT),
        a_trade("T4", created_ns=ns(4), side=Side.SELL),
    ]
    writer.append([TradeChanged(trade=trade) for trade in trades])
    await writer.flush(deadline_s=5)
    page, total = reader.trades(limit=10, **filters)
    assert ([trade.id for trade in page], total) == (found, len(found))
    assert [trade.id for trade in reader.trades(limit=1, offset=1, **filters)[0]] == found[1:2]


async def test_decisions_of_a_listing_are_all_kept_though_their_intent_is_one(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    decisions = [a_decision(decided_ns=ns(second)) for second in range(3)]
    writer.append([DecisionMade(decision=decision) for decision in [*decisions, a_decision("L2"), a_decision(None)]])
    await writer.flush(deadline_s=5)
    assert reader.decisions(ListingId("L1")) == decisions


async def test_positions_closed_are_left_out_unless_asked_for_and_their_profit_is_told(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    bought = {"bought_quantity": Decimal(10), "sold_quantity": Decimal(10), "cost": Decimal(20)}
    writer.append(
        [
            PositionChanged(position=position)
            for position in (
                a_position("p1", opened_ns=ns(1)),
                a_position("p2", opened_ns=ns(2), status=PositionStatus.CLOSING),
                a_position(
                    "p3", opened_ns=ns(3), status=PositionStatus.CLOSED, closed_ns=ns(9),
                    proceeds=Decimal("19.5"), **bought,
                ),
                a_position(
                    "p4", opened_ns=ns(4), status=PositionStatus.CLOSED_WITH_DUST, closed_ns=ns(8), account=LIVE,
                    proceeds=Decimal("21.25"), **bought,
                ),
            )
        ]
    )  # fmt: skip
    await writer.flush(deadline_s=5)
    assert [position.id for position in reader.positions(limit=10)[0]] == ["p2", "p1"]
    everything, total = reader.positions(open_only=False, limit=2)
    assert ([position.id for position in everything], total) == (["p4", "p3"], 4)
    assert reader.realized() == [(LIVE, ns(8), Decimal("1.25")), (PAPER, ns(9), Decimal("-0.5"))]
    assert reader.realized(ns(9)) == [(PAPER, ns(9), Decimal("-0.5"))]


async def test_balances_named_are_replaced_and_the_others_stay(writer: LedgerWriter, reader: LedgerReader) -> None:
    live = msgspec.structs.replace(USDT, account=LIVE)
    writer.append([BalancesChanged(balances=(USDT, live))])
    spent = msgspec.structs.replace(USDT, free=Decimal(0), locked=Decimal(5))
    writer.append([BalancesChanged(balances=(spent,))])
    await writer.flush(deadline_s=5)
    assert reader.balances() == [live, spent]


async def test_attention_resolved_is_left_out_unless_asked_for(writer: LedgerWriter, reader: LedgerReader) -> None:
    done = an_attention("a0", raised_ns=ns(-1), resolved_ns=ns(5), resolved_by="operator", resolution="ignore")
    writer.append([AttentionChanged(attention=an_attention("a0", raised_ns=ns(-1)))])
    writer.append([AttentionChanged(attention=done), AttentionChanged(attention=an_attention("a1"))])
    await writer.flush(deadline_s=5)
    assert [one.id for one in reader.attention()] == ["a1"]
    assert reader.attention(open_only=False)[0] == done


async def test_latencies_are_told_newest_first_and_clamped(writer: LedgerWriter, reader: LedgerReader) -> None:
    writer.append([TradeChanged(trade=a_trade(f"T{n}", created_ns=ns(n), round_trip_ns=n)) for n in range(5)])
    writer.append([TradeChanged(trade=a_trade("T9", created_ns=ns(9), account=LIVE, source_lag_ns=2**80))])
    await writer.flush(deadline_s=5)
    rows = reader.latencies(ns(3))
    assert [(row.account, row.created_ns, row.round_trip_ns) for row in rows] == [
        (LIVE, ns(9), None),
        (PAPER, ns(4), 4),
        (PAPER, ns(3), 3),
    ]
    assert rows[0].source_lag_ns == 2**63 - 1
    assert len(reader.latencies(0, limit=2)) == 2


async def test_money_rows_outlive_the_retention_of_events(start_writer: StartWriter, reader: LedgerReader) -> None:
    import asyncio

    writer = start_writer()
    writer.append(ONE_OF_EACH)
    await writer.aclose()
    start_writer(retention_s=-1.0)
    async with asyncio.timeout(20):
        while reader.first_seq() != len(ONE_OF_EACH):
            await asyncio.sleep(0.02)
    assert reader.trades(limit=1)[1] == reader.orders(limit=1)[1] == reader.positions(limit=1)[1] == 1
    assert len(reader.fills(ONE_OF_EACH[2].fill.client_order_id)) == 1
    assert len(reader.decisions(ListingId("L1"))) == len(reader.attention()) == len(reader.balances()) == 1
    assert reader.audit(limit=10)[1] == 3


async def test_paper_money_is_fsynced_because_nobody_could_tell_it_again(sqlite_location: LedgerLocation) -> None:
    store = SqliteStore(sqlite_location)
    writer = LedgerWriter(sqlite_location, LoopClock(), store=store)
    writer.start()
    levels = []
    for entry in (
        OrderChanged(order=an_order(account=LIVE)),
        OrderChanged(order=an_order()),
        FillRecorded(fill=a_fill(account=LIVE)),
        FillRecorded(fill=a_fill()),
        BalancesChanged(balances=(msgspec.structs.replace(USDT, account=LIVE),)),
        BalancesChanged(balances=(USDT,)),
    ):
        writer.append([entry])
        await writer.flush(deadline_s=5)
        assert store._db is not None
        levels.append(store._db.execute("PRAGMA synchronous").fetchone()[0])
    assert levels == [1, 2, 1, 2, 1, 2]
    await writer.aclose()


async def test_restore_finds_what_trading_needs_to_go_on(start_writer: StartWriter) -> None:
    now = LoopClock().wall_ns()
    day = 86_400 * 10**9
    ended = {"status": OrderStatus.FILLED, "settled_ns": now - 3 * day, "created_ns": now - 3 * day}
    writer = start_writer()
    writer.append(
        [
            OrderChanged(order=an_order("old", **ended)),
            OrderChanged(order=an_order("today", **{**ended, "created_ns": now - day // 2})),
            OrderChanged(order=an_order("doubt", status=OrderStatus.IN_DOUBT, created_ns=now - 3 * day)),
            FillRecorded(fill=a_fill("old", "f1", ts_recv_ns=now - 3 * day)),
            FillRecorded(fill=a_fill("today", "f2", symbol=Symbol("B"), ts_recv_ns=now - 3 * day)),
            FillRecorded(fill=a_fill("older", "f3", symbol=Symbol("HELDUSDT"), ts_recv_ns=now - 2 * day)),
            FillRecorded(fill=a_fill("older", "f4", symbol=Symbol("HELDUSDT"), ts_recv_ns=now - 4 * day)),
            PositionChanged(position=a_position("held", symbol="HELDUSDT", opened_ns=now - 2 * day)),
            PositionChanged(position=a_position("gone", status=PositionStatus.CLOSED, closed_ns=now - 2 * day)),
            PositionChanged(
                position=a_position("just", account=LIVE, status=PositionStatus.CLOSED, closed_ns=now - day // 2)
            ),
            TradeChanged(trade=a_trade("done", client_order_id="old")),
            TradeChanged(trade=a_trade("doubted", client_order_id="doubt")),
            TradeChanged(trade=a_trade("offered", status=TradeStatus.HIGH_VALUE_PENDING)),
            TradingChanged(status=STATUS),
            BalancesChanged(balances=(USDT,)),
            AttentionChanged(attention=an_attention("open")),
            AttentionChanged(attention=an_attention("done", resolved_ns=now)),
        ]
    )
    await writer.flush(deadline_s=5)
    restored = writer.restore()
    assert {order.intent.client_order_id for order in restored.orders} == {"today", "doubt"}
    assert {fill.trade_id for fill in restored.fills} == {"f2", "f3"}
    assert {position.id for position in restored.positions} == {"held", "just"}
    assert {trade.id for trade in restored.trades} == {"doubted", "offered"}
    assert (restored.trading, restored.balances) == (STATUS, (USDT,))
    assert [one.id for one in restored.attention] == ["open"]
    assert set(restored.entered_bases) == {(PAPER, "HELD"), (PAPER, "ALPHA"), (LIVE, "ALPHA")}
    assert [(account, at) for account, at, _ in restored.realized] == [(PAPER, now - 2 * day), (LIVE, now - day // 2)]


async def test_hostile_texts_in_trading_come_back_as_written(writer: LedgerWriter, reader: LedgerReader) -> None:
    hostile = "'; DROP TABLE fills; --\x00\\0𝒳\u202e"
    fill = a_fill(trade=hostile, symbol=Symbol(hostile))
    order = an_order(text=hostile)
    trade = a_trade(hostile, reason_detail=hostile)
    lone = a_trade("lone", symbol=Symbol("x\ud800"))
    writer.append([FillRecorded(fill=fill), OrderChanged(order=order), TradeChanged(trade=trade)])
    writer.append([TradeChanged(trade=lone), FillRecorded(fill=fill)])
    await writer.flush(deadline_s=5)
    assert reader.fills(fill.client_order_id) == [fill]
    assert reader.order(PAPER, order.intent.client_order_id) == order
    assert reader.trade(TradeId(hostile)) == trade
    kept = reader.trade(TradeId("lone"))
    assert kept is not None
    assert kept.symbol == "x\ufffd"
    assert reader.verify_audit() is None
