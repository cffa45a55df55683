"""Small mutations of the real code, each of a kind that has cost somebody money. The simulation must find every one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine import trader as engine_trader
from mexc_sniper.engine.doubts import PLACES
from mexc_sniper.engine.entries import Entries
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.orders import Orders
from mexc_sniper.journal.journal import FileJournal
from mexc_sniper.model.account import Account
from mexc_sniper.model.order import TERMINAL, OrderStatus
from mexc_sniper.policy import checks as policy_checks
from mexc_sniper.policy import order_table
from mexc_sniper.policy import risk as policy_risk
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.venues.mexc.order_entry import OrderEntry
from mexc_sniper.venues.mexc.order_gateway import MexcOrderGateway
from tests.simulation import world as simulated

S = OrderStatus
Patch = Callable[["Patches"], None]


class Patches:
    """Replaces attributes and puts them back."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, value: Any) -> Any:
        """Replace an attribute; returns the original."""
        original = owner.__dict__[name]
        self._undo.append((owner, name, original))
        setattr(owner, name, value)
        return original

    def undo(self) -> None:
        """Put everything back."""
        for owner, name, original in reversed(self._undo):
            setattr(owner, name, original)


def _timeout_is_failure(patch: Patches) -> None:
    """No answer counts as a refusal (hummingbot 493)."""
    original: Any = None

    def answered(self: Any, intent: Any, verdict: Any, exchange: Any) -> None:
        if verdict.status is S.IN_DOUBT:
            verdict = verdict._replace(status=S.REJECTED, reason=Reason.VENUE_REFUSED)
        original(self, intent, verdict, exchange)

    original = patch.put(MexcOrderGateway, "_submit_answered", answered)


def _timeout_may_be_retried(patch: Patches) -> None:
    """No answer counts as "not open yet", after which the next attempt goes out."""
    original: Any = None

    def answered(self: Any, intent: Any, verdict: Any, exchange: Any) -> None:
        if verdict.status is S.IN_DOUBT:
            verdict = verdict._replace(status=S.REJECTED, reason=Reason.NOT_OPEN_TO_API)
        original(self, intent, verdict, exchange)

    original = patch.put(MexcOrderGateway, "_submit_answered", answered)


def _not_found_is_proof(patch: Patches) -> None:
    """One "does not exist" ends the doubt (hummingbot 601)."""
    original: Any = None

    def looked_up(self: Any, turn: Any, event: Any) -> Any:
        order = self._state.trading.orders.get(event.client_order_id)
        if order is not None and order.status is S.IN_DOUBT and event.found is None and not event.failed:
            self._state.trading.doubts[event.client_order_id].fence_ns = 0
            self._state.trading.doubts[event.client_order_id].absent_after_fence = dict.fromkeys(PLACES, event.asked_ns)
            return self._end_if_absent(turn, order)
        return original(self, turn, event)

    original = patch.put(Orders, "looked_up", looked_up)


def _post_repeated(patch: Patches) -> None:
    """A submit without an answer is sent again by the connection."""
    original: Any = None

    def answered(self: Any, symbol: Any, client_order_id: Any, told: Any, exchange: Any) -> None:
        if exchange.answer is None and "again" not in self.__dict__.setdefault("_repeated", {}):
            self._repeated["again"] = True
            request = self._last_request
            if b"POST" in request[:5]:
                self._lines.send(request, lambda _: None, may_use_reserve=True)
        original(self, symbol, client_order_id, told, exchange)

    def submit(self: Any, intent: Any, answer: Any) -> Any:
        self._last_request = self._requests.order_now(intent, self._venue_ms())
        return sent(self, intent, answer)

    original = patch.put(OrderEntry, "_answered", answered)
    sent = patch.put(OrderEntry, "submit", submit)


def _sent_before_journal(patch: Patches) -> None:
    """The bytes leave, then the intent is written (freqtrade)."""

    def send(self: Any, approved: Any) -> None:
        self._gateways[approved.intent.account].submit(approved)
        if approved.intent.account is Account.LIVE:
            self._journaled(approved)

    patch.put(OrderDesk, "_send", send)


def _journal_failure_ignored(patch: Patches) -> None:
    """An order leaves although the journal could not be written."""

    def journaled(self: Any, approved: Any) -> bool:
        with suppress(StoreError):
            self._journal.write(approved)
        return True

    patch.put(OrderDesk, "_journaled", journaled)


