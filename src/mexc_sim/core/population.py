"""Fills the world with what was there before the simulator started."""

from dataclasses import replace
from random import Random

from mexc_sim.core.candles import History
from mexc_sim.core.instrument import Instrument
from mexc_sim.core.market import Market
from mexc_sim.core.universe import generate
from mexc_sim.core.world import CalendarLine, Post, World

_MS_PER_DAY = 86_400_000
_MS_PER_HOUR = 3_600_000
_RECENT_COINS = 5
_SMALL_UNIVERSE = 40
_OLD_POSTS = (
    "MEXC Lists Ashfield (ASHF) in USDT-M Futures",
    "Marlo (MRLO) Will Soon Be Available for Pre-Market Trading",
    "Notice on Postponing the Listing of Tandem (TNDM)",
    "Delisting of 7 Tokens Including Orlo (ORLO)",
)
"""Posts that are no listings, each of a kind that looks like one (REFERENCE 3.2)."""


def populate(world: World, count: int) -> None:
    """Add ``count`` old pairs, a calendar of the last week and some posts."""
    now_ms = world.now_ms
    pairs = generate(world.seed, count, now_ms)
    random = Random(f"ages:{world.seed}")
    recent = {pair.symbol for pair, _ in pairs[count // 2 :][:_RECENT_COINS]} if count >= _SMALL_UNIVERSE else set()
    for pair, api_open in pairs:
        if pair.symbol in recent:
            opened_ms = now_ms - random.randrange(_MS_PER_DAY, 7 * _MS_PER_DAY)
            instrument = replace(pair, first_open_ms=opened_ms)
            world.calendar.append(
                CalendarLine(pair.coin_id, pair.base, pair.full_name, opened_ms, "innovation", pair.symbol)
            )
        else:
            instrument = pair
        _add_old_pair(world, instrument, api_open, random)
    world.calendar.sort(key=lambda line: line.opens_ms or 0)
    for index, title in enumerate(_OLD_POSTS):
        world.posts.append(Post(17_827_791_400_000 + index, title, now_ms - (9 - index) * _MS_PER_HOUR))


def _add_old_pair(world: World, instrument: Instrument, api_open: bool, random: Random) -> None:
    now_ms = world.now_ms
    first_ms = instrument.first_open_ms or now_ms - random.randrange(60, 900) * _MS_PER_DAY
    history = History(first_ms, now_ms, instrument.reference_price, random.uniform(0, 6.28))
    market = Market(instrument, seed=world.seed, history=history)
    market.in_exchange_info = market.in_web_symbols = True
    market.quoting = market.trading = market.sleeps = True
    market.spot_allowed = market.in_default_symbols = market.orders_open = api_open
    world.markets[instrument.symbol] = market
