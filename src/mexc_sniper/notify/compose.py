"""From an entry of the ledger to a message for people. Pure: the entry, and the one before it about the same thing."""

from dataclasses import dataclass
from decimal import Decimal

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.core.reasons import SENTENCES
from mexc_sniper.core.values import text_from_decimal
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.entries import (
    AttentionChanged,
    ComponentChanged,
    ConfigChanged,
    LedgerEntry,
    ListingChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.model.listing import Listing, ListingKind, Phase
from mexc_sniper.model.trading import Trade, TradeStatus, TradingStatus
from mexc_sniper.notify.catalogue import Event
from mexc_sniper.notify.words import harmless

_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}
_BAD = (TradeStatus.REJECTED, TradeStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what it is about, and one line of text whose foreign parts are harmless."""

    event: Event
    text: str


def compose(entry: LedgerEntry, before: LedgerEntry | None) -> Message | None:
    """Say what is new in ``entry`` against ``before``, the last entry of its kind about the same thing; or nothing."""
    match entry, before:
        case ListingChanged(listing=listing), None | ListingChanged():
            return _listing(listing, None if before is None else before.listing)
        case TradeChanged(trade=trade), None | TradeChanged():
            return _trade(trade, None if before is None else before.trade.status)
        case TradingChanged(status=status), None | TradingChanged():
            return _trading(status, TradingStatus() if before is None else before.status)
        case AttentionChanged(attention=attention), None if attention.resolved_ns is None:
            where = f" ({mode(attention.account)} {harmless(attention.symbol)})" if attention.symbol else ""
            return Message(Event.ATTENTION, f"Needs you{where}: {harmless_sentence(attention.text)}")
        case ConfigChanged(version=version), _ if version.version > 1:
            return Message(
                Event.CONFIG, f"Configuration version {version.version} is in force, by {harmless(version.actor)}."
            )
        case ComponentChanged(component=part), ComponentChanged(component=was):
            if part.status is ComponentStatus.DOWN and was.status is not ComponentStatus.DOWN:
                return Message(Event.PART_DOWN, f"{part.name} is down. {harmless_sentence(part.detail)}".rstrip())
    return None


def mode(account: Account) -> str:
    """Name an account as the page does."""
    return "LIVE" if account is Account.LIVE else "dry-run"


def money(amount: Decimal) -> str:
    """Write an amount with at most four digits behind the point and no exponent."""
    return text_from_decimal(round(amount, 4).normalize() + 0)


def harmless_sentence(text: str) -> str:
    """Our own sentence with foreign words in it, such as a venue's answer."""
    return " ".join(harmless(word) for word in text.split())


def _listing(listing: Listing, before: Listing | None) -> Message | None:
    if before is None:
        if listing.phase is Phase.WITHDRAWN:
            return None
        event = Event.LISTING if listing.kind in (ListingKind.NEW, ListingKind.INJECTED) else Event.LISTING_OTHER
        when = "is open" if listing.phase is Phase.OPEN else f"listed for {iso_from_ns(listing.listed_at_ns)}"
        name = f" ({harmless(listing.full_name)})" if listing.full_name else ""
        test = " TEST" if listing.kind is ListingKind.INJECTED else ""
        return Message(event, f"New listing{test}: {harmless(listing.symbol)}{name}, {when}.")
    if listing.phase is Phase.OPEN and before.phase is not Phase.OPEN:
        lag_ns = listing.detection_lag_ns
        lag = "" if lag_ns is None else f", seen {lag_ns / 1_000_000:,.0f} ms after it"
        return Message(Event.LISTING_OPEN, f"{harmless(listing.symbol)} is open for trading{lag}.")
    return None


def _trade(trade: Trade, before: TradeStatus | None) -> Message | None:
    if trade.status is before:
        return None
    what = f"{mode(trade.account)}: {harmless(trade.symbol)}"
    price = "" if trade.average_price is None else f" at {text_from_decimal(trade.average_price)}"
    match trade.status:
        case TradeStatus.HIGH_VALUE_PENDING:
            until = "" if trade.confirm_until_ns is None else f" until {iso_from_ns(trade.confirm_until_ns)}"
            asked = "" if trade.requested_quote is None else f" for {money(trade.requested_quote)}"
            return Message(Event.CONFIRMATION, f"{what}: an entry{asked} waits for your word{until}.")
        case TradeStatus.IN_DOUBT:
            return Message(Event.IN_DOUBT, f"{what}: the {trade.role} order's outcome is unknown; it is looked for.")
        case TradeStatus.FILLED | TradeStatus.PARTIALLY_FILLED if trade.role.reduces_risk:
            gain = "" if trade.pnl is None else f", result {'+' if trade.pnl > 0 else ''}{money(trade.pnl)}"
            return Message(
                Event.EXIT, f"{what} sold for {money(trade.quote_quantity)}{price} ({_spaced(trade.role)}){gain}."
            )
        case TradeStatus.FILLED | TradeStatus.PARTIALLY_FILLED if before is not TradeStatus.PARTIALLY_FILLED:
            return Message(Event.ENTRY, f"{what} bought for {money(trade.quote_quantity)}{price}.")
        case TradeStatus.REJECTED | TradeStatus.FAILED:
            why = SENTENCES[trade.reason] if trade.reason is not None else "no reason was given"
            ours = trade.client_order_id is None
            event = Event.TRADE_REFUSED if ours else Event.TRADE_FAILED
            return Message(event, f"{what}: the {_spaced(trade.role)} order was not carried out: {why}")
    return None


def _trading(status: TradingStatus, before: TradingStatus) -> Message | None:
    who = f" by {harmless(status.actor)}" if status.actor else ""
    why = f" {harmless_sentence(status.reason)}" if status.reason else ""
    stricter = _STRICTNESS[status.state] - _STRICTNESS[before.state]
    if status.latched and (not before.latched or stricter > 0):
        return Message(Event.STOPPED, f"Trading is {status.state}{who}; a person must resume it.{why}")
    if before.latched and not status.latched:
        return Message(Event.RESUMED, f"Trading was resumed{who}; it is {status.state}.")
    if status.armed_until_ns is not None and status.armed_until_ns != before.armed_until_ns:
        until = iso_from_ns(status.armed_until_ns)
        return Message(Event.ARMED, f"Live entries are ARMED until {until}, by {harmless(status.armed_by)}.")
    if before.armed_until_ns is not None and status.armed_until_ns is None:
        return Message(Event.DISARMED, "Live entries are not armed any more.")
    return None


def _spaced(word: str) -> str:
    return str(word).replace("_", " ")
