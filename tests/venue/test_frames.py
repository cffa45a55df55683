"""Binary frames: every recorded one decodes to the values its publisher shows, and odd ones do no harm."""

from decimal import Decimal

import pytest
from google.protobuf.json_format import MessageToDict

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.model.market import MiniTicker, PublicTrade, Quote, Side
from mexc_sniper.venues.mexc.parse.frames import (
    OtherFrame,
    QuoteFrame,
    TickersFrame,
    TradesFrame,
    decode_frame,
)
from tests.venue.samples import FRAMES, a_quote_frame, a_trades_frame, frame


def _plain(message):
    """As in the fixtures: 64-bit numbers as numbers, absent fields absent."""

    def convert(value, like):
        if isinstance(like, dict):
            return {key: convert(value[key], inner) for key, inner in like.items()} | {
                key: value[key] for key in value.keys() - like.keys()
            }
        if isinstance(like, list):
            return [convert(item, inner) for item, inner in zip(value, like, strict=True)]
        return int(value) if isinstance(like, int) and not isinstance(like, bool) else value

    return lambda like: convert(MessageToDict(message), like)


@pytest.mark.parametrize("entry", FRAMES, ids=lambda entry: entry["name"])
def test_recorded_frame_decodes_to_its_published_values(entry):
    wrapper = PushDataV3ApiWrapper.FromString(bytes.fromhex(entry["hex"]))
    assert _plain(wrapper)(entry["decoded"]) == entry["decoded"]
    decode_frame(bytes.fromhex(entry["hex"]))


def test_recorded_quote_becomes_a_quote():
    assert decode_frame(frame("aggre.bookTicker@10ms BTCUSDT")) == QuoteFrame(
        Quote("BTCUSDT", Decimal("86503.92"), Decimal("14.91335308"), Decimal("86503.93"), Decimal("0.004965")),
        sent_at_ns=1790145447239_000_000,
        version=81999275445,
    )


def test_recorded_trades_become_public_trades_with_the_takers_side():
    read = decode_frame(frame("aggre.deals@100ms BTCUSDT with eventType"))
    assert isinstance(read, TradesFrame)
    assert read.symbol == "BTCUSDT"
    assert read.sent_at_ns == 1790281246250_000_000
    assert read.trades == (
        PublicTrade(Decimal("84270"), Decimal("0.00099829"), Side.SELL, 1790281246176_000_000),
        PublicTrade(Decimal("84270"), Decimal("0.00019169"), Side.BUY, 1790281246177_000_000),
    )
    assert read.ids == (
        "731901896985399296X0_731901896985399297X0",
        "731901896985399298X0_731901896985399299X0",
    )


def test_mini_tickers_name_every_pair():
    read = decode_frame(frame("miniTickers UTC+8"))
    assert isinstance(read, TickersFrame)
    assert list(read.prices) == ["METAUSDT", "FCATUSDT", "CRVETH"]
    assert read.ticker("FCATUSDT") == MiniTicker("FCATUSDT", Decimal("0.0000031"))
    assert read.sent_at_ns == 1755076614201_000_000


def test_channel_nobody_asked_for_is_another_frame():
    assert decode_frame(frame("kline Min1 BTCUSDT")) == OtherFrame("spot@public.kline.v3.api.pb@BTCUSDT@Min1")


def test_unknown_fields_are_skipped():
    later_field = bytes.fromhex("c2f8 0c 03 616263".replace(" ", ""))  # field 26376, length 3
    assert decode_frame(a_quote_frame() + later_field) == decode_frame(a_quote_frame())


@pytest.mark.parametrize(("bid", "ask"), [("", "1.1"), ("0", "1.1"), ("0.00", "1.1")])
def test_one_sided_book_has_no_price_on_the_empty_side(bid, ask):
    read = decode_frame(a_quote_frame(bid=bid, ask=ask))
    assert isinstance(read, QuoteFrame)
    assert (read.quote.bid, read.quote.bid_quantity) == (None, None)
    assert read.quote.ask == Decimal("1.1")


@pytest.mark.parametrize("price", ["NaN", "1e400", "1_000", "１２", "-1", " 3 ", "Infinity", "0x1"])
def test_number_that_is_no_plain_decimal_makes_the_frame_bad(price):
    with pytest.raises(ProtocolError):
        decode_frame(a_quote_frame(bid=price))
    with pytest.raises(ProtocolError):
        decode_frame(a_trades_frame("NEWUSDT", (price, 1767211147355, "a")))


def test_symbol_of_any_code_points_is_legal():
    read = decode_frame(a_quote_frame(symbol="币安人生USDT"))
    assert isinstance(read, QuoteFrame)
    assert read.quote.symbol == "币安人生USDT"


def test_symbol_is_taken_from_the_channel_where_the_envelope_has_none():
    wrapper = PushDataV3ApiWrapper.FromString(a_quote_frame())
    wrapper.ClearField("symbol")
    read = decode_frame(wrapper.SerializeToString())
    assert isinstance(read, QuoteFrame)
    assert read.quote.symbol == "NEWUSDT"


def test_trades_are_handed_on_oldest_first():
    read = decode_frame(a_trades_frame("NEWUSDT", ("2", 1767211147356, "b"), ("1", 1767211147355, "a")))
    assert isinstance(read, TradesFrame)
    assert [trade.price for trade in read.trades] == [1, 2]
    assert read.ids == ("a", "b")


def test_trade_without_a_time_makes_the_frame_bad():
    with pytest.raises(ProtocolError, match="a trade at 0"):
        decode_frame(a_trades_frame("NEWUSDT", ("2", 0, "b")))


@pytest.mark.parametrize("payload", [b"", b"<html>", b'{"code":0}', b"\x0a\xff\xff\xff", b"\x00" * 10])
def test_bytes_that_are_no_envelope_are_a_protocol_error(payload):
    with pytest.raises(ProtocolError):
        decode_frame(payload)


def test_ticker_with_a_broken_price_still_names_its_pair():
    wrapper = PushDataV3ApiWrapper(channel="x")
    wrapper.publicMiniTickers.items.add(symbol="NEWUSDT", price="NaN")
    read = decode_frame(wrapper.SerializeToString())
    assert isinstance(read, TickersFrame)
    assert read.ticker("NEWUSDT") == MiniTicker("NEWUSDT", None)


def test_send_time_beyond_reason_counts_as_none():
    read = decode_frame(a_quote_frame(sent_ms=2**62))
    assert isinstance(read, QuoteFrame)
    assert read.sent_at_ns is None
