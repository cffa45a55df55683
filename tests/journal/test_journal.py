"""Lives, grants, files: what is in the journal when `write` has returned, and what a start makes of it."""

import asyncio
import errno
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import ConfigError, InvariantError, StoreError
from mexc_sniper.journal import Disk, FileJournal
from mexc_sniper.journal.disk import Segment
from mexc_sniper.journal.record import RECORD_SIZE
from mexc_sniper.model.account import Account
from mexc_sniper.model.order import OrderType
from tests.journal.builders import LIMITS, an_exit, an_intent, approved, ids, look
from tests.journal.conftest import OpenJournal


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def test_written_intent_is_in_the_file_when_write_returns(open_journal: OpenJournal, directory: Path) -> None:
    journal = open_journal()
    intent = an_intent(1)
    assert journal.write(approved(intent))
    (known,) = look(directory).intents
    assert known.intent == intent
    assert (known.left, known.durable, known.settled, known.epoch) == (True, False, False, 1)


async def test_clean_end_leaves_nothing_suspect_and_keeps_what_is_not_settled(open_journal: OpenJournal) -> None:
    journal = open_journal()
    first, second = an_intent(1), an_intent(2)
    journal.write(approved(first))
    journal.write(approved(second))
    journal.mark_settled(first.client_order_id)
    await journal.aclose()

    again = open_journal()
    found = again.recovered
    assert (found.epoch, found.clean, found.suspect, again.suspect) == (1, True, (), False)
    assert found.missing_from({first.client_order_id}) == (second,)
    await again.aclose()
    assert ids(open_journal().recovered) == {second.client_order_id}, "what is settled is forgotten with its file"


async def test_settled_intent_that_the_ledger_lost_is_still_told_at_the_next_start(open_journal: OpenJournal) -> None:
    journal = open_journal()
    journal.write(approved(an_intent(1)))
    journal.mark_settled(an_intent(1).client_order_id)
    await journal.aclose()
    assert open_journal().recovered.missing_from(set()) == (an_intent(1),)


async def test_epoch_grows_with_every_life_whatever_is_lost(open_journal: OpenJournal, directory: Path) -> None:
    epochs = []
    for loss in ("nothing", "journal", "epoch file", "both, the ledger knows"):
        journal = open_journal(minimum_epoch=3 if loss.startswith("both") else 0)
        epochs.append(journal.epoch)
        await journal.aclose()
        if loss != "nothing":
            for path in directory.glob("*.journal" if loss == "journal" else "epoch"):
                path.unlink()
        if loss == "epoch file":
            for path in directory.glob("*.journal"):
                path.unlink()
    assert epochs == sorted(set(epochs))
    assert epochs[0] == 1


async def test_first_start_is_clean_and_empty(open_journal: OpenJournal) -> None:
    journal = open_journal()
    assert journal.healthy
    assert (journal.epoch, journal.recovered.clean, journal.recovered.intents) == (1, True, ())


async def test_grant_that_is_used_up_refuses_and_writes_nothing_until_it_is_renewed(directory: Path) -> None:
    disk = SlowDisk(directory)
    journal = FileJournal(directory, SystemClock(), limits=LIMITS, slots=64, disk=disk)
    journal.open()
    disk.slow = True
    assert [journal.write(approved(an_intent(n))) for n in range(6)] == [True] * 4 + [False] * 2
    assert ids(look(directory)) == {an_intent(n).client_order_id for n in range(4)}
    assert [journal.write(approved(an_exit(n))) for n in range(10, 17)] == [True] * 6 + [False]
    disk.slow = False
    await until(lambda: journal.write(approved(an_intent(4))))
    await until(lambda: journal.write(approved(an_exit(16))))
    await journal.aclose()


async def test_grant_bounds_the_notional_of_one_order_and_of_all(directory: Path) -> None:
    disk = SlowDisk(directory)
    journal = FileJournal(directory, SystemClock(), limits=LIMITS, slots=64, disk=disk)
    journal.open()
    disk.slow = True
    assert not journal.write(approved(an_intent(1, worst_notional=Decimal("100.01"))))
    assert all(journal.write(approved(an_intent(n, worst_notional=Decimal(100)))) for n in (2, 3, 4))
    assert not journal.write(approved(an_intent(5, worst_notional=Decimal("0.01"))))
    disk.slow = False
    await journal.aclose()


