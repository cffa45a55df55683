"""Who asks, and what he may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """KILL may stop trading but neither start nor resume it; READ changes nothing."""

    READ = "read"
    CONTROL = "control"
    KILL = "kill"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    Attributes:
        key: what his rate limits are counted under; never the secret itself.
        actor: the name in audit rows and logs.
        scopes: what he may do.
        csrf_token: what a browser session must send back with every change; None for bearer tokens, which no
            browser adds by itself.
        expires_ns: when a browser session ends in any case; None: never.
    """

    key: str
    actor: str
    scopes: frozenset[Scope]
    csrf_token: str | None = None
    expires_ns: int | None = None


def known_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """Read scopes as the ledger keeps them; one a newer build invented gives nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in words if word in known)
