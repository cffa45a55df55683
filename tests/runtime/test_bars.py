"""Bars: what they hold, when they change from seconds to minutes, and what may be lost."""

from collections.abc import Sequence
from decimal import Decimal

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Price, Quantity, Symbol
from mexc_sniper.model.entries import BarsRecorded, LedgerEntry
from mexc_sniper.model.events import TradesSeen
from mexc_sniper.model.market import Bar, PublicTrade, Side, Stamp
from mexc_sniper.runtime.bars import Bars
from tests.builders import ns

ALPHA = Symbol("ALPHAUSDT")


class Kept:
    """A ledger that keeps the last version of every bar, as the table does."""

    trouble = ""

    def __init__(self) -> None:
        self.bars: dict[tuple[str, int, int], Bar] = {}
        self.writes = 0

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        self.writes += 1
        for entry in entries:
            assert isinstance(entry, BarsRecorded)
            self.bars.update({(bar.symbol, bar.interval_s, bar.open_ns): bar for bar in entry.bars})

    async def flush(self, *, deadline_s: float) -> None: ...


def traded(seconds: float, price: str, quantity: str = "10", symbol: Symbol = ALPHA) -> TradesSeen:
    at_ns = ns(seconds)
    trade = PublicTrade(Price(Decimal(price)), Quantity(Decimal(quantity)), Side.BUY, at_ns)
    return TradesSeen(stamp=Stamp(at_ns, at_ns, at_ns), symbol=symbol, trades=(trade,))


def test_trades_of_one_second_make_one_bar() -> None:
    ledger = Kept()
    bars = Bars(ledger)
    for seconds, price in ((0.1, "2"), (0.2, "5"), (0.3, "1"), (0.9, "3"), (1.0, "4")):
        bars.see(traded(seconds, price))
    bars.write()
    first, second = ledger.bars[ALPHA, 1, ns(0)], ledger.bars[ALPHA, 1, ns(1)]
    assert [str(value) for value in (first.open, first.high, first.low, first.close)] == ["2", "5", "1", "3"]
    assert (first.volume, first.trades) == (Decimal(40), 4)
    assert (second.open, second.trades) == (Decimal(4), 1)


def test_a_bar_written_half_is_replaced_by_the_whole_one() -> None:
    ledger = Kept()
    bars = Bars(ledger)
    bars.see(traded(0.1, "2"))
    bars.write()
    bars.see(traded(0.8, "7"))
    bars.write()
    bars.write()
    assert ledger.bars[ALPHA, 1, ns(0)].close == Decimal(7)
    assert ledger.writes == 2, "nothing changed, nothing written"


def test_bars_are_of_a_minute_ten_minutes_after_the_first_trade() -> None:
    ledger = Kept()
    bars = Bars(ledger)
    for seconds in (0.0, 599.0, 600.0, 605.0):
        bars.see(traded(seconds, "2"))
        bars.write()
    minute_ns = 60 * NS_PER_S
    assert [(interval, at % minute_ns == 0) for _, interval, at in ledger.bars if interval == 60] == [(60, True)]
    assert sum(interval == 1 for _, interval, _ in ledger.bars) == 2
    assert next(bar for bar in ledger.bars.values() if bar.interval_s == 60).trades == 2


def test_a_trade_told_too_late_never_overwrites_a_finished_bar() -> None:
    ledger = Kept()
    bars = Bars(ledger)
    for seconds in (0.1, 10.0):
        bars.see(traded(seconds, "2", "5"))
        bars.write()
    bars.see(traded(0.5, "999"))
    bars.write()
    assert ledger.bars[ALPHA, 1, ns(0)].high == Decimal(2)


def test_what_nobody_watches_is_forgotten() -> None:
    ledger = Kept()
    bars = Bars(ledger)
    bars.see(traded(0.0, "2"))
    bars.write()
    bars.forget_except({})
    bars.see(traded(700.0, "3"))
    bars.write()
    assert (ALPHA, 1, ns(700)) in ledger.bars, "watched anew it begins with seconds again"
