"""Stops trading: the latch file first, then the command, then the engine's answer; each step survives the others."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

import structlog

from mexc_sniper.core.clock import NS_PER_MS, ClockReader
from mexc_sniper.core.errors import StoreError
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.latch import KillLatch
from mexc_sniper.web import convert
from mexc_sniper.web.auth.principal import Principal
from mexc_sniper.web.commands import Commander
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.latch import read_latch, set_latch
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.state import Overview
from mexc_sniper.web.store import Store
from mexc_sniper.web.views import CommandView
from mexc_sniper.web.views_trading import KillView

StopAction = Literal["pause", "cancel", "flatten"]
LATCH_S = 1.0
RECORD_S = 1.0
LOOK_S = 0.3
"""Deadlines of the file, of the command's row and of the look at the engine; it acts on whichever it sees first."""

_log = structlog.get_logger()


class KillSwitch:
    """Stops, whatever else is broken."""

    def __init__(
        self, options: WebOptions, store: Store, overview: Overview, commander: Commander, clock: ClockReader
    ) -> None:
        self._options = options
        self._store = store
        self._overview = overview
        self._commander = commander
        self._clock = clock

    async def stop(self, action: StopAction, reason: str, caller: Principal, key: str | None) -> KillView:
        """Set the latch, record the command, and tell what the engine answered if it did in time.

        Raises:
            ApiError: 503 ``kill_failed`` when neither latch nor command could be written.
        """
        started_ns = self._clock.mono_ns()
        latch, why_not = await self._latch(action, reason, caller)
        command = await self._record({"action": action, "reason": reason}, caller, key)
        if latch is None and command is None:
            raise ApiError(
                503,
                "kill_failed",
                f"Neither the latch file nor the ledger can be written ({why_not}). "
                "On the bot's machine run `mexc-sniper panic`, or end its engine.",
            )
        alive = await self._engine_alive()
        result = await self._answer(command) if command is not None and alive else None
        answered = result is not None and result.status is CommandStatus.DONE
        took_ms = round((self._clock.mono_ns() - started_ns) / NS_PER_MS, 2)
        _log.warning(
            "kill_switch", action=action, actor=caller.actor, latched=latch is not None,
            recorded=command is not None, answered=answered, ms=took_ms,
        )  # fmt: skip
        return KillView(
            action=action,
            latched=latch is not None,
            recorded=command is not None,
            engine_answered=answered,
            message=_message(latch, command is not None, result, alive=alive),
            took_ms=took_ms,
            command_id=None if command is None else command.id,
            result=convert.plain(result.result) if result is not None else {},
        )

    def resumed(self, answer: CommandView, started_ns: int) -> KillView:
        """Show that the engine has resumed, and whether the latch it should have taken away is still there."""
        latch = read_latch(self._options.data_dir)
        still = "" if latch is None else f" The latch ({latch.action}) is still there, and the engine acts on it again."
        return KillView(
            action="resume",
            latched=latch is not None,
            recorded=True,
            engine_answered=True,
            message=(answer.message or "Trading is active again.") + still,
            took_ms=round((self._clock.mono_ns() - started_ns) / NS_PER_MS, 2),
            command_id=answer.id,
            result=answer.result,
        )

    async def _engine_alive(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_S):
                return (await self._overview.engine_life()).alive
        except TimeoutError:
            return False

    async def _latch(self, action: StopAction, reason: str, caller: Principal) -> tuple[KillLatch | None, str]:
        wanted = KillLatch(action=action, actor=caller.actor, wall_ns=self._clock.wall_ns(), reason=reason)
        try:
            async with asyncio.timeout(LATCH_S):
                return await asyncio.to_thread(set_latch, self._options.data_dir, wanted), ""
        except (StoreError, TimeoutError) as error:
            _log.error("kill_latch_not_written", error=str(error) or "the disk does not answer")
            return None, str(error) or "the disk does not answer"

    async def _record(self, arguments: Mapping[str, Any], caller: Principal, key: str | None) -> Command | None:
        """Write the command; a key that was used for something else never stops a stop."""
        try:
            async with asyncio.timeout(RECORD_S):
                command = await self._put(arguments, caller, key or f"kill-{uuid4().hex}")
                if command.verb is Verb.KILL and command.arguments == dict(arguments):
                    return command
                return await self._put(arguments, caller, f"kill-{uuid4().hex}")
        except (StoreError, TimeoutError) as error:
            _log.error("kill_not_recorded", error=str(error) or "the ledger does not answer")
        return None

    async def _put(self, arguments: Mapping[str, Any], caller: Principal, key: str) -> Command:
        now_ns = self._clock.wall_ns()
        return await self._store.inbox(lambda inbox: inbox.put(Verb.KILL, arguments, caller.actor, key, now_ns))

    async def _answer(self, command: Command) -> CommandResult | None:
        try:
            return await self._commander.answer(command, self._options.command_wait_s)
        except StoreError:
            return None


_DOES = {
    "pause": "No new entries.",
    "cancel": "No new entries; entry orders are canceled.",
    "flatten": "No new entries; orders are canceled and positions sold.",
}


def _done(result: CommandResult) -> str:
    counts = {"canceled": "entry orders being canceled", "sold": "positions being sold"}
    told = [f"{result.result[name]} {words}" for name, words in counts.items() if result.result.get(name)]
    return "The engine has stopped entries" + (f"; {', '.join(told)}." if told else ".")


def _message(latch: KillLatch | None, recorded: bool, result: CommandResult | None, *, alive: bool) -> str:
    if result is not None and result.status is CommandStatus.DONE:
        return result.message or _done(result)
    if result is not None:
        return f"The engine refused: {result.message or result.code}. The latch stays: no entry leaves."
    parts = []
    if latch is not None:
        parts.append(f"The latch is set ({latch.action}): {_DOES[latch.action]}")
    else:
        parts.append("The latch file could not be written; only the command is on its way.")
    if not recorded:
        parts.append("The ledger does not answer, so the command is not recorded; the engine acts on the latch.")
    if not alive:
        parts.append(
            "The engine does not run or cannot be seen: `mexc-sniper panic` cancels orders at the venue itself."
        )
    elif recorded:
        parts.append("The engine has not answered yet.")
    return " ".join(parts)
