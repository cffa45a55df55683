"""The schema goes up and down the same way on both databases, and never past what this build knows."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger import (
    LedgerLocation,
    LedgerNotReady,
    LedgerReader,
    LedgerWriter,
    WebInbox,
    locate,
    migrations,
    tables,
)
from mexc_sniper.ledger.connections import sql_engine
from mexc_sniper.ledger.migrations import INBOX, LEDGER
from mexc_sniper.runtime.clock import LoopClock
from tests.ledger.builders import T0_NS


class StoppedClock:
    def wall_ns(self) -> int:
        return T0_NS

    def mono_ns(self) -> int:
        return 0


def schema(location: LedgerLocation) -> dict[str, object]:
    """Every table with its columns, indexes and constraints, as the database tells them."""
    found: dict[str, object] = {}
    files = (location.sqlite.ledger, location.sqlite.inbox) if location.is_sqlite else (None,)
    for path in files:
        if path is not None and not path.exists():
            continue
        engine = sql_engine(location, path, pooled=False)
        with engine.connect() as connection:
            look = inspect(connection)
            for name in look.get_table_names():
                columns = [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)]
                unique = sorted(str(u["column_names"]) for u in look.get_unique_constraints(name))
                keys = look.get_pk_constraint(name)["constrained_columns"]
                indexes = sorted((i["name"] or "", str(i["column_names"])) for i in look.get_indexes(name))
                found[name] = (columns, unique, keys, indexes)
        engine.dispose()
    return found


def test_up_down_up_gives_the_same_schema(empty_location: LedgerLocation) -> None:
    assert migrations.current(empty_location) == {"ledger": None, "inbox": None}
    migrations.upgrade(empty_location)
    first = schema(empty_location)
    assert migrations.current(empty_location) == {"ledger": LEDGER.head, "inbox": INBOX.head}
    migrations.downgrade(empty_location, "base")
    assert migrations.current(empty_location) == {"ledger": None, "inbox": None}
    assert set(schema(empty_location)) <= {LEDGER.version_table, INBOX.version_table}
    migrations.upgrade(empty_location)
    assert schema(empty_location) == first
    assert {"listings", "events", "commands"} <= set(first)


@pytest.mark.parametrize(("chain", "metadata"), [(LEDGER, tables.ledger), (INBOX, tables.inbox)])
def test_migrations_lead_to_the_tables_the_program_uses(
    location: LedgerLocation, chain: object, metadata: MetaData
) -> None:
    path = None
    if location.is_sqlite:
        path = location.sqlite.ledger if chain is LEDGER else location.sqlite.inbox
    engine = sql_engine(location, path, pooled=False)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        known = {*tables.ledger.tables, *tables.inbox.tables}
        differences = [
            difference
            for difference in compare_metadata(context, metadata)
            # On PostgreSQL the other chain's tables lie in the same database.
            if not (difference[0] == "remove_table" and difference[1].name not in metadata.tables)
            and not (difference[0] == "remove_index" and difference[1].table.name not in metadata.tables)
        ]
    engine.dispose()
    assert known >= set(metadata.tables)
    assert differences == []


def test_upgrading_twice_changes_nothing_and_needs_no_backup(location: LedgerLocation) -> None:
    before = schema(location)
    migrations.upgrade(location)
    assert schema(location) == before
    if location.is_sqlite:
        assert not (location.sqlite.ledger.parent / "backups").exists()


def test_written_heads_are_those_of_the_revision_files() -> None:
    for chain in (LEDGER, INBOX):
        assert max(migrations._revisions(chain)) == chain.head


@pytest.mark.parametrize("chain", [LEDGER, INBOX])
def test_schema_newer_than_the_build_is_refused_with_the_mend(location: LedgerLocation, chain: object) -> None:
    name, table = chain.name, chain.version_table  # type: ignore[attr-defined]
    path = None
    if location.is_sqlite:
        path = location.sqlite.ledger if name == "ledger" else location.sqlite.inbox
    engine = sql_engine(location, path, mode="rw", pooled=False)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET version_num = 'x9999'"))  # noqa: S608
    engine.dispose()
    with pytest.raises(ConfigError, match=r"newer than this build.*install the version"):
        migrations.upgrade(location)
    with pytest.raises(ConfigError, match="newer than this build"):
        migrations.downgrade(location, "base")


def test_writer_refuses_a_ledger_that_is_not_migrated(empty_location: LedgerLocation) -> None:
    with pytest.raises(ConfigError, match="mexc-sniper db upgrade"):
        LedgerWriter(empty_location, LoopClock()).start()


def test_reader_of_no_ledger_is_not_ready_and_makes_no_file(empty_location: LedgerLocation) -> None:
    reader = LedgerReader(empty_location)
    assert not reader.ready()
    with pytest.raises(LedgerNotReady):
        reader.listings(limit=1)
    if empty_location.is_sqlite:
        assert not empty_location.sqlite.ledger.exists()
    migrations.upgrade(empty_location)
    assert reader.ready()
    assert reader.listings(limit=1) == ([], 0)
    reader.close()


def test_unknown_revision_is_refused_by_name(location: LedgerLocation) -> None:
    with pytest.raises(ConfigError, match=r"no schema revision 'l9'.*base, i0001, i0002, l0001"):
        migrations.downgrade(location, "l9")


def test_downgrade_of_one_chain_leaves_the_other(location: LedgerLocation) -> None:
    inbox = WebInbox(location)
    inbox.add_login_token("hash", 10)
    migrations.downgrade(location, "base", clock=StoppedClock())
    assert migrations.current(location)["inbox"] is None
    migrations.upgrade(location)
    assert not inbox.take_login_token("hash", 1)
    inbox.close()


def test_sqlite_file_is_copied_before_its_schema_changes(sqlite_location: LedgerLocation) -> None:
    with closing(sqlite3.connect(sqlite_location.sqlite.ledger)) as db:
        db.execute("INSERT INTO meta VALUES ('note', 'precious')")
        db.commit()
    migrations.downgrade(sqlite_location, "base", clock=StoppedClock())
    copy = sqlite_location.sqlite.ledger.parent / "backups" / f"ledger-{LEDGER.head}-20261118T110640000Z.db"
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT value FROM meta").fetchone() == ("precious",)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert T0_NS % NS_PER_S == 0


def test_processes_starting_together_migrate_once(empty_location: LedgerLocation) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrations.upgrade, empty_location) for _ in range(4)]:
            done.result()
    assert migrations.current(empty_location) == {"ledger": LEDGER.head, "inbox": INBOX.head}


def test_path_with_odd_characters_migrates(tmp_path: object) -> None:
    location = locate(None, tmp_path / "50% ünder ? #1")  # type: ignore[operator]
    migrations.upgrade(location)
    assert LedgerReader(location).ready()


def test_migration_that_fails_half_way_leaves_nothing_behind(
    empty_location: LedgerLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_table = op.create_table

    def fail_at_the_last(name: str, *columns: Any, **options: Any) -> Any:
        if name == "meta":
            raise RuntimeError("power cut")
        return create_table(name, *columns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", fail_at_the_last)
        with pytest.raises((StoreError, RuntimeError)):
            migrations.upgrade(empty_location)
    assert set(schema(empty_location)) <= {LEDGER.version_table}
    migrations.upgrade(empty_location)
    assert migrations.current(empty_location)["ledger"] == LEDGER.head
