"""What order entry needs from a socket: bytes out at once, bytes in with the instant they came (`wire.py` has it)."""

from typing import Protocol


class BytesHandler(Protocol):
    """Who hears one connection. Called on the loop's thread; must not block or raise."""

    def on_bytes(self, data: bytes, mono_ns: int) -> None:
        """Bytes arrived; ``mono_ns`` is the instant they were read from the socket."""
        ...

    def on_close(self, why: str) -> None:
        """The connection ended; called once, nothing follows."""
        ...


class BytesConnection(Protocol):
    """One open TCP or TLS connection."""

    def write(self, data: bytes) -> bool:
        """Hand bytes to the socket within this call.

        Returns False only when it is certain that none of them left (the connection had ended, or the system
        refused them); otherwise some or all may reach the peer, whatever happens next.
        """
        ...

    def abort(self) -> None:
        """Drop the socket at once; idempotent. ``on_close`` follows."""
        ...


class BytesWire(Protocol):
    """Opens them; the simulation plugs in a virtual one."""

    async def open_bytes(self, url: str, handler: BytesHandler, *, deadline_s: float) -> BytesConnection:
        """Connect, with TLS and a verified certificate where the address says https.

        Raises:
            ConnectFailed: refused, not resolved, TLS failed, or not done within ``deadline_s``.
        """
        ...
