"""The loop that polls one source: when, what a failure means for the next time, and what the operator sees."""

import asyncio
from collections.abc import Callable

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import (
    ConnectFailed,
    FirewallBlocked,
    NotSent,
    ProtocolError,
    RateLimited,
    VenueError,
)
from mexc_sniper.model.health import ComponentStatus
from mexc_sniper.ports import Clock, Emit
from mexc_sniper.venues.mexc.budget import AWAITED_SHARE, HEAVY_SHARE, LIGHT_SHARE
from mexc_sniper.venues.mexc.lag import LagMeter
from mexc_sniper.venues.mexc.planner import Planner
from mexc_sniper.venues.mexc.report import Figures, SourceReport
from mexc_sniper.venues.mexc.rest import Answer, RestClient
from mexc_sniper.venues.mexc.sources.reading import Reader, Reading, Unconfirmed
from mexc_sniper.venues.mexc.waiting import wait_for

_NETWORK_RETRY_S = 1.0
"""Nothing reached the venue, so asking again soon costs it nothing and us no detection after an absence."""
_CAP_S = 30.0
_UNOFFICIAL_CAP_S = 300.0
_FIREWALL_PAGE_S = 10.0
_CONFIRM_S = 0.5
_DOWN_AFTER_S = 10.0
_SHORTEST_GAP_S = 0.1


class PolledSource:
    """One source of one run."""

    def __init__(
        self,
        reader: Reader,
        rest: RestClient,
        planner: Planner,
        clock: Clock,
        emit: Emit,
        venue_offset_ns: Callable[[], int],
    ) -> None:
        self.name = reader.source
        self._reader = reader
        self._rest = rest
        self._planner = planner
        self._clock = clock
        self._emit = emit
        self._report = SourceReport(reader.source, clock, emit)
        self._lag = LagMeter(venue_offset_ns)
        self._nudge = asyncio.Event()
        self._asked = 0
        """Refreshes asked for; of these `_carried` go with the poll under way, and `_answered` are over."""
        self._carried = 0
        self._answered = 0
        self._failures = 0
        self._failing_since = 0
        self._figures: Figures = {}

    def refresh(self) -> None:
        """Poll at once instead of at the next turn."""
        self._asked += 1
        self._nudge.set()

    def plan_changed(self) -> None:
        """Look at the interval again: an opening came nearer or went away."""
        self._nudge.set()

    async def run(self) -> None:
        """Poll until cancelled; whatever the venue does is a state, not an end."""
        while True:
            started = self._clock.mono_ns()
            try:
                answer = await self._ask()
                reading = await self._read(answer)
            except Unconfirmed:
                await self._clock.sleep(min(_CONFIRM_S, self._planner.interval_s(self.name)))
            except VenueError as error:
                await self._pause(started, self._failed(error), ordered=_ordered(error))
            else:
                self._succeeded(answer, reading)
                await self._pause(started, None, ordered=False)

    async def _ask(self) -> Answer:
        try:
            return await self._rest.get(self._reader.endpoint, self._reader.parameters, share=self._share)
        finally:
            self._answered = self._carried

    @property
    def _is_awaited(self) -> bool:
        return self._asked > self._answered

    def _share(self) -> float:
        """Called for the last time as the poll leaves: it answers every refresh asked for until then."""
        self._carried = self._asked
        if self._reader.endpoint.weight <= 1:
            return LIGHT_SHARE
        return AWAITED_SHARE if self._is_awaited else HEAVY_SHARE

    async def _read(self, answer: Answer) -> Reading:
        """Read in slices, letting frames go first between them."""
        steps = self._reader.read(answer.body, answer.wall_ns, answer.mono_ns)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                reading: Reading = stop.value
                return reading
            await self._clock.sleep(0)

    def _succeeded(self, answer: Answer, reading: Reading) -> None:
        self._failures = 0
        self._lag.note(reading.ts_event_ns, answer.wall_ns)
        for event in reading.events:
            self._emit(event)
        self._figures = {
            **reading.figures,
            "lag_ms_p50": self._lag.p50_ms(),
            "round_trip_ms": round((answer.mono_ns - answer.sent_mono_ns) / NS_PER_MS, 1),
        }
        status = ComponentStatus.DEGRADED if reading.trouble else ComponentStatus.OK
        self._tell(status, reading.trouble, None)

    def _failed(self, error: VenueError) -> float:
        """Count a failure, report it, and return the seconds to wait."""
        now = self._clock.mono_ns()
        if self._failures == 0:
            self._failing_since = now
        self._failures += 1
        wait_s = self._wait_s(error)
        detail = str(error)
        if isinstance(error, ProtocolError):
            detail = f"the answer is not usable: {detail}"
        if not self._reader.official:
            self._tell(ComponentStatus.UNAVAILABLE, detail, wait_s)
        elif now - self._failing_since >= _DOWN_AFTER_S * NS_PER_S:
            self._tell(ComponentStatus.DOWN, detail, wait_s)
        elif self._failures > 1 or not isinstance(error, NotSent):
            self._tell(ComponentStatus.DEGRADED, detail, wait_s)
        return wait_s

    def _wait_s(self, error: VenueError) -> float:
        if error.retry_after_s is not None:
            return max(error.retry_after_s, _SHORTEST_GAP_S)
        interval = self._planner.interval_s(self.name)
        grown = interval * (1 << min(self._failures - 1, 16))
        if not self._reader.official:
            return min(grown, _UNOFFICIAL_CAP_S)
        if isinstance(error, ConnectFailed):
            return min(interval, _NETWORK_RETRY_S)
        if isinstance(error, FirewallBlocked):
            return max(interval, _FIREWALL_PAGE_S)
        if self._failures == 1:
            return min(interval, _NETWORK_RETRY_S)
        return max(min(grown, _CAP_S), interval)

    async def _pause(self, started: int, failure_wait_s: float | None, *, ordered: bool) -> None:
        """Wait for the next turn; ``ordered`` waits are the venue's and no refresh shortens them."""
        jitter = self._planner.jittered(1.0)
        if failure_wait_s is not None:  # counted from the failure, which may have taken its whole deadline
            started = self._clock.mono_ns()
        while True:
            wait_s = failure_wait_s if failure_wait_s is not None else self._planner.interval_s(self.name) * jitter
            left_s = max(wait_s - (self._clock.mono_ns() - started) / NS_PER_S, self._planner.hushed_s(self.name))
            if left_s <= 0:
                await self._clock.sleep(0)
                return
            self._nudge.clear()
            if not await wait_for(self._nudge, self._clock, left_s):
                return
            if self._is_awaited and not ordered:
                gap_s = (self._clock.mono_ns() - started) / NS_PER_S
                await self._clock.sleep(max(0.0, _SHORTEST_GAP_S - gap_s))
                return

    def _tell(self, status: ComponentStatus, detail: str, wait_s: float | None) -> None:
        self._report.tell(
            status,
            detail,
            {
                "interval_ms": round(self._planner.interval_s(self.name) * 1000),
                "plan": self._planner.nearness().value,
                "weight": self._rest.budget.weight_used,
                **self._figures,
                "next_attempt_s": None if wait_s is None else round(wait_s, 1),
            },
        )


def _ordered(error: VenueError) -> bool:
    return isinstance(error, (RateLimited, FirewallBlocked))
