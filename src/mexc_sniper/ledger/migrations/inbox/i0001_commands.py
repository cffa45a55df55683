"""The web process's inbox: operator commands, browser sessions, tokens and notification cursors."""

import sqlalchemy as sa
from alembic import op

from mexc_sniper.ledger.migrations.columns import INT64, KEY

revision = "i0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("number", INT64, primary_key=True, autoincrement=True),
        sa.Column("id", KEY, nullable=False, unique=True),
        sa.Column("idempotency_key", KEY, nullable=False, unique=True),
        sa.Column("verb", KEY, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("expires_ns", INT64, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("id_hash", KEY, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("last_used_ns", INT64, nullable=False),
        sa.Column("expires_ns", INT64, nullable=False),
    )
    op.create_table(
        "api_tokens",
        sa.Column("token_hash", KEY, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("last_used_ns", INT64),
        sa.Column("expires_ns", INT64),
    )
    op.create_table(
        "login_tokens",
        sa.Column("token_hash", KEY, primary_key=True),
        sa.Column("expires_ns", INT64, nullable=False),
    )
    op.create_table("cursors", sa.Column("name", KEY, primary_key=True), sa.Column("seq", INT64, nullable=False))


def downgrade() -> None:
    for table in ("cursors", "login_tokens", "api_tokens", "sessions", "commands"):
        op.drop_table(table)
