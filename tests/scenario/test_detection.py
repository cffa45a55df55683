"""What counts as a listing: the rules of DESIGN 4.1 and the traps of FIELD 7, told as stories."""

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.reasons import Reason
from mexc_sniper.engine.effects import ProbeAge, Refresh, Unwatch, Watch
from mexc_sniper.model.events import SourceName
from mexc_sniper.model.listing import ListedAtBasis, ListingKind, Outcome, Phase, Source
from tests.builders import (
    a_calendar_entry,
    a_quote,
    a_tick,
    a_trade,
    an_instrument,
    calendar_read,
    candles_read,
    default_symbols_read,
    instruments_read,
    ns,
    tickers_seen,
)
from tests.engine_world import OLD, World, a_world_that_knows

DAY = 86_400.0


def test_first_start_with_two_thousand_symbols_learns_silently():
    names = [f"COIN{number}USDT" for number in range(2000)]
    world = World().hear(
        instruments_read(1, *(an_instrument(name) for name in names)),
        default_symbols_read(2, *names),
        tickers_seen(3, *names, "HIDDENUSDT"),
        default_symbols_read(4, *names),
    )
    assert world.listings == {}
    assert world.engine.state.monitor.baseline_size == 2001
    assert world.engine.state.monitor.listings_detected == 0


def test_unannounced_name_in_default_symbols_becomes_a_new_listing_once_its_age_is_proven():
    world = a_world_that_knows()
    world.hear(default_symbols_read(10, *OLD, "ALPHAUSDT"))
    seen = world.listing("ALPHAUSDT")
    assert seen.kind is ListingKind.UNPROVEN
    assert seen.source is Source.MEXC_REST_API
    assert [ask.source for ask in world.asked(Refresh)] == [SourceName.EXCHANGE_INFO]
    assert [ask.symbol for ask in world.asked(ProbeAge)] == ["ALPHAUSDT"]
    assert [ask.symbol for ask in world.asked(Watch)] == ["ALPHAUSDT"]

    world.hear(
        instruments_read(10.2, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(10.3, "ALPHAUSDT"),
        a_trade(10.4, "ALPHAUSDT"),
        a_tick(11),
    )
    listing = world.listing("ALPHAUSDT")
    assert (listing.kind, listing.phase) == (ListingKind.NEW, Phase.OPEN)
    assert (listing.base, listing.quote) == ("ALPHA", "USDT")
    assert (listing.outcome, listing.reason) == (Outcome.SKIPPED, Reason.NO_BOOK)
    assert world.engine.state.monitor.listings_detected == 1


def test_new_symbol_is_news_once_however_many_sources_repeat_it():
    world = a_world_that_knows()
    row = an_instrument("ALPHAUSDT")
    for second in range(10, 20):
        world.hear(
            default_symbols_read(second, *OLD, "ALPHAUSDT"),
            instruments_read(second + 0.2, row, names=set(OLD)),
            tickers_seen(second + 0.3, *OLD, "ALPHAUSDT"),
            a_quote(second + 0.4),
            a_trade(second + 0.5),
        )
    assert len(world.listings) == 1
    assert len(world.timeline("ALPHAUSDT")) == len(set(world.timeline("ALPHAUSDT")))


def test_symbol_missing_from_every_second_answer_makes_no_news():
    world = a_world_that_knows()
    for second in range(10, 400):
        names = {"OLDUSDT"} if second % 2 else set(OLD)
        world.hear(instruments_read(second, names=names), default_symbols_read(second + 0.5, *sorted(names)))
    assert world.listings == {}


def test_symbol_that_was_gone_for_long_and_comes_back_is_returned_not_new():
    world = a_world_that_knows()
    for second in range(10, 100):
        world.hear(instruments_read(second, names={"OLDUSDT"}), default_symbols_read(second + 0.5, "OLDUSDT"))
    world.hear(
        instruments_read(200, an_instrument("OTHERUSDT"), names={"OLDUSDT"}),
        default_symbols_read(200.5, *OLD),
        a_trade(201, "OTHERUSDT"),
    )
    listing = world.listing("OTHERUSDT")
    assert (listing.kind, listing.reason) == (ListingKind.RETURNED, Reason.RETURNED)
    assert world.engine.state.monitor.listings_detected == 0


def test_symbol_with_old_candles_is_a_relist():
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(10.5, "ALPHAUSDT", -30 * DAY, -29 * DAY, interval_s=86_400),
        a_trade(11),
    )
    listing = world.listing("ALPHAUSDT")
    assert (listing.kind, listing.outcome, listing.reason) == (
        ListingKind.RELIST,
        Outcome.SKIPPED,
        Reason.RELIST,
    )
    assert world.engine.state.monitor.listings_detected == 0


