"""A listing's life: how one signal moves the venue's phase and the listing's opening time.

Phases go forward (SIGNALED → SCHEDULED → PRE_OPEN → OPEN) or end in WITHDRAWN; a postponement to "to be determined"
is the one step back (SCHEDULED → SIGNALED). `listed_at` follows DESIGN 4.1.
"""

from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.model.listing import (
    ListedAtBasis,
    Listing,
    ListingSignal,
    Phase,
    ScheduleChange,
    SignalKind,
    SourceTime,
)

EARLY_QUOTE_NS = 5 * NS_PER_S
"""A quote further ahead of the announced time than this is a market maker getting ready, not the opening."""

_RANK = {Phase.SIGNALED: 0, Phase.SCHEDULED: 1, Phase.PRE_OPEN: 2, Phase.OPEN: 3, Phase.WITHDRAWN: 4}


_BASIS_RANK = {basis: rank for rank, basis in enumerate(ListedAtBasis)}


def note_signal(listing: Listing, signal: ListingSignal) -> tuple[Listing, bool]:
    """Put a signal on the listing's record; tells whether it was the first of its kind."""
    if any(known.kind is signal.kind for known in listing.sources):
        return replace(listing, duplicate_signals=listing.duplicate_signals + 1), False
    first = SourceTime(
        kind=signal.kind,
        ts_recv_ns=signal.stamp.ts_recv_ns,
        ts_event_ns=signal.stamp.ts_event_ns,
        lag_ns=signal.lag_ns,
    )
    return replace(listing, sources=(*listing.sources, first)), True


def advance(listing: Listing, signal: ListingSignal, *, venue_now_ns: int) -> Listing:
    """Move phase and times by one signal.

    Args:
        listing: as it stands; a WITHDRAWN one comes back to life only by trading.
        signal: what a source said.
        venue_now_ns: the venue's clock at the signal's arrival (our clock plus offset).
    """
    recv_ns = signal.stamp.ts_recv_ns
    event_ns = signal.stamp.ts_event_ns
    match signal.kind:
        case SignalKind.EXCHANGE_INFO_ROW:
            listing = replace(listing, row_seen_at_ns=listing.row_seen_at_ns or recv_ns)
            return _forward(listing, Phase.PRE_OPEN, recv_ns)
        case SignalKind.FIRST_QUOTE:
            listing = replace(listing, first_quote_at_ns=listing.first_quote_at_ns or event_ns or recv_ns)
            ahead = listing.scheduled_for_ns is not None and (listing.scheduled_for_ns - venue_now_ns > EARLY_QUOTE_NS)
            return _forward(listing, Phase.PRE_OPEN, recv_ns) if ahead else _open(listing, signal, venue_now_ns)
        case SignalKind.FIRST_TRADE:
            listing = replace(listing, first_trade_at_ns=listing.first_trade_at_ns or event_ns or recv_ns)
            return _open(listing, signal, venue_now_ns)
        case SignalKind.API_OPENED:
            listing = replace(listing, api_opened_at_ns=listing.api_opened_at_ns or recv_ns)
            ahead = listing.scheduled_for_ns is not None and listing.scheduled_for_ns > venue_now_ns
            return _forward(listing, Phase.PRE_OPEN, recv_ns) if ahead else _open(listing, signal, venue_now_ns)
        case _:
            return listing


def reschedule(listing: Listing, opens_at_ns: int | None, *, noted_at_ns: int) -> Listing:
    """Take over an announced opening time; None means "to be determined". The history is kept."""
    if listing.phase in (Phase.OPEN, Phase.WITHDRAWN):
        return listing
    known = listing.schedule[-1].opens_at_ns if listing.schedule else None
    if listing.schedule and known == opens_at_ns:
        return listing
    listing = replace(
        listing,
        scheduled_for_ns=opens_at_ns,
        schedule=(*listing.schedule, ScheduleChange(noted_at_ns=noted_at_ns, opens_at_ns=opens_at_ns)),
    )
    if opens_at_ns is None:
        return replace(listing, phase=Phase.SIGNALED) if listing.phase is Phase.SCHEDULED else listing
    listing = _date(listing, opens_at_ns, ListedAtBasis.ANNOUNCED)
    return _forward(listing, Phase.SCHEDULED, noted_at_ns)


