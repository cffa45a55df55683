"""``/golive``: every point is judged by evidence, and nothing counts as in order because nobody looked."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.values import Asset, Quantity
from mexc_sniper.ledger.channels import ChannelState, TestAnswer
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.model.account import Account, Balance, TradingState
from mexc_sniper.model.canary import FILE_NAME, CanaryResult, decode_canaries, encode_canaries
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    BalancesChanged,
    ComponentChanged,
    ConfigChanged,
    PositionChanged,
    TradingChanged,
)
from mexc_sniper.model.health import Component, ComponentStatus
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradingStatus
from tests.web.trading_builders import a_position
from tests.web.world import WebWorld, a_web_world, eventually

DAY_NS = 86_400 * NS_PER_S
OURS = {"venue": "api.mexc.com", "key": "fingerprint"}
SOLD: dict[str, Any] = {"quantity": Quantity(Decimal(0)), "sold_quantity": Quantity(Decimal(100))}


@pytest.fixture
async def live_web(location: LedgerLocation, tmp_path: Path) -> AsyncIterator[WebWorld]:
    """A web process that was started in live mode."""
    async with a_web_world(location, tmp_path, mode="live") as world:
        yield world


async def states(web: WebWorld) -> dict[str, str]:
    body = (await web.get("/golive")).body
    assert body["ready"] == all(item["state"] != "missing" for item in body["items"])
    for item in body["items"]:
        assert item["detail"], item
        assert bool(item["mend"]) == (item["state"] != "ok"), item
    return {item["id"]: item["state"] for item in body["items"]}


async def figure(web: WebWorld, **key: Any) -> None:
    web.engine.live.put("trading", msgspec.json.encode({"key": key}))
    await eventually(
        lambda: msgspec.json.decode(web.engine.live.get_all().get("trading", (b"{}", 0))[0]).get("key") == key
    )


async def in_order(web: WebWorld, *, version: int = 1) -> None:
    """Write what a live program that is ready to go has written; ``version``: the configuration's next."""
    now_ns = web.clock.wall_ns()
    clock = Component(
        name="clock",
        status=ComponentStatus.OK,
        since_ns=now_ns,
        last_event_ns=now_ns,
        figures={"offset_ms": 12.5, "uncertainty_ms": 3.0},
    )
    config = TradeConfig(auto_trade=True)
    web.engine.write(
        ComponentChanged(component=clock),
        ConfigChanged(version=ConfigVersion(version=version, created_ns=now_ns, actor="engine", config=config)),
        TradingChanged(
            status=TradingStatus(state=TradingState.ACTIVE, since_ns=now_ns, reconciled=True, canary_passed_ns=now_ns)
        ),
        BalancesChanged(
            balances=(
                Balance(account=Account.LIVE, asset=Asset("USDT"), free=Decimal(150), locked=Decimal(0)),
                Balance(account=Account.PAPER, asset=Asset("USDT"), free=Decimal(0), locked=Decimal(0)),
            )
        ),
        *(
            PositionChanged(
                position=a_position(
                    number,
                    status=PositionStatus.CLOSED,
                    proceeds=Decimal(11),
                    closed_ns=now_ns - number * NS_PER_S,
                    **SOLD,
                )
            )
            for number in range(1, 11)
        ),
    )
    passed = CanaryResult(**OURS, wall_ns=now_ns - 2 * DAY_NS, symbol="MXUSDT", passed=True, cost="0.012")
    await asyncio.to_thread((web.options.data_dir / FILE_NAME).write_bytes, encode_canaries((passed,)))
    await figure(web, checked=True, problem="", warnings=[])
    await web.engine.flush()


def channels(web: WebWorld, *, tested: bool | None = None, failing: bool = False, present: bool = True) -> None:
    """Have the notifier know a Telegram channel; ``tested``: what came of a test message, None: none was sent."""
    inbox = web.app.state.services.store._inbox
    inbox.register({"phone": "telegram"})
    if tested is not None:
        inbox.answer_test("phone", TestAnswer(asked="x", ok=tested, detail="" if tested else "401"))
    if failing:
        inbox.note("phone", ChannelState(failing_since_ns=5))
    if not present:
        inbox.register({})


async def test_a_newcomer_in_dry_run_is_ready_for_nothing(web: WebWorld) -> None:
    found = await states(web)
    assert set(found.values()) <= {"missing", "warning"}
    assert found["mode"] == found["key_rights"] == found["balance"] == found["canary"] == "missing"
    assert not (await web.get("/golive")).body["ready"]


