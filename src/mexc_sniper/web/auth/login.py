"""Signing in with a password, giving it again before dangerous steps, and changing it."""

import structlog
from starlette.requests import HTTPConnection

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.web.auth.limits import Backoff, LoginLimits, too_many
from mexc_sniper.web.auth.passwords import Passwords, weakness
from mexc_sniper.web.auth.principal import Principal
from mexc_sniper.web.auth.service import Auth, address
from mexc_sniper.web.errors import ApiError, invalid
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.store import Store

STEP_UP_S = 300.0
"""How long a password given again counts."""
SET_IT = "Set it in the terminal with `mexc-sniper user password`."

_log = structlog.get_logger()


class Login:
    """Passwords of the web process: who may try, who is right, and what that allows."""

    def __init__(self, options: WebOptions, store: Store, auth: Auth, clock: ClockReader) -> None:
        self._store = store
        self._auth = auth
        self._clock = clock
        self._limits = LoginLimits(options.logins_per_minute, clock)
        self._again = Backoff(clock)
        self.passwords = Passwords()

    async def sign_in(self, account: str, password: str, connection: HTTPConnection) -> tuple[str, Principal]:
        """Exchange a password for a new session; returns the cookie's value and who it is.

        Raises:
            ApiError: 401 ``password_wrong`` for a wrong password or account, the same for both; 429 before anything
                is looked at for who tries too often.
        """
        who = address(connection)
        self._limits.admit(account, who)
        if not await self._is_right(account, password):
            self._limits.failed(account, who)
            _log.warning("password_sign_in_refused", address=who)
            raise ApiError(401, "password_wrong", "The name or the password is wrong.")
        self._limits.passed(account, who)
        return await self._auth.new_session(account, connection)

    async def step_up(self, caller: Principal, password: str, connection: HTTPConnection) -> tuple[str, Principal]:
        """Let a session do dangerous things for `STEP_UP_S`; returns its new cookie's value and who it is.

        Raises:
            ApiError: 403 ``password_wrong``, ``no_password``; 429 for a session that keeps being wrong.
        """
        await self._prove(caller, password)
        until_ns = self._clock.wall_ns() + round(STEP_UP_S * NS_PER_S)
        return await self._auth.renew_session(connection, until_ns)

    async def password_set(self) -> bool:
        """Whether anybody has a password; from then on browsers must step up."""
        return bool(await self._store.inbox_read(lambda inbox: inbox.account_names()))

    async def require_step_up(self, caller: Principal) -> None:
        """Refuse a browser's session whose password was not given lately; programs confirm by their own fields.

        Raises:
            ApiError: 403 ``step_up_required``.
        """
        if not caller.is_browser or not await self.password_set():
            return
        until_ns = caller.stepped_up_until_ns
        if until_ns is None or self._clock.wall_ns() >= until_ns:
            raise ApiError(403, "step_up_required", "This needs your password again.")

    async def change(self, caller: Principal, current: str | None, new: str, connection: HTTPConnection) -> str:
        """Set the caller's password; every other browser is signed out. Returns his new cookie's value.

        Raises:
            ApiError: 422 for a weak one; 403 ``password_wrong`` for a wrong ``current``, needed once there is one.
        """
        if problem := weakness(new):
            raise invalid("body", "new", problem)
        names = await self._store.inbox_read(lambda inbox: inbox.account_names())
        if caller.actor in names:
            await self._prove(caller, current or "")
        elif names:
            # A session by link must not become an account beside those there are.
            raise _no_password(caller)
        hashed = await self.passwords.hash(new)
        now_ns = self._clock.wall_ns()
        await self._store.inbox(lambda inbox: inbox.set_password_hash(caller.actor, hashed, now_ns))
        await self._auth.end_others(caller)
        _log.warning("password_changed", actor=caller.actor)
        cookie, _ = await self._auth.renew_session(connection, None)
        return cookie

    def close(self) -> None:
        """Let running hashes finish."""
        self.passwords.close()

    async def _prove(self, caller: Principal, password: str) -> None:
        """Have a session prove that it knows its account's password. Guesses slow down this sign-in alone."""
        if wait_s := self._again.wait_s(caller.key):
            raise too_many("Too many wrong passwords.", wait_s)
        if await self._is_right(caller.actor, password):
            self._again.passed(caller.key)
            return
        if caller.actor not in await self._store.inbox_read(lambda inbox: inbox.account_names()):
            raise _no_password(caller)
        self._again.failed(caller.key)
        _log.warning("password_step_up_refused", actor=caller.actor)
        raise ApiError(403, "password_wrong", "The password is wrong.")

    async def _is_right(self, account: str, password: str) -> bool:
        stored = await self._store.inbox_read(lambda inbox: inbox.password_hash(account))
        if not await self.passwords.matches(password, stored) or stored is None:
            return False
        if self.passwords.outdated(stored):
            fresh = await self.passwords.hash(password)
            now_ns = self._clock.wall_ns()
            await self._store.inbox(lambda inbox: inbox.set_password_hash(account, fresh, now_ns))
        return True


def _no_password(caller: Principal) -> ApiError:
    return ApiError(403, "no_password", f"{caller.actor} has no password. {SET_IT}")
