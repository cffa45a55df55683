"""Operator actions. Each is a durable row with an idempotency key and an expiry, done once (DESIGN 2)."""

import math
from enum import StrEnum
from typing import Any

import msgspec

from mexc_sniper.core.ids import CommandId


class Verb(StrEnum):
    """What an operator can ask of the engine."""

    START_MONITOR = "start_monitor"
    STOP_MONITOR = "stop_monitor"
    INJECT_LISTING = "inject_listing"
    UPDATE_CONFIG = "update_config"
    ROLLBACK_CONFIG = "rollback_config"
    EXECUTE_TRADE = "execute_trade"
    CONFIRM_TRADE = "confirm_trade"
    REJECT_TRADE = "reject_trade"
    CLOSE_POSITION = "close_position"
    CANCEL_ORDER = "cancel_order"
    KILL = "kill"
    RESUME = "resume"
    ARM = "arm"
    DISARM = "disarm"
    RESOLVE_ATTENTION = "resolve_attention"
    TIME_ENTRY = "time_entry"


EXPIRES_AFTER_S: dict[Verb, float] = {
    Verb.START_MONITOR: 5.0,
    Verb.STOP_MONITOR: 30.0,
    Verb.INJECT_LISTING: 5.0,
    Verb.UPDATE_CONFIG: 5.0,
    Verb.ROLLBACK_CONFIG: 5.0,
    Verb.EXECUTE_TRADE: 5.0,
    Verb.CONFIRM_TRADE: 5.0,
    Verb.REJECT_TRADE: 30.0,
    Verb.CLOSE_POSITION: 30.0,
    Verb.CANCEL_ORDER: 30.0,
    Verb.KILL: math.inf,
    Verb.RESUME: 5.0,
    Verb.ARM: 5.0,
    Verb.DISARM: math.inf,
    Verb.RESOLVE_ATTENTION: 30.0,
    Verb.TIME_ENTRY: 5.0,
}
"""Seconds after which an unanswered command is never carried out; infinite for what only makes things safer."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``commands``; written by the web process or CLI, read by the engine."""

    id: CommandId
    number: int
    """Order of arrival; the engine works them off by it."""
    verb: Verb
    arguments: dict[str, Any]
    actor: str
    created_ns: int
    expires_ns: int


class CommandStatus(StrEnum):
    """REFUSED is a business answer with a code; EXPIRED was never carried out."""

    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's answer to one command; written once."""

    id: CommandId
    verb: Verb
    actor: str
    status: CommandStatus
    code: str = ""
    """Error code for the API, snake case; empty when done."""
    message: str = ""
    http_status: int = 200
    """What the API answers with (a refusal such as 409 or 422 carries it here)."""
    result: dict[str, Any] = msgspec.field(default_factory=dict)
    finished_ns: int
