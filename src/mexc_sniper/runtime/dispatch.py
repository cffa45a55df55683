"""Carries out what the engine asked for: ledger, gateway, log and counters."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from mexc_sniper import telemetry
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.effects import (
    CancelOrder,
    Effect,
    ExpectOpenings,
    FireAt,
    HushPolls,
    LiftLatch,
    LookUp,
    Note,
    Prepare,
    ProbeAge,
    ReadBook,
    ReadFills,
    Record,
    Refresh,
    SetGate,
    StartGateway,
    StopGateway,
    Submit,
    Sweep,
    Unprepare,
    Unwatch,
    WakeAt,
    Watch,
)
from mexc_sniper.model.account import Account
from mexc_sniper.model.listing import ListingKind, Phase, Source
from mexc_sniper.ports import Ledger, MarketGateway, OrderGateway
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.gateway_runner import GatewayRunner
from mexc_sniper.runtime.journal_keeper import JournalKeeper
from mexc_sniper.runtime.preparer import Preparer

log = structlog.get_logger()

_QUIET_NOTES = frozenset({"signal_repeated"})
"""Counted, and logged only at debug level: they come with every repeated frame."""


class Dispatch:
    """Runs effects in order; none of them blocks."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        gateway: MarketGateway,
        runner: GatewayRunner,
        desk: OrderDesk,
        orders: Mapping[Account, OrderGateway],
        preparer: Preparer,
        wake_at: Callable[[int], None],
        keeper: JournalKeeper | None = None,
    ) -> None:
        self._keeper = keeper
        self._ledger = ledger
        self._gateway = gateway
        self._runner = runner
        self._desk = desk
        self._orders = orders
        self._preparer = preparer
        self._wake_at = wake_at
        self.watched: dict[Symbol, None] = {}

    def urgent(self, effect: Effect) -> None:
        """Carry out an order or a gate while the engine is still at work on the event that caused it."""
        if isinstance(effect, Submit):
            self._desk.submit(effect.approved)
        elif isinstance(effect, SetGate):
            self._desk.set_gate(effect.account, effect.gate)

    def run(self, effects: list[Effect]) -> None:
        """Carry out the effects of one event; orders are sent before the ledger is told."""
        for effect in effects:
            match effect:
                case Submit() | SetGate():
                    self.urgent(effect)
                case LiftLatch():
                    self._desk.lift_latch()
                case CancelOrder(order):
                    self._desk.cancel(order)
                case LookUp(order, kind):
                    self._orders[order.intent.account].look_up(order, kind)
                case ReadFills(order):
                    self._orders[order.intent.account].read_fills(order)
                case Sweep(account, symbols, compared):
                    self._orders[account].sweep(symbols, compared)
                case Prepare(symbol, prepared):
                    self._preparer.prepare(symbol, prepared)
                case Unprepare(symbol):
                    self._preparer.unprepare(symbol)
                case FireAt(symbol, wall_ns):
                    self._preparer.fire_at(symbol, wall_ns)
                case HushPolls(until_ns):
                    self._gateway.hush(until_ns)
                case WakeAt(wall_ns):
                    self._wake_at(wall_ns)
                case Record(entries):
                    self._ledger.append(entries)
                    if self._keeper is not None:
                        self._keeper.see(entries)
                case Watch(symbol):
                    self.watched[symbol] = None
                    self._gateway.watch(symbol)
                case Unwatch(symbol):
                    self.watched.pop(symbol, None)
                    self._gateway.unwatch(symbol)
                case ProbeAge(symbol):
                    self._gateway.probe_age(symbol)
                case ReadBook(symbol):
                    self._gateway.read_book(symbol)
                case ExpectOpenings(opens_at_ns):
                    self._gateway.expect_openings(opens_at_ns)
                case Refresh(source):
                    self._gateway.refresh(source)
                case StartGateway():
                    self._runner.start()
                case StopGateway():
                    self._runner.stop()
                case Note():
                    _tell(effect)


def _tell(note: Note) -> None:
    fields = note.fields
    match note.name:
        case "signal_received" | "signal_repeated":
            repeated = note.name == "signal_repeated"
            telemetry.SIGNALS.labels(kind=fields["kind"], duplicate=str(repeated).lower()).inc()
            if fields.get("lag_ms") is not None:
                telemetry.SOURCE_LAG.labels(kind=fields["kind"]).observe(fields["lag_ms"] / 1000)
        case "listing_classified" if fields["kind"] == ListingKind.NEW:
            telemetry.LISTINGS_DETECTED.labels(source=fields["source"]).inc()
        case "listing_injected":
            telemetry.LISTINGS_DETECTED.labels(source=str(Source.TEST_INJECTION)).inc()
        case "listing_phase" if fields["phase"] == Phase.OPEN and fields["detection_lag_ms"] is not None:
            telemetry.DETECTION_LAG.observe(fields["detection_lag_ms"] / 1000)
        case "command_finished":
            telemetry.COMMANDS.labels(verb=fields["verb"], status=fields["status"]).inc()
        case "entry_denied":
            telemetry.RISK_REJECTIONS.labels(reason=fields["reason"]).inc()
        case "trade_ended":
            _count_trade(fields)
        case "config_updated":
            telemetry.CONFIG_UPDATES.inc()
    (log.debug if note.name in _QUIET_NOTES else log.info)(note.name, **fields)


def _count_trade(fields: dict[str, Any]) -> None:
    telemetry.TRADES.labels(mode=fields["mode"], status=fields["status"]).inc()
    for stage in ("tick_to_trade", "round_trip", "ack_to_fill", "open_to_order"):
        if fields.get(f"{stage}_ms") is not None:
            telemetry.TRADE_SECONDS.labels(mode=fields["mode"], stage=stage).observe(fields[f"{stage}_ms"] / 1000)
