"""The writer's statements: declared once with SQLAlchemy Core, compiled once to each driver's own SQL.

The hot path then needs the driver alone (measured in `bench/ledger.py`), and no second copy of the columns exists.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, literal_column, select, tuple_
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.postgresql import psycopg as postgres_dialect
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.expression import ClauseElement

from mexc_sniper.ledger import tables, trading_tables

Row = dict[str, Any]
"""The columns of one row."""


class Write(StrEnum):
    """One kind of row the writer writes; the value is the table's name."""

    LISTING = "listings"
    SIGNAL = "signals"
    SYMBOL = "known_symbols"
    CALENDAR = "calendar"
    COMPONENT = "components"
    MONITOR = "monitor"
    CONFIG = "config_versions"
    RESULT = "command_results"
    META = "meta"
    DECISION = "decisions"
    ORDER = "orders"
    FILL = "fills"
    POSITION = "positions"
    TRADE = "trades"
    TRADING = "trading"
    BALANCE = "balances"
    ATTENTION = "attention"
    AUDIT = "audit"
    BAR = "bars"
    EVENT = "events"


_APPEND_ONLY = {Write.SIGNAL, Write.CONFIG, Write.DECISION, Write.AUDIT, Write.EVENT}
"""A second row with the same key is a bug or a second writer: it fails loudly."""

_FIRST_STANDS = {Write.RESULT, Write.FILL}
"""A command is answered once, an execution counted once."""


_METADATA = trading_tables.orders.metadata
"""Complete once `trading_tables` is loaded."""


def write_statements(*, sqlite: bool) -> dict[Write, str]:
    """Return the SQL of every kind of row, with named parameters in the driver's style."""
    return {write: _compile(_insert(write, sqlite=sqlite), sqlite=sqlite) for write in Write}


def delete_events(*, sqlite: bool) -> str:
    """SQL that deletes events ``:low`` … ``:high`` made before ``:before``, never the newest."""
    events = tables.events
    newest = select(func.max(events.c.seq)).scalar_subquery()
    return _compile(
        delete(events).where(
            events.c.seq.between(bindparam("low"), bindparam("high")),
            events.c.ts_ns < bindparam("before"),
            events.c.seq < newest,
        ),
        sqlite=sqlite,
    )


def delete_signals(*, sqlite: bool) -> str:
    """SQL that deletes signals ``:low`` … ``:high`` received before ``:before``."""
    signals = tables.signals
    return _compile(
        delete(signals).where(
            signals.c.seq.between(bindparam("low"), bindparam("high")), signals.c.ts_recv_ns < bindparam("before")
        ),
        sqlite=sqlite,
    )


def delete_bars(*, sqlite: bool) -> str:
    """SQL that deletes the oldest ``:rows`` bars of those that began before ``:before``."""
    bars = tables.bars
    key = (bars.c.symbol, bars.c.interval_s, bars.c.open_ns)
    oldest = (
        select(*key)
        .where(bars.c.open_ns < bindparam("before"))
        .order_by(bars.c.open_ns)
        .limit(bindparam("rows", type_=tables.INT64))
        .offset(literal_column("0", tables.INT64))  # SQLite's dialect would bind a nameless zero
    )
    return _compile(delete(bars).where(tuple_(*key).in_(oldest)), sqlite=sqlite)


def _insert(write: Write, *, sqlite: bool) -> ClauseElement:
    table: Table = _METADATA.tables[write.value]
    values = {column.name: bindparam(column.name, type_=column.type) for column in table.columns}
    statement: Any = (sqlite_insert if sqlite else postgres_insert)(table).values(values)
    if write in _APPEND_ONLY:
        return statement  # type: ignore[no-any-return]
    keys = [column.name for column in table.primary_key]
    if write in _FIRST_STANDS:
        return statement.on_conflict_do_nothing(index_elements=keys)  # type: ignore[no-any-return]
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=keys,
        set_={column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys},
    )


def _compile(statement: ClauseElement, *, sqlite: bool) -> str:
    dialect: Any = (
        sqlite_dialect.dialect(paramstyle="named") if sqlite else postgres_dialect.dialect()  # type: ignore[no-untyped-call]
    )
    return str(statement.compile(dialect=dialect))
