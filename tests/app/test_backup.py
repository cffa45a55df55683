"""Backups that come back: made while the ledger is written, whole, rotated, and restored nowhere but into the empty."""

import sqlite3
import threading
from pathlib import Path

import pytest

from mexc_sniper.app.backup import backup_set, backup_sets, restore
from mexc_sniper.app.nightly import due
from mexc_sniper.app.settings_load import load_settings
from mexc_sniper.core.errors import ConfigError, StoreError
from mexc_sniper.ledger.inbox import WebInbox
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.writer import LedgerWriter
from mexc_sniper.model.account import TradingState
from mexc_sniper.model.entries import ListingChanged, TradingChanged
from mexc_sniper.model.trading import TradingStatus
from tests.app.test_bad_input import sniper
from tests.web.world import ShiftedClock, a_listing, migrate


@pytest.fixture
def location(tmp_path: Path) -> LedgerLocation:
    found = locate(None, tmp_path / "data")
    migrate(found)
    return found


async def fill(location: LedgerLocation, count: int = 50) -> None:
    writer = LedgerWriter(location, ShiftedClock())
    writer.start()
    writer.append([ListingChanged(listing=a_listing(f"A{n}USDT", number=n)) for n in range(1, count + 1)])
    writer.append([TradingChanged(status=TradingStatus(state=TradingState.REDUCING, latched=True))])
    await writer.flush(deadline_s=10)
    await writer.aclose()


def listings(location: LedgerLocation) -> int:
    reader = LedgerReader(location)
    try:
        return reader.listings(limit=1)[1]
    finally:
        reader.close()


async def test_a_set_made_while_the_ledger_is_written_comes_back_whole(location: LedgerLocation, tmp_path: Path):
    clock = ShiftedClock()
    inbox = WebInbox(location)
    inbox.set_password_hash("operator", "$argon2id$x", 1)
    writer = LedgerWriter(location, clock)
    writer.start()
    made: list[Path] = []
    copying = threading.Thread(target=lambda: made.append(backup_set(location, tmp_path / "sets", clock, keep=3)))
    for n in range(1, 2_000):
        writer.append([ListingChanged(listing=a_listing(f"A{n}USDT", number=n))])
        if n == 500:
            await writer.flush(deadline_s=10)
            copying.start()
    await writer.flush(deadline_s=10)
    copying.join()
    await writer.aclose()
    inbox.close()

    done = restore(made[0], tmp_path / "new", clock)

    new = locate(None, tmp_path / "new")
    assert 500 <= listings(new) <= 1_999
    assert done.inbox
    back = WebInbox(new)
    assert back.account_names() == ["operator"]
    back.close()
    assert (tmp_path / "new" / "ledger.db").stat().st_mode & 0o777 == 0o600


async def test_the_newest_sets_are_kept_and_strangers_left_alone(location: LedgerLocation, tmp_path: Path):
    await fill(location)
    clock, folder = ShiftedClock(), tmp_path / "sets"
    folder.mkdir()
    (folder / "my-own").mkdir()
    (folder / "20200101T000000Z").mkdir()  # holds no ledger: not ours
    for _ in range(4):
        clock.pass_by(86_400)
        backup_set(location, folder, clock, keep=2)

    assert len(backup_sets(folder)) == 2
    assert {"my-own", "20200101T000000Z"} <= {path.name for path in folder.iterdir()}


async def test_a_restore_refuses_a_directory_with_a_ledger_and_a_source_that_is_none(
    location: LedgerLocation, tmp_path: Path
):
    await fill(location)
    clock = ShiftedClock()
    made = backup_set(location, tmp_path / "sets", clock, keep=2)
    stranger = tmp_path / "stranger.db"
    with sqlite3.connect(stranger) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()

    with pytest.raises(ConfigError, match="nothing is overwritten"):
        restore(made, location.sqlite.ledger.parent, clock)
    with pytest.raises(ConfigError, match="no backup"):
        restore(tmp_path, tmp_path / "new", clock)
    (tmp_path / "new").mkdir()
    with pytest.raises(ConfigError, match="no ledger of mexc-sniper"):
        restore(stranger, tmp_path / "new", clock)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("how", ["torn", "changed"])
async def test_a_backup_that_is_not_whole_is_refused_and_leaves_nothing(
    location: LedgerLocation, tmp_path: Path, how: str
):
    await fill(location, 500)
    clock = ShiftedClock()
    made = backup_set(location, tmp_path / "sets", clock, keep=2)
    file = made / "ledger.db"
    if how == "torn":
        raw = bytearray(file.read_bytes())
        raw[20_000:60_000] = b"\xff" * 40_000
        file.write_bytes(raw)
    else:
        with sqlite3.connect(file) as db:
            db.execute("UPDATE audit SET body = replace(body, 'reducing', 'active')")
        db.close()
    (tmp_path / "new").mkdir()

    with pytest.raises((StoreError, ConfigError)):
        restore(made, tmp_path / "new", clock)

    assert list((tmp_path / "new").iterdir()) == []


async def test_the_night_is_due_once_a_day_and_at_once_after_a_night_slept_through(
    location: LedgerLocation, tmp_path: Path
):
    await fill(location)
    clock = ShiftedClock()
    settings = load_settings(environ={"MEXC_SNIPER_DATA_DIR": str(tmp_path / "data")})
    assert due(settings, clock)
    backup_set(location, tmp_path / "data" / "backups" / "nightly", clock, keep=2)
    assert not due(settings, clock)
    clock.pass_by(86_400)
    assert due(settings, clock)


async def test_the_command_restores_into_a_fresh_directory_and_never_over_a_running_program(
    location: LedgerLocation, tmp_path: Path
):
    await fill(location)
    made = backup_set(location, tmp_path / "sets", ShiftedClock(), keep=2)

    done = sniper("db", "restore", str(made), "--json", data_dir=tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert listings(locate(None, tmp_path / "new")) == 50
    again = sniper("db", "restore", str(made), data_dir=tmp_path / "new")
    assert again.returncode == 2
    assert "nothing is overwritten" in again.stderr
