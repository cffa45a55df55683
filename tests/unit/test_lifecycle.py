"""How one signal moves phase and opening time (DESIGN 4.1, Identity and Triggers)."""

import pytest
from msgspec.structs import replace

from mexc_sniper.core.ids import listing_id
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.model.listing import (
    ListedAtBasis,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    SignalKind,
    Source,
)
from mexc_sniper.policy.lifecycle import advance, learn_first_open_time, note_signal, reschedule, withdraw
from tests.builders import at, ns


def _listing(**changes: object) -> Listing:
    listing = Listing(
        id=listing_id("ALPHAUSDT", 0),
        symbol=Symbol("ALPHAUSDT"),
        base=Asset("ALPHA"),
        quote=Asset("USDT"),
        kind=ListingKind.UNPROVEN,
        phase=Phase.SIGNALED,
        outcome=Outcome.PENDING,
        source=Source.MEXC_REST_API,
        first_signal=SignalKind.CALENDAR,
        listed_at_ns=ns(0),
        listed_at_basis=ListedAtBasis.FIRST_SEEN,
        detected_at_ns=ns(0),
    )
    return replace(listing, **changes)


def _hear(listing: Listing, kind: SignalKind, second: float, *, event_s: float | None = None) -> Listing:
    signal = ListingSignal(symbol=listing.symbol, kind=kind, stamp=at(second, event_s=event_s))
    return advance(listing, signal, venue_now_ns=ns(second))


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        (SignalKind.CALENDAR, Phase.SIGNALED),
        (SignalKind.ANNOUNCEMENT, Phase.SIGNALED),
        (SignalKind.EXCHANGE_INFO_ROW, Phase.PRE_OPEN),
        (SignalKind.API_OPENED, Phase.OPEN),
        (SignalKind.FIRST_QUOTE, Phase.OPEN),
        (SignalKind.FIRST_TRADE, Phase.OPEN),
        (SignalKind.CANDLES, Phase.SIGNALED),
        (SignalKind.OFFLINE, Phase.SIGNALED),
    ],
)
def test_each_kind_of_signal_moves_a_signaled_listing_as_far_as_it_proves(kind, phase):
    assert _hear(_listing(), kind, 5).phase is phase


def test_phase_never_goes_back_with_a_late_row():
    opened = _hear(_listing(), SignalKind.FIRST_TRADE, 5, event_s=4.9)
    assert _hear(opened, SignalKind.EXCHANGE_INFO_ROW, 6).phase is Phase.OPEN


def test_api_flag_before_the_announced_time_is_no_opening():
    scheduled = reschedule(_listing(), ns(100), noted_at_ns=ns(1))
    assert _hear(scheduled, SignalKind.API_OPENED, 50).phase is Phase.PRE_OPEN
    assert _hear(scheduled, SignalKind.API_OPENED, 100.1).phase is Phase.OPEN


def test_trade_far_from_the_announced_time_corrects_it():
    scheduled = reschedule(_listing(), ns(5000), noted_at_ns=ns(1))
    opened = _hear(scheduled, SignalKind.FIRST_TRADE, 100, event_s=99.9)
    assert (opened.listed_at_ns, opened.listed_at_basis) == (ns(99.9), ListedAtBasis.FIRST_TRADE)


def test_trade_near_the_announced_time_leaves_it():
    scheduled = reschedule(_listing(), ns(100), noted_at_ns=ns(1))
    opened = _hear(scheduled, SignalKind.FIRST_TRADE, 100.5, event_s=100.4)
    assert (opened.listed_at_ns, opened.listed_at_basis) == (ns(100), ListedAtBasis.ANNOUNCED)


def test_opening_time_is_frozen_once_open():
    opened = _hear(reschedule(_listing(), ns(100), noted_at_ns=ns(1)), SignalKind.FIRST_TRADE, 100.5, event_s=100.4)
    assert opened.listed_at_frozen
    assert learn_first_open_time(opened, ns(90)).listed_at_ns == ns(100)
    assert reschedule(opened, ns(900), noted_at_ns=ns(101)) == opened


def test_surprise_is_never_younger_than_our_first_sight_of_it():
    opened = _hear(_listing(listed_at_ns=ns(10)), SignalKind.FIRST_TRADE, 30, event_s=29)
    assert opened.listed_at_ns == ns(10)
    assert opened.detection_lag_ns == 1_000_000_000


def test_first_open_time_beats_an_announced_time_and_an_announced_time_does_not_beat_it():
    listing = reschedule(_listing(), ns(100), noted_at_ns=ns(1))
    told = learn_first_open_time(listing, ns(120))
    assert told.listed_at_ns == ns(120)
    assert reschedule(told, ns(140), noted_at_ns=ns(2)).listed_at_ns == ns(120)


def test_same_announced_time_again_adds_no_history():
    listing = reschedule(_listing(), ns(100), noted_at_ns=ns(1))
    assert reschedule(listing, ns(100), noted_at_ns=ns(2)) == listing


def test_withdrawn_listing_that_trades_after_all_comes_back_to_life():
    gone = withdraw(_listing(), now_ns=ns(5))
    assert _hear(gone, SignalKind.EXCHANGE_INFO_ROW, 6).phase is Phase.WITHDRAWN
    back = _hear(gone, SignalKind.FIRST_TRADE, 7, event_s=6.9)
    assert (back.phase, back.closed_at_ns) == (Phase.OPEN, None)


def test_repeated_signal_is_counted_not_recorded():
    signal = ListingSignal(symbol=Symbol("ALPHAUSDT"), kind=SignalKind.CALENDAR, stamp=at(1))
    once, first = note_signal(_listing(), signal)
    twice, again = note_signal(once, signal)
    assert (first, again) == (True, False)
    assert len(twice.sources) == 1
    assert twice.duplicate_signals == 1
