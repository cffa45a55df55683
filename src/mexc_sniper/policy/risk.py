"""The pre-trade risk check: one ordered list of small questions, one answer.

Every question is asked, so that the operator sees every measured value; the first "no" in order is the reason. A
missing input is a "no", never a zero. `Approved` is made here and nowhere else.

The questions answer in values; words are made of them later (`Judgement.guards`), when the order has left.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.precision import below, distance_bps
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Price
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, TradeSides
from mexc_sniper.model.limits import Gate, HardCaps
from mexc_sniper.model.market import Book
from mexc_sniper.model.order import Approved, Denied, OrderIntent, OrderType
from mexc_sniper.model.trading import Guard, Trigger
from mexc_sniper.policy.reference import KnownReference
from mexc_sniper.policy.sizing import depth_within, meets_minimum, sellable, walk_amount

ZERO = Decimal(0)
EXIT_DEPTH_BPS = 1000
"""Bids within this distance of the best one count as a way out (FIELD 4.5)."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What one account has at stake and has done, in quote asset. In-flight, in-doubt and unsettled orders count."""

    at_stake: Decimal = ZERO
    """Worst-case notional of unsettled entry orders plus cost of open positions."""
    open_positions: int = 0
    """Positions open or being entered."""
    spent_today: Decimal = ZERO
    realized_today: Decimal = ZERO
    drawdown: Decimal = ZERO
    """Fall of realized profit from its peak, positive."""
    losses_in_a_row: int = 0
    entries_last_hour: int = 0
    free_quote: Decimal | None = None
    """Free balance of the quote asset; None: not known."""


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an entry is judged by. None means not known, and is a "no" where the trigger asks for it."""

    intent: OrderIntent
    trigger: Trigger
    config: TradeConfig
    caps: HardCaps
    gate: Gate
    exposure: Exposure
    instrument: Instrument | None
    in_api_list: bool
    now_ns: int
    eligible: Reason | None = None
    """Why the listing may not be entered automatically; None: it may."""
    opened_ns: int | None = None
    """First trade or opening, our clock; for the signal's age."""
    book: Book | None = None
    cap: Price | None = None
    known_reference: KnownReference | None = None
    """A price known from elsewhere, for sanity."""
    last_entry_ns: int | None = None
    base_entered: bool = False
    categories: tuple[str, ...] = ()


_Value = str | int | Decimal | Callable[[], str]
_Answer = tuple[bool | None, _Value, _Value]
"""Passed (None: not asked), measured, limit; values, of which `_words` makes text."""
Answers = tuple[tuple[Reason, _Answer], ...]
Check = tuple[Reason, Callable[[EntryView], _Answer]]

_BOOK_TRIGGERS = frozenset({Trigger.FIRST_QUOTE, Trigger.FIRST_TRADE, Trigger.SURPRISE, Trigger.MANUAL})
_AUTOMATIC = frozenset({Trigger.SCHEDULED, Trigger.FIRST_QUOTE, Trigger.FIRST_TRADE, Trigger.SURPRISE})


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """What `assess_ahead` found, and from what; good as long as nothing in ``view`` but the market changes."""

    view: EntryView
    answers: Answers
    approved: tuple[Approved, ...]


class Judgement:
    """The verdict on an entry and what every question measured."""

    __slots__ = ("_answers", "_view", "verdict")

    def __init__(self, view: EntryView, verdict: Approved | Denied, answers: Answers) -> None:
        self.verdict = verdict
        self._view = view
        self._answers = answers

    def guards(self) -> tuple[Guard, ...]:
        """Write down every question with its measured value and limit."""
        guards = [Guard(name=str(reason), passed=False) for reason in self._view.gate.closed]
        guards += (
            Guard(name=str(reason), passed=passed, measured=_words(measured), limit=_words(limit))
            for reason, (passed, measured, limit) in self._answers
        )
        if (ineligible := _ineligible(self._view)) is not None:
            guards.append(Guard(name=str(ineligible), passed=False))
        return tuple(guards)


def assess(view: EntryView, ahead: Answers | None = None) -> Judgement:
    """Judge an entry: every question is asked, the first "no" in order is the reason.

    ``ahead`` are the answers of `assess_ahead` for the same intent, where nothing they rest on has changed since.
    """
    answers = (ahead or _ask(AHEAD, view)) + _ask(AT_TRIGGER, view)
    return Judgement(view, _verdict(view, answers), answers)


