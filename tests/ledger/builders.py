"""Entries with sensible defaults."""

from typing import Any

from mexc_sniper.core.ids import ListingId, listing_id
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.model.commands import CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import CalendarChanged, SignalReceived
from mexc_sniper.model.health import Component, ComponentStatus
from mexc_sniper.model.listing import (
    CalendarEntry,
    KnownSymbol,
    ListedAtBasis,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    SignalKind,
    Source,
)
from tests.builders import T0_NS, at, ns

__all__ = ["T0_NS", "a_calendar_line", "a_component", "a_config", "a_listing", "a_result", "a_signal", "a_symbol", "ns"]


def a_listing(symbol: str = "ALPHAUSDT", episode: int = 0, *, listed_s: float = 0.0, **changes: Any) -> Listing:
    values: dict[str, Any] = {
        "id": id_of(symbol, episode),
        "symbol": Symbol(symbol),
        "base": Asset(symbol.removesuffix("USDT")),
        "quote": Asset("USDT"),
        "kind": ListingKind.NEW,
        "phase": Phase.SIGNALED,
        "outcome": Outcome.PENDING,
        "source": Source.MEXC_REST_API,
        "first_signal": SignalKind.EXCHANGE_INFO_ROW,
        "listed_at_ns": ns(listed_s),
        "listed_at_basis": ListedAtBasis.FIRST_SEEN,
        "detected_at_ns": ns(listed_s),
    }
    return Listing(**{**values, **changes})


def a_signal(symbol: str = "ALPHAUSDT", seconds: float = 0.0, evidence: str = "") -> SignalReceived:
    signal = ListingSignal(
        symbol=Symbol(symbol), kind=SignalKind.FIRST_TRADE, stamp=at(seconds, event_s=seconds), evidence=evidence
    )
    return SignalReceived(listing_id=id_of(symbol), signal=signal)


def a_symbol(symbol: str = "ALPHAUSDT", **changes: Any) -> KnownSymbol:
    values: dict[str, Any] = {
        "symbol": Symbol(symbol),
        "base": Asset(symbol.removesuffix("USDT")),
        "quote": Asset("USDT"),
        "first_seen_ns": T0_NS,
    }
    return KnownSymbol(**{**values, **changes})


def a_calendar_line(
    coin_id: str = "c1", *, opens_s: float | None = 60.0, first_seen_s: float = 0.0, **changes: Any
) -> CalendarChanged:
    entry = CalendarEntry(
        coin_id=coin_id, asset=Asset(f"COIN{coin_id}"), opens_at_ns=None if opens_s is None else ns(opens_s)
    )
    return CalendarChanged(**{"entry": entry, "first_seen_ns": ns(first_seen_s), "schedule": (), **changes})


def a_component(name: str = "stream", status: ComponentStatus = ComponentStatus.OK, **changes: Any) -> Component:
    return Component(**{"name": name, "status": status, "since_ns": T0_NS, **changes})


def a_config(version: int = 1, actor: str = "operator", **changes: Any) -> ConfigVersion:
    return ConfigVersion(version=version, created_ns=T0_NS, actor=actor, config=TradeConfig(**changes))


def a_result(command_id: str, *, finished_ns: int = T0_NS, **changes: Any) -> CommandResult:
    values: dict[str, Any] = {
        "id": command_id,
        "verb": Verb.START_MONITOR,
        "actor": "operator",
        "status": CommandStatus.DONE,
        "finished_ns": finished_ns,
    }
    return CommandResult(**{**values, **changes})


def id_of(symbol: str, episode: int = 0) -> ListingId:
    return listing_id(symbol.encode(errors="replace").decode(), episode)