def _journal_not_read(patch: Patches) -> None:
    """A start believes the ledger alone."""
    patch.put(simulated, "with_journaled", lambda restored, recovered, now_ns: restored)


def _grant_ignored(patch: Patches) -> None:
    """Orders leave beyond what a fsynced grant covers."""
    from mexc_sniper.journal.grants import Budget

    patch.put(Budget, "covers", lambda self, intent, draw: True)
    original: Any = None

    def renew(self: Any, segment: Any) -> None:
        del segment

    original = patch.put(FileJournal, "_renew_grant", renew)
    del original
    limits = simulated.GrantLimits
    patch.put(simulated, "GrantLimits", lambda **more: limits(entries=1, exits=1, **more))


def _leaving_forgotten(patch: Patches) -> None:
    """What was leaving when the last life ended is taken for what the ledger says of it."""
    patch.put(engine_trader, "_in_doubt_after_end", lambda order, now_ns: order)


def _reserved_after_ack(patch: Patches) -> None:
    """Money counts as at stake only when the venue has acknowledged the order."""
    _exposure_without(patch, lambda order: order.acked_ns is None)


def _released_at_end(patch: Patches) -> None:
    """The reservation goes at the first word of an end, before it is settled."""
    _exposure_without(patch, lambda order: order.status in TERMINAL)


def _doubt_not_counted(patch: Patches) -> None:
    """An order in doubt counts as nothing."""
    _exposure_without(patch, lambda order: order.status is S.IN_DOUBT)


def _exposure_without(patch: Patches, left_out: Callable[[Any], bool]) -> None:
    original: Any = None

    def exposure(self: Any, account: Any, quote: Any, now_ns: int) -> Any:
        trading = self._state.trading
        everything = trading.orders
        trading.orders = {name: order for name, order in everything.items() if not left_out(order)}
        try:
            return original(self, account, quote, now_ns)
        finally:
            trading.orders = everything

    original = patch.put(Holdings, "exposure", exposure)


def _position_limit_without_order(patch: Patches) -> None:
    """The limit is compared with what is held, not with what will be."""
    checks = tuple(
        (reason, (lambda view: policy_checks._at_most(view.exposure.at_stake, view.config.max_position_usdt)))
        if reason is Reason.ABOVE_MAX_POSITION
        else (reason, check)
        for reason, check in policy_risk.AHEAD
    )
    patch.put(policy_risk, "AHEAD", checks)


def _execution_counted_twice(patch: Patches) -> None:
    """A repeated execution counts again."""
    original: Any = None

    def fills(self: Any, turn: Any, event: Any) -> None:
        trading = self._state.trading
        trading.executions.clear()
        for fill in event.fills:
            trading.booked.pop(fill.client_order_id, None)
        original(self, turn, event)

    original = patch.put(Orders, "fills", fills)


def _late_fill_ignored(patch: Patches) -> None:
    """What fills after the end is not counted (hummingbot 3374)."""
    patch.put(order_table, "_after_the_end", lambda before, after, report, *, more: before)


def _stale_answer_believed(patch: Patches) -> None:
    """An older answer lowers the filled quantity."""

    def cumulative(order: Any, report: Any) -> Any:
        filled = order.filled_quantity if report.filled_quantity is None else report.filled_quantity
        quote = order.filled_quote if report.filled_quote is None else report.filled_quote
        return filled, quote

    original: Any = None

    def after_the_end(before: Any, after: Any, report: Any, *, more: bool) -> Any:
        return original(before, after, report, more=True) if more else after

    patch.put(order_table, "_cumulative", cumulative)
    original = patch.put(order_table, "_after_the_end", after_the_end)


def _partial_cancel_is_nothing(patch: Patches) -> None:
    """An order canceled in part counts as if nothing had been filled."""
    original: Any = None

    def cumulative(order: Any, report: Any) -> Any:
        if report.status is S.CANCELED:
            return order.filled_quantity, order.filled_quote
        return original(order, report)

    original = patch.put(order_table, "_cumulative", cumulative)


def _end_is_not_final(patch: Patches) -> None:
    """A word from before the end revives an order."""

    def after_the_end(before: Any, after: Any, report: Any, *, more: bool) -> Any:
        return replace(after, status=report.status, ended_ns=None)

    patch.put(order_table, "_after_the_end", after_the_end)


