"""ccxt, written by others against the real exchange, works against the simulator: a witness that its wire is right."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import ccxt.pro
import pytest

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from tests.support.loops import sockets_closed
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 20


@pytest.fixture(scope="module")
def venue() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=200, ip_weight=100_000) as process:
        yield process


@pytest.fixture
async def client(venue: SimulatorProcess) -> AsyncIterator[ccxt.pro.mexc]:
    exchange = ccxt.pro.mexc({"enableRateLimit": False, "apiKey": "", "secret": ""})
    exchange.urls["api"]["spot"] = dict.fromkeys(("public", "private"), venue.rest_url)
    exchange.urls["api"]["contract"] = dict.fromkeys(("public", "private"), f"{venue.rest_url}/api/v1/contract")
    exchange.urls["api"]["ws"]["spot"] = venue.ws_url
    yield exchange
    await exchange.close()
    await sockets_closed()


async def test_load_markets_reads_every_pair_with_its_precision(client, venue):
    markets = await client.load_markets()
    rows = {row["symbol"]: row for row in venue.get("/api/v3/exchangeInfo")["symbols"]}
    assert {market["id"] for market in markets.values()} == set(rows)
    market = markets["BTC/USDC"]
    assert market["precision"]["amount"] == pytest.approx(10 ** -rows["BTCUSDC"]["baseAssetPrecision"])
    assert market["active"] is True
    assert markets["BTC/USDT"]["active"] is False  # isSpotTradingAllowed is false for it, as recorded


async def test_fetch_order_book_gives_two_ordered_sides(client):
    book = await client.fetch_order_book("SOL/USDT", 20)
    assert 5 < len(book["bids"]) <= 20
    assert 5 < len(book["asks"]) <= 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"] == sorted(book["bids"], reverse=True)


async def test_fetch_ohlcv_and_ticker_work(client):
    candles = await client.fetch_ohlcv("SOL/USDT", "1d", limit=5)
    assert len(candles) == 5
    ticker = await client.fetch_ticker("SOL/USDT")
    assert ticker["last"] > 0


async def test_watch_trades_delivers_trades(client):
    trades = await asyncio.wait_for(client.watch_trades("SOL/USDT"), DEADLINE_S)
    assert trades[0]["symbol"] == "SOL/USDT"
    assert trades[0]["price"] > 0
    assert trades[0]["side"] in ("buy", "sell")


async def test_watch_ticker_delivers_best_quotes(client):
    ticker = await asyncio.wait_for(client.watch_ticker("SOL/USDT"), DEADLINE_S)
    assert 0 < ticker["bid"] < ticker["ask"]


async def test_watch_ticker_of_several_symbols_shares_one_connection(client):
    # ccxt's own watch_tickers refuses spot markets of this venue (NotSupported in 4.5.90).
    tickers = await asyncio.wait_for(
        asyncio.gather(client.watch_ticker("SOL/USDT"), client.watch_ticker("MX/USDT")), DEADLINE_S
    )
    assert [ticker["symbol"] for ticker in tickers] == ["SOL/USDT", "MX/USDT"]
    assert len(client.clients) == 1


async def test_watch_order_book_stays_in_step_with_the_rest_book(client):
    client.options["watchOrderBook"] = {"snapshotDelay": 2, "snapshotMaxRetries": 3}  # default: after 25 pushes
    for _ in range(5):
        book = await asyncio.wait_for(client.watch_order_book("SOL/USDT"), DEADLINE_S)
    assert book["bids"][0][0] < book["asks"][0][0]


async def test_watch_ohlcv_delivers_the_running_candle(client):
    candles = await asyncio.wait_for(client.watch_ohlcv("SOL/USDT", "1m"), DEADLINE_S)
    assert candles[-1][1] > 0


async def test_new_listing_appears_after_reloading_markets(client, venue):
    before = set(await client.load_markets())
    venue.list_symbol(base="LUMO", openInS=0)
    after = set(await client.load_markets(reload=True))
    assert after - before == {"LUMO/USDT"}


async def test_signed_read_accepts_ccxt_signature(venue):
    exchange = ccxt.pro.mexc({"enableRateLimit": False, "apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET})
    exchange.urls["api"]["spot"] = dict.fromkeys(("public", "private"), venue.rest_url)
    try:
        own = await exchange.spotPrivateGetSelfSymbols()
    finally:
        await exchange.close()
    assert own["data"] == venue.get("/api/v3/defaultSymbols")["data"]
