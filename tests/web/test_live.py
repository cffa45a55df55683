"""The live WebSocket: a snapshot, then every change once, in order, to everyone."""

import asyncio
import socket as sockets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from mexc_sniper.core.clock import NS_PER_S, ns_from_iso
from mexc_sniper.core.ids import CommandId
from mexc_sniper.core.values import Asset
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.account import Account, Balance, TradingState
from mexc_sniper.model.commands import CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    AttentionChanged,
    BalancesChanged,
    CalendarChanged,
    CommandFinished,
    ComponentChanged,
    ComponentFigures,
    ConfigChanged,
    DecisionMade,
    FillRecorded,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    OrderChanged,
    PositionChanged,
    SignalReceived,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.health import Component, ComponentStatus, MonitorState, MonitorStatus
from mexc_sniper.model.listing import CalendarEntry
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradingStatus
from mexc_sniper.web import views, views_trading
from mexc_sniper.web.page_queue import MAX_BEHIND, Page
from mexc_sniper.web.views import LiveFrame
from tests.builders import T0_NS, ns
from tests.web.trading_builders import a_decision, a_fill, a_position, a_trade, an_attention, an_order
from tests.web.world import WebWorld, a_listing, a_signal, a_web_world, event, eventually, frame, until_alive

live_frame: TypeAdapter[Any] = TypeAdapter(LiveFrame)


async def test_a_page_gets_a_snapshot_of_everything_it_shows(web: WebWorld):
    await web.engine.list(*(a_listing(f"C{i}USDT", number=i, seconds=i) for i in range(1, 206)))
    for symbol, ts_ns in (("C1USDT", web.clock.wall_ns()), ("OLDUSDT", T0_NS)):
        mark = {"last": "1.5", "bid": None, "ask": None, "ts_ns": ts_ns}
        web.engine.live.put(f"mark:{symbol}", msgspec.json.encode(mark))
    await eventually(lambda: "mark:OLDUSDT" in web.engine.live.get_all())

    first = await frame(await web.socket())

    live_frame.validate_python(first)
    assert first["type"] == "snapshot"
    assert first["seq"] == 205
    assert (len(first["listings"]), first["listingsTotal"]) == (200, 205)
    assert first["listings"][0]["symbol"] == "C205USDT"
    assert first["health"]["engineAlive"] is True
    assert first["monitor"]["status"] == "stopped"
    assert [mark["symbol"] for mark in first["marks"]] == ["C1USDT"]


async def test_a_snapshot_holds_what_may_be_traded_what_is_held_and_the_newest_trades(web: WebWorld):
    web.engine.write(
        TradingChanged(status=TradingStatus(state=TradingState.REDUCING, latched=True, reason="drill", actor="op")),
        PositionChanged(position=a_position(1)),
        PositionChanged(position=a_position(2, status=PositionStatus.CLOSED, closed_ns=ns(3))),
        *(TradeChanged(trade=a_trade(number, seconds=number)) for number in range(1, 103)),
        AttentionChanged(attention=an_attention()),
        AttentionChanged(attention=an_attention("done", resolved_ns=ns(1))),
    )
    await web.engine.flush()
    await web.mark("ALPHAUSDT", bid="0.2", last=None)

    first = await frame(await web.socket())

    live_frame.validate_python(first)
    assert (first["trading"]["state"], first["trading"]["latched"]) == ("reducing", True)
    assert [(position["id"], position["value"]) for position in first["positions"]] == [("P1", "20")]
    assert (len(first["trades"]), first["tradesTotal"]) == (100, 102)
    assert first["trades"][0]["id"] == a_trade(102).id
    assert [item["id"] for item in first["attention"]] == ["in_doubt:1"]


async def test_open_positions_are_valued_anew_whenever_their_price_moves(web: WebWorld):
    web.engine.write(PositionChanged(position=a_position(1)), PositionChanged(position=a_position(2, symbol="BUSDT")))
    await web.engine.flush()
    page = await web.socket()
    await frame(page)

    await web.mark("ALPHAUSDT", bid="0.05", last="0.06")

    while (got := await frame(page))["type"] != "marks":
        pass
    live_frame.validate_python(got)
    assert [(mark["id"], mark["unrealizedPnl"], mark["unrealizedPct"]) for mark in got["positions"]] == [
        ("P1", "-5", "-50.00")
    ]
    web.engine.write(PositionChanged(position=a_position(1, status=PositionStatus.CLOSED, closed_ns=ns(9))))
    assert (await event(page))["data"]["open"] is False
    await web.mark("ALPHAUSDT", bid="0.07", last="0.06")
    while (got := await frame(page))["type"] != "marks":
        pass
    assert got["positions"] == []