def _ack_is_fill(patch: Patches) -> None:
    """An acknowledged market order counts as filled."""
    original: Any = None

    def answered(self: Any, intent: Any, verdict: Any, exchange: Any) -> None:
        if verdict.status is S.ACCEPTED:
            verdict = verdict._replace(status=S.FILLED)
        original(self, intent, verdict, exchange)

    original = patch.put(MexcOrderGateway, "_submit_answered", answered)


def _base_fee_forgotten(patch: Patches) -> None:
    """A fee taken in the coin itself is not taken off the position."""
    from mexc_sniper.engine import holdings

    original: Any = None

    def apply_fill(position: Any, fill: Any) -> Any:
        if fill.fee_asset == position.base:
            fill = replace(fill, fee=Decimal(0))
        return original(position, fill)

    original = patch.put(holdings, "apply_fill", apply_fill)


def _exits_not_reserved(patch: Patches) -> None:
    """Two exits may sell the same coins."""
    patch.put(Holdings, "free_quantity", lambda self, position: position.quantity)


def _exit_sells_what_was_bought(patch: Patches) -> None:
    """An exit is sized by what was bought, not by what is left."""
    patch.put(Holdings, "free_quantity", lambda self, position: position.bought_quantity)


def _latch_not_looked_at(patch: Patches) -> None:
    """The kill switch's file is looked at once a second only."""
    original: Any = None

    def may_leave(self: Any, approved: Any) -> bool:
        look, self.look_at_latch = self.look_at_latch, lambda: None
        try:
            return bool(original(self, approved))
        finally:
            self.look_at_latch = look

    original = patch.put(OrderDesk, "_may_leave", may_leave)


def _kill_not_rechecked(patch: Patches) -> None:
    """What waited for the rate limit leaves without being asked again."""

    def wake(self: Any) -> None:
        for waiting in self._waiting.values():
            if len(waiting):
                now_ns = self._clock.mono_ns()
                for approved in waiting.expired(now_ns):
                    self._not_sent(approved, Reason.THROTTLED)
                for approved in waiting.due(now_ns):
                    self._send(approved)
                self._plan_wake(waiting, now_ns)

    patch.put(OrderDesk, "wake", wake)


def _config_change_unnoticed(patch: Patches) -> None:
    """A lowered limit leaves approvals of before in force."""
    from mexc_sniper.engine.operator import Operator

    original: Any = None

    def adopt(self: Any, turn: Any, command: Any, config: Any) -> None:
        gatekeeper = self._trader.gatekeeper
        gatekeeper.changed = lambda turn: None
        try:
            original(self, turn, command, config)
        finally:
            del gatekeeper.changed

    original = patch.put(Operator, "_adopt_config", adopt)


def _entry_before_reconciliation(patch: Patches) -> None:
    """A new life enters before it knows what the last one left."""
    original: Any = None

    def gate(self: Any, account: Any, *, manual: bool = False) -> Any:
        found = original(self, account, manual=manual)
        return replace(found, closed=tuple(reason for reason in found.closed if reason not in _UNREADY))

    original = patch.put(Gatekeeper, "gate", gate)


_UNREADY = (Reason.NOT_RECONCILED, Reason.TRADING_REDUCING, Reason.TRADING_HALTED)


def _armed_for_ever(patch: Patches) -> None:
    """A disarmed engine goes on entering."""

    def armed(self: Any, now_ns: int) -> bool:
        del now_ns
        return bool(self._state.trading.status.reconciled)

    patch.put(Gatekeeper, "armed", armed)


def _refused_without_reason(patch: Patches) -> None:
    """An order that never left does not say why."""
    original: Any = None

    def not_sent(self: Any, approved: Any, reason: Any) -> None:
        original(self, approved, None)

    original = patch.put(OrderDesk, "_not_sent", not_sent)


def _entered_again(patch: Patches) -> None:
    """An entry that ended without a fill is tried again whatever the reason."""

    def may_try_again(self: Any, turn: Any, waiting: Any, order: Any) -> bool:
        return bool(waiting.attempt < 3)

    patch.put(Entries, "_may_try_again", may_try_again)
    _timeout_is_failure(patch)


BUGS: Mapping[str, Patch] = MappingProxyType(
    {
        name.removeprefix("_"): bug
        for name, bug in list(globals().items())
        if name.startswith("_") and getattr(bug, "__annotations__", {}).get("patch") in (Patches, "Patches")
        and name != "_exposure_without"
    }
)  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have a bug while the block runs."""
    patch = Patches()
    try:
        BUGS[name](patch)
        yield
    finally:
        patch.undo()
