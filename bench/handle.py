"""From an event to the order at the gateway's door, without sockets: engine, risk, desk, throttle, gate.

    python -m bench.handle [--orders 300] [--profile KIND]

A real `EngineLoop` over 2,000 known pairs; gateway, ledger and inbox are stubs that note when they were called. Each
round is one new listing whose rules are known; what is timed is the frame that makes the order:

- quote: the very first quote opens the listing and its top is deep enough.
- prepared: as quote, and a tick had passed since the pair's rules and newness were known, so that its entry lay ready.
- book: the quote was too thin, the first visible levels make the order.
- busy: as quote, with 40 unsettled orders and 10 open positions besides.

Then where the time of a warm "prepared" and a warm "quote" goes, stage by stage (a stage's own watch costs about half
a microsecond each time).

"cold" touches 8 MB before every round, as whatever else runs on the core between two openings does.
"""

import argparse
import cProfile
import gc
import pstats
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import structlog
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from tests.builders import (
    a_book,
    a_calendar_entry,
    a_quote,
    a_tick,
    an_instrument,
    at,
    calendar_read,
    candles_read,
    default_symbols_read,
    filled,
    instruments_read,
    paper_balances,
    reported,
)

from mexc_sniper.core.values import Quantity
from mexc_sniper.engine import attempts
from mexc_sniper.engine.attempts import Attempts
from mexc_sniper.engine.engine import Engine
from mexc_sniper.engine.entries import Entries
from mexc_sniper.engine.orders import Orders
from mexc_sniper.model.account import Account
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.model.events import QuoteSeen
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.order import Approved, OrderIntent, OrderStatus
from mexc_sniper.model.restored import Restored
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.loop import EngineLoop
from mexc_sniper.runtime.throttle import Throttle
from mexc_sniper.runtime.trading_parts import TradingParts

KNOWN = 2_000
BIG = Decimal(1_000_000)
CONFIG = TradeConfig(
    max_position_usdt=BIG,
    max_daily_spend_usdt=BIG,
    max_open_positions=1_000,
    max_trades_per_hour=10_000,
    daily_loss_limit_usdt=BIG,
    max_drawdown_usdt=BIG,
    max_consecutive_losses=1_000,
)
TRASH = bytearray(8 * 1024 * 1024)


class Door:
    """An account's gateway that only notes when an order came."""

    account = Account.PAPER

    def __init__(self) -> None:
        self.at_ns = 0
        self.intent: OrderIntent | None = None

    def submit(self, approved: Approved) -> None:
        self.at_ns = time.perf_counter_ns()
        self.intent = approved.intent

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Nowhere:
    """Ledger, market gateway, inbox and live figures that do nothing."""

    def append(self, entries: Sequence[LedgerEntry]) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Unlimited(Throttle):
    """Room for everyone: rounds follow each other much faster than orders may."""

    def take(self, lane: Any, now_ns: int) -> int:
        super().take(lane, now_ns)
        return 0


class Harness:
    """A running engine and the door of its one account."""

    def __init__(self) -> None:
        self.door = Door()
        self.engine = Engine(HardCaps(max_trade=BIG, max_position=BIG), CONFIG)
        nowhere: Any = Nowhere()
        self.loop = EngineLoop(
            engine=self.engine,
            ledger=nowhere,
            inbox=nowhere,
            gateway=nowhere,
            figures=nowhere,
            clock=LoopClock(),
            trading=TradingParts(
                gateways={Account.PAPER: self.door}, throttles={Account.PAPER: Unlimited(rate_per_s=12)}
            ),
        )
        self.loop.fail = _raise  # type: ignore[method-assign]  # an error ends the bench
        self.loop._dispatch.run(self.engine.start(Restored(), at(0), force_running=True))
        self.names = [f"OLD{number}USDT" for number in range(KNOWN)]
        self.second = 1.0
        self.number = 0
        emit = self.loop.emit
        emit(paper_balances(0.5, usdt="1000000"))
        emit(instruments_read(1, *(an_instrument(name) for name in self.names)))
        emit(default_symbols_read(1.1, *self.names))

    def announce(self) -> str:
        """A new pair whose rules, membership and age are known and that has no price yet."""
        self.second += 3.0
        self.number += 1
        symbol = f"NEW{self.number}USDT"
        self.names.append(symbol)
        emit = self.loop.emit
        entry = a_calendar_entry(symbol.removesuffix("USDT"), opens_s=self.second + 0.5)
        emit(calendar_read(self.second - 0.5, entry))
        emit(instruments_read(self.second, an_instrument(symbol), names=set(self.names)))
        emit(default_symbols_read(self.second + 0.1, *self.names))
        emit(candles_read(self.second + 0.2, symbol))
        self.second += 1
        return symbol

    def settle(self) -> None:
        """The order ends unfilled; a while later everything about it is forgotten."""
        intent = self.door.intent
        assert intent is not None
        self.loop.emit(reported(self.second, intent, OrderStatus.SUBMITTED, sent_mono_ns=1))
        self.loop.emit(reported(self.second, intent, OrderStatus.CANCELED))
        for pause in (20, 700, 2_000):
            self.second += pause
            self.loop.emit(a_tick(self.second))
        self.door.intent = None

    def hold(self, orders: int, positions: int) -> None:
        """Fill the books of the engine: orders on their way and positions held."""
        for number in range(orders + positions):
            symbol = self.announce()
            self.loop.emit(deep_quote(self.second, symbol))
            intent = self.door.intent
            assert intent is not None
            self.loop.emit(reported(self.second, intent, OrderStatus.SUBMITTED, sent_mono_ns=1))
            if number >= orders:
                self.loop.emit(filled(self.second, intent, price="1", quantity="20"))
                self.loop.emit(reported(self.second, intent, OrderStatus.FILLED, filled="20", quote="20"))
            self.door.intent = None

    def prepare_round(self, kind: str) -> str:
        """Bring a new pair to the moment before the event that makes its order (``cue``)."""
        symbol = self.announce()
        self.cue: Any = deep_quote(self.second, symbol)
        if kind == "prepared":
            self.loop.emit(a_tick(self.second - 0.01))
        if kind == "book":
            self.loop.emit(a_quote(self.second - 0.005, symbol, bid="0.99", ask="1.00"))
            self.cue = a_book(self.second, symbol)
        self.door.at_ns = 0
        return symbol

    def round(self, kind: str, *, cold: bool, profile: cProfile.Profile | None) -> float:
        """One listing; returns µs from the frame that makes the order to the door."""
        symbol = self.prepare_round(kind)
        event = self.cue
        if cold:
            TRASH[:] = bytes(len(TRASH))
        if profile is not None:
            profile.enable()
        began = time.perf_counter_ns()
        self.loop.emit(event)
        if profile is not None:
            profile.disable()
        if not self.door.at_ns:
            raise SystemExit(f"{symbol}: no order was sent")
        took = (self.door.at_ns - began) / 1_000
        if kind != "busy":
            self.settle()
        return took


