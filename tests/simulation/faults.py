"""What can go wrong, each kind with the points at which it does (RELIABILITY 2, 3.2). Faults strike at points that the
code under test comes to, never at random times: an order is under way in very few microseconds of a day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.model.commands import Verb
from tests.simulation.plan import Strike

if TYPE_CHECKING:
    from tests.simulation.world import World

Act = Callable[["World", float], None]

ENTRY = ("entry.write",)
BOUGHT = ("bought",)
"""A third of a second after the operator's buy: with a slow throttle an order may be waiting."""
ORDERS = ("entry.write", "entry.write", "exit.write")
TOLD = ("answer", "event.OrderReported", "handled.OrderReported", "event.FillsReported", "handled.FillsReported")
DECIDING = ("event.BookSeen", "handled.BookSeen", "event.QuoteSeen", "journal.before", "journal.after", "entry.written")
ASKING = ("ask.order", "ask.account", "ask.myTrades", "handled.VenueSwept", "handled.OrderLookedUp")
STORING = ("commit.before", "commit.after", "sync.before", "sync.after")
ANY = (*ENTRY, "exit.write", "exit.written", *TOLD, *DECIDING, *ASKING, *STORING, "cancel.write")
SECONDS = ("second",)


@dataclass(frozen=True)
class Kind:
    """One kind of fault: where it may strike, how late, between which numbers, and what it does."""

    act: Act
    points: tuple[str, ...]
    most: int = 3
    values: tuple[float, float] = (0.0, 1.0)
    weight: int = 2


# ---------------------------------------------------------------------- the process and its machine


def _die(world: "World", _: float) -> None:
    world.kill_life(power=False)


def _power_cut(world: "World", _: float) -> None:
    world.kill_life(power=True)


def _stop_cleanly(world: "World", _: float) -> None:
    world.stop_life()


def _fsync_fails(world: "World", _: float) -> None:
    world.disk.fails_next = True


def _ledger_stalls(world: "World", seconds: float) -> None:
    world.life.ledger.stall(seconds)


def _clock_steps(world: "World", ms: float) -> None:
    world.step_clock(int(ms * NS_PER_MS))


def _loop_stalls(world: "World", seconds: float) -> None:
    world.stall(seconds)


# ---------------------------------------------------------------------- the network


def _next_order(kind: str) -> Act:
    def act(world: "World", seconds: float) -> None:
        world.link.for_next_order.append((kind, seconds))

    return act


def _next_read(kind: str) -> Act:
    def act(world: "World", seconds: float) -> None:
        world.link.for_next_read.append((kind, seconds))

    return act


def _partition(world: "World", seconds: float) -> None:
    world.link.down_until_s = world.loop.now + seconds


def _refuse_connections(world: "World", seconds: float) -> None:
    world.link.refuses_until_s = world.loop.now + seconds
    world.cut_lines()


# ---------------------------------------------------------------------- the venue


def _venue(target: str | tuple[str, ...], kind: str, *, times: int = 1, for_s: float = 0.0, **more: Any) -> Act:
    targets = (target,) if isinstance(target, str) else target

    def act(world: "World", value: float) -> None:
        for each in targets:
            spec: dict[str, Any] = {"target": each, "kind": kind}
            spec |= {"forS": for_s} if for_s else {"times": times}
            spec |= {key: (value if given == "value" else given) for key, given in more.items()}
            world.add_venue_fault(spec)

    return act


def _refusal(codes: tuple[int, ...], *, accepted: bool = False) -> Act:
    def act(world: "World", value: float) -> None:
        code = codes[int(value * len(codes)) % len(codes)]
        world.refuse_order({"code": code, "times": 1, "accepted": accepted})

    return act


def _control(path: str, body: Mapping[str, Any]) -> Act:
    def act(world: "World", value: float) -> None:
        world.control(path, {key: (value if given == "value" else given) for key, given in body.items()})

    return act


