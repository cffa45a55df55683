"""The tables of trading, beside those of `tables` and by the same rules. Their rows are never deleted."""

from sqlalchemy import Column, Index, Table, Text

from mexc_sniper.ledger.tables import INT64, KEY, ledger

decisions = Table(
    "decisions",
    ledger,
    Column("seq", INT64, primary_key=True, autoincrement=False),
    Column("id", KEY, nullable=False),
    Column("listing_id", KEY),
    Column("account", KEY, nullable=False),
    Column("symbol", KEY, nullable=False),
    Column("reason", KEY),
    Column("decided_ns", INT64, nullable=False),
    Column("body", Text, nullable=False),
    Index("decisions_listing", "listing_id", "seq"),
)
"""``seq`` is the number of the event that announced it: attempts after the first decide anew under the same id."""

orders = Table(
    "orders",
    ledger,
    Column("account", KEY, primary_key=True),
    Column("client_order_id", KEY, primary_key=True),
    Column("symbol", KEY, nullable=False),
    Column("side", KEY, nullable=False),
    Column("role", KEY, nullable=False),
    Column("status", KEY, nullable=False),
    Column("created_ns", INT64, nullable=False),
    Column("settled_ns", INT64),
    Column("body", Text, nullable=False),
    Index("orders_created", "created_ns", "client_order_id"),
    Index("orders_settled", "settled_ns"),
    Index("orders_status", "status"),
)

fills = Table(
    "fills",
    ledger,
    Column("account", KEY, primary_key=True),
    Column("client_order_id", KEY, primary_key=True),
    Column("trade_id", KEY, primary_key=True),
    Column("symbol", KEY, nullable=False),
    Column("ts_event_ns", INT64, nullable=False),
    Column("ts_recv_ns", INT64, nullable=False),
    Column("body", Text, nullable=False),
    Index("fills_order", "client_order_id", "ts_event_ns"),
    Index("fills_symbol", "symbol", "ts_recv_ns"),
    Index("fills_received", "ts_recv_ns"),
)

positions = Table(
    "positions",
    ledger,
    Column("id", KEY, primary_key=True),
    Column("account", KEY, nullable=False),
    Column("symbol", KEY, nullable=False),
    Column("base", KEY, nullable=False),
    Column("status", KEY, nullable=False),
    Column("opened_ns", INT64, nullable=False),
    Column("closed_ns", INT64),
    Column("body", Text, nullable=False),
    Index("positions_opened", "opened_ns", "id"),
    Index("positions_status", "status"),
    Index("positions_closed", "closed_ns"),
    Index("positions_base", "account", "base"),
)

trades = Table(
    "trades",
    ledger,
    Column("id", KEY, primary_key=True),
    Column("account", KEY, nullable=False),
    Column("symbol", KEY, nullable=False),
    Column("side", KEY, nullable=False),
    Column("status", KEY, nullable=False),
    Column("created_ns", INT64, nullable=False),
    Column("client_order_id", KEY),
    Column("source_lag_ns", INT64),
    Column("tick_to_trade_ns", INT64),
    Column("round_trip_ns", INT64),
    Column("ack_to_fill_ns", INT64),
    Column("open_to_order_ns", INT64),
    Column("body", Text, nullable=False),
    Index("trades_created", "created_ns", "id"),
    Index("trades_status", "status"),
    Index("trades_order", "client_order_id"),
)
"""The latencies are columns of their own because percentiles are asked for over thousands of rows."""

trading = Table(
    "trading",
    ledger,
    Column("id", INT64, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
"""One row, id 1."""

balances = Table(
    "balances",
    ledger,
    Column("account", KEY, primary_key=True),
    Column("asset", KEY, primary_key=True),
    Column("body", Text, nullable=False),
)

attention = Table(
    "attention",
    ledger,
    Column("id", KEY, primary_key=True),
    Column("kind", KEY, nullable=False),
    Column("raised_ns", INT64, nullable=False),
    Column("resolved_ns", INT64),
    Column("body", Text, nullable=False),
    Index("attention_raised", "raised_ns", "id"),
)

audit = Table(
    "audit",
    ledger,
    Column("number", INT64, primary_key=True, autoincrement=False),
    Column("ts_ns", INT64, nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", KEY, nullable=False),
)
"""Numbered 1, 2, 3 …; ``hash`` is over the hash before it and the bytes of ``body`` (`audit.chained`)."""
