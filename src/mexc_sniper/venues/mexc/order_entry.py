"""The way out: one POST per client order id, its bytes in the socket before the caller goes on.

Requests are built ahead and signed with prepared states; those of prepared listings are signed ahead as well and
renewed while they wait. What the venue answers is judged later, off the critical path.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

import structlog

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import FirewallBlocked, InvariantError, RateLimited
from mexc_sniper.core.ids import ClientOrderId
from mexc_sniper.core.reasons import Reason
from mexc_sniper.model.order import Order, OrderIntent
from mexc_sniper.ports import Clock
from mexc_sniper.venues.mexc.budget import EXPONENTIAL_CAP_S
from mexc_sniper.venues.mexc.http_wire import BytesWire
from mexc_sniper.venues.mexc.lines import Exchange, LineOptions, Lines
from mexc_sniper.venues.mexc.order_request import Draft, RequestMaker
from mexc_sniper.venues.mexc.order_verdict import Verdict, judge
from mexc_sniper.venues.mexc.rest import BAN_WAIT_S, FIREWALL_WAIT_S, retry_after_s

REHEARSE_EVERY_S = 0.001
RENEW_EVERY_S = 0.25
FRESH_MS = 1_000
"""A request signed ahead is used while its timestamp is at most this old; the renewal keeps it far below."""
MAX_REMEMBERED = 100_000
MAX_PREPARED = 200
"""Requests signed ahead at once: renewing them takes the loop 2 ms a second at most."""

_log = structlog.get_logger("mexc_sniper.venue")


class Sent(NamedTuple):
    """The order's bytes are in the socket."""

    mono_ns: int
    signed_ms: int
    """The timestamp it was signed with, in the venue's clock: with recvWindow the fence of RELIABILITY 3.3."""


class NotSent(NamedTuple):
    """No byte left."""

    reason: Reason
    text: str


class _Prepared:
    __slots__ = ("draft", "intent", "request", "signed_ms")

    def __init__(self, intent: OrderIntent, draft: Draft) -> None:
        self.intent = intent
        self.draft = draft
        self.request = b""
        self.signed_ms = 0


def _unheard(_verdict: Verdict, _exchange: Exchange) -> None:
    """Nobody is told of a rehearsal."""


