"""Weight accounting per address: 429 with Retry-After, then 418 for those who do not listen (REFERENCE 1.3)."""

from collections import deque
from dataclasses import dataclass, field

from mexc_sim.core.replies import Route
from mexc_sim.core.timers import NS_PER_S
from mexc_sim.core.world import Rules

_WINDOW_NS = 10 * NS_PER_S


@dataclass(slots=True)
class _Account:
    window_ns: int = 0
    used: int = 0
    second_ns: int = 0
    in_second: int = 0
    limited_until_ns: int = 0
    violations: int = 0
    bans: int = 0
    banned_until_ns: int = 0
    rates: dict[str, deque[int]] = field(default_factory=dict)
    """Lane -> times of the calls let through; any window counts, the strictest reading of "per second"."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A refusal: HTTP status 429 or 418 and the seconds to wait."""

    status: int
    retry_after_s: int


class Limits:
    """Counts weight in fixed 10 s windows per address."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._accounts: dict[str, _Account] = {}

    def spend(self, client: str, route: Route, now_ns: int) -> Limited | None:
        """Charge a request; the refusal, or None when it may pass."""
        account = self._accounts.setdefault(client, _Account())
        if now_ns < account.banned_until_ns:
            return Limited(418, _seconds_until(account.banned_until_ns, now_ns))
        if now_ns - account.window_ns >= _WINDOW_NS:
            account.window_ns, account.used = now_ns, 0
        if now_ns - account.second_ns >= NS_PER_S:
            account.second_ns, account.in_second = now_ns, 0
        if now_ns >= account.limited_until_ns and account.limited_until_ns:
            account.limited_until_ns, account.violations = 0, 0
        account.used += route.weight
        account.in_second += 1
        if now_ns < account.limited_until_ns:
            return self._violation(account, now_ns)
        if account.used > self._rules.ip_weight:
            account.limited_until_ns = account.window_ns + _WINDOW_NS
        elif 0 < self._rules.requests_per_s < account.in_second:
            account.limited_until_ns = account.second_ns + NS_PER_S
        else:
            return self._own_rate(account, route, now_ns)
        return Limited(429, _seconds_until(account.limited_until_ns, now_ns))

    def used(self) -> dict[str, int]:
        """Weight used in the current window per address."""
        return {client: account.used for client, account in self._accounts.items()}

    def forgive(self) -> None:
        """Lift every limit and ban."""
        self._accounts.clear()

    def _own_rate(self, account: _Account, route: Route, now_ns: int) -> Limited | None:
        if route.rate is None:
            return None
        allowed, seconds = route.rate
        calls = account.rates.setdefault(route.lane or route.name, deque())
        while calls and now_ns - calls[0] >= seconds * NS_PER_S:
            calls.popleft()
        if len(calls) >= allowed:
            return Limited(429, _seconds_until(calls[0] + seconds * NS_PER_S, now_ns))
        calls.append(now_ns)
        return None

    def _violation(self, account: _Account, now_ns: int) -> Limited:
        account.violations += 1
        if account.violations < self._rules.ban_after:
            return Limited(429, _seconds_until(account.limited_until_ns, now_ns))
        ban_s = min(self._rules.longest_ban_s, self._rules.first_ban_s * 2**account.bans)
        account.bans += 1
        account.violations = 0
        account.banned_until_ns = now_ns + ban_s * NS_PER_S
        return Limited(418, ban_s)


def _seconds_until(until_ns: int, now_ns: int) -> int:
    return max(1, -(-(until_ns - now_ns) // NS_PER_S))
