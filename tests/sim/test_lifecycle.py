"""Each step of a listing's life happens at its own time and shows in its own place."""

import pytest
from msgspec import json

from mexc_sim.core.messages import HttpRequest
from tests.sim.venue import NS_PER_S, START_NS, Venue, deals, get, top

MINI = "spot@public.miniTickers.v3.api.pb@24H"


def names_in_exchange_info(venue: Venue) -> dict[str, dict]:
    return {row["symbol"]: row for row in venue.json("/api/v3/exchangeInfo")["symbols"]}


def default_symbols(venue: Venue) -> list[str]:
    return venue.json("/api/v3/defaultSymbols")["data"]


def calendar(venue: Venue) -> dict[str, int | None]:
    coins = venue.json("/api/operation/new_coin_calendar")["data"]["newCoins"]
    return {coin["vcoinName"]: coin["firstOpenTime"] for coin in coins}


def test_scheduled_listing_appears_step_by_step_in_the_planned_order():
    venue = Venue()
    venue.post(
        "/sim/listings", base="LUMO", announceInS=1, calendarInS=2, webRowInS=3, rowInS=4, flagInS=6, defaultInS=7,
        quoteInS=8, tradeInS=9, openInS=8,
    )  # fmt: skip
    connection = venue.connect()
    venue.subscribe(connection, deals("LUMOUSDT"), top("LUMOUSDT"))

    venue.advance(0.5)
    assert "LUMO" not in calendar(venue)
    venue.advance(1)
    assert "(LUMO)" in venue.json("/api/v3/announcements")["data"][0]["details"][0]["title"]
    venue.advance(1)
    assert calendar(venue)["LUMO"] == (START_NS + 8 * NS_PER_S) // 1_000_000
    venue.advance(1)
    web = venue.json("/api/platform/spot/market-v2/web/symbolsV2")["data"]["symbols"]["USDT"]
    assert web[-1]["vn"] == "LUMO"
    assert "LUMOUSDT" not in names_in_exchange_info(venue)
    venue.advance(1)
    assert names_in_exchange_info(venue)["LUMOUSDT"]["isSpotTradingAllowed"] is False
    assert "LUMOUSDT" not in default_symbols(venue)
    venue.advance(2)
    assert names_in_exchange_info(venue)["LUMOUSDT"]["isSpotTradingAllowed"] is True
    assert "LUMOUSDT" not in default_symbols(venue)
    venue.advance(1)
    assert "LUMOUSDT" in default_symbols(venue)
    assert venue.frames(connection) == []
    assert venue.json("/api/v3/klines?symbol=LUMOUSDT&interval=1d") == []
    venue.advance(1)
    quotes = venue.frames(connection)
    assert quotes
    assert all(frame.HasField("publicAggreBookTicker") for frame in quotes)
    venue.advance(1)
    assert any(frame.HasField("publicAggreDeals") for frame in venue.frames(connection))
    assert len(venue.json("/api/v3/klines?symbol=LUMOUSDT&interval=1d")) == 1


def test_first_quote_is_asks_only_and_first_trade_comes_exactly_when_planned():
    venue = Venue()
    listing = venue.post("/sim/listings", base="LUMO", quoteInS=2, tradeInS=5)
    connection = venue.connect()
    venue.subscribe(connection, deals("LUMOUSDT"), top("LUMOUSDT"))
    venue.advance(6)

    first = venue.frames(connection)[0].publicAggreBookTicker
    assert first.askPrice
    assert first.bidPrice == ""
    trade = next(f for f in venue.frames(connection) if f.HasField("publicAggreDeals")).publicAggreDeals.deals[0]
    assert trade.time == listing["times"]["trade"] // 1_000_000


def test_stamps_name_the_hand_over_of_each_step_not_its_plan():
    venue = Venue()
    venue.post("/sim/listings", base="LUMO", calendarInS=1, rowInS=1, openInS=1, quoteInS=None)
    venue.advance(10)
    assert venue.json("/sim/stamps?symbol=LUMOUSDT")["stamps"] == {}
    venue.json("/api/v3/exchangeInfo")
    row_ns = venue.now_ns
    venue.advance(3)
    venue.json("/api/v3/exchangeInfo")
    venue.json("/api/v3/defaultSymbols")
    stamps = venue.json("/sim/stamps?symbol=LUMOUSDT")["stamps"]
    assert stamps == {"row": row_ns, "flag": row_ns, "default": venue.now_ns}


