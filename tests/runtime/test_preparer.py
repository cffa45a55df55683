"""What the engine prepares, carried out: signed, fsynced, dropped again, and the one exact instant."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mexc_sniper.core.clock import NS_PER_MS
from mexc_sniper.core.values import Symbol
from mexc_sniper.journal import FileJournal
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event, OpeningReached
from mexc_sniper.model.order import Approved
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.runtime.preparer import Preparer
from tests.journal.builders import an_intent, approved

PAIR = Symbol("ALPHAUSDT")


class Door:
    """A gateway that notes what lies ready at it."""

    account = Account.LIVE

    def __init__(self) -> None:
        self.ready: dict[Symbol, Sequence[Approved]] = {}

    def prepare(self, symbol: Symbol, approved: Sequence[Approved]) -> None:
        self.ready[symbol] = approved

    def unprepare(self, symbol: Symbol) -> None:
        self.ready.pop(symbol, None)


def a_preparer(journal: FileJournal, door: Door, heard: list[Event]) -> Preparer:
    gateways: Any = {Account.LIVE: door}
    return Preparer(gateways, journal, LoopClock(), heard.append)


def a_journal(directory: Path) -> FileJournal:
    journal = FileJournal(directory, LoopClock())
    journal.open()
    return journal


async def settled() -> None:
    """Let everything under way come to rest."""
    for _ in range(200):
        await asyncio.sleep(0.001)
        if not any(task is not asyncio.current_task() for task in asyncio.all_tasks()):
            return


async def test_prepared_intents_are_on_the_disk_and_need_no_grant(tmp_path: Path) -> None:
    journal, door = a_journal(tmp_path / "journal"), Door()
    preparer = a_preparer(journal, door, [])
    ready = (approved(an_intent(1)), approved(an_intent(2)))
    preparer.prepare(PAIR, ready)
    await settled()
    assert door.ready == {PAIR: ready}
    assert journal.write(ready[0]), "no grant was written: only a durable intent may leave"
    await journal.aclose()


async def test_what_is_dropped_unsent_is_unknown_to_the_next_life_and_what_left_is_known(tmp_path: Path) -> None:
    journal, door = a_journal(tmp_path / "journal"), Door()
    preparer = a_preparer(journal, door, [])
    ready = (approved(an_intent(1)), approved(an_intent(2)))
    preparer.prepare(PAIR, ready)
    await settled()
    journal.write(ready[0])
    preparer.close()
    await settled()
    assert not door.ready
    await journal.aclose()
    assert a_journal(tmp_path / "journal").recovered.missing_from(set()) == (ready[0].intent,)


async def test_instant_is_told_once_not_before_its_time_and_not_after_it_was_taken_back(tmp_path: Path) -> None:
    journal, heard = a_journal(tmp_path / "journal"), list[Event]()
    preparer, clock = a_preparer(journal, Door(), heard), LoopClock()
    taken_back, wanted = Symbol("BACKUSDT"), clock.wall_ns() + 30 * NS_PER_MS
    preparer.fire_at(taken_back, wanted)
    preparer.fire_at(PAIR, wanted - 20 * NS_PER_MS)
    preparer.fire_at(PAIR, wanted)  # replaces the first
    preparer.unprepare(taken_back)
    await settled()
    (event,) = heard
    assert isinstance(event, OpeningReached)
    assert (event.symbol, event.due_ns) == (PAIR, wanted)
    assert event.stamp.ts_recv_ns >= wanted
    await journal.aclose()
