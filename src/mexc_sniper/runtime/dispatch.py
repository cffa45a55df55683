"""Carries out what the engine asked for: ledger, gateway, log and counters."""

import structlog

from mexc_sniper import telemetry
from mexc_sniper.core.values import Symbol
from mexc_sniper.engine.effects import (
    Effect,
    ExpectOpenings,
    Note,
    ProbeAge,
    Record,
    Refresh,
    StartGateway,
    StopGateway,
    Unwatch,
    Watch,
)
from mexc_sniper.model.listing import ListingKind, Phase, Source
from mexc_sniper.ports import Ledger, MarketGateway
from mexc_sniper.runtime.gateway_runner import GatewayRunner

log = structlog.get_logger()

_QUIET_NOTES = frozenset({"signal_repeated"})
"""Counted, and logged only at debug level: they come with every repeated frame."""


class Dispatch:
    """Runs effects in order; none of them blocks."""

    def __init__(self, *, ledger: Ledger, gateway: MarketGateway, runner: GatewayRunner) -> None:
        self._ledger = ledger
        self._gateway = gateway
        self._runner = runner
        self.watched: dict[Symbol, None] = {}

    def run(self, effects: list[Effect]) -> None:
        """Carry out the effects of one event."""
        for effect in effects:
            match effect:
                case Record(entries):
                    self._ledger.append(entries)
                case Watch(symbol):
                    self.watched[symbol] = None
                    self._gateway.watch(symbol)
                case Unwatch(symbol):
                    self.watched.pop(symbol, None)
                    self._gateway.unwatch(symbol)
                case ProbeAge(symbol):
                    self._gateway.probe_age(symbol)
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
        case "config_updated":
            telemetry.CONFIG_UPDATES.inc()
    (log.debug if note.name in _QUIET_NOTES else log.info)(note.name, **fields)
