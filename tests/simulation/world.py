"""One simulation: lives of the real program, one after the other, at a virtual venue, with an operator and faults."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from random import Random
from typing import Any

import structlog
from msgspec import json

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from mexc_sim.core.exchange import Exchange
from mexc_sim.core.faults import Fault
from mexc_sim.core.listing_request import read_listing
from mexc_sim.core.market import Market
from mexc_sim.core.orders import Order as VenueOrder
from mexc_sim.core.script import Script
from mexc_sim.core.wallet import plain
from mexc_sim.core.world import Rules
from mexc_sniper.app.trading import _greatest_epoch, with_journaled
from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import CommandId
from mexc_sniper.engine.effects import Effect
from mexc_sniper.engine.engine import Engine
from mexc_sniper.journal import FileJournal, GrantLimits
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.commands import EXPIRES_AFTER_S, Command, Verb
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.events import Event, KeyChecked
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import Approved
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Emit
from mexc_sniper.runtime.loop import EngineLoop, Pace
from mexc_sniper.runtime.throttle import Throttle
from mexc_sniper.runtime.trading_parts import TradingParts
from mexc_sniper.venues.mexc.gateway import GatewayOptions, MexcMarketGateway
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway, OrderGatewayOptions
from mexc_sniper.venues.mexc.planner import PollingOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.paper.gateway import PaperGateway
from mexc_sniper.venues.paper.options import FaultOdds, PaperOptions
from tests.simulation.faults import KINDS
from tests.simulation.judge import Judge
from tests.simulation.loop import Killed, VirtualLoop, bounded
from tests.simulation.net import (
    REST_URL,
    WEB_URL,
    WS_URL,
    Link,
    Venue,
    VirtualHttp,
    VirtualLine,
    VirtualSocket,
    VirtualWire,
)
from tests.simulation.parts import (
    EPOCH_NS,
    Inbox,
    InlineOffload,
    LedgerFile,
    NoFigures,
    Process,
    VirtualClock,
    VirtualDisk,
    VirtualKeyFile,
    VirtualLatch,
    VirtualLedger,
    VirtualWorker,
)
from tests.simulation.plan import ListingPlan, Plan, Strike

_SILENT = structlog.make_filtering_bound_logger(50)

CAPS = HardCaps(max_trade=Decimal(100), max_position=Decimal(150))
CONVERGES_WITHIN_S = 45.0
QUIET_S = 7.0
"""After the faults: so long a packet of theirs may still be on its way."""
LIVENESS_S = 90.0
RESTARTS_WITHIN_S = 15.0
_LEAN = PollingOptions(
    exchange_info_interval_ms=4_000,
    default_symbols_interval_ms=1_000,
    self_symbols_interval_ms=3_600_000,
    calendar_interval_ms=3_600_000,
    web_symbols_interval_ms=3_600_000,
    announcements_interval_ms=3_600_000,
    offline_interval_ms=3_600_000,
    time_interval_ms=10_000,
)


@dataclass
class Outcome:
    """What came of one simulation."""

    plan: Plan
    violation: str = ""
    trace: str = ""
    hits: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    entries: int = 0
    orders: int = 0
    converged_s: float = 0.0
    virtual_s: float = 0.0
    story: list[str] = field(default_factory=list)
    """What happened, when it was asked for."""


REAL_S = 120.0
"""A plan takes a tenth of a second; so long means that something turns without end."""


def simulate(plan: Plan, *, told: bool = False) -> Outcome:
    """Play a plan to its end; ``told`` keeps the story."""
    logging = structlog.get_config()
    structlog.configure(wrapper_class=_SILENT)
    try:
        return _simulate(plan, told=told)
    finally:
        structlog.configure(**logging)


def _simulate(plan: Plan, *, told: bool) -> Outcome:
    world = World(plan, told=told)
    try:
        with bounded(REAL_S):
            world.loop.run_until_complete(world.play())
    except Exception as error:  # a deadlock, or a fault of the simulation: the other seeds go on
        world.fail(f"{type(error).__name__}: {error}")
    finally:
        world.end()
    return world.outcome


class World:
    """Owns everything that outlives a process: venue, network, disk, database, operator."""

    def __init__(self, plan: Plan, *, told: bool = False) -> None:
        self.plan = plan
        self.outcome = Outcome(plan)
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self.random = Random(f"world:{plan.seed}")
        rules = Rules(
            fees=plan.fees,
            stream_trade_ids=plan.stream_trade_ids,
            ip_weight=300 if plan.all_sources else 100_000,
            connection_life_s=plan.connection_life_s,
        )
        self.exchange = Exchange(Script(symbols=6, rules=rules), seed=plan.seed, now_ns=EPOCH_NS)
        self.venue = Venue(self.exchange, self.loop)
        self.link = Link(self.loop, Random(f"link:{plan.seed}"), _in_seconds(plan.latency_ms))
        self.disk = VirtualDisk()
        self.ledger_file = LedgerFile()
        self.inbox = Inbox()
        self.latch = VirtualLatch()
        self.listen_key = VirtualKeyFile()
        self.sockets: dict[VirtualSocket, None] = {}
        self.lines: dict[VirtualLine, None] = {}
        self.judge = Judge(self)
        self.caps = CAPS
        self.markets: list[MarketMaker] = []
        self.own_tasks: dict[asyncio.Task[Any], None] = {}
        self.lives = 0
        self.faults_on = True
        self.trading = False
        """Live entries were permitted once: from here on points count."""
        self.wants_armed = True
        self.killed_at_s: float | None = None
        self.foreign: dict[str, Decimal] = {}
        """What other hands did to the account, by asset."""
        self.over = asyncio.Event()
        self.ended = False
        self.step_ns = 0
        self._told = told
        self._hash = blake2b(digest_size=16)
        self._reached: Counter[str] = Counter()
        self._pending: dict[tuple[str, int], list[Strike]] = {}
        for strike in plan.strikes:
            self._pending.setdefault((strike.point, strike.nth), []).append(strike)
        self._venue_faults: list[tuple[str, Fault]] = []
        self._striking = ""
        self.life = Life(self, Restored())

    # ------------------------------------------------------------------ the run

    async def play(self) -> None:
        """Safety with faults, then liveness without."""
        self._own(self.play_task())
        self._own(self.loop.create_task(self._lives())).add_done_callback(lambda _: self.over.set())
        works = (self._operate(), self._seconds(), *(maker.run() for maker in self._make_markets()))
        helpers = [self._own(self.loop.create_task(work)) for work in works]
        await self._unless_over(self.plan.safety_s)
        self._end_faults()
        await self._converge()
        for task in helpers:
            task.cancel()

    @staticmethod
    def play_task() -> asyncio.Task[Any]:
        """The task that plays the world."""
        task = asyncio.current_task()
        assert task is not None
        return task

    def _own(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Note a task of the world; every other one is the process's."""
        self.own_tasks[task] = None
        return task

    async def _unless_over(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()

    async def _converge(self) -> None:
        """Wait until engine and venue agree, which they must 45 s after the last fault (or the venue's last wait)."""
        began = self.loop.now
        deadline = began + CONVERGES_WITHIN_S + self.life.ordered_wait_s()
        differences: list[str] = []
        while not self.over.is_set():
            await self._unless_over(1.0)
            if self.over.is_set():
                return
            if self.life.started_s > began:  # the last fault was a death that took effect late
                deadline = max(deadline, self.life.started_s + CONVERGES_WITHIN_S)
            differences = self.judge.differences()
            settled = self.loop.now - began >= QUIET_S and not self.judge.flying()
            if settled and not differences:
                self.outcome.converged_s = self.loop.now - began
                self.judge.at_the_end()
                return
            if self.loop.now > deadline:
                self.fail(f"I6 not equal to the venue {self.loop.now - began:.0f} s after the faults: {differences}")
                return

    def end(self) -> None:
        """Take the world down."""
        outcome = self.outcome
        self.ended = self.life.process.dead = True
        for kind, fault in self._venue_faults:
            outcome.hits[kind] += bool(fault.hits)
        tasks = list(self.loop.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            with contextlib.suppress(AssertionError, Killed):
                self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        if self.loop.errors and not outcome.violation:
            error = self.loop.errors[0]
            outcome.violation = f"an error nobody caught: {type(error).__name__}: {error}"
        outcome.trace = self._hash.hexdigest()
        outcome.lives = self.lives
        outcome.virtual_s = self.loop.now
        outcome.orders = len(self.judge.posts)
        outcome.entries = self.judge.entries
        self.loop.close()
        self.ledger_file.db.close()

    async def _lives(self) -> None:
        """One life after the other, as the supervisor starts them."""
        while True:
            life = self.life
            self.lives += 1
            self.tell(f"life {self.lives} begins")
            try:
                await self.loop.create_task(life.run())
            except (Killed, asyncio.CancelledError):
                if not life.process.dead:
                    raise
            except BaseException as error:
                if not life.process.dead and not (isinstance(error, StoreError) and life.journal.failed):
                    raise_text = f"a life ended by itself: {type(error).__name__}: {error}"
                    if isinstance(error, BaseExceptionGroup):
                        raise_text += f" {error.exceptions}"
                    self.fail(raise_text)
                    self.tell(raise_text)
                    return
            if self.ended:
                return
            life.process.dead = True
            for task in life.tasks():
                task.cancel()
            for socket in list(self.sockets):
                socket.drop()
            for line in list(self.lines):
                line.end("the process is gone")
            self.ledger_file.end_life(power=life.lost_power)
            if life.lost_power:
                self.disk.cut_power(self.random)
            await asyncio.sleep(self.random.uniform(0.2, 1.5))
            restored = self.ledger_file.restored(EPOCH_NS + self.loop.mono_ns() + self.step_ns)
            self.life = Life(self, restored)

    def fail(self, text: str) -> None:
        """Note the first violation and end the run."""
        if not self.outcome.violation:
            self.outcome.violation = text
            self.tell(f"VIOLATION {text}")
        self.over.set()

    def tell(self, text: str) -> None:
        """Keep a line of the story."""
        self.trace(text)
        if self._told:
            self.outcome.story.append(f"{self.loop.now:9.4f} {text}")

    def trace(self, text: str) -> None:
        """Make something part of the hash."""
        self._hash.update(f"{self.loop.mono_ns()} {text}\n".encode())

    # ------------------------------------------------------------------ faults

    def reached(self, name: str) -> None:
        """A point was reached by the life under way; whatever is due there strikes."""
        self.trace(name)
        if not self.faults_on or not self.trading:
            return
        number = self._reached[name] = self._reached[name] + 1
        for strike in self._pending.get((name, number), ()):
            self._strike(strike)

    def reached_early(self, name: str) -> None:
        """The same for what comes before anything is traded."""
        number = self._reached[name] = self._reached[name] + 1
        for strike in self._pending.get((name, number), ()):
            self._strike(strike)

    def _strike(self, strike: Strike) -> None:
        self.tell(f"fault {strike.kind} ({strike.value}) at {strike.point} {strike.nth}")
        before, self._striking = self._striking, strike.kind
        marks = len(self._venue_faults)
        try:
            KINDS[strike.kind].act(self, strike.value)
        finally:
            self._striking = before
            if len(self._venue_faults) == marks:
                self.outcome.hits[strike.kind] += 1  # the venue's count when they have struck

    def _end_faults(self) -> None:
        """From here on the world is well."""
        self.tell("faults off")
        self.faults_on = False
        self.exchange.faults.remove()
        self.exchange.refusals.remove()
        self.exchange.limits.forgive()
        self.exchange.world.time.skew_ms = 0
        self.link.down_until_s = self.link.refuses_until_s = 0.0
        self.link.for_next_order.clear()
        self.link.for_next_read.clear()
        self.life.ledger.stalled_until_s = 0.0
        for maker in self.markets:
            maker.mend()

    def add_venue_fault(self, spec: Mapping[str, Any]) -> None:
        """Let the venue misbehave; counted when it does."""
        self._venue_faults.append((self._striking, self.exchange.add_fault(spec)))

    def refuse_order(self, spec: Mapping[str, Any]) -> None:
        """Let the venue refuse the next order."""
        self.exchange.refusals.add(spec, self.venue.now_ns())

    def control(self, path: str, body: Mapping[str, Any]) -> None:
        """Use the simulator's control API; what it does takes effect after the present step."""
        raw = json.encode(dict(body))
        self.loop.call_soon(self.venue.control, "POST", path, raw)

    def kill_life(self, *, power: bool) -> None:
        """kill -9, or a power cut: nothing more happens in this life."""
        self.life.lost_power = power
        self.life.process.dead = True
        self.loop.call_soon(self.life.bury)
        raise Killed

    def stop_life(self) -> None:
        """SIGTERM."""
        self.life.stop.set()

    def step_clock(self, ns: int) -> None:
        """The machine's wall clock jumps."""
        self.step_ns += ns
        self.life.process.step_ns = self.step_ns

    def stall(self, seconds: float) -> None:
        """The loop is held up: time passes for everybody else."""
        self.loop.now += seconds

    def cut_lines(self) -> None:
        """Drop the order lines."""
        for line in list(self.lines):
            line.end("cut")

    # ------------------------------------------------------------------ the market

    def _make_markets(self) -> "list[MarketMaker]":
        for plan in self.plan.listings:
            spec: dict[str, Any] = {"quoteInS": "never", "tradeInS": "never", "openPrice": 1.0}
            opens = plan.opens_s
            if plan.kind == "look_alike":
                spec |= {"kind": "look_alike", "of": "SOLUSDT"}
            else:
                spec["base"] = self._free_name(plan.base)
            if plan.announced:
                spec |= {"calendarInS": 0.0, "announceInS": 0.0}
            if plan.real:
                spec |= {"openInS": opens, "rowInS": opens - 1.0, "flagInS": opens - 0.9, "defaultInS": opens - 0.8}
                spec |= {"apiOpenInS": opens + plan.api_late_s, "marketOrders": plan.market_orders}
            else:
                spec |= {"openInS": opens, "rowInS": "never", "flagInS": "never", "defaultInS": "never"}
                spec |= {"apiOpenInS": "never"}
            life = self.exchange.lifecycles.begin(read_listing(spec))
            market = self.exchange.world.markets[life.instrument.symbol]
            if plan.real:
                self.markets.append(MarketMaker(self, plan, market))
        self.loop.call_soon(self.venue.tick)
        return self.markets

    def _free_name(self, base: str) -> str:
        """The venue's seed may have given the name to one of its old pairs."""
        while f"{base}USDT" in self.exchange.world.markets:
            base += "X"
        return base

    def change_market(self, change: Mapping[str, Any], back: Mapping[str, Any], seconds: float) -> None:
        """Change a pair's rules, and change them back."""
        for maker in self.markets[:1]:
            maker.change(change, back, seconds)

    def move_price(self, factor: float) -> None:
        """Let the price jump at once."""
        for maker in self.markets[:1]:
            maker.price *= factor
            self.loop.call_soon(maker.quote)

    def thin_book(self) -> None:
        """Leave next to nothing in the book."""
        for maker in self.markets[:1]:
            maker.thin = True
            self.loop.call_soon(maker.quote)

    def delist(self) -> None:
        """Take a pair away."""
        for maker in self.markets[:1]:
            maker.gone = True
            self.control("/sim/delist", {"symbol": maker.market.symbol})

    def postpone(self, seconds: float) -> None:
        """Move the calendar."""
        for line in self.exchange.world.calendar:
            if line.opens_ms is not None:
                line.opens_ms += int(seconds * 1000)

    def fill_late(self, seconds: float) -> None:
        """Some while from now an order that has ended gets a fill after all."""

        def fill() -> None:
            for order in self.exchange.desk.orders.values():
                ended = order.is_final and order.status != "FILLED" and order.remaining and order.ticket.is_buy
                if ended and (order.ticket.client_id or "").startswith("ms"):
                    quantity = max(1, order.remaining // 2)
                    if order.ticket.amount is not None:
                        left = order.ticket.amount - order.spent
                        quantity = min(quantity, left // order.price)
                    if quantity > 0:
                        self.tell(f"late fill of {order.ticket.client_id}")
                        self.exchange.desk.fill_by_force(order, quantity, order.price)
                        self.judge.late_fills += 1
                        self.venue.tick()
                    return

        self.loop.call_later(seconds, fill)

    def order_by_hand(self, *, ours: bool) -> None:
        """Somebody else uses the account: the owner's hand, or a second copy of the program."""
        name = "msl00zz0123456789abcd00" if ours else "byhand1"
        markets = self.exchange.world.markets.values()
        market = next((m for m in markets if m.is_old and m.orders_open and m.instrument.quote == "USDT"), None)
        if market is None:
            return
        price = market.price_text(max(1, (market.last or 2) // 2))
        quantity = f"{10 / float(price):.{market.instrument.quantity_scale}f}"
        body = {
            "symbol": market.symbol, "side": "BUY", "type": "LIMIT", "price": price, "quantity": quantity,
            "clientOrderId": name,
        }  # fmt: skip
        if not any(order.ticket.client_id == name for order in self.exchange.desk.orders.values()):
            self.control("/sim/foreign-order", body)

    def withdraw(self) -> None:
        """Some of the quote money leaves the account."""
        free = self.exchange.account.wallet.of("USDT").free
        self.control("/sim/balances", {"USDT": plain(free - 100)})
        self.foreign["USDT"] = self.foreign.get("USDT", Decimal(0)) - 100

    # ------------------------------------------------------------------ the operator

    async def _operate(self) -> None:
        """Start, arm as soon as that is allowed, buy at the planned times, resume after a kill."""
        await asyncio.sleep(0.2)
        self.command(Verb.START_MONITOR, {})
        buys = list(self.plan.buys_s)
        while True:
            await asyncio.sleep(0.5)
            status = self.life.status()
            if status is None:
                continue
            now = self.loop.now
            stopped_s = None if self.killed_at_s is None else now - self.killed_at_s
            if stopped_s is not None and stopped_s > 3.0 and self.plan.resumes and status.latched:
                self.command(Verb.RESUME, {})
                self.killed_at_s = None
                continue
            ready = status.state is TradingState.ACTIVE and status.reconciled
            if self.wants_armed and ready and status.armed_until_ns is None:
                self.command(Verb.ARM, {"minutes": 30})
            if status.armed_until_ns is not None and not self.trading:
                self.trading = True
                self.tell("armed")
            while buys and buys[0] <= now:
                buys.pop(0)
                self.buy_by_hand()

    async def _seconds(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self.loop.now < 5.0:
                self.reached_early("early")
            if not self.life.process.dead:
                self.reached("second")

    def command(self, verb: Verb, arguments: Mapping[str, Any]) -> None:
        """Write a command, as the page does."""
        now_ns = EPOCH_NS + self.loop.mono_ns() + self.step_ns
        number = len(self.inbox.commands) + 1
        expires = EXPIRES_AFTER_S[verb]
        expires_ns = 2**62 if expires > 1e9 else now_ns + int(expires * NS_PER_S)
        self.tell(f"command {verb} {dict(arguments)}")
        self.inbox.add(
            Command(
                id=CommandId(f"c{number:04d}"),
                number=number,
                verb=verb,
                arguments=dict(arguments),
                actor="operator",
                created_ns=now_ns,
                expires_ns=expires_ns,
            )
        )

    def kill_switch(self, action: str) -> None:
        """The latch first, then the row (DESIGN 2)."""
        self.latch.set(action, self.loop.now)
        self.judge.killed(action)
        self.killed_at_s = self.loop.now
        row_comes_s = self.random.uniform(0.0, 1.5)  # the database may be slow, or away
        self.loop.call_later(row_comes_s, self.command, Verb.KILL, {"action": action, "reason": "simulation"})

    def disarm(self) -> None:
        """Take the permission for live entries back, for a while."""
        self.wants_armed = False
        self.loop.call_soon(self.command, Verb.DISARM, {})

        def again() -> None:
            self.wants_armed = True

        self.loop.call_later(5.0, again)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change the configuration."""
        self.loop.call_soon(self.command, Verb.UPDATE_CONFIG, {"config": dict(changes), "confirm": True})

    def lower_limit(self) -> None:
        """Allow one trade and no more."""
        self.configure({"maxPositionUsdt": str(Decimal(self.plan.trade_usdt) + 1)})

    def buy_by_hand(self) -> None:
        """Buy, and have the page repeat itself."""
        for maker in self.markets:
            if maker.market.quoting and not maker.gone:
                arguments = {"symbol": maker.market.symbol, "quoteQty": self.plan.trade_usdt}
                self.loop.call_soon(self.command, Verb.EXECUTE_TRADE, arguments)
                self.loop.call_later(0.3, self.reached, "bought")
                return

    def close_by_hand(self) -> None:
        """Sell what is held."""
        for position in self.life.engine.state.trading.positions.values():
            if not position.closed and position.account is Account.LIVE:
                self.loop.call_soon(self.command, Verb.CLOSE_POSITION, {"positionId": position.id})
                return


class MarketMaker:
    """The crowd of one new pair, reduced to what a trader notices: a book that is there, moves, and thins."""

    def __init__(self, world: World, plan: ListingPlan, market: Market) -> None:
        self.market = market
        self.price = 1.0
        self.thin = False
        self.gone = False
        self._world = world
        self._plan = plan
        self._back: dict[str, Any] = {}

    async def run(self) -> None:
        """Quote from the opening on."""
        await asyncio.sleep(max(0.0, self._plan.opens_s - self._world.loop.now))
        self.quote()
        await asyncio.sleep(0.15)
        self._trade()
        for factor in self._plan.path:
            await asyncio.sleep(1.3)
            self.price = min(10.0, max(0.05, self.price * factor))
            self.quote()
            self._trade()
        while True:
            await asyncio.sleep(4.0)
            self.quote()

    def quote(self) -> None:
        """Make the book anew around the price."""
        if self.gone or not self.market.in_exchange_info:
            return
        half, depth = self._plan.spread / 2, 0.5 if self.thin else self._plan.depth
        self.thin = False
        scale = self.market.instrument.price_scale
        sides: dict[str, list[list[str]]] = {}
        for side, sign in (("bids", -1), ("asks", 1)):
            levels: dict[str, str] = {}
            for step in range(3):
                price = self.price * (1 + sign * (half + 0.01 * step))
                levels[f"{price:.{scale}f}"] = f"{depth * (1 + step):.2f}"
            sides[side] = [[price, quantity] for price, quantity in levels.items()]
        self._world.venue.control("POST", "/sim/book", json.encode({"symbol": self.market.symbol, **sides}))

    def _trade(self) -> None:
        if self.gone or not self.market.in_exchange_info:
            return
        price = f"{self.price:.{self.market.instrument.price_scale}f}"
        body = {"symbol": self.market.symbol, "price": price, "quantity": "1", "side": "SELL"}
        self._world.venue.control("POST", "/sim/trade", json.encode(body))

    def change(self, change: Mapping[str, Any], back: Mapping[str, Any], seconds: float) -> None:
        """Change rules for a while."""
        self._back |= back
        self._world.control("/sim/markets", {"symbol": self.market.symbol, **change})
        self._world.loop.call_later(seconds, self.mend)

    def mend(self) -> None:
        """Give the pair its rules back."""
        if self._back and not self.gone:
            back, self._back = self._back, {}
            self._world.control("/sim/markets", {"symbol": self.market.symbol, **back})


class PointedJournal:
    """The real journal with a point on either side of a write."""

    def __init__(self, journal: FileJournal, world: World, process: Process) -> None:
        self._journal = journal
        self._world = world
        self._process = process

    @property
    def healthy(self) -> bool:
        return self._journal.healthy

    @property
    def suspect(self) -> bool:
        return self._journal.suspect

    def write(self, approved: Approved) -> bool:
        self._process.point("journal.before")
        written = self._journal.write(approved)
        if written:
            self._world.judge.intended(approved.intent)
        self._process.point("journal.after")
        return written

    def rehearse(self) -> None:
        self._journal.rehearse()

    async def write_durably(self, approved: Any) -> None:
        self._process.alive()
        await self._journal.write_durably(approved)
        for one in approved:
            self._world.judge.intended(one.intent)

    def swept(self) -> None:
        self._process.alive()
        self._journal.swept()

    def mark_settled(self, client_order_id: Any) -> None:
        self._process.alive()
        self._journal.mark_settled(client_order_id)

    def forget_unsent(self, client_order_ids: Any) -> None:
        self._process.alive()
        self._journal.forget_unsent(client_order_ids)


class Life:
    """One run of the process: the program's own object graph on the world's ports."""

    def __init__(self, world: World, restored: Restored) -> None:
        self._world = world
        plan, loop = world.plan, world.loop
        self.process = Process(loop, world.reached)
        self.process.step_ns = world.step_ns
        self.lost_power = False
        self.reconciled_s: float | None = None
        self.started_s = loop.now
        self.stop = asyncio.Event()
        clock = self.clock = VirtualClock(self.process)
        offload = InlineOffload()
        wire = VirtualWire(world, self.process, world.venue, world.link)

        def http() -> VirtualHttp:
            return VirtualHttp(self.process, world.venue, world.link)

        fsync = Random(f"fsync:{plan.seed}:{world.lives}")
        self.ledger = VirtualLedger(
            world.ledger_file, self.process, clock.wall_ns, lambda: fsync.uniform(*_in_seconds(plan.commit_ms))
        )
        world.disk.touch = self.process.alive
        world.disk.fails_next = False
        self.journal = FileJournal(
            world.disk.directory,
            clock,
            limits=GrantLimits(notional_per_entry=CAPS.max_trade, notional=CAPS.max_position),
            slots=64,
            disk=world.disk,  # type: ignore[arg-type]
            worker=VirtualWorker(self.process, lambda: fsync.uniform(*_in_seconds(plan.fsync_ms))),
        )
        self.journal.open(minimum_epoch=_greatest_epoch(restored))
        self.restored = restored = with_journaled(restored, self.journal.recovered, clock.wall_ns())
        self.market = MexcMarketGateway(
            clock=clock,
            offload=offload,
            wire=wire,
            rest_url=REST_URL,
            ws_url=WS_URL,
            web_url=WEB_URL if plan.all_sources else "",
            options=GatewayOptions(polling=PollingOptions() if plan.all_sources else _LEAN, seed=plan.seed),
            credentials=Credentials(DEFAULT_KEY, DEFAULT_SECRET),
            http=http,
        )
        odds = FaultOdds(not_sent=0.05, busy=0.05, lost_before=0.1, lost_after=0.1) if plan.strikes else FaultOdds()
        self.paper = PaperGateway(
            clock,
            PaperOptions(faults=odds),
            random=Random(f"paper:{plan.seed}:{world.lives}"),
            epoch=self.journal.epoch,
            restored=restored,
        )
        self.live = MexcOrderGateway(
            clock=clock,
            offload=offload,
            wire=wire,
            bytes_wire=wire,
            credentials=Credentials(DEFAULT_KEY, DEFAULT_SECRET),
            venue_offset_ns=lambda: self.market.venue_offset_ns,
            resync_clock=self.market.resync_clock,
            budget=self.market.budget,
            rest_url=REST_URL,
            ws_url=WS_URL,
            options=OrderGatewayOptions(seed=plan.seed),
            http=http,
            listen_keys=world.listen_key,
        )
        rate, burst = plan.throttle
        gateways = {Account.PAPER: self.paper, Account.LIVE: self.live}
        parts = TradingParts(
            gateways=gateways,
            throttles={account: Throttle(rate_per_s=rate, burst=burst) for account in gateways},
            watchers=(self.paper.see,),
            helpers=(self._key_is_fine,),
            journal=PointedJournal(self.journal, world, self.process),
            latch=world.latch,  # type: ignore[arg-type]
            live=True,
            epoch=self.journal.epoch,
        )
        self.engine = Engine(CAPS, first_config(plan))
        self._handle = self.engine.handle
        self.engine.handle = self._handled  # type: ignore[method-assign]
        self.ledger.seen = world.judge.written
        self.engine_loop = EngineLoop(
            engine=self.engine,
            ledger=self.ledger,
            inbox=world.inbox.reader(self.process, restored.finished_commands),
            gateway=self.market,
            figures=NoFigures(),
            clock=clock,
            trading=parts,
            pace=Pace(rehearses=plan.rehearses, renders_metrics=False, figures_s=5.0),
        )
        self._started = False

    async def run(self) -> None:
        """Run until killed, stopped or failed; a clean end closes what the program closes."""
        self._world.judge.life_begins(self)
        await self.engine_loop.run(self.restored, stop=self.stop, on_ready=self._ready)
        await self.journal.aclose()

    def _ready(self) -> None:
        self._started = True

    def bury(self) -> None:
        """Nobody runs in a dead process."""
        for task in self.tasks():
            task.cancel()

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Tasks made by this life."""
        mine = self._world.own_tasks
        return [task for task in self._world.loop.tasks if task not in mine]

    def status(self) -> Any:
        """The trading status, once there is one."""
        return self.engine.state.trading.status if self._started and not self.process.dead else None

    def ordered_wait_s(self) -> float:
        """How long the venue has forbidden us to ask or to order."""
        lane_s = (self.live._entry._stopped_until_ns - self._world.loop.mono_ns()) / NS_PER_S
        return max(0.0, self.market.budget.blocked_for_s(), lane_s)

    async def _key_is_fine(self, emit: Emit) -> None:
        await self.clock.sleep(0.05)
        now_ns = self.clock.wall_ns()
        emit(
            KeyChecked(
                stamp=Stamp(None, now_ns, self.clock.mono_ns()),
                problems=(),
                canary_passed_ns=now_ns,
                uid="1",
                fingerprint="key",
            )
        )
        await self._world.loop.create_future()

    def _handled(self, event: Event) -> list[Effect]:
        self.process.point(f"event.{type(event).__name__}")
        effects = self._handle(event)
        self._world.judge.handled(event)
        self.process.point(f"handled.{type(event).__name__}")
        return effects


def first_config(plan: Plan) -> TradeConfig:
    """The configuration with which a simulation begins: wide guards, tight limits."""
    from mexc_sniper.model.config import DEMO_CONFIG

    return DEMO_CONFIG.model_copy(
        update={
            "auto_trade": True,
            "trade_usdt": Decimal(plan.trade_usdt),
            "max_trade_usdt": Decimal(plan.trade_usdt),
            "max_position_usdt": Decimal(plan.max_position_usdt),
            "max_daily_spend_usdt": Decimal(plan.max_daily_spend_usdt),
            "entry_type": plan.entry_type,
            "min_depth_multiple": Decimal("0.1"),
            "min_exit_depth_multiple": Decimal("0.1"),
            "cooldown_per_symbol_minutes": 0,
            "max_hold_minutes": 1,
        }
    )


def _in_seconds(ms: tuple[float, float]) -> tuple[float, float]:
    return ms[0] / 1000, ms[1] / 1000


__all__ = ["Life", "MarketMaker", "Outcome", "VenueOrder", "World", "simulate"]