def assess_ahead(view: EntryView, intents: Sequence[OrderIntent]) -> Ahead | Denied:
    """Ask what can be asked before the pair has a price, for the attempts of one entry (alike but for their ids).

    What is approved may be journaled and signed; only `assess` lets it leave.
    """
    answers = _ask(AHEAD, view)
    verdict = _verdict(view, answers)
    if isinstance(verdict, Denied):
        return verdict
    approved = tuple(Approved(intent=intent, generation=view.gate.generation) for intent in intents)
    return Ahead(view=view, answers=answers, approved=approved)


def _ask(checks: tuple[Check, ...], view: EntryView) -> Answers:
    return tuple([(reason, ask(view)) for reason, ask in checks])


def _verdict(view: EntryView, answers: Answers) -> Approved | Denied:
    if view.gate.closed:
        return Denied(reason=view.gate.closed[0])
    for reason, (passed, measured, limit) in answers:
        if passed is False:
            return Denied(reason=reason, measured={"measured": _words(measured), "limit": _words(limit)})
    if (ineligible := _ineligible(view)) is not None:
        return Denied(reason=ineligible)
    return Approved(intent=view.intent, generation=view.gate.generation)


def _ineligible(view: EntryView) -> Reason | None:
    return view.eligible if view.trigger in _AUTOMATIC else None


def approve_reduction(intent: OrderIntent, gate: Gate) -> Approved | Denied:
    """Judge an order that only reduces risk: it leaves in every state in which our own records can be trusted.

    Limits never stop an exit; a journal that cannot be written does, because an order nobody knows is worse.
    """
    if not intent.role.reduces_risk:
        raise ValueError(f"not an exit: {intent.role}")
    for reason in gate.closed:
        if reason in (Reason.JOURNAL_UNHEALTHY, Reason.LEASE_LOST):
            return Denied(reason=reason)
    return Approved(intent=intent, generation=gate.generation)


# ---------------------------------------------------------------------- tradability


def _rules(view: EntryView) -> _Answer:
    return view.instrument is not None, "known" if view.instrument else "unknown", "known"


def _online(view: EntryView) -> _Answer:
    if view.instrument is None:
        return False, "unknown", "online"
    return view.instrument.status is InstrumentStatus.ONLINE, view.instrument.status, "online"


def _api_open(view: EntryView) -> _Answer:
    flag = view.instrument is not None and view.instrument.api_trading

    def measured() -> str:
        return f"flag {'on' if flag else 'off'}, {'in' if view.in_api_list else 'not in'} the API lists"

    if view.trigger is Trigger.SCHEDULED:
        return None, measured, "asked again at every attempt"  # the lists may follow the opening (REFERENCE 4.1)
    return flag and view.in_api_list, measured, "flag on, in the API lists"


def _both_sides(view: EntryView) -> _Answer:
    sides = view.instrument.trade_sides if view.instrument else TradeSides.UNKNOWN
    return sides is TradeSides.ALL, lambda: sides.name.lower(), "all"


def _no_warning(view: EntryView) -> _Answer:
    if view.instrument is None:
        return False, "unknown", "no"
    return not view.instrument.special_treatment, "yes" if view.instrument.special_treatment else "no", "no"


def _category(view: EntryView) -> _Answer:
    found = [name for name in view.categories if name in view.config.excluded_categories]
    return (
        not found,
        lambda: ", ".join(view.categories) or "none",
        lambda: "not " + ", ".join(view.config.excluded_categories),
    )


def _order_type(view: EntryView) -> _Answer:
    if view.instrument is None or view.intent.type is not OrderType.MARKET:
        return True, view.intent.type, ""
    types = view.instrument.order_types
    return OrderType.MARKET in types, lambda: ", ".join(types), "MARKET"


def _base_once(view: EntryView) -> _Answer:
    if view.trigger is Trigger.MANUAL:
        return None, "yes" if view.base_entered else "no", ""
    return not view.base_entered, "yes" if view.base_entered else "no", "no"


# ---------------------------------------------------------------------- limits


def _at_most(value: Decimal, limit: Decimal) -> _Answer:
    return value <= limit, value, limit


def _hard_trade(view: EntryView) -> _Answer:
    return _at_most(_wanted(view), view.caps.max_trade)


def _max_trade(view: EntryView) -> _Answer:
    return _at_most(_wanted(view), view.config.max_trade_usdt)


def _hard_position(view: EntryView) -> _Answer:
    return _at_most(view.exposure.at_stake + view.intent.worst_notional, view.caps.max_position)


