"""How long a paper order travels: drawn from what live requests really took (FIELD 4.4, row 1)."""

from collections import deque
from random import Random

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.venues.paper.options import LatencyOptions

RESERVOIR = 512
"""The newest round trips are kept; older ones say little about now."""
LONGEST_NS = 60 * NS_PER_S
"""A longer one is a suspended machine, not a network."""


class Latency:
    """Draws a delay for each order, cancel and fault; the same seed and samples give the same delays."""

    def __init__(self, options: LatencyOptions, random: Random) -> None:
        self._options = options
        self._random = random
        self._samples: deque[int] = deque(maxlen=RESERVOIR)

    @property
    def basis(self) -> str:
        """Whether delays are ``measured`` or the ``assumed`` default, and how stressed; for the record."""
        known = "measured" if self._measured else "assumed"
        return known if self._options.stress == 1 else f"{known} x{self._options.stress}"

    def note_round_trip(self, ns: int) -> None:
        """Remember how long a live request took, send to answer; absurd figures are ignored."""
        if 0 < ns <= LONGEST_NS:
            self._samples.append(ns)

    def draw(self) -> int:
        """Return how long the next request takes, ns, at least 1.

        The whole round trip passes before an order meets the book, not half of it: the book we see is itself as old
        as the frame's way to us.
        """
        options = self._options
        if self._measured:
            ns = self._samples[self._random.randrange(len(self._samples))]
        else:
            ns = options.default_ns + self._random.randint(-options.jitter_ns, options.jitter_ns)
        return max(1, ns * options.stress)

    @property
    def _measured(self) -> bool:
        return len(self._samples) >= self._options.min_samples
