"""A web process beside a stand-in for the engine that keeps a small trading book.

The real page, the real API and the real ledger; the stand-in writes what the engine would write and answers
commands. What the engine itself decides is tested where the engine is.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from pydantic import ValidationError

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.ids import ClientOrderId, IntentId, PositionId, TradeId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.ledger.location import locate
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    AttentionChanged,
    ConfigChanged,
    DecisionMade,
    FillRecorded,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    OrderChanged,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.health import MonitorState, MonitorStatus
from mexc_sniper.model.listing import Outcome, Phase
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Fill, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.model.position import ExitPlan, Position, PositionStatus, TakeProfitLeg
from mexc_sniper.model.trading import (
    Attention,
    AttentionKind,
    Decision,
    Guard,
    Trade,
    TradeStatus,
    TradingStatus,
    Trigger,
)
from tests.web.world import WebWorld, a_listing, a_web_world, done

START_S = 20.0


class Desk:
    """What a test and the page's tests talk to; every method may be called from any thread."""

    def __init__(self, world: WebWorld, loop: asyncio.AbstractEventLoop) -> None:
        self._world = world
        self._loop = loop
        self._number = 0
        self.silent = False
        """Commands are heard and not answered."""
        self.heard: list[Command] = []
        self.config = ConfigVersion(version=1, created_ns=self.now_ns, actor="engine", config=TradeConfig())
        self.trading = TradingStatus(
            state=TradingState.ACTIVE, reason="", actor="engine", since_ns=self.now_ns, reconciled=True
        )
        self._kept: dict[str, dict[str, Any]] = {}
        self.positions: dict[str, Position] = {}
        self.listing_id: str | None = None
        """The listing that `tests.e2e.test_states` looks at."""
        self.trades: dict[str, Trade] = {}
        world.engine.answer = self._answer

    @property
    def url(self) -> str:
        return self._world.url

    @property
    def world(self) -> WebWorld:
        """The web process behind it; use it on the desk's own loop (`wait`)."""
        return self._world

    @property
    def now_ns(self) -> int:
        return self._world.clock.wall_ns()

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something on the desk's own loop and return what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    def sign_in_link(self) -> str:
        """Return a fresh one-time link."""
        token, _ = self.wait(self._world.app.state.services.auth.issue_login_token())
        return f"{self.url}/login#token={token}"

    def write(self, *entries: LedgerEntry) -> None:
        """Write to the ledger, as the engine does."""
        self._loop.call_soon_threadsafe(self._world.engine.write, *entries)

    def figure(self, name: str, value: dict[str, Any]) -> None:
        """Overwrite a live figure."""
        self._loop.call_soon_threadsafe(self._world.engine.live.put, name, msgspec.json.encode(value))

    def keep(self, name: str, value: dict[str, Any]) -> None:
        """Write a live figure again and again, as an engine does: the page takes an old one for none."""
        self._kept[name] = value
        if len(self._kept) == 1:
            self._loop.call_soon_threadsafe(self._renew)

    def _renew(self) -> None:
        for name, value in self._kept.items():
            self._world.engine.live.put(name, msgspec.json.encode(value))
        self._loop.call_later(0.2, self._renew)

    def open_up(self) -> None:
        """Write what an engine writes at its start."""
        now = self.now_ns
        running = MonitorState(
            status=MonitorStatus.RUNNING, wanted=True, started_at_ns=now, last_event_ns=now, websocket_connected=True
        )
        self.write(
            ConfigChanged(version=self.config), TradingChanged(status=self.trading), MonitorChanged(state=running)
        )

    # ------------------------------------------------------------------ what happened

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def trade(self, symbol: str = "ALPHAUSDT", **changed: Any) -> Trade:
        """Write a filled dry-run entry of 20 USDT, or what ``changed`` makes of it."""
        number, now = self.next_number(), self.now_ns
        made = Trade(
            id=TradeId(f"T{number:015x}"),
            account=Account.PAPER,
            symbol=Symbol(symbol),
            side=Side.BUY,
            role=OrderRole.ENTRY,
            type=OrderType.MARKET,
            status=TradeStatus.FILLED,
            created_ns=now,
            updated_ns=now,
            requested_quote=Decimal(20),
            quote_quantity=Decimal("19.998"),
            base_quantity=Quantity(Decimal("441.2")),
            average_price=Price(Decimal("0.045326")),
            reference_price=Price(Decimal("0.0449")),
            slippage_bps=Decimal("94.9"),
            fee=Decimal("0.0099"),
            fee_asset="USDT",
            trigger=Trigger.FIRST_TRADE,
            attempts=1,
            config_version=self.config.version,
            evidence="book",
            source_lag_ns=38 * NS_PER_MS,
            tick_to_trade_ns=91_000,
            round_trip_ns=24 * NS_PER_MS,
            ack_to_fill_ns=3 * NS_PER_MS,
            open_to_order_ns=131 * NS_PER_MS,
        )
        made = replace(made, **changed)
        self.trades[made.id] = made
        self.write(TradeChanged(trade=made))
        return made

    def denied(self, symbol: str = "BETAUSDT", **changed: Any) -> Trade:
        """Write an entry that the spread guard refused, with its decision, on a listing of its own."""
        number, now = self.next_number(), self.now_ns
        listing = replace(
            a_listing(symbol, number=number),
            phase=Phase.OPEN,
            outcome=Outcome.SKIPPED,
            reason=Reason.SPREAD_TOO_WIDE,
            listed_at_ns=now,
            detected_at_ns=now,
            opened_at_ns=now,
        )
        guards = (
            Guard(name="RULES_UNKNOWN", passed=True, measured="known", limit="known"),
            Guard(name="ABOVE_MAX_TRADE", passed=True, measured="20", limit="100"),
            Guard(name="COOLDOWN", passed=None, measured="never traded", limit="10 min"),
            Guard(name="SPREAD_TOO_WIDE", passed=False, measured="812 bps", limit="500 bps"),
        )
        decision = Decision(
            id=IntentId(f"I{number:015x}"),
            listing_id=listing.id,
            symbol=Symbol(symbol),
            account=Account.PAPER,
            trigger=Trigger.FIRST_TRADE,
            decided_ns=now,
            config_version=self.config.version,
            guards=guards,
            reason=Reason.SPREAD_TOO_WIDE,
        )
        self.write(ListingChanged(listing=listing), DecisionMade(decision=decision))
        return self.trade(
            symbol,
            id=TradeId(f"T{decision.id}"),
            status=TradeStatus.REJECTED,
            reason=Reason.SPREAD_TOO_WIDE,
            listing_id=listing.id,
            **(_NOTHING | changed),
        )

    def position(self, symbol: str = "ALPHAUSDT", **changed: Any) -> Position:
        """Write an open position with its entry, order and fill."""
        number, now = self.next_number(), self.now_ns
        base = Asset(symbol.removesuffix("USDT"))
        held = Position(
            id=PositionId(f"P{number:015x}"),
            account=Account.PAPER,
            symbol=Symbol(symbol),
            base=base,
            quote=Asset("USDT"),
            quantity=Quantity(Decimal("441.2")),
            bought_quantity=Quantity(Decimal("441.2")),
            cost=Decimal("20.01"),
            entry_price=Price(Decimal("0.045326")),
            plan=ExitPlan(
                take_profit=(
                    TakeProfitLeg(Price(Decimal("0.0567")), Quantity(Decimal("176.4"))),
                    TakeProfitLeg(Price(Decimal("0.068")), Quantity(Decimal("132.3"))),
                ),
                stop_price=Price(Decimal("0.0385")),
                trailing_bps=1000,
                trailing_armed_at=Price(Decimal("0.0521")),
                deadline_ns=now + 29 * 60 * NS_PER_S,
            ),
            opened_ns=now,
            config_version=self.config.version,
        )
        held = replace(held, **changed)
        self.positions[held.id] = held
        intent = OrderIntent(
            id=IntentId(f"I{number:015x}"),
            client_order_id=ClientOrderId(f"ms{number:030x}"),
            account=held.account,
            symbol=held.symbol,
            base=base,
            quote=held.quote,
            side=Side.BUY,
            role=OrderRole.ENTRY,
            type=OrderType.MARKET,
            quote_quantity=Decimal(20),
            position_id=held.id,
            config_version=self.config.version,
            decided_ns=now,
        )
        order = Order(
            intent=intent,
            status=OrderStatus.FILLED,
            filled_quantity=held.bought_quantity,
            filled_quote=Decimal("19.998"),
            created_ns=now,
            submitted_ns=now,
            acked_ns=now + 24 * NS_PER_MS,
            ended_ns=now + 27 * NS_PER_MS,
            tick_to_trade_ns=91_000,
            round_trip_ns=24 * NS_PER_MS,
        )
        fill = Fill(
            trade_id=f"F{number}",
            client_order_id=intent.client_order_id,
            account=held.account,
            symbol=held.symbol,
            side=Side.BUY,
            price=Price(Decimal("0.045326")),
            quantity=held.bought_quantity,
            quote_quantity=Decimal("19.998"),
            fee=Decimal("0.0099"),
            fee_asset=Asset("USDT"),
            is_maker=False,
            ts_event_ns=now,
            ts_recv_ns=now,
            evidence="book",
        )
        self.write(OrderChanged(order=order), FillRecorded(fill=fill), PositionChanged(position=held))
        self.trade(
            symbol,
            id=TradeId(f"T{intent.id}"),
            account=held.account,
            position_id=held.id,
            client_order_id=intent.client_order_id,
        )
        return held

    def close(self, held: Position) -> Position:
        """Write that a position has ended."""
        ended = replace(held, status=PositionStatus.CLOSED, quantity=Quantity(Decimal(0)), closed_ns=self.now_ns)
        self.positions.pop(held.id, None)
        self.write(PositionChanged(position=ended))
        return ended

    def waits(self, symbol: str = "GAMMAUSDT", quote: str = "800", *, seconds: float = 60) -> Trade:
        """Write a high-value entry that waits for the operator's word."""
        return self.trade(
            symbol,
            status=TradeStatus.HIGH_VALUE_PENDING,
            requested_quote=Decimal(quote),
            reason=Reason.HIGH_VALUE,
            confirm_until_ns=self.now_ns + int(seconds * NS_PER_S),
        )

    def needs_person(self, symbol: str = "DELTAUSDT") -> Attention:
        """Write something that needs a person."""
        raised = Attention(
            id=f"A{self.next_number()}",
            kind=AttentionKind.DISCREPANCY,
            account=Account.LIVE,
            symbol=Symbol(symbol),
            text="The venue holds 120 more than our fills explain. Look at the venue's order history first.",
            raised_ns=self.now_ns,
        )
        self.write(AttentionChanged(attention=raised))
        return raised

    def mark(self, symbol: str, price: str) -> None:
        """Write a live price."""
        self.figure(f"mark:{symbol}", {"last": price, "bid": price, "ask": price, "ts_ns": self.now_ns})

    # ------------------------------------------------------------------ what the operator asks

    def _answer(self, command: Command) -> CommandResult | None:
        self.heard.append(command)
        if self.silent:
            return None
        arguments = command.arguments
        match command.verb:
            case Verb.KILL:
                halted = arguments["action"] == "flatten"
                return self._state(TradingState.HALTED if halted else TradingState.REDUCING, command)
            case Verb.RESUME:
                return self._state(TradingState.ACTIVE, command)
            case Verb.UPDATE_CONFIG | Verb.ROLLBACK_CONFIG:
                return self._configure(command)
            case Verb.EXECUTE_TRADE:
                trade = self.trade(arguments["symbol"], requested_quote=Decimal(arguments["quoteQty"]))
                self.write(TradeChanged(trade=replace(trade, command_id=command.id)))
                return done(command, result={"tradeId": trade.id})
            case Verb.CONFIRM_TRADE | Verb.REJECT_TRADE:
                confirmed = command.verb is Verb.CONFIRM_TRADE
                waiting = self.trades[arguments["tradeId"]]
                ended = replace(
                    waiting,
                    status=TradeStatus.FILLED if confirmed else TradeStatus.CANCELED,
                    account=Account.LIVE if confirmed else Account.PAPER,
                    reason=None if confirmed else Reason.REJECTED_BY_OPERATOR,
                    command_id=command.id,
                    confirm_until_ns=None,
                )
                self.write(TradeChanged(trade=ended))
                return done(command, result={"tradeId": ended.id})
            case Verb.CLOSE_POSITION:
                closed = replace(
                    self.positions.pop(arguments["positionId"]), status=PositionStatus.CLOSED, closed_ns=self.now_ns
                )
                self.write(PositionChanged(position=closed))
            case Verb.RESOLVE_ATTENTION:
                self.write(AttentionChanged(attention=_resolved(arguments, command, self.now_ns)))
        return done(command)

    def _state(self, state: TradingState, command: Command) -> CommandResult:
        active = state is TradingState.ACTIVE
        self.trading = replace(
            self.trading,
            state=state,
            actor=command.actor,
            since_ns=self.now_ns,
            latched=not active,
            reason="" if active else f"Kill switch: {command.arguments.get('action')}",
        )
        self.write(TradingChanged(status=self.trading))
        return done(command)

    def _configure(self, command: Command) -> CommandResult:
        arguments = command.arguments
        if command.verb is Verb.UPDATE_CONFIG and arguments.get("version", self.config.version) != self.config.version:
            return _refused(command, "stale_version", "The configuration changed meanwhile; read it again.", 409)
        merged = {**self.config.config.model_dump(by_alias=True), **arguments["config"]}
        try:
            config = TradeConfig.model_validate(merged)
        except ValidationError as error:
            fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
            return _refused(command, "invalid_config", "The configuration was not changed.", 422, fields=fields)
        if config.trade_usdt > config.max_trade_usdt:
            fields = {"tradeUsdt": f"is above the largest entry ({config.max_trade_usdt})"}
            return _refused(command, "invalid_config", "The limits contradict each other.", 422, fields=fields)
        if config.max_position_usdt > 2 * self.config.config.max_position_usdt and not arguments.get("confirm"):
            message = "The largest exposure would more than double. Is that meant?"
            return _refused(command, "confirmation_required", message, 409)
        self.config = ConfigVersion(
            version=self.config.version + 1, created_ns=self.now_ns, actor=command.actor, config=config
        )
        self.write(ConfigChanged(version=self.config))
        return done(command, result={"version": self.config.version})