def _market(change: Mapping[str, Any], back: Mapping[str, Any]) -> Act:
    def act(world: "World", seconds: float) -> None:
        world.change_market(change, back, seconds)

    return act


def _late_fill(world: "World", seconds: float) -> None:
    world.fill_late(seconds)


def _crash_price(world: "World", factor: float) -> None:
    world.move_price(factor)


def _thin_book(world: "World", _: float) -> None:
    world.thin_book()


def _foreign_order(world: "World", _: float) -> None:
    world.order_by_hand(ours=False)


def _second_copy(world: "World", _: float) -> None:
    world.order_by_hand(ours=True)


def _withdrawal(world: "World", _: float) -> None:
    world.withdraw()


def _delist(world: "World", _: float) -> None:
    world.delist()


def _postpone(world: "World", seconds: float) -> None:
    world.postpone(seconds)


# ---------------------------------------------------------------------- the operator


def _latch(action: str) -> Act:
    def act(world: "World", _: float) -> None:
        world.kill_switch(action)

    return act


def _config(**changes: str) -> Act:
    def act(world: "World", _: float) -> None:
        world.configure(changes)

    return act


def _disarm(world: "World", _: float) -> None:
    world.disarm()


def _lower_limit(world: "World", _: float) -> None:
    world.lower_limit()


def _command(verb: Verb) -> Act:
    def act(world: "World", _: float) -> None:
        world.command(verb, {})

    return act


def _buy(world: "World", _: float) -> None:
    world.buy_by_hand()


def _close(world: "World", _: float) -> None:
    world.close_by_hand()


