"""Bars: what a watched symbol's public trades did, second by second."""

import sqlalchemy as sa
from alembic import op

from mexc_sniper.ledger.migrations.columns import INT64, KEY

revision = "l0003"
down_revision = "l0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bars",
        sa.Column("symbol", KEY, primary_key=True),
        sa.Column("interval_s", INT64, primary_key=True, autoincrement=False),
        sa.Column("open_ns", INT64, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("bars_open", "bars", ["open_ns"])


def downgrade() -> None:
    op.drop_table("bars")
