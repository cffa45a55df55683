"""Power cuts: what was acknowledged as durable is there, and what is not there is within the grant."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.journal import FileJournal, Recovered
from mexc_sniper.model.account import Account
from mexc_sniper.model.order import OrderIntent
from tests.journal.builders import LIMITS, an_exit, an_intent, approved, ids
from tests.journal.power import CutDisk

LIVES = 6


@dataclass
class Told:
    """What the journal acknowledged over all lives."""

    durable: dict[ClientOrderId, OrderIntent] = field(default_factory=dict)
    left: dict[ClientOrderId, OrderIntent] = field(default_factory=dict)
    settled: set[ClientOrderId] = field(default_factory=set)
    number: int = 0

    def next(self) -> int:
        self.number += 1
        return self.number


async def one_life(journal: FileJournal, disk: CutDisk, told: Told, dice: Random) -> None:
    """Do a handful of random things, the last ones perhaps while no fsync ends."""
    for _ in range(dice.randrange(12)):
        await one_thing(journal, told, dice)
    if dice.random() < 0.8:
        disk.hold(after=dice.randrange(8))
        for _ in range(dice.randrange(20)):
            leave(journal, told, dice)
            await asyncio.sleep(dice.choice((0, 0, 0.001)))
    elif dice.random() < 0.5:
        await asyncio.sleep(dice.choice((0, 0.001, 0.004)))


async def one_thing(journal: FileJournal, told: Told, dice: Random) -> None:
    what = dice.random()
    if what < 0.3:
        prepared = [an_intent(told.next(), epoch=journal.epoch) for _ in range(dice.randrange(1, 4))]
        async with asyncio.timeout(0.05):  # never acknowledged where no fsync ends
            await journal.write_durably([approved(intent) for intent in prepared])
        told.durable.update({intent.client_order_id: intent for intent in prepared})
    elif what < 0.8:
        leave(journal, told, dice)
    elif told.left:
        some = dice.choice(list(told.left))
        journal.mark_settled(some)
        told.settled.add(some)
    await asyncio.sleep(0)


def leave(journal: FileJournal, told: Told, dice: Random) -> None:
    number, epoch = told.next(), journal.epoch
    intent = dice.choice(
        (
            an_intent(number, epoch=epoch, worst_notional=Decimal(dice.randrange(1, 120))),
            an_exit(number, epoch=epoch),
            an_intent(number, epoch=epoch, account=Account.PAPER),
        )
    )
    if journal.write(approved(intent)):
        told.left[intent.client_order_id] = intent


def check(told: Told, found: Recovered, *, epoch: int) -> None:
    present = ids(found)
    for client_order_id in told.durable:
        assert client_order_id in present or client_order_id in told.settled, "a durable intent was lost"
    lost = [
        intent
        for client_order_id, intent in told.left.items()
        if client_order_id not in present and client_order_id not in told.settled and intent.account is Account.LIVE
    ]
    entries = [intent for intent in lost if not intent.role.reduces_risk]
    assert len(entries) <= found.rest.entries
    assert len(lost) - len(entries) <= found.rest.exits
    assert sum((intent.worst_notional for intent in entries), Decimal(0)) <= found.rest.notional
    assert all(intent.worst_notional <= LIMITS.notional_per_entry for intent in entries)
    assert found.epoch >= epoch


@pytest.mark.parametrize("seed", range(40))
async def test_power_cut_at_any_moment_loses_no_durable_intent_and_no_more_than_is_suspect(
    tmp_path: Path, seed: int
) -> None:
    dice, told, epoch = Random(seed), Told(), 0
    for life in range(LIVES):
        disk = CutDisk(tmp_path / str(life))
        journal = FileJournal(disk.directory, SystemClock(), limits=LIMITS, slots=24, disk=disk)
        if dice.random() < 0.3:
            disk.hold(after=dice.randrange(6))  # it goes dark during the start, or soon after
        with suppress(StoreError, TimeoutError):
            check(told, journal.open(), epoch=epoch)
            assert journal.epoch > epoch
            epoch = journal.epoch
            await one_life(journal, disk, told, dice)
        disk.cut(tmp_path / str(life + 1), dice)
        with suppress(StoreError):
            await journal.aclose()


async def test_durable_write_does_not_return_before_its_fsync_has_ended(tmp_path: Path) -> None:
    disk = CutDisk(tmp_path / "journal")
    journal = FileJournal(disk.directory, SystemClock(), limits=LIMITS, slots=24, disk=disk)
    journal.open()
    disk.hold()
    writing = asyncio.create_task(journal.write_durably([approved(an_intent(1))]))
    done, _ = await asyncio.wait([writing], timeout=0.05)
    assert not done
    disk.flow()
    await asyncio.wait_for(writing, 10)
    await journal.aclose()


async def test_prepared_order_does_not_leave_before_its_fsync_has_ended(tmp_path: Path) -> None:
    disk = CutDisk(tmp_path / "journal")
    journal = FileJournal(disk.directory, SystemClock(), limits=None, slots=24, disk=disk)
    journal.open()
    disk.hold()
    one = approved(an_intent(1))
    writing = asyncio.create_task(journal.write_durably([one]))
    await asyncio.sleep(0)
    assert not journal.write(one), "no grant covers it, and it is not on the disk yet"
    disk.flow()
    await asyncio.wait_for(writing, 10)
    assert journal.write(one)
    await journal.aclose()


async def test_grant_is_not_used_before_it_is_fsynced(tmp_path: Path) -> None:
    disk = CutDisk(tmp_path / "journal")
    journal = FileJournal(disk.directory, SystemClock(), limits=LIMITS, slots=64, disk=disk)
    journal.open()
    disk.hold(after=1)  # the draws' own fsync ends, the new grant's does not
    sent = sum(journal.write(approved(an_intent(number))) for number in range(2))
    async with asyncio.timeout(10):
        while not disk.holding:
            await asyncio.sleep(0.002)
    sent += sum(journal.write(approved(an_intent(number))) for number in range(10, 20))
    assert sent == LIMITS.entries
    disk.flow()
    await journal.aclose()


async def test_unfsynced_writes_of_a_life_are_no_more_than_its_grant(tmp_path: Path) -> None:
    disk = CutDisk(tmp_path / "journal")
    journal = FileJournal(disk.directory, SystemClock(), limits=LIMITS, slots=64, disk=disk)
    journal.open()
    disk.hold()
    sent = sum(journal.write(approved(an_intent(number))) for number in range(20))
    assert sent == LIMITS.entries
    disk.cut(tmp_path / "next", Random(0))
    with pytest.raises(StoreError):
        await journal.aclose()