_READS = ("getOrder", "openOrders", "allOrders", "account", "myTrades")
_PRIVATE = "stream:spot@private*"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "die": Kind(_die, ANY, 6, weight=14),
        "power_cut": Kind(_power_cut, ANY, 5, weight=5),
        "stop_cleanly": Kind(_stop_cleanly, ANY, 5),
        "fsync_fails": Kind(_fsync_fails, ("journal.before", "journal.after", *SECONDS), 4, weight=1),
        "ledger_stalls": Kind(_ledger_stalls, (*TOLD, *DECIDING, *SECONDS), 4, (0.5, 6.0)),
        "clock_steps": Kind(_clock_steps, (*DECIDING, *SECONDS), 6, (-4000.0, 4000.0)),
        "loop_stalls": Kind(_loop_stalls, (*TOLD, *SECONDS), 6, (0.3, 3.0)),
        "order_lost_before": Kind(_next_order("lost_before"), ORDERS, 2, weight=4),
        "order_lost_after": Kind(_next_order("lost_after"), ORDERS, 2, weight=4),
        "order_late": Kind(_next_order("late"), ORDERS, 2, (0.3, 7.0), weight=4),
        "order_reset_before": Kind(_next_order("reset_before"), ORDERS, 2),
        "order_reset_after": Kind(_next_order("reset_after"), ORDERS, 2, weight=4),
        "line_cut_under_us": Kind(_next_order("cut_under_us"), ORDERS, 2),
        "read_lost_before": Kind(_next_read("lost_before"), ASKING[:3], 4),
        "read_lost_after": Kind(_next_read("lost_after"), ASKING[:3], 4),
        "partition": Kind(_partition, (*ORDERS, *TOLD, *SECONDS), 4, (0.5, 6.0), weight=3),
        "connections_refused": Kind(_refuse_connections, (*ORDERS, *SECONDS), 4, (0.5, 4.0)),
        "order_429": Kind(_venue("newOrder", "rate_limit"), ORDERS, 2),
        "order_429_bare": Kind(_venue("newOrder", "rate_limit", retryAfterS=0), ORDERS, 2),
        "order_418": Kind(_venue("newOrder", "ban", retryAfterS=4), ORDERS, 2),
        "order_403": Kind(_venue("newOrder", "forbidden"), ORDERS, 2, weight=1),
        "order_5xx_before": Kind(_venue("newOrder", "server_error", when="before"), ORDERS, 2),
        "order_5xx_after": Kind(_venue("newOrder", "server_error", when="after"), ORDERS, 2, weight=3),
        "order_502_page": Kind(_venue("newOrder", "server_error", status=502, html=True, when="after"), ORDERS, 2),
        "order_not_json": Kind(_venue("newOrder", "not_json"), ORDERS, 2),
        "order_empty_answer": Kind(_venue("newOrder", "empty"), ORDERS, 2),
        "order_half_answer": Kind(_venue("newOrder", "truncate"), ORDERS, 2),
        "order_answer_stalls": Kind(_venue("newOrder", "stall"), ORDERS, 2),
        "order_answer_hangs": Kind(_venue("newOrder", "hang", when="after"), ORDERS, 2),
        "order_answer_late": Kind(_venue("newOrder", "delay", ms="value"), ORDERS, 2, (200.0, 4000.0)),
        "order_held_back": Kind(_venue("newOrder", "late", ms="value"), ORDERS, 2, (200.0, 6000.0)),
        "order_unseen": Kind(_venue("newOrder", "late_visible", ms="value"), ORDERS, 2, (500.0, 20_000.0), weight=4),
        "order_refused": Kind(
            _refusal((10007, 30016, 30019, 10101, 30005, 30087, 30029, 10098, 700003, 30002)), ORDERS, 2, weight=3
        ),
        "order_refused_but_taken": Kind(_refusal((500, 503, 504), accepted=True), ORDERS, 2),
        "late_fill": Kind(_late_fill, ("answer", "handled.OrderReported"), 3, (0.1, 12.0), weight=4),
        "reads_5xx": Kind(_venue(_READS, "server_error", for_s=2.0), (*TOLD, *ASKING), 4),
        "reads_429": Kind(_venue(_READS, "rate_limit"), (*TOLD, *ASKING), 4, weight=1),
        "reads_stale": Kind(_venue(_READS, "stale", for_s=5.0, ms="value"), (*ORDERS, *TOLD), 3, (500.0, 8000.0)),
        "reads_hang": Kind(_venue(_READS, "hang"), (*TOLD, *ASKING), 4),
        "reads_not_json": Kind(_venue(_READS, "not_json"), (*TOLD, *ASKING), 4),
        "private_dropped": Kind(_venue(_PRIVATE, "drop", times=4), (*ORDERS, "answer"), 3, weight=3),
        "private_doubled": Kind(_venue(_PRIVATE, "duplicate", times=6), (*ORDERS, "answer"), 3, weight=3),
        "private_reordered": Kind(_venue(_PRIVATE, "reorder", times=4), (*ORDERS, "answer"), 3),
        "private_late": Kind(_venue(_PRIVATE, "delay", times=6, ms="value"), ORDERS, 3, (300.0, 9000.0), weight=3),
        "private_corrupt": Kind(_venue(_PRIVATE, "corrupt", times=2), (*ORDERS, "answer"), 3),
        "private_text": Kind(_venue(_PRIVATE, "text", times=2), (*ORDERS, "answer"), 3),
        "private_new_fields": Kind(_venue(_PRIVATE, "unknown_fields", times=6), (*ORDERS, "answer"), 3),
        "public_dropped": Kind(_venue("stream:spot@public*", "drop", times=6), (*DECIDING[:3], *SECONDS), 4),
        "public_late": Kind(
            _venue("stream:spot@public*", "delay", times=8, ms="value"), (*DECIDING[:3], *SECONDS), 4, (200.0, 4000.0)
        ),
        "public_corrupt": Kind(_venue("stream:spot@public*", "corrupt", times=3), (*DECIDING[:3], *SECONDS), 4),
        "handshake_refused": Kind(_venue("stream", "refuse", times=2), SECONDS, 8),
        "subscription_unheard": Kind(_venue("stream", "no_ack", times=2), SECONDS, 8),
        "streams_cut": Kind(_control("/sim/stream/cut", {}), (*ORDERS, *TOLD, *SECONDS), 4, weight=3),
        "streams_frozen": Kind(_control("/sim/stream/freeze", {}), (*ORDERS, *TOLD, *SECONDS), 4),
        "listen_key_expires": Kind(_control("/sim/listen-keys/expire", {}), (*ORDERS, *TOLD, *SECONDS), 4),
        "venue_clock_wrong": Kind(_control("/sim/clock", {"skewMs": "value"}), SECONDS, 8, (-3000.0, 3000.0)),
        "pair_halted": Kind(_market({"status": "2"}, {"status": "1"}), (*ORDERS, *SECONDS), 4, (0.5, 6.0)),
        "pair_one_sided": Kind(_market({"tradeSideType": 2}, {"tradeSideType": 1}), (*ORDERS, *SECONDS), 4, (0.5, 6.0)),
        "pair_closed_to_api": Kind(_market({"apiOpen": False}, {"apiOpen": True}), (*ORDERS, *SECONDS), 4, (0.5, 5.0)),
        "market_orders_closed": Kind(
            _market({"marketOrders": False}, {"marketOrders": True}), (*ORDERS, *SECONDS), 4, (0.5, 8.0)
        ),
        "minimum_raised": Kind(_market({"minNotional": "8"}, {"minNotional": "1"}), (*ORDERS, *SECONDS), 4, (1.0, 8.0)),
        "price_crashes": Kind(_crash_price, (*ORDERS, *SECONDS), 5, (0.3, 0.85)),
        "price_jumps": Kind(_crash_price, (*ORDERS, *SECONDS), 5, (1.1, 2.0)),
        "book_thins": Kind(_thin_book, (*DECIDING[:3], *ORDERS), 3),
        "delisted": Kind(_delist, SECONDS, 10, weight=1),
        "postponed": Kind(_postpone, ("early",), 2, (0.5, 4.0)),
        "foreign_order": Kind(_foreign_order, (*ORDERS, *SECONDS), 5),
        "second_copy": Kind(_second_copy, SECONDS, 9, weight=1),
        "withdrawn_by_hand": Kind(_withdrawal, (*TOLD, *SECONDS), 6, weight=1),
        "kill_pause": Kind(_latch("pause"), (*ANY, *BOUGHT, *SECONDS), 4),
        "kill_cancel": Kind(_latch("cancel"), (*ANY, *BOUGHT * 6, *SECONDS), 4, weight=5),
        "kill_flatten": Kind(_latch("flatten"), (*ANY, *BOUGHT, *SECONDS), 4),
        "disarmed": Kind(_disarm, (*DECIDING, *SECONDS), 5),
        "monitor_stopped": Kind(_command(Verb.STOP_MONITOR), SECONDS, 8),
        "limit_lowered": Kind(_lower_limit, (*BOUGHT * 6, *DECIDING, *TOLD), 3, weight=4),
        "limit_raised": Kind(_config(maxPositionUsdt="110"), (*DECIDING, *TOLD), 4),
        "bought_by_hand": Kind(_buy, (*TOLD, *DECIDING, *SECONDS), 5, weight=4),
        "closed_by_hand": Kind(_close, (*TOLD, *SECONDS), 5),
    }
)

_NAMES = tuple(KINDS)
_WEIGHTS = tuple(KINDS[name].weight for name in _NAMES)


def draw_strikes(dice: Random) -> tuple[Strike, ...]:
    """Draw what goes wrong in one run."""
    strikes = []
    for name in dice.choices(_NAMES, _WEIGHTS, k=dice.choices((0, 2, 4, 7, 11), (1, 4, 6, 5, 2))[0]):
        kind = KINDS[name]
        point = dice.choice(kind.points)
        most = kind.most * (3 if point in STORING else 1)
        strikes.append(Strike(name, point, dice.randint(1, most), round(dice.uniform(*kind.values), 3)))
    return tuple(strikes)
