"""The simulator's answers have the keys and types of what was recorded at the real exchange."""

import hmac
import json
from pathlib import Path

import pytest

from mexc_proto import PushDataV3ApiWrapper
from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from mexc_sim.core.script import Script
from mexc_sim.core.universe import generate
from tests.sim.venue import Venue, get

FIXTURES = Path(__file__).parents[1] / "fixtures/sim"
CASES = [
    ("rest/time.json", "/api/v3/time"),
    ("rest/defaultSymbols.json", "/api/v3/defaultSymbols"),
    ("rest/exchangeInfo_6_symbols.json", "/api/v3/exchangeInfo"),
    ("rest/exchangeInfo_BTCUSDT.json", "/api/v3/exchangeInfo?symbol=BTCUSDT"),
    ("rest/depth_BTCUSDT.json", "/api/v3/depth?symbol=BTCUSDT"),
    ("rest/trades_BTCUSDT.json", "/api/v3/trades?symbol=BTCUSDT"),
    ("rest/aggTrades_BTCUSDT.json", "/api/v3/aggTrades?symbol=BTCUSDT"),
    ("rest/klines_BTCUSDT_5m.json", "/api/v3/klines?symbol=BTCUSDT&interval=5m"),
    ("rest/avgPrice_BTCUSDT.json", "/api/v3/avgPrice?symbol=BTCUSDT"),
    ("rest/ticker24hr_BTCUSDT.json", "/api/v3/ticker/24hr?symbol=BTCUSDT"),
    ("rest/ticker24hr_all_excerpt.json", "/api/v3/ticker/24hr"),
    ("rest/tickerPrice_BTCUSDT.json", "/api/v3/ticker/price?symbol=BTCUSDT"),
    ("rest/tickerPrice_all_excerpt.json", "/api/v3/ticker/price?symbols=BTCUSDT"),
    ("rest/bookTicker_BTCUSDT.json", "/api/v3/ticker/bookTicker?symbol=BTCUSDT"),
    ("rest/bookTicker_all_excerpt.json", "/api/v3/ticker/bookTicker"),
    ("rest/announcements.json", "/api/v3/announcements"),
    ("rest/symbol_offline.json", "/api/v3/symbol/offline"),
    ("web/new_coin_calendar.json", "/api/operation/new_coin_calendar"),
    ("web/symbolsV2.json", "/api/platform/spot/market-v2/web/symbolsV2"),
    ("web/announce_section_articles.json", "/help/announce/api/en-US/section/360000679912/articles?page=1&perPage=20"),
]


def compare(recorded: object, made: object, where: str = "$") -> None:
    """Every key and type of the recording must be there; lists are compared by their first elements."""
    assert type(recorded) is type(made), f"{where}: {recorded!r} against {made!r}"
    if isinstance(recorded, dict):
        missing = set(recorded) - set(made)
        assert not missing, f"{where}: {missing} is missing"
        for key, value in recorded.items():
            compare(value, made[key], f"{where}.{key}")
    elif isinstance(recorded, list) and recorded and isinstance(recorded[0], dict | list):
        assert made, f"{where}: empty"
        compare(recorded[0], made[0], f"{where}[0]")


@pytest.fixture(scope="module")
def lively() -> Venue:
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT")
    venue.post("/sim/delist", symbol=venue.json("/api/v3/defaultSymbols")["data"][-1])
    venue.advance(20)
    venue.exchange.limits.forgive()
    return venue


@pytest.mark.parametrize(("fixture", "path"), CASES, ids=[path for _, path in CASES])
def test_answer_has_the_keys_and_types_of_the_recording(lively, fixture, path):
    recorded = json.loads((FIXTURES / fixture).read_text("utf-8"))
    lively.exchange.limits.forgive()
    made = lively.json(path)
    if fixture.endswith("symbol_offline.json"):
        recorded["data"] = [row for row in recorded["data"] if "offlineTime" in row]
    compare(recorded, made)


