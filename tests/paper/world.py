"""A paper gateway on a clock that moves only when told, with a market a test draws by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, TypeVar

from msgspec.structs import replace

from mexc_sniper.core.ids import client_order_id, intent_id
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.events import (
    BalancesRead,
    BookSeen,
    Event,
    FillsReported,
    InstrumentsRead,
    OrderReported,
    QuoteSeen,
    TradesSeen,
)
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.market import Book, Level, PublicTrade, Quote, Side, Stamp
from mexc_sniper.model.order import (
    Approved,
    ExecutionReport,
    Fill,
    Order,
    OrderIntent,
    OrderRole,
    OrderStatus,
    OrderType,
)
from mexc_sniper.model.restored import Restored
from mexc_sniper.venues.paper.gateway import PaperGateway
from mexc_sniper.venues.paper.options import LatencyOptions, PaperOptions
from tests.builders import an_instrument
from tests.venue.clock import ManualClock, settle

E = TypeVar("E", bound=Event)
SYMBOL = Symbol("ALPHAUSDT")
EXACT_LATENCY = LatencyOptions(default_ns=60_000_000, jitter_ns=0)
PLAIN = PaperOptions(latency=EXACT_LATENCY, queue_share=Decimal(1), taker_fee=Decimal(0))
"""No haircut, no fee, no jitter: tests switch on what they are about."""

_intents = count(1)


def d(text: str | int) -> Decimal:
    return Decimal(text)


def levels(text: str) -> tuple[Level, ...]:
    """Write a side of a book as ``"1.01x50 1.02x100"``."""
    pairs = (part.split("x") for part in text.split())
    return tuple(Level(Price(d(price)), Quantity(d(quantity))) for price, quantity in pairs)


def a_paper_instrument(**changes: Any) -> Instrument:
    return replace(an_instrument(str(SYMBOL)), **changes)


def an_intent(
    side: Side = Side.BUY,
    type: OrderType = OrderType.MARKET,
    *,
    quantity: str | None = None,
    amount: str | None = None,
    price: str | None = None,
    symbol: str = SYMBOL,
) -> OrderIntent:
    """A fresh intent; each has its own client order id."""
    intent = intent_id(f"test-{next(_intents)}", 0)
    return OrderIntent(
        id=intent,
        client_order_id=client_order_id("paper", 1, intent, 0, 0),
        account=Account.PAPER,
        symbol=Symbol(symbol),
        base=Asset(symbol.removesuffix("USDT")),
        quote=Asset("USDT"),
        side=side,
        role=OrderRole.ENTRY if side is Side.BUY else OrderRole.MANUAL_CLOSE,
        type=type,
        quantity=None if quantity is None else Quantity(d(quantity)),
        quote_quantity=None if amount is None else d(amount),
        price=None if price is None else Price(d(price)),
    )


class PaperWorld:
    """The gateway, what it said, and the market it sees."""

    def __init__(
        self,
        options: PaperOptions = PLAIN,
        *,
        seed: int = 1,
        restored: Restored | None = None,
        clock: ManualClock | None = None,
        epoch: int = 1,
    ) -> None:
        self.clock = clock or ManualClock()
        self.gateway = PaperGateway(self.clock, options, random=Random(seed), epoch=epoch, restored=restored)
        self.events: list[Event] = []

    # ------------------------------------------------------------------ the market

    def stamp(self) -> Stamp:
        return Stamp(self.clock.wall_ns(), self.clock.wall_ns(), self.clock.mono_ns())

    def lists(self, *rows: Instrument) -> None:
        rows = rows or (a_paper_instrument(),)
        names = frozenset(row.symbol for row in rows)
        self.gateway.see(InstrumentsRead(stamp=self.stamp(), changed=rows, names=names))

    def show(self, *, bids: str = "", asks: str = "", symbol: Symbol = SYMBOL) -> None:
        book = Book(symbol, levels(bids), levels(asks), self.stamp())
        self.gateway.see(BookSeen(stamp=book.stamp, book=book))

    def quote(self, *, bid: str | None = None, ask: str | None = None) -> None:
        """Show best prices, written like levels."""
        (low,) = levels(bid) if bid else (None,)
        (high,) = levels(ask) if ask else (None,)
        quote = Quote(
            SYMBOL,
            low and low.price,
            low and low.quantity,
            high and high.price,
            high and high.quantity,
        )
        self.gateway.see(QuoteSeen(stamp=self.stamp(), quote=quote))

    def trade(self, text: str, side: Side = Side.BUY, *, event_ns: int | None = None) -> None:
        """Show a public trade, written like a level."""
        (level,) = levels(text)
        when = self.clock.wall_ns() if event_ns is None else event_ns
        trades = (PublicTrade(level.price, level.quantity, side, when),)
        self.gateway.see(TradesSeen(stamp=self.stamp(), symbol=SYMBOL, trades=trades))

    # ------------------------------------------------------------------ orders

    def submit(self, intent: OrderIntent) -> OrderIntent:
        self.gateway.submit(Approved(intent=intent, generation=0))
        return intent

    async def trade_out(self, intent: OrderIntent) -> ExecutionReport:
        """Submit and wait until the order has met the book; returns the last word on it."""
        self.submit(intent)
        await self.clock.advance(0.2)
        return self.reports(intent)[-1]

    async def hold(self, quantity: str) -> None:
        """Buy coins at 1 so that there is something to sell; clears what was said."""
        self.show(bids="0.99x100000", asks="1x100000")
        report = await self.trade_out(an_intent(quantity=quantity))
        assert report.status is OrderStatus.FILLED, report
        self.events.clear()

    # ------------------------------------------------------------------ what was said

    def said(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def reports(self, intent: OrderIntent) -> list[ExecutionReport]:
        said = [event.report for event in self.said(OrderReported)]
        return [report for report in said if report.client_order_id == intent.client_order_id]

    def statuses(self, intent: OrderIntent) -> list[OrderStatus]:
        return [report.status for report in self.reports(intent)]

    def fills(self, intent: OrderIntent) -> list[Fill]:
        said = [fill for event in self.said(FillsReported) for fill in event.fills]
        return [fill for fill in said if fill.client_order_id == intent.client_order_id]

    @property
    def balances(self) -> dict[str, Balance]:
        """The last balance said of each asset."""
        return {b.asset: b for event in self.said(BalancesRead) for b in event.balances}

    def free(self, asset: str) -> Decimal:
        return self._balance(asset).free

    def locked(self, asset: str) -> Decimal:
        return self._balance(asset).locked

    def _balance(self, asset: str) -> Balance:
        now = {b.asset: b for b in self.gateway.balances}
        return now.get(Asset(asset), Balance(Account.PAPER, Asset(asset), d(0), d(0)))


def an_order(intent: OrderIntent, status: OrderStatus = OrderStatus.ACCEPTED, **changes: Any) -> Order:
    return Order(intent=intent, status=status, **changes)


@asynccontextmanager
async def running(world: PaperWorld) -> AsyncIterator[PaperWorld]:
    """Run the gateway while a test uses it."""
    task = asyncio.create_task(world.gateway.run(world.events.append))
    await settle()
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def restored_after(world: PaperWorld, *intents: OrderIntent) -> Restored:
    """What the ledger holds when everything said was written and then the process died."""
    orders = []
    for intent in intents:
        order = Order(intent=intent, created_ns=world.clock.wall_ns())
        for report in world.reports(intent):
            order = replace(
                order,
                status=report.status,
                venue_order_id=report.venue_order_id,
                filled_quantity=report.filled_quantity or order.filled_quantity,
                filled_quote=report.filled_quote or order.filled_quote,
            )
        orders.append(order)
    fills = tuple(fill for event in world.said(FillsReported) for fill in event.fills)
    return Restored(orders=tuple(orders), fills=fills, balances=tuple(world.balances.values()))
