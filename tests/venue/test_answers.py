"""REST answers: every sample reads to the values it shows; another shape is a protocol error, never a guess."""

import json
from decimal import Decimal

import pytest

from mexc_sniper.core.errors import NotTradable, ProtocolError, VenueError, VenueUnavailable
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, PriceBand, TradeSides
from mexc_sniper.model.listing import CalendarEntry, OfflineSymbol, WebSymbol
from mexc_sniper.model.market import Candle
from mexc_sniper.venues.mexc.parse.announcements import announcements, listed_assets
from mexc_sniper.venues.mexc.parse.candles import candles
from mexc_sniper.venues.mexc.parse.exchange_info import instrument, name_of, split
from mexc_sniper.venues.mexc.parse.names import offline_symbols, server_time, tradable_names
from mexc_sniper.venues.mexc.parse.web import calendar, split_symbols, web_symbol
from tests.venue.samples import MEXC, a_row, exchange_info, recorded, sample, symbol_list

D = Decimal


def _row(**changes):
    return json.dumps(a_row(**changes)).encode()


def test_recorded_exchange_info_reads_row_by_row():
    server_ns, rows = split(recorded("exchangeInfo_6_symbols.json"))
    read = [instrument(row) for row in rows]
    assert server_ns == 1767211147355_000_000
    assert [(i.symbol, i.api_trading, i.price_decimals, i.quantity_decimals, i.min_quantity) for i in read] == [
        ("BTCUSDT", False, 2, 8, D("0.000001")),
        ("METALUSDT", True, 5, 2, D("0.1")),
        ("RARIUSDT", True, 4, 2, D("0.0001")),
        ("PYTHUSDT", True, 5, 2, D(0)),
        ("AOUSDT", True, 3, 2, D(0)),
        ("AMPEDUSDT", True, 5, 2, D(0)),
    ]
    assert read[1] == Instrument(
        symbol="METALUSDT",
        base="METAL",
        quote="USDT",
        status=InstrumentStatus.ONLINE,
        api_trading=True,
        trade_sides=TradeSides.ALL,
        order_types=("LIMIT", "MARKET", "LIMIT_MAKER"),
        price_decimals=5,
        quantity_decimals=2,
        min_quantity=D("0.1"),
        min_notional_limit=D(1),
        min_notional_market=D(1),
        max_notional_limit=D(2000000),
        max_notional_market=read[1].max_notional_market,
        maker_fee=D(0),
        taker_fee=D("0.0005"),
        price_band=PriceBand(D("0.2"), D("0.2")),
        full_name="Metal Blockchain",
        contract_address="xtokens",
        special_treatment=read[1].special_treatment,
    )
    assert read[2].contract_address == "0xfca59cd816ab1ead66534d82bc21e7515ce441cf"


@pytest.mark.parametrize(
    ("file", "symbol", "status", "sides", "market_minimum", "band"),
    [
        ("2022_docs_TOMO3LUSDT_no_market_orders.json", "TOMO3LUSDT", "online", 1, D(5), None),
        ("2025-01-23_recorded_BROCKUSDT.json", "BROCKUSDT", "online", 1, D(1), None),
        ("2025-11_docs_METALUSDT_multiplier_5.json", "METALUSDT", "online", 1, D(1), PriceBand(D(5), D("0.2"))),
        ("2025-12_docs_BTCUSDT.json", "BTCUSDT", "online", 1, D(1), PriceBand(D("0.005"), D("0.005"))),
    ],
)
def test_older_and_documented_rows_read(file, symbol, status, sides, market_minimum, band):
    found = json.loads(sample("rest", "exchangeInfo_variants", file))
    row = json.dumps(found["symbols"][0] if "symbols" in found else found).encode()
    read = instrument(row)
    assert (read.symbol, read.status, read.trade_sides, read.min_notional_market, read.price_band) == (
        symbol,
        status,
        sides,
        market_minimum,
        band,
    )


def test_row_with_the_fields_of_2026_tells_its_first_opening():
    read = instrument(_row(conceptPlates=["mc-trade-zone-xStocks"], st=True))
    assert read.first_open_time_ns == 1795341600000_000_000
    assert read.concept_plates == ("mc-trade-zone-xStocks",)
    assert read.special_treatment is True


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "9"}, ("status", InstrumentStatus.UNKNOWN)),
        ({"status": 2}, ("status", InstrumentStatus.PAUSED)),
        ({"tradeSideType": "3"}, ("trade_sides", TradeSides.SELL_ONLY)),
        ({"tradeSideType": 77}, ("trade_sides", TradeSides.UNKNOWN)),
        ({"tradeSideType": None}, ("trade_sides", TradeSides.UNKNOWN)),
        ({"fullName": None}, ("full_name", "")),
        ({"fullName": "a\x00b\u202ec"}, ("full_name", "a b c")),
        ({"firstOpenTime": 0}, ("first_open_time_ns", None)),
        ({"firstOpenTime": "1795341600000"}, ("first_open_time_ns", 1795341600000_000_000)),
        ({"baseAssetPrecision": "2"}, ("quantity_decimals", 2)),
        ({"somethingNew": {"deep": [1]}}, ("symbol", "NEWUSDT")),
    ],
)
def test_odd_but_readable_values_are_read(changes, expected):
    field, value = expected
    assert getattr(instrument(_row(**changes)), field) == value


