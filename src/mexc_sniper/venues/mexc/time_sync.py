"""The venue's clock minus ours, with an honest bound on the error (RELIABILITY 2.4)."""

from collections import deque
from collections.abc import Callable
from statistics import median

import structlog

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import VenueError
from mexc_sniper.model.events import ClockSynced
from mexc_sniper.model.market import Stamp
from mexc_sniper.ports import Clock, Emit
from mexc_sniper.telemetry import CLOCK_OFFSET_SECONDS
from mexc_sniper.venues.mexc.parse.names import server_time
from mexc_sniper.venues.mexc.rest import RestClient
from mexc_sniper.venues.mexc.urls import Endpoint

SAMPLES = 9
SAMPLE_LIFE_S = 120
STEP_NS = 500 * NS_PER_MS
"""A larger difference between the progress of our two clocks is a step of the wall clock."""
_WARM_UP = 5
_WARM_UP_GAP_S = 0.2
_RESOLUTION_NS = NS_PER_MS // 2
"""The venue writes whole milliseconds: on average it is half of one further."""
_RETRY_CAP_S = 10.0

_log = structlog.get_logger("mexc_sniper.venue")


class _Sample:
    __slots__ = ("half_trip_ns", "mono_ns", "offset_ns")

    def __init__(self, offset_ns: int, half_trip_ns: int, mono_ns: int) -> None:
        self.offset_ns = offset_ns
        self.half_trip_ns = half_trip_ns
        self.mono_ns = mono_ns


class OffsetEstimate:
    """Turns probes into an offset and its uncertainty; pure."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)
        self._base_ns: int | None = None
        self._last_venue_ns = 0
        self._last_mono_ns = 0
        self.offset_ns = 0
        self.uncertainty_ns: int | None = None
        """None before the first usable probe."""

    def stepped(self, wall_ns: int, mono_ns: int) -> bool:
        """Whether our wall clock stepped since the last look; if so, everything measured before is void."""
        base, self._base_ns = self._base_ns, wall_ns - mono_ns
        if base is None or abs(self._base_ns - base) < STEP_NS:
            return False
        self._samples.clear()
        self.uncertainty_ns = None
        return True

    def forget(self) -> None:
        """Everything measured is void: the venue refused a timestamp. The offset stays until the next probe."""
        self._samples.clear()
        self.uncertainty_ns = None

    def add(self, venue_ns: int, *, sent_mono_ns: int, received_mono_ns: int, received_wall_ns: int) -> None:
        """Take one probe.

        A time that stands still while ours moves on comes from a cache and is left out.
        """
        if venue_ns == self._last_venue_ns and received_mono_ns - self._last_mono_ns > 10 * NS_PER_MS:
            return
        self._last_venue_ns, self._last_mono_ns = venue_ns, received_mono_ns
        half_trip = (received_mono_ns - sent_mono_ns) // 2
        offset = venue_ns + _RESOLUTION_NS - (received_wall_ns - half_trip)
        horizon = received_mono_ns - SAMPLE_LIFE_S * NS_PER_S
        while self._samples and self._samples[0].mono_ns < horizon:
            self._samples.popleft()
        self._samples.append(_Sample(offset, half_trip, received_mono_ns))
        self._estimate()

    def _estimate(self) -> None:
        """The median of those probes that are not much slower than the fastest and agree with the others."""
        fastest = min(sample.half_trip_ns for sample in self._samples)
        quick = [s for s in self._samples if s.half_trip_ns <= 2 * fastest + 5 * NS_PER_MS]
        middle = int(median(s.offset_ns for s in quick))
        agreeing = [
            s for s in quick if abs(s.offset_ns - middle) <= s.half_trip_ns + fastest + 2 * _RESOLUTION_NS
        ] or quick
        self.offset_ns = int(median(s.offset_ns for s in agreeing))
        spread = max(abs(s.offset_ns - self.offset_ns) for s in agreeing)
        self.uncertainty_ns = max(min(s.half_trip_ns for s in agreeing), spread) + _RESOLUTION_NS


class TimeSync:
    """Asks the venue for its time: a few times at the start and after a step, then at every interval."""

    def __init__(self, rest: RestClient, clock: Clock, emit: Emit, *, interval_s: Callable[[], float]) -> None:
        self._rest = rest
        self._clock = clock
        self._emit = emit
        self._interval_s = interval_s
        self._estimate = OffsetEstimate()
        self._hurried = False

    @property
    def offset_ns(self) -> int:
        """The venue's clock minus ours, ns; 0 until known."""
        return self._estimate.offset_ns

    def hurry(self) -> None:
        """Measure anew within a second, as after a step of the clock."""
        self._hurried = True

    async def run(self) -> None:
        """Measure until cancelled; failures only make the estimate older."""
        probes = failures = 0
        while True:
            now = self._clock
            if self._estimate.stepped(now.wall_ns(), now.mono_ns()):
                _log.warning("wall_clock_stepped")
                probes = 0
            if self._hurried:
                self._hurried = False
                self._estimate.forget()
                probes = 0
            try:
                await self._probe()
            except VenueError as error:
                failures += 1
                wait_s = error.retry_after_s or min(float(1 << min(failures - 1, 10)), _RETRY_CAP_S)
            else:
                failures = 0
                probes += 1
                wait_s = _WARM_UP_GAP_S if probes < _WARM_UP else self._interval_s()
            await self._sleep_watching(wait_s)

    async def _sleep_watching(self, seconds: float) -> None:
        """Sleep, but look once a second whether the wall clock stepped: then there is no time to lose."""
        until = self._clock.mono_ns() + int(seconds * NS_PER_S)
        base = self._clock.wall_ns() - self._clock.mono_ns()
        while (left_s := (until - self._clock.mono_ns()) / NS_PER_S) > 0:
            await self._clock.sleep(min(1.0, left_s))
            if self._hurried or abs(self._clock.wall_ns() - self._clock.mono_ns() - base) >= STEP_NS:
                return

    async def _probe(self) -> None:
        answer = await self._rest.get(Endpoint.TIME)
        venue_ns = server_time(answer.body)
        if self._estimate.stepped(answer.wall_ns, answer.mono_ns):
            _log.warning("wall_clock_stepped")
        self._estimate.add(
            venue_ns,
            sent_mono_ns=answer.sent_mono_ns,
            received_mono_ns=answer.mono_ns,
            received_wall_ns=answer.wall_ns,
        )
        if self._estimate.uncertainty_ns is None:
            return
        CLOCK_OFFSET_SECONDS.set(self._estimate.offset_ns / NS_PER_S)
        self._emit(
            ClockSynced(
                stamp=Stamp(venue_ns, answer.wall_ns, answer.mono_ns),
                offset_ns=self._estimate.offset_ns,
                uncertainty_ns=self._estimate.uncertainty_ns,
            )
        )
