"""Values for tests with sensible defaults: name only what the test is about."""

from decimal import Decimal
from itertools import count

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import CommandId
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.commands import EXPIRES_AFTER_S, Command, Verb
from mexc_sniper.model.events import (
    BalancesRead,
    BookSeen,
    CalendarRead,
    CandlesRead,
    CommandReceived,
    FillsReported,
    InstrumentsRead,
    MiniTickersSeen,
    OrderReported,
    QuoteSeen,
    SourceName,
    Ticked,
    TradableNamesRead,
    TradesSeen,
)
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, TradeSides
from mexc_sniper.model.listing import CalendarEntry
from mexc_sniper.model.market import Book, Candle, Level, MiniTicker, PublicTrade, Quote, Side, Stamp
from mexc_sniper.model.order import ExecutionReport, Fill, Order, OrderIntent, OrderStatus, ReportSource

T0_NS = 1_795_000_000 * NS_PER_S
"""Where test time begins (2026-11-18)."""

_numbers = count(1)


def at(seconds: float, *, event_s: float | None = None) -> Stamp:
    """A stamp ``seconds`` after T0."""
    event_ns = None if event_s is None else T0_NS + int(event_s * NS_PER_S)
    return Stamp(event_ns, T0_NS + int(seconds * NS_PER_S), int(seconds * NS_PER_S))


def ns(seconds: float) -> int:
    """Wall time ``seconds`` after T0."""
    return T0_NS + int(seconds * NS_PER_S)


def an_instrument(
    symbol: str = "ALPHAUSDT",
    *,
    quote: str = "USDT",
    base: str | None = None,
    api_trading: bool = True,
    contract: str = "",
    first_open_s: float | None = None,
) -> Instrument:
    return Instrument(
        symbol=Symbol(symbol),
        base=Asset(base if base is not None else symbol.removesuffix(quote)),
        quote=Asset(quote),
        status=InstrumentStatus.ONLINE,
        api_trading=api_trading,
        trade_sides=TradeSides.ALL,
        order_types=("LIMIT", "MARKET", "LIMIT_MAKER"),
        price_decimals=4,
        quantity_decimals=2,
        min_quantity=Decimal(0),
        min_notional_limit=Decimal(1),
        min_notional_market=Decimal(1),
        contract_address=contract,
        first_open_time_ns=None if first_open_s is None else ns(first_open_s),
    )


def instruments_read(seconds: float, *rows: Instrument, names: set[str] | None = None) -> InstrumentsRead:
    """An exchangeInfo answer with the given changed rows; ``names`` are all names, the rows' own by default."""
    all_names = {row.symbol for row in rows} | {Symbol(name) for name in names or set()}
    return InstrumentsRead(stamp=at(seconds), changed=rows, names=frozenset(all_names))


def default_symbols_read(seconds: float, *names: str) -> TradableNamesRead:
    return TradableNamesRead(
        stamp=at(seconds), source=SourceName.DEFAULT_SYMBOLS, names=frozenset(Symbol(name) for name in names)
    )


def a_calendar_entry(
    asset: str = "ALPHA", *, opens_s: float | None, coin_id: str | None = None, full_name: str = ""
) -> CalendarEntry:
    return CalendarEntry(
        coin_id=coin_id or f"coin-{asset}",
        asset=Asset(asset),
        full_name=full_name,
        opens_at_ns=None if opens_s is None else ns(opens_s),
    )


def calendar_read(seconds: float, *entries: CalendarEntry) -> CalendarRead:
    return CalendarRead(stamp=at(seconds), entries=entries)


def tickers_seen(seconds: float, *names: str) -> MiniTickersSeen:
    return MiniTickersSeen(
        stamp=at(seconds), tickers=tuple(MiniTicker(Symbol(name), Price(Decimal("1.5"))) for name in names)
    )


def a_quote(
    seconds: float, symbol: str = "ALPHAUSDT", *, bid: str | None = "0.99", ask: str | None = "1.01"
) -> QuoteSeen:
    def price(text: str | None) -> Price | None:
        return None if text is None else Price(Decimal(text))

    one = Quantity(Decimal(1))
    return QuoteSeen(
        stamp=at(seconds, event_s=seconds - 0.005),
        quote=Quote(Symbol(symbol), price(bid), one if bid else None, price(ask), one if ask else None),
    )


