"""A tail wakes for every commit of the other process, and never sleeps through one."""

import asyncio
from pathlib import Path
from time import monotonic

from mexc_sniper.ledger import LedgerLocation, LedgerReader, LedgerTail, LedgerWriter, locate, migrations
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import a_signal

GENEROUS_S = 10.0


async def test_first_look_wakes_at_once_and_then_only_for_a_commit(
    location: LedgerLocation, writer: LedgerWriter
) -> None:
    tail = LedgerTail(location)
    assert await tail.wait(GENEROUS_S)
    assert not await tail.wait(0.05)
    writer.append([a_signal()])
    began = monotonic()
    assert await tail.wait(GENEROUS_S)
    assert monotonic() - began < GENEROUS_S / 2
    await tail.aclose()


async def test_consumer_that_waits_and_reads_sees_every_event_in_order(
    location: LedgerLocation, writer: LedgerWriter, reader: LedgerReader
) -> None:
    seen: list[int] = []

    async def consume() -> None:
        tail = LedgerTail(location)
        async for _ in tail.changes():
            seen.extend(event.seq for event in reader.events(seen[-1] if seen else 0, 1_000))
            if len(seen) >= 500:
                await tail.aclose()
                return

    consuming = asyncio.create_task(consume())
    for _ in range(500):
        writer.append([a_signal()])
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await consuming
    assert seen == list(range(1, 501))


async def test_tail_of_a_file_that_does_not_exist_yet_wakes_when_it_does(tmp_path: Path) -> None:
    location = locate(None, tmp_path / "later")
    tail = LedgerTail(location)
    assert await tail.wait(GENEROUS_S)
    assert not await tail.wait(0.02)
    assert not location.sqlite.ledger.exists()
    await asyncio.to_thread(migrations.upgrade, location)
    assert await tail.wait(GENEROUS_S)
    await tail.aclose()


async def test_two_tails_of_one_process_both_wake(location: LedgerLocation, writer: LedgerWriter) -> None:
    tails = [LedgerTail(location), LedgerTail(location)]
    for tail in tails:
        await tail.wait(GENEROUS_S)
    writer.append([a_signal()])
    assert await asyncio.gather(*(tail.wait(GENEROUS_S) for tail in tails)) == [True, True]
    for tail in tails:
        await tail.aclose()


async def test_tail_without_a_server_waits_out_its_time_and_recovers(tmp_path: Path) -> None:
    location = locate("postgresql://nobody@127.0.0.1:1/nowhere", tmp_path)
    tail = LedgerTail(location)
    began = monotonic()
    woken = [await tail.wait(0.2) for _ in range(3)]
    assert monotonic() - began < GENEROUS_S
    assert woken.count(True) <= 1
    await tail.aclose()


async def test_writing_clock_is_the_one_handed_in(location: LedgerLocation, reader: LedgerReader) -> None:
    class Late(LoopClock):
        def wall_ns(self) -> int:
            return 42

    writer = LedgerWriter(location, Late())
    writer.start()
    writer.append([a_signal()])
    await writer.aclose()
    assert reader.events(0, 1)[0].ts_ns == 42
