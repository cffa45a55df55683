"""Plays a scenario: makes its listings, faults and cuts happen at their times, again and again where it says so."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from mexc_sim.core.faults import Fault
from mexc_sim.core.lifecycle import Lifecycles
from mexc_sim.core.listing_request import ListingError
from mexc_sim.core.script import Repeat, Script, ScriptedCut, ScriptedFault, ScriptedListing
from mexc_sim.core.timers import NS_PER_S
from mexc_sim.core.world import World


class Theatre(Protocol):
    """What a scenario acts upon (the exchange)."""

    world: World
    lifecycles: Lifecycles

    def add_fault(self, spec: Mapping[str, Any]) -> Fault: ...

    def cut(self, *, refuse_for_s: float) -> int: ...

    def freeze(self, *, refuse_for_s: float) -> int: ...


class Stage:
    """One scenario being played."""

    def __init__(self, script: Script, theatre: Theatre) -> None:
        self._script = script
        self._theatre = theatre
        self.began_ns: int | None = None
        self.skipped = 0
        """Scripted listings that could not be made, such as a second quote where no pair exists."""

    def begin(self) -> bool:
        """Begin now unless it has begun; returns whether it was this call that began it."""
        if self.began_ns is not None:
            return False
        self.began_ns = self._theatre.world.timers.now_ns
        for listing in self._script.listings:
            self._repeat(listing.repeat, 0, lambda turn, listing=listing: self._list(listing, turn))  # type: ignore[misc]
        for fault in self._script.faults:
            self._repeat(fault.repeat, 0, lambda _, fault=fault: self._spoil(fault))  # type: ignore[misc]
        for cut in self._script.cuts:
            self._repeat(cut.repeat, 0, lambda _, cut=cut: self._cut(cut))  # type: ignore[misc]
        return True

    def _repeat(self, repeat: Repeat, turn: int, act: Callable[[int], None]) -> None:
        act(turn)
        if repeat.every_s > 0 and turn + 1 < repeat.times:
            self._after(repeat.every_s, lambda: self._repeat(repeat, turn + 1, act))

    def _after(self, seconds: float, act: Callable[[], object]) -> None:
        def run(_due_ns: int) -> None:
            act()

        self._theatre.world.timers.after(int(seconds * NS_PER_S), run)

    def _list(self, scripted: ScriptedListing, turn: int) -> None:
        request = scripted.request
        if turn < len(scripted.bases):
            request = replace(request, base=scripted.bases[turn])
        elif turn:
            request = replace(request, base=None)
        for attempt in (request, replace(request, base=None, of=None)):  # a taken base: an invented one goes on
            try:
                self._theatre.lifecycles.begin(attempt)
            except ListingError:
                continue
            return
        self.skipped += 1

    def _spoil(self, scripted: ScriptedFault) -> None:
        self._after(scripted.in_s, lambda: self._theatre.add_fault(scripted.spec))

    def _cut(self, scripted: ScriptedCut) -> None:
        act = self._theatre.freeze if scripted.freeze else self._theatre.cut
        self._after(scripted.in_s, lambda: act(refuse_for_s=scripted.refuse_for_s))