def test_mini_tickers_show_a_symbol_only_after_its_first_trade():
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, MINI)
    venue.post("/sim/listings", base="LUMO", rowInS=0, openInS=0, quoteInS=1, tradeInS=4)
    venue.advance(3.5)
    assert "LUMOUSDT" not in {item.symbol for item in venue.frames(connection)[-1].publicMiniTickers.items}
    venue.advance(3)
    assert "LUMOUSDT" in {item.symbol for item in venue.frames(connection)[-1].publicMiniTickers.items}


def test_postponed_listing_changes_its_calendar_time_and_opens_later():
    venue = Venue()
    venue.post("/sim/listings", kind="postponed", base="LUMO", openInS=20, postponeInS=5, postponedByS=60)
    venue.advance(1)
    assert calendar(venue)["LUMO"] == (START_NS + 20 * NS_PER_S) // 1_000_000
    venue.advance(5)
    assert calendar(venue)["LUMO"] == (START_NS + 80 * NS_PER_S) // 1_000_000
    venue.advance(60)
    assert "LUMOUSDT" not in names_in_exchange_info(venue)
    venue.advance(15)
    assert "LUMOUSDT" in names_in_exchange_info(venue)


def test_tbd_listing_has_no_time_until_it_is_fixed():
    venue = Venue()
    venue.post("/sim/listings", kind="tbd", base="LUMO", openInS=30, fixInS=10)
    assert calendar(venue)["LUMO"] is None
    venue.advance(11)
    assert calendar(venue)["LUMO"] == (START_NS + 30 * NS_PER_S) // 1_000_000


def test_withdrawn_listing_vanishes_from_the_calendar_and_never_opens():
    venue = Venue()
    venue.post("/sim/listings", kind="withdrawn", base="LUMO", openInS=20, withdrawInS=8)
    venue.advance(1)
    assert "LUMO" in calendar(venue)
    venue.advance(30)
    assert "LUMO" not in calendar(venue)
    assert "LUMOUSDT" not in names_in_exchange_info(venue)


def test_relist_brings_old_candles_and_an_old_opening_time():
    venue = Venue()
    assert venue.ask(get("/api/v3/klines?symbol=OBELOUSDT&interval=1d")).status == 400
    venue.post("/sim/listings", kind="relist", base="OBELO", rowInS=2)
    venue.advance(3)
    row = names_in_exchange_info(venue)["OBELOUSDT"]
    candles = venue.json("/api/v3/klines?symbol=OBELOUSDT&interval=1M&startTime=0&limit=1")
    year_ns = 365 * 86_400 * NS_PER_S
    assert row["firstOpenTime"] * 1_000_000 < START_NS - year_ns
    assert candles[0][0] * 1_000_000 < START_NS - year_ns


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "60m", "4h", "1d", "1W", "1M"])
def test_candles_across_a_gap_of_months_are_ordered_and_complete(interval):
    venue = Venue()
    venue.post("/sim/listings", kind="relist", base="OBELO", rowInS=0, quoteInS=0, tradeInS=0)
    venue.advance(290)
    rows = venue.json(f"/api/v3/klines?symbol=OBELOUSDT&interval={interval}")
    oldest = venue.json(f"/api/v3/klines?symbol=OBELOUSDT&interval={interval}&startTime=0")
    for some in (rows, oldest):
        starts = [row[0] for row in some]
        assert starts == sorted(set(starts))
        assert 2 <= len(starts) <= 500
        assert all(float(low) <= min(float(o), float(c)) <= float(high) for _, o, high, low, c, *_ in some)
    assert rows[-1][0] * 1_000_000 <= venue.now_ns < rows[-1][6] * 1_000_000
    assert oldest[0][0] < venue.now_ns // 1_000_000 - 300 * 86_400_000


