"""Binary frames to events: decoding, what is news, and what belongs to which stamp. No I/O: the tape uses it too."""

import contextlib

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import BookSeen, Event, MiniTickersSeen, QuoteSeen, TradesSeen
from mexc_sniper.model.market import Book, Stamp
from mexc_sniper.venues.mexc.dedupe import LevelsFilter, QuoteFilter, TradeFilter
from mexc_sniper.venues.mexc.parse.frames import LevelsFrame, QuoteFrame, TickersFrame, TradesFrame, decode_frame

TICKERS_KEY = ""
"""What `Reading.about` says of a ticker of all symbols."""

MAX_NAMES = 20_000
"""Ten times the venue's pairs; beyond it a connection invents names, and they are dropped."""


class Reading:
    """What one frame said: its kind, the symbol it is about (`TICKERS_KEY`: all, None: nothing of ours), its events."""

    __slots__ = ("about", "event", "kind", "sent_at_ns")

    def __init__(self, kind: str, about: str | None, sent_at_ns: int | None, event: Event | None) -> None:
        self.kind = kind
        self.about = about
        self.sent_at_ns = sent_at_ns
        self.event = event


class FrameInterpreter:
    """Remembers what was already said, per symbol and per connection; bounded by watched symbols and open sockets."""

    def __init__(self) -> None:
        self._quotes = QuoteFilter()
        self._trades = TradeFilter()
        self._levels = LevelsFilter()
        self._shown: dict[int, set[str]] = {}

    def read(self, connection: int, payload: bytes, wall_ns: int, mono_ns: int) -> Reading:
        """Read one binary frame of a connection.

        Raises:
            ProtocolError: it cannot be decoded.
        """
        frame = decode_frame(payload)
        if isinstance(frame, QuoteFrame):
            stamp = Stamp(frame.sent_at_ns, wall_ns, mono_ns)
            event = QuoteSeen(stamp=stamp, quote=frame.quote) if self._quotes.admits(frame) else None
            return Reading("quote", frame.quote.symbol, frame.sent_at_ns, event)
        if isinstance(frame, TradesFrame):
            return Reading(
                "trades", frame.symbol, frame.sent_at_ns, self._fresh_trades(connection, frame, wall_ns, mono_ns)
            )
        if isinstance(frame, LevelsFrame):
            stamp = Stamp(frame.sent_at_ns, wall_ns, mono_ns)
            book = Book(symbol=frame.symbol, bids=frame.bids, asks=frame.asks, stamp=stamp)
            levels = BookSeen(stamp=stamp, book=book) if self._levels.admits(frame) else None
            return Reading("levels", frame.symbol, frame.sent_at_ns, levels)
        if isinstance(frame, TickersFrame):
            stamp = Stamp(frame.sent_at_ns, wall_ns, mono_ns)
            return Reading("mini_tickers", TICKERS_KEY, frame.sent_at_ns, self._new_tickers(connection, frame, stamp))
        return Reading("other", None, None, None)

    def forget(self, symbol: Symbol) -> None:
        """Drop what is known of a symbol nobody watches any more."""
        self._quotes.forget(symbol)
        self._trades.forget(symbol)
        self._levels.forget(symbol)

    def forget_connection(self, connection: int) -> None:
        """Drop what is known of a closed connection."""
        self._trades.forget_connection(connection)
        self._shown.pop(connection, None)

    def _fresh_trades(self, connection: int, frame: TradesFrame, wall_ns: int, mono_ns: int) -> TradesSeen | None:
        fresh = self._trades.news(connection, frame)
        if fresh is None:
            return None
        stamp = Stamp(fresh.sent_at_ns, wall_ns, mono_ns)
        return TradesSeen(stamp=stamp, symbol=fresh.symbol, trades=fresh.trades)

    def _new_tickers(self, connection: int, frame: TickersFrame, stamp: Stamp) -> MiniTickersSeen | None:
        shown = self._shown.setdefault(connection, set())
        fresh = frame.prices.keys() - shown
        if not fresh or len(shown) + len(fresh) > MAX_NAMES:
            return None
        shown |= fresh
        tickers = []
        for name in sorted(fresh):
            with contextlib.suppress(ProtocolError):  # one impossible name must not hide the others
                tickers.append(frame.ticker(name))
        return MiniTickersSeen(stamp=stamp, tickers=tuple(tickers)) if tickers else None