class OrderEntry:
    """Sends orders and cancels on warm lines and tells what came of each."""

    def __init__(
        self,
        rest_url: str,
        wire: BytesWire,
        clock: Clock,
        random: Random,
        requests: RequestMaker,
        *,
        venue_offset_ns: Callable[[], int],
        options: LineOptions | None = None,
        connected: Callable[[bool, str], None],
        banned: Callable[[float, str], None],
    ) -> None:
        """``connected`` hears when lines come and go; ``banned`` hears for how long the venue wants no orders."""
        self._clock = clock
        self._requests = requests
        self._venue_offset_ns = venue_offset_ns
        self._connected = connected
        self._banned = banned
        self._lines = Lines(
            rest_url,
            wire,
            clock,
            random,
            options or LineOptions(),
            ping=requests.ping,
            changed=lambda count, why: connected(count > 0, why),
            pinged=self._ping_answered,
        )
        self._used: dict[ClientOrderId, None] = {}
        self._prepared: dict[ClientOrderId, _Prepared] = {}
        self._awake = asyncio.Event()
        self._stopped_until_ns = 0
        self._stop_text = ""
        self._refusals = 0

    @property
    def idle_lines(self) -> int:
        """Open connections without a request in flight."""
        return self._lines.idle_lines

    async def run(self) -> None:
        """Keep lines open until cancelled; requests in flight then are told lost."""
        await self._lines.run()

    async def renew(self) -> None:
        """Keep what was signed ahead fresh and the way out warm in the processor's caches, until cancelled.

        A path not walked for 4 ms takes 22 µs to the socket instead of 3 (bench/order_entry.py); beside other work
        on the machine 39.
        """
        while True:
            await self._awake.wait()
            renew_at = self._clock.mono_ns() + int(RENEW_EVERY_S * NS_PER_S)
            while self._clock.mono_ns() < renew_at and self._prepared:
                await self._clock.sleep(REHEARSE_EVERY_S)
                self.rehearse()
            for prepared in self._prepared.values():
                self._sign(prepared)
            if not self._prepared:
                self._awake.clear()

    def rehearse(self) -> None:
        """Walk the way of an order as far as it goes without sending or remembering anything."""
        prepared = next(iter(self._prepared.values()), None)
        if prepared is None or self._is_stopped():
            return
        intent = prepared.intent
        request, _ = self._request_of(intent, prepared)
        done = partial(self._answered, intent.symbol, intent.client_order_id, _unheard)
        self._lines.rehearse(request, done)

    def prepare(self, intents: Sequence[OrderIntent]) -> None:
        """Build and sign requests ahead; beyond a bound they are left to be built when they are sent."""
        for intent in intents:
            if len(self._prepared) >= MAX_PREPARED:
                _log.warning("too_many_prepared", limit=MAX_PREPARED)
                return
            if intent.client_order_id not in self._used:
                prepared = _Prepared(intent, self._requests.order(intent))
                self._sign(prepared)
                self._prepared[intent.client_order_id] = prepared
                self._awake.set()

    def forget(self, client_order_ids: Sequence[ClientOrderId]) -> None:
        """Throw requests signed ahead away."""
        for client_order_id in client_order_ids:
            self._prepared.pop(client_order_id, None)

    def submit(self, intent: OrderIntent, answered: Callable[[Verdict, Exchange], None]) -> Sent | NotSent:
        """Write an order to a socket within this call; ``answered`` is called once, later, if anything left.

        Raises:
            InvariantError: this client order id was used before: it never goes out twice, whatever became of it.
        """
        client_order_id = intent.client_order_id
        if client_order_id in self._used:
            raise InvariantError(f"order {client_order_id} was handed in before; it must not be sent twice")
        self._remember(client_order_id)
        prepared = self._prepared.pop(client_order_id, None)
        if self._is_stopped():
            return NotSent(Reason.VENUE_BANNED, self._stop_text)
        request, signed_ms = self._request_of(intent, prepared)
        done = partial(self._answered, intent.symbol, client_order_id, answered)
        if not self._lines.send(request, done, may_use_reserve=intent.role.reduces_risk):
            if self._lines.open_lines:
                return NotSent(Reason.NOT_SENT, "every connection is waiting for an answer")
            return NotSent(Reason.VENUE_UNREACHABLE, "no connection to the venue is open")
        return Sent(self._clock.mono_ns(), signed_ms)

    def _request_of(self, intent: OrderIntent, prepared: _Prepared | None) -> tuple[bytes, int]:
        """Return the bytes to send now and the timestamp they are signed with (ms, the venue's clock)."""
        venue_ms = self._venue_ms()
        if (
            prepared is not None
            and 0 <= venue_ms - prepared.signed_ms <= FRESH_MS
            and prepared.intent.same_order(intent)  # the price may have asked for another shape
        ):
            return prepared.request, prepared.signed_ms
        return self._requests.order_now(intent, venue_ms), venue_ms

    def cancel(self, order: Order, answered: Callable[[Verdict, Exchange], None]) -> bool:
        """Ask for a cancel, on a line kept for that if need be; False when no byte left."""
        intent = order.intent
        draft = self._requests.cancel(intent.symbol, intent.client_order_id, order.venue_order_id)
        if self._is_stopped():
            return False
        done = partial(self._answered, intent.symbol, intent.client_order_id, answered)
        return self._lines.send(draft.sign(self._venue_ms()), done, may_use_reserve=True)

    def stop_for(self, seconds: float | None, text: str) -> None:
        """Send nothing for a while because the venue said so; without a time 1, 2, 4 … 600 s."""
        if seconds is None:
            seconds = min(2.0**self._refusals, EXPONENTIAL_CAP_S)
        self._refusals += 1
        until = self._clock.mono_ns() + int(seconds * NS_PER_S)
        if until <= self._stopped_until_ns:
            return
        self._stopped_until_ns = until
        self._stop_text = text
        self._lines.quiet_until_ns = until
        self._banned(seconds, text)

    def _is_stopped(self) -> bool:
        return self._clock.mono_ns() < self._stopped_until_ns

    def _answered(
        self,
        symbol: str,
        client_order_id: ClientOrderId,
        answered: Callable[[Verdict, Exchange], None],
        exchange: Exchange,
    ) -> None:
        verdict = judge(symbol, client_order_id, exchange)
        if isinstance(verdict.fault, RateLimited):
            self._heed(verdict.fault)
        elif isinstance(verdict.fault, FirewallBlocked) and verdict.fault.http_status == 403:
            self.stop_for(FIREWALL_WAIT_S, "the venue's firewall blocks us (HTTP 403)")
        elif verdict.fault is None and exchange.answer is not None:
            self._refusals = 0
        if verdict.is_mismatch:
            _log.error("answer_for_another_order", client_order_id=client_order_id, text=verdict.text)
        answered(verdict, exchange)

    def _heed(self, fault: RateLimited) -> None:
        """Stop the lane as long as the venue says (RELIABILITY 2.2, 24 to 26)."""
        if fault.http_status == 418:
            self.stop_for(fault.retry_after_s or BAN_WAIT_S, "the venue banned us (HTTP 418)")
        else:
            self.stop_for(fault.retry_after_s, "the venue asks us to slow down (HTTP 429)")

    def _ping_answered(self, exchange: Exchange) -> None:
        answer = exchange.answer
        if answer is not None and answer.status in (418, 429):
            wait_s = retry_after_s(answer.retry_after)
            self._heed(RateLimited("on a ping", http_status=answer.status, retry_after_s=wait_s))

    def _sign(self, prepared: _Prepared) -> None:
        prepared.signed_ms = self._venue_ms()
        prepared.request = prepared.draft.sign(prepared.signed_ms)

    def _venue_ms(self) -> int:
        return (self._clock.wall_ns() + self._venue_offset_ns()) // NS_PER_MS

    def _remember(self, client_order_id: ClientOrderId) -> None:
        self._used[client_order_id] = None
        if len(self._used) > MAX_REMEMBERED:
            self._used.pop(next(iter(self._used)))
