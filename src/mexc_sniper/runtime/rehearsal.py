"""Dry runs of the hot path while an opening is near (DESIGN 4): what ran a moment ago runs several times faster.

A path not walked for a while has left the processor's caches: the same decision then takes 0.3 ms instead of 0.1
(bench/handle.py, cold and warm). The rehearsal is played by an understudy, an engine of its own with a listing of its
own; it shares nothing with the real one but the code, and what it decides is thrown away.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Price, Quantity, Symbol
from mexc_sniper.engine.effects import Effect, SetGate, Submit
from mexc_sniper.engine.engine import Engine
from mexc_sniper.engine.prepare import DUE_AFTER_NS, DUE_BEFORE_NS, may_be_entered_soon
from mexc_sniper.engine.state import EngineState
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.events import (
    BalancesRead,
    CandlesRead,
    Event,
    InstrumentsRead,
    QuoteSeen,
    SourceName,
    Ticked,
    TradableNamesRead,
)
from mexc_sniper.model.instrument import Instrument, InstrumentStatus, TradeSides
from mexc_sniper.model.market import Quote, Stamp
from mexc_sniper.model.order import Approved
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Clock, OrderGateway
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.throttle import Lane, Throttle

NEAR_EVERY_S = 0.005
"""While an opening is near; it takes about 3 % of a core."""
DUE_EVERY_S = 0.001
"""While it is due: neighbours on the machine empty the caches within milliseconds. A frame that comes during a
rehearsal waits 0.1 ms, one that comes on cold caches 0.2."""
LOOK_EVERY_S = 0.25

_SYMBOL, _BASE, _QUOTE = Symbol("UNDERSTUDYUSDT"), Asset("UNDERSTUDY"), Asset("USDT")
_NEVER_NS = 1_000_000_000 * NS_PER_S
"""When the understudy's day takes place; no real clock is read."""
_MUCH = Quantity(Decimal(1_000_000))


def opening_is_near(state: EngineState) -> bool:
    """Tell whether some listing may have to be entered within the next minute."""
    return any(may_be_entered_soon(listing, state.now_ns) for listing in state.active.values())


def opening_is_due(state: EngineState) -> bool:
    """Tell whether an announced pair should open about now whose entry lies ready, or would if any were made ready."""
    trading, venue_now_ns = state.trading, state.now_ns + state.clock_offset_ns
    return any(
        listing.scheduled_for_ns is not None
        and -DUE_BEFORE_NS <= venue_now_ns - listing.scheduled_for_ns < DUE_AFTER_NS
        and (symbol in trading.prepared or (not trading.prepare and may_be_entered_soon(listing, state.now_ns)))
        for symbol, listing in state.active.items()
    )


def rehearse_every_s(state: EngineState) -> float | None:
    """Return how long to pause between two rehearsals; None: nothing to rehearse for."""
    if opening_is_due(state):
        return DUE_EVERY_S
    return NEAR_EVERY_S if opening_is_near(state) else None


class Rehearsal:
    """The understudy and the one scene it plays: a first quote that is entered at once, by turns prepared and not."""

    def __init__(self, clock: Clock, latch: Path | None = None) -> None:
        """``latch``: the kill switch's file, looked at as before every order; what it says is left to others."""
        door = _Door()
        self._door = door
        self._desk = OrderDesk(
            gateways={Account.PAPER: cast(OrderGateway, door)},
            throttles={Account.PAPER: _Unlimited()},
            journal=None,
            latch=latch,
            clock=clock,
            emit=lambda _: None,
            wake_at=lambda _: None,
        )
        self._engine = Engine()
        self._engine.carry_out = self._carry_out
        for effect in self._engine.start(Restored(), _at(0), force_running=True):
            self._carry_out(effect)
        for event in _prologue():
            self._engine.handle(event)
        state = self._engine.state
        self._listing, self._evidence = state.active[_SYMBOL], replace(state.evidence[_SYMBOL])
        self._prepared = state.trading.prepared[_SYMBOL]
        self._cue = QuoteSeen(
            stamp=_at(3),
            quote=Quote(_SYMBOL, Price(Decimal("0.999")), _MUCH, Price(Decimal(1)), _MUCH),
        )

    def play(self) -> None:
        """Walk the whole way from a quote to an order once, and forget it."""
        state = self._engine.state
        self._engine.handle(self._cue)
        state.active[_SYMBOL] = self._listing
        state.evidence[_SYMBOL] = replace(self._evidence)
        trading = state.trading
        trading.touched = self._prepared.touched
        if trading.prepared:
            trading.prepared.clear()
        else:
            trading.prepared[_SYMBOL] = self._prepared
        for memory in (
            trading.orders, trading.entry_of, trading.trades, trading.trade_of, trading.waiting, trading.books,
            trading.last_entry_ns, trading.entry_times_ns,
        ):  # fmt: skip
            memory.clear()

    @property
    def entered(self) -> int:
        """Rehearsals that came as far as a gateway's door."""
        return self._door.opened

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Submit):
            self._desk.submit(effect.approved)
        elif isinstance(effect, SetGate):
            self._desk.set_gate(effect.account, effect.gate)


class _Door:
    """A gateway nothing comes out of."""

    opened = 0

    def submit(self, approved: Approved) -> None:
        self.opened += 1


class _Unlimited(Throttle):
    """Room for every rehearsal."""

    def take(self, lane: Lane, now_ns: int) -> int:
        super().take(lane, now_ns)
        return 0


def _at(seconds: int) -> Stamp:
    return Stamp(_NEVER_NS + seconds * NS_PER_S, _NEVER_NS + seconds * NS_PER_S, seconds * NS_PER_S)


def _prologue() -> tuple[Event, ...]:
    """A venue with one old pair lists another one, whose rules and newness are known before its first price."""
    old, new = _instrument(Symbol("OLDUSDT"), Asset("OLD")), _instrument(_SYMBOL, _BASE)
    before, after = frozenset({old.symbol}), frozenset({old.symbol, new.symbol})
    balance = Balance(Account.PAPER, _QUOTE, Decimal(1_000_000), Decimal(0))
    return (
        BalancesRead(stamp=_at(0), account=Account.PAPER, balances=(balance,), complete=True),
        InstrumentsRead(stamp=_at(0), changed=(old,), names=before),
        TradableNamesRead(stamp=_at(0), source=SourceName.DEFAULT_SYMBOLS, names=before),
        InstrumentsRead(stamp=_at(2), changed=(new,), names=after),
        CandlesRead(stamp=_at(2), symbol=_SYMBOL, candles=(), error=""),
        # Named at last, but not by the list that opens it: its first quote does.
        TradableNamesRead(stamp=_at(2), source=SourceName.SELF_SYMBOLS, names=after),
        Ticked(stamp=_at(2)),
    )


def _instrument(symbol: Symbol, base: Asset) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=base,
        quote=_QUOTE,
        status=InstrumentStatus.ONLINE,
        api_trading=True,
        trade_sides=TradeSides.ALL,
        order_types=("LIMIT", "MARKET"),
        price_decimals=4,
        quantity_decimals=2,
        min_quantity=Quantity(Decimal(0)),
        min_notional_limit=Decimal(1),
        min_notional_market=Decimal(1),
    )
