"""The live account's way to MEXC (port `OrderGateway`): orders out, pushes and answers in."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

import msgspec
import structlog

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import ClockSkew, RateLimited, VenueError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import (
    Event,
    FillsReported,
    GateSignaled,
    LookUpKind,
    OrderLookedUp,
    OrderReported,
    VenueSwept,
)
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import Approved, ExecutionReport, Order, OrderIntent, OrderStatus, ReportSource
from mexc_sniper.ports import Clock, Emit, Offload, Wire
from mexc_sniper.venues.mexc.budget import REQUESTS_PER_S, WEIGHT_LIMIT, WeightBudget
from mexc_sniper.venues.mexc.comparison import Comparison
from mexc_sniper.venues.mexc.faults import UNKNOWN_ORDER_CODES
from mexc_sniper.venues.mexc.http_client import HttpClient
from mexc_sniper.venues.mexc.http_reads import HttpReads
from mexc_sniper.venues.mexc.http_wire import BytesWire
from mexc_sniper.venues.mexc.known_orders import KnownOrders
from mexc_sniper.venues.mexc.lines import Exchange, LineOptions
from mexc_sniper.venues.mexc.listen_key import ListenKey, ListenKeyRecord
from mexc_sniper.venues.mexc.order_entry import NotSent, OrderEntry
from mexc_sniper.venues.mexc.order_queries import OrderQueries
from mexc_sniper.venues.mexc.order_request import RECV_WINDOW_MS, RequestMaker
from mexc_sniper.venues.mexc.order_verdict import Verdict
from mexc_sniper.venues.mexc.private_stream import PrivateStream
from mexc_sniper.venues.mexc.rest import BAN_WAIT_S, RestClient
from mexc_sniper.venues.mexc.shard import StreamOptions
from mexc_sniper.venues.mexc.signing import Credentials
from mexc_sniper.venues.mexc.urls import REST_URL, WS_URL, Host

MAX_QUESTIONS = 200
"""Asked at once; one more is answered at once as failed, and the engine asks again later."""

Question = tuple[Callable[[OrderQueries], Awaitable[Event | None]], Callable[[str], Event | None]]
"""How to ask, and what to say when it fails."""

_log = structlog.get_logger("mexc_sniper.venue")


@dataclass(frozen=True)
class OrderGatewayOptions:
    """How orders leave. ``seed`` makes jitter repeatable in tests; None draws it."""

    recv_window_ms: int = RECV_WINDOW_MS
    lines: LineOptions = field(default_factory=LineOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    seed: int | None = None


class MexcOrderGateway:
    """Implements `ports.OrderGateway` for the live account. ``run`` may be called again after it was cancelled."""

    def __init__(
        self,
        *,
        clock: Clock,
        offload: Offload,
        wire: Wire,
        bytes_wire: BytesWire,
        credentials: Credentials,
        venue_offset_ns: Callable[[], int],
        rest_url: str = REST_URL,
        ws_url: str = WS_URL,
        budget: WeightBudget | None = None,
        options: OrderGatewayOptions | None = None,
        resync_clock: Callable[[], None] | None = None,
        http: Callable[[], HttpReads] = HttpClient,
        listen_keys: ListenKeyRecord | None = None,
    ) -> None:
        """No I/O.

        Args:
            wire, bytes_wire: sockets for the private stream and for orders (`PicowsWire` is both).
            venue_offset_ns: the venue's clock minus ours, for timestamps.
            budget: shared with the market gateway, for both speak from one address; None makes an own one.
            resync_clock: told when the venue refused a timestamp.
            http: makes what questions go through.
            listen_keys: keeps the private stream's key for the next life; None: nobody does.

        Raises:
            ConfigError: an address, key or window that no request can be made of.
        """
        self._options = options or OrderGatewayOptions()
        self._clock = clock
        self._offload = offload
        self._wire = wire
        self._credentials = credentials
        self._venue_offset_ns = venue_offset_ns
        self._rest_url = rest_url
        self._ws_url = ws_url
        self._budget = budget or WeightBudget(clock, weight_limit=WEIGHT_LIMIT, requests_per_s=REQUESTS_PER_S)
        self._resync_clock = resync_clock
        self._http = http
        self._listen_keys = listen_keys
        self._random = Random(self._options.seed)  # noqa: S311  # jitter, not a secret
        self._known = KnownOrders()
        self._prepared: dict[Symbol, list[ClientOrderId]] = {}
        self._entry = OrderEntry(
            rest_url,
            bytes_wire,
            clock,
            self._random,
            RequestMaker(rest_url, credentials, recv_window_ms=self._options.recv_window_ms),
            venue_offset_ns=venue_offset_ns,
            options=self._options.lines,
            connected=self._lines_changed,
            banned=self._lane_stopped,
        )
        self._emit_to: Emit | None = None
        self._unheard: list[Event] = []
        self._tasks: asyncio.TaskGroup | None = None
        self._early: list[Question] | None = []
        """Questions put before the first `run`, which begins with them; None once it has."""
        self._queries: OrderQueries | None = None
        self._questions = 0
        self._ban_ends_ns = 0

    @property
    def account(self) -> Account:
        """Whose orders these are."""
        return Account.LIVE

    @property
    def idle_connections(self) -> int:
        """Warm connections without a request in flight."""
        return self._entry.idle_lines

    async def run(self, emit: Emit) -> None:
        """Keep connections warm and the private stream open until cancelled.

        Orders in flight when it ends are reported IN_DOUBT, questions as failed.
        """
        self._emit_to = emit
        unheard, self._unheard = self._unheard, []
        for event in unheard:
            emit(event)
        rest = RestClient(
            {Host.API: self._rest_url},
            self._clock,
            self._offload,
            self._budget,
            venue_offset_ns=self._venue_offset_ns,
            credentials=self._credentials,
            http=self._http(),
        )
        self._queries = OrderQueries(rest, self._clock, self.account)
        stream = PrivateStream(
            self._ws_url,
            self._wire,
            self._clock,
            self._random,
            ListenKey(rest, self._clock, self._listen_keys),
            self.account,
            self,
            emit=self._tell,
            options=self._options.stream,
        )
        try:
            async with rest, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._entry.run())
                tasks.create_task(self._entry.renew())
                tasks.create_task(stream.run())
                early, self._early = self._early or (), None
                for ask, failed in early:
                    self._ask(ask, failed)
                try:
                    await asyncio.Event().wait()
                finally:
                    self._tasks = None  # what is asked from here on is answered as failed, not begun
        finally:
            self._queries = self._emit_to = None

    def submit(self, approved: Approved) -> None:
        """Hand the order's bytes to the socket before returning, or report NOT_SENT.

        The SUBMITTED report carries the signed timestamp, in the venue's clock, as its stamp's ``ts_event_ns``.

        Raises:
            InvariantError: the client order id was used before, or the intent cannot be written as an order.
        """
        intent = approved.intent
        sent = self._entry.submit(intent, partial(self._submit_answered, intent))
        if isinstance(sent, NotSent):
            self._report(intent, OrderStatus.NOT_SENT, source=ReportSource.LOCAL, reason=sent.reason, text=sent.text)
            return
        stamp = Stamp(sent.signed_ms * NS_PER_MS, self._clock.wall_ns(), sent.mono_ns)
        self._report(intent, OrderStatus.SUBMITTED, source=ReportSource.LOCAL, stamp=stamp, sent_mono_ns=sent.mono_ns)

    def prepare(self, symbol: Symbol, approved: Sequence[Approved]) -> None:
        """Build and sign requests ahead; a second call for a symbol replaces the first."""
        self.unprepare(symbol)
        intents = [each.intent for each in approved]
        self._prepared[symbol] = [intent.client_order_id for intent in intents]
        self._entry.prepare(intents)

    def unprepare(self, symbol: Symbol) -> None:
        """Forget prepared requests."""
        self._entry.forget(self._prepared.pop(symbol, []))

    def cancel(self, order: Order) -> None:
        """Ask for a cancel; the order is then read again, for the answer may show the state before it."""
        self._remember(order)
        if not self._entry.cancel(order, partial(self._cancel_answered, order)):
            _log.warning("cancel_not_sent", client_order_id=order.intent.client_order_id)

    def look_up(self, order: Order, kind: LookUpKind) -> None:
        """Ask for one order; answered by exactly one `OrderLookedUp`."""
        self._remember(order)
        asked_ns = self._clock.wall_ns()
        answer = partial(
            OrderLookedUp,
            account=self.account,
            client_order_id=order.intent.client_order_id,
            kind=kind,
            asked_ns=asked_ns,
        )

        async def ask(queries: OrderQueries) -> Event:
            found = await queries.find(order, kind)
            if found is None:
                return answer(stamp=self._now(), found=None)
            return answer(stamp=found.report.stamp, found=found.report)

        self._ask(ask, lambda why: answer(stamp=self._now(), found=None, failed=why))

    def read_fills(self, order: Order) -> None:
        """Ask for an order's executions; answered by `FillsReported` unless the venue fails."""
        self._remember(order)

        async def ask(queries: OrderQueries) -> Event:
            fills = await queries.fills(order)
            return FillsReported(stamp=self._now(), account=self.account, fills=fills, source=ReportSource.QUERY)

        def failed(why: str) -> None:
            _log.warning("fills_not_read", client_order_id=order.intent.client_order_id, error=why)

        self._ask(ask, failed)

    def sweep(self, symbols: Sequence[Symbol], orders: Sequence[Order] = ()) -> None:
        """Ask for open orders, the last day's orders of ``symbols``, ``orders`` one by one and all balances."""
        for order in orders:
            self._remember(order)
        asked_ns = self._clock.wall_ns()

        async def ask(queries: OrderQueries) -> Event:
            parts = await Comparison(queries, self._clock).read(symbols, orders)
            return VenueSwept(
                stamp=self._now(),
                account=self.account,
                open_orders=parts.open_orders,
                recent_orders=parts.recent_orders,
                balances=parts.balances,
                asked_ns=asked_ns,
            )

        def failed(why: str) -> Event:
            return VenueSwept(
                stamp=self._now(),
                account=self.account,
                open_orders=(),
                recent_orders=(),
                balances=(),
                asked_ns=asked_ns,
                failed=why,
            )

        self._ask(ask, failed)

    def client_id_of(self, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> ClientOrderId:
        """Return our id of an order the stream speaks of; empty for one that is not ours."""
        return self._known.client_id_of(client_order_id, venue_order_id)

    def ask_for(self, symbol: Symbol, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> None:
        """Read an order again and report how it stands."""
        self._read_again(symbol, client_order_id, venue_order_id, source=ReportSource.QUERY)

    def _read_again(
        self, symbol: Symbol, client_order_id: ClientOrderId, venue_order_id: VenueOrderId, *, source: ReportSource
    ) -> None:
        async def ask(queries: OrderQueries) -> Event | None:
            found = await queries.one(symbol, client_order_id, venue_order_id)
            if found is None:
                return None
            report = msgspec.structs.replace(found.report, source=source)
            return OrderReported(stamp=report.stamp, report=report)

        def failed(why: str) -> None:
            _log.warning("order_not_read", client_order_id=client_order_id, error=why)

        self._ask(ask, failed)

    def _remember(self, order: Order) -> None:
        if order.venue_order_id:
            self._known.remember(order.intent.client_order_id, order.venue_order_id)

    def _submit_answered(self, intent: OrderIntent, verdict: Verdict, exchange: Exchange) -> None:
        if verdict.venue_order_id is not None:
            self._known.remember(intent.client_order_id, verdict.venue_order_id)
        if verdict.code in (700003, 10073) and self._resync_clock is not None:
            self._resync_clock()
        self._report(
            intent,
            verdict.status,
            source=ReportSource.ACK,
            stamp=Stamp(None, self._clock.wall_ns(), exchange.mono_ns),
            venue_order_id=verdict.venue_order_id,
            code=verdict.code,
            text=verdict.text,
            reason=verdict.reason,
        )

    def _cancel_answered(self, order: Order, verdict: Verdict, exchange: Exchange) -> None:
        """Only a fresh look tells: the answer may say NEW, and a refusal may mean that the order has ended.

        After a plain refusal the order's state counts as the answer to the cancel; otherwise it is a mere query,
        which may still show the time before it.
        """
        intent = order.intent
        refused = verdict.status is OrderStatus.REJECTED and verdict.code not in UNKNOWN_ORDER_CODES
        if refused:
            _log.warning("cancel_refused", client_order_id=intent.client_order_id, code=verdict.code, text=verdict.text)
        self._read_again(
            intent.symbol,
            intent.client_order_id,
            order.venue_order_id or VenueOrderId(""),
            source=ReportSource.ACK if refused else ReportSource.QUERY,
        )

    def _report(
        self,
        intent: OrderIntent,
        status: OrderStatus,
        *,
        source: ReportSource,
        stamp: Stamp | None = None,
        venue_order_id: VenueOrderId | None = None,
        code: int | None = None,
        text: str = "",
        reason: Reason | None = None,
        sent_mono_ns: int | None = None,
    ) -> None:
        stamp = stamp or self._now()
        self._tell(
            OrderReported(
                stamp=stamp,
                report=ExecutionReport(
                    stamp=stamp,
                    account=self.account,
                    client_order_id=intent.client_order_id,
                    status=status,
                    source=source,
                    venue_order_id=venue_order_id,
                    code=code,
                    text=text,
                    reason=reason,
                    sent_mono_ns=sent_mono_ns,
                ),
            )
        )

    def _ask(
        self, ask: Callable[[OrderQueries], Awaitable[Event | None]], failed: Callable[[str], Event | None]
    ) -> None:
        """Run a question beside everything else; it is answered once, whatever happens to it."""
        if self._early is not None and len(self._early) < MAX_QUESTIONS:
            self._early.append((ask, failed))
        elif self._tasks is None or self._queries is None:
            self._tell_maybe(failed("not connected to the venue"))
        elif self._questions >= MAX_QUESTIONS:
            self._tell_maybe(failed(f"more than {MAX_QUESTIONS} questions are open"))
        else:
            self._questions += 1
            self._tasks.create_task(self._answer(ask(self._queries), failed))

    async def _answer(self, asking: Awaitable[Event | None], failed: Callable[[str], Event | None]) -> None:
        event: Event | None = None
        try:
            event = await asking
        except VenueError as error:
            event = failed(str(error) or error.kind)
            if isinstance(error, ClockSkew) and self._resync_clock is not None:
                self._resync_clock()  # or every later question would be refused as well
            if isinstance(error, RateLimited) and error.http_status == 418:  # the address is banned, orders too
                self._entry.stop_for(error.retry_after_s or BAN_WAIT_S, str(error))
        except asyncio.CancelledError:
            event = failed("we are stopping")
            raise
        finally:
            self._questions -= 1
            self._tell_maybe(event)

    def _lines_changed(self, connected: bool, why: str) -> None:
        if connected or self._tasks is not None:
            self._tell(
                GateSignaled(stamp=self._now(), reason=Reason.VENUE_UNREACHABLE, closed=not connected, detail=why)
            )

    def banned_for_s(self) -> float:
        """Seconds until the venue takes orders again; 0 when it does."""
        return max(0.0, (self._ban_ends_ns - self._clock.mono_ns()) / NS_PER_S)

    def _lane_stopped(self, seconds: float, text: str) -> None:
        self._ban_ends_ns = self._clock.mono_ns() + int(seconds * NS_PER_S)
        detail = f"{text}; {seconds:.0f} s"
        self._tell(GateSignaled(stamp=self._now(), reason=Reason.VENUE_BANNED, closed=True, detail=detail))
        if self._tasks is not None:
            self._tasks.create_task(self._reopen_lane(self._ban_ends_ns))

    async def _reopen_lane(self, at_ns: int) -> None:
        await self._clock.until(at_ns)
        if self._ban_ends_ns == at_ns:  # it was not prolonged meanwhile
            self._tell(GateSignaled(stamp=self._now(), reason=Reason.VENUE_BANNED, closed=False))

    def _tell_maybe(self, event: Event | None) -> None:
        if event is not None:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        """Emit, or keep for the next run what must not be lost between two."""
        if self._emit_to is not None:
            self._emit_to(event)
        elif len(self._unheard) < 10 * MAX_QUESTIONS:
            self._unheard.append(event)

    def _now(self) -> Stamp:
        return Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