async def test_paper_orders_and_prepared_ones_draw_nothing(open_journal: OpenJournal) -> None:
    journal = open_journal(limits=None)
    assert all(journal.write(approved(an_intent(n, account=Account.PAPER))) for n in range(20))
    prepared = [approved(an_intent(n, type=OrderType.LIMIT, price=Decimal(1))) for n in range(100, 110)]
    await journal.write_durably(prepared)
    assert all(journal.write(one) for one in prepared)
    assert not journal.write(approved(an_intent(200))), "no grant, no unprepared live order"


async def test_prepared_intent_that_changed_before_it_leaves_is_written_anew(
    open_journal: OpenJournal, directory: Path
) -> None:
    journal = open_journal()
    await journal.write_durably([approved(an_intent(1))])
    await journal.write_durably([approved(an_intent(1, quote_quantity=Decimal(30)))])
    dearer = an_intent(1, quote_quantity=Decimal(40))
    assert journal.write(approved(dearer))
    (known,) = look(directory).intents
    assert (known.intent, known.durable, known.left) == (dearer, False, True)


async def test_rehearsal_stores_nothing_and_hinders_nothing(open_journal: OpenJournal, directory: Path) -> None:
    journal = open_journal()
    journal.rehearse()
    await journal.write_durably([approved(an_intent(1))])
    before = look(directory)
    for _ in range(20):
        journal.rehearse()
    assert look(directory) == before
    assert journal.write(approved(an_intent(1)))
    assert look(directory).intents[0].left


async def test_no_client_order_id_leaves_twice(open_journal: OpenJournal) -> None:
    journal = open_journal()
    journal.write(approved(an_intent(1)))
    await journal.write_durably([approved(an_intent(2))])
    assert journal.write(approved(an_intent(2)))
    for number in (1, 2):
        with pytest.raises(InvariantError, match="sent before"):
            journal.write(approved(an_intent(number)))
        with pytest.raises(InvariantError, match="sent before"):
            await journal.write_durably([approved(an_intent(number))])


async def test_live_entry_that_could_rest_must_be_fsynced_first(open_journal: OpenJournal) -> None:
    journal = open_journal()
    for kind in (OrderType.LIMIT, OrderType.LIMIT_MAKER):
        with pytest.raises(InvariantError, match="may rest"):
            journal.write(approved(an_intent(1, type=kind, price=Decimal(1))))
    assert journal.write(approved(an_intent(1, type=OrderType.IOC, price=Decimal(1))))


async def test_full_file_is_followed_by_another_that_carries_what_is_not_settled(
    open_journal: OpenJournal, directory: Path
) -> None:
    journal = open_journal(slots=16)
    kept = an_intent(1_000)
    await journal.write_durably([approved(kept)])
    assert journal.write(approved(kept))
    for number in range(60):
        intent = an_intent(number, account=Account.PAPER)
        assert journal.write(approved(intent))
        await journal.write_durably([])
        journal.mark_settled(intent.client_order_id)
        assert kept.client_order_id in ids(look(directory))
    await until(lambda: len(list(directory.glob("*.journal"))) == 1)
    assert max(path.stat().st_size for path in directory.glob("*.journal")) == 16 * RECORD_SIZE
    await journal.aclose()
    (known,) = [known for known in open_journal().recovered.intents if not known.settled]
    assert (known.intent, known.left, known.durable, known.epoch) == (kept, True, True, 1)


async def test_more_open_intents_than_a_file_holds_get_a_longer_file(open_journal: OpenJournal) -> None:
    journal = open_journal(slots=16)
    for number in range(100):
        await journal.write_durably([approved(an_intent(number))])
    await journal.aclose()
    assert len(open_journal(slots=16).recovered.intents) == 100


