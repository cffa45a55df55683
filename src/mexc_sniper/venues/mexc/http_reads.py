"""What REST calls need from HTTP: one request out, one whole answer in (`http_client.py` has it)."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class HttpReply(NamedTuple):
    """One complete answer; ``body`` as it came over the wire, ``encoding`` says how it is packed."""

    status: int
    body: bytes
    encoding: str
    retry_after: str | None


class HttpReads(Protocol):
    """Speaks HTTP to one or more hosts. Never follows a redirect, never repeats a request, keeps no cookie."""

    async def open(self) -> None:
        """Get ready; no I/O yet."""
        ...

    async def close(self) -> None:
        """Let go of every connection; idempotent."""
        ...

    async def ask(self, method: str, url: str, headers: Mapping[str, str], *, max_body_bytes: int) -> HttpReply:
        """Ask once; the caller bounds the time by cancelling.

        Raises:
            ConnectFailed: nothing reached the peer.
            ConnectionLost: the connection broke off before the whole answer had come.
            ProtocolError: what came is no HTTP answer, or its body is longer than ``max_body_bytes``.
        """
        ...
