"""Operator commands that concern trading: each answered once, a manual entry when its first outcome is known."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from mexc_sniper.core.ids import ClientOrderId, PositionId, TradeId
from mexc_sniper.core.reasons import SENTENCES, Reason
from mexc_sniper.core.values import Price, Symbol
from mexc_sniper.engine.effects import ReadBook, WakeAt, Watch
from mexc_sniper.engine.entries import Entries, amount_from
from mexc_sniper.engine.exits import Exits
from mexc_sniper.engine.holdings import Holdings
from mexc_sniper.engine.killswitch import KillSwitch
from mexc_sniper.engine.orders import Orders
from mexc_sniper.engine.prepare import Preparation
from mexc_sniper.engine.state import EngineState
from mexc_sniper.engine.turn import Turn
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import Command, Verb
from mexc_sniper.model.entries import AttentionChanged
from mexc_sniper.model.listing import Outcome, Phase, TimedEntry
from mexc_sniper.model.order import RESTING, Order, OrderRole
from mexc_sniper.model.trading import AttentionKind, Trade, TradeStatus

ANSWER_NS = 4_500_000_000
"""A manual entry is answered by then, with "pending" if nothing is known (DESIGN 7)."""
FIRST_BOOK_NS = 3_000_000_000
"""How long a manual entry waits for the first book of a pair nobody was listening to."""
FRESH_BOOK_NS = 5_000_000_000
"""A book that has not moved for so long is asked for once before a person buys into it."""
WHOLE_BOOK_NS = 200_000_000
"""Pause after its first two-sided quote: the first frames show a part of the book (DESIGN 4.1)."""
LOOK_NS = 50_000_000
KILL_ACTIONS = ("pause", "cancel", "flatten")
MAX_OFFSET_MS = 60_000
RESOLUTIONS = ("adopt", "ignore", "mark")

Finish = Callable[..., None]
"""``finish(turn, command, code=…, message=…, http_status=…, result=…)``; no code means done."""


@dataclass(slots=True)
class _Asked:
    command: Command
    until_ns: int


@dataclass(slots=True)
class _Manual:
    """A manual entry on a pair whose book is not here yet, or old."""

    command: Command
    symbol: Symbol
    amount: Decimal
    since_ns: int
    until_ns: int
    quoted_ns: int | None = None


class TradeCommands:
    """Owns nothing but the commands that wait for an order's first outcome."""

    def __init__(
        self,
        state: EngineState,
        entries: Entries,
        exits: Exits,
        orders: Orders,
        killswitch: KillSwitch,
        holdings: Holdings,
        preparation: Preparation,
    ) -> None:
        self._state = state
        self.entries = entries
        self.exits = exits
        self.orders = orders
        self.killswitch = killswitch
        self.holdings = holdings
        self._preparation = preparation
        self._asked: dict[TradeId, _Asked] = {}
        self._manual: list[_Manual] = []
        self._finish: Finish | None = None

    def tend(self, turn: Turn) -> None:
        """Enter where the book has come by now; answer "pending" where an outcome takes too long."""
        for manual in tuple(self._manual):
            if self._may_enter(turn, manual):
                self._manual.remove(manual)
                self._enter(turn, manual.command, manual.symbol, manual.amount)
            else:
                turn.ask(WakeAt(turn.now_ns + LOOK_NS))
        for trade_id, asked in tuple(self._asked.items()):
            if turn.now_ns >= asked.until_ns:
                self._answer(turn, trade_id, asked)

    def order_moved(self, turn: Turn, order: Order) -> None:
        """Answer a manual entry as soon as its order ended or filled."""
        trade_id = self._state.trading.trade_of.get(order.intent.id)
        asked = self._asked.get(trade_id) if trade_id is not None else None
        if asked is not None and trade_id is not None and (order.terminal or order.filled_quantity > 0):
            self._answer(turn, trade_id, asked)

    def carry_out(self, turn: Turn, command: Command, finish: Finish) -> None:
        """Carry out a trading command; every one is answered, most at once."""
        self._finish = finish
        arguments = command.arguments
        match command.verb:
            case Verb.EXECUTE_TRADE:
                self._execute(turn, command, finish)
            case Verb.CONFIRM_TRADE:
                trade = self.entries.confirm(turn, TradeId(str(arguments.get("tradeId"))), command.id)
                if trade is None:
                    finish(
                        turn,
                        command,
                        code="not_pending",
                        message="Nothing waits for a confirmation there.",
                        http_status=409,
                    )
                else:
                    self._await(turn, command, trade)
            case Verb.REJECT_TRADE:
                if self.entries.reject(turn, TradeId(str(arguments.get("tradeId")))):
                    finish(turn, command)
                else:
                    finish(
                        turn,
                        command,
                        code="not_pending",
                        message="Nothing waits for a confirmation there.",
                        http_status=409,
                    )
            case Verb.CLOSE_POSITION:
                self._close(turn, command, finish)
            case Verb.CANCEL_ORDER:
                self._cancel(turn, command, finish)
            case Verb.KILL:
                action = str(arguments.get("action") or "cancel")
                if action not in KILL_ACTIONS:
                    finish(
                        turn,
                        command,
                        code="invalid_action",
                        message=f"action: one of {', '.join(KILL_ACTIONS)}.",
                        http_status=422,
                    )
                    return
                done = self.killswitch.kill(
                    turn, action, actor=command.actor, reason=str(arguments.get("reason") or "")
                )
                finish(turn, command, result={"action": action, **done})
            case Verb.RESUME:
                problem = self.killswitch.resume(turn, actor=command.actor, reason=str(arguments.get("reason") or ""))
                self._finish_or_refuse(turn, command, finish, "not_reconciled", problem)
            case Verb.ARM:
                minutes = arguments.get("minutes")
                problem = self.killswitch.arm(
                    turn,
                    actor=command.actor,
                    minutes=minutes if isinstance(minutes, int) else 0,
                    new_account=arguments.get("newAccount") is True,
                )
                self._finish_or_refuse(turn, command, finish, "arming_refused", problem)
            case Verb.DISARM:
                self.killswitch.disarm(turn, actor=command.actor)
                finish(turn, command)
            case Verb.RESOLVE_ATTENTION:
                self._resolve(turn, command, finish)
            case Verb.TIME_ENTRY:
                self._time_entry(turn, command, finish)

    def _time_entry(self, turn: Turn, command: Command, finish: Finish) -> None:
        wanted, cap = command.arguments.get("listingId"), command.arguments.get("capPrice")
        listing = next((one for one in self._state.active.values() if one.id == wanted), None)
        offset_ms = command.arguments.get("offsetMs") or 0
        if listing is None:
            finish(turn, command, code="listing_not_found", message="No such listing is followed.", http_status=404)
        elif listing.outcome is not Outcome.PENDING or listing.phase is Phase.OPEN:
            message = f"{listing.symbol} has opened or is decided; there is nothing left to time."
            finish(turn, command, code="too_late", message=message, http_status=409)
        elif cap is None:
            self._preparation.time_entry(turn, listing, None)
            finish(turn, command, result={"listingId": listing.id, "capPrice": None})
        elif (price := amount_from(cap)) is None:
            message = "capPrice: the most to pay for one coin, a positive amount such as 0.05."
            finish(turn, command, code="invalid_price", message=message, http_status=422)
        elif not isinstance(offset_ms, int) or abs(offset_ms) > MAX_OFFSET_MS:
            message = f"offsetMs: a whole number, at most {MAX_OFFSET_MS} ms before or after the announced time."
            finish(turn, command, code="invalid_offset", message=message, http_status=422)
        else:
            timed = TimedEntry(cap=Price(price), offset_ms=offset_ms, actor=command.actor)
            self._preparation.time_entry(turn, listing, timed)
            turn.note("entry_timed", symbol=listing.symbol, cap=str(price), offset_ms=offset_ms, actor=command.actor)
            finish(turn, command, result={"listingId": listing.id, "capPrice": str(price), "offsetMs": offset_ms})

    def _execute(self, turn: Turn, command: Command, finish: Finish) -> None:
        symbol = Symbol(str(command.arguments.get("symbol") or ""))
        amount = amount_from(command.arguments.get("quoteQty"))
        if symbol not in self._state.instruments:
            message = f"{symbol[:64] or 'The pair'} is not known at the venue; check the name, such as EXAMPLEUSDT."
            self._refuse(turn, command, "unknown_symbol", message, 404)
        elif amount is None:
            finish(
                turn,
                command,
                code="invalid_amount",
                message="quoteQty: a positive amount, such as 20.",
                http_status=422,
            )
        elif self._book_is_fresh(turn, symbol):
            self._enter(turn, command, symbol, amount)
        else:
            turn.ask(Watch(symbol))
            turn.ask(ReadBook(symbol))
            turn.ask(WakeAt(turn.now_ns + LOOK_NS))
            self._manual.append(_Manual(command, symbol, amount, turn.now_ns, turn.now_ns + FIRST_BOOK_NS))

    def _book_is_fresh(self, turn: Turn, symbol: Symbol, since_ns: int | None = None) -> bool:
        book = self._state.trading.books.get(symbol)
        if book is None:
            return False
        return book.stamp.ts_recv_ns >= (turn.now_ns - FRESH_BOOK_NS if since_ns is None else since_ns)

    def _may_enter(self, turn: Turn, manual: _Manual) -> bool:
        book = self._state.trading.books.get(manual.symbol)
        seen = book is not None and book.bid is not None and book.ask is not None
        if manual.quoted_ns is None and seen and self._book_is_fresh(turn, manual.symbol, manual.since_ns):
            manual.quoted_ns = turn.now_ns
        quoted = manual.quoted_ns is not None and turn.now_ns - manual.quoted_ns >= WHOLE_BOOK_NS
        return quoted or turn.now_ns >= manual.until_ns

    def _enter(self, turn: Turn, command: Command, symbol: Symbol, amount: Decimal) -> None:
        self._await(turn, command, self.entries.execute(turn, symbol=symbol, amount=amount, command_id=command.id))

    def _await(self, turn: Turn, command: Command, trade: Trade) -> None:
        asked = _Asked(command, turn.now_ns + ANSWER_NS)
        if trade.status is TradeStatus.REJECTED:
            self._answer(turn, trade.id, asked, trade)
            return
        self._asked[trade.id] = asked
        turn.ask(WakeAt(asked.until_ns))

    def _answer(self, turn: Turn, trade_id: TradeId, asked: _Asked, denied: Trade | None = None) -> None:
        self._asked.pop(trade_id, None)
        trade = denied or self._state.trading.trades.get(trade_id)
        if self._finish is None or trade is None:
            return
        result = {
            "tradeId": trade.id,
            "status": str(trade.status),
            "mode": _mode(trade.account),
            "symbol": trade.symbol,
        }
        if trade.status is TradeStatus.REJECTED and denied is not None:
            reason = trade.reason or Reason.VENUE_REFUSED
            self._finish(
                turn,
                asked.command,
                code=str(reason).lower(),
                message=f"{SENTENCES[reason]} {trade.reason_detail}".strip(),
                http_status=409,
                result=result,
            )
        else:
            self._finish(turn, asked.command, result=result)

    def _close(self, turn: Turn, command: Command, finish: Finish) -> None:
        position = self._state.trading.positions.get(PositionId(str(command.arguments.get("positionId"))))
        if position is None:
            self._refuse(turn, command, "unknown_position", "There is no such position.", 404)
        elif position.closed or not self.exits.close(turn, position, OrderRole.MANUAL_CLOSE, command.id):
            message = "Nothing is left to sell there, or a sell is on its way already."
            self._refuse(turn, command, "nothing_to_close", message, 409)
        else:
            finish(turn, command, result={"positionId": position.id})

    def _cancel(self, turn: Turn, command: Command, finish: Finish) -> None:
        order = self._state.trading.orders.get(ClientOrderId(str(command.arguments.get("clientOrderId"))))
        if order is None:
            self._refuse(turn, command, "unknown_order", "There is no such open order.", 404)
        elif order.status not in RESTING:
            self._refuse(turn, command, "not_cancelable", f"The order is {order.status}.", 409)
        else:
            self.orders.cancel(turn, order, Reason.CANCELED_BY_OPERATOR)
            finish(turn, command, result={"clientOrderId": order.intent.client_order_id})

    def _resolve(self, turn: Turn, command: Command, finish: Finish) -> None:
        trading = self._state.trading
        item = trading.attention.get(str(command.arguments.get("id")))
        resolution = str(command.arguments.get("resolution"))
        if item is None:
            self._refuse(turn, command, "unknown_attention", "That needs nobody any more.", 404)
            return
        if resolution not in RESOLUTIONS:
            finish(
                turn, command, code="invalid_resolution", message="resolution: adopt, ignore or mark.", http_status=422
            )
            return
        if resolution == "adopt" and item.position_id is not None and item.kind is AttentionKind.DISCREPANCY:
            self.holdings.adopt_balance(turn, item.position_id)
        if resolution == "adopt" and item.kind is AttentionKind.LONG_ABSENCE:
            for position in tuple(trading.positions.values()):
                if position.account is item.account and not position.closed:
                    self.holdings.adopt_balance(turn, position.id)
        resolved = replace(item, resolved_ns=turn.now_ns, resolved_by=command.actor, resolution=resolution)
        del trading.attention[item.id]
        if item.kind is AttentionKind.FOREIGN_ORDER:
            trading.acknowledged[item.id] = None
        turn.entry(AttentionChanged(attention=resolved))
        finish(turn, command, result={"id": item.id, "resolution": resolution})

    def _refuse(self, turn: Turn, command: Command, code: str, message: str, http_status: int) -> None:
        if self._finish is not None:
            self._finish(turn, command, code=code, message=message, http_status=http_status)

    def _finish_or_refuse(self, turn: Turn, command: Command, finish: Finish, code: str, problem: str) -> None:
        if problem:
            finish(turn, command, code=code, message=problem, http_status=409)
        else:
            finish(turn, command)


def _mode(account: Account) -> str:
    return "live" if account is Account.LIVE else "dry-run"
