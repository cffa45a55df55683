"""The crowd: makers and takers that make a market look alive.

`OpeningCrowd` plays the first minutes of a listing as FIELD 4.3 describes them: an empty book, asks only, a spike
of impatient buyers, mean reversion, optionally a halt. `CalmCrowd` keeps an old pair moving while someone looks.
All figures here are modelled; nothing of it is evidence about the real exchange.
"""

from dataclasses import dataclass
from math import exp

from mexc_sim.core.market import Market
from mexc_sim.core.numbers import units_of
from mexc_sim.core.timers import NS_PER_S, Timer, Timers
from mexc_sim.core.venue_time import VenueTime

_MAX_LEVELS = 40
_QUOTE_VALUE = {"BTC": 65_000.0, "ETH": 3_200.0}


@dataclass(frozen=True, slots=True)
class OpeningShape:
    """How a listing's first minutes go; prices relative to the opening price, times in seconds."""

    peak: float = 2.4
    peak_after_s: float = 18.0
    settle: float = 1.15
    revert_s: float = 70.0
    first_rate: float = 14.0
    """Actions a second at the opening; decays to ``calm_rate``."""
    calm_rate: float = 1.5

    def fair(self, seconds: float) -> float:
        """Fair price relative to the opening, without noise."""
        if seconds <= 0:
            return 1.0
        if seconds < self.peak_after_s:
            return 1.0 + (self.peak - 1.0) * (1 - exp(-3 * seconds / self.peak_after_s)) / (1 - exp(-3))
        return self.settle + (self.peak - self.settle) * exp(-(seconds - self.peak_after_s) / self.revert_s)


class Crowd:
    """Shared manners of both crowds: quoting around a fair price and taking from the book."""

    def __init__(self, market: Market, timers: Timers, time: VenueTime) -> None:
        self.market = market
        self._timers = timers
        self._time = time
        self._random = market.random
        self._noise = 0.0
        self._timer: Timer | None = None
        self._alive = True

    def stop(self) -> None:
        """Leave; resting orders stay."""
        self._alive = False
        if self._timer is not None:
            self._timer.cancel()

    def _next(self, due_ns: int, rate: float) -> None:
        if self._alive:
            pause_s = min(5.0, self._random.expovariate(rate))
            self._timer = self._timers.again(due_ns, int(pause_s * NS_PER_S) + 1, self._step)

    def _step(self, due_ns: int) -> None:
        raise NotImplementedError

    def _wander(self, sigma: float) -> float:
        self._noise = 0.92 * self._noise + self._random.gauss(0.0, sigma)
        return 1.0 + max(-0.3, min(0.3, self._noise))

    def _quote(self, fair: float, spread: float, *, sides: tuple[bool, ...] = (True, False)) -> None:
        """Drop orders on the wrong side of fair and add a few behind it; ``sides`` are is_bid flags."""
        market, book = self.market, self.market.book
        scale = market.instrument.price_scale
        for is_bid in sides:
            target = units_of(fair * (1 - spread / 2 if is_bid else 1 + spread / 2), scale)
            for price in book.prices_beyond(is_bid=is_bid, price=target):
                self._cancel_level(is_bid, price)
            self._hit_private_orders(is_bid, units_of(fair, scale))
            for _ in range(1 if book.depth_of(is_bid=is_bid) > 12 else 4):
                away = self._random.expovariate(1.0) * spread * fair
                price = units_of(fair * (1 - spread / 2) - away if is_bid else fair * (1 + spread / 2) + away, scale)
                other = book.best(is_bid=not is_bid)
                if other is not None and (price >= other if is_bid else price <= other):
                    continue
                book.place(is_bid=is_bid, price=price, quantity=self._size(fair, 60.0))
            while book.depth_of(is_bid=is_bid) > _MAX_LEVELS:
                worst = book.worst_order(is_bid=is_bid)
                if worst is None:
                    break
                book.cancel(worst.id)

    def _cancel_level(self, is_bid: bool, price: int) -> None:
        book = self.market.book
        for order in book.orders_at(is_bid=is_bid, price=price):
            if order.owner is None:
                book.cancel(order.id)

    def _hit_private_orders(self, is_bid: bool, fair: int) -> None:
        """The crowd trades against private orders that the market has moved through."""
        book = self.market.book
        for price in book.prices_beyond(is_bid=is_bid, price=fair):
            quantity = sum(order.remaining for order in book.orders_at(is_bid=is_bid, price=price) if order.owner)
            if quantity:
                now_ms = self._time.ms(self._timers.now_ns)
                self.market.take(is_buy=not is_bid, quantity=quantity, limit=price, now_ms=now_ms)

    def _take(self, fair: float, *, is_buy: bool, usdt: float) -> None:
        self.market.take(is_buy=is_buy, quantity=self._size(fair, usdt), now_ms=self._time.ms(self._timers.now_ns))

    def _size(self, fair: float, usdt: float) -> int:
        value = fair * _QUOTE_VALUE.get(self.market.instrument.quote, 1.0)
        drawn = usdt * min(12.0, self._random.lognormvariate(0.0, 0.9))
        return units_of(drawn / value, self.market.instrument.quantity_scale)


