"""``/auth/tokens``: tokens for scripts, with only the scopes they need. Shown once, kept as hashes."""

import secrets
from typing import Annotated, Any

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mexc_sniper.core.clock import NS_PER_S, iso_from_ns
from mexc_sniper.ledger.access import ApiToken, hash_secret
from mexc_sniper.web import convert
from mexc_sniper.web.auth.login import SET_IT
from mexc_sniper.web.auth.principal import Scope, known_scopes
from mexc_sniper.web.auth.service import SECRET_BYTES
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.routing import router_for, stepped_up
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ErrorView, Iso, View

ID_CHARACTERS = 16
MAX_TOKENS = 100

router = router_for(Scope.CONTROL, tag="tokens")


class TokenRequest(BaseModel):
    """What a new token may do, and for how long."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["prometheus"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read"]])
    expires_in_days: int | None = Field(default=None, ge=1, le=3650, alias="expiresInDays")


class TokenView(View):
    """A token without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: Iso
    last_used_at: Iso | None
    expires_at: Iso | None


class NewTokenView(TokenView):
    """The only time the secret is shown."""

    token: str


class TokensView(View):
    """Every token that was made; the token file's is not among them."""

    tokens: list[TokenView]


@router.get("/auth/tokens")
async def tokens(request: Request) -> TokensView:
    """List tokens, oldest first."""
    found = await services(request).store.inbox_read(lambda inbox: inbox.tokens())
    return TokensView(tokens=[TokenView(**_shown(token)) for token in found])


@router.post("/auth/tokens", responses={409: {"model": ErrorView}})
async def create(request: Request, response: Response, body: TokenRequest) -> NewTokenView:
    """Make a token with scopes the caller has himself.

    A browser needs a password, given again (403 `step_up_required`): a stolen session must not make itself permanent.
    """
    parts, caller = services(request), await stepped_up(request)
    if caller.is_browser and not await parts.login.password_set():
        raise ApiError(403, "password_needed", f"Making tokens in a browser needs a password. {SET_IT}")
    beyond = [scope.value for scope in body.scopes if scope not in caller.scopes]
    if beyond:
        raise ApiError(403, "scope_missing", f"You cannot give what you do not have: {', '.join(beyond)}.")
    if len(await parts.store.inbox_read(lambda inbox: inbox.tokens())) >= MAX_TOKENS:
        raise ApiError(409, "too_many_tokens", f"There are {MAX_TOKENS} tokens; revoke some first.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    now_ns = parts.clock.wall_ns()
    days = body.expires_in_days
    token = ApiToken(
        token_hash=hash_secret(secret),
        name=body.name,
        scopes=tuple(scope.value for scope in Scope if scope in body.scopes),
        created_ns=now_ns,
        expires_ns=None if days is None else now_ns + days * 86_400 * NS_PER_S,
    )
    await parts.store.inbox(lambda inbox: inbox.add_token(token))
    response.headers["cache-control"] = "no-store"
    return NewTokenView(**_shown(token), token=secret)


@router.delete("/auth/tokens/{token_id}", status_code=204, responses={404: {"model": ErrorView}})
async def revoke(request: Request, token_id: Annotated[str, Path(pattern=f"^[0-9a-f]{{{ID_CHARACTERS}}}$")]) -> None:
    """Revoke a token at once."""
    parts = services(request)
    store = parts.store
    found = await store.inbox_read(lambda inbox: inbox.tokens())
    key = next((token.token_hash for token in found if token.token_hash.startswith(token_id)), None)
    if key is None:
        raise ApiError(404, "token_not_found", "There is no token with this id.")
    parts.auth.forget(key)
    await store.inbox(lambda inbox: inbox.revoke_token(key))


def _shown(token: ApiToken) -> dict[str, Any]:
    known = known_scopes(token.scopes)
    return {
        "id": token.token_hash[:ID_CHARACTERS],
        "name": token.name,
        "scopes": [scope for scope in Scope if scope in known],
        "created_at": iso_from_ns(token.created_ns),
        "last_used_at": convert.iso(token.last_used_ns),
        "expires_at": convert.iso(token.expires_ns),
    }
