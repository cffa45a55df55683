"""What a second connection repeats, and what arrives out of order, told apart from news.

Two sockets overlap while one replaces the other (make before break), so every frame may come twice.
"""

from collections import Counter, OrderedDict

from mexc_sniper.core.values import Symbol
from mexc_sniper.venues.mexc.parse.frames import LevelsFrame, QuoteFrame, TradesFrame

REMEMBERED_TRADES = 2048
"""Per symbol; far more than two sockets can be apart."""

_Key = tuple[object, ...]


class QuoteFilter:
    """Lets a quote pass when it is newer than the last of its symbol."""

    def __init__(self) -> None:
        self._last: dict[Symbol, QuoteFrame] = {}

    def admits(self, frame: QuoteFrame) -> bool:
        """A lower version with a later send time passes: the venue started counting anew."""
        symbol = frame.quote.symbol
        last = self._last.get(symbol)
        if last is not None:
            if frame.version is not None and last.version is not None:
                older = frame.version < last.version and (frame.sent_at_ns or 0) <= (last.sent_at_ns or 0)
                if frame.version == last.version or older:
                    return False
            elif frame.quote == last.quote:
                return False
        self._last[symbol] = frame
        return True

    def forget(self, symbol: Symbol) -> None:
        """Drop what is known of a symbol."""
        self._last.pop(symbol, None)


class LevelsFilter:
    """Lets a book pass when it is newer than the last of its symbol."""

    def __init__(self) -> None:
        self._last: dict[Symbol, tuple[int | None, int | None]] = {}

    def admits(self, frame: LevelsFrame) -> bool:
        """A repeated version is no news; a lower one with a later send time is: the venue counts anew."""
        version, sent_at_ns = self._last.get(frame.symbol, (None, None))
        if version is not None and frame.version is not None:
            older = frame.version < version and (frame.sent_at_ns or 0) <= (sent_at_ns or 0)
            if frame.version == version or older:
                return False
        self._last[frame.symbol] = (frame.version, frame.sent_at_ns)
        return True

    def forget(self, symbol: Symbol) -> None:
        """Drop what is known of a symbol."""
        self._last.pop(symbol, None)


class TradeFilter:
    """Lets every trade pass once.

    With an id the id decides. Without one, two equal trades on one connection are two trades (REFERENCE 5,
    trap 37), and the n-th of them on another connection is the same as the n-th on the first.
    """

    def __init__(self) -> None:
        self._seen: dict[Symbol, OrderedDict[_Key, None]] = {}
        self._counts: dict[tuple[Symbol, int], Counter[_Key]] = {}

    def news(self, connection: int, frame: TradesFrame) -> TradesFrame | None:
        """Return the frame without the trades seen before; None when none is left."""
        seen = self._seen.setdefault(frame.symbol, OrderedDict())
        fresh = []
        for trade, trade_id in zip(frame.trades, frame.ids, strict=True):
            key: _Key = (trade_id,)
            if not trade_id:
                plain = (trade.ts_event_ns, trade.price, trade.quantity, trade.side)
                counts = self._counts.setdefault((frame.symbol, connection), Counter())
                counts[plain] += 1
                key = (*plain, counts[plain])
                if len(counts) > REMEMBERED_TRADES:
                    counts.clear()
            if key in seen:
                continue
            seen[key] = None
            fresh.append((trade, trade_id))
        while len(seen) > REMEMBERED_TRADES:
            seen.popitem(last=False)
        if not fresh:
            return None
        trades, ids = zip(*fresh, strict=True)
        return TradesFrame(frame.symbol, trades, ids, frame.sent_at_ns)

    def forget(self, symbol: Symbol) -> None:
        """Drop what is known of a symbol."""
        self._seen.pop(symbol, None)
        for key in [key for key in self._counts if key[0] == symbol]:
            del self._counts[key]

    def forget_connection(self, connection: int) -> None:
        """Drop the counts of a closed connection."""
        for key in [key for key in self._counts if key[1] == connection]:
            del self._counts[key]
