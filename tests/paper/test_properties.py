"""What holds for every market and every sequence of orders: no money from nowhere, nothing twice, every order ends."""

import asyncio
from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mexc_sniper.core.values import Asset
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.model.events import BookSeen, Event, FillsReported
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import TERMINAL, TRANSITIONS, Fill, OrderIntent, OrderStatus, OrderType
from mexc_sniper.model.restored import Restored
from mexc_sniper.venues.paper.options import FaultOdds, LatencyOptions
from tests.paper.world import PLAIN, PaperWorld, a_paper_instrument, an_intent, an_order, d, running

S = OrderStatus
SHARE = Decimal("0.5")
OPTIONS = replace(
    PLAIN,
    queue_share=SHARE,
    latency=LatencyOptions(),
    faults=FaultOdds(not_sent=0.02, busy=0.02, lost_before=0.02, lost_after=0.04),
)
RULES = a_paper_instrument(taker_fee=d("0.00047"), maker_fee=d("0.00013"))

_ticks = st.integers(min_value=1, max_value=120)
_sizes = st.decimals(min_value="1", max_value="3000", places=3)
_quantities = st.decimals(min_value="0.5", max_value="3000", places=2)
_side = st.lists(st.tuples(_ticks, _sizes), max_size=5, unique_by=lambda level: level[0])
_books = st.tuples(st.just("book"), st.integers(9_900, 10_100), _side, _side)
_trades = st.tuples(st.just("trade"), st.integers(9_800, 10_200), _sizes, st.sampled_from(Side))
_orders = st.tuples(
    st.just("order"),
    st.sampled_from((Side.BUY, Side.SELL)),
    st.sampled_from(OrderType),
    _quantities,
    st.integers(9_800, 10_200),
    st.booleans(),
)
_pauses = st.tuples(st.just("pause"), st.sampled_from((0.01, 0.1, 0.1, 3.0)))
_cancels = st.tuples(st.just("cancel"), st.integers(0, 30))
_scripts = st.lists(
    st.one_of(_books, _books, _trades, _orders, _orders, _pauses, _pauses, _cancels), min_size=12, max_size=50
)
START = {Asset("USDT"): Decimal(10_000), Asset("ALPHA"): Decimal(5_000)}


def price(units: int) -> str:
    return format(Decimal(units).scaleb(-4), "f")


class Play:
    """Runs one script and keeps what the properties need."""

    def __init__(self, script, *, seed: int = 3) -> None:
        self.script = script
        balances = tuple(Balance(Account.PAPER, asset, amount, Decimal(0)) for asset, amount in START.items())
        self.world = PaperWorld(OPTIONS, seed=seed, restored=Restored(balances=balances))
        self.intents: list[OrderIntent] = []
        self.books: list[tuple[int, BookSeen]] = []
        """Every book shown, with how many events had been said before it."""

    async def run(self) -> "Play":
        async with running(self.world) as world:
            world.lists(RULES)
            world.show(bids="0.99x500 0.98x5000", asks="1.00x500 1.01x5000")
            for number, step in enumerate(self.script):
                await self.step(number, step)
            await world.clock.advance(1)
            for intent in self.intents:
                world.gateway.cancel(an_order(intent))
            await world.clock.advance(1)
        return self

    async def step(self, number, step) -> None:
        world = self.world
        match step:
            case "book", middle, low, high:
                bids = " ".join(f"{price(middle - t)}x{q}" for t, q in sorted(low))
                asks = " ".join(f"{price(middle + t)}x{q}" for t, q in sorted(high))
                world.show(bids=bids, asks=asks)
            case "trade", units, quantity, side:
                world.trade(f"{price(units)}x{quantity}", side)
            case "order", side, kind, quantity, units, by_amount:
                self.intents.append(self.order(number, side, kind, quantity, units, by_amount))
                world.submit(self.intents[-1])
            case "pause", seconds:
                await world.clock.advance(seconds)
            case "cancel", index if index < len(self.intents):
                world.gateway.cancel(an_order(self.intents[index]))

    def order(self, number, side, kind, quantity, units, by_amount) -> OrderIntent:
        market = kind is OrderType.MARKET
        amount = str(quantity) if market and side is Side.BUY and by_amount else None
        intent = an_intent(
            side,
            kind,
            quantity=None if amount else str(quantity),
            amount=amount,
            price=None if market else price(units),
        )
        return replace(intent, client_order_id=f"order{number}")

    @property
    def fills(self) -> list[Fill]:
        return [fill for event in self.world.said(FillsReported) for fill in event.fills]


def play(script, *, seed: int = 3) -> Play:
    return asyncio.run(Play(script, seed=seed).run())


