"""Routes that are closed unless they say otherwise.

Every router is made by `router_for` with the scope its callers need, or None for one of the few public paths. The
check runs before a byte of the body is read.
"""

import re
from collections.abc import Callable, Coroutine
from hmac import compare_digest
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from mexc_sniper.core.errors import InvariantError
from mexc_sniper.web.auth.principal import Principal, Scope
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.guard import SAFE_METHODS
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView

CSRF_HEADER = "x-csrf-token"
MAX_JSON_DEPTH = 16

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that knows who may use it and which query parameters it takes."""

    needs: Scope | None = None

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()
        known = frozenset(field.alias for field in self.dependant.query_params)

        async def handle(request: Request) -> Response:
            if self.needs is not None:
                await authorise(request, self.needs)
            if self.include_in_schema:  # pages keep their filters in the address; only the API refuses the unknown
                _check_query(request, known)
            if self.body_field is not None:
                check_depth(await request.body())
            return await inner(request)

        return handle


class _Reading(GuardedRoute):
    needs = Scope.READ


class _Controlling(GuardedRoute):
    needs = Scope.CONTROL


class _Killing(GuardedRoute):
    needs = Scope.KILL


_ROUTES: dict[Scope | None, type[GuardedRoute]] = {
    None: GuardedRoute,
    Scope.READ: _Reading,
    Scope.CONTROL: _Controlling,
    Scope.KILL: _Killing,
}


def router_for(needs: Scope | None, *, tag: str) -> APIRouter:
    """Make a router whose every route needs a scope; None makes them public."""
    refusals: dict[int | str, dict[str, Any]] = {422: {"model": ErrorView, "description": "A field is wrong."}}
    if needs is not None:
        refusals |= {
            401: {"model": ErrorView, "description": "Not signed in."},
            403: {"model": ErrorView, "description": f"Lacks the scope {needs.value}, or came from another page."},
            429: {"model": ErrorView, "description": "Too many requests."},
            503: {"model": ErrorView, "description": "The ledger or the engine does not answer."},
        }
    return APIRouter(route_class=_ROUTES[needs], tags=[tag], responses=refusals)


async def authorise(request: Request, needs: Scope) -> Principal:
    """Recognise the caller and check scope, proof against forged requests, and rate.

    Stopping is never rate-limited, and works for whoever was recognised lately while the database is down.

    Raises:
        ApiError: 401, 403 or 429.
    """
    auth = services(request).auth
    stops = needs is Scope.KILL
    caller = await (auth.recognise_in_need(request) if stops else auth.recognise(request))
    request.state.principal = caller
    request.state.actor = caller.actor
    if needs not in caller.scopes:
        raise ApiError(403, "scope_missing", f"This needs the scope {needs.value}.", details={"needs": needs.value})
    if request.method in SAFE_METHODS:
        auth.reads.take(caller.key, "requests")
        return caller
    _check_forgery(request, caller)
    if not stops:
        auth.commands.take(caller.key, "commands")
    return caller


def principal(request: Request) -> Principal:
    """Return who was recognised; for endpoints of guarded routes."""
    caller = getattr(request.state, "principal", None)
    if not isinstance(caller, Principal):
        raise InvariantError("a public route asked who its caller is")
    return caller


def program(request: Request) -> Principal:
    """Return who was recognised, if by a bearer token.

    Raises:
        ApiError: 403 ``token_required`` for a browser: a stolen session must not make itself permanent.
    """
    caller = principal(request)
    if caller.is_browser:
        raise ApiError(403, "token_required", "This is for programs with a bearer token; use the command line.")
    return caller


def browser(request: Request) -> Principal:
    """Return who was recognised, if by a browser's session.

    Raises:
        ApiError: 403 ``session_required`` for a program.
    """
    caller = principal(request)
    if not caller.is_browser:
        raise ApiError(403, "session_required", "This is for a signed-in browser; the command line has its own way.")
    return caller


async def stepped_up(request: Request) -> Principal:
    """Return who was recognised, if he may do dangerous things now.

    Raises:
        ApiError: 403 ``step_up_required`` for a browser that must give its password again.
    """
    caller = principal(request)
    await services(request).login.require_step_up(caller)
    return caller


def _check_forgery(request: Request, caller: Principal) -> None:
    """A browser adds its cookie to any request to us; only our own page knows the header (RELIABILITY 4.1)."""
    if caller.csrf_token is None:
        return
    if "origin" not in request.headers:
        raise ApiError(403, "foreign_origin", "A signed-in browser names its page with every change; this did not.")
    sent = request.headers.get(CSRF_HEADER, "")
    if not compare_digest(sent.encode(), caller.csrf_token.encode()):
        raise ApiError(403, "csrf_required", "The header X-CSRF-Token is missing or old. Reload the page.")


def _check_query(request: Request, known: frozenset[str]) -> None:
    seen = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise invalid("query", name, f"is not a parameter of this path (it takes: {takes})")
        if name in seen:
            raise invalid("query", name, "is given twice")
        seen.add(name)


_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def check_depth(body: bytes) -> None:
    """Refuse JSON nested deeper than `MAX_JSON_DEPTH`, before anything recurses into it.

    Raises:
        ApiError: 422 naming the limit.
    """
    depth = 0
    for bracket in _BRACKETS.finditer(_TEXTS.sub(b"", body)):
        depth += 1 if bracket.group() in (b"[", b"{") else -1
        if depth > MAX_JSON_DEPTH:
            raise invalid("body", "", f"is nested deeper than {MAX_JSON_DEPTH} levels")
