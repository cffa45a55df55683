"""What the venue pushes about our own orders, executions and balances; a speed-up, REST is the judge.

Nothing is ever dropped here: a frame is handed on within the socket's callback, and one that cannot be read ends
the connection, so that the engine asks for what it may have missed.
"""

import asyncio
from itertools import count
from random import Random
from typing import Protocol

import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ProtocolError, VenueError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.account import Account
from mexc_sniper.model.events import BalancesRead, FillsReported, OrderReported, PrivateStreamChanged
from mexc_sniper.model.market import Stamp
from mexc_sniper.model.order import ExecutionReport, Fill, ReportSource
from mexc_sniper.ports import Clock, Emit, Wire
from mexc_sniper.telemetry import FRAMES
from mexc_sniper.venues.mexc.backoff import Backoff
from mexc_sniper.venues.mexc.listen_key import ListenKey
from mexc_sniper.venues.mexc.parse.private_frames import (
    ACCOUNT,
    DEALS,
    ORDERS,
    PRIVATE_CHANNELS,
    BalanceFrame,
    DealFrame,
    OrderFrame,
    decode_private,
)
from mexc_sniper.venues.mexc.session import Session
from mexc_sniper.venues.mexc.shard import StreamOptions
from mexc_sniper.venues.mexc.waiting import wait_for

_TICK_S = 0.25
_OVERLAP_S = 1.0
_SHORT_LIFE_S = 5.0

_log = structlog.get_logger("mexc_sniper.venue")