def _max_position(view: EntryView) -> _Answer:
    return _at_most(view.exposure.at_stake + view.intent.worst_notional, view.config.max_position_usdt)


def _open_positions(view: EntryView) -> _Answer:
    return _below_count(view.exposure.open_positions, view.config.max_open_positions)


def _daily_spend(view: EntryView) -> _Answer:
    return _at_most(view.exposure.spent_today + view.intent.worst_notional, view.config.max_daily_spend_usdt)


def _daily_loss(view: EntryView) -> _Answer:
    loss = max(ZERO, -view.exposure.realized_today)
    return loss < view.config.daily_loss_limit_usdt, loss, view.config.daily_loss_limit_usdt


def _drawdown(view: EntryView) -> _Answer:
    fall = view.exposure.drawdown
    return fall < view.config.max_drawdown_usdt, fall, view.config.max_drawdown_usdt


def _losses(view: EntryView) -> _Answer:
    return _below_count(view.exposure.losses_in_a_row, view.config.max_consecutive_losses)


def _hourly(view: EntryView) -> _Answer:
    return _below_count(view.exposure.entries_last_hour, view.config.max_trades_per_hour)


def _below_count(number: int, limit: int) -> _Answer:
    return number < limit, number, limit


def _cooldown(view: EntryView) -> _Answer:
    wait_ns = view.config.cooldown_per_symbol_minutes * 60 * NS_PER_S
    if view.trigger is Trigger.MANUAL:
        return None, "", lambda: f"{wait_ns // NS_PER_S} s"
    if view.last_entry_ns is None:
        return True, "never traded", lambda: f"{view.config.cooldown_per_symbol_minutes} min"
    since_ns = view.now_ns - view.last_entry_ns
    return since_ns >= wait_ns, lambda: f"{since_ns // NS_PER_S} s", lambda: f"{wait_ns // NS_PER_S} s"


def _balance(view: EntryView) -> _Answer:
    free = view.exposure.free_quote
    if free is None:
        return False, "unknown", view.intent.worst_notional
    return free >= view.intent.worst_notional, free, view.intent.worst_notional


def _minimum(view: EntryView) -> _Answer:
    if view.instrument is None:
        return False, "unknown", ""
    if view.intent.type is OrderType.MARKET:
        return _at_least(_wanted(view), view.instrument.min_notional_market)
    quantity, price = view.intent.quantity, view.intent.price
    if quantity is None or price is None or quantity <= 0 or quantity < view.instrument.min_quantity:
        return False, str(quantity), str(view.instrument.min_quantity)
    return _at_least(price * quantity, view.instrument.min_notional_limit)


def _at_least(value: Decimal, limit: Decimal) -> _Answer:
    return value >= limit, value, limit


def _exit_legs(view: EntryView) -> _Answer:
    """The whole position, sold at the stop price, must still be an order the venue takes."""
    reference = view.intent.reference_price
    if view.instrument is None or reference is None:
        return False, "unknown", ""
    stop = below(reference, view.config.stop_loss_pct * 100)
    quantity = sellable(view.instrument, _wanted(view) / (view.cap or reference))
    passed = stop > 0 and meets_minimum(view.instrument, quantity, stop, market=True)
    return passed, stop * quantity, view.instrument.min_notional_market


# ---------------------------------------------------------------------- the market


def _age(view: EntryView) -> _Answer:
    if view.trigger is Trigger.MANUAL:
        return None, "", _max_age(view)
    if view.opened_ns is None:
        return view.trigger in (Trigger.SCHEDULED, Trigger.FIRST_QUOTE), "not traded yet", _max_age(view)
    age_ns = view.now_ns - view.opened_ns
    return age_ns <= view.config.max_signal_age_ms * NS_PER_MS, lambda: f"{age_ns / NS_PER_MS:.0f} ms", _max_age(view)


def _max_age(view: EntryView) -> Callable[[], str]:
    return lambda: f"{view.config.max_signal_age_ms} ms"


def _reference(view: EntryView) -> _Answer:
    reference = view.intent.reference_price
    return reference is not None and reference > 0, lambda: str(reference or "none"), "a price"


def _has_book(view: EntryView) -> _Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    book = view.book
    if book is None:
        return False, "none", "1 ask"
    return bool(book.asks), lambda: f"{len(book.asks)} asks", "1 ask"