async def test_second_engine_is_kept_out(open_journal: OpenJournal, directory: Path) -> None:
    open_journal()
    with pytest.raises(ConfigError, match="Another engine writes the journal"):
        FileJournal(directory, SystemClock()).open()


async def test_directory_that_cannot_be_made_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="journal"):
        FileJournal(tmp_path / "file" / "journal", SystemClock()).open()


async def test_failed_fsync_is_never_retried_and_the_journal_stays_unhealthy(directory: Path) -> None:
    disk = SlowDisk(directory)
    failures: list[StoreError] = []
    journal = FileJournal(directory, SystemClock(), limits=LIMITS, slots=64, disk=disk, on_failure=failures.append)
    journal.open()
    disk.broken = True
    with pytest.raises(StoreError, match="reports an error"):
        await journal.write_durably([approved(an_intent(1))])
    disk.broken = False
    assert not journal.healthy
    assert failures == [journal.failed]
    with pytest.raises(StoreError):
        journal.write(approved(an_intent(2)))
    with pytest.raises(StoreError):
        await journal.aclose()


async def test_full_disk_at_the_start_is_named_with_the_mend(directory: Path) -> None:
    disk = SlowDisk(directory)
    disk.full = True
    with pytest.raises(StoreError, match=r"is full; free some space"):
        FileJournal(directory, SystemClock(), disk=disk).open()


async def test_full_disk_later_leaves_the_rest_of_the_file_and_then_refuses(directory: Path) -> None:
    disk = SlowDisk(directory)
    journal = FileJournal(directory, SystemClock(), limits=LIMITS, slots=32, disk=disk)
    journal.open()
    disk.full = True
    written = 0
    while written < 28:
        assert journal.write(approved(an_intent(written, account=Account.PAPER)))
        written += 1
        await asyncio.sleep(0.001)
    with pytest.raises(StoreError, match="free some space"):
        await journal.write_durably([approved(an_intent(number)) for number in range(100, 200)])
    assert journal.failed is None, "nothing that was written is lost"
    assert len(look(directory).intents) >= written
    disk.full = False
    await journal.aclose()


async def test_engine_that_died_alone_leaves_nothing_suspect_and_all_it_wrote(
    open_journal: OpenJournal, directory: Path, tmp_path: Path
) -> None:
    journal = open_journal()
    journal.write(approved(an_intent(1)))
    copy_of_a_dead_engine(directory, tmp_path / "next")

    next_life = FileJournal(tmp_path / "next", SystemClock(), limits=LIMITS, slots=64)
    found = next_life.open()
    assert not found.clean
    assert found.suspect == (), "the kernel lived on, and so did every store"
    assert ids(found) == {an_intent(1).client_order_id}
    await next_life.aclose()


@pytest.mark.parametrize(("boot", "in_question"), [(None, [1]), ("another", [1, 2])])
async def test_only_a_machine_that_went_down_leaves_prepared_orders_in_question(
    open_journal: OpenJournal, directory: Path, tmp_path: Path, boot: str | None, in_question: list[int]
) -> None:
    journal = open_journal()
    for number in (1, 2):
        await journal.write_durably([approved(an_intent(number))])
    assert journal.write(approved(an_intent(1)))
    copy_of_a_dead_engine(directory, tmp_path / "next")

    disk = None if boot is None else Rebooted(tmp_path / "next")
    next_life = FileJournal(tmp_path / "next", SystemClock(), limits=LIMITS, slots=64, disk=disk)
    missing = next_life.open().missing_from(set())
    assert missing == tuple(an_intent(number) for number in in_question)
    await next_life.aclose()
    third = FileJournal(tmp_path / "next", SystemClock(), limits=LIMITS, slots=64, disk=disk)
    assert third.open().missing_from(set()) == missing, "until they are settled"
    await third.aclose()


