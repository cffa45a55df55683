"""Trading: decisions, orders, fills, positions, trades, balances, what is allowed, what needs a person, the audit."""

import sqlalchemy as sa
from alembic import op

from mexc_sniper.ledger.migrations.columns import INT64, KEY

revision = "l0002"
down_revision = "l0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("seq", INT64, primary_key=True, autoincrement=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("listing_id", KEY),
        sa.Column("account", KEY, nullable=False),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("reason", KEY),
        sa.Column("decided_ns", INT64, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("decisions_listing", "decisions", ["listing_id", "seq"])
    op.create_table(
        "orders",
        sa.Column("account", KEY, primary_key=True),
        sa.Column("client_order_id", KEY, primary_key=True),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("side", KEY, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("settled_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("orders_created", "orders", ["created_ns", "client_order_id"])
    op.create_index("orders_settled", "orders", ["settled_ns"])
    op.create_index("orders_status", "orders", ["status"])
    op.create_table(
        "fills",
        sa.Column("account", KEY, primary_key=True),
        sa.Column("client_order_id", KEY, primary_key=True),
        sa.Column("trade_id", KEY, primary_key=True),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("ts_event_ns", INT64, nullable=False),
        sa.Column("ts_recv_ns", INT64, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("fills_order", "fills", ["client_order_id", "ts_event_ns"])
    op.create_index("fills_symbol", "fills", ["symbol", "ts_recv_ns"])
    op.create_index("fills_received", "fills", ["ts_recv_ns"])
    op.create_table(
        "positions",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("base", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("opened_ns", INT64, nullable=False),
        sa.Column("closed_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("positions_opened", "positions", ["opened_ns", "id"])
    op.create_index("positions_status", "positions", ["status"])
    op.create_index("positions_closed", "positions", ["closed_ns"])
    op.create_index("positions_base", "positions", ["account", "base"])
    op.create_table(
        "trades",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("account", KEY, nullable=False),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("side", KEY, nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("created_ns", INT64, nullable=False),
        sa.Column("client_order_id", KEY),
        sa.Column("source_lag_ns", INT64),
        sa.Column("tick_to_trade_ns", INT64),
        sa.Column("round_trip_ns", INT64),
        sa.Column("ack_to_fill_ns", INT64),
        sa.Column("open_to_order_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("trades_created", "trades", ["created_ns", "id"])
    op.create_index("trades_status", "trades", ["status"])
    op.create_index("trades_order", "trades", ["client_order_id"])
    op.create_table(
        "trading",
        sa.Column("id", INT64, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "balances",
        sa.Column("account", KEY, primary_key=True),
        sa.Column("asset", KEY, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "attention",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("raised_ns", INT64, nullable=False),
        sa.Column("resolved_ns", INT64),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("attention_raised", "attention", ["raised_ns", "id"])
    op.create_table(
        "audit",
        sa.Column("number", INT64, primary_key=True, autoincrement=False),
        sa.Column("ts_ns", INT64, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", KEY, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "audit",
        "attention",
        "balances",
        "trading",
        "trades",
        "positions",
        "fills",
        "orders",
        "decisions",
    ):
        op.drop_table(table)
