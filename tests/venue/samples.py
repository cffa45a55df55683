"""The recorded samples (tests/fixtures/mexc, origin in its README) and small builders on top of them."""

import json
from pathlib import Path
from typing import Any

from mexc_proto import PushDataV3ApiWrapper

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
MEXC = FIXTURES / "mexc"
RECORDED = MEXC / "rest" / "recorded_2025-12-31"
FRAMES: list[dict[str, Any]] = json.loads((MEXC / "ws" / "frames.json").read_text())


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def sample(*parts: str) -> bytes:
    return MEXC.joinpath(*parts).read_bytes()


def frame(name: str) -> bytes:
    return bytes.fromhex(next(entry["hex"] for entry in FRAMES if entry["name"] == name))


def a_row(symbol: str = "NEWUSDT", **changes: Any) -> dict[str, Any]:
    row = json.loads(sample("shape_only", "exchangeInfo_2026_new_fields.json"))
    row |= {"symbol": symbol, "baseAsset": symbol.removesuffix("USDT"), "quoteAsset": "USDT"}
    return row | changes


def exchange_info(rows: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps({"timezone": "CST", "serverTime": 1767211147355, "symbols": rows} | more).encode()


def symbol_list(names: list[str], **more: Any) -> bytes:
    return json.dumps({"code": 0, "msg": "success", "timestamp": 1767205878625, "data": names} | more).encode()


def a_quote_frame(
    symbol: str = "NEWUSDT",
    bid: str = "1",
    ask: str = "1.1",
    version: str = "7",
    sent_ms: int = 1767211147355,
    quantity: str = "5",
) -> bytes:
    wrapper = PushDataV3ApiWrapper(
        channel=f"spot@public.aggre.bookTicker.v3.api.pb@10ms@{symbol}", symbol=symbol, sendTime=sent_ms
    )
    body = wrapper.publicAggreBookTicker
    body.bidPrice, body.bidQuantity, body.askPrice, body.askQuantity = bid, quantity, ask, quantity
    body.version = version
    return wrapper.SerializeToString()


def a_trades_frame(symbol: str = "NEWUSDT", *trades: tuple[str, int, str], sent_ms: int = 1767211147355) -> bytes:
    """Trades are (price, time in ms, id)."""
    wrapper = PushDataV3ApiWrapper(
        channel=f"spot@public.aggre.deals.v3.api.pb@10ms@{symbol}", symbol=symbol, sendTime=sent_ms
    )
    wrapper.publicAggreDeals.SetInParent()
    for price, time_ms, trade_id in trades:
        wrapper.publicAggreDeals.deals.add(price=price, quantity="2", tradeType=1, time=time_ms, tradeId=trade_id)
    return wrapper.SerializeToString()


def a_tickers_frame(*names: str, sent_ms: int = 1767211147355) -> bytes:
    wrapper = PushDataV3ApiWrapper(channel="spot@public.miniTickers.v3.api.pb@UTC+8", sendTime=sent_ms)
    wrapper.publicMiniTickers.SetInParent()
    for name in names:
        wrapper.publicMiniTickers.items.add(symbol=name, price="1.5")
    return wrapper.SerializeToString()