@given(_scripts)
def test_every_asset_is_conserved_to_the_last_digit(script):
    played = play(script)
    quote, base = START[Asset("USDT")], START[Asset("ALPHA")]
    for fill in played.fills:
        assert fill.quote_quantity == fill.price * fill.quantity
        sign = 1 if fill.side is Side.BUY else -1
        quote -= sign * fill.quote_quantity + fill.fee
        base += sign * fill.quantity
        assert base >= 0, "sold more than was held"
        assert quote >= 0, "spent more than there was"
    assert (played.world.free("USDT"), played.world.free("ALPHA")) == (quote, base)
    assert (played.world.locked("USDT"), played.world.locked("ALPHA")) == (0, 0)


@given(_scripts)
def test_every_order_ends_along_the_table_and_its_fills_add_up(script):
    played = play(script)
    for intent in played.intents:
        reports = played.world.reports(intent)
        status, filled = S.INTENDED, Decimal(0)
        for report in reports:
            assert report.status is status or report.status in TRANSITIONS[status]
            assert (report.filled_quantity or 0) >= filled
            status, filled = report.status, report.filled_quantity or Decimal(0)
        fills = played.world.fills(intent)
        assert sum(fill.quantity for fill in fills) == filled
        assert sum((fill.quote_quantity for fill in fills), Decimal(0)) == (reports[-1].filled_quote or 0)
        assert len({fill.trade_id for fill in fills}) == len(fills)
        if status is S.IN_DOUBT:  # the one that never arrived: the venue has nothing of it
            assert played.world.gateway._exchange.orders[intent.client_order_id].status is S.NEVER_ARRIVED
        else:
            assert status in TERMINAL
        if status is S.FILLED and intent.quantity is not None:
            assert filled == intent.quantity
        if intent.quote_quantity is not None:
            assert sum((fill.quote_quantity for fill in fills), Decimal(0)) <= intent.quote_quantity
        for fill in fills:
            assert fill.price > 0
            assert intent.price is None or (
                fill.price <= intent.price if intent.side is Side.BUY else fill.price >= intent.price
            )
            assert fill.quantity == fill.quantity.quantize(Decimal("0.01"))


@given(_scripts)
def test_fills_never_exceed_the_depth_that_was_visible(script):
    """Between two books no level gives more than it shows, and the best one only its share."""
    seen: list[Event] = []
    playing = Play(script)
    see = playing.world.gateway.see

    def watch(event: Event) -> None:
        seen.append(event)  # before: what the event itself causes belongs to it
        see(event)

    playing.world.gateway.see = watch  # type: ignore[method-assign]
    playing.world.events = _Into(seen)
    asyncio.run(playing.run())
    depth: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
    used: dict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
    for event in seen:
        if isinstance(event, BookSeen):
            used.clear()
            for side, levels in ((Side.SELL, event.book.asks), (Side.BUY, event.book.bids)):
                shares = [SHARE, *[Decimal(1)] * len(levels)]
                depth[side] = {x.price: x.quantity * share for x, share in zip(levels, shares, strict=False)}
        elif isinstance(event, FillsReported):
            for fill in event.fills:
                facing = Side.SELL if fill.side is Side.BUY else Side.BUY
                if fill.evidence == "book" and not fill.is_maker:
                    used[facing, fill.price] += fill.quantity
                    assert used[facing, fill.price] <= depth[facing].get(fill.price, Decimal(0))
                elif fill.evidence == "book":
                    reach = [p for p in depth[facing] if (p >= fill.price) == (facing is Side.BUY) or p == fill.price]
                    assert fill.quantity <= sum((depth[facing][p] for p in reach), Decimal(0))


@given(_scripts, st.integers(0, 1_000))
def test_same_seed_and_script_give_the_same_words(script, seed):
    first, second = play(script, seed=seed), play(script, seed=seed)
    assert first.world.events == second.world.events


@given(_scripts)
def test_venues_own_books_agree_with_its_last_word(script):
    playing = Play(script)

    async def ask_at_the_end() -> None:
        await playing.run()
        for intent in playing.intents:
            last = playing.world.reports(intent)[-1]
            found = playing.world.gateway._exchange.orders[intent.client_order_id]
            if last.status in (S.FILLED, S.CANCELED):
                assert found.known
                assert (found.status, found.filled) == (last.status, last.filled_quantity)
            else:
                assert not found.known

    asyncio.run(ask_at_the_end())


class _Into(list[Event]):
    """Events that also go into a list of everything seen, in one order."""

    def __init__(self, everything: list[Event]) -> None:
        super().__init__()
        self._everything = everything

    def append(self, event: Event) -> None:
        super().append(event)
        self._everything.append(event)