@pytest.mark.parametrize(
    "changes",
    [
        {"baseSizePrecision": "NaN"},
        {"baseSizePrecision": "-1"},
        {"quoteAmountPrecision": "1e3"},
        {"baseAssetPrecision": 99},
        {"quotePrecision": None, "quoteAssetPrecision": None},
        {"isSpotTradingAllowed": "yes"},
        {"symbol": ""},
        {"symbol": "A\nB"},
        {"symbol": " A"},
        {"symbol": "A" * 101},
    ],
)
def test_row_with_a_malformed_rule_is_refused(changes):
    with pytest.raises(ProtocolError):
        instrument(json.dumps(a_row() | changes).encode())


@pytest.mark.parametrize("missing", ["symbol", "status", "baseAsset", "quoteAsset", "isSpotTradingAllowed"])
def test_row_without_a_required_field_is_refused(missing):
    row = a_row()
    del row[missing]
    with pytest.raises(ProtocolError):
        instrument(json.dumps(row).encode())


def test_name_of_an_otherwise_unreadable_row_is_still_known():
    assert name_of(b'{"symbol":"HALFUSDT","status":[]}') == "HALFUSDT"


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"5", b'{"symbols":null}', b'{"symbols":{}}', b"<html>"])
def test_exchange_info_without_rows_is_refused(body):
    with pytest.raises(ProtocolError):
        split(body)


def test_error_body_with_status_200_is_its_error():
    with pytest.raises(NotTradable) as caught:
        split(b'{"code":-1121,"msg":"Invalid symbol."}')
    assert caught.value.code == -1121
    with pytest.raises(VenueUnavailable):
        tradable_names(b'{"code":"500","msg":"Under maintenance"}')


def test_recorded_default_symbols_reads_all_names_the_chinese_ones_too():
    answered_ns, names = tradable_names(recorded("defaultSymbols.json"))
    assert answered_ns == 1767205878625_000_000
    assert len(names) == 1991
    assert {"币安人生USDT", "恶俗企鹅USDT", "索拉拉USDT"} <= names


def test_self_symbols_of_the_documents_read():
    assert tradable_names(sample("rest", "docs", "selfSymbols.json")) == (
        None,
        {"GENE1USDT", "SNTUSDT", "SQUAWKUSDT", "HEGICUSDT", "GUMUSDT"},
    )


def test_text_that_is_no_symbol_does_not_hide_the_others():
    assert tradable_names(symbol_list(["AUSDT", "", "B\u0000"]))[1] == {"AUSDT"}


