"""The ledger's tables, the same on SQLite and PostgreSQL; migrations create them, a test compares the two.

A state row carries the whole value as JSON in ``body``; the other columns exist to find, sort and constrain it and
are never read back. Times are UTC nanoseconds. Key texts go through `codec.column_text` (PostgreSQL refuses NUL).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TEXT as PG_TEXT
from sqlalchemy.types import TypeEngine

INT64: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both; SQLite's INTEGER makes a single key the row's own address."""

KEY: TypeEngine[str] = Text().with_variant(PG_TEXT(collation="C"), "postgresql")
"""Text compared byte by byte on both, whatever the server's language."""

ledger = MetaData()
"""Written by the engine's writer thread alone."""

listings = Table(
    "listings",
    ledger,
    Column("id", KEY, primary_key=True),
    Column("symbol", KEY, nullable=False),
    Column("kind", KEY, nullable=False),
    Column("phase", KEY, nullable=False),
    Column("outcome", KEY, nullable=False),
    Column("reason", KEY),
    Column("source", KEY, nullable=False),
    Column("listed_at_ns", INT64, nullable=False),
    Column("detected_at_ns", INT64, nullable=False),
    Column("opened_at_ns", INT64),
    Column("search", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("symbol", "listed_at_ns", name="listings_symbol_listed_at"),
    Index("listings_detected", "detected_at_ns", "id"),
    Index("listings_outcome", "outcome"),
    Index("listings_opened", "opened_at_ns"),
)

signals = Table(
    "signals",
    ledger,
    Column("seq", INT64, primary_key=True, autoincrement=False),
    Column("listing_id", KEY, nullable=False),
    Column("kind", KEY, nullable=False),
    Column("ts_recv_ns", INT64, nullable=False),
    Column("lag_ns", INT64),
    Column("body", Text, nullable=False),
    Index("signals_listing", "listing_id", "seq"),
)
"""``seq`` is the number of the event that announced the signal."""

known_symbols = Table(
    "known_symbols",
    ledger,
    Column("symbol", KEY, primary_key=True),
    Column("first_seen_ns", INT64, nullable=False),
    Column("absent_since_ns", INT64),
    Column("body", Text, nullable=False),
)

calendar = Table(
    "calendar",
    ledger,
    Column("line", KEY, primary_key=True),
    Column("first_seen_ns", INT64, primary_key=True, autoincrement=False),
    Column("opens_at_ns", INT64),
    Column("withdrawn", Boolean, nullable=False),
    Column("listing_id", KEY),
    Column("body", Text, nullable=False),
    Index("calendar_opens", "opens_at_ns"),
)
"""``line`` is the coin id, or the asset where the venue gives none; a line that comes back after it was withdrawn has
a later ``first_seen_ns`` and is a row of its own."""

components = Table(
    "components",
    ledger,
    Column("name", KEY, primary_key=True),
    Column("body", Text, nullable=False),
)

monitor = Table(
    "monitor",
    ledger,
    Column("id", INT64, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
"""One row, id 1."""

bars = Table(
    "bars",
    ledger,
    Column("symbol", KEY, primary_key=True),
    Column("interval_s", INT64, primary_key=True, autoincrement=False),
    Column("open_ns", INT64, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Index("bars_open", "open_ns"),
)
"""Lossy: the last moments may be missing, and what nobody watched was never here."""

config_versions = Table(
    "config_versions",
    ledger,
    Column("version", INT64, primary_key=True, autoincrement=False),
    Column("created_ns", INT64, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
)

command_results = Table(
    "command_results",
    ledger,
    Column("id", KEY, primary_key=True),
    Column("finished_ns", INT64, nullable=False),
    Column("body", Text, nullable=False),
    Index("command_results_finished", "finished_ns"),
)

events = Table(
    "events",
    ledger,
    Column("seq", INT64, primary_key=True, autoincrement=False),
    Column("ts_ns", INT64, nullable=False),
    Column("kind", KEY, nullable=False),
    Column("ref", KEY, nullable=False),
    Column("payload", Text, nullable=False),
    Index("events_ref", "ref", "seq"),
)
"""Numbered 1, 2, 3 … without gaps in commit order. The newest row is never deleted: it holds the count."""

meta = Table(
    "meta",
    ledger,
    Column("key", KEY, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Which build wrote last, for the operator; the schema's revision is Alembic's own row."""

inbox = MetaData()
"""Written by the web process alone."""

commands = Table(
    "commands",
    inbox,
    Column("number", INT64, primary_key=True, autoincrement=True),
    Column("id", KEY, nullable=False, unique=True),
    Column("idempotency_key", KEY, nullable=False, unique=True),
    Column("verb", KEY, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_ns", INT64, nullable=False),
    Column("expires_ns", INT64, nullable=False),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    inbox,
    Column("id_hash", KEY, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ns", INT64, nullable=False),
    Column("last_used_ns", INT64, nullable=False),
    Column("expires_ns", INT64, nullable=False),
    Column("family", KEY, nullable=False),
    Column("stepped_up_until_ns", INT64),
)
"""Browser sessions; only the SHA-256 of the cookie is stored. ``family`` stays when a sign-in gets a new cookie."""

accounts = Table(
    "accounts",
    inbox,
    Column("name", KEY, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("changed_ns", INT64, nullable=False),
)
"""Who may sign in with a password; argon2id hashes."""

notification_channels = Table(
    "notification_channels",
    inbox,
    Column("id", KEY, primary_key=True),
    Column("kind", KEY, nullable=False),
    Column("present", Boolean, nullable=False),
    Column("revision", INT64, nullable=False),
    Column("choices", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("test_asked", KEY),
    Column("test_answer", Text),
)
"""One row per channel the notifier was ever told of, without its address. ``choices`` are the operator's, written by
the web process; ``state`` and ``test_answer`` are the notifier's."""

api_tokens = Table(
    "api_tokens",
    inbox,
    Column("token_hash", KEY, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ns", INT64, nullable=False),
    Column("last_used_ns", INT64),
    Column("expires_ns", INT64),
)

login_tokens = Table(
    "login_tokens",
    inbox,
    Column("token_hash", KEY, primary_key=True),
    Column("expires_ns", INT64, nullable=False),
)
"""One-time sign-in links; taking one deletes it."""

cursors = Table(
    "cursors",
    inbox,
    Column("name", KEY, primary_key=True),
    Column("seq", INT64, nullable=False),
)
"""How far each notifier has read ``events``."""

live = MetaData()
"""Overwritten in place by the engine; may lose the last moments."""

figures = Table(
    "figures",
    live,
    Column("key", KEY, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("written_ns", INT64, nullable=False),
)