def test_relist_is_dated_by_its_reopening_and_claims_no_lag_since_its_first_opening():
    world = a_world_that_knows()
    world.hear(
        default_symbols_read(10, *OLD, "ALPHAUSDT"),
        instruments_read(10.2, an_instrument("ALPHAUSDT", first_open_s=-400 * DAY), names=set(OLD)),
        a_trade(10.4, event_s=10.3),
    )
    listing = world.listing("ALPHAUSDT")
    assert listing.kind is ListingKind.RELIST
    assert listing.listed_at_ns == ns(10)
    assert listing.detection_lag_ns is None or listing.detection_lag_ns < NS_PER_S


def test_days_candle_that_contains_the_opening_does_not_make_it_old():
    world = a_world_that_knows()
    world.hear(
        instruments_read(40_000, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(40_001, "ALPHAUSDT", 10_000, interval_s=86_400),
    )
    assert world.listing("ALPHAUSDT").kind is ListingKind.NEW


def test_second_quote_currency_of_a_known_coin_is_not_new():
    world = a_world_that_knows("BETAUSDT")
    world.hear(instruments_read(10, an_instrument("BETAUSDC", quote="USDC"), names={"BETAUSDT"}))
    listing = world.listing("BETAUSDC")
    assert (listing.kind, listing.related_to) == (ListingKind.SECOND_QUOTE, "BETAUSDT")


def test_same_coin_in_two_quotes_at_once_counts_once_and_the_configured_quote_goes_first():
    world = a_world_that_knows()
    rows = (an_instrument("ALPHAUSDC", quote="USDC"), an_instrument("ALPHAUSDT"))
    world.hear(
        instruments_read(10, *rows, names=set(OLD)),
        candles_read(10.5, "ALPHAUSDC"),
        candles_read(10.6, "ALPHAUSDT"),
    )
    assert world.listing("ALPHAUSDT").kind is ListingKind.NEW
    assert world.listing("ALPHAUSDC").kind is ListingKind.SECOND_QUOTE
    assert world.engine.state.monitor.listings_detected == 1


def test_other_quote_first_is_corrected_when_the_configured_one_follows_within_the_minute():
    world = a_world_that_knows()
    usdc, usdt = an_instrument("ALPHAUSDC", quote="USDC"), an_instrument("ALPHAUSDT")
    world.hear(
        instruments_read(10, usdc, names=set(OLD)),
        candles_read(10.5, "ALPHAUSDC"),
        instruments_read(40, usdt, names={*OLD, "ALPHAUSDC"}),
        candles_read(40.5, "ALPHAUSDT"),
    )
    assert world.listing("ALPHAUSDC").kind is ListingKind.SECOND_QUOTE
    assert world.listing("ALPHAUSDT").kind is ListingKind.NEW
    assert world.engine.state.monitor.listings_detected == 1


def test_same_contract_under_another_name_is_renamed():
    contract = "0x52908400098527886E0F7030069857D2E4169EE7"
    world = World().hear(
        instruments_read(0.1, an_instrument("OLDNAMEUSDT", contract=contract)),
        default_symbols_read(0.2, "OLDNAMEUSDT"),
        instruments_read(10, an_instrument("NEWNAMEUSDT", contract=contract.lower()), names={"OLDNAMEUSDT"}),
    )
    listing = world.listing("NEWNAMEUSDT")
    assert (listing.kind, listing.related_to) == (ListingKind.RENAMED, "OLDNAMEUSDT")


def test_same_ticker_with_another_contract_is_another_coin():
    world = World().hear(
        instruments_read(0.1, an_instrument("HYPEUSDC", quote="USDC", contract="0x" + "a1" * 20)),
        default_symbols_read(0.2, "HYPEUSDC"),
        instruments_read(10, an_instrument("HYPEUSDT", contract="0x" + "b2" * 20), names={"HYPEUSDC"}),
        candles_read(10.5, "HYPEUSDT"),
    )
    assert world.listing("HYPEUSDT").kind is ListingKind.NEW


def test_name_written_with_other_characters_is_a_look_alike_whatever_its_age():
    world = a_world_that_knows("BETAUSDT")
    cyrillic = "ВЕТАUSDT"
    world.hear(
        instruments_read(10, an_instrument(cyrillic), names={"BETAUSDT"}),
        candles_read(10.5, cyrillic),
        a_trade(11, cyrillic),
    )
    listing = world.listing(cyrillic)
    assert (listing.kind, listing.look_alike_of, listing.reason) == (
        ListingKind.LOOK_ALIKE,
        "BETAUSDT",
        Reason.LOOK_ALIKE,
    )


def test_chinese_name_is_a_name_like_any_other():
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, an_instrument("币安人生USDT"), names=set(OLD)),
        candles_read(10.5, "币安人生USDT"),
    )
    assert world.listing("币安人生USDT").kind is ListingKind.NEW


