"""The desk: gate, latch, rate limit, journal, gateway; nothing dropped in silence (RELIABILITY I3 to I5)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import ClientOrderId, client_order_id, intent_id
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import Event, GateSignaled, KillLatched, OrderReported
from mexc_sniper.model.limits import Gate
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, Order, OrderIntent, OrderRole, OrderStatus, OrderType
from mexc_sniper.runtime import desk as desk_module
from mexc_sniper.runtime.desk import OrderDesk
from mexc_sniper.runtime.throttle import Throttle
from tests.venue.streaming import eventually

MS = 1_000_000


class HandClock:
    """Moves when a test says so."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000

    def wall_ns(self) -> int:
        return self.now_ns

    def mono_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None: ...

    async def until(self, mono_ns: int, *, exact: bool = False) -> None: ...


class Recorder:
    """Stands for gateway and journal; keeps the order in which they were used."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, ClientOrderId]] = []
        self.covered = True
        self.broken = False
        self.healthy = True
        self.suspect = False
        self.disk = asyncio.Event()
        """Cleared, it hangs."""
        self.disk.set()

    def write(self, approved: Approved) -> bool:
        if self.broken:
            raise StoreError("the disk is full; free some space")
        if self.covered:
            self.steps.append(("journal", approved.intent.client_order_id))
        return self.covered

    async def write_durably(self, approved: Sequence[Approved]) -> None:
        await self.disk.wait()
        self.steps += [("fsynced", one.intent.client_order_id) for one in approved]

    def swept(self) -> None: ...

    def mark_settled(self, client_order_id: ClientOrderId) -> None: ...

    def submit(self, approved: Approved) -> None:
        self.steps.append(("socket", approved.intent.client_order_id))

    def cancel(self, order: Order) -> None:
        self.steps.append(("cancel", order.intent.client_order_id))


class Desk:
    """A desk with everything around it in sight."""

    def __init__(self, tmp_path: Path, *, account: Account = Account.LIVE) -> None:
        self.clock = HandClock()
        self.recorder = Recorder()
        self.events: list[Event] = []
        self.latch = tmp_path / "kill.latch"
        self.wakes: list[int] = []
        self.account = account
        self.desk = OrderDesk(
            gateways={account: self.recorder},  # type: ignore[dict-item]
            throttles={account: Throttle()},
            journal=self.recorder,
            latch=self.latch,
            clock=self.clock,
            emit=self.events.append,
            wake_at=self.wakes.append,
        )
        self.desk.set_gate(account, Gate(generation=1))

    def an_order(self, number: int, role: OrderRole = OrderRole.ENTRY, *, generation: int = 1) -> Approved:
        key = intent_id(f"cause-{number}", 0)
        intent = OrderIntent(
            id=key,
            client_order_id=client_order_id(self.account, 1, key, 0, 0),
            account=self.account,
            symbol=Symbol("ALPHAUSDT"),
            base=Asset("ALPHA"),
            quote=Asset("USDT"),
            side=Side.BUY if role is OrderRole.ENTRY else Side.SELL,
            role=role,
            type=OrderType.MARKET,
            decided_ns=self.clock.now_ns,
        )
        return Approved(intent=intent, generation=generation)

    async def exit(self, approved: Approved) -> None:
        """Submit an exit and let it get to the disk."""
        before = len(self.wakes)
        self.desk.submit(approved)
        await eventually(lambda: len(self.wakes) > before)
        self.desk.wake()

    @property
    def sent(self) -> list[ClientOrderId]:
        return [order for step, order in self.recorder.steps if step == "socket"]

    @property
    def not_sent(self) -> list[Reason | None]:
        reports = [event.report for event in self.events if isinstance(event, OrderReported)]
        return [report.reason for report in reports if report.status is OrderStatus.NOT_SENT]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_intent_is_in_the_journal_before_its_bytes_leave(desk):
    order = desk.an_order(1)
    desk.desk.submit(order)
    name = order.intent.client_order_id
    assert desk.recorder.steps == [("journal", name), ("socket", name)]


def test_journal_that_cannot_write_lets_nothing_leave_and_closes_the_gate(desk):
    desk.recorder.broken = True
    desk.desk.submit(desk.an_order(1))
    assert desk.sent == []
    assert desk.not_sent == [Reason.JOURNAL_UNHEALTHY]
    (signal,) = [event for event in desk.events if isinstance(event, GateSignaled)]
    assert (signal.reason, signal.closed) == (Reason.JOURNAL_UNHEALTHY, True)


def test_exhausted_grant_lets_nothing_leave(desk):
    desk.recorder.covered = False
    desk.desk.submit(desk.an_order(1))
    assert (desk.sent, desk.not_sent) == ([], [Reason.GRANT_EXHAUSTED])


def test_approval_of_an_older_gate_is_void(desk):
    order = desk.an_order(1)
    desk.desk.set_gate(desk.account, Gate(generation=2, closed=(Reason.NOT_ARMED,)))
    desk.desk.submit(order)
    assert (desk.sent, desk.not_sent) == ([], [Reason.NOT_ARMED])


def test_latch_file_found_right_before_the_write_stops_the_entry_and_is_told(desk):
    desk.latch.write_text("pause\toperator\t0\t\n")
    desk.desk.submit(desk.an_order(1))
    assert (desk.sent, desk.not_sent) == ([], [Reason.KILL_LATCHED])
    (latched,) = [event for event in desk.events if isinstance(event, KillLatched)]
    assert latched.action == "pause"


async def test_latched_desk_still_lets_exits_leave(desk):
    desk.latch.write_text("flatten\n")
    await desk.exit(desk.an_order(1, OrderRole.STOP_LOSS, generation=0))
    assert len(desk.sent) == 1


async def test_live_exit_leaves_only_when_its_intent_is_on_the_disk(desk):
    desk.recorder.disk.clear()
    order = desk.an_order(1, OrderRole.STOP_LOSS)
    desk.desk.submit(order)
    await asyncio.sleep(0)
    desk.desk.wake()
    assert desk.sent == []
    desk.recorder.disk.set()
    await eventually(lambda: desk.wakes)
    desk.desk.wake()
    assert desk.recorder.steps == [(step, order.intent.client_order_id) for step in ("fsynced", "journal", "socket")]


async def test_disk_that_hangs_does_not_keep_a_position_from_being_sold(desk, monkeypatch):
    monkeypatch.setattr(desk_module, "EXIT_FSYNC_S", 0.01)
    desk.recorder.disk.clear()
    desk.desk.submit(desk.an_order(1, OrderRole.STOP_LOSS))
    await eventually(lambda: desk.wakes)
    desk.desk.wake()
    assert [step for step, _ in desk.recorder.steps] == ["journal", "socket"]


def test_latch_is_told_once_and_again_only_after_it_was_set_anew(desk):
    desk.latch.write_text("pause\n")
    desk.desk.look_at_latch()
    desk.desk.look_at_latch()
    assert sum(isinstance(event, KillLatched) for event in desk.events) == 1


def test_five_entries_leave_at_once_and_the_rest_at_the_rate(desk):
    for number in range(8):
        desk.desk.submit(desk.an_order(number))
    assert len(desk.sent) == 5
    assert desk.desk.waiting == 3
    for _ in range(3):
        desk.clock.now_ns = max(desk.clock.now_ns, desk.wakes[-1])
        desk.desk.wake()
    assert len(desk.sent) == 8


async def test_exit_does_not_wait_behind_entries(desk):
    for number in range(8):
        desk.desk.submit(desk.an_order(number))
    order = desk.an_order(99, OrderRole.STOP_LOSS)
    await desk.exit(order)
    assert desk.sent[-1] == order.intent.client_order_id


def test_entry_that_waited_too_long_has_lost_its_point(desk):
    for number in range(6):
        desk.desk.submit(desk.an_order(number))
    desk.clock.now_ns += 5_000 * MS
    desk.desk.wake()
    assert len(desk.sent) == 5
    assert desk.not_sent == [Reason.THROTTLED]


def test_gate_is_asked_again_after_the_wait(desk):
    for number in range(6):
        desk.desk.submit(desk.an_order(number))
    desk.desk.set_gate(desk.account, Gate(generation=2, closed=(Reason.KILL_LATCHED,)))
    desk.clock.now_ns = desk.wakes[-1]
    desk.desk.wake()
    assert len(desk.sent) == 5
    assert desk.not_sent == [Reason.KILL_LATCHED]


def test_paper_orders_need_no_journal(tmp_path):
    desk = Desk(tmp_path, account=Account.PAPER)
    desk.recorder.covered = False
    desk.desk.submit(desk.an_order(1))
    assert len(desk.sent) == 1


async def test_cancels_share_the_venues_limit_and_leave_as_soon_as_it_has_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    orders = [Order(intent=desk.an_order(number, OrderRole.TAKE_PROFIT).intent) for number in range(15)]
    for order in orders:
        desk.desk.cancel(order)
    asked = [name for step, name in desk.recorder.steps if step == "cancel"]
    assert asked == [order.intent.client_order_id for order in orders[:12]], (
        "twelve requests a second, whatever they are"
    )
    await desk.exit(desk.an_order(99, OrderRole.STOP_LOSS))
    assert desk.sent == [], "a sell after them waits as well"
    desk.clock.now_ns += 1_000 * MS
    desk.desk.wake()
    asked = [name for step, name in desk.recorder.steps if step == "cancel"]
    assert asked == [order.intent.client_order_id for order in orders]
    assert len(desk.sent) == 1


async def test_cancel_that_found_no_room_for_two_seconds_is_left_to_its_repetition(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(12):
        await desk.exit(desk.an_order(number, OrderRole.STOP_LOSS))
    desk.desk.cancel(Order(intent=desk.an_order(50, OrderRole.TAKE_PROFIT).intent))
    desk.clock.now_ns += 2_001 * MS
    desk.desk.wake()
    assert [step for step, _ in desk.recorder.steps if step == "cancel"] == []
    assert desk.not_sent == []


def test_live_order_without_a_journal_never_leaves(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.desk._journal = None
    desk.desk.submit(desk.an_order(1, OrderRole.STOP_LOSS))
    assert (desk.sent, desk.not_sent) == ([], [Reason.JOURNAL_UNHEALTHY])


def test_waking_with_nobody_waiting_does_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.desk.wake()
    assert (desk.sent, desk.events) == ([], [])
