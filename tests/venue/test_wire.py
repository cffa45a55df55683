"""Sockets: what fails how, certificates, names."""

import asyncio
import ssl
import subprocess
from contextlib import suppress

import pytest
from websockets.asyncio.server import serve

from mexc_sniper.core.errors import ConnectFailed
from mexc_sniper.runtime.clock import LoopClock
from mexc_sniper.venues.mexc.errors import HandshakeFailed
from mexc_sniper.venues.mexc.wire import PicowsWire
from tests.venue.scripted import ScriptedVenue
from tests.venue.streaming import eventually

CLOCK = LoopClock()


class Ear:
    def __init__(self):
        self.frames = []
        self.ends = []

    def on_frame(self, payload, is_text, mono_ns):
        self.frames.append((payload, is_text))

    def on_close(self, why):
        self.ends.append(why)


async def _echo(connection):
    async for message in connection:
        await connection.send(message)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
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
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True
    )
    return folder


@pytest.fixture
async def tls_port(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with serve(_echo, "127.0.0.1", 0, ssl=context) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def test_certificate_of_a_known_authority_is_accepted(certificate, tls_port):
    trust = ssl.create_default_context(cafile=certificate / "cert.pem")
    ear = Ear()
    connection = await PicowsWire(CLOCK, ssl_context=trust).open_websocket(
        f"wss://localhost:{tls_port}/ws", ear, deadline_s=2
    )
    connection.send_text("hello")
    await eventually(lambda: ear.frames == [(b"hello", True)])
    connection.close()
    connection.close()
    await eventually(lambda: ear.ends == ["closed by us"])


async def test_certificate_of_an_unknown_authority_is_refused(tls_port):
    with pytest.raises(HandshakeFailed):
        await PicowsWire(CLOCK).open_websocket(f"wss://localhost:{tls_port}/ws", Ear(), deadline_s=2)


async def test_certificate_for_another_name_is_refused(certificate, tls_port):
    trust = ssl.create_default_context(cafile=certificate / "cert.pem")
    with pytest.raises(HandshakeFailed):
        await PicowsWire(CLOCK, ssl_context=trust).open_websocket(f"wss://127.0.0.1:{tls_port}/ws", Ear(), deadline_s=2)


async def test_refused_port_is_a_failed_connection_and_not_reachable(unused_tcp_port):
    wire, url = PicowsWire(CLOCK), f"ws://127.0.0.1:{unused_tcp_port}/ws"
    with pytest.raises(ConnectFailed) as caught:
        await wire.open_websocket(url, Ear(), deadline_s=1)
    assert not isinstance(caught.value, HandshakeFailed)
    assert not await wire.reachable(url, deadline_s=1)


async def test_name_that_does_not_resolve_is_a_failed_connection():
    wire = PicowsWire(CLOCK)
    with pytest.raises(ConnectFailed, match="resolve"):
        await wire.open_websocket("ws://no-such-host.invalid/ws", Ear(), deadline_s=5)
    assert not await wire.reachable("ws://no-such-host.invalid/ws", deadline_s=5)


async def test_name_resolved_once_is_reached_while_the_resolver_is_dead(monkeypatch):
    venue = ScriptedVenue()
    await venue.start()
    wire, url = PicowsWire(CLOCK), f"ws://localhost:{venue.port}/ws"
    assert await wire.reachable(url, deadline_s=2)
    wire._book.distrust("localhost", venue.port)

    async def dead(*_, **__):
        await asyncio.sleep(3600)

    monkeypatch.setattr(wire._book, "_resolve", dead)
    connection = await wire.open_websocket(url, Ear(), deadline_s=3)
    connection.close()
    for task in wire._book._asking.values():
        task.cancel()
    await venue.stop()


async def test_address_that_accepts_and_stays_silent_is_given_up_at_the_deadline():
    async def silent(reader, writer):
        with suppress(ConnectionError):
            await reader.read()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
    started = CLOCK.mono_ns()
    ear = Ear()
    with pytest.raises(ConnectFailed, match="no answer in time"):
        await PicowsWire(CLOCK).open_websocket(url, ear, deadline_s=0.3)
    assert CLOCK.mono_ns() - started < 2_000_000_000
    assert ear.ends == []
    server.close()
    await server.wait_closed()


async def test_attempt_that_is_cancelled_leaves_no_socket_and_says_nothing():
    venue = ScriptedVenue()
    await venue.start()
    ear = Ear()
    for turns in range(12):
        attempt = asyncio.create_task(PicowsWire(CLOCK).open_websocket(venue.url, ear, deadline_s=1))
        for _ in range(turns):
            await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait([attempt])
        if not attempt.cancelled():
            attempt.result().abort()
    await eventually(lambda: not venue.connections)
    assert ear.frames == []
    await venue.stop()


async def test_address_that_is_no_websocket_is_a_failed_handshake():
    async def page(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
    wire = PicowsWire(CLOCK)
    with pytest.raises(HandshakeFailed, match="403"):
        await wire.open_websocket(url, Ear(), deadline_s=2)
    assert await wire.reachable(url, deadline_s=2)
    server.close()


async def test_message_in_pieces_arrives_whole():
    async def pieces(connection):
        await connection.send([b"ab", b"cd", b"ef"])
        await connection.send(b"gh")
        await connection.wait_closed()

    async with serve(pieces, "127.0.0.1", 0) as server:
        ear = Ear()
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await PicowsWire(CLOCK).open_websocket(f"ws://127.0.0.1:{port}/", ear, deadline_s=2)
        await eventually(lambda: len(ear.frames) == 2)
        assert ear.frames == [(b"abcdef", False), (b"gh", False)]
        connection.abort()
        connection.abort()
        await eventually(lambda: ear.ends == ["dropped by us"])
        connection.send_text("into the void")