async def test_everything_in_order_is_ready_and_leaves_to_the_operator_what_no_call_tells(
    live_web: WebWorld,
) -> None:
    web = live_web
    await in_order(web)
    channels(web, tested=True)
    found = await states(web)
    assert found.pop("address_binding") == "warning", "the venue tells it to no program"
    assert set(found.values()) == {"ok"}, found
    assert (await web.get("/golive")).body["ready"]


@pytest.mark.parametrize(
    ("what", "item", "state"),
    [
        ("key refused", "key_rights", "missing"),
        ("key warned of", "key_rights", "warning"),
        ("clock uncertain", "clock", "missing"),
        ("poor", "balance", "missing"),
        ("not compared", "reconciled", "missing"),
        ("halted", "state", "missing"),
        ("gate closed", "state", "warning"),
        ("canary failed", "canary", "missing"),
        ("canary unreadable", "canary", "missing"),
        ("canary old", "canary", "warning"),
        ("canary of another key", "canary", "missing"),
        ("no channel", "notifications", "missing"),
        ("channel gone", "notifications", "missing"),
        ("channel untested", "notifications", "missing"),
        ("test failed", "notifications", "missing"),
        ("channel fails", "notifications", "missing"),
        ("lost on paper", "paper_record", "warning"),
        ("auto trade off", "auto_trade", "warning"),
    ],
)
async def test_each_point_that_is_not_in_order_is_told(live_web: WebWorld, what: str, item: str, state: str) -> None:
    web = live_web
    await in_order(web)
    if item != "notifications":
        channels(web, tested=True)
    now_ns = web.clock.wall_ns()
    status = TradingStatus(state=TradingState.ACTIVE, since_ns=now_ns, reconciled=True, canary_passed_ns=now_ns)
    canary = CanaryResult(**OURS, wall_ns=now_ns, symbol="MXUSDT", passed=True)
    path = web.options.data_dir / FILE_NAME
    match what:
        case "key refused":
            await figure(web, checked=False, problem="The key can read withdrawals.", warnings=[])
        case "key warned of":
            await figure(web, checked=True, problem="", warnings=["The key can read transfers."])
        case "clock uncertain":
            part = Component(
                name="clock", status=ComponentStatus.OK, since_ns=now_ns, figures={"uncertainty_ms": 251.0}
            )
            web.engine.write(ComponentChanged(component=part))
        case "poor":
            balance = Balance(account=Account.LIVE, asset=Asset("USDT"), free=Decimal("19.99"), locked=Decimal(0))
            web.engine.write(BalancesChanged(balances=(balance,)))
        case "not compared":
            web.engine.write(TradingChanged(status=replace(status, reconciled=False)))
        case "halted":
            web.engine.write(TradingChanged(status=replace(status, state=TradingState.HALTED, reason="kill switch")))
        case "gate closed":
            web.engine.write(TradingChanged(status=replace(status, gates=("The feed is stale.",))))
        case "canary failed":
            failed = replace(canary, passed=False, problems=("3 MX are still held: sell them by hand.",))
            path.write_bytes(encode_canaries((failed,)))
        case "canary of another key":
            web.engine.write(TradingChanged(status=replace(status, canary_passed_ns=None)))
        case "canary unreadable":
            path.write_bytes(b"passed: yes")
        case "canary old":
            path.write_bytes(encode_canaries((replace(canary, wall_ns=now_ns - 40 * DAY_NS),)))
        case "channel gone":
            channels(web, tested=True, present=False)
        case "channel untested":
            channels(web)
        case "test failed":
            channels(web, tested=False)
        case "channel fails":
            channels(web, tested=True, failing=True)
        case "lost on paper":
            lost = a_position(11, status=PositionStatus.CLOSED, cost=Decimal(999), closed_ns=now_ns, **SOLD)
            web.engine.write(PositionChanged(position=lost))
        case "auto trade off":
            off = ConfigVersion(version=2, created_ns=now_ns, actor="operator", config=TradeConfig())
            web.engine.write(ConfigChanged(version=off))
    await web.engine.flush()
    found = await states(web)
    assert found[item] == state
    others = {name: value for name, value in found.items() if name not in (item, "address_binding")}
    assert set(others.values()) == {"ok"}, others


@pytest.mark.parametrize("raw", [b"", b'[{"passed": true}]', b'{"passed": true}'])
def test_a_result_that_is_none_counts_as_not_run(raw: bytes) -> None:
    assert decode_canaries(raw) == ()
