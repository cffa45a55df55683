"""``/kill-switch``, ``/arm``, ``/disarm``: what may be traded at all."""

from typing import Annotated, Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mexc_sniper.model.commands import Verb
from mexc_sniper.web.api.carrying import IdempotencyKey, carry_out
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.routing import principal, router_for, stepped_up
from mexc_sniper.web.services import services
from mexc_sniper.web.views import CommandView, ErrorView
from mexc_sniper.web.views_trading import KillView

MAX_ARM_MINUTES = 24 * 60

killing = router_for(Scope.KILL, tag="kill switch")
controlling = router_for(Scope.CONTROL, tag="kill switch")

Why = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class KillRequest(BaseModel):
    """``pause``: no new entries. ``cancel``: and cancel entry orders. ``flatten``: and sell positions, then halt.
    ``resume``: allow entries again."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["pause", "cancel", "flatten", "resume"] = "cancel"
    reason: Why = ""


class ArmRequest(BaseModel):
    """Permission for live entries, for a limited time."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    confirm: Literal["LIVE"]
    """Typed by the operator."""
    minutes: int = Field(ge=1, le=MAX_ARM_MINUTES, strict=True)
    new_account: bool = Field(default=False, alias="newAccount", strict=True)
    """The key belongs to another account than was armed before, and that is meant."""


@killing.post(
    "/kill-switch",
    responses={202: {"model": KillView, "description": "Stopped by the latch; the engine has not answered yet."}},
)
async def kill(
    request: Request, response: Response, body: KillRequest | None = None, idempotency_key: IdempotencyKey = None
) -> KillView:
    """Stop trading; an empty body means `cancel`. Never rate-limited, works without the database and the engine.

    The latch file is written first, then the command. 200 when the engine has answered, 202 when it has not yet.
    `resume` needs the scope control besides, of a browser its password again once one is set
    (403 `step_up_required`), and an engine that has compared its records with the venue.
    """
    wanted = body or KillRequest()
    parts, caller = services(request), principal(request)
    if wanted.action != "resume":
        view = await parts.kill_switch.stop(wanted.action, wanted.reason, caller, idempotency_key)
        response.status_code = 200 if view.engine_answered else 202
        return view
    if Scope.CONTROL not in caller.scopes:
        raise ApiError(403, "scope_missing", "Resuming needs the scope control.", details={"needs": "control"})
    await stepped_up(request)
    parts.auth.commands.take(caller.key, "commands")
    started_ns = parts.clock.mono_ns()
    answer = await carry_out(request, Verb.RESUME, {"reason": wanted.reason}, idempotency_key)
    return parts.kill_switch.resumed(answer, started_ns)


@controlling.post("/arm", responses={409: {"model": ErrorView}})
async def arm(request: Request, body: ArmRequest, idempotency_key: IdempotencyKey = None) -> CommandView:
    """Permit live entries for some minutes.

    Refused in dry-run, with a key that is not fit or has no passed canary, with another account's key than was armed
    before (unless `newAccount`), before the comparison with the venue, and while anything is latched. A browser gives
    its password again once one is set: 403 `step_up_required`.
    """
    await stepped_up(request)
    arguments = {"minutes": body.minutes, **({"newAccount": True} if body.new_account else {})}
    return await carry_out(request, Verb.ARM, arguments, idempotency_key)


@controlling.post("/disarm")
async def disarm(request: Request, idempotency_key: IdempotencyKey = None) -> CommandView:
    """End the permission for live entries; live positions keep their exits."""
    return await carry_out(request, Verb.DISARM, {}, idempotency_key)