def test_symbol_that_is_planned_cannot_be_listed_twice():
    venue = Venue()
    venue.post("/sim/listings", base="LUMO", rowInS=50)
    answer = venue.ask(HttpRequest("POST", "/sim/listings", body=b'{"base":"LUMO"}'))
    assert answer.status == 400
    assert b"LUMOUSDT" in answer.body


def test_second_quote_shares_coin_and_contract_with_the_known_pair():
    venue = Venue()
    known = names_in_exchange_info(venue)
    listing = venue.post("/sim/listings", kind="second_quote", rowInS=0)
    venue.advance(1)
    row = names_in_exchange_info(venue)[listing["symbol"]]
    assert row["quoteAsset"] == "USDC"
    assert known[f"{row['baseAsset']}USDT"]["contractAddress"] == row["contractAddress"] != ""


def test_renamed_listing_takes_the_old_name_offline_and_keeps_the_contract():
    venue = Venue()
    known = names_in_exchange_info(venue)
    old = next(row for row in known.values() if row["contractAddress"].startswith("0x") and row["quoteAsset"] == "USDT")
    venue.post("/sim/listings", kind="renamed", of=old["symbol"], base="ALTERO", rowInS=5)
    venue.advance(6)
    now = names_in_exchange_info(venue)
    assert old["symbol"] not in now
    assert now["ALTEROUSDT"]["contractAddress"] == old["contractAddress"]
    assert {"symbol", "state", "offlineTime"} == set(venue.json("/api/v3/symbol/offline")["data"][0])


def test_returned_pair_leaves_all_lists_and_comes_back():
    venue = Venue()
    listing = venue.post("/sim/listings", kind="returned", goneInS=1, rowInS=20)
    symbol = listing["symbol"]
    assert symbol in names_in_exchange_info(venue)
    venue.advance(2)
    assert symbol not in names_in_exchange_info(venue)
    assert symbol not in default_symbols(venue)
    venue.advance(20)
    assert symbol in names_in_exchange_info(venue)
    assert symbol in default_symbols(venue)


def test_look_alike_differs_from_a_known_name_in_script_only():
    venue = Venue()
    listing = venue.post("/sim/listings", kind="look_alike", rowInS=0)
    assert not listing["base"].isascii()
    assert len(listing["base"]) in {len(row["baseAsset"]) for row in names_in_exchange_info(venue).values()}


def test_delisted_pair_is_offline_and_gone():
    venue = Venue()
    symbol = default_symbols(venue)[0]
    venue.post("/sim/delist", symbol=symbol, inS=1)
    venue.advance(2)
    assert symbol not in names_in_exchange_info(venue)
    assert venue.json("/api/v3/symbol/offline")["data"][0] == {
        "symbol": symbol, "state": 3, "offlineTime": (START_NS + NS_PER_S) // 1_000_000,
    }  # fmt: skip


def test_burst_lists_as_many_distinct_symbols_as_asked_within_the_second():
    venue = Venue()
    listings = venue.post("/sim/listings", count=50, spreadS=1, rowInS=2)["listings"]
    before = set(names_in_exchange_info(venue))
    venue.advance(3.1)
    assert set(names_in_exchange_info(venue)) - before == {listing["symbol"] for listing in listings}
    rows = [listing["times"]["row"] for listing in listings]
    assert len(rows) == 50
    assert max(rows) - min(rows) < NS_PER_S


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"bass": "X"}, "bass"),
        ({"kind": "nova"}, "nova"),
        ({"rowInS": "soon"}, "rowInS"),
        ({"base": "low"}, "low"),
        ({"openPrice": -1}, "openPrice"),
        ({"base": "BTC"}, "BTCUSDT"),
        ({"count": 0}, "count"),
        ({"count": 3, "base": "X"}, "base"),
        ({"kind": "second_quote", "of": "NOBODY"}, "NOBODY"),
    ],
)
def test_wrong_listing_request_is_refused_by_name(body, named):
    venue = Venue()
    answer = venue.ask(HttpRequest("POST", "/sim/listings", body=json.encode(body)))
    assert answer.status == 400
    error = json.decode(answer.body)
    assert error["code"] == "bad_request"
    assert named in error["message"]
