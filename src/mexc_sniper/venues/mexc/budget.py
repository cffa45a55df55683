"""The venue's rate limits as a budget: weight in ten seconds, requests in one, and waits it ordered (REFERENCE 1.3)."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import RateLimited, ThrottleTimeout
from mexc_sniper.ports import Clock

WEIGHT_LIMIT = 300
"""Per 10 s and address. Documents say 500, readers of 2026 say 300: the lower counts."""
WEIGHT_WINDOW_S = 10
REQUESTS_PER_S = 20
READS_SHARE = 0.95
"""What all reading may fill: orders and cancels leave without asking, at weight 1 each, and must not draw a 429."""
HEAVY_SHARE = 0.6
"""What heavy polls may fill by their plan: the rest is for our orders, which a new life must compare with the venue
before it may trade, however much the lives before it have spent."""
RIGHTS_SHARE = 0.7
"""What the look at the key's rights may fill, for the same reason."""
DOUBT_SHARE = 0.9
"""What questions about orders in doubt may fill: they may be many after a crash, and a life that follows soon must
compare its orders before it may trade."""
AWAITED_SHARE = 0.8
"""What a listing or position waits for may fill, its book and its rules: a start asks for many at once, and what our
orders became comes first."""
LIGHT_SHARE = 0.88
"""What light polls may fill, three a second at most: they see a new name first and must not wait behind heavy ones,
those that listings have brought forward included."""
_NEXT_IN_LINE_NS = 20_000_000
"""How often who waits behind others looks whether it is its turn."""
_LOOK_AGAIN_NS = 100_000_000
"""How often who waits looks whether its share has risen."""
EXPONENTIAL_CAP_S = 600.0
"""Without Retry-After a 429 may last ten minutes (REFERENCE 1.3, FAQ Q4)."""


Share = float | Callable[[], float]
"""Part of a budget that a caller may fill; a call where it may rise while its caller waits."""


def part(share: Share) -> float:
    """Return what a share is now."""
    return share() if callable(share) else share


class Spent(NamedTuple):
    """One call that was let through. ``kind`` numbers the endpoint where it has a limit of its own; 0: it has none."""

    wall_ns: int
    weight: int
    kind: int = 0


class Ordered(NamedTuple):
    """A wait the venue ordered: when it was ordered and when it ends, in our wall clock."""

    wall_ns: int
    until_ns: int


class BudgetRecord(Protocol):
    """What outlives the process: the venue counts on when we die, and remembers a ban."""

    def spent(self) -> Sequence[Spent]:
        """Return the calls of the last seconds, of any life."""

    def ordered(self) -> Ordered | None:
        """Return the last wait the venue ordered."""

    def note_spent(self, spent: Spent) -> None:
        """Keep a call."""

    def note_ordered(self, ordered: Ordered) -> None:
        """Keep a wait."""


