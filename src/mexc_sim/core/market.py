"""One pair as the exchange knows it: what is visible where, its book, its trades, its figures."""

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Protocol

from mexc_sim.core.book import Book, Match
from mexc_sim.core.candles import Candles, History
from mexc_sim.core.instrument import Instrument
from mexc_sim.core.numbers import text_of, units_of

_KEPT_TRADES = 1_000


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade in ticks and steps; times in ms of the exchange's clock."""

    number: int
    price: int
    quantity: int
    taker_buys: bool
    time_ms: int


class MarketListener(Protocol):
    """Who wants to know what happened in a market (the streams)."""

    def book_changed(self, market: "Market") -> None: ...

    def traded(self, market: "Market", trade: Trade) -> None: ...


class OrderDesk(Protocol):
    """Whose private orders rest in books."""

    def maker_filled(self, market: "Market", match: Match, trade: Trade) -> None: ...

    def market_closed(self, market: "Market") -> None: ...


@dataclass(slots=True)
class Day:
    """The last day's figures in ticks and steps; ``turnover`` in ticks x steps."""

    open: int
    high: int
    low: int
    volume: int = 0
    turnover: int = 0


class Market:
    """One pair. Visibility flags are set by life cycles, figures by the actors."""

    def __init__(self, instrument: Instrument, *, seed: int, history: History | None) -> None:
        self.instrument = instrument
        self.random = Random(f"market:{seed}:{instrument.symbol}")
        self.in_exchange_info = False
        self.in_default_symbols = False
        self.in_web_symbols = False
        self.spot_allowed = False
        self.orders_open = False
        """Whether the API takes orders (the last gate)."""
        self.status = "1"
        self.web_open_ms: int | None = instrument.first_open_ms
        self.quoting = False
        self.trading = False
        self.sleeps = False
        """An old pair without a crowd of its own: it wakes when someone looks."""
        self.last: int | None = None
        self.trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self.candles = Candles(instrument.price_scale, instrument.quantity_scale, history)
        self.book = Book(version=10_000_000 + self.random.randrange(900_000_000))
        self.day: Day | None = None
        self.trade_count = 0
        """Trades made inside the simulator; tells the mini tickers whether figures moved."""
        self.opened_ms: int | None = None
        self.listener: MarketListener | None = None
        self.desk: OrderDesk | None = None
        self._trade_number = 700_000_000_000_000_000 + self.random.randrange(10**16)
        if history is not None:
            self._settle_figures(history)

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def is_old(self) -> bool:
        """Whether it traded before the simulator started."""
        return self.candles.history is not None

    def price_text(self, ticks: int, *, padded: bool = False) -> str:
        """Write a price as the wire does."""
        return text_of(ticks, self.instrument.price_scale, padded=padded)

    def quantity_text(self, steps: int, *, padded: bool = False) -> str:
        """Write a quantity as the wire does."""
        return text_of(steps, self.instrument.quantity_scale, padded=padded)

    def turnover_text(self, turnover: int) -> str:
        """Write ticks x steps as the wire does."""
        return text_of(turnover, self.instrument.price_scale + self.instrument.quantity_scale)

    def top(self, *, is_bid: bool) -> tuple[int, int] | None:
        """(price, quantity) of the best level; a pair nobody has looked at yet gets its modelled top."""
        price = self.book.best(is_bid=is_bid)
        if price is not None:
            return price, self.book.quantity_at(is_bid=is_bid, price=price)
        if len(self.book) or not (self.quoting and self.sleeps) or self.last is None:
            return None
        return (max(1, self.last - 1) if is_bid else self.last + 1), units_of(500.0, 2)

    def publish_book(self) -> None:
        """Tell the streams that the book moved; called once after a group of changes."""
        if self.listener is not None:
            self.listener.book_changed(self)
        else:
            self.book.changed.clear()

    def take(self, *, is_buy: bool, quantity: int, now_ms: int, limit: int | None = None) -> int:
        """Let the crowd take liquidity; returns the steps executed. Each price level is one public trade."""
        return sum(
            match.quantity for match in self.execute(is_buy=is_buy, quantity=quantity, now_ms=now_ms, limit=limit)
        )

    def execute(self, *, is_buy: bool, quantity: int, now_ms: int, limit: int | None = None) -> list[Match]:
        """Match a taker, tell the public and the owners of the makers; returns the matches."""
        matches = self.book.take(is_buy=is_buy, quantity=quantity, limit=limit)
        for match in matches:
            trade = Trade(self._trade_number, match.price, match.quantity, is_buy, now_ms)
            self._record(trade)
            if match.maker.owner is not None and self.desk is not None:
                self.desk.maker_filled(self, match, trade)
        return matches

    def print_trade(self, *, price: int, quantity: int, is_buy: bool, now_ms: int) -> None:
        """A public trade between two of the crowd that never stood in the book."""
        self._record(Trade(self._trade_number, price, quantity, is_buy, now_ms))

    def _record(self, trade: Trade) -> None:
        self._trade_number += 1
        self.last = trade.price
        self.trade_count += 1
        if self.opened_ms is None:
            self.opened_ms = trade.time_ms
        self.trades.append(trade)
        self.candles.add_trade(trade.price, trade.quantity, trade.time_ms)
        if self.day is None:
            self.day = Day(trade.price, trade.price, trade.price)
        self.day.high = max(self.day.high, trade.price)
        self.day.low = min(self.day.low, trade.price)
        self.day.volume += trade.quantity
        self.day.turnover += trade.price * trade.quantity
        if self.listener is not None:
            self.listener.traded(self, trade)

    def _settle_figures(self, history: History) -> None:
        """Give an old pair a last price and a plausible day, without building a book for 2,000 pairs."""
        scale = self.instrument.price_scale
        _, _, candle = self.candles.window("1d", history.last_ms - 1)
        self.last = units_of(history.mid, scale)
        if candle is None:  # pragma: no cover - history always covers its own last day
            return
        self.day = Day(
            open=candle.open,
            high=max(candle.high, self.last),
            low=min(candle.low, self.last),
            volume=candle.volume,
            turnover=candle.volume * self.last,
        )
        self.opened_ms = history.first_ms
