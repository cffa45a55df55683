"""Bars of watched symbols' public trades, for the page: of a second at first, of a minute later; may be lost."""

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.model.entries import BarsRecorded
from mexc_sniper.model.events import Event, TradesSeen
from mexc_sniper.model.market import Bar, PublicTrade
from mexc_sniper.ports import Ledger

SECONDS_FOR_NS = 10 * 60 * NS_PER_S
"""How long after a symbol's first trade its bars are of a second each."""

LATE_NS = 5 * NS_PER_S
"""A bar takes trades until this long after its end; what comes later is left out."""


class _Building:
    """One bar that may still change."""

    __slots__ = ("close", "high", "low", "open", "trades", "volume")

    def __init__(self, trade: PublicTrade) -> None:
        self.open = self.high = self.low = self.close = trade.price
        self.volume = trade.quantity
        self.trades = 1

    def add(self, trade: PublicTrade) -> None:
        self.high = max(self.high, trade.price)
        self.low = min(self.low, trade.price)
        self.close = trade.price
        self.volume = Quantity(self.volume + trade.quantity)
        self.trades += 1


class Bars:
    """Folds trades into bars as they pass, and hands those that changed to the ledger when told."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._first_ns: dict[Symbol, int] = {}
        self._bars: dict[Symbol, dict[tuple[int, int], _Building]] = {}
        self._changed: dict[tuple[Symbol, int, int], None] = {}

    def see(self, event: Event) -> None:
        """Take the prices out of an event with trades."""
        if not isinstance(event, TradesSeen):
            return
        symbol = event.symbol
        bars = self._bars.setdefault(symbol, {})
        for trade in event.trades:
            at_ns = trade.ts_event_ns
            first_ns = self._first_ns.setdefault(symbol, at_ns)
            interval_s = 1 if at_ns - first_ns < SECONDS_FOR_NS else 60
            open_ns = at_ns - at_ns % (interval_s * NS_PER_S)
            bar = bars.get((interval_s, open_ns))
            if bar is not None:
                bar.add(trade)
            elif bars and open_ns + interval_s * NS_PER_S + LATE_NS < max(bars, key=_opening)[1]:
                continue  # its bar was written and forgotten; a new one would overwrite it
            else:
                bars[interval_s, open_ns] = _Building(trade)
            self._changed[symbol, interval_s, open_ns] = None

    def write(self) -> None:
        """Hand over the bars that changed since the last call, and let go of those that are over."""
        if not self._changed:
            return
        changed = tuple(self._bar(*key) for key in self._changed)
        self._changed.clear()
        self._ledger.append((BarsRecorded(bars=changed),))
        for bars in self._bars.values():
            if bars:
                newest_ns = max(bars, key=_opening)[1]
                for interval_s, open_ns in [key for key in bars if key[1] + key[0] * NS_PER_S + LATE_NS < newest_ns]:
                    del bars[interval_s, open_ns]

    def forget_except(self, watched: dict[Symbol, None]) -> None:
        """Drop the symbols nobody watches any more; call it after `write`."""
        for symbol in [symbol for symbol in self._bars if symbol not in watched]:
            del self._bars[symbol]
            self._first_ns.pop(symbol, None)

    def _bar(self, symbol: Symbol, interval_s: int, open_ns: int) -> Bar:
        built = self._bars[symbol][interval_s, open_ns]
        return Bar(
            symbol=symbol,
            interval_s=interval_s,
            open_ns=open_ns,
            open=Price(built.open),
            high=Price(built.high),
            low=Price(built.low),
            close=Price(built.close),
            volume=built.volume,
            trades=built.trades,
        )


def _opening(key: tuple[int, int]) -> int:
    return key[1]
