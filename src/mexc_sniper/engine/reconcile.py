"""Making our records equal to the venue's: at every start before any entry, and again and again after."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import is_ours
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.engine.attention import raise_attention
from mexc_sniper.engine.effects import LookUp, ReadFills, Sweep, WakeAt
from mexc_sniper.engine.gate import Gatekeeper
from mexc_sniper.engine.holdings import STALE_ACCOUNT_NS, Holdings
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.entries import BalancesChanged
from mexc_sniper.model.events import BalancesRead, LookUpKind, OrderReported, VenueOrder, VenueSwept
from mexc_sniper.model.order import Order, OrderStatus
from mexc_sniper.model.trading import Attention, AttentionKind

EVERY_NS = 30 * NS_PER_S
RETRY_NS = 2 * NS_PER_S
FIRST_AGAIN_NS = 3 * NS_PER_S
"""After a first comparison that did not end well. It costs weight 23 and 2 for each unsettled order (REFERENCE 1.3), so
that all of them take about a quarter of the venue's 300 in 10 s."""
SYMBOLS_AT_ONCE = 3
"""Pairs of one comparison."""
SYMBOLS_AT_FIRST = 1
"""Pairs of a life's first: a start is not to wait for room that the lives just before it used up."""
HISTORY_NS = 24 * 3_600 * NS_PER_S
"""How far the venue's list of a pair's orders reaches back unasked (REFERENCE 1.7)."""
MAX_LISTINGS = 5
"""Looked at in one comparison for entries that left no trace: each costs weight 10 of 300 (REFERENCE 1.3)."""
ZERO = Decimal(0)


