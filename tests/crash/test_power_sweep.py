"""A slice of the power sweep, and proof that it notices what it is there for; ``make crash`` runs all of it."""

from pathlib import Path
from typing import Any

import pytest

from mexc_sniper.journal.disk import Segment
from tests.crash import power_sweep
from tests.crash.power_sweep import JournalSweep, LedgerSweep, Result
from tests.crash.sqlite_power import Adapter


@pytest.mark.parametrize("how", power_sweep.HOWS)
def test_ledger_loses_nothing_acknowledged_and_is_never_half(tmp_path: Path, how: str) -> None:
    result = Result()
    sweep = LedgerSweep(tmp_path, result)
    for at in range(3, sweep.operations(1) + 1, 60):
        sweep.point(1, at, how)
    assert (result.lost, result.corrupt) == ([], [])
    assert result.acknowledged > 20


@pytest.mark.parametrize("how", power_sweep.HOWS)
def test_journal_loses_nothing_durable_and_no_more_than_its_grant(tmp_path: Path, how: str) -> None:
    result = Result()
    sweep = JournalSweep(tmp_path, result)
    for at in range(1, sweep.operations(2) + 1, 4):
        sweep.point(2, at, how)
    assert (result.lost, result.corrupt) == ([], [])
    assert result.acknowledged > 20


def test_sweep_notices_a_ledger_that_does_not_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = Adapter.execute

    def lazy(self: Adapter, sql: str, parameters: Any = ()) -> Any:
        return execute(self, sql.replace("synchronous=FULL", "synchronous=NORMAL"), parameters)

    monkeypatch.setattr(Adapter, "execute", lazy)
    result = Result()
    sweep = LedgerSweep(tmp_path, result)
    for at in range(30, sweep.operations(1) + 1, 40):
        sweep.point(1, at, "cut")
    assert result.lost, "rows told durable were not on the disk, and nobody noticed"


def test_sweep_notices_a_journal_that_does_not_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lazy(power_sweep.FaultyJournalDisk):
        def create(self, name: str, size: int) -> Segment:
            segment = super().create(name, size)
            monkeypatch.setattr(segment, "sync", lambda: self.step())
            return segment

    monkeypatch.setattr(power_sweep, "FaultyJournalDisk", Lazy)
    result = Result()
    sweep = JournalSweep(tmp_path, result)
    for at in range(8, sweep.operations(2) + 1, 2):
        sweep.point(2, at, "cut")
    assert result.lost, "intents told durable were not on the disk, and nobody noticed"
