"""The questions an entry is asked, in their order, and everything they are answered from.

A missing input is a "no", never a zero. The questions answer in values; `words` makes text of them later, when the
order has left (`policy.risk.Judgement.guards`).
"""

from collections.abc import Callable
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
from mexc_sniper.model.order import OrderIntent, OrderType
from mexc_sniper.model.trading import Trigger
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


Value = str | int | Decimal | Callable[[], str]
Answer = tuple[bool | None, Value, Value]
"""Passed (None: not asked), measured, limit; values, of which `words` makes text."""
Answers = tuple[tuple[Reason, Answer], ...]
Check = tuple[Reason, Callable[[EntryView], Answer]]

_BOOK_TRIGGERS = frozenset({Trigger.FIRST_QUOTE, Trigger.FIRST_TRADE, Trigger.SURPRISE, Trigger.MANUAL})


# ---------------------------------------------------------------------- tradability


def _rules(view: EntryView) -> Answer:
    return view.instrument is not None, "known" if view.instrument else "unknown", "known"


def _online(view: EntryView) -> Answer:
    if view.instrument is None:
        return False, "unknown", "online"
    return view.instrument.status is InstrumentStatus.ONLINE, view.instrument.status, "online"


def _api_open(view: EntryView) -> Answer:
    flag = view.instrument is not None and view.instrument.api_trading

    def measured() -> str:
        return f"flag {'on' if flag else 'off'}, {'in' if view.in_api_list else 'not in'} the API lists"

    if view.trigger is Trigger.SCHEDULED:
        return None, measured, "asked again at every attempt"  # the lists may follow the opening (REFERENCE 4.1)
    return flag and view.in_api_list, measured, "flag on, in the API lists"


def _both_sides(view: EntryView) -> Answer:
    sides = view.instrument.trade_sides if view.instrument else TradeSides.UNKNOWN
    return sides is TradeSides.ALL, lambda: sides.name.lower(), "all"


def _no_warning(view: EntryView) -> Answer:
    if view.instrument is None:
        return False, "unknown", "no"
    return not view.instrument.special_treatment, "yes" if view.instrument.special_treatment else "no", "no"


def _category(view: EntryView) -> Answer:
    found = [name for name in view.categories if name in view.config.excluded_categories]
    return (
        not found,
        lambda: ", ".join(view.categories) or "none",
        lambda: "not " + ", ".join(view.config.excluded_categories),
    )


def _order_type(view: EntryView) -> Answer:
    if view.instrument is None or view.intent.type is not OrderType.MARKET:
        return True, view.intent.type, ""
    types = view.instrument.order_types
    return OrderType.MARKET in types, lambda: ", ".join(types), "MARKET"


def _base_once(view: EntryView) -> Answer:
    if view.trigger is Trigger.MANUAL:
        return None, "yes" if view.base_entered else "no", ""
    return not view.base_entered, "yes" if view.base_entered else "no", "no"


# ---------------------------------------------------------------------- limits


def _at_most(value: Decimal, limit: Decimal) -> Answer:
    return value <= limit, value, limit


def _hard_trade(view: EntryView) -> Answer:
    return _at_most(_wanted(view), view.caps.max_trade)


def _max_trade(view: EntryView) -> Answer:
    return _at_most(_wanted(view), view.config.max_trade_usdt)


def _hard_position(view: EntryView) -> Answer:
    return _at_most(view.exposure.at_stake + view.intent.worst_notional, view.caps.max_position)


def _max_position(view: EntryView) -> Answer:
    return _at_most(view.exposure.at_stake + view.intent.worst_notional, view.config.max_position_usdt)


def _open_positions(view: EntryView) -> Answer:
    return _below_count(view.exposure.open_positions, view.config.max_open_positions)


def _daily_spend(view: EntryView) -> Answer:
    return _at_most(view.exposure.spent_today + view.intent.worst_notional, view.config.max_daily_spend_usdt)


def _daily_loss(view: EntryView) -> Answer:
    loss = max(ZERO, -view.exposure.realized_today)
    return loss < view.config.daily_loss_limit_usdt, loss, view.config.daily_loss_limit_usdt


def _drawdown(view: EntryView) -> Answer:
    fall = view.exposure.drawdown
    return fall < view.config.max_drawdown_usdt, fall, view.config.max_drawdown_usdt


def _losses(view: EntryView) -> Answer:
    return _below_count(view.exposure.losses_in_a_row, view.config.max_consecutive_losses)


def _hourly(view: EntryView) -> Answer:
    return _below_count(view.exposure.entries_last_hour, view.config.max_trades_per_hour)


def _below_count(number: int, limit: int) -> Answer:
    return number < limit, number, limit


