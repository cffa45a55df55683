"""Encoding of pushes: one protobuf wrapper per frame (REFERENCE 2.4)."""

from mexc_proto import PushDataV3ApiWrapper, public
from mexc_sim.core.candles import STREAM_INTERVALS
from mexc_sim.core.channels import Channel
from mexc_sim.core.market import Market, Trade

_MINI_ALL_TAG = b"\xb2\x13"  # field 310, length-delimited


def wrapper(channel: Channel, market: Market, now_ms: int) -> PushDataV3ApiWrapper:
    """The envelope of a market channel."""
    return PushDataV3ApiWrapper(channel=channel.name, symbol=market.symbol, sendTime=now_ms)


def deals(channel: Channel, market: Market, trades: list[Trade], now_ms: int) -> bytes:
    """Trades since the last push."""
    frame = wrapper(channel, market, now_ms)
    body = frame.publicAggreDeals
    body.eventType = channel.name.rpartition("@")[0]
    for trade in trades:
        body.deals.add(
            price=market.price_text(trade.price),
            quantity=market.quantity_text(trade.quantity),
            tradeType=1 if trade.taker_buys else 2,
            time=trade.time_ms,
            tradeId=f"{trade.number}X0_{trade.number}X0",
        )
    return bytes(frame.SerializeToString(deterministic=True))


def top(channel: Channel, market: Market, now_ms: int) -> bytes:
    """Best bid and ask; a side that is empty is absent (proto3 default)."""
    frame = wrapper(channel, market, now_ms)
    body = frame.publicAggreBookTicker
    _fill_top(body, market)
    body.version = str(market.book.version)
    body.lastOrderCreateTime = now_ms
    return bytes(frame.SerializeToString(deterministic=True))


def top_batch(channel: Channel, market: Market, now_ms: int) -> bytes:
    """Best bid and ask in the batched form."""
    frame = wrapper(channel, market, now_ms)
    _fill_top(frame.publicBookTickerBatch.items.add(), market)
    frame.publicBookTickerBatch.version = str(market.book.version)
    return bytes(frame.SerializeToString(deterministic=True))


def _fill_top(body: public.PublicAggreBookTickerV3Api | public.PublicBookTickerV3Api, market: Market) -> None:
    bid, ask = market.top(is_bid=True), market.top(is_bid=False)
    if bid is not None:
        body.bidPrice, body.bidQuantity = market.price_text(bid[0]), market.quantity_text(bid[1])
    if ask is not None:
        body.askPrice, body.askQuantity = market.price_text(ask[0]), market.quantity_text(ask[1])


def depth(
    channel: Channel, market: Market, changed: dict[tuple[bool, int], None], first: int, last: int, now_ms: int
) -> bytes:
    """Levels changed since the last push; quantity 0 removes (REFERENCE 2.5)."""
    frame = wrapper(channel, market, now_ms)
    body = frame.publicAggreDepths
    body.eventType = channel.name.rpartition("@")[0]
    body.fromVersion, body.toVersion = str(first), str(last)
    for is_bid, price in changed:
        side = body.bids if is_bid else body.asks
        quantity = market.book.quantity_at(is_bid=is_bid, price=price)
        side.add(
            price=market.price_text(price, padded=True),
            quantity=market.quantity_text(quantity, padded=True) if quantity else "0",
        )
    return bytes(frame.SerializeToString(deterministic=True))


def levels(channel: Channel, market: Market, now_ms: int) -> bytes:
    """The full top levels."""
    frame = wrapper(channel, market, now_ms)
    body = frame.publicLimitDepths
    body.eventType = channel.name.rpartition("@")[0].rpartition("@")[0]
    body.version = str(market.book.version)
    for is_bid, side in ((False, body.asks), (True, body.bids)):
        for price, quantity in market.book.levels(is_bid=is_bid, limit=channel.levels):
            side.add(price=market.price_text(price, padded=True), quantity=market.quantity_text(quantity, padded=True))
    return bytes(frame.SerializeToString(deterministic=True))


def kline(channel: Channel, market: Market, now_ms: int) -> bytes | None:
    """The running candle; None before the first trade. Has createTime and no sendTime, as recorded."""
    start, end, candle = market.candles.window(STREAM_INTERVALS[channel.interval], now_ms)
    if candle is None:
        return None
    frame = PushDataV3ApiWrapper(
        channel=channel.name, symbol=market.symbol, symbolId=market.instrument.symbol_id, createTime=now_ms
    )
    body = frame.publicSpotKline
    body.interval = channel.interval
    body.windowStart, body.windowEnd = start // 1000, end // 1000
    body.openingPrice, body.closingPrice = market.price_text(candle.open), market.price_text(candle.close)
    body.highestPrice, body.lowestPrice = market.price_text(candle.high), market.price_text(candle.low)
    body.volume, body.amount = market.quantity_text(candle.volume), market.turnover_text(candle.turnover)
    return bytes(frame.SerializeToString(deterministic=True))


def mini_item(market: Market) -> public.PublicMiniTickerV3Api:
    """One pair's line of the mini tickers: ``volume`` is quote turnover, ``quantity`` base volume."""
    day, last = market.day, market.last or 0
    opened = day.open if day else last
    rate = f"{(last - opened) / opened:.4f}" if opened else "0"
    high, low = market.price_text(day.high if day else last), market.price_text(day.low if day else last)
    return public.PublicMiniTickerV3Api(
        symbol=market.symbol,
        price=market.price_text(last),
        rate=rate,
        zonedRate=rate,
        high=high,
        low=low,
        volume=market.turnover_text(day.turnover if day else 0),
        quantity=market.quantity_text(day.volume if day else 0),
        lastCloseRate=rate,
        lastCloseZonedRate=rate,
        lastCloseHigh=high,
        lastCloseLow=low,
    )


def mini(channel: Channel, market: Market, now_ms: int) -> bytes:
    """The mini ticker of one pair."""
    frame = wrapper(channel, market, now_ms)
    frame.publicMiniTicker.CopyFrom(mini_item(market))
    return bytes(frame.SerializeToString(deterministic=True))


def mini_all(channel: Channel, items: list[bytes], now_ms: int) -> bytes:
    """The mini tickers of many pairs from items encoded before (``framed_item``); no symbol in the wrapper."""
    head: bytes = PushDataV3ApiWrapper(channel=channel.name, sendTime=now_ms).SerializeToString(deterministic=True)
    body = b"".join(items)
    return b"".join((head, _MINI_ALL_TAG, _varint(len(body)), body))


def framed_item(market: Market) -> bytes:
    """One pair's line as element of the repeated field 1."""
    data: bytes = mini_item(market).SerializeToString(deterministic=True)
    return b"\x0a" + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
