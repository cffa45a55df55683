"""Tables to take along: whole, each row once, and no cell a spreadsheet would run."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mexc_sniper.core.errors import ConfigError
from mexc_sniper.ledger.location import locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.ledger.writer import LedgerWriter
from mexc_sniper.model.entries import ListingChanged, TradeChanged
from mexc_sniper.model.trading import TradeStatus
from mexc_sniper.reports import export
from mexc_sniper.reports.export import Table, cell, rows, write
from mexc_sniper.reports.summary import percentiles, summarise
from tests.builders import ns
from tests.notify.test_told import a_trade
from tests.support.hostile import HOSTILE_NAMES
from tests.web.world import ShiftedClock, a_listing, migrate


@pytest.fixture
async def reader(tmp_path: Path):
    location = locate(None, tmp_path / "data")
    migrate(location)
    writer = LedgerWriter(location, ShiftedClock())
    writer.start()
    names = [name for name in HOSTILE_NAMES if len(name) < 100]
    writer.append([ListingChanged(listing=a_listing(f"A{n}USDT", number=n, seconds=n)) for n in range(1, 1_204)])
    writer.append(
        [ListingChanged(listing=a_listing(name, number=5_000 + n, seconds=n)) for n, name in enumerate(names)]
    )
    writer.append([TradeChanged(trade=a_trade(TradeStatus.FILLED, round_trip_ns=12_000_000))])
    await writer.flush(deadline_s=10)
    await writer.aclose()
    found = LedgerReader(location)
    yield found
    found.close()


async def test_every_row_is_exported_once_with_progress(reader: LedgerReader, tmp_path: Path):
    told: list[tuple[int, int]] = []
    target = tmp_path / "listings.jsonl"

    count = write(target, rows(reader, Table.LISTINGS, tell=lambda done, total: told.append((done, total))))

    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert count == len(lines) == len({line["id"] for line in lines}) == told[-1][1]
    assert [done for done, _ in told] == [500, 1_000, count]
    assert target.stat().st_mode & 0o777 == 0o600


async def test_what_is_written_while_exporting_is_never_doubled(reader: LedgerReader, monkeypatch: pytest.MonkeyPatch):
    pages = dict(export._PAGES)
    shifted = 0

    def page(reader: LedgerReader, offset: int):
        nonlocal shifted
        found = pages[Table.LISTINGS](reader, max(0, offset - shifted))
        shifted += 3  # three rows were written before those that were read
        return found

    monkeypatch.setitem(export._PAGES, Table.LISTINGS, page)
    ids = [row["id"] for row in rows(reader, Table.LISTINGS, tell=lambda *_: None)]

    assert len(ids) == len(set(ids))


async def test_no_cell_of_a_csv_is_a_formula(reader: LedgerReader, tmp_path: Path):
    target = tmp_path / "listings.csv"
    write(target, rows(reader, Table.LISTINGS, tell=lambda *_: None))

    with target.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) > 1_203
    for row in found:
        for value in row.values():
            assert not value.startswith(("=", "+", "@", "\t", "\r")), value
            assert not value.startswith("-") or Decimal(value) < 0


@pytest.mark.parametrize(
    ("value", "written"), [("-1.5", "-1.5"), ("=1+1", "'=1+1"), ("-x", "'-x"), (None, ""), (7, "7")]
)
def test_a_cell_is_quoted_only_where_it_must_be(value: object, written: str):
    assert cell(value) == written


@pytest.mark.parametrize("table", Table)
async def test_times_are_times_and_delays_are_numbers(reader: LedgerReader, table: Table):
    for row in rows(reader, table, tell=lambda *_: None):
        assert not any(
            name.endswith("_ns") and isinstance(value, int) and value > 10**15 for name, value in row.items()
        )
        if table is Table.TRADES:
            assert (row["round_trip_ns"], row["created"][-1]) == (12_000_000, "Z")


def test_nothing_is_overwritten_and_the_ending_is_named(tmp_path: Path):
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        write(tmp_path / "a.csv", iter(()))
    with pytest.raises(ConfigError, match=r"\.csv"):
        write(tmp_path / "a.xlsx", iter(()))
    assert (tmp_path / "a.csv").read_text() == "mine"


async def test_the_report_counts_what_the_ledger_holds(reader: LedgerReader):
    answer = summarise(reader, days=3_000, now_ns=ns(0) + 86_400 * 10**9 * 2_000)

    assert answer["listings"]["new"] >= 1_203
    assert answer["accounts"]["dry-run"]["trades"] == {"filled": 1}
    assert answer["accounts"]["dry-run"]["latencyMs"]["round_trip"]["p50"] == 12.0
    assert answer["accounts"]["live"]["trades"] == {}


def test_percentiles_of_nothing_are_nothing_and_of_one_are_that_one():
    assert percentiles([]) is None
    assert percentiles([5_000_000]) == {"count": 1, "p50": 5.0, "p95": 5.0, "p99": 5.0, "max": 5.0}
