"""What is allowed at this moment: trading state, latches, arming and self-clearing conditions in one number."""

from msgspec.structs import replace

from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import SetGate
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.entries import TradingChanged
from mexc_sniper.model.limits import Gate

_VENUE_ONLY = frozenset({Reason.CLOCK_UNCERTAIN, Reason.VENUE_BANNED, Reason.VENUE_UNREACHABLE, Reason.LEASE_LOST})
"""Conditions that concern orders to the real venue and leave paper alone."""


class Gatekeeper:
    """Keeps the gate and tells the runtime whenever it changes."""

    def __init__(self, state: EngineState) -> None:
        self._state = state

    def gate(self, account: Account, *, manual: bool = False) -> Gate:
        """Return the gate of an account for entries. ``manual`` entries need arming but not auto-trade."""
        state, trading = self._state, self._state.trading
        closed: list[Reason] = []
        status = trading.status
        if status.state is TradingState.HALTED:
            closed.append(Reason.TRADING_HALTED)
        elif status.state is TradingState.REDUCING:
            closed.append(Reason.KILL_LATCHED if status.latched else Reason.TRADING_REDUCING)
        if not state.running and not manual:
            closed.append(Reason.MONITOR_STOPPED)
        if account is Account.LIVE:
            if not status.reconciled:
                closed.append(Reason.NOT_RECONCILED)
            if not self.armed(state.now_ns):
                closed.append(Reason.NOT_ARMED)
        closed.extend(reason for reason in trading.gates if account is Account.LIVE or reason not in _VENUE_ONLY)
        return Gate(generation=trading.generation, closed=tuple(closed))

    def armed(self, now_ns: int) -> bool:
        """Tell whether live entries are permitted by the operator now.

        A permission that outlived a restart counts again once the key was looked at: it may be another's by now.
        """
        trading = self._state.trading
        until_ns = trading.status.armed_until_ns
        return until_ns is not None and now_ns < until_ns and trading.key is not None

    def changed(self, turn: Turn) -> None:
        """Begin a new generation: every approval given before is void."""
        trading = self._state.trading
        trading.generation += 1
        for account in Account:
            turn.ask(SetGate(gate=self.gate(account), account=account))

    def save(self, turn: Turn) -> None:
        """Write the status with the conditions in force, and begin a new generation."""
        trading = self._state.trading
        gates = tuple(detail or str(reason) for reason, detail in trading.gates.items())
        trading.status = replace(trading.status, gates=gates)
        turn.entry(TradingChanged(status=trading.status))
        self.changed(turn)

    def signal(self, turn: Turn, reason: Reason, *, closed: bool, detail: str) -> None:
        """Take over a self-clearing condition."""
        gates = self._state.trading.gates
        if closed == (reason in gates):
            return  # told before; the detail of the first word stays
        if closed:
            gates[reason] = detail
        else:
            del gates[reason]
        turn.note("gate_changed", reason=str(reason), closed=closed, detail=detail)
        self.save(turn)