def a_trade(seconds: float, symbol: str = "ALPHAUSDT", *, event_s: float | None = None) -> TradesSeen:
    event_ns = ns(seconds - 0.005 if event_s is None else event_s)
    trade = PublicTrade(Price(Decimal("1.0")), Quantity(Decimal(5)), Side.BUY, event_ns)
    return TradesSeen(stamp=at(seconds, event_s=seconds - 0.005), symbol=Symbol(symbol), trades=(trade,))


def candles_read(
    seconds: float, symbol: str = "ALPHAUSDT", *opens_s: float, interval_s: int = 60, error: str = ""
) -> CandlesRead:
    one = Price(Decimal(1))
    candles = tuple(Candle(ns(open_s), one, one, one, one, Quantity(Decimal(1)), interval_s) for open_s in opens_s)
    return CandlesRead(stamp=at(seconds), symbol=Symbol(symbol), candles=candles, error=error)


def a_command(seconds: float, verb: Verb, *, command_id: str | None = None, **arguments: object) -> CommandReceived:
    number = next(_numbers)
    created_ns = ns(seconds)
    command = Command(
        id=CommandId(command_id or f"command-{number}"),
        number=number,
        verb=verb,
        arguments=dict(arguments),
        actor="tester",
        created_ns=created_ns,
        expires_ns=int(min(2**62, created_ns + EXPIRES_AFTER_S[verb] * NS_PER_S)),
    )
    return CommandReceived(stamp=at(seconds), command=command)


def a_tick(seconds: float) -> Ticked:
    return Ticked(stamp=at(seconds))


def paper_balances(seconds: float, usdt: str = "10000") -> BalancesRead:
    """What the paper venue says when it starts."""
    balance = Balance(Account.PAPER, Asset("USDT"), Decimal(usdt), Decimal(0))
    return BalancesRead(stamp=at(seconds), account=Account.PAPER, balances=(balance,), complete=True)


def a_book(
    seconds: float,
    symbol: str = "ALPHAUSDT",
    *,
    bid: str | None = "0.99",
    ask: str | None = "1.00",
    depth: str = "1000",
) -> BookSeen:
    """A book of three levels a side, one percent apart, ``depth`` units each."""
    quantity = Quantity(Decimal(depth))
    step = Decimal("0.01")
    bids = () if bid is None else tuple(Level(Price(Decimal(bid) - step * n), quantity) for n in range(3))
    asks = () if ask is None else tuple(Level(Price(Decimal(ask) + step * n), quantity) for n in range(3))
    stamp = at(seconds, event_s=seconds - 0.005)
    return BookSeen(stamp=stamp, book=Book(symbol=Symbol(symbol), bids=bids, asks=asks, stamp=stamp))


def reported(seconds: float, order: Order | OrderIntent, status: OrderStatus, **details: object) -> OrderReported:
    """A statement on an order: `filled` and `quote` as text, `code`, `reason`, `source`."""
    intent = order.intent if isinstance(order, Order) else order
    filled, quote = details.pop("filled", None), details.pop("quote", None)
    report = ExecutionReport(
        stamp=at(seconds),
        account=intent.account,
        client_order_id=intent.client_order_id,
        status=status,
        source=details.pop("source", ReportSource.ACK),  # type: ignore[arg-type]
        filled_quantity=None if filled is None else Quantity(Decimal(str(filled))),
        filled_quote=None if quote is None else Decimal(str(quote)),
        **details,  # type: ignore[arg-type]
    )
    return OrderReported(stamp=report.stamp, report=report)


def filled(
    seconds: float,
    order: Order | OrderIntent,
    *,
    price: str,
    quantity: str,
    fee: str = "0",
    fee_asset: str = "USDT",
    trade_id: str = "1",
    source: ReportSource | None = None,
) -> FillsReported:
    """One execution of an order."""
    intent = order.intent if isinstance(order, Order) else order
    fill = Fill(
        trade_id=trade_id,
        client_order_id=intent.client_order_id,
        account=intent.account,
        symbol=intent.symbol,
        side=intent.side,
        price=Price(Decimal(price)),
        quantity=Quantity(Decimal(quantity)),
        quote_quantity=Decimal(price) * Decimal(quantity),
        fee=Decimal(fee),
        fee_asset=Asset(fee_asset),
        is_maker=False,
        ts_event_ns=ns(seconds),
        ts_recv_ns=ns(seconds),
        evidence="book",
    )
    told_by = source or (ReportSource.PAPER if intent.account is Account.PAPER else ReportSource.STREAM)
    return FillsReported(stamp=at(seconds), account=intent.account, fills=(fill,), source=told_by)
