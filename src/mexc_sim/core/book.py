"""A price-time order book with matching. Prices in ticks, quantities in steps, both whole numbers.

The crowd's orders come from the actors (owner None); private orders of a signed client plug in as owned ones.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class RestingOrder:
    """One order in the book."""

    id: int
    is_bid: bool
    price: int
    remaining: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One execution against a resting order."""

    maker: RestingOrder
    price: int
    quantity: int


class Book:
    """Two sides of resting orders. ``version`` grows by one with every change of a level."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.changed: dict[tuple[bool, int], None] = {}
        """Levels (is_bid, price) changed since someone last emptied it."""
        self._bid_prices: list[int] = []  # ascending negated prices: best first
        self._ask_prices: list[int] = []  # ascending: best first
        self._levels: dict[tuple[bool, int], deque[RestingOrder]] = {}
        self._orders: dict[int, RestingOrder] = {}
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._orders)

    def place(self, *, is_bid: bool, price: int, quantity: int, owner: str | None = None) -> RestingOrder:
        """Rest an order without matching; the caller has made sure that it does not cross."""
        order = RestingOrder(self._next_id, is_bid, price, quantity, owner)
        self._next_id += 1
        level = self._levels.get((is_bid, price))
        if level is None:
            level = self._levels[is_bid, price] = deque()
            insort(self._bid_prices if is_bid else self._ask_prices, -price if is_bid else price)
        level.append(order)
        self._orders[order.id] = order
        self._touch(is_bid, price)
        return order

    def cancel(self, order_id: int) -> RestingOrder | None:
        """Take an order out; None when it is not there any more."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        level = self._levels[order.is_bid, order.price]
        level.remove(order)
        self._drop_if_empty(order.is_bid, order.price, level)
        self._touch(order.is_bid, order.price)
        return order

    def take(self, *, is_buy: bool, quantity: int, limit: int | None = None) -> list[Match]:
        """Match a taker against the other side, best price first, oldest first, not beyond ``limit``."""
        matches: list[Match] = []
        while quantity > 0:
            price = self.best(is_bid=not is_buy)
            if price is None or (limit is not None and (price > limit if is_buy else price < limit)):
                break
            level = self._levels[not is_buy, price]
            maker = level[0]
            amount = min(quantity, maker.remaining)
            maker.remaining -= amount
            quantity -= amount
            matches.append(Match(maker, price, amount))
            if maker.remaining == 0:
                level.popleft()
                del self._orders[maker.id]
                self._drop_if_empty(not is_buy, price, level)
            self._touch(not is_buy, price)
        return matches

    def best(self, *, is_bid: bool) -> int | None:
        """Best price of a side, None when it is empty."""
        if is_bid:
            return -self._bid_prices[0] if self._bid_prices else None
        return self._ask_prices[0] if self._ask_prices else None

    def worst_order(self, *, is_bid: bool) -> RestingOrder | None:
        """The crowd's last order in line of a side; None when it has none there."""
        for signed in reversed(self._bid_prices if is_bid else self._ask_prices):
            for order in reversed(self._levels[is_bid, -signed if is_bid else signed]):
                if order.owner is None:
                    return order
        return None

    def prices_beyond(self, *, is_bid: bool, price: int) -> list[int]:
        """Prices better for a taker than ``price``, best first: bids above it, asks below it."""
        prices = self._bid_prices if is_bid else self._ask_prices
        return [-p if is_bid else p for p in prices[: bisect_left(prices, -price if is_bid else price)]]

    def available(self, *, is_buy: bool, limit: int | None) -> int:
        """Steps a taker could get not beyond ``limit``."""
        prices = self._ask_prices if is_buy else self._bid_prices
        total = 0
        for signed in prices:
            price = signed if is_buy else -signed
            if limit is not None and (price > limit if is_buy else price < limit):
                break
            total += self.quantity_at(is_bid=not is_buy, price=price)
        return total

    def affordable(self, *, amount: int, limit: int | None) -> int:
        """Steps a buyer gets for ``amount`` (ticks x steps) from the asks, not beyond ``limit``."""
        steps = 0
        for price in self._ask_prices:
            if limit is not None and price > limit:
                break
            here = min(self.quantity_at(is_bid=False, price=price), amount // price)
            steps += here
            amount -= here * price
            if amount < price:
                break
        return steps

    def orders_at(self, *, is_bid: bool, price: int) -> list[RestingOrder]:
        """Orders resting at a price, oldest first."""
        return list(self._levels.get((is_bid, price), ()))

    def quantity_at(self, *, is_bid: bool, price: int) -> int:
        """Steps resting at a price."""
        return sum(order.remaining for order in self._levels.get((is_bid, price), ()))

    def levels(self, *, is_bid: bool, limit: int) -> list[tuple[int, int]]:
        """(price, quantity) of the best ``limit`` levels of a side."""
        prices = self._bid_prices if is_bid else self._ask_prices
        signed = (-price if is_bid else price for price in prices[:limit])
        return [(price, self.quantity_at(is_bid=is_bid, price=price)) for price in signed]

    def depth_of(self, *, is_bid: bool) -> int:
        """How many levels a side has."""
        return len(self._bid_prices if is_bid else self._ask_prices)

    def clear(self) -> None:
        """Take every order of the crowd out (a halt); private ones stay until their owner or the venue acts."""
        for order in list(self._orders.values()):
            if order.owner is None:
                self.cancel(order.id)

    def _drop_if_empty(self, is_bid: bool, price: int, level: deque[RestingOrder]) -> None:
        if level:
            return
        del self._levels[is_bid, price]
        prices, key = (self._bid_prices, -price) if is_bid else (self._ask_prices, price)
        del prices[bisect_left(prices, key)]

    def touch(self, order: RestingOrder) -> None:
        """An order's remaining quantity was changed from outside."""
        self._touch(order.is_bid, order.price)

    def _touch(self, is_bid: bool, price: int) -> None:
        self.version += 1
        self.changed[is_bid, price] = None
