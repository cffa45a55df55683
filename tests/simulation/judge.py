"""The invariants of RELIABILITY 3.1. What was sent and held is judged by the venue's own record."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from mexc_sim.core.orders import Order as VenueOrder
from mexc_sim.core.orders import as_amount, as_quantity
from mexc_sniper.core.ids import ClientOrderId, PositionId
from mexc_sniper.journal.grants import Grant
from mexc_sniper.journal.record import Kind, decode
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.entries import (
    ConfigChanged,
    DecisionMade,
    FillRecorded,
    LedgerEntry,
    ListingChanged,
    OrderChanged,
    TradeChanged,
)
from mexc_sniper.model.events import Event, FillsReported, OrderLookedUp, OrderReported, VenueSwept
from mexc_sniper.model.listing import Outcome
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import TERMINAL, TRANSITIONS, WITHOUT_TRACE, Fill, Order, OrderIntent, OrderStatus
from mexc_sniper.model.trading import AttentionKind, TradeStatus

if TYPE_CHECKING:
    from tests.simulation.world import Life, World

ZERO = Decimal(0)
S = OrderStatus
FENCE_S = 5.5
"""recvWindow and half a second: a request posted before that can be accepted no more."""
SETTLE_S = 15.0
DUST = Decimal("3.5")
"""Quote value of a rest that no order could sell, a tenth of the largest entry: its position is closed."""
_ON_ORDERS = (OrderReported, FillsReported, OrderLookedUp, VenueSwept)


class Judge:
    """Watches what leaves, what the venue takes, what the engine says and what it writes down."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.posts: dict[str, dict[str, str]] = {}
        """Every order request that left, by client order id."""
        self.intents: dict[str, OrderIntent] = {}
        self.entries = 0
        self.late_fills = 0
        self._posted_s: dict[str, float] = {}
        self._on_the_way: dict[str, float] = {}
        """Requests the venue may still take, and until when."""
        self._accepted: dict[str, str] = {}
        """Intent id → client order id of the order the venue took."""
        self._ended_s: dict[str, float] = {}
        self._configs: dict[int, Decimal] = {}
        self._spends: dict[int, Decimal] = {}
        self._swept = False
        self._latched = False
        self._status: dict[str, OrderStatus] = {}
        self._filled: dict[str, Decimal] = {}
        self._fills: dict[str, dict[str, Fill]] = {}

    # ------------------------------------------------------------------ lives

    def life_begins(self, life: "Life") -> None:
        """Begin with what the new process knows."""
        self._swept = False
        self._fills = {}
        for fill in life.restored.fills:
            self._fills.setdefault(fill.client_order_id, {})[fill.trade_id] = fill
        self._status = {}
        for order in life.restored.orders:  # what was leaving may have left: only the venue can tell (DESIGN 4.1)
            leaving = order.status in (S.INTENDED, S.SUBMITTED) and order.intent.account is Account.LIVE
            self._status[order.intent.client_order_id] = S.IN_DOUBT if leaving else order.status
        self._filled = {order.intent.client_order_id: order.filled_quantity for order in life.restored.orders}
        config = life.restored.config
        if config is not None:
            self._note_config(config.version, config.config.max_position_usdt, config.config.max_daily_spend_usdt)

    def killed(self, action: str) -> None:
        """The kill switch was set."""
        self._latched = True

    def _note_config(self, version: int, position: Decimal, spend: Decimal) -> None:
        self._configs[version] = position
        self._spends[version] = spend

    # ------------------------------------------------------------------ what leaves

    def intended(self, intent: OrderIntent) -> None:
        """The journal has taken an intent."""
        self.intents[intent.client_order_id] = intent

    def sent(self, parameters: dict[str, str], mono_ns: int) -> None:
        """An order's bytes leave now; everything that must be so before is asked here (I1, I3, I4, I5, I7, I8)."""
        world = self._world
        name = parameters.get("newClientOrderId", "")
        world.tell(f"POST {parameters.get('side')} {name} {parameters.get('symbol')}")
        if name in self.posts:
            world.fail(f"I1 {name} was posted twice")
            return
        self.posts[name] = parameters
        self._posted_s[name] = world.loop.now
        intent = self.intents.get(name)
        if intent is None or not self._is_journaled(name):
            world.fail(f"I3 {name} left before its intent was in the journal")
            return
        if not self._is_covered(name):
            world.fail(f"I3 {name} is neither fsynced nor covered by a fsynced grant")
        if parameters["side"] == "BUY":
            self.entries += 1
            self._check_permission(name)
            self._check_exposure(name, intent)
            self._check_attempts(name, intent)
        else:
            self._check_exit(name, intent)

    def in_flight(self, target: str, *, lost: bool) -> None:
        """An order request is on its way to the venue, or lost on it."""
        name = dict(parse_qsl(target.partition("?")[2])).get("newClientOrderId", "")
        self._on_the_way[name] = self._world.loop.now + FENCE_S

    def arrived(self, target: str) -> None:
        """The venue has dealt with an order request."""
        world = self._world
        name = dict(parse_qsl(target.partition("?")[2])).get("newClientOrderId", "")
        orders = self._at_venue(name)
        self._on_the_way.pop(name, None)
        if not orders:
            world.tell(f"venue refused {name}")
            return
        if len(orders) > 1:
            world.fail(f"I1 the venue has {len(orders)} orders {name}")
        order = orders[0]
        world.tell(f"venue took {name}: {order.status} {order.executed}/{order.quantity}")
        self._taken(name, order)

    def _taken(self, name: str, order: VenueOrder) -> None:
        intent = self.intents.get(name)
        if intent is None:
            self._world.fail(f"I3 the venue took {name}, which no journal ever held")
            return
        other = self._accepted.setdefault(intent.id, name)
        if other != name:
            self._world.fail(f"I1 the venue took {other} and {name} for one intent")
        cost = as_amount(order.market, order.spent) + _fees(order, intent.quote)
        if intent.side is Side.BUY and cost > intent.worst_notional:
            self._world.fail(f"I2 {name} cost {cost}, more than the {intent.worst_notional} it was counted with")

    def _is_journaled(self, name: str) -> bool:
        wanted = name.encode()
        return any(
            wanted in record for segment in self._world.disk.segments() for record in segment.records(synced=False)
        )

    def _is_covered(self, name: str) -> bool:
        """Fsynced itself, or within what the last fsynced grant of this life allows."""
        wanted = name.encode()
        life = self._world.life
        granted, drawn = 0, 0
        buys = self.posts[name]["side"] == "BUY"
        for segment in self._world.disk.segments():
            for raw in segment.records(synced=True):
                if wanted in raw:
                    return True
                record = decode(raw)
                if record.kind is Kind.GRANT and record.epoch == life.journal.epoch:
                    grant = msgspec.msgpack.decode(record.payload, type=Grant)
                    granted = max(granted, grant.granted.entries if buys else grant.granted.exits)
        epoch = name[3:7]
        drawn = sum(other[3:7] == epoch and (self.posts[other]["side"] == "BUY") == buys for other in self.posts)
        return drawn <= granted

    def _check_permission(self, name: str) -> None:
        world = self._world
        status = world.life.engine.state.trading.status
        now_ns = world.life.clock.wall_ns()
        set_s = world.latch.set_at_s
        if set_s is not None and set_s < world.loop.now:  # in the same instant it may lie between look and write
            world.fail(f"I5 {name} left {world.loop.now - set_s:.3f} s after the kill switch was set")
        if status.latched:
            world.fail(f"I5 {name} left while the kill switch was in force")
        if not status.reconciled or not self._swept:
            world.fail(f"I7 {name} left before this life was compared with the venue")
        if status.armed_until_ns is None or now_ns >= status.armed_until_ns or status.state is not TradingState.ACTIVE:
            world.fail(f"I4 {name} left while live entries were not permitted")
        if world.life.engine.state.trading.gates:
            world.fail(f"I4 {name} left through a closed gate: {world.life.engine.state.trading.gates}")

    def _check_attempts(self, name: str, intent: OrderIntent) -> None:
        """A further attempt needs the proof that no earlier one can be taken."""
        for other, earlier in self.intents.items():
            if earlier.id == intent.id and other != name and other in self.posts:
                if self._at_venue(other):
                    self._world.fail(f"I1 {name} follows {other}, which the venue took")
                elif self._on_the_way.get(other, 0.0) > self._world.loop.now:
                    self._world.fail(f"I1 {name} follows {other}, which the venue may still take")

    # ------------------------------------------------------------------ what is at stake, by the venue's record

    def _check_exposure(self, name: str, intent: OrderIntent) -> None:
        world = self._world
        config = world.life.engine.state.config
        self._note_config(config.version, config.config.max_position_usdt, config.config.max_daily_spend_usdt)
        versions = range(intent.config_version, config.version + 1)
        cap = min(*(self._configs[v] for v in versions if v in self._configs), world.caps.max_position)
        most = min((self._spends[v] for v in versions if v in self._spends), default=ZERO)
        held, spent = ZERO, ZERO
        for order in self._ours():
            if order.ticket.is_buy:
                spent += as_amount(order.market, order.spent)
        for symbol in dict.fromkeys(order.market.symbol for order in self._ours()):
            held += self._held_cost(symbol)
        hanging = self._hanging(besides=name)
        if held + hanging + intent.worst_notional > cap:
            world.fail(
                f"I2 {name} raises exposure to {held} held + {hanging} hanging + {intent.worst_notional}, above {cap}"
            )
        if spent + intent.worst_notional > most:
            world.fail(f"I2 {name} raises the day's spending to {spent} + {intent.worst_notional}, above {most}")

    def _hanging(self, *, besides: str) -> Decimal:
        """Worst case of entries that may still be taken or have not settled, beyond what they have cost already."""
        now, total = self._world.loop.now, ZERO
        for name, intent in self.intents.items():
            if name == besides or intent.side is not Side.BUY or name not in self.posts:
                continue
            orders = self._at_venue(name)
            if orders:
                order = orders[0]
                ended_s = self._ended_s.setdefault(name, now) if order.is_final else now
                if now - ended_s < SETTLE_S - 1.0:
                    cost = as_amount(order.market, order.spent) + _fees(order, intent.quote)
                    total += max(ZERO, intent.worst_notional - cost)
            elif self._on_the_way.get(name, 0.0) > now:
                total += intent.worst_notional
        return total

    def _held_cost(self, symbol: str) -> Decimal:
        """What the coins we hold of a pair have cost, by the venue's fills of our orders."""
        bought = sold = cost = ZERO
        last = ZERO
        for order in self._ours():
            if order.market.symbol != symbol:
                continue
            quote = order.market.instrument.quote
            base_fee = _fees(order, order.market.instrument.base)
            quantity = as_quantity(order.market, order.executed)
            if order.ticket.is_buy:
                bought += quantity - base_fee
                cost += as_amount(order.market, order.spent) + _fees(order, quote)
            else:
                sold += quantity + base_fee
            market = order.market
            last = Decimal(market.price_text(market.last or 0))
        left = bought - sold
        if left <= 0 or left * last < DUST:
            return ZERO
        return cost * left / bought

    def _check_exit(self, name: str, intent: OrderIntent) -> None:
        """All exits that may still be taken together never exceed what we hold (I8)."""
        held = ZERO
        for order in self._ours():
            if order.market.symbol == intent.symbol:
                quantity, fee = as_quantity(order.market, order.executed), _fees(order, intent.base)
                held += quantity - fee if order.ticket.is_buy else -quantity - fee
        for other, earlier in self.intents.items():
            waiting = other != name and other in self.posts and earlier.side is Side.SELL
            may_come = self._on_the_way.get(other, 0.0) > self._world.loop.now
            if waiting and may_come and earlier.symbol == intent.symbol and not self._at_venue(other):
                held -= earlier.quantity or ZERO
        if (intent.quantity or ZERO) > held:
            self._world.fail(f"I8 {name} sells {intent.quantity} where {held} {intent.base} are ours to sell")

    def _ours(self) -> list[VenueOrder]:
        return [
            order
            for order in self._world.exchange.desk.orders.values()
            if (order.ticket.client_id or "") in self.posts and not order.by_hand
        ]

    def _at_venue(self, name: str) -> list[VenueOrder]:
        return [order for order in self._world.exchange.desk._by_client_id.get(name, ()) if not order.by_hand]

    def flying(self) -> bool:
        """Whether a request may still be taken."""
        now = self._world.loop.now
        return any(until > now and not self._at_venue(name) for name, until in self._on_the_way.items())

    # ------------------------------------------------------------------ what the engine says

    def handled(self, event: Event) -> None:
        """The engine has handled an event."""
        world = self._world
        if isinstance(event, _ON_ORDERS):
            world.trace(f"{type(event).__name__} {_about(event)}")
            if isinstance(event, VenueSwept) and not event.failed:
                self._swept = True

    def _check_arithmetic(self) -> None:
        """Filled quantities never fall, executions count once, positions are their fills (I8)."""
        world, trading = self._world, self._world.life.engine.state.trading
        booked: dict[PositionId, Decimal] = {}
        for name, order in trading.orders.items():
            intent = order.intent
            if intent.account is not Account.LIVE:
                continue
            if order.filled_quantity < self._filled.get(name, ZERO):
                world.fail(f"I8 the filled quantity of {name} fell to {order.filled_quantity}")
            self._filled[name] = order.filled_quantity
            fills = self._fills.get(name)
            at_venue = self._at_venue(name)
            executed = as_quantity(at_venue[0].market, at_venue[0].executed) if at_venue else ZERO
            if order.filled_quantity > executed:
                world.fail(f"I8 {name} counts {order.filled_quantity} filled, the venue {executed}")
            if fills:
                total = sum((fill.quantity for fill in fills.values()), ZERO)
                if total > executed:
                    world.fail(f"I8 the fills of {name} add up to {total}, the venue filled {executed}")
                position = intent.position_id or PositionId(f"P{intent.id}")
                sign = 1 if intent.side is Side.BUY else -1
                for fill in fills.values():
                    fee = fill.fee if fill.fee_asset == intent.base else ZERO
                    booked[position] = booked.get(position, ZERO) + sign * fill.quantity - fee
        for position_id, quantity in booked.items():
            known = trading.positions.get(position_id)
            if known is not None and known.quantity != quantity:
                world.fail(f"I8 position {position_id} holds {known.quantity}, its fills say {quantity}")

    def written(self, entries: Sequence[LedgerEntry]) -> None:
        """The engine writes something down (I8, I11, I13)."""
        world = self._world
        for entry in entries:
            if isinstance(entry, OrderChanged):
                self._check_order(entry.order)
            elif isinstance(entry, FillRecorded):
                fill = entry.fill
                if fill.account is Account.LIVE:
                    world.tell(f"fill {fill.client_order_id} {fill.trade_id[:8]} {fill.quantity}")
                known = self._fills.setdefault(fill.client_order_id, {})
                if fill.trade_id in known:
                    world.fail(f"I8 execution {fill.trade_id} of {fill.client_order_id} was counted twice")
                known[fill.trade_id] = fill
            elif isinstance(entry, ListingChanged):
                listing = entry.listing
                if (listing.outcome is Outcome.PENDING) != (listing.reason is None):
                    world.fail(f"I13 listing {listing.symbol} is {listing.outcome} with reason {listing.reason}")
            elif isinstance(entry, TradeChanged):
                trade = entry.trade
                if trade.status is TradeStatus.REJECTED and trade.reason is None:
                    world.fail(f"I13 trade {trade.id} is refused without a reason")
            elif isinstance(entry, DecisionMade):
                world.trace(f"decision {entry.decision.symbol} {entry.decision.reason}")
            elif isinstance(entry, ConfigChanged):
                config = entry.version.config
                self._note_config(entry.version.version, config.max_position_usdt, config.max_daily_spend_usdt)
        if any(isinstance(entry, (OrderChanged, FillRecorded)) for entry in entries):
            self._check_arithmetic()

    def _check_order(self, order: Order) -> None:
        world, name = self._world, order.intent.client_order_id
        before, after = self._status.get(name, S.INTENDED), order.status
        self._status[name] = after
        if before is not after:
            if order.intent.account is Account.LIVE:
                world.tell(f"order {name} {before} -> {after} {order.filled_quantity}")
            recovered = after is S.IN_DOUBT and before is S.INTENDED
            if after not in TRANSITIONS[before] and not recovered:
                world.fail(f"I11 {name} went from {before} to {after}")
        if after is S.FILLED and order.filled_quantity <= 0:
            world.fail(f"I8 {name} is filled with nothing")
        if after in WITHOUT_TRACE and order.reason is None:
            world.fail(f"I13 {name} is {after} without a reason")
        if after is S.IN_DOUBT and not order.text:
            world.fail(f"I13 {name} is in doubt and nothing says why")

    # ------------------------------------------------------------------ the end

    def differences(self) -> list[str]:
        """Where engine and venue are not equal (I6)."""
        world = self._world
        life = world.life
        status = life.status()
        if status is None:
            return ["no life is running"]
        found = [] if status.reconciled else ["not reconciled"]
        trading = life.engine.state.trading
        for order in self._ours():
            name = ClientOrderId(order.ticket.client_id or "")
            known = trading.orders.get(name)
            executed = as_quantity(order.market, order.executed)
            if known is None:
                if not any(name in item.id or name in item.text for item in trading.attention.values()):
                    found.append(f"{name} is at the venue ({order.status}) and not here")
            elif known.filled_quantity != executed or (order.is_final and known.status not in TERMINAL):
                found.append(
                    f"{name} is {known.status} {known.filled_quantity}, at the venue {order.status} {executed}"
                )
            elif sum((fill.quantity for fill in self._fills.get(name, {}).values()), ZERO) != executed:
                found.append(f"{name} has filled {executed} and not all its executions are booked")
        # While a person has not said what an order is that a power cut took from us, its coins explain no absence.
        asked_about = [one.symbol for one in trading.attention.values() if one.kind is AttentionKind.FOREIGN_ORDER]
        for name, known in trading.orders.items():
            if known.intent.account is Account.LIVE:
                if known.status is S.IN_DOUBT and known.intent.symbol in asked_about:
                    continue
                if known.status is S.IN_DOUBT or not (known.terminal or self._at_venue(name)):
                    found.append(f"{name} is {known.status}")
                elif known.status in WITHOUT_TRACE and self._at_venue(name):
                    found.append(f"{name} is {known.status} and the venue has it")
        for asset, held in world.exchange.account.wallet.all().items():
            balance = trading.balances.get((Account.LIVE, asset))
            ours = ZERO if balance is None else balance.free + balance.locked
            if ours != held.free + held.locked:
                found.append(f"{ours} {asset} here, {held.free + held.locked} at the venue")
        return found

    def at_the_end(self) -> None:
        """What must hold once all is quiet (I1, I5, I9)."""
        world = self._world
        for name in self.posts:
            for order in self._at_venue(name):
                self._taken(name, order)
        self._check_conservation()
        trading = world.life.engine.state.trading
        if world.latch.is_set and not trading.status.latched:
            world.fail("I5 the latch is set and the engine does not know it")
        if trading.status.latched:
            for order in self._ours():
                if order.ticket.is_buy and not order.is_final:
                    world.fail(f"I5 {order.ticket.client_id} is open after the kill switch")

    def _check_conservation(self) -> None:
        """What the account holds is what it began with, our fills, and what other hands did (I9)."""
        world = self._world
        moved: dict[str, Decimal] = {"USDT": Decimal(10_000), "MX": Decimal(25)}
        for asset, amount in world.foreign.items():
            moved[asset] = moved.get(asset, ZERO) + amount
        for name, fills in self._fills.items():
            for fill in fills.values():
                if fill.account is not Account.LIVE:
                    continue
                intent = self.intents.get(name)
                if intent is None:
                    continue
                sign = 1 if fill.side is Side.BUY else -1
                moved[intent.base] = moved.get(intent.base, ZERO) + sign * fill.quantity
                moved[intent.quote] = moved.get(intent.quote, ZERO) - sign * fill.quote_quantity
                moved[fill.fee_asset] = moved.get(fill.fee_asset, ZERO) - fill.fee
        by_hand = any(order.by_hand and order.executed for order in world.exchange.desk.orders.values())
        unknown = [o for o in self._ours() if (o.ticket.client_id or "") not in world.life.engine.state.trading.orders]
        if by_hand or unknown:
            return
        for asset, held in world.exchange.account.wallet.all().items():
            total = held.free + held.locked
            if abs(moved.get(asset, ZERO) - total) > Decimal("1E-12"):
                world.fail(f"I9 the account holds {total} {asset}, our fills say {moved.get(asset, ZERO)}")


def _fees(order: VenueOrder, asset: str) -> Decimal:
    return sum((fill.fee for fill in order.fills if fill.fee_asset == asset), ZERO)


def _about(event: Any) -> str:
    if isinstance(event, OrderReported):
        return f"{event.report.client_order_id} {event.report.status} {event.report.filled_quantity}"
    if isinstance(event, OrderLookedUp):
        return f"{event.client_order_id} {event.kind} {event.failed or (event.found and event.found.status)}"
    if isinstance(event, FillsReported):
        return " ".join(f"{fill.client_order_id}:{fill.trade_id}" for fill in event.fills)
    return f"{event.failed} {len(event.open_orders)} {len(event.recent_orders)}"