def _raise(error: BaseException) -> None:
    raise error


def deep_quote(second: float, symbol: str) -> QuoteSeen:
    """A first quote whose top can fill an entry."""
    event = a_quote(second, symbol, bid="0.99", ask="1.00")
    much = Quantity(Decimal(1_000))
    return replace(event, quote=replace(event.quote, bid_quantity=much, ask_quantity=much))


STAGES: tuple[tuple[str, Any, str], ...] = (
    ("the loop hands the event over", Engine, "handle"),
    ("prepared: looked up, newness and time", Entries, "strike"),
    ("account, prepared or not, wish", Attempts, "make"),
    ("shape of the order", Attempts, "_shaped"),
    ("what the guards look at", attempts, "assess"),
    ("guards", Orders, "submit"),
    ("order booked", OrderDesk, "submit"),
    ("latch, gate, rate limit", OrderDesk, "_send"),
)  # fmt: skip
"""What begins with the call of each function; named by what has just ended, in the order of the way."""


@contextmanager
def watched() -> Iterator[list[tuple[str, int]]]:
    """Note when each stage begins, until the block ends."""
    marks: list[tuple[str, int]] = []
    before = [(owner, name, getattr(owner, name)) for _, owner, name in STAGES]

    def watch(label: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def stage(*arguments: Any, **options: Any) -> Any:
            marks.append((label, time.perf_counter_ns()))
            return work(*arguments, **options)

        return stage

    for (label, owner, name), (_, _, work) in zip(STAGES, before, strict=True):
        setattr(owner, name, watch(label, work))
    try:
        yield marks
    finally:
        for owner, name, work in before:
            setattr(owner, name, work)


def stages(kind: str, rounds: int) -> Table:
    """Median µs of every stage from the frame's event to the gateway's door."""
    spent: dict[str, list[float]] = {}
    with watched() as marks:
        harness = Harness()
        for number in range(rounds + 20):
            harness.prepare_round(kind)
            marks.clear()
            began = time.perf_counter_ns()
            harness.loop.emit(harness.cue)
            at = began
            for label, instant in [*marks, ("order handed to the gateway", harness.door.at_ns)]:
                if number >= 20 and instant <= harness.door.at_ns:
                    spent.setdefault(label, []).append((instant - at) / 1_000)
                at = instant
            harness.settle()
    table = Table(title=f"{kind}, warm: µs of each stage")
    table.add_column("up to here")
    table.add_column("p50", justify="right")
    for label, values in spent.items():
        table.add_row(label, f"{statistics.median(values):.1f}")
    table.add_row("in all", f"{sum(statistics.median(values) for values in spent.values()):.1f}")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=300, help="rounds of each kind (default 300)")
    parser.add_argument("--profile", metavar="KIND", help="print where the time of warm rounds of a kind goes")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    profile = cProfile.Profile() if options.profile else None
    table = Table(title="event → order at the gateway's door, µs")
    for column in ("what", "p50", "p90", "p99"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for kind in ("quote", "prepared", "book", "busy"):
        harness = Harness()
        if kind == "busy":
            harness.hold(40, 10)
        gc.collect()
        gc.freeze()
        for cold in (False, True):
            count = min(options.orders, 60) if kind == "busy" else options.orders
            wanted = profile if kind == options.profile and not cold else None
            took = [harness.round(kind, cold=cold, profile=wanted) for _ in range(count)]
            values = statistics.quantiles(took[10:], n=100)
            row = (f"{values[point - 1]:,.0f}" for point in (50, 90, 99))
            table.add_row(f"{kind}, {'cold' if cold else 'warm'}", *row)
    Console().print(table)
    for kind in ("prepared", "quote"):
        Console().print(stages(kind, options.orders))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
