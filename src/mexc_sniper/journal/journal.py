"""The journal itself: stores on the loop's thread, everything slow (fsync, grants, new files) beside it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from mexc_sniper.core.clock import ClockReader
from mexc_sniper.core.errors import InvariantError, StoreError
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.journal.disk import Disk, Segment, trouble
from mexc_sniper.journal.grants import Budget, Grant, GrantLimits, draw_of
from mexc_sniper.journal.held import Held
from mexc_sniper.journal.record import RECORD_SIZE, Flag, Kind, encode, encode_intent
from mexc_sniper.journal.recovery import Recovered, Started, after_lost_life, recover
from mexc_sniper.journal.waiter import Waiter
from mexc_sniper.journal.worker import ThreadWorker, Worker
from mexc_sniper.model.order import Approved

SLOTS: Final = 4096
"""Records of a file (4 MB). An order takes three: intent, sent, settled."""

_SUFFIX: Final = ".journal"
_EPOCH: Final = "epoch"
_MARKS_TILL_SYNC: Final = 8
"""Marks may be lost, so they wait for the next fsync; after so many the warm pages are nearly used up."""
_RETRY_ROTATION_AFTER: Final = 64
"""Records after which a new file is tried again that could not be made (the disk is full)."""

_log = structlog.get_logger()


class FileJournal:
    """Implements `mexc_sniper.ports.Journal`. Call everything but `open` from one thread, the loop's.

    Attributes:
        recovered: what was found at `open`; ``recovered.suspect`` counts as spent until `swept`.
        epoch: the number of this life; greater than every earlier one's, fsynced before `open` returns.
        failed: why nothing can be written any more; None while all is well. It never clears.
    """

    def __init__(
        self,
        directory: Path,
        clock: ClockReader,
        *,
        limits: GrantLimits | None = None,
        on_failure: Callable[[StoreError], None] | None = None,
        slots: int = SLOTS,
        disk: Disk | None = None,
        worker: Worker | None = None,
    ) -> None:
        """Do no I/O.

        Args:
            directory: the journal's own directory, on a local disk.
            clock: for the records' times.
            limits: what unprepared live orders may draw; None (dry-run) grants nothing.
            on_failure: called once when ``failed`` is set, on either thread.
            slots: records of a file.
            disk: tests put one here whose power they cut.
            worker: who does what is slow; None: a thread. The simulation does it in its virtual time.
        """
        self.recovered = Recovered()
        self.epoch = 0
        self.failed: StoreError | None = None
        self._disk = disk or Disk(directory)
        self._clock = clock
        self._limits = limits
        self._on_failure = on_failure
        self._wanted_slots = slots
        self._lock = threading.Lock()
        self._budget = Budget(limits)
        self._held: dict[ClientOrderId, Held] = {}
        self._left: dict[ClientOrderId, None] = {}  # of this life: one POST per client order id, ever
        self._suspect_open = False
        self._segment: Segment | None = None
        self._number = 0
        self._slots = 0
        self._next = 0  # slot of the next record
        self._seq = 0  # number of the last record
        self._synced = 0  # number of the last record known to be on the disk
        self._retry_rotation_at = 0
        self._marks = 0
        self._waiters: list[Waiter] = []
        self._worker: Worker = worker or ThreadWorker("journal")
        self._closing = False
        self._open = False

    @property
    def healthy(self) -> bool:
        """False before `open`, after `aclose` and after a failed write or fsync; it never heals in one life."""
        return self._segment is not None and self.failed is None and not self._closing

    # ---- start and end ------------------------------------------------------------------------------------------

    def open(self, *, minimum_epoch: int = 0) -> Recovered:
        """Read what earlier lives left, begin a new life in a new file, and start the thread. Blocks for tens of ms.

        Args:
            minimum_epoch: the greatest epoch known from elsewhere (the ledger's client order ids); this life's is
                greater, even if the journal was deleted.

        Raises:
            ConfigError: another engine has the journal.
            StoreError: it cannot be read or written.
        """
        try:
            self._disk.open()
            try:
                self._begin_life(minimum_epoch)
            except BaseException:
                self._disk.close()
                raise
        except OSError as fault:
            raise trouble(fault, self._disk.directory) from fault
        self._open = True
        self._worker.start(self._work)
        return self.recovered

    def _begin_life(self, minimum_epoch: int) -> None:
        names = [name for name in self._disk.names() if name.endswith(_SUFFIX)]
        found = recover([(name, self._disk.read(name)) for name in names], self._limits, boot=self._disk.boot)
        self.recovered = found = after_lost_life(found, max(minimum_epoch, self._written_epoch()), self._limits)
        self.epoch = 1 + found.epoch
        self._disk.replace(_EPOCH, f"{self.epoch}\n".encode())
        self._seq = found.last_seq
        self._number = max((int(name.split(".")[0]) for name in names if name.split(".")[0].isdigit()), default=0)
        self._suspect_open = bool(found.suspect or found.damage or found.damaged_before)
        in_question = {intent.client_order_id for intent in found.missing_from(())}  # the next life must ask as well
        for known in found.intents:
            if not known.settled:
                left = known.left or known.intent.client_order_id in in_question
                self._held[known.intent.client_order_id] = Held(
                    intent=known.intent,
                    payload=encode_intent(known.intent),
                    epoch=known.epoch,
                    wall_ns=known.written_ns,
                    flags=(Flag.DURABLE if known.durable else 0) | (Flag.LEFT if left else 0),
                )
        segment = self._new_segment()
        grant = self._enter(segment, Flag.NONE)
        self._sync(segment)
        self._budget.renewed(grant)
        self._disk.sync_names()
        damaged = {place.file for place in found.damage}
        for name in names:
            if name in damaged:
                self._disk.rename(name, f"{name}.damaged")  # for whoever wants to know why; never read again
            else:
                self._disk.remove(name)
        self._disk.sync_names()

    def _written_epoch(self) -> int:
        """The epoch in its own file, which survives the loss of the journal; 0 where there is none."""
        try:
            return int(self._disk.read(_EPOCH))
        except (FileNotFoundError, ValueError):
            return 0

    async def aclose(self, *, deadline_s: float = 5.0) -> None:
        """End this life cleanly: everything fsynced, nothing suspect at the next start. Idempotent.

        Raises:
            StoreError: when that failed; the next start then takes this life for an unclean one.
        """
        if not self._open:
            return
        self._open = False
        with self._lock:
            self._closing = True  # no new file and no grant may follow the last record
            if self.failed is None and self._next < self._slots:
                self._append(Kind.CLOSED, 0, b"")
        if not await self._worker.stop(deadline_s=deadline_s):
            raise StoreError(f"The journal {self._disk.directory} could not be fsynced in {deadline_s} s.")
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()
        self._disk.close()
        if self.failed is not None:
            raise self.failed

    # ---- on the loop's thread -----------------------------------------------------------------------------------

    def write(self, approved: Approved) -> bool:
        """Append the intent of an order that leaves right now; it survives kill -9 when this returns True.

        False, and nothing written, when the grant does not cover it: the order must not leave before
        `write_durably` has returned for it, or a moment later when the grant has been renewed. An intent that
        `write_durably` holds unchanged is only marked as leaving, with a record made ahead.

        Raises:
            StoreError: the journal cannot be written; the order must not leave.
            InvariantError: this id was sent before, or the order may rest at the venue and is not fsynced.
        """
        intent = approved.intent
        client_order_id = intent.client_order_id
        self._refuse_if_failed()
        if client_order_id in self._left:
            raise InvariantError(f"order {client_order_id} was sent before; one POST per client order id")
        held = self._held.get(client_order_id)
        if held is not None and held.durable and held.covers(intent):
            with self._lock:
                self._put(held.mark)
            self._left[client_order_id] = None
            held.flags |= Flag.LEFT
            self._signal_soon()
            return True
        draw = draw_of(intent)
        payload = encode_intent(intent)
        with self._lock:
            if draw is not None:
                if not self._budget.covers(intent, draw):
                    self._signal()
                    return False
                self._budget.drawn = self._budget.drawn.plus(draw)
            now_ns = self._append(Kind.INTENT, 0, payload)
            self._held[client_order_id] = Held(intent, payload, self.epoch, now_ns, Flag.LEFT)
        self._left[client_order_id] = None
        self._signal_soon()
        return True

    def rehearse(self) -> None:
        """Walk the way of `write` as far as it goes without storing anything: what ran a moment ago runs faster."""
        held = next((held for held in self._held.values() if held.durable), None)
        if held is None or self._segment is None or self.failed is not None:
            return
        with self._lock:
            if held.covers(held.intent) and self._next < self._slots:
                self._segment.look_at(self._next * RECORD_SIZE)

    async def write_durably(self, approved: Sequence[Approved]) -> None:
        """Append intents that may leave later and return when they are fsynced; they draw from no grant.

        An id may be written again, with other figures, as long as it has not left.

        Raises:
            StoreError: when that failed: they must not leave.
            InvariantError: an id has left already.
        """
        self._refuse_if_failed()
        payloads = []
        for one in approved:
            if one.intent.client_order_id in self._left:
                raise InvariantError(f"order {one.intent.client_order_id} was sent before and cannot be prepared")
            payloads.append(encode_intent(one.intent))
        with self._lock:
            for one, payload in zip(approved, payloads, strict=True):
                now_ns = self._append(Kind.INTENT, Flag.DURABLE, payload)
                # Not held as durable yet: `write` must not rely on it before it is fsynced.
                mark = encode(Kind.SENT, 0, self.epoch, 0, 0, one.intent.client_order_id.encode())
                self._held[one.intent.client_order_id] = Held(one.intent, payload, self.epoch, now_ns, 0, mark)
            waiter = Waiter(self._seq)
            self._waiters.append(waiter)
        self._signal()
        await waiter.done
        for one in approved:
            held = self._held.get(one.intent.client_order_id)
            if held is not None and held.intent is one.intent:
                held.flags |= Flag.DURABLE

    def holds(self, client_order_id: ClientOrderId) -> bool:
        """Whether an intent is in the journal and not settled."""
        return client_order_id in self._held

    def forget_unsent(self, client_order_ids: Sequence[ClientOrderId]) -> None:
        """Note that intents written durably are dropped: they have not left and never will. Those that left stay.

        Raises:
            StoreError: the journal cannot be written.
        """
        for client_order_id in client_order_ids:
            if client_order_id in self._held and client_order_id not in self._left:
                self._mark(Kind.SETTLED, client_order_id)

    def mark_settled(self, client_order_id: ClientOrderId) -> None:
        """Note that an order is over and the ledger knows it: its record may be forgotten with its file.

        Call it only after the ledger has committed the order's row. Unknown ids are ignored.

        Raises:
            StoreError: the journal cannot be written.
        """
        if client_order_id in self._held:
            self._mark(Kind.SETTLED, client_order_id)

    def swept(self) -> None:
        """Note that the venue has been swept for everything ``recovered.suspect`` could hide, damage included.

        Raises:
            StoreError: the journal cannot be written.
        """
        self._refuse_if_failed()
        with self._lock:
            self._append(Kind.SWEPT, 0, b"")
            self._suspect_open = False
        self._signal()

    @property
    def suspect(self) -> bool:
        """Whether earlier lives' grants still count as spent."""
        return self._suspect_open

    def _mark(self, kind: Kind, client_order_id: ClientOrderId) -> None:
        self._refuse_if_failed()
        with self._lock:
            self._append(kind, 0, client_order_id.encode())
            if kind is Kind.SETTLED:
                del self._held[client_order_id]
        self._marks += 1
        if self._marks % _MARKS_TILL_SYNC == 0:
            self._signal()

    def _refuse_if_failed(self) -> None:
        if self.failed is not None:
            raise self.failed
        if self._segment is None or self._closing:
            raise StoreError("The journal is not open.")

    def _signal_soon(self) -> None:
        """Start the fsync when the loop comes round, so that the order's bytes go first."""
        try:
            asyncio.get_running_loop().call_soon(self._signal)
        except RuntimeError:
            self._signal()  # no loop: a test or a bench

    def _signal(self) -> None:
        self._worker.wake()

    # ---- with the lock held, on either thread -------------------------------------------------------------------

    def _append(self, kind: Kind, flags: int, payload: bytes, *, epoch: int = 0, wall_ns: int = 0) -> int:
        """Store one record in the next slot; returns its time."""
        wall_ns = wall_ns or self._clock.wall_ns()
        self._put(encode(kind, flags, epoch or self.epoch, self._seq + 1, wall_ns, payload))
        return wall_ns

    def _put(self, record: bytes) -> None:
        """Store a record in the next slot."""
        if self._segment is None:
            raise StoreError("The journal is not open.")
        if self.failed is not None:
            raise self.failed
        if self._next >= self._slots:
            raise StoreError(
                f"The journal {self._disk.directory} is full and no new file could be made; free some space on its "
                "disk and start again."
            )
        self._segment.store(self._next * RECORD_SIZE, record)
        self._next += 1
        self._seq += 1

    def _enter(self, segment: Segment, flags: Flag) -> Grant:
        """Go on in a new, empty file: everything that still matters is written at its beginning. Returns the grant that
        is in force once that is fsynced."""
        self._segment, self._slots, self._next = segment, segment.size // RECORD_SIZE, 0
        self._retry_rotation_at = 0
        found = self.recovered
        started = Started(
            slots=self._slots,
            boot=self._disk.boot,
            suspect=found.suspect if self._suspect_open else (),
            damaged=len(found.damage) + found.damaged_before if self._suspect_open else 0,
        )
        self._append(Kind.START, flags, msgspec.msgpack.encode(started))
        # A whole grant beyond what is drawn: no less can be said before the draws it counts are fsynced.
        grant = self._budget.renewal()
        self._append(Kind.GRANT, 0, msgspec.msgpack.encode(grant))
        for held in self._held.values():
            self._append(Kind.INTENT, Flag.CARRIED | held.flags, held.payload, epoch=held.epoch, wall_ns=held.wall_ns)
        return grant

    # ---- beside the loop ----------------------------------------------------------------------------------------

    def _work(self) -> bool:
        """Do what is slow once; False when there is no more to do for good."""
        try:
            self._turn()
        except OSError as fault:
            self._fail(trouble(fault, self._disk.directory))
        except StoreError as fault:
            self._fail(fault)
        except Exception as fault:
            _log.exception("journal_bug")
            self._fail(StoreError(f"The journal ended by a fault of its own: {fault!r}"))
        return self.failed is None

    def _turn(self) -> None:
        segment = self._segment
        if segment is None:
            return
        self._sync(segment)
        if self._closing:
            return
        self._renew_grant(segment)
        if self._next * 2 > self._slots and self._next >= self._retry_rotation_at:
            self._rotate(segment)

    def _renew_grant(self, segment: Segment) -> None:
        with self._lock:
            if not self._budget.low or self._next >= self._slots or self._closing:
                return
            grant = self._budget.renewal()
            self._append(Kind.GRANT, 0, msgspec.msgpack.encode(grant))
        self._sync(segment)
        with self._lock:
            self._budget.renewed(grant)

    def _sync(self, segment: Segment) -> None:
        with self._lock:
            reached = self._seq
        segment.sync()
        segment.warm(min(self._next * RECORD_SIZE, segment.size - 1))
        self._synced = reached
        with self._lock:
            ready = [waiter for waiter in self._waiters if waiter.seq <= reached]
            self._waiters = [waiter for waiter in self._waiters if waiter.seq > reached]
        for waiter in ready:
            waiter.settle(None)

    def _rotate(self, old: Segment) -> None:
        """Go on in a new file; delete the old one once the new one is on the disk. A full disk is no failure yet."""
        old_name = old.path.name
        try:
            new = self._new_segment()
        except OSError as fault:
            self._retry_rotation_at = self._next + _RETRY_ROTATION_AFTER
            _log.warning("journal_file_not_made", reason=str(trouble(fault, self._disk.directory)))
            return
        with self._lock:
            grant = None if self._closing else self._enter(new, Flag.CONTINUED)
        if grant is None:
            new.close()
            self._disk.remove(new.path.name)
            return
        old.sync()  # what it got last, should the new one not survive
        self._sync(new)
        with self._lock:
            self._budget.renewed(grant)
        self._disk.sync_names()
        old.close()
        self._disk.remove(old_name)
        self._disk.sync_names()

    def _new_segment(self) -> Segment:
        self._number += 1
        slots = max(self._wanted_slots, 4 * (len(self._held) + 2))
        return self._disk.create(f"{self._number:08d}{_SUFFIX}", slots * RECORD_SIZE)

    def _fail(self, fault: StoreError) -> None:
        with self._lock:
            if self.failed is not None:
                return
            self.failed = fault
            waiters, self._waiters = self._waiters, []
        _log.error("journal_failed", reason=str(fault))
        if self._on_failure is not None:
            self._on_failure(fault)  # before anybody else goes on
        for waiter in waiters:
            waiter.settle(fault)
