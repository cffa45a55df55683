"""The venue's side of ``panic``: the same order gateway as the engine's, driven by hand and by nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from mexc_sniper.app.settings import Settings
from mexc_sniper.app.venue_by_hand import EPOCH, VenueByHand
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError, VenueError
from mexc_sniper.core.ids import ClientOrderId, client_order_id, intent_id, is_ours
from mexc_sniper.core.values import Asset, Quantity, Symbol, text_from_decimal
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import LookUpKind, OrderLookedUp, OrderReported, VenueOrder, VenueSwept
from mexc_sniper.model.instrument import Instrument
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.market import Side, Stamp
from mexc_sniper.model.order import TERMINAL, Approved, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.policy.risk import approve_reduction
from mexc_sniper.policy.sizing import sellable
from mexc_sniper.venues.mexc.signing import Credentials

if TYPE_CHECKING:
    from mexc_sniper.app.panic import PanicReport

RECORD_FILE = "panic.jsonl"
CONNECT_S = 10.0
ROUNDS = 5
ROUND_S = 1.0
SWEEP_S = 20.0
END_S = 30.0


@dataclass(frozen=True, slots=True)
class Sale:
    """What can be sold of one coin."""

    instrument: Instrument
    quantity: Quantity

    @property
    def base(self) -> Asset:
        return self.instrument.base


class PanicVenue(VenueByHand):
    """What panic does at the venue; everything it could not do goes into the report."""

    def __init__(self, settings: Settings, credentials: Credentials, tell: Callable[[str], None]) -> None:
        super().__init__(settings, credentials, RECORD_FILE)
        self._address = settings.venue.rest_url
        self._tell = tell

    async def connected(self) -> bool:
        """Learn the venue's clock and wait for a connection orders can leave by."""
        self._tell(f"Connecting to {self._address} ...")
        try:
            await self.learn_time()
        except VenueError as error:
            self._tell(str(error))
            return False
        self.listen()
        return await self.until(lambda: self.gateway.idle_connections > 0, CONNECT_S)

    async def cancel_ours(self, symbols: Sequence[Symbol], report: "PanicReport") -> None:
        """Cancel every open order with our name on it, and look until none is left."""
        left: dict[str, VenueOrder] = {}
        for number in range(ROUNDS):
            swept = await self._swept(symbols)
            if swept.failed:
                report.problems.append(f"The open orders could not be read ({swept.failed}); look at MEXC itself.")
                return
            report.reached_venue = True
            report.foreign_orders = sum(not is_ours(order.client_order_id) for order in swept.open_orders)
            still = {order.client_order_id: order for order in swept.open_orders if is_ours(order.client_order_id)}
            report.canceled += [name for name in left if name not in still]
            left = still
            if not left:
                return
            self._tell(f"{len(left)} of our orders are open; canceling, round {number + 1} ...")
            for order in left.values():
                self.gateway.cancel(_as_ours(order))
            await self.clock.sleep(ROUND_S)
        names = ", ".join(f"{order.symbol} {name}" for name, order in left.items())
        report.problems.append(f"Still open after {ROUNDS} cancels: {names}.")

    async def sales(self, wanted: Mapping[Symbol, Quantity | None], report: "PanicReport") -> list[Sale]:
        """Return what of these coins can be sold; None wants all of it."""
        if not wanted:
            return []
        swept = await self._swept(())
        if swept.failed:
            report.problems.append(f"The balances could not be read ({swept.failed}); nothing was sold.")
            return []
        free = {balance.asset: balance.free for balance in swept.balances}
        found = []
        for symbol, quantity in wanted.items():
            rules = await self._rules(symbol, report)
            if rules is None:
                continue
            there = free.get(rules.base, Decimal(0))
            able = sellable(rules, there if quantity is None else min(quantity, there))
            if able <= 0 or able < rules.min_quantity:
                report.problems.append(f"{symbol}: {there} {rules.base} are free, too little to sell.")
            else:
                found.append(Sale(rules, able))
        return found

    async def sell(self, sale: Sale, report: "PanicReport") -> None:
        """Sell at market, once; an outcome that is not known is told, never tried again."""
        intent = self._intent(sale)
        approved = approve_reduction(intent, Gate(generation=0))
        if not isinstance(approved, Approved):
            report.problems.append(f"{intent.symbol}: not sold ({approved.reason}).")
            return
        try:
            self.record(intent)
        except StoreError as error:  # a disk that refuses stops no panic, but is told
            self._tell(f"{error}; note down {intent.client_order_id}.")
        self._tell(f"Selling {text_from_decimal(sale.quantity)} {sale.base} ...")
        self.gateway.submit(approved)
        status, text, filled = await self._end(intent)
        if filled > 0:
            report.sold.append(
                {"symbol": intent.symbol, "quantity": text_from_decimal(filled), "order": intent.client_order_id}
            )
        if status is None:
            report.problems.append(
                f"What became of the sale of {sale.base} ({intent.client_order_id}) is not known: look at MEXC first."
            )
        elif status is not OrderStatus.FILLED:
            report.problems.append(f"{intent.symbol}: the sale ended as {status}. {text}".rstrip())

    async def _end(self, intent: OrderIntent) -> tuple[OrderStatus | None, str, Decimal]:
        """Ask until the order has ended; None when that is not known in time."""
        order = Order(intent=intent, status=OrderStatus.SUBMITTED, created_ns=self.clock.wall_ns())
        give_up = self.clock.mono_ns() + round(END_S * NS_PER_S)
        filled = Decimal(0)
        while True:
            for event in self.events:
                found = event.report if isinstance(event, OrderReported) else None
                if isinstance(event, OrderLookedUp):
                    found = event.found
                if found is None or found.client_order_id != intent.client_order_id:
                    continue
                filled = max(filled, found.filled_quantity or Decimal(0))
                if found.status in TERMINAL and not (found.status is OrderStatus.FILLED and filled <= 0):
                    return found.status, found.text, filled
            if self.clock.mono_ns() >= give_up:
                return None, "", filled
            self.gateway.look_up(order, LookUpKind.ORDER)
            await self.clock.sleep(0.5)

    async def _swept(self, symbols: Sequence[Symbol]) -> VenueSwept:
        asked = len(self.events)

        def answer() -> VenueSwept | None:
            return next((event for event in self.events[asked:] if isinstance(event, VenueSwept)), None)

        self.gateway.sweep(symbols)
        await self.until(lambda: answer() is not None, SWEEP_S)
        return answer() or VenueSwept(
            stamp=Stamp(None, self.clock.wall_ns(), self.clock.mono_ns()),
            account=Account.LIVE,
            open_orders=(),
            recent_orders=(),
            balances=(),
            asked_ns=self.clock.wall_ns(),
            failed=f"no answer within {SWEEP_S:.0f} s",
        )

    async def _rules(self, symbol: Symbol, report: "PanicReport") -> Instrument | None:
        try:
            found = await self.rules(symbol)
        except VenueError as error:
            report.problems.append(f"{symbol}: its rules could not be read ({error}); sell it at MEXC itself.")
            return None
        if found is None:
            report.problems.append(f"{symbol} is not known at the venue.")
        return found

    def _intent(self, sale: Sale) -> OrderIntent:
        name = intent_id(f"panic:{self.clock.wall_ns()}:{sale.instrument.symbol}", 0)
        return OrderIntent(
            id=name,
            client_order_id=client_order_id(Account.LIVE.value, EPOCH, name, 0, 0),
            account=Account.LIVE,
            symbol=sale.instrument.symbol,
            base=sale.base,
            quote=sale.instrument.quote,
            side=Side.SELL,
            role=OrderRole.FLATTEN,
            type=OrderType.MARKET,
            quantity=sale.quantity,
            decided_ns=self.clock.wall_ns(),
        )


def _as_ours(order: VenueOrder) -> Order:
    """What the gateway needs to cancel an order the venue lists."""
    name = ClientOrderId(order.client_order_id)
    intent = OrderIntent(
        id=intent_id(name, 0),
        client_order_id=name,
        account=Account.LIVE,
        symbol=order.symbol,
        base=Asset(""),
        quote=Asset(""),
        side=Side.SELL if order.side.lower() == "sell" else Side.BUY,
        role=OrderRole.FLATTEN,
        type=OrderType.LIMIT,
        quantity=order.quantity,
        price=order.price,
    )
    return Order(intent=intent, status=OrderStatus.ACCEPTED, venue_order_id=order.report.venue_order_id)