def every_entry() -> list[tuple[LedgerEntry, str]]:
    entry = CalendarEntry(coin_id="c1", asset=Asset("ALPHA"), opens_at_ns=None)
    part = Component(name="source.calendar", status=ComponentStatus.OK, since_ns=T0_NS)
    result = CommandResult(
        id=CommandId("C1"), verb=Verb.START_MONITOR, actor="a", status=CommandStatus.DONE, finished_ns=T0_NS
    )
    return [
        (ListingChanged(listing=a_listing()), "listing_changed"),
        (SignalReceived(listing_id=a_listing().id, signal=a_signal()), "signal_received"),
        (CalendarChanged(entry=entry, first_seen_ns=T0_NS, schedule=()), "calendar_changed"),
        (ComponentChanged(component=part), "component_changed"),
        (MonitorChanged(state=MonitorState(wanted=True, status=MonitorStatus.RUNNING)), "monitor_changed"),
        (CommandFinished(result=result), "command_finished"),
        (
            ConfigChanged(version=ConfigVersion(version=1, created_ns=ns(0), actor="a", config=TradeConfig())),
            "config_changed",
        ),
        (DecisionMade(decision=a_decision()), "decision_made"),
        (OrderChanged(order=an_order()), "order_changed"),
        (FillRecorded(fill=a_fill()), "fill_recorded"),
        (PositionChanged(position=a_position()), "position_changed"),
        (TradeChanged(trade=a_trade()), "trade_changed"),
        (TradingChanged(status=TradingStatus(state=TradingState.ACTIVE)), "trading_changed"),
        (
            BalancesChanged(balances=(Balance(Account.PAPER, Asset("USDT"), Decimal(1000), Decimal("0.5")),)),
            "balances_changed",
        ),
        (AttentionChanged(attention=an_attention()), "attention_changed"),
    ]


TYPES = {
    "listing_changed": views.ListingView,
    "signal_received": views.SignalEventData,
    "calendar_changed": views.CalendarEntryView,
    "component_changed": views.ComponentView,
    "monitor_changed": views.MonitorView,
    "command_finished": views.CommandView,
    "config_changed": views.ConfigView,
    "decision_made": views_trading.DecisionView,
    "order_changed": views_trading.OrderView,
    "fill_recorded": views_trading.FillView,
    "position_changed": views_trading.PositionView,
    "trade_changed": views_trading.TradeView,
    "trading_changed": views_trading.TradingView,
    "balances_changed": views_trading.BalancesEventData,
    "attention_changed": views_trading.AttentionView,
}


def test_no_kind_of_event_the_engine_writes_is_left_out():
    kinds = {entry.event for entry in get_args(LedgerEntry) if entry.event is not None}
    assert {kind for _, kind in every_entry()} == kinds == set(TYPES)


async def test_every_kind_of_entry_reaches_a_page_as_the_frame_the_contract_promises(web: WebWorld):
    page = await web.socket()
    assert (await frame(page))["seq"] == 0

    web.engine.write(*(entry for entry, _ in every_entry()))

    for number, (_, kind) in enumerate(every_entry(), start=1):
        got = await event(page)
        live_frame.validate_python(got)
        assert (got["seq"], got["kind"]) == (number, kind)
        shape = TYPES[kind].model_validate(got["data"])
        assert shape.model_dump(mode="json") == got["data"], "nothing more and nothing less than the contract"
        if kind == "monitor_changed":
            assert [part["name"] for part in got["data"]["sources"]] == ["source.calendar"]


