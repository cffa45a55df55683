"""Orders, positions and exposure against a venue that does whatever a venue may, in any order.

The machine keeps what really happened: which orders the venue holds, what each has sold or bought. The engine hears of
it late, twice or not at all. Whatever it hears, it never sells a coin twice, never has more at stake than its limits
allow, never revives an order that ended, and sends no entry after a kill.
"""

from decimal import ROUND_DOWN, Decimal

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mexc_sniper.engine.effects import CancelOrder, Submit
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import TERMINAL, OrderIntent, OrderStatus, ReportSource
from tests.builders import (
    a_book,
    a_command,
    a_tick,
    a_trade,
    an_instrument,
    candles_read,
    default_symbols_read,
    filled,
    instruments_read,
    ns,
    reported,
)
from tests.engine_world import OLD, World, a_world_that_knows

S = OrderStatus
D = Decimal
LIMITS = {
    "maxPositionUsdt": "70",
    "maxTradeUsdt": "30",
    "maxOpenPositions": 3,
    "maxDailySpendUsdt": "100000",
    "dailyLossLimitUsdt": "100000",
    "maxDrawdownUsdt": "100000",
    "maxConsecutiveLosses": 1000,
    "maxTradesPerHour": 1000,
    "highValueThresholdUsdt": "1000",
    "maxHoldMinutes": 2,
}
HELD_BY_VENUE = (S.ACCEPTED, S.PARTIALLY_FILLED)
PRICES = st.sampled_from(["0.70", "0.84", "0.99", "1.10", "1.26", "1.55"])
_pick = st.integers(min_value=0, max_value=1_000)


class VenueOrder:
    """An order as it really is."""

    def __init__(self, intent: OrderIntent) -> None:
        self.intent = intent
        self.status = S.SUBMITTED
        self.filled = D(0)
        self.quote = D(0)
        self.told = True
        """The engine knows the present state."""

    @property
    def wanted(self) -> Decimal:
        if self.intent.quantity is not None:
            return D(self.intent.quantity)
        return ((self.intent.quote_quantity or D(0)) / D("1.02")).quantize(D("0.01"), ROUND_DOWN)

    @property
    def left(self) -> Decimal:
        return self.wanted - self.filled

    @property
    def alive(self) -> bool:
        return self.status not in TERMINAL