def test_scheduled_listing_opens_with_its_first_trade_and_keeps_its_announced_time():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("ALPHA", opens_s=100)))
    assert world.listing("ALPHAUSDT").phase is Phase.SCHEDULED
    world.hear(
        candles_read(11, "ALPHAUSDT"),
        instruments_read(60, an_instrument("ALPHAUSDT", api_trading=False, first_open_s=100), names=set(OLD)),
    )
    assert world.listing("ALPHAUSDT").phase is Phase.PRE_OPEN
    world.hear(a_trade(100.3, event_s=100.25))
    listing = world.listing("ALPHAUSDT")
    assert listing.phase is Phase.OPEN
    assert listing.listed_at_ns == ns(100)
    assert listing.listed_at_frozen
    assert listing.detection_lag_ns == 50_000_000
    assert listing.kind is ListingKind.NEW


def test_market_maker_quote_long_before_the_announced_time_does_not_open_the_listing():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("ALPHA", opens_s=100)), a_quote(40))
    assert world.listing("ALPHAUSDT").phase is Phase.PRE_OPEN
    world.hear(a_quote(99.9))
    assert world.listing("ALPHAUSDT").phase is Phase.OPEN


def test_quote_without_an_offer_opens_nothing():
    world = a_world_that_knows()
    world.hear(instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)), a_quote(11, ask=None))
    assert world.listing("ALPHAUSDT").phase is Phase.PRE_OPEN


def test_postponed_then_undetermined_listing_keeps_its_history_and_does_not_open_at_the_old_time():
    world = a_world_that_knows()
    world.hear(
        calendar_read(10, a_calendar_entry("ALPHA", opens_s=100)),
        calendar_read(20, a_calendar_entry("ALPHA", opens_s=3700)),
        calendar_read(30, a_calendar_entry("ALPHA", opens_s=None)),
    )
    listing = world.listing("ALPHAUSDT")
    assert listing.phase is Phase.SIGNALED
    assert listing.scheduled_for_ns is None
    assert [change.opens_at_ns for change in listing.schedule] == [ns(100), ns(3700), None]
    world.hear(*(a_tick(second) for second in range(95, 110)))
    assert world.listing("ALPHAUSDT").phase is Phase.SIGNALED


