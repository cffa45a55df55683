"""Told at least once, in order, urgent things first and at night as well; nothing is lost with anything."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mexc_sniper.core.ids import PositionId, TradeId
from mexc_sniper.core.values import Asset, Quantity, Symbol
from mexc_sniper.ledger.channels import Choices, QuietHours
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    AttentionChanged,
    ConfigChanged,
    ListingChanged,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.listing import Phase
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderRole
from mexc_sniper.model.position import Position
from mexc_sniper.model.trading import Attention, AttentionKind, Trade, TradeStatus, TradingStatus
from mexc_sniper.notify.quiet import is_quiet, problem_of
from mexc_sniper.notify.watch import DAY_NS, summary
from tests.builders import ns
from tests.notify.conftest import NotifyWorld
from tests.notify.servers import a_mail_service, an_http_service, until
from tests.support.hostile import HOSTILE_NAMES
from tests.web.world import a_listing

STOPPED = TradingStatus(state=TradingState.REDUCING, actor="operator", reason="lunch", latched=True, since_ns=ns(1))


def a_trade(status: TradeStatus, **changed: Any) -> Trade:
    trade = Trade(
        id=TradeId("T1"), account=Account.PAPER, symbol=Symbol("ALPHAUSDT"), side=Side.BUY, role=OrderRole.ENTRY,
        type=None, status=status, created_ns=ns(1), updated_ns=ns(2), quote_quantity=Decimal("19.99995"),
    )  # fmt: skip
    return msgspec.structs.replace(trade, **changed)


def a_position(account: Account = Account.LIVE, symbol: str = "ALPHAUSDT", **changed: Any) -> Position:
    position = Position(
        id=PositionId(f"P{symbol}"), account=account, symbol=Symbol(symbol), base=Asset("ALPHA"), quote=Asset("USDT"),
        quantity=Quantity(Decimal(1)), bought_quantity=Quantity(Decimal(1)), cost=Decimal(10), opened_ns=ns(1),
    )  # fmt: skip
    return msgspec.structs.replace(position, **changed)


async def test_each_thing_is_told_once_when_it_is_new(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        listing = a_listing("ALPHAUSDT", full_name="Alpha")
        await world.happen(ListingChanged(listing=listing), ListingChanged(listing=listing))
        await until(lambda: len(hook.texts) == 1)
        opened = msgspec.structs.replace(listing, phase=Phase.OPEN, detection_lag_ns=12_000_000)
        await world.happen(ListingChanged(listing=opened), ListingChanged(listing=opened))
        await until(lambda: len(hook.texts) == 2)
        await world.happen(TradeChanged(trade=a_trade(TradeStatus.PENDING)))
        await world.happen(TradeChanged(trade=a_trade(TradeStatus.FILLED)))
        await until(lambda: len(hook.texts) == 3)
        await world.happen(TradingChanged(status=STOPPED), TradingChanged(status=STOPPED))
        await until(lambda: len(hook.texts) == 4)

    assert hook.texts[0].startswith("New listing: ALPHAUSDT (Alpha), listed for 20")
    assert hook.texts[1:] == [
        "ALPHAUSDT is open for trading, seen 12 ms after it.",
        "dry-run: ALPHAUSDT bought for 20.",
        "Trading is reducing by operator; a person must resume it. lunch",
    ]


async def test_what_happened_before_a_channel_existed_is_not_told_and_what_happens_while_it_is_away_is(
    world: NotifyWorld,
):
    await world.happen(ListingChanged(listing=a_listing("OLDUSDT", number=1)))
    async with an_http_service() as hook:
        address = {"hook": f"json://127.0.0.1:{hook.port}/"}
        async with world.notifier(address):
            pass
        await world.happen(ListingChanged(listing=a_listing("NEWUSDT", number=2)))
        async with world.notifier(address):
            await until(lambda: hook.texts)
            await asyncio.sleep(0.2)

    assert len(hook.texts) == 1
    assert "NEWUSDT" in hook.texts[0]


async def test_a_dead_service_loses_nothing_and_holds_no_other_channel_up(world: NotifyWorld):
    async with an_http_service() as dead, an_http_service() as well:
        dead.status = 503
        addresses = {"dead": f"json://127.0.0.1:{dead.port}/", "well": f"json://127.0.0.1:{well.port}/"}
        async with world.notifier(addresses):
            for number in range(1, 4):
                await world.happen(ListingChanged(listing=a_listing(f"A{number}USDT", number=number)))
            await until(lambda: len("".join(well.texts).split("New listing")) == 4)
            await until(lambda: "503" in world.store.channel("dead").state.last_error)
            state = world.store.channel("dead").state
            assert state.failing_since_ns is not None
            assert dead.texts == []

            dead.status = 200
            await until(lambda: len("".join(dead.texts).split("New listing")) == 4)
            await until(lambda: world.store.channel("dead").state.last_error == "")

    told = "\n".join(dead.texts)
    assert [told.index(f"A{number}USDT") for number in (1, 2, 3)] == sorted(
        told.index(f"A{number}USDT") for number in (1, 2, 3)
    )


async def test_an_end_between_two_tries_loses_nothing(world: NotifyWorld):
    async with an_http_service() as hook:
        hook.status = 500
        address = {"hook": f"json://127.0.0.1:{hook.port}/"}
        async with world.notifier(address):
            await world.happen(TradingChanged(status=STOPPED))
            await until(lambda: world.store.channel("hook").state.last_error)
        hook.status = 200
        async with world.notifier(address):
            await until(lambda: hook.texts)

    assert "a person must resume" in hook.texts[0]


async def test_many_waiting_messages_come_as_one(world: NotifyWorld):
    async with an_http_service() as hook:
        address = {"hook": f"json://127.0.0.1:{hook.port}/"}
        async with world.notifier(address):
            pass
        await world.happen(*(ListingChanged(listing=a_listing(f"A{n}USDT", number=n)) for n in range(1, 46)))
        async with world.notifier(address):
            await until(lambda: "".join(hook.texts).count("New listing") == 45)

    assert len(hook.texts) == 3


async def test_quiet_hours_hold_back_all_but_what_is_urgent_until_they_end(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        row = await asyncio.to_thread(world.store.channel, "hook")
        always = QuietHours(start="00:00", end="23:59")
        assert await asyncio.to_thread(world.store.choose, "hook", Choices(quiet=always), row.revision)
        await asyncio.sleep(0.5)
        await world.happen(ListingChanged(listing=a_listing()), TradingChanged(status=STOPPED))
        await until(lambda: hook.texts)
        await asyncio.sleep(0.3)
        assert len(hook.texts) == 1
        assert "a person must resume" in hook.texts[0]

        await asyncio.to_thread(world.store.choose, "hook", Choices(), row.revision + 1)
        await until(lambda: len(hook.texts) == 2)

    assert "New listing" in hook.texts[1]


async def test_the_operators_switches_hold(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        row = await asyncio.to_thread(world.store.channel, "hook")
        await asyncio.to_thread(world.store.choose, "hook", Choices(events=("config",)), row.revision)
        await asyncio.sleep(0.5)
        version = ConfigVersion(version=2, created_ns=ns(1), actor="operator", config=TradeConfig())
        await world.happen(ListingChanged(listing=a_listing()), TradingChanged(status=STOPPED))
        await world.happen(ConfigChanged(version=version))
        await until(lambda: hook.texts)
        await asyncio.to_thread(world.store.choose, "hook", Choices(enabled=False), row.revision + 1)
        await asyncio.sleep(0.5)
        await world.happen(ConfigChanged(version=version.model_copy(update={"version": 3})))
        await asyncio.sleep(0.3)

    assert hook.texts == ["Configuration version 2 is in force, by operator."]


async def test_hostile_names_go_the_whole_way_as_harmless_text(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        for number, name in enumerate(HOSTILE_NAMES, 1):
            listing = a_listing(name[:60], number=number, full_name=name)
            attention = Attention(
                id=f"A{number}", kind=AttentionKind.DISCREPANCY, account=Account.LIVE, symbol=Symbol(name[:60]),
                text=f"The venue says {name}", raised_ns=ns(number),
            )  # fmt: skip
            await world.happen(ListingChanged(listing=listing), AttentionChanged(attention=attention))
        await until(lambda: "\n".join(hook.texts).count("New listing") == len(HOSTILE_NAMES), 60)
        await until(lambda: "\n".join(hook.texts).count("Needs you") == len(HOSTILE_NAMES), 60)

    told = "\n".join(hook.texts)
    assert "@everyone" not in told
    assert "<script" not in told
    assert "<!" not in told
    assert "://" not in told
    assert "\x1b" not in told


async def test_mail_arrives(world: NotifyWorld):
    with a_mail_service() as mail:
        address = f"mailto://127.0.0.1:{mail.port}?from=bot@example.org&to=me@example.org"
        async with world.notifier({"mail": address}):
            await world.happen(TradingChanged(status=STOPPED))
            await until(lambda: mail.mails)

    assert "a person must resume" in str(mail.mails[0])


async def test_a_test_message_is_sent_on_request_and_its_answer_told(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        await asyncio.to_thread(world.store.ask_test, "hook", "w1")
        await until(lambda: world.store.channel("hook").test_answer is not None)
        assert world.store.channel("hook").test_answer.ok
        assert "test message" in hook.texts[0]

        hook.status = 404
        await asyncio.to_thread(world.store.ask_test, "hook", "w2")
        await until(lambda: world.store.channel("hook").test_answer.asked == "w2")

    answer = world.store.channel("hook").test_answer
    assert (answer.ok, "404" in answer.detail) == (False, True)


async def test_positions_without_an_engine_raise_the_alarm_again_and_again_until_it_is_back(world: NotifyWorld):
    await world.happen(PositionChanged(position=a_position()), PositionChanged(position=a_position(Account.PAPER, "B")))
    await world.beat()
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        await asyncio.sleep(0.3)
        assert hook.texts == []
        world.clock.pass_by(70)
        await until(lambda: hook.texts)
        assert "UNPROTECTED since" in hook.texts[0]
        assert "1 LIVE position(s)" in hook.texts[0]
        assert "ALPHAUSDT" in hook.texts[0]
        world.clock.pass_by(901)
        await until(lambda: len(hook.texts) == 2)
        assert "UNPROTECTED since" in hook.texts[1]
        await world.beat()
        await until(lambda: len(hook.texts) == 3)

    assert "is back" in hook.texts[2]
    assert "1 LIVE position(s) open" in hook.texts[3], "the last word: nobody tells of them now"


async def test_an_engine_that_goes_with_nothing_held_live_is_told_once(world: NotifyWorld):
    await world.beat()
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        world.clock.pass_by(70)
        await until(lambda: hook.texts)
        world.clock.pass_by(2_000)
        await asyncio.sleep(0.3)

    assert len(hook.texts) == 1
    assert "No live position is open" in hook.texts[0]


async def test_the_outside_watchman_hears_while_the_engine_lives_and_no_longer(world: NotifyWorld):
    await world.beat()
    async with an_http_service() as outside:
        url = f"http://127.0.0.1:{outside.port}/ping/abc"
        async with world.notifier({}, heartbeat_url=url, heartbeat_s=0.1):
            await until(lambda: len(outside.requests) >= 2)
            world.clock.pass_by(60)
            await asyncio.sleep(0.3)
            heard = len(outside.requests)
            await asyncio.sleep(0.5)
            assert len(outside.requests) == heard
            await world.beat()
            outside.status = 500
            await until(lambda: world.store.channel("outside-heartbeat").state.last_error)

    assert outside.requests[0][0] == "/ping/abc"


async def test_the_day_ends_with_a_summary_that_carries_the_head_of_the_audit_chain(world: NotifyWorld):
    async with an_http_service() as hook, world.notifier({"hook": f"json://127.0.0.1:{hook.port}/"}):
        await world.happen(TradingChanged(status=STOPPED))
        await until(lambda: len(hook.texts) == 1)

    reader = LedgerReader(world.location)
    head = reader.audit_head()
    text = summary(reader, world.clock.wall_ns() // DAY_NS).text
    reader.close()
    assert head.number == 1
    assert f"Audit chain: row 1, {head.hash}" in text


@pytest.mark.parametrize(
    ("start", "end", "zone", "hour", "quiet"),
    [
        ("22:00", "07:00", "UTC", 23, True),
        ("22:00", "07:00", "UTC", 6, True),
        ("22:00", "07:00", "UTC", 7, False),
        ("22:00", "07:00", "UTC", 12, False),
        ("09:00", "17:00", "UTC", 9, True),
        ("09:00", "17:00", "UTC", 17, False),
        ("22:00", "07:00", "Asia/Tokyo", 14, True),
        ("22:00", "07:00", "Asia/Tokyo", 23, False),
    ],
)
def test_quiet_hours_are_local_and_pass_midnight(start: str, end: str, zone: str, hour: int, quiet: bool):
    now_ns = (20_000 * 24 + hour) * 3_600 * 1_000_000_000

    assert is_quiet(QuietHours(start=start, end=end, zone=zone), now_ns) is quiet


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [("7", "8", "UTC"), ("24:00", "07:00", "UTC"), ("07:00", "07:00", "UTC"), ("22:00", "07:00", "Mars/Base"),
     ("22:00", "07:00", "../../etc/passwd"), ("22:00", "07:00", "")],
)  # fmt: skip
def test_senseless_quiet_hours_are_named(start: str, end: str, zone: str):
    assert problem_of(QuietHours(start=start, end=end, zone=zone))