class Reconciliation:
    """Compares, adopts what is ours, raises what is not. Holds no state of its own."""

    def __init__(self, state: EngineState, gatekeeper: Gatekeeper, holdings: Holdings) -> None:
        self._state = state
        self._gatekeeper = gatekeeper
        self._holdings = holdings

    def ask(self, turn: Turn) -> None:
        """Ask the venue for what must agree; live accounts only.

        All balances every time, and the orders of some of our pairs in turn, for a pair costs weight 10 of 300
        (REFERENCE 1.3). Until they were equal once in this life, unsettled orders of the other pairs one by one
        (weight 2); later each is looked up until it is settled.
        """
        trading = self._state.trading
        if not trading.live:
            return
        trading.swept_ns, trading.sweeping = turn.now_ns, True
        symbols, is_first = self._symbols(), trading.sweeps == 0
        at_once = SYMBOLS_AT_ONCE if trading.status.reconciled else SYMBOLS_AT_FIRST
        first = trading.sweeps % max(1, len(symbols))
        trading.sweeps += at_once
        turned = (*symbols[first:], *symbols[:first])
        listed, left_out = turned[:at_once], frozenset(turned[at_once:])
        if trading.status.reconciled:
            trading.left_out = left_out
            turn.ask(Sweep(Account.LIVE, listed))
            return
        trading.left_out = frozenset()
        orders = tuple(order for order in self._unsettled() if order.intent.symbol in left_out)
        listed = tuple(dict.fromkeys((*listed, *self._perhaps_entered(turn, is_first=is_first))))
        turn.ask(Sweep(Account.LIVE, listed, orders))

    def _symbols(self) -> tuple[Symbol, ...]:
        """Return the pairs with unsettled live orders or open live positions, newest first."""
        symbols = {order.intent.symbol: None for order in self._unsettled()}
        for position in self._state.trading.positions.values():
            if position.account is Account.LIVE and not position.closed:
                symbols[position.symbol] = None
        return tuple(reversed(symbols))

    def _unsettled(self) -> Iterator[Order]:
        trading = self._state.trading
        for order in trading.orders.values():
            # A crash may leave as many doubts as entries lay prepared. Each is asked about until it is resolved, its
            # amount reserved meanwhile, and is not to hold up what protects the positions we have.
            doubtful = order.status is OrderStatus.IN_DOUBT and not trading.status.reconciled
            if order.intent.account is Account.LIVE and not order.settled and not doubtful:
                yield order

    def _perhaps_entered(self, turn: Turn, *, is_first: bool) -> list[Symbol]:
        """Return pairs where a power cut may have taken the intent of an entry that left (DESIGN 2), or all trace of
        the listing too: those whose coins the account holds, those without an entry, then the newest.

        They are asked for at once, to tell soon, and when absence from the venue's list has become proof.
        """
        trading = self._state.trading
        if not trading.lacking_until_ns or not (is_first or turn.now_ns >= trading.lacking_until_ns):
            return []
        newest_first = reversed(self._state.active.values())
        likely_first = sorted(newest_first, key=lambda one: (not self._holds(one.base), one.id in trading.entry_of))
        return [listing.symbol for listing in likely_first[:MAX_LISTINGS]]

    def _holds(self, asset: Asset) -> bool:
        balance = self._state.trading.balances.get((Account.LIVE, asset))
        return balance is not None and balance.free + balance.locked > 0

    def look_back(self, turn: Turn, last_life_ns: int | None) -> None:
        """After an absence longer than the venue's lists reach, with live orders or positions: ask a person.

        What was filled, canceled or sold meanwhile cannot be listed any more, so "all is well" is not for us to say.
        """
        trading = self._state.trading
        if not trading.live or last_life_ns is None or turn.now_ns - last_life_ns <= HISTORY_NS:
            return
        left = [o.intent.symbol for o in trading.orders.values() if o.intent.account is Account.LIVE and not o.settled]
        left += [p.symbol for p in trading.positions.values() if p.account is Account.LIVE and not p.closed]
        if not left:
            return
        days = (turn.now_ns - last_life_ns) / (24 * 3_600 * NS_PER_S)
        raise_attention(
            self._state,
            turn,
            Attention(
                id=str(AttentionKind.LONG_ABSENCE),
                kind=AttentionKind.LONG_ABSENCE,
                account=Account.LIVE,
                symbol=None,
                text=f"The program was away for {days:.1f} days, and the venue lists no orders that old. Compare "
                f"{', '.join(sorted(set(left)))} with the venue's app; adopt takes the account's balances for our "
                "positions, ignore keeps them as they are. Until then nothing is entered live.",
                raised_ns=turn.now_ns,
            ),
        )

    def tend(self, turn: Turn) -> None:
        """Ask again when it is time."""
        trading = self._state.trading
        self._tend_balances(turn)
        # One that waits for room under the venue's limits must not be joined by others that fill it.
        pause_ns = EVERY_NS if trading.status.reconciled or trading.sweeping else FIRST_AGAIN_NS
        if trading.live and turn.now_ns - trading.swept_ns >= pause_ns:
            self.ask(turn)

    def _tend_balances(self, turn: Turn) -> None:
        """Read them between two comparisons when something waits for them: a proof of absence, once for all of those,
        or what an execution left, which the private stream has not told (it may be silent and not know it)."""
        trading = self._state.trading
        asked_ns = max(trading.balances_tried_ns, trading.balances_asked_ns)
        if trading.sweeping or not trading.status.reconciled or turn.now_ns - asked_ns < RETRY_NS:
            return
        known_ns = max(trading.balances_asked_ns, trading.balances_heard_ns)
        untold = known_ns < trading.filled_live_ns <= turn.now_ns - RETRY_NS
        if untold or any(
            doubt.wants_balances(turn.now_ns, trading.balances_asked_ns) for doubt in trading.doubts.values()
        ):
            trading.balances_tried_ns = turn.now_ns
            trading.sweeping, trading.left_out = True, frozenset(self._symbols())
            turn.ask(Sweep(Account.LIVE, ()))

    def swept(self, turn: Turn, event: VenueSwept) -> list[OrderReported]:
        """Compare; returns the reports that the orders should hear."""
        trading = self._state.trading
        trading.sweeping = False
        if event.failed:
            turn.note("reconciliation_failed", detail=event.failed)
            if trading.status.reconciled:
                trading.swept_ns = turn.now_ns + RETRY_NS - EVERY_NS  # soon again: balances may be old by now
            turn.ask(WakeAt(turn.now_ns + RETRY_NS))
            return []
        trading.balances_asked_ns = max(trading.balances_asked_ns, event.asked_ns)
        reports: list[OrderReported] = []
        listed: dict[str, dict[str, VenueOrder]] = {}
        for row in (*event.recent_orders, *event.open_orders):
            listed.setdefault(row.client_order_id, {})[str(row.report.venue_order_id)] = row
        for name, venue_order in ((name, row) for name, rows in listed.items() for row in rows.values()):
            known = trading.orders.get(venue_order.report.client_order_id)
            if known is not None:
                ids = {str(known.venue_order_id)} if known.venue_order_id else set(listed[name])
                if ids == {str(venue_order.report.venue_order_id)}:
                    reports.append(OrderReported(stamp=turn.stamp, report=venue_order.report))
                else:
                    self._twice(turn, venue_order)
            elif venue_order.report.client_order_id in trading.forgotten:
                continue
            elif is_ours(name):
                self._foreign(turn, venue_order, second_copy=True)
            elif any(o.client_order_id == name for o in event.open_orders):
                self._foreign(turn, venue_order, second_copy=False)
        self._balances(turn, event)
        equal = True
        for order in trading.orders.values():
            if order.intent.account is not Account.LIVE or order.settled:
                continue
            unseen = order.intent.client_order_id not in listed and order.status is not OrderStatus.IN_DOUBT
            if unseen and order.intent.symbol not in trading.left_out:
                turn.ask(LookUp(order, LookUpKind.ORDER))
            if self._holdings.filled_of(order) < order.filled_quantity:
                equal = False
                if not self._holdings.entry_unbooked(order):
                    turn.ask(ReadFills(order))
        equal = self._positions_covered(turn) and equal
        if any(item.kind is AttentionKind.LONG_ABSENCE for item in trading.attention.values()):
            equal = False  # the venue's lists do not reach back so far: a person must say that all is well
        if equal and not trading.status.reconciled and event.asked_ns < trading.lacking_until_ns:
            # Equal, but an order that we lost may not be listed yet: nothing is entered before it must be.
            trading.swept_ns = trading.lacking_until_ns - FIRST_AGAIN_NS
            turn.ask(WakeAt(trading.lacking_until_ns))
            turn.note("compared_again_later", reason="a power cut may hide an order", at_ns=trading.lacking_until_ns)
        elif equal and not trading.status.reconciled:
            state = trading.status.state if trading.status.latched else TradingState.ACTIVE
            trading.status = replace(
                trading.status, reconciled=True, state=state, reason=trading.status.reason or "start"
            )
            self._gatekeeper.save(turn)
            turn.note("reconciled", orders=len(listed), balances=len(event.balances))
        return reports

    def balances(self, turn: Turn, event: BalancesRead) -> None:
        """Take over balances as told."""
        trading = self._state.trading
        changed = []
        for balance in event.balances:
            key = (event.account, balance.asset)
            if trading.balances.get(key) != balance:
                trading.balances[key] = balance
                trading.touched += 1
                changed.append(balance)
        if event.complete:
            told = {balance.asset: None for balance in event.balances}
            for account, asset in tuple(trading.balances):
                if account is event.account and asset not in told:
                    gone = replace(trading.balances[(account, asset)], free=ZERO, locked=ZERO)
                    if gone != trading.balances[(account, asset)]:
                        trading.balances[(account, asset)] = gone
                        trading.touched += 1
                        changed.append(gone)
        if changed:
            turn.entry(BalancesChanged(balances=tuple(changed)))

    # ------------------------------------------------------------------ inside

    def _balances(self, turn: Turn, event: VenueSwept) -> None:
        self.balances(
            turn, BalancesRead(stamp=turn.stamp, account=event.account, balances=event.balances, complete=True)
        )

    def _positions_covered(self, turn: Turn) -> bool:
        """Every live position must be backed by coins; less is a Discrepancy, more is somebody's own business."""
        trading = self._state.trading
        covered = True
        for position in trading.positions.values():
            if position.account is not Account.LIVE or position.closed:
                continue
            balance = trading.balances.get((Account.LIVE, position.base))
            held = ZERO if balance is None else balance.free + balance.locked
            if held < position.quantity and not self._holdings.exits_on_their_way(position):
                covered = False
                filled_ns = trading.filled_ns.get(position.id, position.opened_ns)
                if turn.now_ns - filled_ns < STALE_ACCOUNT_NS:
                    turn.note("account_behind_fills", symbol=position.symbol, held=str(held))
                    continue  # the venue's answer may come from before our last fill (RELIABILITY 2.2, 35)
                raise_attention(
                    self._state,
                    turn,
                    Attention(
                        id=f"{AttentionKind.DISCREPANCY}:{position.id}",
                        kind=AttentionKind.DISCREPANCY,
                        account=Account.LIVE,
                        symbol=position.symbol,
                        text=f"The account holds {held} {position.base}, our fills say {position.quantity}. If you "
                        "sold some yourself, resolve this as adopt.",
                        raised_ns=turn.now_ns,
                        position_id=position.id,
                    ),
                )
        return covered or bool(trading.status.reconciled)

    def _twice(self, turn: Turn, order: VenueOrder) -> None:
        """The venue holds two orders under one id of ours, and it says that it never does (RELIABILITY 2.3, 39)."""
        attention_id = f"{AttentionKind.FOREIGN_ORDER}:{order.report.venue_order_id}"
        if attention_id in self._state.trading.acknowledged:
            return
        raise_attention(
            self._state,
            turn,
            Attention(
                id=attention_id,
                kind=AttentionKind.FOREIGN_ORDER,
                account=Account.LIVE,
                symbol=order.symbol,
                text=f"The venue holds more than one order for {order.symbol} under our id {order.client_order_id}; "
                f"{order.report.venue_order_id} is not the one we know. Trading is halted: look at the venue's own "
                "order list.",
                raised_ns=turn.now_ns,
            ),
        )
        self._halt(turn, "two orders at the venue under one id of ours")

    def _halt(self, turn: Turn, reason: str) -> None:
        trading = self._state.trading
        if trading.status.latched:
            return
        trading.status = replace(
            trading.status,
            state=TradingState.HALTED,
            latched=True,
            reason=reason,
            actor="reconciliation",
            since_ns=turn.now_ns,
        )
        self._gatekeeper.save(turn)

    def _foreign(self, turn: Turn, order: VenueOrder, *, second_copy: bool) -> None:
        attention_id = f"{AttentionKind.FOREIGN_ORDER}:{order.client_order_id or order.report.venue_order_id}"
        if attention_id in self._state.trading.acknowledged:
            return  # a person has looked at this very order, and the venue lists it for days
        text = (
            f"The venue has an order of our form for {order.symbol} that we do not know. A second copy of the program "
            "may be running with the same key; trading is halted."
            if second_copy
            else f"The account has an open order for {order.symbol} that is not ours. It is left alone."
        )
        fresh = raise_attention(
            self._state,
            turn,
            Attention(
                id=attention_id,
                kind=AttentionKind.FOREIGN_ORDER,
                account=Account.LIVE,
                symbol=order.symbol,
                text=text,
                raised_ns=turn.now_ns,
            ),
        )
        if second_copy and fresh:
            self._halt(turn, "an unknown order of our form at the venue")
