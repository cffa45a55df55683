"""The least that can be done in Python: uvloop, TLS, a look for the symbol in the frame, bytes made beforehand.

It decides nothing, knows no limits and remembers nothing; the order was built and signed before the frame came.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import ssl
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import uvloop

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET


class Orders(asyncio.Protocol):
    """A warm connection for orders; answers are thrown away."""

    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport


class Stream(asyncio.Protocol):
    """A WebSocket that only looks for a symbol in what arrives."""

    transport: Any

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.awaited = b"\0"
        self.order = b""
        self.upgraded = asyncio.Event()
        self.sent = asyncio.Event()
        self.confirmed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.order and self.awaited in data and b'"code"' not in data:
            self._orders.transport.write(self.order)
            self.order = b""
            self.sent.set()
        elif b'"code"' in data:
            self.confirmed.set()
        elif data.startswith(b"HTTP/1.1 101"):
            self.upgraded.set()

    def say(self, text: str) -> None:
        """Send one masked text frame (a mask of zeros is a mask)."""
        payload = text.encode()
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        self.transport.write(b"\x81" + size + b"\0\0\0\0" + payload)


def signed_order(host: str, symbol: str, number: int) -> bytes:
    """A market buy for 20 USDT, ready for the socket."""
    query = (
        f"symbol={symbol}&side=BUY&type=MARKET&quoteOrderQty=20&newClientOrderId=floor{number}"
        f"&recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
    )
    signature = hmac.new(DEFAULT_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    return (
        f"POST /api/v3/order?{query}&signature={signature} HTTP/1.1\r\nHost: {host}\r\nX-MEXC-APIKEY: {DEFAULT_KEY}\r\n"
        "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def wish(method: str, symbol: str) -> str:
    """The same three channels as the bot's."""
    return (
        f'{{"method":"{method}","params":["spot@public.aggre.bookTicker.v3.api.pb@10ms@{symbol}",'
        f'"spot@public.aggre.deals.v3.api.pb@10ms@{symbol}","spot@public.limit.depth.v3.api.pb@{symbol}@20"]}}'
    )


async def main(rest_url: str, ws_url: str) -> None:
    """Serve symbols until the input ends."""
    loop = asyncio.get_running_loop()
    where = urlsplit(rest_url)
    trust = ssl.create_default_context()
    _, orders = await loop.create_connection(Orders, where.hostname, where.port, ssl=trust)
    _, stream = await loop.create_connection(lambda: Stream(orders), where.hostname, where.port, ssl=trust)
    key = base64.b64encode(os.urandom(16)).decode()
    stream.transport.write(
        f"GET {urlsplit(ws_url).path} HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await stream.upgraded.wait()
    number = 0
    followed: list[str] = []
    while symbol := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        number += 1
        stream.awaited, stream.order = symbol.encode(), signed_order(where.netloc, symbol, number)
        stream.sent.clear()
        stream.confirmed.clear()
        stream.say(wish("SUBSCRIPTION", symbol))
        await stream.confirmed.wait()
        print("ready", flush=True)
        await stream.sent.wait()
        followed.append(symbol)
        if len(followed) > 3:  # a connection carries 30 channels
            stream.say(wish("UNSUBSCRIPTION", followed.pop(0)))
        print("sent", flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
