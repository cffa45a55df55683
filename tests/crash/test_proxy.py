"""The fault proxy does what it says: a test instrument that did nothing would prove everything."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    """A proxy in front of a server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo(end: socket.socket) -> None:
        with end:
            try:
                while data := end.recv(65_536):
                    end.sendall(data)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(end,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    made = TcpProxy(listener.getsockname())
    yield made
    made.close()
    listener.close()


def ask(proxy: TcpProxy, data: bytes, *, within_s: float = 5.0) -> tuple[bytes, float]:
    """What comes back, and how long it took."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=within_s) as end:
        began = time.monotonic()
        end.sendall(data)
        got = receive(end, len(data))
        return got, time.monotonic() - began


def test_everything_passes_when_nothing_is_wrong(proxy: TcpProxy) -> None:
    data = bytes(range(256)) * 2_000
    assert ask(proxy, data)[0] == data


def test_latency_holds_back_both_ways_and_keeps_the_order(proxy: TcpProxy) -> None:
    proxy.faults.latency_s, proxy.faults.jitter_s = 0.1, 0.05
    got, took = ask(proxy, b"0123456789" * 50)
    assert got == b"0123456789" * 50
    assert took >= 0.2


def test_slow_link_takes_its_time(proxy: TcpProxy) -> None:
    proxy.faults.bytes_per_s, proxy.faults.up = 20_000, False
    got, took = ask(proxy, bytes(10_000))
    assert len(got) == 10_000
    assert took >= 0.4


def test_damage_flips_single_bits(proxy: TcpProxy) -> None:
    proxy.faults.corrupt_every, proxy.faults.up = 100, False
    got, _ = ask(proxy, bytes(1_000))
    assert sum(byte != 0 for byte in got) == 10
    assert all(byte.bit_count() <= 1 for byte in got)


def test_cut_falls_after_exactly_so_many_bytes_and_is_a_reset(proxy: TcpProxy) -> None:
    proxy.faults.cut_after, proxy.faults.up = 300, False
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as end:
        end.sendall(bytes(1_000))
        with pytest.raises(ConnectionResetError):
            receive(end, 1_000)


def receive(end: socket.socket, size: int) -> bytes:
    """So many bytes, fewer where the peer ends in order; a reset raises."""
    got = b""
    while len(got) < size and (piece := end.recv(65_536)):
        got += piece
    return got


def test_stalled_link_stays_open_and_silent(proxy: TcpProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=0.3) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"
        proxy.faults.stalled = True
        end.sendall(b"b")
        with pytest.raises(TimeoutError):
            end.recv(1)
        proxy.calm()
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    assert ask(proxy, b"again")[0] == b"again"


def test_refused_and_cut_are_resets(proxy: TcpProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=2) as end:
        end.sendall(b"a")
        assert end.recv(1) == b"a"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    proxy.faults.refused = True
    with pytest.raises(ConnectionError):
        ask(proxy, b"a")
