"""What reached the exchange and when its bytes had been read: the measuring rod of the order benches."""

from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from msgspec import DecodeError, json

from mexc_sim.core.messages import Answer, HttpRequest

_KEPT = 50_000
_SHOWN = 10_000


@dataclass(slots=True)
class LoggedRequest:
    """One request; the status stays 0 while it is held back."""

    request: HttpRequest
    handled_ns: int
    status: int = 0
    code: int | None = None

    def answered(self, answer: Answer) -> None:
        """Note the outcome (before faults spoil its delivery)."""
        self.status = answer.status
        if answer.status != 200:
            try:
                body = json.decode(answer.body)
            except DecodeError:
                return
            self.code = body.get("code") if isinstance(body, dict) else None

    def view(self) -> dict[str, Any]:
        """For the control API."""
        request = self.request
        text = request.query + ("&" if request.query and request.body else "") + request.body.decode("utf-8", "replace")
        params = dict(parse_qsl(text, keep_blank_values=True))
        params.pop("signature", None)
        return {
            "method": request.method,
            "path": request.path,
            "params": params,
            "client": request.client,
            "wallNs": request.read_wall_ns or self.handled_ns,
            "monoNs": request.read_mono_ns,
            "handledNs": self.handled_ns,
            "status": self.status,
            "code": self.code,
        }


class RequestLog:
    """The latest requests to the venue (control requests are not among them)."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=_KEPT)

    def add(self, request: HttpRequest, now_ns: int) -> LoggedRequest:
        """Note a request."""
        entry = LoggedRequest(request, now_ns)
        self._entries.append(entry)
        return entry

    def view(self, path: str | None, method: str | None) -> list[dict[str, Any]]:
        """Requests of a path and method, oldest first."""
        chosen = [
            entry
            for entry in self._entries
            if (path is None or entry.request.path == path) and (method is None or entry.request.method == method)
        ]
        return [entry.view() for entry in chosen[-_SHOWN:]]

    def clear(self) -> int:
        """Forget everything; returns how many."""
        count = len(self._entries)
        self._entries.clear()
        return count
