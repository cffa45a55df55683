"""The monitor's ledger: listings with their signals, the baseline, health, configuration and numbered events."""

import sqlalchemy as sa
from alembic import op

from mexc_sniper.ledger.migrations.columns import INT64, KEY

revision = "l0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("phase", KEY, nullable=False),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("reason", KEY),
        sa.Column("source", KEY, nullable=False),
        sa.Column("listed_at_ns", INT64, nullable=False),
        sa.Column("detected_at_ns", INT64, nullable=False),
        sa.Column("opened_at_ns", INT64),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("symbol", "listed_at_ns", name="listings_symbol_listed_at"),
    )
    op.create_index("listings_detected", "listings", ["detected_at_ns", "id"])
    op.create_index("listings_outcome", "listings", ["outcome"])
    op.create_index("listings_opened", "listings", ["opened_at_ns"])
    op.create_table(
        "signals",
        sa.Column("seq", INT64, primary_key=True, autoincrement=False),
        sa.Column("listing_id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("ts_recv_ns", INT64, nullable=False),
        sa.Column("lag_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("signals_listing", "signals", ["listing_id", "seq"])
    op.create_table(
        "known_symbols",
        sa.Column("symbol", KEY, primary_key=True),
        sa.Column("first_seen_ns", INT64, nullable=False),
        sa.Column("absent_since_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "calendar",
        sa.Column("line", KEY, primary_key=True),
        sa.Column("first_seen_ns", INT64, primary_key=True, autoincrement=False),
        sa.Column("opens_at_ns", INT64),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("listing_id", KEY),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("calendar_opens", "calendar", ["opens_at_ns"])
    op.create_table("components", sa.Column("name", KEY, primary_key=True), sa.Column("body", sa.Text, nullable=False))
    op.create_table(
        "monitor",
        sa.Column("id", INT64, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "config_versions",
        sa.Column("version", INT64, primary_key=True, autoincrement=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "command_results",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("finished_ns", INT64, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("command_results_finished", "command_results", ["finished_ns"])
    op.create_table(
        "events",
        sa.Column("seq", INT64, primary_key=True, autoincrement=False),
        sa.Column("ts_ns", INT64, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("ref", KEY, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("events_ref", "events", ["ref", "seq"])
    op.create_table("meta", sa.Column("key", KEY, primary_key=True), sa.Column("value", sa.Text, nullable=False))


def downgrade() -> None:
    for table in (
        "meta",
        "events",
        "command_results",
        "config_versions",
        "monitor",
        "components",
        "calendar",
        "known_symbols",
        "signals",
        "listings",
    ):
        op.drop_table(table)
