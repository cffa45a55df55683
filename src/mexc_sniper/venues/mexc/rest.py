"""REST reads of the venue: one GET at a time through the budget, with a deadline, a size cap and no redirects."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from yarl import URL

from mexc_sniper.core.clock import NS_PER_MS, NS_PER_S
from mexc_sniper.core.errors import (
    ConfigError,
    ConnectFailed,
    FirewallBlocked,
    ProtocolError,
    RateLimited,
    ResponseTimeout,
    VenueError,
)
from mexc_sniper.ports import Clock, Offload
from mexc_sniper.telemetry import API_ERRORS, API_REQUEST_SECONDS, API_WEIGHT
from mexc_sniper.venues.mexc.budget import READS_SHARE, Share, WeightBudget, part
from mexc_sniper.venues.mexc.faults import fault_of
from mexc_sniper.venues.mexc.http_client import HttpClient
from mexc_sniper.venues.mexc.http_reads import HttpReads, HttpReply
from mexc_sniper.venues.mexc.signing import Credentials, query_text, signed_query
from mexc_sniper.venues.mexc.tap import FrameTap, RawKind
from mexc_sniper.venues.mexc.urls import Endpoint, Host

FIREWALL_WAIT_S = 60.0
BAN_WAIT_S = 120.0
"""A 418 without a time: the shortest ban the venue names (REFERENCE 1.3)."""
MAX_WAIT_S = 3 * 86_400.0
RECV_WINDOW_MS = 5_000
WEB_REQUESTS_PER_S = 2
_INLINE_BYTES = 64 * 1024
"""Compressed bodies up to this size are unpacked on the loop; larger ones beside it."""
_HEADERS: Mapping[Host, Mapping[str, str]] = MappingProxyType(
    {
        Host.API: {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "mexc-sniper"},
        # The web pages answer browsers only (REFERENCE 3.3); nothing here pretends to be signed in.
        Host.WEB: {
            "Accept": "application/json, text/plain, */*",
            "Accept-Encoding": "gzip",
            "Accept-Language": "en-US,en;q=0.9",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        },
    }
)


class Answer(NamedTuple):
    """A body that is JSON by its first byte, of an answer with a good status."""

    body: bytes
    wall_ns: int
    mono_ns: int
    """When the last byte had arrived."""
    sent_mono_ns: int
    """When the request began."""


class _ErrorBody(msgspec.Struct):
    code: int | str | None = None
    msg: str | None = None
    message: str | None = None


_error_body = msgspec.json.Decoder(_ErrorBody)


class RestClient:
    """Open it with ``async with``; constructors do no I/O."""

    def __init__(
        self,
        hosts: Mapping[Host, str],
        clock: Clock,
        offload: Offload,
        budget: WeightBudget,
        *,
        venue_offset_ns: Callable[[], int],
        credentials: Credentials | None = None,
        tap: FrameTap | None = None,
        http: HttpReads | None = None,
        most: float = READS_SHARE,
    ) -> None:
        """No I/O.

        Args:
            venue_offset_ns: the venue's clock minus ours, for signed timestamps.
            http: what the calls go through; None: real sockets.
            most: share of the budget that none of its calls goes beyond.
        """
        self._most = most
        self._bases = {host: _base(url) for host, url in hosts.items()}
        self._clock = clock
        self._offload = offload
        self.budget = budget
        self._budgets = {
            Host.API: budget,
            Host.WEB: WeightBudget(clock, requests_per_s=WEB_REQUESTS_PER_S),
        }
        self._venue_offset_ns = venue_offset_ns
        self._credentials = credentials
        self._tap = tap
        self._http = http or HttpClient()
        self._is_open = False

    async def __aenter__(self) -> "RestClient":
        await self._http.open()
        self._is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        await self._http.close()

    async def get(
        self,
        endpoint: Endpoint,
        parameters: Mapping[str, str] | None = None,
        *,
        share: Share = READS_SHARE,
        pace: float = 1.0,
    ) -> Answer:
        """Read once; ``share`` and ``pace`` are the parts of the budget this caller may fill (`WeightBudget.acquire`).

        Raises:
            VenueError: as `call`.
        """
        return await self.call("GET", endpoint, parameters, share=share, pace=pace)

    async def call(
        self,
        method: str,
        endpoint: Endpoint,
        parameters: Mapping[str, str] | None = None,
        *,
        share: Share = READS_SHARE,
        pace: float = 1.0,
    ) -> Answer:
        """Ask once; everything in the query. Never for orders, which go by `order_entry`.

        Raises:
            VenueError: by the fault table; `RateLimited` also while a wait the venue ordered is not over.
        """
        await self._budgets[endpoint.host].acquire(
            endpoint.weight,
            deadline_s=endpoint.deadline_s,
            share=self._at_most(share),
            pace=pace,
            kind=endpoint.number,
            gap_s=endpoint.gap_s,
        )
        API_WEIGHT.set(self.budget.weight_used)
        started = self._clock.mono_ns()
        try:
            answer = await self._ask(method, endpoint, parameters or {}, started)
        except VenueError as error:
            API_ERRORS.labels(error.kind).inc()
            self._observe(endpoint, started, error.kind)
            self._heed(endpoint, error)
            raise
        self._observe(endpoint, started, "ok")
        self._budgets[endpoint.host].served()
        if self._tap is not None:
            label = endpoint.label
            if parameters and not endpoint.signed:
                label += f"?{query_text(parameters)}"
            self._tap.record(RawKind.ANSWER, 0, label, answer.body, answer.wall_ns, answer.mono_ns)
        return answer

    def _at_most(self, share: Share) -> Share:
        return (lambda: min(part(share), self._most)) if callable(share) else min(share, self._most)

    async def _ask(self, method: str, endpoint: Endpoint, parameters: Mapping[str, str], started: int) -> Answer:
        if not self._is_open:
            raise ConnectFailed("the client is not open")
        url, headers = self._address(endpoint, parameters)
        if method != "GET":
            headers["Content-Type"] = "application/json"  # even without a body (REFERENCE 1.2)
        try:
            async with asyncio.timeout(endpoint.deadline_s):
                reply = await self._http.ask(method, url, headers, max_body_bytes=endpoint.max_body_bytes)
                wall_ns, mono_ns = self._clock.wall_ns(), self._clock.mono_ns()
                body = await self._unpack(reply, endpoint.max_body_bytes)
        except TimeoutError:
            raise ResponseTimeout(f"no answer of {endpoint.path} within {endpoint.deadline_s:g} s") from None
        self._judge(endpoint, reply, body)
        return Answer(body, wall_ns, mono_ns, started)

    def _address(self, endpoint: Endpoint, parameters: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        headers = dict(_HEADERS[endpoint.host])
        query = query_text(parameters)
        if endpoint.signed:
            if self._credentials is None:
                raise ConnectFailed(f"{endpoint.path} needs an API key")
            venue_ns = self._clock.wall_ns() + self._venue_offset_ns()
            query = signed_query(
                self._credentials,
                parameters,
                timestamp_ms=venue_ns // NS_PER_MS,
                recv_window_ms=RECV_WINDOW_MS,
            )
            headers["X-MEXC-APIKEY"] = self._credentials.api_key
        text = f"{self._bases[endpoint.host]}{endpoint.path}{'?' if query else ''}{query}"
        return text, headers

    async def _unpack(self, reply: HttpReply, limit: int) -> bytes:
        packed, encoding = reply.body, reply.encoding
        if encoding == "identity":
            return packed
        if encoding != "gzip":
            raise ProtocolError(f"the body is packed as {encoding[:40]!r}, which was not asked for")
        if len(packed) <= _INLINE_BYTES:
            return _gunzip(packed, limit)
        return await self._offload.run(lambda: _gunzip(packed, limit))

    def _judge(self, endpoint: Endpoint, reply: HttpReply, body: bytes) -> None:
        """Raise unless this is a JSON body of a good status; its business code is its reader's affair."""
        status = reply.status
        if 300 <= status < 400:
            raise ProtocolError(f"{endpoint.path} answers with a redirect, which is refused", http_status=status)
        is_json = body[:64].lstrip()[:1] in (b"{", b"[")
        if status == 200 and is_json:
            return
        code, text = _error_text(body) if is_json else (None, body[:120].decode("utf-8", "replace"))
        wait = retry_after_s(reply.retry_after)
        fault = fault_of(status, code, text, is_json=is_json, retry_after_s=wait)
        if fault is not None:
            raise fault

    def _heed(self, endpoint: Endpoint, error: VenueError) -> None:
        """Stop asking where the venue wants us to stop (RELIABILITY 2.2, 24 to 27)."""
        budget = self._budgets[endpoint.host]
        if isinstance(error, RateLimited):
            if error.http_status == 418 and error.retry_after_s is None:
                error.retry_after_s = BAN_WAIT_S
            said = "banned us" if error.http_status == 418 else "asks us to slow down"
            budget.block(error.retry_after_s, f"the venue {said} (HTTP {error.http_status or error.code})")
            error.retry_after_s = budget.blocked_for_s()
        elif isinstance(error, FirewallBlocked) and error.http_status == 403:
            error.retry_after_s = FIREWALL_WAIT_S
            if endpoint.host is Host.API:
                budget.block(FIREWALL_WAIT_S, "the venue's firewall blocks us (HTTP 403)")

    def _observe(self, endpoint: Endpoint, started: int, outcome: str) -> None:
        seconds = (self._clock.mono_ns() - started) / NS_PER_S
        API_REQUEST_SECONDS.labels(endpoint.label, outcome).observe(seconds)


def _gunzip(packed: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise ProtocolError(f"the body cannot be unpacked: {error}") from None
    if len(body) > limit:
        raise ProtocolError(f"the unpacked body is longer than {limit} bytes")
    if not unpacker.eof:
        raise ProtocolError("the packed body is cut off")
    return body


def _error_text(body: bytes) -> tuple[int | None, str]:
    try:
        read = _error_body.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None, body[:120].decode("utf-8", "replace")
    code = read.code
    if isinstance(code, str):
        code = int(code) if code.isascii() and code.lstrip("-").isdigit() and len(code) < 12 else None
    return code, read.msg or read.message or ""


def retry_after_s(text: str | None) -> float | None:
    """Seconds only; the date form is not used by the venue and counts as absent."""
    if text is None or not text.strip().isascii() or not text.strip().isdigit():
        return None
    return min(float(text.strip()[:9]), MAX_WAIT_S)


def _base(url: str) -> str:
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"not an HTTP address: {url!r}; write it like https://api.mexc.com")
    return f"{parsed.scheme}://{parsed.raw_authority}{parsed.raw_path.rstrip('/')}"