def learn_first_open_time(listing: Listing, first_open_time_ns: int) -> Listing:
    """Take over the venue's own opening time of the pair (exchangeInfo ``firstOpenTime``)."""
    return _date(listing, first_open_time_ns, ListedAtBasis.FIRST_OPEN_TIME)


def date_reopening(listing: Listing, *, venue_offset_ns: int) -> Listing:
    """Date the listing of a pair that had opened before by its reopening, not by the venue's first opening time."""
    if listing.listed_at_basis is not ListedAtBasis.FIRST_OPEN_TIME or listing.listed_at_frozen:
        return listing
    return replace(
        listing,
        listed_at_ns=listing.detected_at_ns + venue_offset_ns,
        listed_at_basis=ListedAtBasis.FIRST_SEEN,
        detection_lag_ns=None,
    )


def withdraw(listing: Listing, *, now_ns: int) -> Listing:
    """End a listing that the venue took back before it opened."""
    return replace(listing, phase=Phase.WITHDRAWN, closed_at_ns=now_ns, scheduled_for_ns=None)


def _forward(listing: Listing, phase: Phase, recv_ns: int) -> Listing:
    if listing.phase is Phase.WITHDRAWN and phase is not Phase.OPEN:
        return listing
    if listing.phase is not Phase.WITHDRAWN and _RANK[phase] <= _RANK[listing.phase]:
        return listing
    if phase is Phase.OPEN:
        return replace(listing, phase=phase, opened_at_ns=recv_ns, closed_at_ns=None)
    return replace(listing, phase=phase)


def _open(listing: Listing, signal: ListingSignal, venue_now_ns: int) -> Listing:
    traded = signal.kind is SignalKind.FIRST_TRADE
    told_ns = signal.stamp.ts_event_ns if signal.kind is not SignalKind.API_OPENED else None
    if not listing.listed_at_frozen:
        if traded:
            at_ns = told_ns or venue_now_ns
            if _BASIS_RANK[listing.listed_at_basis] < _BASIS_RANK[ListedAtBasis.ANNOUNCED]:
                # A surprise: trading may be older than the first trade we happened to see, never younger than
                # our first sight of it.
                at_ns = min(at_ns, listing.listed_at_ns)
                listing = replace(listing, listed_at_ns=at_ns, listed_at_basis=ListedAtBasis.FIRST_TRADE)
            elif abs(at_ns - listing.listed_at_ns) > 600 * NS_PER_S:
                # It opened at another time than announced: the trade is the truth.
                listing = replace(listing, listed_at_ns=at_ns, listed_at_basis=ListedAtBasis.FIRST_TRADE)
        dated = _BASIS_RANK[listing.listed_at_basis] >= _BASIS_RANK[ListedAtBasis.ANNOUNCED]
        listing = replace(listing, listed_at_frozen=dated)
    if listing.phase is Phase.OPEN:
        return listing
    listing = _forward(listing, Phase.OPEN, signal.stamp.ts_recv_ns)
    opened_ns = told_ns
    if opened_ns is None and listing.listed_at_basis is not ListedAtBasis.FIRST_SEEN:
        opened_ns = listing.listed_at_ns
    lag = None if opened_ns is None else max(0, venue_now_ns - opened_ns)
    return replace(listing, detection_lag_ns=lag)


def _date(listing: Listing, at_ns: int, basis: ListedAtBasis) -> Listing:
    if listing.listed_at_frozen or _BASIS_RANK[basis] < _BASIS_RANK[listing.listed_at_basis]:
        return listing
    return replace(
        listing,
        listed_at_ns=at_ns,
        listed_at_basis=basis,
        listed_at_frozen=listing.phase is Phase.OPEN,
    )
