"""Hands an operator's command to the engine and waits for its answer.

The command is a row in the inbox; the answer comes back as an event of the ledger. Nothing is ever sent twice: the
same idempotency key leads to the same row and the same answer.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import structlog

from mexc_sniper.core.clock import NS_PER_MS, ClockReader, iso_from_ns
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.web import convert
from mexc_sniper.web.auth.principal import Principal
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.live import Hub
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.state import Overview
from mexc_sniper.web.store import Store

MAX_KEY_CHARACTERS = 128

_log = structlog.get_logger()


class Commander:
    """The web process's only way to make the engine do something."""

    def __init__(self, options: WebOptions, store: Store, overview: Overview, hub: Hub, clock: ClockReader) -> None:
        self._wait_s = options.command_wait_s
        self._store = store
        self._overview = overview
        self._hub = hub
        self._clock = clock

    async def carry_out(
        self, verb: Verb, arguments: Mapping[str, Any], caller: Principal, idempotency_key: str | None
    ) -> CommandResult:
        """Write the command and wait up to `WebOptions.command_wait_s` for the engine's answer.

        Raises:
            ApiError: as `give`; the engine's refusal with its own status and code; 503 ``engine_unavailable`` when
                the engine is silent (the details name the command and when it expires).
        """
        started_ns = self._clock.mono_ns()
        command = await self.give(verb, arguments, caller, idempotency_key)
        result = await self.answer(command, self._wait_s)
        if result is None:
            raise silent(command)
        _log.info(
            "operator_command",
            verb=verb.value,
            actor=caller.actor,
            status=result.status.value,
            code=result.code,
            ms=round((self._clock.mono_ns() - started_ns) / NS_PER_MS, 2),
        )
        return done_or_refusal(result)

    async def give(
        self, verb: Verb, arguments: Mapping[str, Any], caller: Principal, idempotency_key: str | None
    ) -> Command:
        """Write the command; whoever gives it twice under one key gets the first one.

        Raises:
            ApiError: 422 for a bad or reused idempotency key; 503 ``engine_unavailable`` when the engine is gone,
                and then nothing was written.
        """
        key = _checked_key(idempotency_key)
        if not (await self._overview.engine_life()).alive:
            raise ApiError(
                503,
                "engine_unavailable",
                "The engine does not run, so nothing was done. `mexc-sniper run` starts it.",
                headers={"retry-after": "3"},
            )
        now_ns = self._clock.wall_ns()
        command = await self._store.inbox(lambda inbox: inbox.put(verb, dict(arguments), caller.actor, key, now_ns))
        if command.verb is not verb or command.arguments != dict(arguments):
            raise ApiError(
                422,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another command; take a new one.",
                details={"commandId": command.id, "verb": command.verb.value},
            )
        return command

    async def answer(self, command: Command, wait_s: float) -> CommandResult | None:
        """Wait for the engine's answer; None when there is none within ``wait_s``."""
        with self._hub.expecting(command.id) as answer:
            result = await self._store.read(lambda reader: reader.command_result(command.id))
            if result is not None:
                return result
            try:
                async with asyncio.timeout(wait_s):
                    return await answer
            except TimeoutError:
                return await self._store.read(lambda reader: reader.command_result(command.id))


def silent(command: Command) -> ApiError:
    """The answer when the engine lives but said nothing in time."""
    return ApiError(
        503,
        "engine_unavailable",
        "The engine did not answer in time. Unless it does so before the command expires, nothing is done; "
        "the same request with the same Idempotency-Key tells the outcome.",
        details={"commandId": command.id, "expiresAt": iso_from_ns(command.expires_ns)},
        headers={"retry-after": "3"},
    )


def done_or_refusal(result: CommandResult) -> CommandResult:
    """Return a result that was carried out.

    Raises:
        ApiError: the engine refused, or saw the command too late.
    """
    if result.status is CommandStatus.DONE:
        return result
    details = {**convert.plain(result.result), "commandId": result.id}
    if result.status is CommandStatus.EXPIRED:
        raise ApiError(
            503, "command_expired", result.message or "The engine saw the command too late; nothing was done.",
            details=details,
        )  # fmt: skip
    status = result.http_status if 400 <= result.http_status < 500 else 409
    raise ApiError(status, result.code or "refused", result.message, details=details)


def _checked_key(key: str | None) -> str:
    if key is None:
        return f"web-{uuid4().hex}"
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise invalid("header", "Idempotency-Key", f"takes 1 to {MAX_KEY_CHARACTERS} printable ASCII characters")
    return key
