"""Everything a seed decides, as one value that can be printed, kept as a file and played again."""

from pathlib import Path
from random import Random

import msgspec

SEEDS = Path(__file__).parent / "seeds"


class Strike(msgspec.Struct, frozen=True):
    """A fault: its kind, the point at which it strikes, the how-manieth time that point is reached, and a number."""

    kind: str
    point: str
    nth: int
    value: float


class ListingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One coin that comes, in seconds from the beginning."""

    base: str
    opens_s: float
    kind: str = "new"
    announced: bool = False
    """In the calendar from the start."""
    api_late_s: float = 0.0
    """How much later than the lists say orders are taken."""
    depth: float = 200.0
    """Coins on each of the first levels."""
    spread: float = 0.01
    path: tuple[float, ...] = ()
    """Factor of the price at each step of the market."""
    market_orders: bool = True
    real: bool = True
    """False: only the unofficial sources ever speak of it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One simulation."""

    seed: int
    listings: tuple[ListingPlan, ...]
    strikes: tuple[Strike, ...]
    latency_ms: tuple[float, float] = (2.0, 20.0)
    fsync_ms: tuple[float, float] = (0.2, 3.0)
    commit_ms: tuple[float, float] = (0.5, 5.0)
    entry_type: str = "auto"
    trade_usdt: str = "20"
    max_position_usdt: str = "60"
    max_daily_spend_usdt: str = "1000"
    fees: str = "quote"
    stream_trade_ids: str = "same"
    throttle: tuple[int, int] = (5, 5)
    """Orders a second, and at once."""
    safety_s: float = 18.0
    buys_s: tuple[float, ...] = ()
    """When the operator buys by hand."""
    resumes: bool = True
    """Whether the operator resumes after a kill."""
    connection_life_s: float = 86_400.0
    all_sources: bool = False
    """Every source at the program's own pace, instead of those that a trade needs."""
    rehearses: bool = False
    """Walks the way of an entry dry besides, as the program does to keep caches warm."""


def draw(seed: int) -> Plan:
    """Draw a plan; the same seed gives the same one."""
    from tests.simulation.faults import draw_strikes

    dice = Random(seed)
    number = dice.choices((1, 2, 3), (5, 4, 1))[0]
    all_sources = dice.random() < 0.02
    listings = [_listing(dice, f"SIM{'ABC'[index]}", 5.0 + 2.5 * index) for index in range(number)]
    odd = dice.random()
    if odd < 0.06:
        listings.append(ListingPlan(base="SOL", opens_s=7.0, kind="look_alike", path=_path(dice)))
    elif odd < 0.12:
        listings.append(ListingPlan(base="FAKE", opens_s=8.0, announced=True, real=False))
        all_sources = True
    slow = dice.random() < 0.15
    buys = tuple(round(dice.uniform(6.0, 15.0), 3) for _ in range(dice.choices((0, 1, 2), (6, 3, 1))[0]))
    plan = Plan(
        seed=seed,
        listings=tuple(listings),
        strikes=draw_strikes(dice),
        latency_ms=(20.0, 400.0) if slow else dice.choice(((1.0, 5.0), (2.0, 30.0), (5.0, 80.0))),
        fsync_ms=dice.choice(((0.1, 0.5), (0.2, 3.0), (5.0, 60.0))),
        commit_ms=dice.choice(((0.2, 1.0), (0.5, 5.0), (20.0, 300.0))),
        entry_type=dice.choice(("auto", "auto", "market", "capped")),
        trade_usdt=dice.choice(("20", "20", "35")),
        max_position_usdt=dice.choice(("30", "45", "60", "200")),
        max_daily_spend_usdt=dice.choice(("1000", "1000", "50")),
        fees=dice.choice(("quote", "quote", "base", "mx")),
        stream_trade_ids=dice.choice(("same", "same", "other")),
        throttle=(1, 1) if dice.random() < 0.25 else (5, 5),
        safety_s=round(dice.uniform(14.0, 20.0), 2),
        buys_s=tuple(sorted((*buys, *buys[:1]))) if dice.random() < 0.4 else buys,  # a double click
        resumes=dice.random() < 0.6,
        connection_life_s=dice.uniform(8.0, 14.0) if dice.random() < 0.05 else 86_400.0,
        all_sources=all_sources,
        rehearses=dice.random() < 0.001,
    )
    if dice.random() < 0.05:
        return _rush(dice, plan)
    return _blind_start(dice, plan) if dice.random() < 0.03 else plan


def _rush(dice: Random, plan: Plan) -> Plan:
    """Two buys at once where only one may leave in a second, and a word that must stop the one that waits."""
    at_s = round(dice.uniform(8.0, 11.0), 3)
    kind = dice.choice(("kill_pause", "kill_cancel", "kill_flatten", "limit_lowered"))
    return msgspec.structs.replace(
        plan,
        strikes=(*plan.strikes, Strike(kind, "bought", 1, 0.5)),
        buys_s=(at_s, at_s),
        throttle=(1, 1),
        max_position_usdt="200",
        max_daily_spend_usdt="1000",
    )


def _blind_start(dice: Random, plan: Plan) -> Plan:
    """A life that begins about an opening and cannot read the account for a while: it must not enter so."""
    second = dice.randint(4, 8)
    strikes = tuple(Strike(kind, "second", second, 0.0) for kind in ("reads_5xx", "die"))
    return msgspec.structs.replace(plan, strikes=(*plan.strikes, *strikes))


def _listing(dice: Random, base: str, around_s: float) -> ListingPlan:
    return ListingPlan(
        base=base,
        opens_s=round(around_s + dice.uniform(0.0, 1.5), 3),
        announced=dice.random() < 0.2,
        api_late_s=round(dice.uniform(0.2, 2.5), 2) if dice.random() < 0.15 else 0.0,
        depth=dice.choice((3.0, 12.0, 200.0, 200.0, 2000.0)),
        spread=dice.choice((0.004, 0.01, 0.05)),
        path=_path(dice),
        market_orders=dice.random() > 0.1,
    )


def _path(dice: Random) -> tuple[float, ...]:
    """Up, down, or about; each so that an exit is likely within the time."""
    trend = dice.choice((1.05, 1.02, 0.93, 0.98, 1.0))
    return tuple(round(trend * dice.uniform(0.97, 1.03), 4) for _ in range(12))


def write(plan: Plan, folder: Path = SEEDS, *, why: str = "") -> Path:
    """Keep a plan as a file; it runs before any other from then on."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{plan.seed}.json"
    text = msgspec.json.format(msgspec.json.encode({"why": why, "plan": msgspec.to_builtins(plan)}), indent=1)
    path.write_bytes(text + b"\n")
    return path


def read(path: Path) -> Plan:
    """Read a plan that was kept."""
    return msgspec.convert(msgspec.json.decode(path.read_bytes())["plan"], Plan)


def kept() -> list[Path]:
    """The files of all plans that once failed."""
    return sorted(SEEDS.glob("*.json"))
