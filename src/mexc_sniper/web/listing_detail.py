"""Everything about one listing, read in one moment: what was said, what we decided, what came of it, and its chart."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.ledger.view import LedgerView
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.listing import Listing, ListingSignal, Phase
from mexc_sniper.model.market import Bar, Side
from mexc_sniper.model.order import Fill, Order
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Decision, Trade
from mexc_sniper.web import convert, convert_trading, views
from mexc_sniper.web.convert_trading import mode_of

MANY = 500
"""Orders and trades of a symbol that are looked through; a listing has a handful."""
BEFORE_NS = 60 * NS_PER_S
AFTER_NS = 40 * 60 * NS_PER_S
"""The chart's span around the opening: a position's longest life by default, and the ten minutes before it is rare."""
WATCHED_NS = 31 * 60 * NS_PER_S
_BPS = Decimal(10_000)


class ListingRecords(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger holds about one listing."""

    listing: Listing
    signals: list[ListingSignal]
    decisions: list[Decision]
    trades: list[Trade]
    orders: list[Order]
    fills: list[Fill]
    positions: list[Position]


def read_listing(view: LedgerView, listing_id: ListingId) -> ListingRecords | None:
    """Read one listing with its trading, oldest first; None if there is none."""
    found = view.listing(listing_id)
    if found is None:
        return None
    trades, _ = view.trades(limit=MANY, symbol=found.symbol)
    orders, _ = view.orders(limit=MANY, symbol=found.symbol)
    own_trades = [trade for trade in reversed(trades) if trade.listing_id == listing_id]
    own_orders = [order for order in reversed(orders) if order.intent.listing_id == listing_id]
    held = dict.fromkeys(trade.position_id for trade in own_trades if trade.position_id is not None)
    return ListingRecords(
        listing=found,
        signals=view.signals(listing_id),
        decisions=view.decisions(listing_id),
        trades=own_trades,
        orders=own_orders,
        fills=[
            fill
            for order in own_orders
            for fill in view.fills(order.intent.client_order_id)
            if fill.account is order.intent.account
        ],
        positions=[position for key in held if (position := view.position(key)) is not None],
    )


def detail_view(records: ListingRecords, marks: Mapping[str, views.MarkView]) -> views.ListingDetailView:
    """Show one listing with everything about it."""
    return views.ListingDetailView(
        listing=convert.listing_view(records.listing),
        timeline=[convert.signal_view(signal) for signal in records.signals],
        schedule=convert.schedule_view(records.listing.schedule),
        phases=convert.phases(records.listing),
        decisions=[convert_trading.decision_view(decision) for decision in records.decisions],
        trades=[convert_trading.trade_view(trade) for trade in records.trades],
        orders=[convert_trading.order_view(order) for order in records.orders],
        fills=[convert_trading.fill_view(fill) for fill in records.fills],
        positions=[convert_trading.position_view(position, marks) for position in records.positions],
    )


def read_bars(view: LedgerView, listing: Listing) -> list[Bar]:
    """Read the bars around a listing's opening."""
    opening_ns = _opening_ns(listing)
    return view.bars(listing.symbol, from_ns=opening_ns - BEFORE_NS, to_ns=opening_ns + AFTER_NS)


def chart_view(
    records: ListingRecords, bars: Sequence[Bar], config: ConfigVersion | None, now_ns: int
) -> views.ListingChartView:
    """Put bars, our fills and the prices our rules stand on together. ``config``: the one the entry was made under."""
    listing = records.listing
    gone = listing.phase is Phase.WITHDRAWN or now_ns > _opening_ns(listing) + WATCHED_NS
    return views.ListingChartView(
        symbol=listing.symbol,
        bars=[_bar_view(bar) for bar in bars],
        marks=_marks(records),
        lines=_lines(records, config),
        growing=not gone,
    )


def _opening_ns(listing: Listing) -> int:
    first_ns = listing.first_trade_at_ns
    return listing.opened_at_ns or first_ns or listing.listed_at_ns


def _bar_view(bar: Bar) -> views.BarView:
    return views.BarView(
        at=iso_from_ns(bar.open_ns),
        seconds=bar.interval_s,
        open=text_from_decimal(bar.open),
        high=text_from_decimal(bar.high),
        low=text_from_decimal(bar.low),
        close=text_from_decimal(bar.close),
        volume=text_from_decimal(bar.volume),
        trades=bar.trades,
    )


def _marks(records: ListingRecords) -> list[views.ChartMarkView]:
    trade_of = {trade.client_order_id: trade.id for trade in records.trades}
    marks = []
    for order in records.orders:
        name = order.intent.client_order_id
        fills = [fill for fill in records.fills if fill.client_order_id == name]
        bought = sum((fill.quantity for fill in fills), Decimal(0))
        if not bought:
            continue
        paid = sum((fill.quote_quantity for fill in fills), Decimal(0))
        side: Literal["buy", "sell"] = "buy" if order.intent.side is Side.BUY else "sell"
        marks.append(
            views.ChartMarkView(
                at=iso_from_ns(min(fill.ts_event_ns for fill in fills)),
                side=side,
                role=order.intent.role,
                mode=mode_of(order.intent.account),
                price=_like(paid / bought, fills[0].price),
                quantity=text_from_decimal(bought),
                trade_id=trade_of.get(name),
            )
        )
    return marks


def _lines(records: ListingRecords, config: ConfigVersion | None) -> list[views.ChartLineView]:
    lines = []

    def line(
        kind: Literal["reference", "cap", "entry", "take_profit", "stop", "trailing"], at: Decimal, done: bool
    ) -> None:
        lines.append(views.ChartLineView(kind=kind, price=text_from_decimal(at), done=done))

    entry = next((trade for trade in reversed(records.trades) if not trade.role.reduces_risk), None)
    if entry is not None and entry.reference_price is not None:
        decided = entry.reference_price
        line("reference", decided, True)
        sent = [order.intent.price for order in records.orders if order.intent.client_order_id == entry.client_order_id]
        if sent and sent[0] is not None:
            line("cap", sent[0], True)
        elif config is not None:
            most = decided * (1 + config.config.max_slippage_bps / _BPS)
            line("cap", most.quantize(decided), True)
    for position in records.positions[-1:]:
        if position.plan is None:
            continue
        for leg in position.plan.take_profit:
            line("take_profit", leg.price, leg.done or position.closed)
        if position.plan.stop_price is not None:
            line("stop", position.plan.stop_price, position.closed)
        if position.plan.trailing_armed_at is not None:
            line("trailing", position.plan.trailing_armed_at, position.trailing_armed or position.closed)
    return lines


def _like(price: Decimal, model: Decimal) -> str:
    """Write an average with two places more than the prices it is of."""
    exponent = model.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 8
    return text_from_decimal(price.quantize(Decimal(1).scaleb(-max(0, places) - 2)))
