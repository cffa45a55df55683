"""The kill switch, arming and the automatic limits that latch (DESIGN 4.1)."""

from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset
from mexc_sniper.engine.effects import LiftLatch
from mexc_sniper.engine.exits import Exits
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.events import KeyChecked
from mexc_sniper.model.order import OrderRole
from mexc_sniper.model.trading import AccountPin, PinState
from mexc_sniper.policy.accounts import pin_state

MAX_ARM_MINUTES = 24 * 60
_OTHER_ACCOUNT = frozenset({PinState.OTHER, PinState.UNKNOWN})


class KillSwitch:
    """Changes of what is allowed. Holds no state of its own."""

    def __init__(
        self, state: EngineState, gatekeeper: Gatekeeper, orders: Orders, exits: Exits, holdings: Holdings
    ) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._orders = orders
        self._exits = exits
        self._holdings = holdings

    def kill(self, turn: Turn, action: str, *, actor: str, reason: str) -> dict[str, int]:
        """Pause, cancel or flatten; latched until a person resumes. Returns what it set going.

        ``pause`` stops entries; ``cancel`` also cancels entry orders; ``flatten`` also sells all positions, and halts.
        """
        trading = self._state.trading
        flatten = action == "flatten"
        if trading.status.latched and trading.status.state is TradingState.HALTED and not flatten:
            # The graver word stands (RELIABILITY 2.6, row 96); what this one asks for is still done.
            trading.status = replace(trading.status, armed_until_ns=None)
        else:
            trading.status = replace(
                trading.status,
                state=TradingState.HALTED if flatten else TradingState.REDUCING,
                reason=reason or f"kill switch: {action}",
                actor=actor,
                since_ns=turn.now_ns,
                latched=True,
                flatten=flatten,
                armed_until_ns=None,
            )
        self._gatekeeper.save(turn)  # before anything else: no entry byte after this line
        trading.waiting.clear()
        canceled = sold = 0
        if action in ("cancel", "flatten"):
            for order in tuple(trading.orders.values()):
                if order.intent.role is OrderRole.ENTRY and not order.terminal:
                    canceled += 1
                    self._orders.cancel(turn, order, Reason.CANCELED_BY_KILL)
        if flatten:
            for position in tuple(trading.positions.values()):
                if not position.closed:
                    sold += self._exits.close(turn, position, OrderRole.FLATTEN)
        turn.note("kill_switch", action=action, actor=actor, reason=reason, canceled=canceled, sold=sold)
        return {"canceled": canceled, "sold": sold}

    def halt(self, turn: Turn, *, reason: str) -> None:
        """Latch HALTED because our own means cannot be trusted any more: a refused key, an impossible record."""
        trading = self._state.trading
        if trading.status.latched and trading.status.state is TradingState.HALTED:
            return
        trading.status = replace(
            trading.status,
            state=TradingState.HALTED,
            reason=reason,
            actor="engine",
            since_ns=turn.now_ns,
            latched=True,
            armed_until_ns=None,
        )
        self._gatekeeper.save(turn)
        trading.waiting.clear()
        turn.note("halted", reason=reason)

    def resume(self, turn: Turn, *, actor: str, reason: str) -> str:
        """Allow entries again; returns why not, or the empty text."""
        trading = self._state.trading
        if trading.live and not trading.status.reconciled:
            return "Orders and balances have not been compared with the venue yet; try again in a moment."
        trading.status = replace(
            trading.status,
            state=TradingState.ACTIVE,
            reason=reason or "resumed",
            actor=actor,
            since_ns=turn.now_ns,
            latched=False,
            flatten=False,
        )
        # The limits that latched are measured anew from here; today's loss itself is not forgotten.
        for account in Account:
            trading.losses_in_a_row[account] = 0
            trading.realized_peak[account] = trading.realized_total.get(account, Decimal(0))
        turn.ask(LiftLatch())
        self._gatekeeper.save(turn)
        turn.note("resumed", actor=actor, reason=reason)
        return ""

    def key_checked(self, turn: Turn, event: KeyChecked) -> None:
        """Arming needs a key that is fit, and the account that was armed before; what stops being so disarms."""
        trading = self._state.trading
        trading.key = event
        status = replace(
            trading.status,
            key_fit=not event.problems,
            canary_passed_ns=event.canary_passed_ns,
            pinned=pin_state(trading.status.pin, uid=event.uid, fingerprint=event.fingerprint),
        )
        turn.note("key_checked", fit=status.key_fit, problems=event.problems, warnings=event.warnings)
        if status != trading.status:
            trading.status = status
            self._gatekeeper.save(turn)
        unfit = bool(event.problems) and event.condemned
        if unfit or event.canary_passed_ns is None or status.pinned in _OTHER_ACCOUNT:
            self.disarm(turn, actor="key check")

    def arm(self, turn: Turn, *, actor: str, minutes: int, new_account: bool = False) -> str:
        """Permit live entries for a limited time; returns why not, or the empty text.

        The first arming pins the account; ``new_account``: a person says that another one is meant from now on.
        """
        trading = self._state.trading
        if not trading.live:
            return "The program runs in dry-run; start it with MEXC_SNIPER_MODE=live to arm."
        if not 1 <= minutes <= MAX_ARM_MINUTES:
            return f"minutes: between 1 and {MAX_ARM_MINUTES}."
        if trading.key is None:
            return "The key has not been checked yet; run mexc-sniper doctor."
        if trading.key.problems:
            return " ".join(trading.key.problems)
        if trading.key.canary_passed_ns is None:
            return (
                "No canary has passed with this key at this venue: stop the program, run mexc-sniper doctor --canary, "
                "and start it again."
            )
        if trading.status.pinned in _OTHER_ACCOUNT and not new_account:
            return (
                f"Live trading was armed for account {_account(trading.status.pin)} before, and this key belongs to "
                f"{_account_of(trading.key)}. Put the right key in place, or arm with --new-account if this one is "
                "meant."
            )
        if not trading.status.reconciled:
            return "Orders and balances have not been compared with the venue yet; try again in a moment."
        if trading.status.state is not TradingState.ACTIVE:
            return "Trading is not active; resume it first."
        pin = trading.status.pin
        if pin is None or pin.fingerprint != trading.key.fingerprint or trading.key.uid not in (None, pin.uid):
            pin = AccountPin(uid=trading.key.uid, fingerprint=trading.key.fingerprint, since_ns=turn.now_ns)
            turn.note("account_pinned", uid=pin.uid, actor=actor)
        trading.status = replace(
            trading.status,
            armed_until_ns=turn.now_ns + minutes * 60 * NS_PER_S,
            armed_by=actor,
            pin=pin,
            pinned=PinState.SAME,
        )
        self._gatekeeper.save(turn)
        turn.note("armed", actor=actor, minutes=minutes)
        return ""

    def disarm(self, turn: Turn, *, actor: str) -> None:
        """End the permission for live entries; live positions keep their exits."""
        trading = self._state.trading
        if trading.status.armed_until_ns is not None:
            trading.status = replace(trading.status, armed_until_ns=None, armed_by=actor)
            self._gatekeeper.save(turn)
            turn.note("disarmed", actor=actor)

    def tend(self, turn: Turn) -> None:
        """End an arming whose time is over; latch where a limit of loss is reached."""
        trading = self._state.trading
        until_ns = trading.status.armed_until_ns
        if until_ns is not None and turn.now_ns >= until_ns:
            self.disarm(turn, actor="time limit")
        if trading.status.latched:
            return
        config = self._state.config.config
        for account in Account:
            exposure = self._holdings.exposure(account, Asset("USDT"), turn.now_ns)
            reached = None
            if -exposure.realized_today >= config.daily_loss_limit_usdt > 0:
                reached = Reason.DAILY_LOSS_REACHED
            elif exposure.drawdown >= config.max_drawdown_usdt > 0:
                reached = Reason.DRAWDOWN_REACHED
            if reached is not None:
                self.kill(turn, "cancel", actor="limits", reason=f"{reached} ({account})")
                return


def _account(pin: AccountPin | None) -> str:
    return "of another key" if pin is None or pin.uid is None else pin.uid


def _account_of(key: KeyChecked) -> str:
    return "an account the venue does not name" if key.uid is None else f"account {key.uid}"
