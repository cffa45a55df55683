"""A TCP proxy in a thread that can go wrong in the ways a network does."""

import selectors
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

_TURN_S = 0.002
_PIECE = 65_536
_BEGINNING = 4_096
_HELD_BACK = 1 << 20
"""Bytes that may wait in one direction; then reading stops and the sender feels it, as behind a real slow link."""


@dataclass
class Faults:
    """What goes wrong now; attributes may be changed at any time from any thread. All at rest by default.

    ``up`` and ``down`` say in which directions (to the server, to the client) delays, stalls, slowness and damage hold.

    Attributes:
        latency_s, jitter_s: every piece of bytes is held back that long, plus up to so much more; order is kept.
        stalled: bytes are taken and not passed on, connections stay open (a half-open link).
        refused: new connections are reset.
        cut_after: bytes of one direction of a connection after which it is reset (SO_LINGER 0); None: never.
        corrupt_every: one bit of every so-manieth byte is flipped; 0: none.
        bytes_per_s: no faster than this; 0: as fast as it goes.
        swallow_answers: requests pass and what comes back is dropped (the answer to a COMMIT is lost).
        only, unless: bytes that the beginning of a connection must, or must not, hold for anything to strike it.
    """

    up: bool = True
    down: bool = True
    latency_s: float = 0.0
    jitter_s: float = 0.0
    stalled: bool = False
    refused: bool = False
    cut_after: int | None = None
    corrupt_every: int = 0
    bytes_per_s: int = 0
    swallow_answers: bool = False
    only: bytes = b""
    unless: bytes = b""


@dataclass(eq=False)
class _Way:
    """One direction of one connection."""

    source: socket.socket
    sink: socket.socket
    down: bool
    passed: int = 0
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    size: int = 0
    free_at: float = 0.0
    ended: bool = False
    began: bytearray = field(default_factory=bytearray)
    """The first bytes of the client; shared by both directions."""


class TcpProxy:
    """Forwards connections to ``target``; what goes wrong is set in ``faults``. `cut` resets every open connection."""

    def __init__(self, target: tuple[str, int], *, seed: int = 0) -> None:
        self.faults = Faults()
        self.accepted = 0
        self._target = target
        self._dice = Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._ways: dict[socket.socket, _Way] = {}
        self._lock = threading.Lock()
        self._over = False
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def swallow_answers(self) -> bool:
        return self.faults.swallow_answers

    @swallow_answers.setter
    def swallow_answers(self, wanted: bool) -> None:
        self.faults.swallow_answers = wanted

    def calm(self) -> None:
        """Let everything go well again; what a stall has swallowed stays lost, so open connections are reset then."""
        stalled = self.faults.stalled
        self.faults = Faults()
        if stalled:
            self.cut()

    def cut(self, *, only: bytes = b"", unless: bytes = b"") -> None:
        """Reset every connection, both ways; with the same choice as the faults'."""
        with self._lock:
            for way in list(self._ways.values()):
                if only in way.began and not (unless and unless in way.began):
                    self._reset(way)

    def close(self) -> None:
        """Reset everything and stop listening."""
        self._over = True
        self._thread.join()
        self.cut()
        self._listener.close()

    # ------------------------------------------------------------------ the thread

    def _forward(self) -> None:
        while not self._over:
            with self._lock, selectors.DefaultSelector() as ready:
                ready.register(self._listener, selectors.EVENT_READ)
                for end, way in self._ways.items():
                    if way.size < _HELD_BACK and not way.ended:
                        ready.register(end, selectors.EVENT_READ)
                for key, _ in ready.select(timeout=_TURN_S):
                    end = key.fileobj
                    assert isinstance(end, socket.socket)
                    if end is self._listener:
                        self._accept()
                    elif end in self._ways:
                        self._take(self._ways[end])
                now = time.monotonic()
                for way in list(self._ways.values()):
                    self._give(way, now)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.accepted += 1
        try:
            if self.faults.refused:
                raise OSError("refused")
            server = socket.create_connection(self._target, timeout=2)
        except OSError:
            _linger_off(client)
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up, down = _Way(client, server, down=False), _Way(server, client, down=True)
        down.began = up.began
        self._ways[client], self._ways[server] = up, down

    def _struck(self, way: _Way) -> bool:
        faults = self.faults
        if faults.only not in way.began or (faults.unless and faults.unless in way.began):
            return False
        return faults.down if way.down else faults.up

    def _take(self, way: _Way) -> None:
        try:
            data = way.source.recv(_PIECE)
        except OSError:
            self._reset(way)
            return
        if not data:
            way.ended = True
            return
        if not way.down and len(way.began) < _BEGINNING:
            way.began += data[:_BEGINNING]
        faults, struck = self.faults, self._struck(way)
        if struck and (faults.stalled or (faults.swallow_answers and way.down)):
            return
        cut = False
        if struck and faults.cut_after is not None and way.passed + len(data) > faults.cut_after:
            data, cut = data[: max(0, faults.cut_after - way.passed)], True
        if struck and faults.corrupt_every:
            damaged = bytearray(data)
            for at in range(len(damaged)):
                if (way.passed + at) % faults.corrupt_every == faults.corrupt_every - 1:
                    damaged[at] ^= 1 << self._dice.randrange(8)
            data = bytes(damaged)
        way.passed += len(data)
        now = time.monotonic()
        due = now
        if struck:
            due += faults.latency_s + self._dice.random() * faults.jitter_s
            if faults.bytes_per_s:
                way.free_at = max(way.free_at, now) + len(data) / faults.bytes_per_s
                due = max(due, way.free_at)
        if way.waiting:
            due = max(due, way.waiting[-1][0])  # order is kept
        if data:
            way.waiting.append((due, data))
            way.size += len(data)
        if cut:
            self._give(way, float("inf"))
            self._reset(way)

    def _give(self, way: _Way, now: float) -> None:
        try:
            while way.waiting and way.waiting[0][0] <= now:
                _, data = way.waiting.popleft()
                way.size -= len(data)
                way.sink.sendall(data)
        except OSError:
            self._reset(way)
            return
        if way.ended and not way.waiting and way.source in self._ways:
            for end in (way.source, way.sink):
                self._ways.pop(end, None)
                end.close()

    def _reset(self, way: _Way) -> None:
        """End a connection the hard way: the peers get RST, not FIN."""
        for end in (way.source, way.sink):
            self._ways.pop(end, None)
            _linger_off(end)
            with suppress(OSError):
                end.close()


def _linger_off(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