async def test_pages_that_come_while_the_engine_writes_miss_nothing_and_see_nothing_twice(web: WebWorld):
    total = 600

    async def write_on() -> None:
        for number in range(1, total + 1):
            web.engine.write(ListingChanged(listing=a_listing(f"C{number}USDT", number=number, seconds=number)))
            if number % 7 == 0:
                await asyncio.sleep(0.002)

    async def watch(after_s: float) -> None:
        await asyncio.sleep(after_s)
        page = await web.socket()
        snapshot = await frame(page)
        seen = snapshot["seq"]
        assert snapshot["listingsTotal"] == seen
        while seen < total:
            got = await event(page)
            assert got["seq"] == seen + 1
            assert got["data"]["symbol"] == f"C{seen + 1}USDT"
            seen += 1

    await asyncio.gather(write_on(), *(watch(0.02 * number) for number in range(10)))


async def test_a_page_that_does_not_read_is_cut_off_and_the_others_are_not_disturbed(web: WebWorld):
    good = await web.socket()
    assert (await frame(good))["type"] == "snapshot"
    hub = web.app.state.services.hub
    raw = await a_page_that_never_reads(web)
    await eventually(lambda: len(hub._pages) == 2)
    heavy = "x" * 20_000

    async def write_on() -> None:
        for number in range(1, 1_501):
            web.engine.write(ListingChanged(listing=a_listing(number=number, newness_proof=heavy)))
            if number % 100 == 0:
                await web.engine.flush()
                await asyncio.sleep(0.05)

    writing = asyncio.create_task(write_on())
    for number in range(1, 1_501):
        assert (await event(good))["seq"] == number
    await writing
    await eventually(lambda: len(hub._pages) == 1)
    raw.close()


