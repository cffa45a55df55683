"""Latest prices of watched symbols, for the page: latest wins, never in the way of a decision."""

import msgspec

from mexc_sniper.core.values import Symbol, text_from_decimal
from mexc_sniper.model.events import Event, QuoteSeen, TradesSeen
from mexc_sniper.ports import LiveFigures


class Marks:
    """Collects prices as they pass and writes the changed ones when told."""

    def __init__(self, figures: LiveFigures) -> None:
        self._figures = figures
        self._marks: dict[Symbol, dict[str, str | int | None]] = {}
        self._changed: dict[Symbol, None] = {}

    def see(self, event: Event) -> None:
        """Take the price out of a quote or trade."""
        if isinstance(event, QuoteSeen):
            quote = event.quote
            mark = self._mark(quote.symbol, event.stamp.ts_recv_ns)
            mark["bid"] = None if quote.bid is None else text_from_decimal(quote.bid)
            mark["ask"] = None if quote.ask is None else text_from_decimal(quote.ask)
        elif isinstance(event, TradesSeen) and event.trades:
            mark = self._mark(event.symbol, event.stamp.ts_recv_ns)
            mark["last"] = text_from_decimal(event.trades[-1].price)

    def write(self) -> None:
        """Hand the prices that changed since the last call to the live figures."""
        for symbol in self._changed:
            self._figures.put(f"mark:{symbol}", msgspec.json.encode(self._marks[symbol]))
        self._changed.clear()

    def forget_except(self, watched: dict[Symbol, None]) -> None:
        """Drop the symbols nobody watches any more."""
        for symbol in [symbol for symbol in self._marks if symbol not in watched]:
            del self._marks[symbol]
            self._changed.pop(symbol, None)

    def _mark(self, symbol: Symbol, ts_ns: int) -> dict[str, str | int | None]:
        mark = self._marks.setdefault(symbol, {"last": None, "bid": None, "ask": None, "ts_ns": 0})
        mark["ts_ns"] = ts_ns
        self._changed[symbol] = None
        return mark
