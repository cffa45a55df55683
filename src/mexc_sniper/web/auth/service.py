"""Turns a cookie, a bearer token or a one-time link into a `Principal`; keeps hashes only."""

import asyncio
import secrets
from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest

import msgspec
import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from mexc_sniper.core.clock import NS_PER_S, ClockReader
from mexc_sniper.core.errors import StoreError
from mexc_sniper.ledger.access import Session, hash_secret
from mexc_sniper.web.auth.limits import Buckets, GuessThrottle
from mexc_sniper.web.auth.principal import ALL_SCOPES, Principal, Scope, known_scopes
from mexc_sniper.web.errors import ApiError
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.store import Store

SECRET_BYTES = 32
TOUCH_EVERY_S = 60.0
"""A session's last use is written at most so often; its idle end is exact to this."""
OPERATOR = "operator"
"""The actor of sessions by link and of the token file, and the account that a sign-in without a name means."""
MAX_SECRET_CHARACTERS = 512
MAX_REMEMBERED = 256
"""Callers kept in memory for stopping without a database; when full, the one not seen for longest is forgotten."""
RENEWAL_S = 10.0
"""How long the old id of a renewed session still passes."""
_ENDED = "This sign-in has ended. Get a new link with `mexc-sniper user link`."
IN_NEED_S = 0.5
"""How long stopping waits for the database to say who asks."""

_log = structlog.get_logger()


