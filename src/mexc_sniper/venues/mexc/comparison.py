"""All the answers that one comparison with the venue is put together from."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import InDoubt, NotSent, RateLimited, ThrottleTimeout
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Balance
from mexc_sniper.model.events import VenueOrder
from mexc_sniper.model.order import Order
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.order_queries import OrderQueries

PATIENCE_S = 20.0
"""How long the parts of a comparison wait for room, all together: two windows of the venue's weight (REFERENCE 1.3)."""
TRIES = 3
TRY_AGAIN_S = 0.5

P = ParamSpec("P")
T = TypeVar("T")


class Compared(NamedTuple):
    """What the venue said; ``recent_orders`` holds also those that were asked for one by one."""

    open_orders: tuple[VenueOrder, ...]
    recent_orders: tuple[VenueOrder, ...]
    balances: tuple[Balance, ...]


class Comparison:
    """One pass over everything. A part that fails is asked for again by itself: what was read is paid for."""

    def __init__(self, queries: OrderQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._until_ns = clock.mono_ns() + int(PATIENCE_S * NS_PER_S)

    async def read(self, symbols: Sequence[Symbol], orders: Sequence[Order]) -> Compared:
        """Read open orders, the last day's orders of ``symbols``, ``orders`` that were not among them, and balances.

        Raises:
            VenueError: a part could not be read, and there is no whole without it.
        """
        open_orders = await self._patiently(self._queries.open_orders, symbols)
        recent: list[VenueOrder] = []
        for symbol in symbols:
            recent += await self._patiently(self._queries.recent_orders, symbol)
        listed = {row.client_order_id for row in (*open_orders, *recent)}
        for order in orders:
            if order.intent.client_order_id in listed:
                continue
            name, venue_id = order.intent.client_order_id, order.venue_order_id
            row = await self._patiently(self._queries.one, order.intent.symbol, name, venue_id)
            if row is not None:
                recent.append(row)
        # Last, for balances older than the orders would say that coins are missing.
        balances = await self._patiently(self._queries.balances)
        return Compared(open_orders, tuple(recent), balances)

    async def _patiently(self, ask: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        tries = 0
        while True:
            try:
                return await ask(*args, **kwargs)
            except (RateLimited, ThrottleTimeout) as error:
                wait_s = error.retry_after_s or TRY_AGAIN_S  # no room is said at once
                if error.http_status == 418:
                    raise  # a ban concerns orders too: who asked must hear of it now
                if self._clock.mono_ns() + int(wait_s * NS_PER_S) >= self._until_ns:
                    raise
            except (InDoubt, NotSent):
                tries += 1
                wait_s = TRY_AGAIN_S
                if tries == TRIES or self._clock.mono_ns() >= self._until_ns:
                    raise
            await self._clock.sleep(wait_s)