class Orders(Protocol):
    """What the stream must know of our orders to speak of them."""

    def client_id_of(self, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> ClientOrderId:
        """Return our id of an order; empty for an order that is not ours."""
        ...

    def ask_for(self, symbol: Symbol, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> None:
        """Ask the venue how an order stands, because a push could not be understood."""
        ...


class PrivateStream:
    """Keeps one connection with the three private channels open; a `SessionOwner`."""

    def __init__(
        self,
        ws_url: str,
        wire: Wire,
        clock: Clock,
        random: Random,
        key: ListenKey,
        account: Account,
        orders: Orders,
        *,
        emit: Emit,
        options: StreamOptions | None = None,
    ) -> None:
        self._ws_url = ws_url
        self._wire = wire
        self._clock = clock
        self._random = random
        self._key = key
        self._account = account
        self._orders = orders
        self._emit = emit
        self._options = options or StreamOptions()
        self._backoff = Backoff(random)
        self._numbers = count(1)
        self._sessions: list[Session] = []
        self._told: tuple[bool, str] | None = None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                tasks.create_task(self._keep_key())
                tasks.create_task(self._stay_connected())
        finally:
            for session in self._sessions[:]:
                session.close("stopped")
                session.on_close("stopped")
            self._sessions.clear()
            await self._key.close()

    def heard(self, session: Session, payload: bytes, is_text: bool, wall_ns: int, mono_ns: int) -> None:
        """Private frames are not taped: they hold the account's affairs."""

    def read(self, session: Session, payload: bytes, wall_ns: int, mono_ns: int) -> str | None:
        try:
            frame = decode_private(payload, self._account)
        except ProtocolError as error:
            _log.error("private_frame_unreadable", error=str(error))
            session.abort("an unreadable private frame")
            raise
        if isinstance(frame, OrderFrame):
            FRAMES.labels("private_order").inc()
            self._on_order(frame, Stamp(frame.sent_at_ns, wall_ns, mono_ns))
            return _tail(ORDERS)
        if isinstance(frame, DealFrame):
            FRAMES.labels("private_deal").inc()
            self._on_deal(frame, Stamp(frame.sent_at_ns, wall_ns, mono_ns))
            return _tail(DEALS)
        if isinstance(frame, BalanceFrame):
            FRAMES.labels("private_account").inc()
            self._emit(
                BalancesRead(
                    stamp=Stamp(frame.sent_at_ns, wall_ns, mono_ns),
                    account=self._account,
                    balances=(frame.balance,),
                    complete=False,
                )
            )
            return _tail(ACCOUNT)
        return None

    def ended(self, session: Session) -> None:
        _log.info("private_connection_ended", why=session.why)

    def _on_order(self, frame: OrderFrame, stamp: Stamp) -> None:
        client_order_id = self._orders.client_id_of(frame.client_order_id, frame.venue_order_id)
        if frame.status is None:
            self._orders.ask_for(frame.symbol, client_order_id, frame.venue_order_id)
            return
        self._emit(
            OrderReported(
                stamp=stamp,
                report=ExecutionReport(
                    stamp=stamp,
                    account=self._account,
                    client_order_id=client_order_id,
                    status=frame.status,
                    source=ReportSource.STREAM,
                    venue_order_id=frame.venue_order_id,
                    filled_quantity=frame.filled_quantity,
                    filled_quote=frame.filled_quote,
                ),
            )
        )

    def _on_deal(self, frame: DealFrame, stamp: Stamp) -> None:
        fill = Fill(
            trade_id=frame.trade_id,
            client_order_id=self._orders.client_id_of(frame.client_order_id, frame.venue_order_id),
            account=self._account,
            symbol=frame.symbol,
            side=frame.side,
            price=frame.price,
            quantity=frame.quantity,
            quote_quantity=frame.quote_quantity,
            fee=frame.fee,
            fee_asset=frame.fee_asset,
            is_maker=frame.is_maker,
            ts_event_ns=frame.happened_ns,
            ts_recv_ns=stamp.ts_recv_ns,
        )
        self._emit(FillsReported(stamp=stamp, account=self._account, fills=(fill,), source=ReportSource.STREAM))

    async def _stay_connected(self) -> None:
        while True:
            session = await self._connect()
            self._tell(True, "")
            opened = self._clock.mono_ns()
            session = await self._hold(session)
            self._tell(False, session.why)
            # An expired or deleted key shows as silence or a cut (RELIABILITY 2.1, 15): begin with a fresh one.
            await self._key.replace()
            if self._clock.mono_ns() - opened >= _SHORT_LIFE_S * NS_PER_S:
                self._backoff.reset()
            else:
                await self._clock.sleep(self._backoff.next_delay_s())

    async def _connect(self) -> Session:
        while True:
            if (storm_s := self._backoff.storm_wait_s(self._clock.mono_ns())) > 0:
                await self._clock.sleep(storm_s)
            self._backoff.attempted(self._clock.mono_ns())
            least_s = 0.0
            try:
                session = await self._open()
            except VenueError as error:
                why, least_s = str(error), error.retry_after_s or 0.0
            else:
                if not session.is_gone:
                    return session
                why = session.why
                await self._key.replace()
            self._tell(False, why)
            await self._clock.sleep(max(self._backoff.next_delay_s(), least_s))

    async def _open(self) -> Session:
        """Connect and subscribe; the session returned may have ended again.

        Raises:
            VenueError: no listen key, or no connection.
        """
        key = await self._key.current()
        session = Session(next(self._numbers), self, self._clock, self._options.limits)
        connection = await self._wire.open_websocket(
            f"{self._ws_url}?listenKey={key}", session, deadline_s=self._options.connect_deadline_s
        )
        session.attach(connection)
        self._sessions.append(session)
        session.subscribe(PRIVATE_CHANNELS)
        await session.ready.wait()  # the session's own watchdog bounds this
        if not session.is_gone and session.refusals:
            session.abort(f"the venue refuses a private channel: {session.refusals[0]}")
        if session.is_gone:
            self._sessions.remove(session)
        return session

    async def _hold(self, session: Session) -> Session:
        """Hold a connection, replacing it before the venue's 24 hours end; returns the one that ended unasked."""
        while True:
            spread = self._random.uniform(-self._options.life_jitter_s, self._options.life_jitter_s)
            if await wait_for(session.gone, self._clock, self._options.life_s + spread):
                self._sessions.remove(session)
                return session
            try:
                fresh = await self._open()
            except VenueError as error:
                _log.warning("private_connection_not_renewed", error=str(error))
                continue
            if fresh.is_gone:
                continue
            await wait_for(fresh.gone, self._clock, _OVERLAP_S)
            session.close("replaced before the end of its life")
            session.on_close("replaced before the end of its life")
            self._sessions.remove(session)
            session = fresh

    async def _keep_key(self) -> None:
        while True:
            await self._key.keep()
            for session in self._sessions[:]:
                session.abort("the listen key could not be extended")

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(_TICK_S)
            for session in self._sessions[:]:
                session.tick()

    def _tell(self, connected: bool, why: str) -> None:
        if self._told == (connected, why):
            return
        self._told = (connected, why)
        stamp = Stamp(None, self._clock.wall_ns(), self._clock.mono_ns())
        self._emit(PrivateStreamChanged(stamp=stamp, account=self._account, connected=connected, detail=why))


def _tail(channel: str) -> str:
    return channel.rpartition("@")[2]
