"""A scenario as checked values: what shall happen, seconds after its beginning."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mexc_sim.core.listing_request import ListingRequest
from mexc_sim.core.world import Rules


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often something repeats: every ``every_s`` seconds, ``times`` times in all."""

    every_s: float = 0.0
    times: int = 1


@dataclass(frozen=True, slots=True)
class ScriptedListing:
    """A listing of a scenario; repeated ones take their bases in turn, then invented ones."""

    request: ListingRequest
    repeat: Repeat = Repeat()
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptedFault:
    """A fault rule that comes into force at a time."""

    spec: Mapping[str, Any]
    in_s: float = 0.0
    repeat: Repeat = Repeat()


@dataclass(frozen=True, slots=True)
class ScriptedCut:
    """All sockets drop (or freeze) at a time; new ones are refused for a while."""

    in_s: float
    freeze: bool = False
    refuse_for_s: float = 0.0
    repeat: Repeat = Repeat()


@dataclass(frozen=True, slots=True)
class Script:
    """A whole scenario."""

    title: str = ""
    symbols: int = 2_000
    begins: str = "start"
    """``start`` of the process, or the client's ``first_request``."""
    rules: Rules = field(default_factory=Rules)
    skew_ms: int = 0
    listings: tuple[ScriptedListing, ...] = ()
    faults: tuple[ScriptedFault, ...] = ()
    cuts: tuple[ScriptedCut, ...] = ()