async def a_page_that_never_reads(web: WebWorld) -> sockets.socket:
    """A WebSocket whose peer opened it and then froze, with small buffers so that it fills soon."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    host, _, port = web.host.partition(":")
    await loop.sock_connect(raw, (host, int(port)))
    await loop.sock_sendall(
        raw,
        (
            f"GET /live HTTP/1.1\r\nHost: {web.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {web.token}\r\n\r\n"
        ).encode(),
    )
    return raw


async def test_a_full_queue_cuts_its_page_off_instead_of_growing():
    page = Page()
    for number in range(MAX_BEHIND):
        page.offer(number, "frame")
    assert not page.cut_off.is_set()

    page.offer(MAX_BEHIND, "one too many")

    assert page.cut_off.is_set()
    page.offer(MAX_BEHIND + 1, "ignored")
    assert await page.next(timeout_s=0) is None


async def test_silence_is_broken_by_beats_that_carry_the_number_and_the_engines_life(web: WebWorld):
    await web.engine.list(a_listing())
    page = await web.socket()
    assert (await frame(page))["seq"] == 1

    async def beat() -> dict[str, Any]:
        while (got := await frame(page))["type"] != "beat":
            assert got["type"] == "status"
        return got

    first = await beat()
    assert (first["seq"], first["engineAlive"]) == (1, True)

    web.engine.beats = False
    await eventually(lambda: not web.app.state.services.hub.engine_alive)
    while (await beat())["engineAlive"]:
        pass


async def test_figures_that_move_without_an_event_reach_the_page_as_status(web: WebWorld):
    page = await web.socket()
    await frame(page)
    part = Component(name="source.calendar", status=ComponentStatus.OK, since_ns=T0_NS, figures={"lag_ms_p50": 12.5})
    web.engine.write(ComponentFigures(component=part))

    async with asyncio.timeout(10):
        while True:
            got = await frame(page)
            if got["type"] == "status" and got["health"]["components"]:
                break

    live_frame.validate_python(got)
    assert got["health"]["components"][0]["figures"] == {"lag_ms_p50": 12.5}
    assert got["monitor"]["sources"][0]["name"] == "source.calendar"


async def test_marks_reach_the_page_only_when_they_change(web: WebWorld):
    page = await web.socket()
    await frame(page)

    def put(last: str) -> None:
        mark = {"last": last, "bid": "1", "ask": "2", "ts_ns": web.clock.wall_ns()}
        web.engine.live.put("mark:AUSDT", msgspec.json.encode(mark))

    async def marks() -> list[dict[str, Any]]:
        while (got := await frame(page))["type"] != "marks":
            pass
        return got["marks"]

    put("1.5")
    assert [(mark["symbol"], mark["last"]) for mark in await marks()] == [("AUSDT", "1.5")]
    put("1.6")
    assert [(mark["symbol"], mark["last"]) for mark in await marks()] == [("AUSDT", "1.6")]


async def test_a_gap_in_the_numbers_gives_everyone_a_new_snapshot(web: WebWorld, location: LedgerLocation):
    await web.engine.list(a_listing())
    page = await web.socket()
    assert (await frame(page))["seq"] == 1

    await web.engine.writer.aclose()
    with closing(sqlite3.connect(location.sqlite.ledger)) as db, db:
        db.execute("UPDATE events SET seq = seq + 10")

    while (got := await frame(page))["type"] != "snapshot":
        assert got["type"] in ("beat", "status", "marks")
    assert got["seq"] == 11


async def test_an_event_of_a_newer_engine_gives_a_snapshot_instead_of_a_hole(web: WebWorld, location: LedgerLocation):
    await web.engine.list(a_listing())
    page = await web.socket()
    assert (await frame(page))["seq"] == 1

    await web.engine.writer.aclose()
    with closing(sqlite3.connect(location.sqlite.ledger)) as db, db:
        db.execute("INSERT INTO events (seq, ts_ns, kind, ref, payload) VALUES (2, 0, 'order_sent', '', '{}')")

    while (got := await frame(page))["type"] != "snapshot":
        assert got["type"] in ("beat", "status", "marks")
    assert got["seq"] == 2


async def test_a_page_before_the_first_start_gets_its_snapshot_when_the_ledger_is_there(
    location: LedgerLocation, tmp_path: Path
):
    async with a_web_world(location, tmp_path, engine_runs=False) as web:
        page = await web.socket()
        empty = await frame(page)
        assert (empty["seq"], empty["listings"], empty["config"]) == (0, [], None)
        assert empty["health"]["status"] == "error"

        await web.engine.start()
        await web.engine.list(a_listing())
        assert (await event(page))["seq"] == 1
        await web.engine.stop()


async def test_without_a_ledger_a_page_is_told_to_come_again(location: LedgerLocation, tmp_path: Path):
    async with a_web_world(location, tmp_path, migrated=False) as web:
        page = await web.socket()
        with pytest.raises(ConnectionClosed) as ended:
            await frame(page)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1013


async def test_what_a_page_says_is_ignored(web: WebWorld):
    page: ClientConnection = await web.socket()
    await frame(page)
    await page.send("hello")
    await page.send(b"\x00\xff")

    web.engine.write(ListingChanged(listing=a_listing()))

    assert (await event(page))["seq"] == 1


async def test_too_many_pages_are_refused_and_the_others_stay(web: WebWorld, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mexc_sniper.web.live.MAX_PAGES", 1)
    page = await web.socket()
    await frame(page)

    with pytest.raises(Exception, match="503"):
        await web.socket()

    web.engine.write(ListingChanged(listing=a_listing()))
    assert (await event(page))["seq"] == 1


async def test_a_snapshot_long_after_the_last_event_tells_the_time_and_health_of_now(web: WebWorld):
    await web.engine.list(a_listing())
    before = await frame(await web.socket())
    web.clock.pass_by(3_600)
    await until_alive(web)

    after = await frame(await web.socket())

    assert after["seq"] == before["seq"]
    passed_s = (ns_from_iso(after["serverTime"]) - ns_from_iso(before["serverTime"])) / NS_PER_S
    assert passed_s >= 3_600
    assert after["health"]["engineAlive"] is True


@pytest.fixture
async def two_webs(location: LedgerLocation, tmp_path: Path) -> AsyncIterator[tuple[WebWorld, WebWorld]]:
    async with (
        a_web_world(location, tmp_path) as first,
        a_web_world(location, tmp_path, migrated=False) as second,
    ):
        yield first, second


async def test_two_web_processes_show_the_same(two_webs: tuple[WebWorld, WebWorld]):
    first, second = two_webs
    pages = [await first.socket(), await second.socket()]
    for page in pages:
        await frame(page)

    first.engine.write(ListingChanged(listing=a_listing()))

    shown = [await event(page) for page in pages]
    assert shown[0] == shown[1]
