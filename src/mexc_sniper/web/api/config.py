"""``/config``: the trade configuration, its versions, and its change (the engine decides, this hands on)."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mexc_sniper.model.commands import CommandResult, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig, loosens
from mexc_sniper.web import convert
from mexc_sniper.web.api.carrying import IdempotencyKey, Limit, Offset
from mexc_sniper.web.auth.principal import Scope
from mexc_sniper.web.config_schema import config_schema
from mexc_sniper.web.errors import ApiError, StoreUnavailable, invalid, invalid_fields, shown_name
from mexc_sniper.web.routing import principal, router_for, stepped_up
from mexc_sniper.web.services import services
from mexc_sniper.web.views import ConfigHistoryView, ConfigView, ErrorView

LARGEST_NUMBER = 10**15
MAX_VERSION = 2**31

reading = router_for(Scope.READ, tag="config")
controlling = router_for(Scope.CONTROL, tag="config")

_REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorView, "description": "stale_version, or confirmation_required for a large raise."}
}


class ConfigChange(BaseModel):
    """A patch: only what changes. ``version``: the one it was made from. ``confirm``: yes, such a raise is meant."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1, le=MAX_VERSION, strict=True)
    config: dict[Annotated[str, Field(min_length=1, max_length=64)], Any] = Field(
        min_length=1, max_length=64, examples=[{"tradeUsdt": "25", "maxOpenPositions": 3}]
    )
    confirm: bool | None = Field(default=None, strict=True)


class RollbackRequest(BaseModel):
    """Make the content of an old version the newest one."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=MAX_VERSION, strict=True)
    confirm: bool | None = Field(default=None, strict=True)


@reading.get("/config")
async def config(request: Request) -> ConfigView:
    """Show the version in force."""
    version = await services(request).store.read(lambda reader: reader.config())
    if version is None:
        raise StoreUnavailable(starting=True)
    return convert.config_view(version)


@reading.get("/config/history")
async def history(request: Request, limit: Limit = 50, offset: Offset = 0) -> ConfigHistoryView:
    """List every version, newest first."""
    versions, total = await services(request).store.read(
        lambda reader: reader.config_history(limit=limit, offset=offset)
    )
    return ConfigHistoryView(versions=[convert.config_view(version) for version in versions], total=total)


@reading.get("/config/schema")
async def schema(request: Request) -> dict[str, Any]:
    """Describe every field as JSON Schema, with title, unit, range and group for a form."""
    return config_schema()


@controlling.put("/config", responses=_REFUSALS)
async def change(request: Request, body: ConfigChange, idempotency_key: IdempotencyKey = None) -> ConfigView:
    """Change the configuration: a new version, checked as a whole, or nothing.

    422 names every wrong field (`config.maxTradeUsdt`); 409 `stale_version` when somebody was quicker; 409
    `confirmation_required` for what allows more than twice as much, until `confirm` is true; 403 `step_up_required`
    for what allows a browser anything more, once a password is set.
    """
    for name, value in body.config.items():
        _check_numbers(name, value)
    _refuse_unreadable(body.config)
    version = await _step_up_to_loosen(request, body.version, body.config)
    given = {"version": version, "config": body.config, "confirm": body.confirm}
    arguments = {name: value for name, value in given.items() if value is not None}
    return await _new_version(request, Verb.UPDATE_CONFIG, arguments, idempotency_key)


@controlling.post("/config/rollback", responses=_REFUSALS | {404: {"model": ErrorView}})
async def rollback(request: Request, body: RollbackRequest, idempotency_key: IdempotencyKey = None) -> ConfigView:
    """Make an old version the newest one; it is checked like any change."""
    old = await services(request).store.read(lambda reader: reader.config(body.version))
    if old is None:
        raise ApiError(404, "unknown_version", f"There is no configuration version {body.version}.")
    await _step_up_to_loosen(request, None, convert.config_view(old).config)
    arguments: dict[str, Any] = {"version": body.version, "config": convert.config_view(old).config}
    if body.confirm is not None:
        arguments["confirm"] = body.confirm
    return await _new_version(request, Verb.ROLLBACK_CONFIG, arguments, idempotency_key)


async def _step_up_to_loosen(request: Request, version: int | None, changed: Mapping[str, Any]) -> int | None:
    """Ask a browser for its password if a change allows more; returns the version the change is made from.

    That it needs none was judged against one version, so the change then holds for that version alone.
    """
    caller, parts = principal(request), services(request)
    if not caller.is_browser or not await parts.login.password_set():
        return version
    now: ConfigVersion | None = await parts.store.read(lambda reader: reader.config())
    if now is None:
        raise StoreUnavailable(starting=True)
    try:
        new = TradeConfig.model_validate(now.config.model_dump(by_alias=True) | dict(changed))
    except ValidationError:
        return version  # the engine refuses it and names the fields
    if not loosens(now.config, new):
        return version or now.version
    await stepped_up(request)
    return version


async def _new_version(request: Request, verb: Verb, arguments: dict[str, Any], key: str | None) -> ConfigView:
    parts = services(request)
    try:
        result = await parts.commander.carry_out(verb, arguments, principal(request), key)
    except ApiError as refusal:
        raise _by_field(refusal) from None
    number = _number(result)
    written: ConfigVersion | None = await parts.store.read(lambda reader: reader.config(number))
    if written is None:
        raise StoreUnavailable(starting=False)
    return convert.config_view(written)


def _number(result: CommandResult) -> int | None:
    """The version a change made; None, the newest, where the engine does not name it."""
    number = result.result.get("version")
    return number if isinstance(number, int) else None


def _by_field(refusal: ApiError) -> ApiError:
    """Give the engine's refusal of fields the shape of every other 422."""
    fields = refusal.details.get("fields")
    if refusal.status != 422 or not isinstance(fields, dict):
        return refusal
    named = [
        {"in": "body", "name": f"config.{name}"[:128], "problem": str(problem)[:256]}
        for name, problem in sorted(fields.items())
    ]
    return invalid_fields(named, code=refusal.code, message=refusal.message)


def _refuse_unreadable(changed: Mapping[str, Any]) -> None:
    """Refuse what no configuration could hold before it is written down as a command: it could be anything.

    Raises:
        ApiError: 422 ``invalid_config`` naming the fields, as the engine would.
    """
    try:
        TradeConfig.model_validate(TradeConfig().model_dump(by_alias=True) | dict(changed))
    except ValidationError as error:
        found = {".".join(shown_name(str(part)) for part in item["loc"]): item["msg"] for item in error.errors()}
        fields = [
            {"in": "body", "name": f"config.{name}"[:128], "problem": problem[:256]} for name, problem in found.items()
        ]
        message = f"The configuration was not changed; mend: {', '.join(sorted(found))}."[:256]
        raise invalid_fields(fields, code="invalid_config", message=message) from None


def _check_numbers(name: str, value: Any) -> None:
    """Refuse what JSON's reader takes and no other: NaN, Infinity, numbers no limit could hold.

    Raises:
        ApiError: 422 naming the field.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= LARGEST_NUMBER:  # NaN is neither above nor below
            raise invalid("body", f"config.{name}", "is no number a limit could hold")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_numbers(f"{name}.{key}", item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _check_numbers(f"{name}.{place}", item)