def test_calendar_entry_missing_once_stays_and_missing_for_good_is_withdrawn():
    world = a_world_that_knows()
    alpha, beta = a_calendar_entry("ALPHA", opens_s=5000), a_calendar_entry("BETA", opens_s=6000)
    world.hear(calendar_read(10, alpha, beta), calendar_read(20, beta), calendar_read(30, alpha, beta))
    assert world.listing("ALPHAUSDT").phase is Phase.SCHEDULED
    world.hear(*(calendar_read(second, beta) for second in (40, 50, 60, 70)))
    listing = world.listing("ALPHAUSDT")
    assert (listing.phase, listing.outcome, listing.reason) == (
        Phase.WITHDRAWN,
        Outcome.SKIPPED,
        Reason.WITHDRAWN,
    )
    assert world.calendar()[-1].withdrawn
    assert "ALPHAUSDT" in [ask.symbol for ask in world.asked(Unwatch)]


def test_calendar_history_of_the_last_days_is_no_listing():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("LASTWEEK", opens_s=-7 * DAY)))
    assert world.listings == {}


def test_calendar_entry_of_a_pair_that_trades_already_makes_no_listing():
    world = a_world_that_knows("BETAUSDT")
    world.hear(calendar_read(10, a_calendar_entry("BETA", opens_s=500)))
    assert world.listings == {}


def test_row_known_but_closed_at_first_start_is_a_listing_when_the_calendar_names_it():
    world = World().hear(
        instruments_read(0.1, an_instrument("ALPHAUSDT", api_trading=False), an_instrument("OLDUSDT")),
        default_symbols_read(0.2, "OLDUSDT"),
        calendar_read(1, a_calendar_entry("ALPHA", opens_s=60)),
        candles_read(2, "ALPHAUSDT"),
        a_trade(60.1),
    )
    assert world.listing("ALPHAUSDT").kind is ListingKind.NEW


def test_old_coin_that_the_venue_opens_to_the_api_is_a_relist():
    world = World().hear(
        instruments_read(0.1, an_instrument("MAJORUSDT", api_trading=False), an_instrument("OLDUSDT")),
        default_symbols_read(0.2, "OLDUSDT"),
        instruments_read(500, an_instrument("MAJORUSDT"), names={"OLDUSDT"}),
        default_symbols_read(500.5, "OLDUSDT", "MAJORUSDT"),
        candles_read(501, "MAJORUSDT", -400 * DAY, interval_s=86_400),
    )
    listing = world.listing("MAJORUSDT")
    assert (listing.kind, listing.outcome) == (ListingKind.RELIST, Outcome.SKIPPED)


def test_flag_that_two_servers_answer_differently_opens_a_symbol_once():
    world = a_world_that_knows()
    world.hear(instruments_read(10, an_instrument("ALPHAUSDT", api_trading=False), names=set(OLD)))
    for second in range(11, 60):
        row = an_instrument("ALPHAUSDT", api_trading=second % 2 == 0)
        world.hear(instruments_read(second, row, names=set(OLD)), default_symbols_read(second + 0.5, *OLD, "ALPHAUSDT"))
    assert len(world.listings) == 1
    assert world.timeline("ALPHAUSDT").count("api_opened") == 1


def test_surprise_takes_the_first_seen_time_until_the_venue_tells_a_better_one():
    world = a_world_that_knows()
    world.hear(default_symbols_read(10, *OLD, "ALPHAUSDT"))
    assert world.listing("ALPHAUSDT").listed_at_basis is ListedAtBasis.FIRST_SEEN
    world.hear(instruments_read(10.3, an_instrument("ALPHAUSDT", first_open_s=9.2), names=set(OLD)))
    listing = world.listing("ALPHAUSDT")
    assert (listing.listed_at_ns, listing.listed_at_basis) == (ns(9.2), ListedAtBasis.FIRST_OPEN_TIME)


