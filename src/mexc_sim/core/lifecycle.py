"""Lives of listings: turns a request into a pair and plans every step of its life (FIELD 4.1)."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mexc_sim.core.actors import OpeningCrowd, OpeningShape
from mexc_sim.core.candles import History
from mexc_sim.core.instrument import Instrument
from mexc_sim.core.listing_request import ListingError, ListingRequest, Times
from mexc_sim.core.market import Market
from mexc_sim.core.timers import NS_PER_S, Callback, Timer
from mexc_sim.core.universe import invent_base, invent_instrument, sibling
from mexc_sim.core.world import CalendarLine, OfflineLine, Post, World

_MS_PER_DAY = 86_400_000
_LOOK_ALIKES = str.maketrans({"A": "А", "E": "Е", "O": "О", "C": "С", "P": "Р", "X": "Х", "H": "Н", "K": "К", "M": "М",
                              "T": "Т", "B": "В", "I": "І", "S": "Ѕ", "J": "Ј"})  # Latin -> Cyrillic twins  # fmt: skip


@dataclass(slots=True)
class Life:
    """One listing under way."""

    request: ListingRequest
    instrument: Instrument
    began_ns: int
    times: Times
    timers: list[Timer] = field(default_factory=list)
    crowd: OpeningCrowd | None = None
    calendar: CalendarLine | None = None
    withdrawn: bool = False
    over: bool = False
    """Withdrawn or taken offline: the symbol may be listed again."""

    def planned_ns(self) -> dict[str, int | None]:
        """Wall times of all steps, UNIX ns; None never happens."""
        planned: dict[str, int | None] = {}
        for step in fields(self.times):
            if step.name == "halt_for":
                continue
            offset = getattr(self.times, step.name)
            name = "".join(part.title() if index else part for index, part in enumerate(step.name.split("_")))
            planned[name] = None if offset is None else self.began_ns + int(offset * NS_PER_S)
        return planned

    def view(self) -> dict[str, Any]:
        """What the control API answers."""
        coin = self.instrument
        return {
            "symbol": coin.symbol,
            "base": coin.base,
            "quote": coin.quote,
            "kind": self.request.kind,
            "fullName": coin.full_name,
            "coinId": coin.coin_id,
            "contractAddress": coin.contract,
            "withdrawn": self.withdrawn,
            "times": self.planned_ns(),
        }


class Lifecycles:
    """Makes listings happen."""

    def __init__(self, world: World, attach: Callable[[Market], None]) -> None:
        self._world = world
        self._attach = attach
        self._post_number = 17_827_791_500_000
        self.lives: list[Life] = []

    def begin(self, request: ListingRequest) -> Life:
        """Plan a listing from now on.

        Raises:
            ListingError: it cannot exist beside what is already listed.
        """
        now = self._world.timers.now_ns
        instrument = self._instrument(request)
        life = Life(request, instrument, now, request.times)
        current = self._world.markets.get(instrument.symbol)
        if request.kind != "returned" and current is not None and self._is_alive(current):
            raise ListingError(f"{instrument.symbol} is listed or planned already; use kind returned, or another base")
        self._world.stamps.forget(instrument.symbol)
        if request.kind == "returned" and current is not None:
            self._plan(life, "gone", lambda _: self._hide(current))
            self._world.silence(current)
            market = current
        else:
            market = Market(instrument, seed=self._world.seed, history=self._history(request, instrument))
            market.quoting = market.trading = False
            self._world.markets[instrument.symbol] = market
        self._plan_all(life, market)
        self.lives.append(life)
        return life

    def delist(self, symbol: str, *, in_s: float = 0.0, state: int = 3) -> None:
        """Take a pair out of the lists and put it into symbol/offline.

        Raises:
            ListingError: no such pair.
        """
        market = self._world.markets.get(symbol)
        if market is None:
            raise ListingError(f"symbol {symbol!r} does not exist")
        self._world.timers.after(int(in_s * NS_PER_S), lambda _: self._take_offline(market, state))

    # -- steps ------------------------------------------------------------------------------------------------

    def _plan(self, life: Life, step: str, callback: Callback) -> None:
        offset = getattr(life.times, step)
        if offset is not None:
            life.timers.append(self._world.timers.at(life.began_ns + int(offset * NS_PER_S), callback))

    def _plan_all(self, life: Life, market: Market) -> None:
        request, world = life.request, self._world
        defaults = OpeningShape()
        random = market.random
        shape = replace(
            defaults,
            peak=request.peak or random.uniform(1.3, 4.0),
            peak_after_s=request.peak_after_s or random.uniform(6.0, 35.0),
            settle=request.settle or random.uniform(0.6, 1.6),
        )
        crowd = life.crowd = OpeningCrowd(market, world.timers, world.time, shape)
        self._plan(life, "announce", lambda _: self._announce(life))
        self._plan(life, "calendar", lambda _: self._enter_calendar(life, market))
        self._plan(life, "schedule_change", lambda _: self._change_schedule(life, market))
        self._plan(life, "web_row", lambda _: self._show(market, "in_web_symbols", "web_row"))
        self._plan(life, "row", lambda _: self._show_row(life, market))
        self._plan(life, "flag", lambda _: self._show(market, "spot_allowed", "flag"))
        self._plan(life, "default", lambda _: self._show(market, "in_default_symbols", "default"))
        self._plan(life, "quote", lambda due: self._begin_quotes(market, crowd, due))
        self._plan(life, "trade", lambda due: self._begin_trades(market, crowd, due))
        self._plan(life, "api_open", lambda _: self._show(market, "orders_open", None))
        self._plan(life, "halt", lambda due: self._halt(life, market, crowd, due))
        self._plan(life, "withdraw", lambda _: self._withdraw(life, market))
        self._plan(life, "delist", lambda _: self._take_offline(market, 3))
        market.web_open_ms = self._open_ms(life, life.times.first_announced_open)
        self._attach(market)

    def _open_ms(self, life: Life, offset: float | None) -> int | None:
        return None if offset is None else self._world.time.ms(life.began_ns + int(offset * NS_PER_S))

    def _announce(self, life: Life) -> None:
        coin = life.instrument
        self._post(f"[Initial Listing] MEXC Will List {coin.full_name} ({coin.base}) in Innovation Zone", coin.symbol)
        self._world.stamps.expect(coin.symbol, "announcement")

    def _post(self, title: str, symbol: str) -> None:
        self._post_number += 1
        self._world.posts.append(Post(self._post_number, title, self._world.now_ms, symbol))

    def _enter_calendar(self, life: Life, market: Market) -> None:
        coin = life.instrument
        opens = self._open_ms(life, life.times.first_announced_open)
        life.calendar = CalendarLine(coin.coin_id, coin.base, coin.full_name, opens, "innovation", market.symbol)
        self._world.calendar.append(life.calendar)
        self._world.stamps.expect(market.symbol, "calendar")

    def _change_schedule(self, life: Life, market: Market) -> None:
        market.web_open_ms = self._open_ms(life, life.times.open)
        if life.calendar is not None:
            life.calendar.opens_ms = market.web_open_ms
        if life.request.kind == "postponed" and life.times.announce is not None:
            coin = life.instrument
            self._post(f"Notice on Postponing the Listing of {coin.full_name} ({coin.base})", coin.symbol)

    def _show(self, market: Market, flag: str, step: str | None) -> None:
        setattr(market, flag, True)
        self._world.market_changed(market.symbol)
        if step is not None:
            self._world.stamps.expect(market.symbol, step)

    def _show_row(self, life: Life, market: Market) -> None:
        if life.request.kind == "renamed" and life.request.of in self._world.markets:
            self._take_offline(self._world.markets[life.request.of], 3)
        self._show(market, "in_exchange_info", "row")

    def _begin_quotes(self, market: Market, crowd: OpeningCrowd, due_ns: int) -> None:
        self._world.stamps.expect(market.symbol, "quote")
        crowd.begin_quotes(due_ns)

    def _begin_trades(self, market: Market, crowd: OpeningCrowd, due_ns: int) -> None:
        self._world.stamps.expect(market.symbol, "trade")
        self._world.stamps.expect(market.symbol, "mini")
        crowd.begin_trades(due_ns)

    def _halt(self, life: Life, market: Market, crowd: OpeningCrowd, due_ns: int) -> None:
        crowd.halt(due_ns)
        self._world.market_changed(market.symbol)
        life.timers.append(
            self._world.timers.after(int(life.times.halt_for * NS_PER_S), lambda due: self._resume(market, crowd, due))
        )

    def _resume(self, market: Market, crowd: OpeningCrowd, due_ns: int) -> None:
        crowd.resume(due_ns)
        self._world.market_changed(market.symbol)

    def _withdraw(self, life: Life, market: Market) -> None:
        life.withdrawn = life.over = True
        for timer in life.timers:
            timer.cancel()
        if life.crowd is not None:
            life.crowd.stop()
        if life.calendar in self._world.calendar:
            self._world.calendar.remove(life.calendar)
        self._hide(market)

    def _hide(self, market: Market) -> None:
        market.in_exchange_info = market.in_default_symbols = market.in_web_symbols = False
        market.spot_allowed = market.orders_open = market.quoting = market.trading = False
        market.book.clear()
        if market.desk is not None:
            market.desk.market_closed(market)
        self._world.market_changed(market.symbol)

    def _take_offline(self, market: Market, state: int) -> None:
        self._hide(market)
        for life in self.lives:
            if life.instrument.symbol == market.symbol and life.crowd is not None:
                life.over = True
                life.crowd.stop()
        self._world.offline.insert(0, OfflineLine(market.symbol, state, self._world.now_ms))
        self._world.stamps.expect(market.symbol, "offline")

    # -- what is listed ---------------------------------------------------------------------------------------

    def _is_alive(self, market: Market) -> bool:
        planned = any(life.instrument.symbol == market.symbol and not life.over for life in self.lives)
        return market.in_exchange_info or planned

    def _instrument(self, request: ListingRequest) -> Instrument:
        made = self._base_instrument(request)
        opens = request.times.open or 0.0
        first_open = self._world.time.ms(self._world.timers.now_ns + int(opens * NS_PER_S))
        if request.old_candles:
            first_open -= 400 * _MS_PER_DAY
        changes: dict[str, Any] = {
            "first_open_ms": first_open,
            "special_treatment": request.special_treatment,
            "market_orders": request.market_orders,
            "trade_side_type": request.trade_side_type,
        }
        if request.full_name is not None:
            changes["full_name"] = request.full_name
        if request.contract is not None:
            changes["contract"] = request.contract
        if request.plates is not None:
            changes["plates"] = request.plates
        return replace(made, **changes)

    def _base_instrument(self, request: ListingRequest) -> Instrument:
        world = self._world
        quote = request.quote or "USDT"
        if request.kind in ("second_quote", "renamed", "returned", "look_alike"):
            model = self._model(request)
            match request.kind:
                case "second_quote":
                    return sibling(model, request.quote or ("USDC" if model.quote == "USDT" else "USDT"))
                case "returned":
                    return model
                case "renamed":
                    base = request.base or self._fresh_base(quote)
                    return replace(invent_instrument(
                        world.random, base=base, quote=quote, usdt_price=request.open_price, contract=model.contract
                    ), coin_id=model.coin_id)  # fmt: skip
                case _:
                    base = request.base or model.base.translate(_LOOK_ALIKES)
                    return invent_instrument(world.random, base=base, quote=quote, usdt_price=request.open_price)
        base = request.base or self._fresh_base(quote)
        price = request.open_price if request.open_price is not None else 10 ** world.random.uniform(-3.5, 0.5)
        return invent_instrument(world.random, base=base, quote=quote, usdt_price=price)

    def _model(self, request: ListingRequest) -> Instrument:
        """The existing pair a derived kind is about: ``of`` (symbol or base), else one chosen by the seed."""
        markets = self._world.markets
        wanted = request.of or (request.base if request.kind in ("second_quote", "returned") else None)
        if wanted is not None:
            for name in (wanted, f"{wanted}USDT"):
                if name in markets:
                    return markets[name].instrument
            raise ListingError(f"of {wanted!r} is not listed; name an existing symbol")
        taken = {m.instrument.base for m in markets.values() if m.instrument.quote == "USDC"}
        candidates = [m.instrument for m in markets.values() if m.instrument.base not in taken and _is_ordinary(m)]
        if not candidates:
            raise ListingError(f"kind {request.kind} needs an existing pair; name one with of")
        return self._world.random.choice(candidates)

    def _fresh_base(self, quote: str) -> str:
        while True:
            base = invent_base(self._world.random)
            if f"{base}{quote}" not in self._world.markets and f"{base}USDT" not in self._world.markets:
                return base

    def _history(self, request: ListingRequest, instrument: Instrument) -> History | None:
        if not request.old_candles:
            return None
        now_ms = self._world.now_ms
        first = now_ms - 400 * _MS_PER_DAY
        return History(first, now_ms - 90 * _MS_PER_DAY, instrument.reference_price, 1.0)


def _is_ordinary(market: Market) -> bool:
    """Fit to be the model of a derived listing: old, tradable, with a contract and a name that has twins."""
    coin = market.instrument
    return (
        market.is_old
        and market.in_default_symbols
        and coin.quote == "USDT"
        and coin.contract.startswith("0x")
        and coin.symbol.isascii()
        and coin.base.translate(_LOOK_ALIKES) != coin.base
    )