@pytest.mark.parametrize(
    ("fixture", "path"),
    [
        ("rest/selfSymbols.json", "/api/v3/selfSymbols"),
        ("rest/account_2026.json", "/api/v3/account"),
        ("rest/kyc_status.json", "/api/v3/kyc/status"),
        ("rest/uid.json", "/api/v3/uid"),
    ],
)
def test_signed_answer_has_the_keys_and_types_of_the_documents(lively, fixture, path):
    recorded = json.loads((FIXTURES / fixture).read_text("utf-8"))
    query = f"timestamp={lively.now_ns // 1_000_000}"
    signature = hmac.new(DEFAULT_SECRET.encode(), query.encode(), "sha256").hexdigest()
    lively.exchange.limits.forgive()
    answer = lively.ask(get(f"{path}?{query}&signature={signature}", **{"x-mexc-apikey": DEFAULT_KEY}))
    assert answer.status == 200, answer.body
    compare(recorded, json.loads(answer.body))


def test_exchange_info_row_has_the_fields_of_2026(lively):
    recorded = json.loads((FIXTURES / "rest/exchangeInfo_2026_new_fields.json").read_text("utf-8"))
    lively.exchange.limits.forgive()
    row = lively.json("/api/v3/exchangeInfo?symbol=BTCUSDT")["symbols"][0]
    assert set(row) == set(recorded)


def test_universe_has_the_recorded_proportions():
    venue = Venue()
    pairs = generate(1, 2_000, venue.now_ns // 1_000_000)
    by_quote: dict[str, int] = {}
    for instrument, _ in pairs:
        by_quote[instrument.quote] = by_quote.get(instrument.quote, 0) + 1
    assert len({instrument.symbol for instrument, _ in pairs}) == 2_000
    assert by_quote["USDT"] > 1_850
    assert 70 <= by_quote["USDC"] <= 80
    assert {"BTC", "ETH", "EUR"} < set(by_quote)
    assert 60 <= sum(not api_open for _, api_open in pairs) <= 130
    assert sum(not instrument.symbol.isascii() for instrument, _ in pairs) == 3


def test_full_exchange_info_is_about_as_large_as_the_real_one():
    body = Venue(Script(symbols=2_000)).ask(get("/api/v3/exchangeInfo")).body
    recorded = json.loads((FIXTURES / "rest/exchangeInfo_6_symbols.json").read_text("utf-8"))["symbols"]
    real_row = sum(len(json.dumps(row, separators=(",", ":"))) for row in recorded) / len(recorded)
    assert 0.9 * 2_000 * real_row < len(body) < 1.3 * 2_000 * real_row


@pytest.mark.parametrize(
    "channel",
    [
        "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
        "spot@public.kline.v3.api.pb@BTCUSDT@Min1",
        "spot@public.limit.depth.v3.api.pb@BTCUSDT@5",
        "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT",
        "spot@public.bookTicker.batch.v3.api.pb@BTCUSDT",
        "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+8",
        "spot@public.miniTickers.v3.api.pb@UTC+8",
    ],
)
def test_frame_sets_the_fields_that_the_recorded_frame_of_its_channel_sets(channel):
    stem = channel.split("@")[1]
    recorded = [
        PushDataV3ApiWrapper.FromString(bytes.fromhex(entry["hex"]))
        for entry in json.loads((FIXTURES / "ws/frames.json").read_text("utf-8"))
        if entry["decoded"]["channel"].split("@")[1] == stem
    ]
    assert recorded
    venue = Venue()
    connection = venue.connect()
    venue.subscribe(connection, channel)
    venue.advance(12)
    made = venue.frames(connection)[-1]
    assert made.channel == channel
    wanted = {field.name for frame in recorded for field, _ in frame.ListFields()}
    assert {field.name for field, _ in made.ListFields()} == wanted
    body = made.WhichOneof("body")
    assert body == recorded[0].WhichOneof("body")