def test_listing_seen_only_in_the_ticker_stream_is_found():
    world = a_world_that_knows()
    world.hear(tickers_seen(5, *OLD), tickers_seen(60, *OLD, "ALPHAUSDT"))
    listing = world.listing("ALPHAUSDT")
    assert listing.source is Source.MEXC_WEBSOCKET
    assert SourceName.EXCHANGE_INFO in [ask.source for ask in world.asked(Refresh)]


def test_newness_without_any_proof_is_skipped_as_unproven_after_five_seconds():
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        a_trade(11),
        a_tick(12),
    )
    assert world.listing("ALPHAUSDT").outcome is Outcome.PENDING
    world.hear(a_tick(17))
    listing = world.listing("ALPHAUSDT")
    assert (listing.outcome, listing.reason) == (Outcome.SKIPPED, Reason.NEWNESS_UNPROVEN)


def test_age_probe_that_fails_for_good_proves_nothing():
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(10.5, "ALPHAUSDT", error="venue unavailable"),
        a_trade(11),
        candles_read(11.5, "ALPHAUSDT", error="venue unavailable"),
    )
    assert world.listing("ALPHAUSDT").reason is Reason.NEWNESS_UNPROVEN


def test_age_is_asked_only_once_the_venue_knows_the_symbol():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("ALPHA", opens_s=100)))
    assert world.asked(ProbeAge) == []
    world.hear(instruments_read(20, an_instrument("ALPHAUSDT", api_trading=False), names=set(OLD)))
    assert [ask.symbol for ask in world.asked(ProbeAge)] == ["ALPHAUSDT"]


def test_age_probe_that_failed_is_asked_again_at_the_next_sign_of_life():
    world = a_world_that_knows()
    world.hear(
        instruments_read(20, an_instrument("ALPHAUSDT", api_trading=False), names=set(OLD)),
        candles_read(21, "ALPHAUSDT", error="invalid symbol"),
        a_quote(30),
    )
    assert len(world.asked(ProbeAge)) == 2
    world.hear(candles_read(30.5, "ALPHAUSDT"), a_trade(31))
    assert world.listing("ALPHAUSDT").kind is ListingKind.NEW


def test_announced_time_that_passes_without_trading_ends_as_never_opened():
    world = a_world_that_knows()
    world.hear(calendar_read(10, a_calendar_entry("ALPHA", opens_s=100)), a_tick(100 + DAY + 1))
    listing = world.listing("ALPHAUSDT")
    assert (listing.outcome, listing.reason) == (Outcome.SKIPPED, Reason.NEVER_OPENED)


def test_fifty_listings_in_one_second_give_fifty_rows():
    world = a_world_that_knows()
    names = [f"BURST{number}USDT" for number in range(50)]
    for step in range(10):
        seen = names[: (step + 1) * 5]
        world.hear(default_symbols_read(10 + step / 10, *OLD, *seen))
    world.hear(instruments_read(11.5, *(an_instrument(name) for name in names), names=set(OLD)))
    assert sorted(listing.symbol for listing in world.listings.values()) == sorted(names)


def test_open_listing_is_released_from_the_stream_after_its_time():
    world = a_world_that_knows()
    world.hear(
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        candles_read(10.5, "ALPHAUSDT"),
        a_trade(11),
        a_tick(11 + 29 * 60),
    )
    assert world.asked(Unwatch) == []
    world.hear(a_tick(11 + 31 * 60))
    assert [ask.symbol for ask in world.asked(Unwatch)] == ["ALPHAUSDT"]


def test_clock_offset_is_compensated_in_lags():
    from mexc_sniper.model.events import ClockSynced
    from tests.builders import at

    world = a_world_that_knows()
    world.hear(
        ClockSynced(stamp=at(5), offset_ns=2 * NS_PER_S, uncertainty_ns=1_000_000),
        instruments_read(10, an_instrument("ALPHAUSDT"), names=set(OLD)),
        a_trade(11, event_s=12.9),
    )
    assert world.listing("ALPHAUSDT").detection_lag_ns == 100_000_000
