"""What a reader makes of an answer. Readers do no I/O and know no clock: the tape replays through them."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.model.events import Event, SourceName
from mexc_sniper.venues.mexc.report import Figures
from mexc_sniper.venues.mexc.urls import Endpoint

NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


class Incomplete(ProtocolError):
    """The answer decodes but cannot be the whole truth: cut off, empty, or in another schema."""


class Unconfirmed(ProtocolError):
    """The first answer of its kind: a second one must agree before it may count as complete."""


@dataclass(frozen=True)
class Reading:
    """The events of one answer, and what the operator should know of it."""

    events: tuple[Event, ...]
    ts_event_ns: int | None = None
    trouble: str = ""
    """Set when the answer is good enough to use and still not as it should be."""
    figures: Figures = field(default_factory=dict)


Steps = Generator[None, None, Reading]
"""Reads an answer in slices of a few ms: yields where other work may go first, returns the reading."""


class Reader(ABC):
    """One source's way of reading its answers."""

    source: ClassVar[SourceName]
    endpoint: ClassVar[Endpoint]
    official: ClassVar[bool]
    """Of an unofficial one, absence is normal (UNAVAILABLE, never DEGRADED)."""
    parameters: ClassVar[Mapping[str, str]] = NO_PARAMETERS

    @abstractmethod
    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        """Read one answer that arrived at these instants.

        Raises:
            VenueError: an error answer, another shape, or not the whole truth.
        """


def finish(steps: Steps) -> Reading:
    """Run all slices at once."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            reading: Reading = stop.value
            return reading
