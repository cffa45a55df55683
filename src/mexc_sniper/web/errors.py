"""Every refusal of the API has one shape: ``{code, message, details}`` (DESIGN 7)."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.faults import LedgerNotReady
from mexc_sniper.web.views import ErrorView

_SHOWN = 128
"""Characters of foreign text repeated in a message."""


class ApiError(Exception):
    """A refusal with its HTTP status, stable code and one sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Write it as an HTTP answer; refusals are never cached."""
        body = ErrorView(code=self.code, message=self.message, details=self.details)
        return Response(
            body.model_dump_json(),
            status_code=self.status,
            media_type="application/json",
            headers={"cache-control": "no-store", **self.headers},
        )


class StoreUnavailable(ApiError):
    """The ledger cannot be read or written at the moment."""

    def __init__(self, *, starting: bool) -> None:
        if starting:
            super().__init__(
                503, "starting", "The engine has not prepared the ledger yet. Try again in a moment.",
                headers={"retry-after": "1"},
            )  # fmt: skip
        else:
            super().__init__(
                503, "ledger_unavailable", "The ledger does not answer. `mexc-sniper doctor` tells why.",
                headers={"retry-after": "2"},
            )  # fmt: skip


def internal_error() -> ApiError:
    """The answer to our own bug; what happened is in the log, not in the answer."""
    return ApiError(500, "internal_error", "The program made a mistake; its log has the details.")


def invalid(where: str, name: str, problem: str) -> ApiError:
    """Refuse one field of a request, ``where`` being query, body, path or header."""
    return invalid_fields([{"in": where, "name": name[:_SHOWN], "problem": problem}])


def invalid_fields(fields: list[dict[str, str]], *, code: str = "invalid_request", message: str = "") -> ApiError:
    """Refuse several fields, each ``{in, name, problem}``; without a message the first one is told."""
    first = fields[0] if fields else {"in": "request", "name": "", "problem": "is not valid"}
    text = message or f"{first['in']} {first['name']}: {first['problem']}".strip()
    return ApiError(422, code, text, details={"fields": fields})


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")


def shown_name(name: str) -> str:
    """Return a field's name if it looks like one; a secret that was sent as a name is not repeated."""
    return name if _NAME.fullmatch(name) or name.isdigit() else "(unknown name)"


def from_validation(error: RequestValidationError) -> ApiError:
    """Name every wrong field, without repeating what was sent."""
    fields = []
    for problem in error.errors()[:20]:
        where, *path = (str(part) for part in problem["loc"]) if problem["loc"] else ("request",)
        message = "is not valid JSON" if problem["type"] == "json_invalid" else str(problem["msg"])
        fields.append({"in": where, "name": ".".join(map(shown_name, path))[:_SHOWN], "problem": message[:256]})
    return invalid_fields(fields)


_HTTP_CODES = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not take this method."),
    413: ("body_too_large", "A request's body may hold at most 64 KiB."),
}


def from_http(error: HTTPException) -> ApiError:
    """Give a refusal of the framework our shape."""
    code, message = _HTTP_CODES.get(error.status_code, ("http_error", str(error.detail)))
    return ApiError(error.status_code, code, message, headers=error.headers)


def install(app: FastAPI) -> None:
    """Let every error of ``app`` answer in the one shape."""

    async def on_api_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101 - registered for exactly this class
        return error.response()

    async def on_validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return from_validation(error).response()

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return from_http(error).response()

    async def on_store(_: Request, error: Exception) -> Response:
        assert isinstance(error, StoreError)  # noqa: S101
        return StoreUnavailable(starting=isinstance(error, LedgerNotReady)).response()

    app.add_exception_handler(ApiError, on_api_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(StoreError, on_store)
