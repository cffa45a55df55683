"""The audit tells who did what; a row that was changed, taken out or put in is found."""

import pytest
from sqlalchemy import text

from mexc_sniper.ledger import AuditHead, LedgerLocation, LedgerReader, LedgerWriter
from mexc_sniper.ledger.connections import sql_engine
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.commands import CommandStatus, Verb
from mexc_sniper.model.entries import (
    CommandFinished,
    ConfigChanged,
    FillRecorded,
    ListingChanged,
    OrderChanged,
    TradingChanged,
)
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.trading import TradingStatus
from tests.ledger.builders import a_config, a_listing, a_result, a_signal
from tests.ledger.conftest import StartWriter
from tests.ledger.trading_builders import a_fill, an_order


async def ten_rows(start_writer: StartWriter) -> None:
    for life in range(2):
        writer = start_writer()
        for number in range(5):
            writer.append([CommandFinished(result=a_result(f"C{life}{number}"))])
        await writer.aclose()


def tamper(location: LedgerLocation, statement: str) -> None:
    path = location.sqlite.ledger if location.is_sqlite else None
    engine = sql_engine(location, path, mode="rw", pooled=False)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_audit_is_searched_by_kind_and_by_any_text_and_nothing_can_pose_as_a_kind(
    writer: LedgerWriter, reader: LedgerReader
) -> None:
    posing = a_result("C2", status=CommandStatus.REFUSED, message='an "order" named "what":"order" 100 %')
    writer.append(
        [
            CommandFinished(result=a_result("C1", actor="anna")),
            CommandFinished(result=posing),
            ConfigChanged(version=a_config(7, actor="anna")),
            OrderChanged(order=an_order("o1")),
        ]
    )
    await writer.flush(deadline_s=5)

    def found(**wanted: str) -> tuple[list[str], int]:
        with reader.snapshot() as view:
            rows, total = view.audit(10, **wanted)
        return [row.ref for row in rows], total

    assert found(what="order") == (["o1"], 1)
    assert found(what="command") == (["C2", "C1"], 2)
    assert found(what="config", text="anna") == (["7"], 1)
    assert found(text="anna") == (["7", "C1"], 2)
    assert found(text="100 %") == (["C2"], 1), "a wildcard of SQL is text here"
    assert found(text='named "what"') == (["C2"], 1)
    assert found(text="ANN_") == ([], 0)


async def test_audit_tells_who_what_result_and_the_version_in_force(writer: LedgerWriter, reader: LedgerReader) -> None:
    halted = TradingStatus(state=TradingState.HALTED, reason="flatten", actor="anna", latched=True)
    writer.append(
        [
            ListingChanged(listing=a_listing()),
            a_signal(),
            CommandFinished(result=a_result("C1", verb=Verb.KILL)),
            ConfigChanged(version=a_config(7, actor="anna")),
            CommandFinished(
                result=a_result("C2", status=CommandStatus.REFUSED, code="stale_version", message="It is 7 now.")
            ),
            TradingChanged(status=halted),
            OrderChanged(order=an_order("o1", account=Account.LIVE, status=OrderStatus.SUBMITTED)),
            FillRecorded(fill=a_fill("o1", "t1", account=Account.LIVE)),
            FillRecorded(fill=a_fill("o1", "t1", account=Account.LIVE)),
        ]
    )
    await writer.flush(deadline_s=5)
    rows, total = reader.audit(limit=10)
    assert total == 6
    told = [(row.number, row.who, row.what, row.ref, row.result, row.config_version) for row in reversed(rows)]
    assert told == [
        (1, "operator", "kill", "C1", "done", 0),
        (2, "anna", "config", "7", "done", 7),
        (3, "operator", "start_monitor", "C2", "stale_version", 7),
        (4, "anna", "trading", "", "halted", 7),
        (5, "engine", "order", "o1", "submitted", 3),
        (6, "engine", "fill", "o1", "t1", 7),
    ]
    assert rows[1].detail == "live buy ALPHAUSDT MARKET 20.50 USDT as entry"
    assert rows[2].detail == "flatten; latched"
    assert len({row.digest for row in rows}) == 6


async def test_chain_goes_on_over_restarts_and_is_whole(start_writer: StartWriter, reader: LedgerReader) -> None:
    assert (reader.verify_audit(), reader.audit_head()) == (None, AuditHead())
    await ten_rows(start_writer)
    head = reader.audit_head()
    assert head.number == 10
    assert reader.verify_audit() is None
    assert reader.verify_audit(head) is None
    assert [row.number for row in reader.audit(limit=3, offset=2)[0]] == [8, 7, 6]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET body = replace(body, 'operator', 'somebody') WHERE number = 4", 4),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE number = 2) WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = 11 WHERE number = 6", 6),
        (
            "UPDATE audit SET body = (SELECT body FROM audit WHERE number = 8), "
            "hash = (SELECT hash FROM audit WHERE number = 8) WHERE number = 7",
            7,
        ),
        ("UPDATE audit SET body = 'nothing' WHERE number = 10", 10),
    ],
)
async def test_row_that_is_not_what_was_written_is_found(
    start_writer: StartWriter, location: LedgerLocation, reader: LedgerReader, statement: str, broken: int
) -> None:
    await ten_rows(start_writer)
    tamper(location, statement)
    assert reader.verify_audit() == broken


async def test_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(
    start_writer: StartWriter, location: LedgerLocation, reader: LedgerReader
) -> None:
    await ten_rows(start_writer)
    head = reader.audit_head()
    tamper(location, "DELETE FROM audit WHERE number > 8")
    assert reader.verify_audit() is None
    assert reader.verify_audit(head) == 9
    await ten_rows(start_writer)
    assert reader.verify_audit(head) == 10, "written anew, and so not with the hash that was noted"
