"""``/auth``: one-time links and passwords become browser sessions; a password given again allows dangerous steps."""

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mexc_sniper.core.clock import iso_from_ns
from mexc_sniper.web.auth.passwords import MOST_CHARACTERS
from mexc_sniper.web.auth.principal import Principal, Scope
from mexc_sniper.web.auth.service import OPERATOR, Auth
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.routing import browser, principal, program, router_for
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView, Iso, SessionView, View

public = router_for(None, tag="sign-in")
reading = router_for(Scope.READ, tag="sign-in")
controlling = router_for(Scope.CONTROL, tag="sign-in")


Password = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]


class SignInRequest(BaseModel):
    """The one-time ``token`` after ``#token=`` of the link the terminal printed, or a ``password``."""

    model_config = ConfigDict(extra="forbid")

    token: str | None = Field(default=None, min_length=1, max_length=512)
    user: str = Field(default=OPERATOR, min_length=1, max_length=32)
    password: Password | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "SignInRequest":
        if (self.token is None) == (self.password is None):
            raise ValueError("give either a token or a password")
        return self


class StepUpRequest(BaseModel):
    """The password, once more."""

    model_config = ConfigDict(extra="forbid")

    password: Password


class PasswordRequest(BaseModel):
    """A ``new`` password; ``current`` is needed once there is one."""

    model_config = ConfigDict(extra="forbid")

    current: Password | None = None
    new: Password


class EndedView(View):
    """How many other browsers were signed out."""

    ended: int


class LinkView(View):
    """A one-time token; append it to the page's address as ``/login#token=…``."""

    token: str
    expires_at: Iso


@public.post(
    "/auth/session", responses={401: {"model": ErrorView}, 403: {"model": ErrorView}, 429: {"model": ErrorView}}
)
async def sign_in(request: Request, response: Response, body: SignInRequest) -> SessionView:
    """Exchange a one-time token, or a password, for a session cookie."""
    parts = services(request)
    if body.password is not None:
        cookie, caller = await parts.login.sign_in(body.user, body.password, request)
    else:
        cookie, caller = await parts.auth.sign_in(body.token or "", request)
    _hand_out(request, response, cookie)
    return await _session_view(request, caller)


@reading.get("/auth/session")
async def session(request: Request, response: Response) -> SessionView:
    """Tell who is signed in in this browser."""
    response.headers["cache-control"] = "no-store"
    return await _session_view(request, principal(request))


@reading.post("/auth/step-up")
async def step_up(request: Request, response: Response, body: StepUpRequest) -> SessionView:
    """Give the password again: arming, resuming, raising limits and making tokens are allowed for five minutes.

    The session gets a new cookie; its `csrfToken` stays, so other tabs keep working.
    """
    cookie, caller = await services(request).login.step_up(browser(request), body.password, request)
    _hand_out(request, response, cookie)
    return await _session_view(request, caller)


@reading.post("/auth/password", status_code=204)
async def change_password(request: Request, response: Response, body: PasswordRequest) -> None:
    """Set or change the password; every other browser is signed out."""
    cookie = await services(request).login.change(browser(request), body.current, body.new, request)
    _hand_out(request, response, cookie)


@controlling.post("/auth/logout-others")
async def logout_others(request: Request) -> EndedView:
    """Sign out every other browser; asked by a program, every browser."""
    return EndedView(ended=await services(request).auth.end_others(principal(request)))


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


def _hand_out(request: Request, response: Response, cookie: str) -> None:
    parts = services(request)
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


async def _session_view(request: Request, caller: Principal) -> SessionView:
    if caller.csrf_token is None or caller.expires_ns is None:
        raise ApiError(401, "not_signed_in", "A bearer token is no browser session.")
    parts = services(request)
    until_ns = caller.stepped_up_until_ns
    stepped_up = until_ns is not None and parts.clock.wall_ns() < until_ns
    return SessionView(
        actor=caller.actor,
        scopes=[scope.value for scope in Scope if scope in caller.scopes],
        csrf_token=caller.csrf_token,
        expires_at=iso_from_ns(caller.expires_ns),
        password_set=await parts.login.password_set(),
        step_up_until=iso_from_ns(until_ns) if stepped_up and until_ns is not None else None,
    )