class WeightBudget:
    """Admits calls so that no window ever holds more than the limits; refuses all while the venue said wait."""

    def __init__(
        self,
        clock: Clock,
        *,
        weight_limit: int = WEIGHT_LIMIT,
        requests_per_s: int = REQUESTS_PER_S,
        record: BudgetRecord | None = None,
    ) -> None:
        """``record`` keeps what is spent for the next life and tells what earlier ones spent; None: nobody does."""
        self._clock = clock
        self._record = record
        self._weight_limit = weight_limit
        self._requests_per_s = requests_per_s
        self._spent: deque[tuple[int, int]] = deque()
        self._weight = 0
        self._last: dict[int, int] = {}
        self._blocked_until = 0
        self._block_reason = ""
        self._refusals = 0
        self._line: deque[object] = deque()
        """Who may fill `READS_SHARE` and waits, in order of arrival: a heavy call must not be overtaken for ever."""
        if record is not None:
            self._inherit(record)

    def _inherit(self, record: BudgetRecord) -> None:
        """Take over what earlier lives spent and were told. A time ahead of our clock, which was stepped back, counts
        as now: that errs on the side of waiting, by no more than the window or the ordered wait."""
        now, wall_ns = self._clock.mono_ns(), self._clock.wall_ns()
        for spent in sorted(record.spent()):
            age_ns = max(0, wall_ns - spent.wall_ns)
            if age_ns < WEIGHT_WINDOW_S * NS_PER_S:
                self._spent.append((now - age_ns, spent.weight))
                self._weight += spent.weight
                if spent.kind:
                    self._last[spent.kind] = now - age_ns
        if (ordered := record.ordered()) is not None:
            left_ns = ordered.until_ns - max(wall_ns, ordered.wall_ns)
            if left_ns > 0:
                self._blocked_until = now + left_ns
                self._block_reason = "an earlier start was told to wait by the venue"

    @property
    def weight_used(self) -> int:
        """Weight spent in the last ten seconds."""
        self._forget()
        return self._weight

    def blocked_for_s(self) -> float:
        """Seconds until the venue may be asked again; 0 when it may now."""
        return max(0.0, (self._blocked_until - self._clock.mono_ns()) / NS_PER_S)

    def block(self, retry_after_s: float | None, reason: str) -> None:
        """Stop all calls because the venue said so; without a time: 1, 2, 4 … 600 s."""
        if retry_after_s is None:
            retry_after_s = min(2.0**self._refusals, EXPONENTIAL_CAP_S)
        self._refusals += 1
        self._block_reason = reason
        self._blocked_until = max(self._blocked_until, self._clock.mono_ns() + int(retry_after_s * NS_PER_S))
        if self._record is not None:
            wall_ns = self._clock.wall_ns()
            self._record.note_ordered(Ordered(wall_ns, wall_ns + self._blocked_until - self._clock.mono_ns()))

    def served(self) -> None:
        """Note that the venue answered normally: the next refusal starts over at one second."""
        self._refusals = 0

    async def acquire(
        self,
        weight: int,
        *,
        deadline_s: float,
        share: Share = READS_SHARE,
        pace: float = 1.0,
        kind: int = 0,
        gap_s: float = 0.0,
    ) -> None:
        """Wait for room and take it; callers who may fill all that reading may come one after the other.

        Args:
            weight: of the call.
            deadline_s: how long to wait for room.
            share: part of the weight this caller may fill; less leaves room for the others. A call is made for the
                last time as the room is taken.
            pace: the same of the requests of one second.
            kind: number of an endpoint with a limit of its own.
            gap_s: seconds between two calls of that kind.

        Raises:
            RateLimited: the venue ordered a wait that is not over.
            ThrottleTimeout: no room in time.
        """
        give_up = self._clock.mono_ns() + int(deadline_s * NS_PER_S)
        place = object()
        try:
            while (free_at := self._turn_at(place, weight, part(share), pace, kind, gap_s)) > self._clock.mono_ns():
                if free_at > give_up:
                    raise ThrottleTimeout(f"no room for weight {weight} within {deadline_s:g} s")
                await self._clock.until(self._look_again_at(free_at, share))
        finally:
            if place in self._line:
                self._line.remove(place)
        self._spent.append((self._clock.mono_ns(), weight))
        self._weight += weight
        if gap_s:
            self._last[kind] = self._clock.mono_ns()
        if self._record is not None:
            self._record.note_spent(Spent(self._clock.wall_ns(), weight, kind if gap_s else 0))

    def _look_again_at(self, free_at: int, share: Share) -> int:
        return min(free_at, self._clock.mono_ns() + _LOOK_AGAIN_NS) if callable(share) else free_at

    def _turn_at(self, place: object, weight: int, share: float, pace: float, kind: int, gap_s: float) -> int:
        """Return when a caller may go, or should look again.

        Raises:
            RateLimited: the venue ordered a wait that is not over.
        """
        if (left := self.blocked_for_s()) > 0:
            raise RateLimited(self._block_reason, retry_after_s=left)
        now = self._clock.mono_ns()
        if gap_s and kind in self._last and (gap_ends := self._last[kind] + int(gap_s * NS_PER_S)) > now:
            return gap_ends  # who waits for its own kind holds up nobody else
        free_at = self._free_at(weight, share, pace)
        if share < READS_SHARE:
            return free_at
        if place not in self._line:
            self._line.append(place)
        return free_at if self._line[0] is place else max(free_at, now + _NEXT_IN_LINE_NS)

    def _forget(self) -> None:
        horizon = self._clock.mono_ns() - WEIGHT_WINDOW_S * NS_PER_S
        while self._spent and self._spent[0][0] <= horizon:
            self._weight -= self._spent.popleft()[1]

    def _free_at(self, weight: int, share: float, pace: float) -> int:
        """The earliest instant at which a call of this weight fits."""
        self._forget()
        now = self._clock.mono_ns()
        at = now
        excess = self._weight + weight - int(self._weight_limit * share)
        if excess > 0:
            for spent_at, spent in self._spent:
                excess -= spent
                at = spent_at + WEIGHT_WINDOW_S * NS_PER_S
                if excess <= 0:
                    break
        per_second = max(1, int(self._requests_per_s * pace))
        if len(self._spent) >= per_second:
            at = max(at, self._spent[-per_second][0] + NS_PER_S)
        return at
