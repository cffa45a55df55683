"""Bad addresses and broken places: one sentence naming the thing and the mend, never a password."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from mexc_sniper.core.errors import ConfigError, SniperError, StoreError
from mexc_sniper.ledger import LedgerReader, LedgerWriter, WebInbox, locate, migrations
from mexc_sniper.runtime.clock import LoopClock
from tests.support.postgres import database, shared_server


def test_no_address_means_three_files_in_the_data_directory(tmp_path: Path) -> None:
    files = locate(None, tmp_path).sqlite
    assert (files.ledger, files.inbox, files.live) == tuple(
        tmp_path / name for name in ("ledger.db", "inbox.db", "live.db")
    )


def test_sqlite_address_names_the_ledger_and_its_neighbours(tmp_path: Path) -> None:
    files = locate(f"sqlite:///{tmp_path}/other/mine.db", Path("/nowhere")).sqlite
    assert (files.ledger, files.inbox) == (tmp_path / "other/mine.db", tmp_path / "other/mine-inbox.db")


def test_relative_sqlite_address_lies_in_the_data_directory(tmp_path: Path) -> None:
    assert locate("sqlite:///mine.db", tmp_path).sqlite.ledger == tmp_path / "mine.db"


def test_description_and_repr_hide_the_password(tmp_path: Path) -> None:
    location = locate("postgres://me:s3cret@db.example:5433/bot", tmp_path)
    assert location.describe() == "postgresql://me:***@db.example:5433/bot"
    assert "s3cret" not in repr(location)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ledger.db", "no database address"),
        ("mysql://me:s3cret@host/name", "'mysql'.*not supported"),
        ("sqlite+aiosqlite:///x.db", "not supported"),
        ("postgresql://me:s3cret@host", "names no database"),
        ("postgresql://me:s3cret@host:port/name", "cannot be read as an address"),
        ("sqlite://", "names no file.*cannot live in memory"),
        ("sqlite:///:memory:", "cannot live in memory"),
        ("sqlite://host/x.db", "a path only"),
        ("sqlite:///x.db?mode=ro", "a path only"),
        ("sqlite:////", "names the directory"),
    ],
)
def test_bad_address_is_refused_naming_the_setting(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        locate(url, tmp_path)
    assert "MEXC_SNIPER_DATABASE__URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"shopping list " * 100)
    with pytest.raises(ConfigError, match=r"ledger\.db is damaged or no SQLite database"):
        migrations.upgrade(locate(None, tmp_path))
    assert (tmp_path / "ledger.db").read_bytes() == b"shopping list " * 100


def test_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        migrations.upgrade(locate(None, tmp_path / "file" / "data"))


AS_NOBODY = """
import os, sys
from pathlib import Path
import alembic.command, alembic.config  # loaded while we may still read Python's own files
from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ledger import locate, migrations
if os.geteuid() == 0:
    os.setuid(65534)
try:
    migrations.upgrade(locate(None, Path(sys.argv[1])))
except ConfigError as fault:
    print(fault)
"""


@pytest.mark.parametrize(("mode", "says"), [(0o555, "cannot be written"), (0o000, "cannot be read")])
def test_directory_without_permission_is_refused(mode: int, says: str) -> None:
    """As an ordinary user, in a process of its own: root may write anywhere."""
    with tempfile.TemporaryDirectory() as shut:
        os.chmod(shut, mode)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, shut],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=30,
        )
        os.chmod(shut, 0o700)
    assert f"{says} (Permission denied)" in done.stdout, done.stderr


def test_file_of_a_ledger_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    location = locate(None, tmp_path / "data")
    migrations.upgrade(location)
    for file in location.sqlite.ledger.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.postgres
def test_wrong_password_and_missing_database_are_settings_to_correct(tmp_path: Path) -> None:
    server = shared_server()
    with pytest.raises(ConfigError, match="refuses the user or the password") as caught:
        migrations.upgrade(locate(server.url("postgres", password="s3cret"), tmp_path))
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"has no database 'nowhere'.*createdb"):
        migrations.upgrade(locate(server.url("nowhere"), tmp_path))


def test_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        url = f"postgresql://me:s3cret@127.0.0.1:{held.getsockname()[1]}/bot"
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            migrations.upgrade(locate(url, tmp_path))
    assert "s3cret" not in str(caught.value)


@pytest.mark.postgres
def test_database_that_cannot_hold_every_symbol_is_refused(tmp_path: Path) -> None:
    server = shared_server()
    with closing(server.administer()) as admin:
        admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        with pytest.raises(ConfigError, match="encoding LATIN1; symbols need UTF8"):
            migrations.upgrade(locate(server.url("latin"), tmp_path))
    finally:
        with closing(server.administer()) as admin:
            admin.execute("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.postgres
async def test_second_engine_on_one_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mexc_sniper.ledger.postgres_store._LOCK_WAIT_MS", 200)
    with database() as url:
        location = locate(url, tmp_path)
        migrations.upgrade(location)
        first, second = LedgerWriter(location, LoopClock()), LedgerWriter(location, LoopClock())
        first.start()
        with pytest.raises(ConfigError, match="Another engine is writing"):
            await asyncio.to_thread(second.start)
        await first.aclose()
        second.start()
        await second.aclose()


def test_every_part_speaks_of_a_damaged_file_in_the_programs_own_errors(tmp_path: Path) -> None:
    location = locate(None, tmp_path)
    for name in ("ledger.db", "inbox.db"):
        (tmp_path / name).write_bytes(b"not a database at all " * 300)
    reader, inbox = LedgerReader(location), WebInbox(location)
    for attempt in (lambda: reader.last_seq(), lambda: inbox.session("x"), lambda: reader.ready()):
        with pytest.raises(SniperError, match="damaged"):
            attempt()
