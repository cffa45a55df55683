"""What the engine and its runtime need from the world, as protocols. Adapters implement them (DESIGN 3).

Constructors do no I/O; every wait has a deadline given by the caller; nothing here names a venue or a database.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from mexc_sniper.core.clock import ClockReader
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import Command
from mexc_sniper.model.entries import LedgerEntry
from mexc_sniper.model.events import Event, LookUpKind, SourceName
from mexc_sniper.model.order import Approved, Order
from mexc_sniper.model.restored import Restored as Restored
from mexc_sniper.model.restored import RestoredCalendarLine as RestoredCalendarLine

T = TypeVar("T")

Emit = Callable[[Event], None]
"""Hand an event to the engine at once, on the loop's thread; returns when the engine has handled it."""


class Clock(ClockReader, Protocol):
    """Time that can be waited for; the simulation plugs in a virtual one."""

    async def sleep(self, seconds: float) -> None:
        """Wait for a duration on the monotonic clock."""
        ...

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        """Wait until the monotonic clock has reached an instant; at once if it has passed.

        ``exact``: to some microseconds instead of a millisecond, at the price of a busy core for the last moments.
        """
        ...


class Offload(Protocol):
    """Where blocking work goes, so that the loop never blocks."""

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` beside the loop and return its result or raise its error."""
        ...


class FrameHandler(Protocol):
    """Who hears one WebSocket connection. Called on the loop's thread; must not block or raise."""

    def on_frame(self, payload: bytes, is_text: bool, mono_ns: int) -> None:
        """One complete frame arrived; ``mono_ns`` is the instant its bytes were read from the socket."""
        ...

    def on_close(self, why: str) -> None:
        """The connection ended, for whatever reason; called once, nothing follows."""
        ...


class WireConnection(Protocol):
    """One open WebSocket."""

    def send_text(self, text: str) -> None:
        """Queue one text frame; silently dropped once closed (``on_close`` tells)."""
        ...

    def close(self) -> None:
        """Close politely; idempotent."""
        ...

    def abort(self) -> None:
        """Drop the socket at once, without a closing handshake; idempotent."""
        ...


class Wire(Protocol):
    """The only way to a socket: nothing above it knows DNS, TLS or a WebSocket library."""

    async def open_websocket(self, url: str, handler: FrameHandler, *, deadline_s: float) -> WireConnection:
        """Connect and shake hands.

        Raises:
            ConnectFailed: refused, not resolved, TLS or handshake failed, or not done within ``deadline_s``.
        """
        ...

    async def reachable(self, url: str, *, deadline_s: float) -> bool:
        """Return whether the address accepts a connection now; says nothing on it and never raises."""
        ...


class MarketGateway(Protocol):
    """Everything public the venue says: streams and polled sources behind one door."""

    async def run(self, emit: Emit) -> None:
        """Listen and poll until cancelled; a venue's fault never ends it (it is emitted as `SourceChanged`)."""
        ...

    def watch(self, symbol: Symbol) -> None:
        """Stream quotes, trades and visible levels of a symbol from now on; idempotent; survives reconnects."""
        ...

    def unwatch(self, symbol: Symbol) -> None:
        """Stop streaming a symbol; idempotent."""
        ...

    def probe_age(self, symbol: Symbol) -> None:
        """Ask for the oldest candles; answered by exactly one `CandlesRead`."""
        ...

    def read_book(self, symbol: Symbol) -> None:
        """Ask for a symbol's book once, whether it moves or not; answered by a `BookSeen`, or not at all."""
        ...

    def expect_openings(self, opens_at_ns: Sequence[int]) -> None:
        """Tell which openings lie ahead (our wall clock, ascending); polling tightens near the first."""
        ...

    def rehearse(self) -> None:
        """Walk the way of a frame up to its event without telling anybody: what ran a moment ago runs faster."""
        ...

    def hush(self, until_ns: int) -> None:
        """Begin no heavy poll before this wall time (ns): something is about to leave; `refresh` goes before it."""
        ...

    def refresh(self, source: SourceName) -> None:
        """Poll a source as soon as the budget allows instead of at its next turn."""
        ...


class OrderGateway(Protocol):
    """One account's way to its venue. Two are plugged in side by side; nothing else asks which is which.

    `submit`, `cancel` and the questions return at once; answers come through ``emit``. A submit is one POST per client
    order id, ever; the implementation never repeats one by itself.
    """

    @property
    def account(self) -> Account:
        """Whose orders these are."""
        ...

    async def run(self, emit: Emit) -> None:
        """Keep connections warm and the private stream open until cancelled."""
        ...

    def submit(self, approved: Approved) -> None:
        """Hand the order's bytes to the socket before returning; answered by `OrderReported`.

        The first report says SUBMITTED with ``sent_mono_ns``, or NOT_SENT when no byte left; then what the venue
        answered, or IN_DOUBT when it did not.
        """
        ...

    def prepare(self, symbol: Symbol, approved: Sequence[Approved]) -> None:
        """Build and sign requests ahead and keep them fresh; `submit` of the same intent then only writes."""
        ...

    def unprepare(self, symbol: Symbol) -> None:
        """Forget prepared requests."""
        ...

    def cancel(self, order: Order) -> None:
        """Ask for a cancel; answered by `OrderReported` where the venue says something of use."""
        ...

    def look_up(self, order: Order, kind: LookUpKind) -> None:
        """Ask for one order; answered by exactly one `OrderLookedUp`."""
        ...

    def read_fills(self, order: Order) -> None:
        """Ask for an order's executions; answered by `FillsReported` unless the venue fails."""
        ...

    def sweep(self, symbols: Sequence[Symbol], orders: Sequence[Order] = ()) -> None:
        """Ask for what reconciliation needs: open orders, recent ones of ``symbols``, ``orders`` one by one, balances.

        Answered by exactly one `VenueSwept`.
        """
        ...


class Journal(Protocol):
    """The engine's own append-only file: an order's intent is in it before its first byte leaves (DESIGN 2)."""

    @property
    def healthy(self) -> bool:
        """False after a failed write or fsync; it never heals in one life."""
        ...

    def write(self, approved: Approved) -> bool:
        """Append one intent so that it survives kill -9; fsynced right after, beside the loop.

        Returns False, and writes nothing, when the grant that covers unfsynced entries is used up.

        Raises:
            StoreError: when the file cannot be written; the order must not leave.
        """
        ...

    def rehearse(self) -> None:
        """Walk the way of `write` without storing anything: what ran a moment ago runs faster."""
        ...

    @property
    def suspect(self) -> bool:
        """Whether what an unclean end left unused of a grant still counts as spent."""
        ...

    def swept(self) -> None:
        """Note that the venue was compared with our records since the start.

        Raises:
            StoreError: the journal cannot be written.
        """
        ...

    def forget_unsent(self, client_order_ids: Sequence[ClientOrderId]) -> None:
        """Note that intents written durably are dropped: they have not left and never will. Those that left stay.

        Raises:
            StoreError: the journal cannot be written.
        """
        ...

    def mark_settled(self, client_order_id: ClientOrderId) -> None:
        """Note that an order is over and its row is committed; unknown ids are ignored.

        Raises:
            StoreError: the journal cannot be written.
        """
        ...

    async def write_durably(self, approved: Sequence[Approved]) -> None:
        """Append intents and return when they are fsynced (prepared listings).

        Raises:
            StoreError: when that failed.
        """
        ...


class Ledger(Protocol):
    """The engine's writing side of the ledger."""

    @property
    def trouble(self) -> str:
        """Why nothing can be committed at the moment, in a sentence; empty while all is well."""
        ...

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Queue entries for the next commit; never blocks. Entries of one call land in one transaction."""
        ...

    async def flush(self, *, deadline_s: float) -> None:
        """Wait until everything appended so far is committed (durable ones fsynced).

        Raises:
            StoreError: when the ledger cannot be written within ``deadline_s``.
        """
        ...


class CommandInbox(Protocol):
    """The engine's reading side of the operator's commands."""

    async def run(self, deliver: Callable[[Command], None]) -> None:
        """Deliver commands in order as they arrive, each once per life of the process, until cancelled."""
        ...


class LiveFigures(Protocol):
    """Latest-wins figures beside the ledger; may lose the last moments (DESIGN 2)."""

    def put(self, key: str, value: bytes) -> None:
        """Overwrite one figure; never blocks, written at most four times a second."""
        ...
