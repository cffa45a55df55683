"""From submit() to the order's bytes at a TLS server on the loopback, in µs.

Run: ``python -m bench.order_entry [orders]``. Every way sends the same kind of signed order, in turn and
in one process, so that the machine's mood falls on all alike; what is prepared comes last, beside the floor alone:

- floor: a blocking TLS socket that writes bytes made beforehand; nothing can be faster.
- prepared / unprepared: `OrderEntry`, signed ahead or built and signed on the spot, on aiofastnet.
- journaled: as prepared, and the order passes the journal in which it was fsynced when it was prepared.
- uvloop transport: the same bytes made beforehand through the loop's own transport.
- aiohttp: a session's POST with the URL signed on the spot, as REST reads go.

The server runs in a thread of a process of its own; both read CLOCK_MONOTONIC, which processes of one machine share.
"""

import argparse
import asyncio
import multiprocessing
import multiprocessing.connection
import os
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import aiohttp
import uvloop
from yarl import URL

from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.ids import ClientOrderId, IntentId
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.journal import FileJournal
from mexc_sniper.model.account import Account
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import Approved, OrderIntent, OrderRole, OrderType
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.venues.mexc.lines import LineOptions
from mexc_sniper.venues.mexc.order_entry import OrderEntry, Sent
from mexc_sniper.venues.mexc.order_request import RequestMaker
from mexc_sniper.venues.mexc.signing import Credentials, signed_query
from mexc_sniper.venues.mexc.wire import PicowsWire

KEY = Credentials("mx0aBYs33eIilxBWC5", "45d0b3c26f2644f19bfb98b07741b2f5")
BODY = b'{"symbol":"NEWUSDT","orderId":"C02__1","orderListId":-1}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
FLOOR, PREPARED, JOURNALED = "floor (plain TLS socket)", "prepared", "prepared, journaled"
PAUSE_S = 0.004
WARM_UP = 50