def _spread(view: EntryView) -> _Answer:
    most = view.config.max_spread_bps
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", _bps(most)
    if view.book is None or view.book.bid is None or view.book.ask is None:
        return False, "one-sided", _bps(most)
    spread = distance_bps(view.book.ask, view.book.bid)
    return spread <= most, _bps(spread), _bps(most)


def _bps(value: Decimal | int) -> Callable[[], str]:
    return lambda: f"{value:.0f} bps"


def _depth(view: EntryView) -> _Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    if view.book is None or view.cap is None:
        return False, "unknown", ""
    return _at_least(depth_within(view.book.asks, view.cap, asks=True), _wanted(view) * view.config.min_depth_multiple)


def _exit_depth(view: EntryView) -> _Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    if view.book is None or view.book.bid is None:
        return False, "no bids", ""
    floor = below(view.book.bid, EXIT_DEPTH_BPS)
    return _at_least(
        depth_within(view.book.bids, floor, asks=False), _wanted(view) * view.config.min_exit_depth_multiple
    )


def _slippage(view: EntryView) -> _Answer:
    most = view.config.max_slippage_bps
    reference = view.intent.reference_price
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", _bps(most)
    if view.book is None or reference is None:
        return False, "unknown", _bps(most)
    walk = walk_amount(view.book.asks, _wanted(view))
    if walk.worst is None:
        return False, "no asks", _bps(most)
    slippage = distance_bps(walk.worst, reference)
    return slippage <= most, _bps(slippage), _bps(most)


def _plausible(view: EntryView) -> _Answer:
    widest = view.config.max_price_ratio
    reference = view.intent.reference_price

    def limit() -> str:
        return f"1/{widest} to {widest}"

    known = view.known_reference
    if known is None or reference is None:
        return None, "nothing to compare with", limit
    ratio = reference / known.price
    return 1 / widest <= ratio <= widest, lambda: f"{ratio:.4f} of {known.source} ({_words(known.price)})", limit


def _wanted(view: EntryView) -> Decimal:
    if view.intent.quote_quantity is not None:
        return view.intent.quote_quantity
    return (view.intent.price or ZERO) * (view.intent.quantity or ZERO)


def _words(value: _Value) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize() if value else ZERO, "f")
    return value() if callable(value) else str(value)


AHEAD: tuple[Check, ...] = (
    (Reason.RULES_UNKNOWN, _rules),
    (Reason.NOT_ONLINE, _online),
    (Reason.API_CLOSED, _api_open),
    (Reason.ONE_SIDED, _both_sides),
    (Reason.SPECIAL_TREATMENT, _no_warning),
    (Reason.CATEGORY_EXCLUDED, _category),
    (Reason.MARKET_ORDERS_CLOSED, _order_type),
    (Reason.BASE_ALREADY_ENTERED, _base_once),
    (Reason.ABOVE_HARD_CAP, _hard_trade),
    (Reason.ABOVE_MAX_TRADE, _max_trade),
    (Reason.ABOVE_HARD_CAP, _hard_position),
    (Reason.ABOVE_MAX_POSITION, _max_position),
    (Reason.TOO_MANY_POSITIONS, _open_positions),
    (Reason.DAILY_SPEND_REACHED, _daily_spend),
    (Reason.DAILY_LOSS_REACHED, _daily_loss),
    (Reason.DRAWDOWN_REACHED, _drawdown),
    (Reason.CONSECUTIVE_LOSSES_REACHED, _losses),
    (Reason.TRADES_PER_HOUR_REACHED, _hourly),
    (Reason.COOLDOWN, _cooldown),
    (Reason.INSUFFICIENT_BALANCE, _balance),
)
"""What the pair is, then our limits: answered before a prepared pair has its first price."""

AT_TRIGGER: tuple[Check, ...] = (
    (Reason.SIGNAL_TOO_OLD, _age),
    (Reason.NO_REFERENCE_PRICE, _reference),
    (Reason.NO_BOOK, _has_book),
    (Reason.SPREAD_TOO_WIDE, _spread),
    (Reason.DEPTH_TOO_THIN, _depth),
    (Reason.EXIT_TOO_THIN, _exit_depth),
    (Reason.SLIPPAGE_TOO_HIGH, _slippage),
    (Reason.PRICE_IMPLAUSIBLE, _plausible),
    (Reason.BELOW_MINIMUM, _minimum),
    (Reason.EXIT_LEG_TOO_SMALL, _exit_legs),
)
"""What only the market can answer."""

CHECKS = AHEAD + AT_TRIGGER
"""In the order in which a "no" becomes the reason."""
