"""Limits on asking: token buckets per caller, and a slow-down for those who guess."""

from collections import OrderedDict

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.web.errors import ApiError

MAX_KEYS = 4_096
"""Callers remembered; when full, the one not seen for longest is forgotten (and starts with a full bucket)."""


class Buckets:
    """One token bucket per key: ``per_minute`` on average, a minute's worth at once."""

    def __init__(self, per_minute: int, clock: ClockReader) -> None:
        self._size = float(per_minute)
        self._per_ns = per_minute / 60 / NS_PER_S
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Take one; returns 0, or the seconds until there is one (then nothing was taken)."""
        now_ns = self._clock.mono_ns()
        left, at_ns = self._left.pop(key, (self._size, now_ns))
        left = min(self._size, left + (now_ns - at_ns) * self._per_ns)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._per_ns / NS_PER_S
        self._left[key] = (left if wait_s else left - 1, now_ns)
        if len(self._left) > MAX_KEYS:
            self._left.popitem(last=False)
        return wait_s

    def take(self, key: str, what: str) -> None:
        """Take one.

        Raises:
            ApiError: 429 ``rate_limited`` when there is none.
        """
        if wait_s := self.wait_s(key):
            raise too_many(f"Too many {what}; the limit is {self._size:.0f} a minute.", wait_s)


def too_many(message: str, wait_s: float) -> ApiError:
    """Refuse with 429 and the seconds to wait."""
    seconds = max(1, round(wait_s + 0.5))
    return ApiError(
        429,
        "rate_limited",
        message,
        details={"retryAfterSeconds": seconds},
        headers={"retry-after": str(seconds)},
    )


class Backoff:
    """A wait per key that grows with failures: none for the first `FREE`, then 1 s doubling up to 5 minutes.

    Ten quiet minutes forget a key.
    """

    FREE = 5
    MAX_WAIT_S = 300.0
    FORGET_S = 600.0

    def __init__(self, clock: ClockReader) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Return the seconds until this key may try again; 0: now."""
        count, last_ns = self._failures.get(key, (0, 0))
        quiet_s = (self._clock.mono_ns() - last_ns) / NS_PER_S
        if count < self.FREE or quiet_s >= self.FORGET_S:
            return 0.0
        return max(0.0, min(self.MAX_WAIT_S, 2.0 ** (count - self.FREE)) - quiet_s)

    def failed(self, key: str) -> None:
        """Count one failure. Not for those who came before their time: a loop would reach the longest wait."""
        now_ns = self._clock.mono_ns()
        count, last_ns = self._failures.pop(key, (0, now_ns))
        forgotten = (now_ns - last_ns) / NS_PER_S >= self.FORGET_S
        self._failures[key] = (1 if forgotten else min(count + 1, 64), now_ns)
        if len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def passed(self, key: str) -> None:
        """Forget a key that was right."""
        self._failures.pop(key, None)


class GuessThrottle:
    """Slows down those who present wrong secrets, per address.

    It is asked only after a secret was found wrong: a right one passes at any time, so guessing locks nobody out.
    That is sound because every secret here has 256 random bits; passwords have `LoginLimits`.
    """

    def __init__(self, clock: ClockReader) -> None:
        self._backoff = Backoff(clock)

    def failed(self, address: str, refusal: ApiError) -> ApiError:
        """Count one wrong secret; returns what to answer: ``refusal``, or 429 for a caller to be slowed down."""
        if wait_s := self._backoff.wait_s(address):
            return too_many("Too many wrong sign-ins from this address.", wait_s)
        self._backoff.failed(address)
        return refusal


class LoginLimits:
    """Asked before a password is looked at, so that guessing costs the guesser more than us.

    A bucket each for the address, the account and everybody, and a `Backoff` for address and account. It guards
    signing in alone: neither a one-time link nor a session that exists ever comes here.
    """

    def __init__(self, per_minute: int, clock: ClockReader) -> None:
        self._addresses = Buckets(per_minute, clock)
        self._accounts = Buckets(2 * per_minute, clock)
        self._everybody = Buckets(6 * per_minute, clock)
        self._backoff = Backoff(clock)

    def admit(self, account: str, address: str) -> None:
        """Let one attempt pass.

        Raises:
            ApiError: 429 ``rate_limited``.
        """
        keys = _login_keys(account, address)
        if wait_s := max(self._backoff.wait_s(key) for key in keys):
            raise too_many(_TOO_MANY, wait_s)
        # The narrowest first: an address that has used up its own share takes nothing from the others.
        for bucket, key in ((self._addresses, address), (self._accounts, account), (self._everybody, "")):
            if wait_s := bucket.wait_s(key):
                raise too_many(_TOO_MANY, wait_s)

    def failed(self, account: str, address: str) -> None:
        """Count a wrong password."""
        for key in _login_keys(account, address):
            self._backoff.failed(key)

    def passed(self, account: str, address: str) -> None:
        """Forget the failures of who was right."""
        for key in _login_keys(account, address):
            self._backoff.passed(key)


_TOO_MANY = "Too many tries. Wait, or sign in with the link that `mexc-sniper user link` prints."


def _login_keys(account: str, address: str) -> tuple[str, str]:
    return f"account {account}", f"address {address}"
