"""Who may use the web process: browser sessions, API tokens and one-time sign-in links. Secrets come as hashes only."""

from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.engine import Row

from mexc_sniper.ledger.codec import column_text
from mexc_sniper.ledger.inbox_file import InboxTables
from mexc_sniper.ledger.tables import api_tokens, login_tokens, sessions


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's session.

    ``id_hash`` is `hash_secret` of its cookie; ``expires_ns`` its absolute end, wall time; ``family`` a random word
    that stays when the sign-in gets a new cookie; ``stepped_up_until_ns`` until when its password counts as just
    given.
    """

    id_hash: str
    actor: str
    scopes: tuple[str, ...]
    created_ns: int
    last_used_ns: int
    expires_ns: int
    family: str
    stepped_up_until_ns: int | None = None


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A script's token. ``token_hash`` is `hash_secret` of it; ``expires_ns`` None means it does not expire."""

    token_hash: str
    name: str
    scopes: tuple[str, ...]
    created_ns: int
    last_used_ns: int | None = None
    expires_ns: int | None = None


def hash_secret(secret: str) -> str:
    """SHA-256 in hex of a random secret of at least 128 bits; not for passwords, which can be guessed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class AccessStore(InboxTables):
    """Sign-in tables of the inbox. What is expired or idle is the caller's to decide; `prune` deletes it."""

    def add_session(self, session: Session) -> None:
        """Remember a new session."""
        with self._file.write() as db:
            db.execute(insert(sessions).values(_columns(session)))

    def renew_session(self, old_hash: str, session: Session, old_ends_ns: int) -> bool:
        """Put a session with a new id in the place of one; False, and nothing done, when the old one has ended.

        What is on its way under the old id still passes until ``old_ends_ns``, but with no privilege.
        """
        with self._file.write() as db:
            ends_ns = case((sessions.c.expires_ns > old_ends_ns, old_ends_ns), else_=sessions.c.expires_ns)
            old = update(sessions).where(sessions.c.id_hash == column_text(old_hash))
            if db.execute(old.values(expires_ns=ends_ns, stepped_up_until_ns=None)).rowcount != 1:
                return False
            db.execute(insert(sessions).values(_columns(session)))
            return True

    def end_sessions(self, *, actor: str | None = None, but_family: str | None = None) -> int:
        """Sign out everybody, or one actor's browsers, but for one sign-in; returns how many sessions ended."""
        ending = delete(sessions)
        if actor is not None:
            ending = ending.where(sessions.c.actor == column_text(actor))
        if but_family is not None:
            ending = ending.where(sessions.c.family != column_text(but_family))
        with self._file.write() as db:
            return db.execute(ending).rowcount

    def session(self, id_hash: str) -> Session | None:
        """Return a session by the hash of its cookie."""
        with self._file.read() as db:
            row = db.execute(select(sessions).where(sessions.c.id_hash == column_text(id_hash))).one_or_none()
        return None if row is None else _session(row)

    def family_session(self, family: str) -> Session | None:
        """Return the session a sign-in goes on as: the one of its family that ends last."""
        newest = (
            select(sessions)
            .where(sessions.c.family == column_text(family))
            .order_by(sessions.c.expires_ns.desc())
            .limit(1)
        )
        with self._file.read() as db:
            row = db.execute(newest).one_or_none()
        return None if row is None else _session(row)

    def end_family(self, family: str) -> None:
        """Forget every session of one sign-in; no error if there is none."""
        with self._file.write() as db:
            db.execute(delete(sessions).where(sessions.c.family == column_text(family)))

    def touch_session(self, id_hash: str, now_ns: int) -> None:
        """Note that a session was used; costs an fsync, so once a minute is enough."""
        with self._file.write() as db:
            db.execute(update(sessions).where(sessions.c.id_hash == column_text(id_hash)).values(last_used_ns=now_ns))

    def end_session(self, id_hash: str) -> None:
        """Forget one session; no error if there is none."""
        with self._file.write() as db:
            db.execute(delete(sessions).where(sessions.c.id_hash == column_text(id_hash)))

    def add_token(self, token: ApiToken) -> None:
        """Remember a new API token."""
        with self._file.write() as db:
            db.execute(
                insert(api_tokens).values(
                    token_hash=token.token_hash,
                    name=column_text(token.name),
                    scopes=" ".join(token.scopes),
                    created_ns=token.created_ns,
                    last_used_ns=token.last_used_ns,
                    expires_ns=token.expires_ns,
                )
            )

    def token(self, token_hash: str) -> ApiToken | None:
        """Return an API token by its hash."""
        with self._file.read() as db:
            row = db.execute(select(api_tokens).where(api_tokens.c.token_hash == column_text(token_hash))).one_or_none()
        return None if row is None else _token(row)

    def tokens(self) -> list[ApiToken]:
        """Return every API token, oldest first."""
        with self._file.read() as db:
            return [_token(row) for row in db.execute(select(api_tokens).order_by(api_tokens.c.created_ns))]

    def touch_token(self, token_hash: str, now_ns: int) -> None:
        """Note that a token was used; costs an fsync, so once a minute is enough."""
        with self._file.write() as db:
            db.execute(
                update(api_tokens).where(api_tokens.c.token_hash == column_text(token_hash)).values(last_used_ns=now_ns)
            )

    def revoke_token(self, token_hash: str) -> None:
        """Forget one API token; no error if there is none."""
        with self._file.write() as db:
            db.execute(delete(api_tokens).where(api_tokens.c.token_hash == column_text(token_hash)))

    def add_login_token(self, token_hash: str, expires_ns: int) -> None:
        """Remember a one-time sign-in link."""
        with self._file.write() as db:
            db.execute(insert(login_tokens).values(token_hash=token_hash, expires_ns=expires_ns))

    def take_login_token(self, token_hash: str, now_ns: int) -> bool:
        """Use up a one-time link: True for exactly one caller, and only before it expires."""
        with self._file.write() as db:
            taken = db.execute(
                delete(login_tokens)
                .where(login_tokens.c.token_hash == column_text(token_hash))
                .where(login_tokens.c.expires_ns > now_ns)
            )
        return taken.rowcount == 1

    def prune(self, now_ns: int) -> None:
        """Delete sessions, tokens and links whose end has passed."""
        with self._file.write() as db:
            db.execute(delete(sessions).where(sessions.c.expires_ns <= now_ns))
            db.execute(delete(api_tokens).where(api_tokens.c.expires_ns <= now_ns))
            db.execute(delete(login_tokens).where(login_tokens.c.expires_ns <= now_ns))


def _columns(session: Session) -> dict[str, Any]:
    return {
        "id_hash": session.id_hash,
        "actor": column_text(session.actor),
        "scopes": " ".join(session.scopes),
        "created_ns": session.created_ns,
        "last_used_ns": session.last_used_ns,
        "expires_ns": session.expires_ns,
        "family": session.family,
        "stepped_up_until_ns": session.stepped_up_until_ns,
    }


def _session(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        id_hash=row.id_hash,
        actor=row.actor,
        scopes=tuple(row.scopes.split()),
        created_ns=row.created_ns,
        last_used_ns=row.last_used_ns,
        expires_ns=row.expires_ns,
        family=row.family,
        stepped_up_until_ns=row.stepped_up_until_ns,
    )


def _token(row: Row[*tuple[Any, ...]]) -> ApiToken:
    return ApiToken(
        token_hash=row.token_hash,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        created_ns=row.created_ns,
        last_used_ns=row.last_used_ns,
        expires_ns=row.expires_ns,
    )
