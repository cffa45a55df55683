"""``/risk/metrics``: what is at stake against what is allowed; what is not known is never shown as zero."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.model.account import Account, TradingState
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    AttentionChanged,
    ConfigChanged,
    OrderChanged,
    PositionChanged,
    TradingChanged,
)
from mexc_sniper.model.order import OrderStatus
from mexc_sniper.model.position import PositionStatus
from mexc_sniper.model.trading import TradingStatus
from mexc_sniper.web import risk, views_trading
from tests.builders import ns
from tests.web.trading_builders import a_position, an_attention, an_order, quantity
from tests.web.world import WebWorld, eventually


async def figure(web: WebWorld, value: object) -> None:
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    web.engine.live.put("trading", raw)
    await eventually(lambda: web.engine.live.get_all().get("trading", (b"", 0))[0] == raw)


def account(body: dict[str, Any], mode: str) -> dict[str, Any]:
    return next(account for account in body["accounts"] if account["mode"] == mode)


async def test_before_the_engine_has_said_anything_trading_is_halted_and_nothing_is_known(web: WebWorld):
    answer = await web.get("/risk/metrics")

    assert answer.status == 200, answer.body
    views_trading.RiskMetricsView.model_validate(answer.body)
    assert (answer.body["trading"]["state"], answer.body["configVersion"]) == ("halted", 0)
    assert answer.body["throttle"]["perSecond"] is None
    assert account(answer.body, "live")["spentToday"] is None
    assert account(answer.body, "live")["limits"] == []


async def test_the_engines_figures_stand_beside_the_limits_in_force(web: WebWorld):
    config = TradeConfig(max_position_usdt=Decimal(400), daily_loss_limit_usdt=Decimal(50), max_open_positions=0)
    until_ns = web.clock.wall_ns() + 60 * NS_PER_S
    web.engine.write(
        ConfigChanged(version=ConfigVersion(version=3, created_ns=ns(0), actor="a", config=config)),
        TradingChanged(
            status=TradingStatus(
                state=TradingState.ACTIVE, actor="operator", since_ns=ns(0), armed_until_ns=until_ns,
                armed_by="operator", gates=("The market data is stale.",), reconciled=True,
            )
        ),
        OrderChanged(order=an_order(1)),
        OrderChanged(order=an_order(2, status=OrderStatus.IN_DOUBT)),
        AttentionChanged(attention=an_attention()),
    )  # fmt: skip
    await web.engine.flush()
    await figure(
        web,
        {
            "throttle": {"per_second": 5.0, "available": 3.5, "waiting": 2, "banned_until_ns": until_ns},
            "exposure": {
                "live": {"at_stake": "100", "open_positions": 2, "realized_today": "-20.5", "spent_today": "120"},
                "paper": {"at_stake": "0", "realized_today": "12", "of_a_newer_engine": 1},
            },
        },
    )

    body = (await web.get("/risk/metrics")).body

    assert (body["configVersion"], body["ordersOpen"], body["ordersInDoubt"], body["attentionOpen"]) == (3, 2, 1, 1)
    assert (body["trading"]["armed"], body["trading"]["gates"]) == (True, ["The market data is stale."])
    live = account(body, "live")
    limits = {limit["name"]: limit for limit in live["limits"]}
    assert live["source"] == "engine"
    assert limits["maxPositionUsdt"] | {"name": ""} == {
        "name": "", "used": "100", "limit": "400", "left": "300", "utilisation": 0.25,
    }  # fmt: skip
    assert (limits["dailyLossLimitUsdt"]["used"], limits["dailyLossLimitUsdt"]["left"]) == ("20.5", "29.5")
    assert limits["maxOpenPositions"]["utilisation"] is None, "a limit of 0 has no share"
    assert limits["maxTradesPerHour"]["used"] is None, "what the engine did not tell is not zero"
    paper = {limit["name"]: limit for limit in account(body, "dry-run")["limits"]}
    assert paper["dailyLossLimitUsdt"]["used"] == "0", "a profit is no loss"
    throttle = body["throttle"]
    assert (throttle["perSecond"], throttle["available"], throttle["waiting"]) == (5.0, 3.5, 2)
    assert 0 < throttle["bannedForS"] <= 60


async def test_an_arming_that_is_over_is_not_armed_and_a_past_ban_is_none(web: WebWorld):
    status = TradingStatus(state=TradingState.ACTIVE, armed_until_ns=web.clock.wall_ns() - 1, armed_by="operator")
    web.engine.write(TradingChanged(status=status))
    await web.engine.flush()
    await figure(web, {"throttle": {"banned_until_ns": web.clock.wall_ns() - 1}})

    body = (await web.get("/risk/metrics")).body

    assert (body["trading"]["armed"], body["trading"]["armedUntil"], body["trading"]["armedBy"]) == (False, None, "")
    assert (body["throttle"]["bannedUntil"], body["throttle"]["bannedForS"]) == (None, None)


FIGURES_OF_NO_USE = [b"", b"[]", b"{", b'{"exposure": {"live": {"at_stake": "many"}}}', b"\xff"]


@pytest.mark.parametrize("raw", FIGURES_OF_NO_USE)
async def test_without_a_figure_the_ledger_tells_what_it_can(web: WebWorld, raw: bytes):
    today_ns = web.clock.wall_ns()
    closed = a_position(
        2, account=Account.LIVE, status=PositionStatus.CLOSED, quantity=quantity("0"), sold_quantity=quantity("100"),
        proceeds=Decimal("7.5"), closed_ns=today_ns,
    )  # fmt: skip
    yesterday = msgspec.structs.replace(closed, id="P3", closed_ns=today_ns - 86_400 * NS_PER_S)
    web.engine.write(
        *(PositionChanged(position=position) for position in (a_position(1, account=Account.LIVE), closed, yesterday))
    )
    await web.engine.flush()
    await figure(web, raw)

    live = account((await web.get("/risk/metrics")).body, "live")

    assert (live["source"], live["openPositions"]) == ("ledger", 1)
    assert Decimal(live["atStake"]) == 10
    assert Decimal(live["realizedToday"]) == Decimal("-2.5")
    assert live["spentToday"] is None


def test_an_old_figure_is_of_an_engine_that_says_nothing_any_more():
    raw = msgspec.json.encode({"throttle": {"per_second": 5.0}})
    now_ns = 10**18

    assert risk.trading_figure({"trading": (raw, now_ns - NS_PER_S)}, now_ns) is not None
    assert risk.trading_figure({"trading": (raw, now_ns - 6 * NS_PER_S)}, now_ns) is None
    assert risk.trading_figure({}, now_ns) is None