@pytest.mark.parametrize("body", [b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":[1]}', b'{"data":[""]}', b"[]"])
def test_symbol_list_of_another_shape_is_refused(body):
    with pytest.raises(ProtocolError):
        tradable_names(body)


def test_documented_offline_symbols_read():
    read = offline_symbols(sample("rest", "docs", "symbol_offline.json"))
    assert len(read) == 7
    assert read[0] == OfflineSymbol("LVNUSDT", 3, None)
    assert read[1] == OfflineSymbol("LOKAUSDT", 3, 1724125694000_000_000)


def test_offline_symbol_with_the_other_name_of_its_state_reads():
    assert offline_symbols(b'{"data":[{"symbol":"XUSDT","status":2}]}') == (OfflineSymbol("XUSDT", 2),)


def test_recorded_server_time_reads():
    assert server_time(recorded("time.json")) == 1767211150479_000_000


@pytest.mark.parametrize("body", [b"{}", b'{"serverTime":0}', b'{"serverTime":"soon"}', b'{"serverTime":1e400}'])
def test_server_time_that_is_none_is_refused(body):
    with pytest.raises(ProtocolError):
        server_time(body)


def test_recorded_candles_read_oldest_first():
    read = candles(recorded("klines_BTCUSDT_5m.json"), 300)
    assert read == (
        Candle(1767204000000_000_000, D("87621.27"), D("87683.93"), D("87570"), D("87667.2"), D("26.68976225"), 300),
        Candle(1767204300000_000_000, D("87667.2"), D("87904.15"), D("87635.56"), D("87868.15"), D("72.17327432"), 300),
    )
    newest_first = json.dumps(json.loads(recorded("klines_BTCUSDT_5m.json"))[::-1]).encode()
    assert candles(newest_first, 300) == read


def test_no_candles_is_an_answer():
    assert candles(b"[]", 60) == ()


@pytest.mark.parametrize("body", [b"{}", b"[[1]]", b'[["a","1","1","1","1","1"]]', b"[[1767204000000,1,1,1,1,1]]"])
def test_candles_of_another_shape_are_refused(body):
    with pytest.raises(ProtocolError):
        candles(body, 60)


def test_calendar_line_reads():
    assert calendar(sample("shape_only", "new_coin_calendar.json")) == (
        (
            CalendarEntry(
                coin_id="0123456789abcdef0123456789abcdef",
                asset="EXMPL",
                full_name="Example Token",
                opens_at_ns=1795341600000_000_000,
                zone="innovation",
            ),
        ),
        0,
    )


@pytest.mark.parametrize("time", ["null", "0", '"TBD"', "-1", "12"])
def test_calendar_line_without_a_time_is_to_be_determined(time):
    body = f'{{"data":{{"newCoins":[{{"vcoinId":"a","vcoinName":"B","firstOpenTime":{time}}}]}}}}'.encode()
    (entry,), _ = calendar(body)
    assert entry.opens_at_ns is None


def test_unreadable_calendar_line_is_counted_and_hides_no_other():
    entries, unread = calendar(b'{"data":{"newCoins":[{"vcoinId":"a","vcoinName":"B"},{"vcoinName":"C"}]}}')
    assert [entry.asset for entry in entries] == ["B"]
    assert unread == 1


@pytest.mark.parametrize("body", [b"{}", b'{"data":{}}', b'{"data":{"newCoins":[{"x":1}]}}', b'{"data":[]}'])
def test_calendar_of_another_shape_is_refused(body):
    with pytest.raises(ProtocolError):
        calendar(body)


def test_web_symbols_read_by_quote_currency():
    ((quote, row),) = split_symbols(sample("shape_only", "symbolsV2.json"))
    assert web_symbol(quote, row) == (
        "EXMPLUSDT",
        WebSymbol(
            symbol_id="fedcba9876543210fedcba9876543210",
            coin_id="0123456789abcdef0123456789abcdef",
            base="EXMPL",
            quote="USDT",
            full_name="Example Token",
            contract_address="0x0000000000000000000000000000000000000000",
            opens_at_ns=1795341600000_000_000,
            status_codes="2/2/4",
        ),
    )


def test_web_symbols_as_a_flat_list_are_refused():
    with pytest.raises(ProtocolError):
        split_symbols(b'{"data":{"symbols":[{"id":"a","vn":"B"}]}}')


def test_documented_announcements_list_nothing():
    posts = announcements(sample("rest", "docs", "announcements.json"))
    assert [post.posted_at_ns for post in posts] == [1761620404821_000_000, 1761582756071_000_000]
    assert all(post.assets == () for post in posts)


@pytest.mark.parametrize(
    ("title", "assets"),
    [
        ("[Initial Listing] MEXC Will List Example Token (EXMPL) in Innovation Zone", ("EXMPL",)),
        ("MEXC Will List Foo (FOO) and Bar Chain (BAR) in Innovation Zone", ("FOO", "BAR")),
        ("[Initial Listing] MEXC to List 币安人生 (币安人生) in Meme+ Zone", ("币安人生",)),
        ("MEXC Will List Foo （FOO） in Innovation Zone", ("FOO",)),
        ("MEXC Will List FOO/USDT on 2026-11-22 10:00 (UTC)", ("FOO",)),
        ("OKX to list Virtuals Protocol (VIRTUAL) for spot trading", ()),
        ("Foo (FOO) will soon be available for pre-market trading", ()),
        ("[Initial Listing] FOOUSDT will be listed on MEXC Futures", ()),
        ("MEXC Will List FOO (FOO) USDT-M Perpetual Futures", ()),
        ("MEXC Will Delist Foo (FOO)", ()),
        ("[Initial Listing] Notice on postponing the listing of Foo (FOO)", ()),
        ("MEXC Will List Foo (FOO) in Convert", ()),
        ("MEXC Will List something", ()),
        ("(" * 5000, ()),
    ],
)
def test_title_names_the_assets_of_a_spot_listing_only(title, assets):
    assert listed_assets(title) == assets


def test_announcement_with_a_script_address_has_no_link():
    body = b'{"data":[{"details":[{"title":"t","url":"javascript:alert(1)"}]}]}'
    assert announcements(body)[0].url == ""


@pytest.mark.parametrize("entry", json.loads((MEXC / "rest" / "error_bodies.json").read_text()), ids=str)
def test_every_recorded_error_body_is_an_error(entry):
    body = json.dumps(entry["body"]).encode()
    with pytest.raises(VenueError):
        tradable_names(body)


def test_exchange_info_row_of_a_repeated_symbol_changes_nothing():
    assert len(split(exchange_info([a_row(), a_row()]))[1]) == 2