def _cooldown(view: EntryView) -> Answer:
    wait_ns = view.config.cooldown_per_symbol_minutes * 60 * NS_PER_S
    if view.trigger is Trigger.MANUAL:
        return None, "", lambda: f"{wait_ns // NS_PER_S} s"
    if view.last_entry_ns is None:
        return True, "never traded", lambda: f"{view.config.cooldown_per_symbol_minutes} min"
    since_ns = view.now_ns - view.last_entry_ns
    return since_ns >= wait_ns, lambda: f"{since_ns // NS_PER_S} s", lambda: f"{wait_ns // NS_PER_S} s"


def _balance(view: EntryView) -> Answer:
    free = view.exposure.free_quote
    if free is None:
        return False, "unknown", view.intent.worst_notional
    return free >= view.intent.worst_notional, free, view.intent.worst_notional


def _minimum(view: EntryView) -> Answer:
    if view.instrument is None:
        return False, "unknown", ""
    if view.intent.type is OrderType.MARKET:
        return _at_least(_wanted(view), view.instrument.min_notional_market)
    quantity, price = view.intent.quantity, view.intent.price
    if quantity is None or price is None or quantity <= 0 or quantity < view.instrument.min_quantity:
        return False, str(quantity), str(view.instrument.min_quantity)
    return _at_least(price * quantity, view.instrument.min_notional_limit)


def _at_least(value: Decimal, limit: Decimal) -> Answer:
    return value >= limit, value, limit


def _exit_legs(view: EntryView) -> Answer:
    """The whole position, sold at the stop price, must still be an order the venue takes."""
    reference = view.intent.reference_price
    if view.instrument is None or reference is None:
        return False, "unknown", ""
    stop = below(reference, view.config.stop_loss_pct * 100)
    quantity = sellable(view.instrument, _wanted(view) / (view.cap or reference))
    passed = stop > 0 and meets_minimum(view.instrument, quantity, stop, market=True)
    return passed, stop * quantity, view.instrument.min_notional_market


# ---------------------------------------------------------------------- the market


def _age(view: EntryView) -> Answer:
    if view.trigger is Trigger.MANUAL:
        return None, "", _max_age(view)
    if view.opened_ns is None:
        return view.trigger in (Trigger.SCHEDULED, Trigger.FIRST_QUOTE), "not traded yet", _max_age(view)
    age_ns = view.now_ns - view.opened_ns
    return age_ns <= view.config.max_signal_age_ms * NS_PER_MS, lambda: f"{age_ns / NS_PER_MS:.0f} ms", _max_age(view)


def _max_age(view: EntryView) -> Callable[[], str]:
    return lambda: f"{view.config.max_signal_age_ms} ms"


def _reference(view: EntryView) -> Answer:
    reference = view.intent.reference_price
    return reference is not None and reference > 0, lambda: str(reference or "none"), "a price"


def _has_book(view: EntryView) -> Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    book = view.book
    if book is None:
        return False, "none", "1 ask"
    return bool(book.asks), lambda: f"{len(book.asks)} asks", "1 ask"


def _spread(view: EntryView) -> Answer:
    most = view.config.max_spread_bps
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", _bps(most)
    if view.book is None or view.book.bid is None or view.book.ask is None:
        return False, "one-sided", _bps(most)
    spread = distance_bps(view.book.ask, view.book.bid)
    return spread <= most, _bps(spread), _bps(most)


def _bps(value: Decimal | int) -> Callable[[], str]:
    return lambda: f"{value:.0f} bps"


def _depth(view: EntryView) -> Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    if view.book is None or view.cap is None:
        return False, "unknown", ""
    return _at_least(depth_within(view.book.asks, view.cap, asks=True), _wanted(view) * view.config.min_depth_multiple)


def _exit_depth(view: EntryView) -> Answer:
    if view.trigger not in _BOOK_TRIGGERS:
        return None, "", ""
    if view.book is None or view.book.bid is None:
        return False, "no bids", ""
    floor = below(view.book.bid, EXIT_DEPTH_BPS)
    return _at_least(
        depth_within(view.book.bids, floor, asks=False), _wanted(view) * view.config.min_exit_depth_multiple
    )


def _slippage(view: EntryView) -> Answer:
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


def _plausible(view: EntryView) -> Answer:
    widest = view.config.max_price_ratio
    reference = view.intent.reference_price

    def limit() -> str:
        return f"1/{widest} to {widest}"

    known = view.known_reference
    if known is None or reference is None:
        return None, "nothing to compare with", limit
    ratio = reference / known.price
    return 1 / widest <= ratio <= widest, lambda: f"{ratio:.4f} of {known.source} ({words(known.price)})", limit


def _wanted(view: EntryView) -> Decimal:
    if view.intent.quote_quantity is not None:
        return view.intent.quote_quantity
    return (view.intent.price or ZERO) * (view.intent.quantity or ZERO)


def words(value: Value) -> str:
    """Write a measured value or a limit for people."""
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
    (Reason.ABOVE_POSITION_HARD_CAP, _hard_position),
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
