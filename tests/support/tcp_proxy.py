"""A TCP proxy in a thread that can go wrong in the ways a network does."""

import selectors
import socket
import struct
import threading
from contextlib import suppress


class TcpProxy:
    """Forwards connections to ``target`` until told otherwise.

    ``swallow_answers`` lets requests through and drops what comes back (the answer to a COMMIT is lost);
    ``cut`` resets every open connection.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.swallow_answers = False
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._pairs: dict[socket.socket, tuple[socket.socket, bool]] = {}
        self._lock = threading.Lock()
        self._over = False
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self) -> None:
        """Reset every connection, both ways."""
        with self._lock:
            for end in list(self._pairs):
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.close()
            self._pairs.clear()

    def close(self) -> None:
        self._over = True
        self._thread.join()
        self.cut()
        self._listener.close()

    def _forward(self) -> None:
        while not self._over:
            with self._lock, selectors.DefaultSelector() as ready:
                ready.register(self._listener, selectors.EVENT_READ)
                for end in self._pairs:
                    ready.register(end, selectors.EVENT_READ)
                for key, _ in ready.select(timeout=0.002):
                    end = key.fileobj
                    assert isinstance(end, socket.socket)
                    if end is self._listener:
                        self._accept()
                    else:
                        self._pass_on(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._target, timeout=2)
        except OSError:
            client.close()
            return
        self._pairs[client] = (server, False)
        self._pairs[server] = (client, True)

    def _pass_on(self, end: socket.socket) -> None:
        if end not in self._pairs:
            return
        other, is_answer = self._pairs[end]
        try:
            data = end.recv(65_536)
            if data and not (is_answer and self.swallow_answers):
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            for side in (end, other):
                self._pairs.pop(side, None)
                side.close()
