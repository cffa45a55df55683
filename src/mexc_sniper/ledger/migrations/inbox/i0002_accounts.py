"""Passwords, sessions that keep their identity over a change of id, and what notification channels are told.

Sessions are dropped with their table: everyone signs in anew, once.
"""

import sqlalchemy as sa
from alembic import op

from mexc_sniper.ledger.migrations.columns import INT64, KEY

revision = "i0002"
down_revision = "i0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", KEY, primary_key=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("changed_ns", INT64, nullable=False),
    )
    op.drop_table("sessions")
    _sessions(sa.Column("family", KEY, nullable=False), sa.Column("stepped_up_until_ns", INT64))
    op.create_table(
        "notification_channels",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("present", sa.Boolean, nullable=False),
        sa.Column("revision", INT64, nullable=False),
        sa.Column("choices", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("test_asked", KEY),
        sa.Column("test_answer", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("notification_channels")
    op.drop_table("sessions")
    _sessions()
    op.drop_table("accounts")


def _sessions(*more: sa.Column[str] | sa.Column[int]) -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", KEY, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("last_used_ns", INT64, nullable=False),
        sa.Column("expires_ns", INT64, nullable=False),
        *more,
    )
