"""``/auth``: one-time links become browser sessions."""

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.web.auth.principal import Principal, Scope
from mexc_sniper.web.auth.service import Auth
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.routing import principal, program, router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView, Iso, SessionView, View

public = router_for(None, tag="sign-in")
reading = router_for(Scope.READ, tag="sign-in")
controlling = router_for(Scope.CONTROL, tag="sign-in")


class SignInRequest(BaseModel):
    """The one-time token after ``#token=`` of the link the terminal printed."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=512)


class LinkView(View):
    """A one-time token; append it to the page's address as ``/login#token=…``."""

    token: str
    expires_at: Iso


@public.post(
    "/auth/session", responses={401: {"model": ErrorView}, 403: {"model": ErrorView}, 429: {"model": ErrorView}}
)
async def sign_in(request: Request, response: Response, body: SignInRequest) -> SessionView:
    """Exchange a one-time token for a session cookie."""
    parts = services(request)
    cookie, caller = await parts.auth.sign_in(body.token, request)
    response.set_cookie(
        parts.auth.cookie_name,
        cookie,
        max_age=round(parts.options.session_absolute_s),
        path="/",
        secure=parts.options.tls,
        httponly=True,
        samesite="strict",
    )
    response.headers["cache-control"] = "no-store"
    return _session_view(caller)


@reading.get("/auth/session")
async def session(request: Request, response: Response) -> SessionView:
    """Tell who is signed in in this browser."""
    response.headers["cache-control"] = "no-store"
    return _session_view(principal(request))


@reading.delete("/auth/session", status_code=204)
async def sign_out(request: Request, response: Response) -> None:
    """End this browser's session."""
    auth: Auth = services(request).auth
    await auth.sign_out(request)
    response.delete_cookie(auth.cookie_name, path="/", secure=services(request).options.tls, httponly=True)


@controlling.post("/auth/link")
async def new_link(request: Request, response: Response) -> LinkView:
    """Make a one-time sign-in token; for programs with a bearer token (the CLI) only."""
    program(request)
    token, expires_ns = await services(request).auth.issue_login_token()
    response.headers["cache-control"] = "no-store"
    return LinkView(token=token, expires_at=iso_from_ns(expires_ns))


def _session_view(caller: Principal) -> SessionView:
    if caller.csrf_token is None or caller.expires_ns is None:
        raise ApiError(401, "not_signed_in", "A bearer token is no browser session.")
    return SessionView(
        actor=caller.actor,
        scopes=[scope.value for scope in Scope if scope in caller.scopes],
        csrf_token=caller.csrf_token,
        expires_at=iso_from_ns(caller.expires_ns),
    )