class Auth:
    """Sign-in and recognition of callers."""

    def __init__(self, options: WebOptions, store: Store, clock: ClockReader, *, full_token: str) -> None:
        self._options = options
        self._store = store
        self._clock = clock
        self._full_token_hash = hash_secret(full_token)
        self._guesses = GuessThrottle(clock)
        self._recent: OrderedDict[str, tuple[Principal, int]] = OrderedDict()
        self.reads = Buckets(options.reads_per_minute, clock)
        self.commands = Buckets(options.commands_per_minute, clock)

    @property
    def cookie_name(self) -> str:
        """Name the session's cookie.

        The ``__Host-`` prefix needs Secure, and that needs TLS. On plain loopback the name carries the data
        directory: cookies know no ports, and a demo beside the real bot must not sign its owner out.
        """
        if self._options.tls:
            return "__Host-mexc_sniper"
        return f"mexc_sniper_{hash_secret(str(self._options.data_dir.resolve()))[:8]}"

    async def recognise(self, connection: HTTPConnection) -> Principal:
        """Find out who asks: by bearer token if one is sent, else by cookie.

        Raises:
            ApiError: 401 ``not_signed_in``; 429 for an address that keeps guessing.
        """
        bearer = _bearer(connection.headers)
        if bearer is not None:
            principal = await self._by_token(bearer)
        elif cookie := connection.cookies.get(self.cookie_name):
            principal = await self.by_session(cookie)
        else:
            raise _not_signed_in("Sign in with the link that `mexc-sniper user link` prints, or send a bearer token.")
        if principal is None:
            refusal = _not_signed_in(_ENDED)
            # An expired cookie is no guess: a page left open must not slow its owner's next sign-in down.
            raise refusal if bearer is None else self._guesses.failed(address(connection), refusal)
        return principal

    async def recognise_in_need(self, connection: HTTPConnection) -> Principal:
        """Find out who asks to stop; with the database gone, by whom was recognised lately (RELIABILITY row 92).

        Raises:
            ApiError: as `recognise`.
            StoreError: the database does not answer, and this caller was not seen while it did.
        """
        try:
            async with asyncio.timeout(IN_NEED_S):
                return await self.recognise(connection)
        except (StoreError, TimeoutError):
            known = self._remembered(connection)
            if known is None:
                raise StoreError("the ledger does not answer, and this sign-in was not seen while it did") from None
            _log.warning("recognised_from_memory", actor=known.actor)
            return known

    def _remembered(self, connection: HTTPConnection) -> Principal | None:
        secret = _bearer(connection.headers)
        if secret is None:
            secret = connection.cookies.get(self.cookie_name)
        if not secret or len(secret) > MAX_SECRET_CHARACTERS:
            return None
        found = self._recent.get(hash_secret(secret))
        if found is None:
            return None
        known, seen_ns = found
        now_ns = self._clock.wall_ns()
        fresh = now_ns - seen_ns < self._options.session_idle_s * NS_PER_S
        return known if fresh and (known.expires_ns is None or now_ns < known.expires_ns) else None

    def _remember(self, key: str, known: Principal) -> Principal:
        self._recent.pop(key, None)
        self._recent[key] = (known, self._clock.wall_ns())
        if len(self._recent) > MAX_REMEMBERED:
            self._recent.popitem(last=False)
        return known

    def forget(self, key: str) -> None:
        """Forget who a secret belongs to, by its hash: it was taken back."""
        self._recent.pop(key, None)

    async def issue_login_token(self) -> tuple[str, int]:
        """Make a one-time sign-in token; returns it and its end (UNIX ns)."""
        token = secrets.token_urlsafe(SECRET_BYTES)
        expires_ns = self._clock.wall_ns() + round(self._options.login_token_s * NS_PER_S)
        await self._store.inbox(lambda inbox: inbox.add_login_token(hash_secret(token), expires_ns))
        _log.info("login_link_issued")
        return token, expires_ns

    async def sign_in(self, login_token: str, connection: HTTPConnection) -> tuple[str, Principal]:
        """Exchange a one-time token for a new session; returns the cookie's value and who it is.

        Raises:
            ApiError: 401 ``login_token_invalid`` for a wrong, used or old token; 429 after several.
        """
        now_ns = self._clock.wall_ns()
        taken = len(login_token) <= MAX_SECRET_CHARACTERS and await self._store.inbox(
            lambda inbox: inbox.take_login_token(hash_secret(login_token), now_ns)
        )
        if not taken:
            refusal = ApiError(
                401,
                "login_token_invalid",
                "This sign-in link was used already or is too old. `mexc-sniper user link` prints a new one.",
            )
            _log.warning("sign_in_refused", address=address(connection))
            raise self._guesses.failed(address(connection), refusal)
        return await self.new_session(OPERATOR, connection)

    async def new_session(self, actor: str, connection: HTTPConnection) -> tuple[str, Principal]:
        """Begin a session for who has proven himself; returns the cookie's value and who it is."""
        now_ns = self._clock.wall_ns()
        cookie = secrets.token_urlsafe(SECRET_BYTES)
        session = Session(
            id_hash=hash_secret(cookie),
            actor=actor,
            scopes=tuple(scope.value for scope in Scope),
            created_ns=now_ns,
            last_used_ns=now_ns,
            expires_ns=now_ns + round(self._options.session_absolute_s * NS_PER_S),
            family=secrets.token_hex(SECRET_BYTES),
        )
        await self._store.inbox(lambda inbox: inbox.add_session(session))
        _log.info("signed_in", address=address(connection), actor=actor)
        return cookie, _session_principal(session)

    async def renew_session(self, connection: HTTPConnection, stepped_up_until_ns: int | None) -> tuple[str, Principal]:
        """Give a session a new id because what it may do changes (RELIABILITY 4.1, fixation).

        The absolute end stays. What is on its way under the old id, from this page or another tab, still passes for
        `RENEWAL_S`; the proof against forged requests belongs to the sign-in and stays.

        Raises:
            ApiError: 401 when the session has ended meanwhile.
        """
        old_hash = hash_secret(connection.cookies.get(self.cookie_name, ""))
        old = await self._store.inbox_read(lambda inbox: inbox.session(old_hash))
        cookie = secrets.token_urlsafe(SECRET_BYTES)
        if old is None:
            raise _not_signed_in(_ENDED)
        now_ns = self._clock.wall_ns()
        session = msgspec.structs.replace(
            old, id_hash=hash_secret(cookie), last_used_ns=now_ns, stepped_up_until_ns=stepped_up_until_ns
        )
        ends_ns = now_ns + round(RENEWAL_S * NS_PER_S)
        if not await self._store.inbox(lambda inbox: inbox.renew_session(old_hash, session, ends_ns)):
            raise _not_signed_in(_ENDED)
        return cookie, _session_principal(session)

    async def end_others(self, caller: Principal) -> int:
        """Sign out every browser but the caller's own; all of them when a program asks. Returns how many."""
        self._recent.clear()
        ended = await self._store.inbox(lambda inbox: inbox.end_sessions(but_family=caller.family or None))
        _log.info("others_signed_out", actor=caller.actor, sessions=ended)
        return ended

    async def sign_out(self, connection: HTTPConnection) -> None:
        """End the sign-in of this cookie, if there is one."""
        if cookie := connection.cookies.get(self.cookie_name):
            key = hash_secret(cookie)
            self.forget(key)
            session = await self._store.inbox_read(lambda inbox: inbox.session(key))
            if session is not None:
                family = session.family
                await self._store.inbox(lambda inbox: inbox.end_family(family))
            _log.info("signed_out", address=address(connection))

    async def by_session(self, cookie: str) -> Principal | None:
        """Return who a cookie belongs to and note the use; None once the session has ended."""
        if len(cookie) > MAX_SECRET_CHARACTERS:
            return None
        key = hash_secret(cookie)
        session = await self._store.inbox_read(lambda inbox: inbox.session(key))
        if session is None:
            self.forget(key)
            return None
        return await self._used(session)

    async def goes_on(self, caller: Principal, connection: HTTPConnection) -> bool:
        """Whether who opened a connection is still signed in, be it under a newer cookie; notes the use.

        Raises:
            StoreError: as `recognise`.
        """
        if not caller.is_browser:
            try:
                await self.recognise(connection)
            except ApiError:
                return False
            return True
        session = await self._store.inbox_read(lambda inbox: inbox.family_session(caller.family))
        return session is not None and await self._used(session) is not None

    async def _used(self, session: Session) -> Principal | None:
        """Note a use; None, and the session is forgotten, once it has ended."""
        key, now_ns = session.id_hash, self._clock.wall_ns()
        idle_ns = now_ns - session.last_used_ns
        if now_ns >= session.expires_ns or idle_ns >= self._options.session_idle_s * NS_PER_S:
            self.forget(key)
            await self._store.inbox(lambda inbox: inbox.end_session(key))
            return None
        if idle_ns >= min(TOUCH_EVERY_S, self._options.session_idle_s / 4) * NS_PER_S:
            await self._store.inbox(lambda inbox: inbox.touch_session(key, now_ns))
        return self._remember(key, _session_principal(session))

    async def _by_token(self, token: str) -> Principal | None:
        if len(token) > MAX_SECRET_CHARACTERS:
            return None
        key = hash_secret(token)
        if compare_digest(key, self._full_token_hash):
            return Principal(key="token:full", actor=f"{OPERATOR} (token)", scopes=ALL_SCOPES)
        now_ns = self._clock.wall_ns()
        row = await self._store.inbox_read(lambda inbox: inbox.token(key))
        if row is None or (row.expires_ns is not None and now_ns >= row.expires_ns):
            self.forget(key)
            return None
        if row.last_used_ns is None or now_ns - row.last_used_ns >= TOUCH_EVERY_S * NS_PER_S:
            await self._store.inbox(lambda inbox: inbox.touch_token(key, now_ns))
        known = Principal(key=f"token:{key[:16]}", actor=f"token {row.name}", scopes=known_scopes(row.scopes))
        return self._remember(key, known)


def csrf_token(family: str) -> str:
    """Derive what a page must send back with every change; it goes to whoever holds the cookie and nobody else."""
    return sha256(b"mexc-sniper csrf\x00" + family.encode()).hexdigest()


def address(connection: HTTPConnection) -> str:
    """Return the peer's address; forwarded headers are never believed."""
    return connection.client.host if connection.client else "unknown"


def _session_principal(session: Session) -> Principal:
    return Principal(
        key=f"session:{session.family[:16]}",
        actor=session.actor,
        scopes=known_scopes(session.scopes),
        csrf_token=csrf_token(session.family),
        expires_ns=session.expires_ns,
        family=session.family,
        stepped_up_until_ns=session.stepped_up_until_ns,
    )


def _bearer(headers: Headers) -> str | None:
    value = headers.get("authorization")
    if value is None:
        return None
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _not_signed_in(message: str) -> ApiError:
    return ApiError(401, "not_signed_in", message, headers={"www-authenticate": "Bearer"})
