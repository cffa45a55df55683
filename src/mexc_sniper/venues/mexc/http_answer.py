"""One HTTP/1.1 answer out of the bytes of a connection (httptools). Anything odd is an error, never a guess."""

from typing import NamedTuple

import httptools

from mexc_sniper.core.errors import ProtocolError

MAX_BODY_BYTES = 256 * 1024
"""An answer on the order path has a few hundred bytes; a longer one is none."""
MAX_HEAD_BYTES = 32 * 1024


class HttpAnswer(NamedTuple):
    """A complete answer."""

    status: int
    body: bytes
    retry_after: str | None
    is_packed: bool
    """Whether the body is compressed, which was not asked for."""
    keep_alive: bool
    mono_ns: int
    """When its last byte was read."""


class AnswerReader:
    """Reads exactly one answer; make a new one for the next request."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._begun = 0
        self._complete = False
        self._retry_after: str | None = None
        self._is_packed = False
        self._keep_alive = False

    def feed(self, data: bytes, mono_ns: int) -> HttpAnswer | None:
        """Take bytes; returns the answer once it is complete.

        Raises:
            ProtocolError: no HTTP, too long, or more than one answer to the one request.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise ProtocolError(f"no HTTP answer: {str(error)[:100]}; begins {data[:64]!r}") from None
        if self._begun > 1:
            raise ProtocolError("two answers to one request")
        if self._body_bytes > MAX_BODY_BYTES or self._head_bytes > MAX_HEAD_BYTES:
            raise ProtocolError("the answer is too long")
        if not self._complete:
            return None
        return HttpAnswer(
            self._parser.get_status_code(),
            b"".join(self._body),
            self._retry_after,
            self._is_packed,
            self._keep_alive,
            mono_ns,
        )

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        match name.lower():
            case b"retry-after":
                self._retry_after = value.decode("ascii", "replace")
            case b"content-encoding":
                self._is_packed = value.strip().lower() not in (b"", b"identity")

    def on_body(self, part: bytes) -> None:
        self._body_bytes += len(part)
        if self._body_bytes <= MAX_BODY_BYTES:
            self._body.append(part)

    def on_message_complete(self) -> None:
        if 100 <= self._parser.get_status_code() < 200:  # an interim answer: the real one follows
            self._begun -= 1
            self._body.clear()
            return
        self._complete = True
        self._keep_alive = self._parser.should_keep_alive()
