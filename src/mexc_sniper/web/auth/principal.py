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
        family: what a browser's sign-in keeps when it gets a new cookie; empty for bearer tokens.
        stepped_up_until_ns: until when the password of a browser's session counts as just given.
    """

    key: str
    actor: str
    scopes: frozenset[Scope]
    csrf_token: str | None = None
    expires_ns: int | None = None
    family: str = ""
    stepped_up_until_ns: int | None = None

    @property
    def is_browser(self) -> bool:
        """Whether a browser's session asks, not a program with a bearer token."""
        return self.csrf_token is not None


def known_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """Read scopes as the ledger keeps them; one a newer build invented gives nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in words if word in known)