_NOTHING: dict[str, Any] = {
    "quote_quantity": Decimal(0),
    "base_quantity": Quantity(Decimal(0)),
    "average_price": None,
    "slippage_bps": None,
    "fee": Decimal(0),
    "fee_asset": "",
    "evidence": "",
    "tick_to_trade_ns": None,
    "round_trip_ns": None,
    "ack_to_fill_ns": None,
    "open_to_order_ns": None,
    "type": None,
    "attempts": 0,
}


def _refused(command: Command, code: str, message: str, status: int, **result: Any) -> CommandResult:
    return done(
        command, status=CommandStatus.REFUSED, code=code, message=message, http_status=status, result=dict(result)
    )


def _resolved(arguments: dict[str, Any], command: Command, now_ns: int) -> Attention:
    return Attention(
        id=arguments["id"],
        kind=AttentionKind.DISCREPANCY,
        account=Account.LIVE,
        symbol=None,
        text="",
        raised_ns=now_ns,
        resolved_ns=now_ns,
        resolved_by=command.actor,
        resolution=arguments["resolution"],
    )


@contextlib.contextmanager
def a_desk(data_dir: Path, **options: Any) -> Iterator[Desk]:
    """Run web process and stand-in on a thread with a loop of its own (the browser's driver keeps the main one)."""
    data_dir.mkdir(parents=True, exist_ok=True)
    ready = threading.Event()
    box: list[Desk] = []
    troubles: list[BaseException] = []
    leave: Callable[[], object] | None = None

    async def serve() -> None:
        nonlocal leave
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        leave = lambda: loop.call_soon_threadsafe(over.set)  # noqa: E731
        async with a_web_world(locate(None, data_dir), data_dir, **options) as world:
            desk = Desk(world, loop)
            desk.open_up()
            await world.engine.flush()
            box.append(desk)
            ready.set()
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as trouble:  # the test must hear of it
            troubles.append(trouble)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="desk", daemon=True)
    thread.start()
    assert ready.wait(START_S), "the desk did not start"
    if troubles:
        raise troubles[0]
    try:
        yield box[0]
    finally:
        if leave is not None:
            leave()
        thread.join(START_S)
    if troubles:
        raise troubles[0]