class CalmCrowd(Crowd):
    """Keeps an old pair moving around its reference price."""

    def __init__(self, market: Market, timers: Timers, time: VenueTime) -> None:
        super().__init__(market, timers, time)
        last = (
            market.last
            if market.last is not None
            else units_of(market.instrument.reference_price, market.instrument.price_scale)
        )
        self._mid = last / 10**market.instrument.price_scale

    def start(self) -> None:
        """Fill the book and begin to act."""
        for _ in range(5):
            self._quote(self._mid, 0.002)
        self._next(self._timers.now_ns, 2.0)

    def fill_once(self) -> None:
        """Fill the book without starting to act (someone asked for the depth of a sleeping pair)."""
        for _ in range(5):
            self._quote(self._mid, 0.002)
        self.market.publish_book()

    def _step(self, due_ns: int) -> None:
        fair = self._mid * self._wander(0.0004)
        self._quote(fair, 0.002)
        if self._random.random() < 0.6:
            self._take(fair, is_buy=self._random.random() < 0.5, usdt=40.0)
        self.market.publish_book()
        self._next(due_ns, 2.0)


class OpeningCrowd(Crowd):
    """Plays one listing's opening; the life cycle calls its turning points."""

    def __init__(self, market: Market, timers: Timers, time: VenueTime, shape: OpeningShape) -> None:
        super().__init__(market, timers, time)
        self._shape = shape
        self._open = market.instrument.reference_price
        self._traded_from_ns: int | None = None
        self._halted = False

    def begin_quotes(self, _due_ns: int) -> None:
        """First quote: a ladder of asks, no bid."""
        if self.market.quoting:
            return
        self.market.quoting = True
        self._quote(self._open, 0.10, sides=(False,))
        self.market.publish_book()
        self._next(self._timers.now_ns, 3.0)

    def begin_trades(self, due_ns: int) -> None:
        """First trade, exactly now."""
        if self._traded_from_ns is not None:
            return
        self.begin_quotes(due_ns)
        self._traded_from_ns = self._timers.now_ns
        self.market.trading = True
        self._take(self._open, is_buy=True, usdt=80.0)
        self._quote(self._open, 0.08)
        self.market.publish_book()

    def halt(self, _due_ns: int) -> None:
        """The venue suspends trading: the book empties, nothing moves."""
        self._halted = True
        self.market.status = "2"
        self.market.book.clear()
        self.market.publish_book()

    def resume(self, _due_ns: int) -> None:
        """Trading goes on after a halt."""
        self._halted = False
        self.market.status = "1"

    def _step(self, due_ns: int) -> None:
        rate = 3.0
        if not self._halted:
            rate = self._act()
        self._next(due_ns, rate)

    def _act(self) -> float:
        shape = self._shape
        if self._traded_from_ns is None:
            self._quote(self._open * self._wander(0.01), 0.10, sides=(False,))
            self.market.publish_book()
            return 3.0
        seconds = (self._timers.now_ns - self._traded_from_ns) / NS_PER_S
        heat = exp(-seconds / 25.0)
        fair = self._open * shape.fair(seconds) * self._wander(0.002 + 0.01 * heat)
        self._quote(fair, 0.004 + 0.08 * exp(-seconds / 8.0))
        if self._random.random() < 0.45 + 0.4 * heat:
            rising = seconds < shape.peak_after_s
            self._take(fair, is_buy=self._random.random() < (0.82 if rising else 0.43), usdt=30.0 + 90.0 * heat)
        self.market.publish_book()
        # After the first minutes most listings fall asleep; a demo of hours must not grow busier with every one.
        return 0.3 + shape.calm_rate * exp(-seconds / 300.0) + shape.first_rate * heat