async def test_machine_that_went_down_makes_the_unused_rest_suspect_until_the_sweep(
    open_journal: OpenJournal, directory: Path, tmp_path: Path
) -> None:
    journal = open_journal()
    journal.write(approved(an_intent(1)))
    copy_of_a_dead_engine(directory, tmp_path / "next")

    lives = []
    for _ in range(3):  # a sweep that never comes leaves every life suspect
        next_life = FileJournal(
            tmp_path / "next", SystemClock(), limits=LIMITS, slots=64, disk=Rebooted(tmp_path / "next")
        )
        next_life.open()
        lives.append(next_life.recovered)
        await next_life.aclose()
    assert [[suspect.epoch for suspect in found.suspect] for found in lives] == [[1], [1], [1]]
    assert lives[0].rest.entries == 3
    assert lives[0].rest.notional == Decimal(300) - Decimal("20.04")
    assert not lives[0].clean

    swept = FileJournal(tmp_path / "next", SystemClock(), limits=LIMITS, slots=64)
    swept.open()
    assert swept.suspect
    swept.swept()
    assert not swept.suspect
    await swept.aclose()
    last = FileJournal(tmp_path / "next", SystemClock(), limits=LIMITS, slots=64)
    assert last.open().suspect == ()
    await last.aclose()


async def test_damage_is_named_by_its_offset_and_hides_a_whole_grant(
    open_journal: OpenJournal, directory: Path
) -> None:
    journal = open_journal()
    for number in range(4):
        await journal.write_durably([approved(an_intent(number))])
    await journal.aclose()
    (path,) = directory.glob("*.journal")
    content = bytearray(path.read_bytes())
    content[3 * RECORD_SIZE + 100] ^= 1
    path.write_bytes(content)

    again = open_journal()
    (damage,) = again.recovered.damage
    assert (damage.file, damage.offset, damage.tail) == (path.name, 3 * RECORD_SIZE, False)
    assert not again.recovered.clean
    assert again.recovered.rest.entries == LIMITS.entries
    assert len(again.recovered.intents) == 3
    assert (directory / f"{path.name}.damaged").read_bytes() == bytes(content)
    await again.aclose()
    assert open_journal().recovered.damaged_before == 1, "until a sweep answers it"


@pytest.mark.parametrize("kept", [0, 1, RECORD_SIZE - 1, 4 * RECORD_SIZE, 4 * RECORD_SIZE + 7])
async def test_file_that_was_cut_off_is_tolerated_and_named(
    open_journal: OpenJournal, directory: Path, kept: int
) -> None:
    journal = open_journal()
    for number in range(4):
        await journal.write_durably([approved(an_intent(number))])
    await journal.aclose()
    (path,) = directory.glob("*.journal")
    path.write_bytes(path.read_bytes()[:kept])
    again = open_journal()
    assert again.epoch == 2
    assert not again.recovered.clean
    assert len(again.recovered.intents) == (2 if kept >= 4 * RECORD_SIZE else 0)
    assert again.recovered.rest.entries >= LIMITS.entries
    assert bool(again.recovered.damage) is bool(kept)


async def test_closed_journal_refuses(open_journal: OpenJournal) -> None:
    journal = open_journal()
    await journal.aclose()
    await journal.aclose()
    assert not journal.healthy
    with pytest.raises(StoreError, match="not open"):
        journal.write(approved(an_intent(1)))
    with pytest.raises(StoreError, match="not open"):
        FileJournal(Path("unused"), SystemClock()).swept()


def copy_of_a_dead_engine(directory: Path, target: Path) -> None:
    """What kill -9 leaves: the files as they are."""
    target.mkdir()
    for path in directory.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


class Rebooted(Disk):
    """The same files under another run of the kernel."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.boot = "another"


class SlowDisk(Disk):
    """A disk whose fsyncs can be held back or fail, and that can be full."""

    slow = False
    broken = False
    full = False

    def create(self, name: str, size: int) -> Segment:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return _SlowSegment(self, self.directory / name, size)


class _SlowSegment(Segment):
    def __init__(self, disk: SlowDisk, path: Path, size: int) -> None:
        super().__init__(path, size)
        self._disk = disk

    def sync(self) -> None:
        import time

        waited = 0.0
        while self._disk.slow and waited < 10:
            time.sleep(0.002)
            waited += 0.002
        if self._disk.broken:
            raise OSError(errno.EIO, "Input/output error")
        super().sync()
