"""The loop on which simulations run: time without waiting, order without chance, and no way out."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import Deadlock, VirtualLoop, bounded


def _run(work: Callable[[VirtualLoop], Awaitable[object]]) -> tuple[object, VirtualLoop]:
    loop = VirtualLoop()

    async def main() -> object:
        return await work(loop)

    try:
        return loop.run_until_complete(main()), loop
    finally:
        loop.close()


def test_sleeping_for_months_takes_no_time_and_is_exact():
    async def sleep(loop: VirtualLoop) -> float:
        await asyncio.sleep(86_400 * 90 + 0.25)
        return loop.time()

    assert _run(sleep)[0] == pytest.approx(86_400 * 90 + 0.25, abs=1e-6)


def test_what_is_ready_runs_in_its_order_and_timers_in_theirs():
    said: list[str] = []

    async def speak(loop: VirtualLoop) -> None:
        loop.call_later(2, said.append, "later")
        loop.call_later(1, said.append, "sooner")
        for word in ("first", "second", "third"):
            loop.call_soon(said.append, word)
        await asyncio.sleep(3)

    _run(speak)
    assert said == ["first", "second", "third", "sooner", "later"]


def test_waiting_for_nobody_is_a_failure_and_not_an_endless_test():
    async def wait(loop: VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(Deadlock, match="no timer"):
        _run(wait)


def test_turning_without_time_passing_is_a_failure():
    async def spin(loop: VirtualLoop) -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Deadlock, match="spins"):
        _run(spin)


def test_step_that_never_comes_back_is_a_failure():
    async def hold(loop: VirtualLoop) -> None:
        while True:
            pass

    with pytest.raises(Deadlock, match="has not come to an end"), bounded(0.1):
        _run(hold)


def test_there_are_no_threads_in_virtual_time():
    async def thread(loop: VirtualLoop) -> None:
        await asyncio.to_thread(len, "")

    with pytest.raises(AssertionError, match="a thread"):
        _run(thread)


def test_sets_of_tasks_come_in_the_order_the_tasks_were_made():
    async def order(loop: VirtualLoop) -> list[int]:
        tasks = [asyncio.ensure_future(asyncio.sleep(1)) for _ in range(50)]
        numbers = [task.number for task in {*tasks}]  # type: ignore[attr-defined]
        await asyncio.gather(*tasks)
        return numbers

    first, second = _run(order)[0], _run(order)[0]
    assert first == second