def certificate(folder: Path) -> tuple[str, str]:
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def serve(cert: str, key: str, tell: multiprocessing.connection.Connection) -> None:
    """Answer every request; send the instant at which an order's first bytes were read to the parent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))
    tell.send(listener.getsockname()[1])
    lock = threading.Lock()

    def one(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = context.wrap_socket(sock, server_side=True)
        while request := tls.recv(65_536):
            at = time.monotonic_ns()
            tls.sendall(ANSWER)
            if request.startswith(b"POST"):
                with lock:
                    tell.send(at)

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=one, args=(sock,), daemon=True).start()


def intent(number: int) -> OrderIntent:
    return OrderIntent(
        id=IntentId(f"{number:014x}"),
        client_order_id=ClientOrderId(f"msl0001{number:014x}00"),
        account=Account.LIVE,
        symbol=Symbol("NEWUSDT"),
        base=Asset("NEW"),
        quote=Asset("USDT"),
        side=Side.BUY,
        role=OrderRole.ENTRY,
        type=OrderType.MARKET,
        quote_quantity=Decimal("20.00"),
    )


Send = Callable[[], Awaitable[int]]
"""Send one order and return the instant just before, ns."""


class Bench:
    def __init__(self, port: int, trust: ssl.SSLContext, stamps: multiprocessing.connection.Connection) -> None:
        self.url = f"https://localhost:{port}"
        self.port = port
        self.trust = trust
        self.stamps = stamps
        self.requests = RequestMaker(self.url, KEY)
        self.clock = SystemClock()
        self.number = 0

    def next(self) -> OrderIntent:
        self.number += 1
        return intent(self.number)

    def ready_made(self) -> bytes:
        return self.requests.order(self.next()).sign(self.clock.wall_ns() // 1_000_000)

    async def measure(self, ways: dict[str, Send], orders: int) -> dict[str, list[float]]:
        took: dict[str, list[float]] = {name: [] for name in ways}
        loop = asyncio.get_running_loop()
        for turn in range(orders + WARM_UP):
            for name, send in ways.items():
                await asyncio.sleep(PAUSE_S)
                began = await send()
                arrived = await loop.run_in_executor(None, self.stamps.recv)
                if turn >= WARM_UP:
                    took[name].append((arrived - began) / 1_000)
        return took

    async def run(self, orders: int, folder: Path) -> dict[str, list[float]]:
        clock = LoopClock()
        wire = PicowsWire(clock, ssl_context=self.trust)
        entry = OrderEntry(
            self.url, wire, clock, Random(1), self.requests, venue_offset_ns=lambda: 0,
            options=LineOptions(lines=4, warm_every_s=3600), connected=lambda *_: None, banned=lambda *_: None,
        )  # fmt: skip
        tasks = [asyncio.ensure_future(entry.run()), asyncio.ensure_future(entry.renew())]
        while entry.idle_lines < 4:
            await asyncio.sleep(0.01)
        floor = self.trust.wrap_socket(self._socket(), server_hostname="localhost")
        transport, answers = await asyncio.get_running_loop().create_connection(
            _Answers, sock=self._nonblocking(), ssl=self.trust, server_hostname="localhost"
        )
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.trust))
        answered = asyncio.Event()

        async def by_floor() -> int:
            request = self.ready_made()
            began = time.monotonic_ns()
            floor.send(request)
            floor.recv(65_536)
            return began

        ready: dict[bool, Approved] = {}
        journal = FileJournal(folder / "journal", clock)
        journal.open()

        async def make_ready(journaled: bool) -> None:
            """The next one waits, signed ahead, until its turn; the way out is rehearsed meanwhile."""
            ready[journaled] = Approved(intent=self.next(), generation=1)
            entry.prepare([ready[journaled].intent])
            if journaled:
                await journal.write_durably([ready[journaled]])

        async def by_entry(prepared: bool, journaled: bool = False) -> int:
            approved = ready.pop(journaled) if prepared else Approved(intent=self.next(), generation=1)
            answered.clear()
            began = time.monotonic_ns()
            if journaled:
                assert journal.write(approved)
            sent = entry.submit(approved.intent, lambda *_: answered.set())
            assert isinstance(sent, Sent), sent
            await answered.wait()
            if prepared:
                await make_ready(journaled)
            return began

        async def by_transport() -> int:
            request = self.ready_made()
            answers.got = asyncio.Event()
            began = time.monotonic_ns()
            transport.write(request)
            await answers.got.wait()
            return began

        async def by_aiohttp() -> int:
            order = self.next()
            began = time.monotonic_ns()
            asked = {"symbol": order.symbol, "side": "BUY", "type": "MARKET", "quoteOrderQty": "20.00"}
            asked["newClientOrderId"] = order.client_order_id
            query = signed_query(KEY, asked, timestamp_ms=self.clock.wall_ns() // 1_000_000, recv_window_ms=5_000)
            url = URL(f"{self.url}/api/v3/order?{query}", encoded=True)
            headers = {"X-MEXC-APIKEY": KEY.api_key, "Content-Type": "application/json"}
            async with session.post(url, headers=headers) as response:
                await response.read()
            return began

        bare: dict[str, Send] = {
            FLOOR: by_floor,
            "unprepared": lambda: by_entry(False),
            "uvloop transport, ready bytes": by_transport,
            "aiohttp": by_aiohttp,
        }
        try:
            took = await self.measure(bare, orders)
            # In a phase of its own: while something is prepared, rehearsals keep the way warm for all orders.
            await make_ready(False)
            await make_ready(True)
            ways: dict[str, Send] = {
                FLOOR: by_floor,
                PREPARED: lambda: by_entry(True),
                JOURNALED: lambda: by_entry(True, journaled=True),
            }
            warm = await self.measure(ways, orders)
            took[FLOOR] += warm.pop(FLOOR)
            return took | warm
        finally:
            await session.close()
            transport.abort()
            floor.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await journal.aclose()

    def _socket(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _nonblocking(self) -> socket.socket:
        sock = self._socket()
        sock.setblocking(False)
        return sock


class _Answers(asyncio.Protocol):
    def __init__(self) -> None:
        self.got = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.got.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("orders", nargs="?", type=int, default=300)
    orders = parser.parse_args().orders
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certificate(Path(folder))
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(cert, key, theirs), daemon=True)
        server.start()
        try:
            bench = Bench(ours.recv(), ssl.create_default_context(cafile=cert), ours)
            took = uvloop.run(bench.run(orders, Path(folder)))
        finally:
            server.terminate()
            server.join()
    floor = statistics.median(took[FLOOR])
    print(f"submit() to the bytes at the server, µs; {orders} orders each, {os.cpu_count()} cores, loopback TLS")
    for name, values in took.items():
        values.sort()
        p50, p90 = values[len(values) // 2], values[int(len(values) * 0.9)]
        print(f"{name:32} p50 {p50:8.1f}   p90 {p90:8.1f}   x floor {p50 / floor:5.2f}")
    ratio = statistics.median(took[JOURNALED]) / statistics.median(took[PREPARED])
    print(f"durability, with / without, prepared: {ratio:.3f} (bar <= 1.05) {'ok' if ratio <= 1.05 else 'MISSED'}")


if __name__ == "__main__":
    main()
