"""Operator commands on their way from the web process (their only writer) to the engine."""

import math
from collections.abc import Callable, Collection, Mapping
from secrets import token_hex
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, func, insert, select

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.ids import CommandId
from mexc_sniper.ledger.access import AccessStore
from mexc_sniper.ledger.accounts import AccountStore
from mexc_sniper.ledger.channels import ChannelStore
from mexc_sniper.ledger.codec import INT64_MAX, column_text, from_json, storable, to_json
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.tables import commands
from mexc_sniper.ledger.tail import Tail
from mexc_sniper.model.commands import EXPIRES_AFTER_S, Command, Verb

NEVER_NS = INT64_MAX
"""When a command expires that never does."""

CHANNEL = "mexc_sniper_commands"
"""The NOTIFY channel of every new command."""

POLL_S = 0.010
"""Between two looks of the engine at the inbox; 0.8 % of a core (at 5 ms it was 1.5 %). A command waits half of it."""

_PAGE = 100
_READ_COMMANDS = (
    "SELECT number, id, verb, arguments, actor, created_ns, expires_ns FROM commands "
    "WHERE number > {number} AND (created_ns >= {created} OR expires_ns = {never} AND created_ns >= {lasting}) "
    "ORDER BY number LIMIT 100"
)
_LOOK_BACK_NS = 12 * 3_600 * NS_PER_S
"""Well inside the day for which answers are restored, so that no answered command can come again."""

_LOOK_BACK_LASTING_NS = 30 * 86_400 * NS_PER_S
"""For commands that never expire (kill, disarm); a start remembers a day more of answers (`view`)."""

_COMMANDS_LOCK = 0x6D787363  # "mxsc"; any constant of our own

_log = structlog.get_logger()


class WebInbox(AccessStore, AccountStore, ChannelStore):
    """The web process's own tables: commands, sign-in (`AccessStore`, `AccountStore`) and what notification channels
    are told (`ChannelStore`). Synchronous; usable from any thread. Every commit is fsynced: a command that was
    accepted survives a power cut.

    Every method raises `StoreError` or `ConfigError` when the inbox cannot be read or written.
    """

    def put(
        self,
        verb: Verb,
        arguments: Mapping[str, Any],
        actor: str,
        idempotency_key: str | None,
        now_ns: int,
    ) -> Command:
        """Write one command, fsynced; the engine sees it within milliseconds.

        The same key again writes nothing and returns the first command, whatever the other arguments say: compare
        its verb and arguments to tell a repetition from a key used twice. None makes a key of its own. ``now_ns``
        is wall time; the command expires by its verb (`EXPIRES_AFTER_S`).
        """
        command_id = CommandId(f"C{token_hex(12)}")
        key = column_text(idempotency_key) if idempotency_key is not None else command_id
        row = {
            "id": command_id,
            "idempotency_key": key,
            "verb": verb.value,
            "arguments": _arguments(arguments),
            "actor": column_text(actor),
            "created_ns": now_ns,
            "expires_ns": _expiry(verb, now_ns),
        }
        with self._file.write() as db:
            if not self._location.is_sqlite:
                # Numbers become visible in their order, so a reader that asks "above n" never misses one.
                db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_COMMANDS_LOCK})")
            found = db.execute(select(commands).where(commands.c.idempotency_key == key)).one_or_none()
            if found is None:
                db.execute(insert(commands).values(row))
                if not self._location.is_sqlite:
                    db.exec_driver_sql(f"SELECT pg_notify('{CHANNEL}', '')")
                found = db.execute(select(commands).where(commands.c.id == command_id)).one()
            return _command(
                found.number,
                found.id,
                found.verb,
                found.arguments,
                found.actor,
                found.created_ns,
                found.expires_ns,
            )

    def forget_commands(self, before_ns: int, *, rows: int = 500) -> int:
        """Delete up to ``rows`` commands made before a wall time, never the newest; returns how many."""
        oldest = (
            select(commands.c.number)
            .where(commands.c.created_ns < before_ns)
            .where(commands.c.number < select(func.max(commands.c.number)).scalar_subquery())
            .order_by(commands.c.number)
            .limit(rows)
        )
        with self._file.write() as db:
            return db.execute(delete(commands).where(commands.c.number.in_(oldest))).rowcount


class EngineInbox:
    """Implements `mexc_sniper.ports.CommandInbox`: reads the commands and never writes them."""

    def __init__(
        self, location: LedgerLocation, clock: ClockReader, *, finished: Collection[str] = (), poll_s: float = POLL_S
    ) -> None:
        """Do no I/O. Commands whose ids are in ``finished`` are not delivered (see also `skip`)."""
        self._clock = clock
        self._finished = set(finished)
        self._number = 0
        path = location.sqlite.inbox if location.is_sqlite else None
        self._tail = Tail(path, location, CHANNEL, poll_s=poll_s)

    def skip(self, finished: Collection[str]) -> None:
        """Do not deliver these commands: they were answered in an earlier life. Call before `run`."""
        self._finished.update(finished)

    async def run(self, deliver: Callable[[Command], None]) -> None:
        """Deliver commands in the order of their numbers, each once, expired ones included, until cancelled.

        A first start finds no inbox and waits for one. A start looks back half a day for what nobody answered,
        and a month for what never expires; whatever is older has long expired.
        """
        try:
            async for _ in self._tail.changes():
                await self._drain(deliver)
        finally:
            await self._tail.aclose()

    async def _drain(self, deliver: Callable[[Command], None]) -> None:
        now_ns = self._clock.wall_ns()
        while True:
            found = await self._tail.fetch(
                _READ_COMMANDS.format(
                    number=self._number,
                    created=now_ns - _LOOK_BACK_NS,
                    never=NEVER_NS,
                    lasting=now_ns - _LOOK_BACK_LASTING_NS,
                )
            )
            for row in found:
                self._number = row[0]
                if row[1] in self._finished:
                    continue
                try:
                    command = _command(*row)
                except (ValueError, msgspec.MsgspecError):
                    _log.exception("command_unreadable", number=row[0], command_id=row[1])
                    continue  # a newer web process wrote it; it goes unanswered and expires
                deliver(command)
            if len(found) < _PAGE:
                return


def _expiry(verb: Verb, now_ns: int) -> int:
    seconds = EXPIRES_AFTER_S[verb]
    return NEVER_NS if math.isinf(seconds) else now_ns + int(seconds * NS_PER_S)


def _arguments(arguments: Mapping[str, Any]) -> str:
    try:
        return to_json(arguments)
    except UnicodeEncodeError:
        return to_json(storable(dict(arguments)))


def _command(
    number: int, command_id: str, verb: str, arguments: str, actor: str, created_ns: int, expires_ns: int
) -> Command:
    return Command(
        id=CommandId(command_id),
        number=number,
        verb=Verb(verb),
        arguments=from_json(arguments, dict[str, Any]),
        actor=actor,
        created_ns=created_ns,
        expires_ns=expires_ns,
    )
