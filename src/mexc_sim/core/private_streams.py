"""Tells the private channels what happens to orders and balances."""

from collections.abc import Callable

from mexc_sim.core.orders import Fill, Order
from mexc_sim.core.private_frames import ACCOUNT, DEALS, ORDERS, account_frame, deal_frame, order_frame
from mexc_sim.core.timers import NS_PER_MS
from mexc_sim.core.wallet import Movement
from mexc_sim.core.world import World


class PrivateStreams:
    """Pushes to every socket with a living listen key; the order push comes before the deal push (REFERENCE 2.4)."""

    def __init__(self, world: World, push: Callable[[str, bytes], None]) -> None:
        self._world = world
        self._push = push

    def order_changed(self, order: Order, fill: Fill | None) -> None:
        self._push(ORDERS, order_frame(order, fill, self._world.now_ms))

    def order_filled(self, order: Order, fill: Fill) -> None:
        delay_ns = int(self._world.rules.deal_push_delay_ms * NS_PER_MS)

        def send(_due_ns: int) -> None:
            self._push(DEALS, deal_frame(order, fill, self._world.now_ms))

        self._world.timers.after(delay_ns, send)

    def wallet_moved(self, movement: Movement) -> None:
        self._push(ACCOUNT, account_frame(movement, self._world.now_ms))
