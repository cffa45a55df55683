"""The engine's writing side: one thread, one connection, everything that waits in one transaction (group commit)."""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from mexc_sniper import __version__
from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import SniperError, StoreError
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.memory import FILLS_REMEMBERED_NS
from mexc_sniper.ledger.postgres_store import PostgresStore
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.rows import Batch, RowMaker
from mexc_sniper.ledger.sqlite_store import SqliteStore
from mexc_sniper.ledger.statements import Write
from mexc_sniper.ledger.store import DiskFull, LedgerStore, Outage
from mexc_sniper.model.entries import BarsRecorded, LedgerEntry, SignalReceived
from mexc_sniper.model.restored import Restored
from mexc_sniper.telemetry import DB_SECONDS, LEDGER_QUEUE

QUEUE_ENTRIES = 100_000
"""Entries that may wait. At four fifths of it signals' lines and bars are dropped (they are the lossy class); at
all of it the ledger has failed: no other row is ever left out, because what follows would then tell a false story."""

BATCH_ENTRIES = 2_000
"""Entries after which a transaction is closed although more wait; keeps a commit in the low tens of milliseconds."""

RETENTION_S = 30 * 86_400
"""Age at which events, signals and bars are deleted; never listings, results, configuration or the baseline."""

RETENTION_ROWS = 500
"""Rows of one deletion, so that it never stands in the way of a commit for more than milliseconds."""

OUTAGE_LIMIT_S = 60.0
"""How long a PostgreSQL server may be away before the writer gives up."""

_REST_AFTER_S = 0.2
_RETENTION_EVERY_S = 600.0
_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)

_log = structlog.get_logger()


class _Flush:
    """Marks a place in the queue: all before it is committed when the future is done."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self.loop.create_future()

    def settle(self, failure: StoreError | None) -> None:
        """Tell the waiter from the writer's thread; a loop that has ended no longer waits."""
        try:
            self.loop.call_soon_threadsafe(self._finish, failure)
        except RuntimeError:
            _log.debug("ledger_flush_without_loop")

    def _finish(self, failure: StoreError | None) -> None:
        if self.done.done():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)


class _Stop:
    """Ends the writer's thread after everything before it."""


_Item = Sequence[LedgerEntry] | _Flush | _Stop
_WAKE: Final = queue.Empty


