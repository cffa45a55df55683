"""Who may sign in with a password. Hashes only; making and checking them is `web/auth/passwords.py`'s."""

from sqlalchemy import delete, select

from mexc_sniper.ledger.codec import column_text
from mexc_sniper.ledger.inbox_file import InboxTables, upserted
from mexc_sniper.ledger.tables import accounts


class AccountStore(InboxTables):
    """The accounts of the inbox."""

    def password_hash(self, name: str) -> str | None:
        """Return the argon2id hash of an account's password; None where there is no such account."""
        with self._file.read() as db:
            found = db.execute(select(accounts.c.password_hash).where(accounts.c.name == column_text(name))).scalar()
        return None if found is None else str(found)

    def account_names(self) -> list[str]:
        """Return who has a password, by name."""
        with self._file.read() as db:
            return [str(name) for name in db.execute(select(accounts.c.name).order_by(accounts.c.name)).scalars()]

    def set_password_hash(self, name: str, password_hash: str, now_ns: int) -> None:
        """Make an account, or give it another password."""
        row = {"name": column_text(name), "password_hash": password_hash, "changed_ns": now_ns}
        with self._file.write() as db:
            db.execute(upserted(accounts, row, sqlite=self._location.is_sqlite))

    def remove_account(self, name: str) -> bool:
        """Take an account's password away; False when it had none."""
        with self._file.write() as db:
            return db.execute(delete(accounts).where(accounts.c.name == column_text(name))).rowcount == 1
