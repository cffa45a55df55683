"""Binary frames: one protobuf envelope each (REFERENCE 2.3, 2.4). Unknown fields and channels are skipped."""

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from mexc_proto import PushDataV3ApiWrapper
from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import MalformedNumber, Price, Quantity, Symbol, price_from_text, quantity_from_text
from mexc_sniper.model.market import Level, MiniTicker, PublicTrade, Quote, Side
from mexc_sniper.venues.mexc.channels import symbol_in
from mexc_sniper.venues.mexc.parse.text import Bad, ns_or_none, symbol_of

_SIDES = {1: Side.BUY, 2: Side.SELL}


@dataclass(frozen=True, slots=True)
class QuoteFrame:
    """A best bid and ask. ``version`` orders quotes of a symbol; None where the frame has none."""

    quote: Quote
    sent_at_ns: int | None
    version: int | None


@dataclass(frozen=True, slots=True)
class TradesFrame:
    """Trades of one symbol, oldest first; ``ids`` runs beside them, empty text where the venue gave none."""

    symbol: Symbol
    trades: tuple[PublicTrade, ...]
    ids: tuple[str, ...]
    sent_at_ns: int | None


@dataclass(frozen=True, slots=True)
class LevelsFrame:
    """The visible levels of a symbol, best first on both sides. ``version`` orders the books of a symbol."""

    symbol: Symbol
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    sent_at_ns: int | None
    version: int | None


@dataclass(frozen=True, slots=True)
class TickersFrame:
    """The all-symbols ticker, unread but for its names: prices are read only of symbols that are news."""

    prices: dict[str, str]
    sent_at_ns: int | None

    def ticker(self, name: str) -> MiniTicker:
        """Read one line; a malformed price is no reason to miss the name.

        Raises:
            ProtocolError: the name is none.
        """
        price: Price | None
        try:
            price = price_from_text(self.prices[name])
        except MalformedNumber:
            price = None
        try:
            return MiniTicker(symbol_of(name), price)
        except Bad as error:
            raise ProtocolError(f"mini ticker: {error}") from None


@dataclass(frozen=True, slots=True)
class OtherFrame:
    """A frame of a channel we did not ask for."""

    channel: str


Frame = QuoteFrame | TradesFrame | LevelsFrame | TickersFrame | OtherFrame


def decode_frame(payload: bytes) -> Frame:
    """Decode one binary frame.

    Raises:
        ProtocolError: no envelope, no symbol where one is due, or a malformed number.
    """
    try:
        wrapper = PushDataV3ApiWrapper.FromString(payload)
    except DecodeError:
        raise ProtocolError(f"frame is no protobuf envelope: {payload[:64]!r}") from None
    body = wrapper.WhichOneof("body")
    sent_at = ns_or_none(wrapper.sendTime or wrapper.createTime)
    try:
        if body == "publicAggreBookTicker":
            return _quote(wrapper, sent_at)
        if body == "publicAggreDeals":
            return _trades(wrapper, sent_at)
        if body == "publicLimitDepths":
            return _levels(wrapper, sent_at)
        if body == "publicMiniTickers":
            return TickersFrame({item.symbol: item.price for item in wrapper.publicMiniTickers.items}, sent_at)
        if body is None and not wrapper.channel:
            raise ProtocolError(f"frame is empty: {payload[:64]!r}")
    except ValueError as error:
        raise ProtocolError(f"frame of {wrapper.channel[:100]!r}: {error}") from None
    return OtherFrame(wrapper.channel)


def _quote(wrapper: PushDataV3ApiWrapper, sent_at: int | None) -> QuoteFrame:
    body = wrapper.publicAggreBookTicker
    bid, bid_quantity = _side(body.bidPrice, body.bidQuantity)
    ask, ask_quantity = _side(body.askPrice, body.askQuantity)
    version = body.version
    return QuoteFrame(
        quote=Quote(_symbol(wrapper), bid, bid_quantity, ask, ask_quantity),
        sent_at_ns=sent_at,
        version=_version(version),
    )


def _side(price: str, quantity: str) -> tuple[Price | None, Quantity | None]:
    """One side of the book; absent or zero means nobody is there (normal at an opening)."""
    if not price or not quantity:
        return None, None
    amount = quantity_from_text(quantity)
    value = quantity_from_text(price)
    if amount == 0 or value == 0:
        return None, None
    return Price(value), amount


def _levels(wrapper: PushDataV3ApiWrapper, sent_at: int | None) -> LevelsFrame:
    body = wrapper.publicLimitDepths
    bids = [Level(p, q) for p, q in (_side(item.price, item.quantity) for item in body.bids) if p and q]
    asks = [Level(p, q) for p, q in (_side(item.price, item.quantity) for item in body.asks) if p and q]
    # The venue sends the best level first; a book in another order would make every later figure wrong.
    bids.sort(key=lambda level: level.price, reverse=True)
    asks.sort(key=lambda level: level.price)
    symbol = symbol_of(wrapper.symbol or symbol_in(wrapper.channel))
    return LevelsFrame(symbol, tuple(bids), tuple(asks), sent_at, _version(body.version))


def _version(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _trades(wrapper: PushDataV3ApiWrapper, sent_at: int | None) -> TradesFrame:
    items = sorted(wrapper.publicAggreDeals.deals, key=lambda item: item.time)
    trades = []
    for item in items:
        traded_at = ns_or_none(item.time)
        if traded_at is None:
            raise Bad(f"a trade at {item.time}")
        trades.append(
            PublicTrade(
                price=price_from_text(item.price),
                quantity=quantity_from_text(item.quantity),
                side=_SIDES.get(item.tradeType, Side.UNKNOWN),
                ts_event_ns=traded_at,
            )
        )
    return TradesFrame(_symbol(wrapper), tuple(trades), tuple(item.tradeId for item in items), sent_at)


def _symbol(wrapper: PushDataV3ApiWrapper) -> Symbol:
    """The envelope's symbol, or the end of the channel's name where it carries none."""
    return symbol_of(wrapper.symbol or symbol_in(wrapper.channel))