class LedgerWriter:
    """Implements `mexc_sniper.ports.Ledger`.

    Attributes:
        failed: why nothing is written any more; None while all is well. It never clears: the process must end and
            start again, which is the one recovery path.
        trouble: what keeps the ledger waiting (the server is away, the disk is full), as one sentence; empty while
            all is well.
        dropped_signals: signals left out because the queue was nearly full.
    """

    def __init__(
        self,
        location: LedgerLocation,
        clock: ClockReader,
        *,
        on_failure: Callable[[StoreError], None] | None = None,
        store: LedgerStore | None = None,
        queue_entries: int = QUEUE_ENTRIES,
        retention_s: float = RETENTION_S,
        outage_limit_s: float = OUTAGE_LIMIT_S,
    ) -> None:
        """Do no I/O. ``on_failure`` is called once when ``failed`` is set, mostly on the writer's own thread."""
        self.failed: StoreError | None = None
        self.trouble = ""
        self.dropped_signals = 0
        self._location = location
        self._clock = clock
        self._on_failure = on_failure
        self._store: LedgerStore = store or (SqliteStore(location) if location.is_sqlite else PostgresStore(location))
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._queue_entries = queue_entries
        self._retention_ns = int(retention_s * NS_PER_S)
        self._outage_limit_ns = int(outage_limit_s * NS_PER_S)
        self._appended = 0  # counted by the caller's thread alone
        self._taken = 0  # counted by the writer's thread alone
        self._rows: RowMaker | None = None
        self._thread: threading.Thread | None = None
        self._abandon = threading.Event()
        self._flushes: list[_Flush] = []
        self._retention_due_ns = 0

    def start(self) -> None:
        """Open the ledger and start the thread. Blocks for milliseconds; call it before the loop runs.

        Raises:
            ConfigError: wrong settings or a schema that is not this build's.
            StoreError: the ledger cannot be reached or written.
        """
        self._store.open()
        memory = self._store.memory(self._clock.wall_ns() - FILLS_REMEMBERED_NS)
        last_seq = memory.last_seq
        self._rows = RowMaker.after(memory)
        hello = Batch(first_seq=last_seq + 1, last_seq=last_seq, durable=True)  # also proves that we can write
        hello.add(Write.META, {"key": "build", "value": __version__})
        self._store.write(hello)
        self._retention_due_ns = self._clock.mono_ns() + NS_PER_S
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def restore(self) -> Restored:
        """Read what a start needs; blocking. Call it after `start`, which keeps every other writer out.

        Raises:
            StoreError: when the ledger cannot be read.
        """
        reader = LedgerReader(self._location)
        try:
            return reader.restored(self._clock.wall_ns())
        finally:
            reader.close()

    @property
    def waiting(self) -> int:
        """Entries that the thread has not taken yet."""
        return self._appended - self._taken

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Queue entries for the next commit, all in one transaction. Call from one thread only; never blocks.

        After a failure entries are dropped: `failed` and `flush` tell.
        """
        if not entries or self.failed is not None:
            return
        waiting = self.waiting + len(entries)
        if waiting > self._queue_entries * 4 // 5:
            kept = [entry for entry in entries if not isinstance(entry, (SignalReceived, BarsRecorded))]
            self.dropped_signals += sum(isinstance(entry, SignalReceived) for entry in entries)
            if waiting > self._queue_entries:
                self._fail(
                    StoreError(
                        f"The ledger {self._location.describe()} is {waiting} entries behind and the queue is full; "
                        f"{self.trouble or 'the disk is too slow'}"
                    )
                )
                return
            if not kept:
                return
            entries = kept
        self._appended += len(entries)
        self._queue.put(entries)

    async def flush(self, *, deadline_s: float) -> None:
        """Wait until everything appended so far is committed (durable entries fsynced).

        Raises:
            StoreError: when the ledger has failed or ``deadline_s`` has passed.
        """
        if self.failed is not None:
            raise self.failed
        if self._thread is None or not self._thread.is_alive():
            raise StoreError("The ledger's writer is not running.")
        marker = _Flush()
        self._queue.put(marker)
        try:
            async with asyncio.timeout(deadline_s):
                await marker.done
        except TimeoutError:
            raise StoreError(
                f"The ledger {self._location.describe()} did not commit within {deadline_s} s; "
                f"{self.trouble or 'the disk is slow or another program holds a lock'}"
            ) from None

    async def aclose(self, *, deadline_s: float = 5.0) -> None:
        """Commit what waits, end the thread and let go of the ledger; idempotent.

        Raises:
            StoreError: when something appended could not be committed.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put(_Stop())
        await asyncio.get_running_loop().run_in_executor(None, thread.join, deadline_s)
        self._abandon.set()
        if thread.is_alive():
            raise StoreError(
                f"The ledger {self._location.describe()} could not be closed in {deadline_s} s; "
                f"{self.waiting} entries may be missing."
            )
        if self.failed is not None:
            raise self.failed

    # ---- the writer's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._work()
        except SniperError as fault:
            self._fail(fault if isinstance(fault, StoreError) else StoreError(str(fault)))
        except Exception as fault:
            _log.exception("ledger_writer_bug")
            self._fail(StoreError(f"The ledger's writer ended by a fault of its own: {fault!r}"))
        finally:
            self._store.close()
        if self.failed is not None:
            self._refuse_waiters()

    def _work(self) -> None:
        while True:
            groups, flushes, stop = self._take()
            self._flushes = flushes
            if groups:
                self._commit(groups)
            LEDGER_QUEUE.set(self.waiting)
            for marker in flushes:
                marker.settle(None)
            self._flushes = []
            if stop:
                return
            if not groups and not flushes:
                self._rest()

    def _take(self) -> tuple[list[Sequence[LedgerEntry]], list[_Flush], bool]:
        """Wait for work; return what waits, up to a batch. A flush marker comes with all that was before it."""
        groups: list[Sequence[LedgerEntry]] = []
        flushes: list[_Flush] = []
        size = 0
        wait_s: float | None = _REST_AFTER_S
        while size < BATCH_ENTRIES:
            try:
                item = self._queue.get(timeout=wait_s) if wait_s else self._queue.get_nowait()
            except _WAKE:
                break
            wait_s = None
            if isinstance(item, _Stop):
                return groups, flushes, True
            if isinstance(item, _Flush):
                flushes.append(item)
                continue
            groups.append(item)
            size += len(item)
        return groups, flushes, False

    def _commit(self, groups: list[Sequence[LedgerEntry]]) -> None:
        if self._rows is None:
            raise RuntimeError("not started")
        batch = self._rows.batch(groups, ts_ns=self._clock.wall_ns())
        began = self._clock.mono_ns()
        try:
            self._store.write(batch)
        except Outage as fault:
            self._write_after_outage(batch, fault)
        self._taken += batch.entries
        DB_SECONDS.labels("commit").observe((self._clock.mono_ns() - began) / NS_PER_S)

    def _write_after_outage(self, batch: Batch, fault: Outage) -> None:
        """Bring the connection back and the batch in, once: a COMMIT whose answer was lost may have happened."""
        began = self._clock.mono_ns()
        self.trouble = str(fault)
        _log.warning("ledger_unreachable", reason=self.trouble)
        attempt = 0
        while True:
            full = isinstance(fault, DiskFull)
            if not full:
                self._store.close()
            waited = self._clock.mono_ns() - began
            if (waited > self._outage_limit_ns and not full) or self._abandon.wait(
                _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
            ):
                raise fault
            attempt += 1
            try:
                if not full:
                    self._store.open()
                found = self._store.last_seq()
                if found == batch.first_seq - 1:
                    self._store.write(batch)
                elif found != batch.last_seq:
                    raise StoreError(
                        f"The ledger {self._location.describe()} ends with event {found}, expected "
                        f"{batch.first_seq - 1} or {batch.last_seq}: it was restored from a copy or another engine "
                        "writes to it. Run one engine and start again."
                    )
            except Outage as again:
                fault = again
                self.trouble = str(again)
                continue
            _log.info("ledger_reachable", after_s=round((self._clock.mono_ns() - began) / NS_PER_S, 3))
            self.trouble = ""
            return

    def _rest(self) -> None:
        """Nothing waits: fold the log in, and now and then delete what is too old."""
        try:
            self._store.rest()
            if self._clock.mono_ns() < self._retention_due_ns:
                return
            before = self._clock.wall_ns() - self._retention_ns
            if not self._store.forget_before(before, RETENTION_ROWS):
                self._retention_due_ns = self._clock.mono_ns() + int(_RETENTION_EVERY_S * NS_PER_S)
        except Outage:
            # The next commit notices too, and knows what to repeat.
            self._retention_due_ns = self._clock.mono_ns() + 10 * NS_PER_S

    def _fail(self, fault: StoreError) -> None:
        if self.failed is not None:
            return
        self.failed = fault
        _log.error("ledger_failed", reason=str(fault))
        if self._on_failure is not None:
            self._on_failure(fault)

    def _refuse_waiters(self) -> None:
        """Answer flushes until the writer is closed; entries are dropped, as `append` says."""
        for marker in self._flushes:
            marker.settle(self.failed)
        while not self._abandon.is_set():
            try:
                item = self._queue.get(timeout=_REST_AFTER_S)
            except _WAKE:
                continue
            if isinstance(item, _Flush):
                item.settle(self.failed)
            if isinstance(item, _Stop):
                return