class TradingMachine(RuleBasedStateMachine):
    """One paper account. (The live one runs through the same code; its doubts are in tests/scenario/test_live.py.)"""

    @initialize(resting=st.booleans())
    def start(self, resting: bool) -> None:
        self.second = 10.0
        self.world: World = a_world_that_knows().hear(
            a_command(1, Verb.UPDATE_CONFIG, config={**LIMITS, "restingTakeProfit": resting}, confirm=True)
        )
        self.coins = 0
        self.fills = 0
        self.orders: dict[str, VenueOrder] = {}
        self.greatest: dict[str, Decimal] = {}
        self.over: set[str] = set()
        self.latched = False

    # ------------------------------------------------------------------ what happens

    @rule()
    def a_listing_opens(self) -> None:
        self.coins += 1
        symbol = f"COIN{self.coins}USDT"
        state = self.world.engine.state
        at_s = self._later(1)
        self._hear(
            instruments_read(at_s, an_instrument(symbol), names={*OLD, *state.listed_names}),
            default_symbols_read(at_s + 0.1, *sorted({*state.default_names, symbol})),
            candles_read(at_s + 0.2, symbol),
            a_trade(at_s + 0.3, symbol),
            a_book(at_s + 0.35, symbol),
        )

    @precondition(lambda self: self.coins)
    @rule(coin=_pick, bid=PRICES)
    def a_price_moves(self, coin: int, bid: str) -> None:
        symbol = f"COIN{coin % self.coins + 1}USDT"
        self._hear(a_book(self._later(0.3), symbol, bid=bid, ask=str(D(bid) + D("0.01"))))

    @rule(seconds=st.sampled_from([0.6, 3, 17, 60]))
    def time_passes(self, seconds: float) -> None:
        self._hear(a_tick(self._later(seconds)))

    @precondition(lambda self: self._of(S.SUBMITTED))
    @rule(pick=_pick, how=st.sampled_from([S.ACCEPTED, S.ACCEPTED, S.REJECTED, S.NOT_SENT, S.IN_DOUBT]))
    def the_venue_answers(self, pick: int, how: OrderStatus) -> None:
        order = self._picked(S.SUBMITTED, pick=pick)
        if how is not S.NOT_SENT:
            self._hear(reported(self._later(0.01), order.intent, S.SUBMITTED))
        order.status = S.ACCEPTED if how is S.IN_DOUBT else how
        order.told = how is not S.IN_DOUBT
        self._hear(reported(self._later(0.02), order.intent, how))

    @precondition(lambda self: self._of(*HELD_BY_VENUE))
    @rule(pick=_pick, percent=st.sampled_from([10, 50, 100]), tell=st.booleans())
    def an_order_is_filled(self, pick: int, percent: int, tell: bool) -> None:
        order = self._picked(*HELD_BY_VENUE, pick=pick)
        part = order.left if percent == 100 else (order.left * percent / 100).quantize(D("0.01"), ROUND_DOWN)
        if part <= 0:
            return
        price = D(order.intent.price or "1.00")
        order.filled += part
        order.quote += part * price
        order.status = S.FILLED if order.left <= 0 else S.PARTIALLY_FILLED
        self.fills += 1
        execution = filled(
            self._later(0.01), order.intent, price=str(price), quantity=str(part), trade_id=f"f{self.fills}"
        )
        order.told = tell
        self._hear(execution)
        if tell:
            self._tell(order)
            self._hear(execution)  # and again: told apart by its id

    @precondition(lambda self: [order for order in self.orders.values() if not order.told])
    @rule()
    def the_engine_learns_how_things_stand(self) -> None:
        for order in [order for order in self.orders.values() if not order.told]:
            order.told = True
            self._tell(order, ReportSource.QUERY)

    @precondition(lambda self: self._of(*HELD_BY_VENUE))
    @rule(pick=_pick)
    def an_order_ends_unfilled_at_the_venue(self, pick: int) -> None:
        """A market order that finds nobody, an IOC's rest, a cancel of ours or of the venue's own."""
        order = self._picked(*HELD_BY_VENUE, pick=pick)
        order.status = S.CANCELED
        self._tell(order)

    @precondition(lambda self: self.world.asked(CancelOrder))
    @rule(answered=st.booleans())
    def cancels_arrive(self, answered: bool) -> None:
        asked = [effect.order.intent.client_order_id for effect in self.world.asked(CancelOrder)]
        for order in [self.orders[name] for name in dict.fromkeys(asked)]:
            if order.status in HELD_BY_VENUE:
                order.status = S.CANCELED
                order.told = answered
                if answered:
                    self._tell(order)

    @rule(action=st.sampled_from(["pause", "cancel", "flatten"]))
    def a_person_kills(self, action: str) -> None:
        self.latched = True
        self._hear(a_command(self._later(0.2), Verb.KILL, action=action))

    @rule()
    def a_person_resumes(self) -> None:
        self.latched = False
        self._hear(a_command(self._later(0.2), Verb.RESUME))

    @rule(pick=_pick)
    def a_person_closes(self, pick: int) -> None:
        positions = list(self.world.engine.state.trading.positions)
        if positions:
            chosen = positions[pick % len(positions)]
            self._hear(a_command(self._later(0.2), Verb.CLOSE_POSITION, positionId=chosen))

    # ------------------------------------------------------------------ what must hold

    @invariant()
    def no_coin_is_sold_twice(self) -> None:
        for symbol, held in self._really_held().items():
            offered = sum(
                (
                    o.left
                    for o in self.orders.values()
                    if o.alive and o.intent.side is Side.SELL and o.intent.symbol == symbol
                ),
                D(0),
            )
            assert offered <= held, f"{symbol}: {offered} offered of {held}"

    @invariant()
    def positions_are_the_sum_of_their_fills(self) -> None:
        really = self._really_held()
        for position in self.world.engine.state.trading.positions.values():
            assert position.quantity >= 0
            assert position.quantity == really[position.symbol], position.symbol

    @invariant()
    def never_more_is_at_stake_than_the_limits_allow(self) -> None:
        exposure = self.world.engine.exposure(Account.PAPER, ns(self.second))
        assert exposure.at_stake <= D(70)
        assert exposure.open_positions <= 3
        really = sum(
            (D(o.intent.worst_notional) for o in self.orders.values() if o.alive and o.intent.side is Side.BUY), D(0)
        )
        assert really <= D(70)

    @invariant()
    def an_order_never_lives_again_and_its_quantity_never_falls(self) -> None:
        for name, order in self.world.engine.state.trading.orders.items():
            assert order.filled_quantity >= self.greatest.get(name, D(0))
            self.greatest[name] = order.filled_quantity
            assert name not in self.over or order.terminal
            if order.terminal:
                self.over.add(name)

    # ------------------------------------------------------------------ inside

    def _hear(self, *events: object) -> None:
        self.world.hear(*events)  # type: ignore[arg-type]
        for effect in self.world.asks:
            if isinstance(effect, Submit):
                intent = effect.approved.intent
                assert intent.client_order_id not in self.orders, "one POST for each id"
                assert intent.role.reduces_risk or not self.latched, "an entry after a kill"
                self.orders[intent.client_order_id] = VenueOrder(intent)
        self.world.asks = [e for e in self.world.asks if isinstance(e, CancelOrder)]

    def _tell(self, order: VenueOrder, source: ReportSource = ReportSource.ACK) -> None:
        told = reported(
            self._later(0.01), order.intent, order.status, filled=order.filled, quote=order.quote, source=source
        )
        self._hear(told)

    def _really_held(self) -> dict[str, Decimal]:
        held: dict[str, Decimal] = {}
        for order in self.orders.values():
            sign = 1 if order.intent.side is Side.BUY else -1
            held[order.intent.symbol] = held.get(order.intent.symbol, D(0)) + sign * order.filled
        return held

    def _of(self, *statuses: OrderStatus) -> list[VenueOrder]:
        return [order for order in self.orders.values() if order.status in statuses]

    def _picked(self, *statuses: OrderStatus, pick: int) -> VenueOrder:
        found = self._of(*statuses)
        return found[pick % len(found)]

    def _later(self, seconds: float) -> float:
        self.second += seconds
        return self.second


TestTrading = TradingMachine.TestCase
TestTrading.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
