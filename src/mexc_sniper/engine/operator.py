"""What the operator asks for: start, stop, inject, change the configuration. Each command is done once."""

import unicodedata
from typing import Any

from msgspec.structs import replace
from pydantic import ValidationError

from mexc_sniper.core.ids import listing_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.engine.effects import ReadBook, StartGateway, StopGateway, Unwatch, Watch
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.trader import Trader
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import CommandFinished, ComponentChanged, ConfigChanged, MonitorChanged, SignalReceived
from mexc_sniper.model.health import ComponentStatus, MonitorStatus
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.listing import (
    ListedAtBasis,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    SignalKind,
    Source,
    SourceTime,
)
from mexc_sniper.policy.config_rules import contradictions, large_raises

MAX_SYMBOL_LENGTH = 64


class Operator:
    """Handlers of commands."""

    def __init__(self, state: EngineState, trader: Trader, caps: HardCaps) -> None:
        self._state = state
        self._trader = trader
        self._caps = caps

    def command(self, turn: Turn, command: Command) -> None:
        """Carry a command out, unless it was done before or its time has passed."""
        if command.id in self._state.finished:
            return
        if turn.now_ns > command.expires_ns:
            self._finish(turn, command, CommandStatus.EXPIRED, "expired", "The command came too late.", 504)
            return
        match command.verb:
            case Verb.START_MONITOR:
                self.start_monitor(turn)
                self._finish(turn, command)
            case Verb.STOP_MONITOR:
                self._stop_monitor(turn)
                self._finish(turn, command)
            case Verb.INJECT_LISTING:
                self._inject(turn, command)
            case Verb.UPDATE_CONFIG:
                self._update_config(turn, command)
            case Verb.ROLLBACK_CONFIG:
                self._rollback_config(turn, command)
            case _:
                self._trader.commands.carry_out(turn, command, self._answer)

    def start_monitor(self, turn: Turn) -> None:
        """Begin to listen; already listening is fine."""
        state = self._state
        if state.running:
            return
        state.monitor = replace(
            state.monitor, wanted=True, status=MonitorStatus.RUNNING, started_at_ns=turn.now_ns, last_error=""
        )
        if not state.listening:
            state.listening = True
            turn.ask(StartGateway())
        for symbol, evidence in state.evidence.items():
            if evidence.watched:
                turn.ask(Watch(symbol))
        self._trader.gatekeeper.changed(turn)
        turn.entry(MonitorChanged(state=state.monitor))
        turn.note("monitor_started")

    def _stop_monitor(self, turn: Turn) -> None:
        state = self._state
        if not state.running:
            if state.monitor.wanted:
                state.monitor = replace(state.monitor, wanted=False)
                turn.entry(MonitorChanged(state=state.monitor))
            return
        state.monitor = replace(
            state.monitor, wanted=False, status=MonitorStatus.STOPPED, started_at_ns=None, websocket_connected=False
        )
        self._trader.gatekeeper.changed(turn)  # what was approved and has not left stays
        # What happens while stopped happened unwatched: the next answers are compared with this moment.
        state.last_life_ns = state.monitor.last_event_ns or turn.now_ns
        state.answered_ns.clear()
        held = self._trader.held_symbols()
        for symbol, evidence in state.evidence.items():
            if evidence.watched and symbol not in held:
                turn.ask(Unwatch(symbol))
        self.rest_if_flat(turn)
        for name, component in state.components.items():
            if name.startswith("source."):
                stopped = replace(
                    component, status=ComponentStatus.STOPPED, since_ns=turn.now_ns, detail="", figures={}
                )
                state.components[name] = stopped
                turn.entry(ComponentChanged(component=stopped))
        turn.entry(MonitorChanged(state=state.monitor))
        turn.note("monitor_stopped")

    def follow_positions(self, turn: Turn) -> None:
        """Listen for the prices of held pairs, whatever the monitor does: stopping it never stops an exit."""
        held = self._trader.held_symbols()
        if held and not self._state.listening:
            self._state.listening = True
            turn.ask(StartGateway())
        for symbol in held:
            turn.ask(Watch(symbol))
            turn.ask(ReadBook(symbol))

    def rest_if_flat(self, turn: Turn) -> None:
        """Stop listening once the monitor is stopped and no position needs its prices any more."""
        state = self._state
        if state.listening and not state.running and not self._trader.held_symbols():
            state.listening = False
            turn.ask(StopGateway())

    def _inject(self, turn: Turn, command: Command) -> None:
        symbol, problem = _checked_symbol(command.arguments.get("symbol"))
        if problem:
            self._finish(turn, command, CommandStatus.REFUSED, "invalid_symbol", problem, 422)
            return
        if not self._state.running:
            self._finish(
                turn,
                command,
                CommandStatus.REFUSED,
                "monitor_stopped",
                "The monitor is stopped; start it before injecting a test listing.",
                409,
            )
            return
        quote = Asset(str(command.arguments.get("quote") or "USDT"))
        base = Asset(symbol.removesuffix(quote) or symbol)
        kind = SignalKind.TEST_INJECTION
        listing = Listing(
            id=listing_id(symbol, command.id),
            symbol=symbol,
            base=base,
            quote=quote,
            full_name="Test injection",
            kind=ListingKind.INJECTED,
            phase=Phase.OPEN,
            outcome=Outcome.SKIPPED,
            reason=Reason.TEST_INJECTION,
            source=Source.TEST_INJECTION,
            first_signal=kind,
            listed_at_ns=turn.now_ns,
            listed_at_basis=ListedAtBasis.INJECTION,
            listed_at_frozen=True,
            detected_at_ns=turn.now_ns,
            opened_at_ns=turn.now_ns,
            detection_lag_ns=0,
            sources=(SourceTime(kind=kind, ts_recv_ns=turn.now_ns, ts_event_ns=command.created_ns, lag_ns=None),),
            newness_proof="Injected by the operator; not a real listing.",
        )
        signal = ListingSignal(symbol=symbol, kind=kind, stamp=turn.stamp, evidence=f"injected by {command.actor}")
        turn.write_only(listing)
        turn.entry(SignalReceived(listing_id=listing.id, signal=signal))
        turn.note("listing_injected", symbol=symbol, listing=listing.id, actor=command.actor)
        self._finish(turn, command, result={"listingId": listing.id, "symbol": symbol})

    def _update_config(self, turn: Turn, command: Command) -> None:
        current = self._state.config
        wanted = command.arguments.get("version")
        if wanted is not None and wanted != current.version:
            self._finish(
                turn,
                command,
                CommandStatus.REFUSED,
                "stale_version",
                f"The configuration is at version {current.version} by now; read it again and repeat the change.",
                409,
                result={"version": current.version},
            )
            return
        merged = {**current.config.model_dump(by_alias=True), **dict(command.arguments.get("config") or {})}
        try:
            config = TradeConfig.model_validate(merged)
        except ValidationError as error:
            fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
            self._refuse_config(turn, command, fields)
            return
        self._propose_config(turn, command, config)

    def _rollback_config(self, turn: Turn, command: Command) -> None:
        """Make an old version the newest again; it comes along as a whole and is asked what a new one is asked."""
        try:
            config = TradeConfig.model_validate(command.arguments.get("config"))
        except ValidationError:
            message = "There is no such version, or it is not valid any more."
            self._finish(turn, command, CommandStatus.REFUSED, "unknown_version", message, 404)
            return
        self._propose_config(turn, command, config)

    def _propose_config(self, turn: Turn, command: Command, config: TradeConfig) -> None:
        """Adopt a configuration that contradicts nothing and allows much more only with a second word."""
        if wrong := contradictions(config, self._caps):
            self._refuse_config(turn, command, wrong)
            return
        raised = large_raises(self._state.config.config, config)
        if raised and command.arguments.get("confirm") is not True:
            self._finish(
                turn,
                command,
                CommandStatus.REFUSED,
                "confirmation_required",
                f"This allows much more than before: {', '.join(f'{k} {v}' for k, v in raised.items())}. Confirm it.",
                409,
                result={"raises": raised},
            )
            return
        self._adopt_config(turn, command, config)

    def _refuse_config(self, turn: Turn, command: Command, fields: dict[str, str]) -> None:
        message = f"The configuration was not changed; mend: {', '.join(sorted(fields))}."
        self._finish(turn, command, CommandStatus.REFUSED, "invalid_config", message, 422, result={"fields": fields})

    def _adopt_config(self, turn: Turn, command: Command, config: TradeConfig) -> None:
        version = ConfigVersion(
            version=self._state.config.version + 1, created_ns=turn.now_ns, actor=command.actor, config=config
        )
        self._state.config = version
        turn.entry(ConfigChanged(version=version))
        turn.note("config_updated", version=version.version, actor=command.actor)
        self._trader.gatekeeper.changed(turn)
        self._finish(turn, command, result={"version": version.version})

    def _answer(
        self,
        turn: Turn,
        command: Command,
        *,
        code: str = "",
        message: str = "",
        http_status: int = 200,
        result: dict[str, Any] | None = None,
    ) -> None:
        """Finish a command of the trader: no code means done."""
        status = CommandStatus.REFUSED if code else CommandStatus.DONE
        self._finish(turn, command, status, code, message, http_status, result=result)

    def _finish(
        self,
        turn: Turn,
        command: Command,
        status: CommandStatus = CommandStatus.DONE,
        code: str = "",
        message: str = "",
        http_status: int = 200,
        *,
        result: dict[str, Any] | None = None,
    ) -> None:
        finished = CommandResult(
            id=command.id,
            verb=command.verb,
            actor=command.actor,
            status=status,
            code=code,
            message=message,
            http_status=http_status,
            result=result or {},
            finished_ns=turn.now_ns,
        )
        self._state.finished[command.id] = finished
        turn.entry(CommandFinished(result=finished))
        turn.note("command_finished", verb=str(command.verb), status=str(status), actor=command.actor, code=code)


def _checked_symbol(value: Any) -> tuple[Symbol, str]:
    """Accept any visible text as a symbol (they are not ASCII, REFERENCE 1.5); returns a problem otherwise."""
    if not isinstance(value, str) or not value.strip():
        return Symbol(""), "symbol: give the pair's name, such as EXAMPLEUSDT."
    text = value.strip()
    if len(text) > MAX_SYMBOL_LENGTH:
        return Symbol(""), f"symbol: at most {MAX_SYMBOL_LENGTH} characters."
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        return Symbol(""), "symbol: control characters are not allowed."
    return Symbol(text), ""
