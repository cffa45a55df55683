"""Trading from the terminal: the real command line against a real web process and a stand-in engine."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mexc_sniper.app.instance import RunInfo, write_run_info
from mexc_sniper.core.ids import CommandId
from mexc_sniper.ledger.location import locate
from mexc_sniper.model.account import TradingState
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus, Verb
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import (
    AttentionChanged,
    ConfigChanged,
    LedgerEntry,
    PositionChanged,
    TradeChanged,
    TradingChanged,
)
from mexc_sniper.model.latch import FILE_NAME
from mexc_sniper.model.trading import TradingStatus
from tests.builders import ns
from tests.web.trading_builders import a_position, a_trade, an_attention
from tests.web.world import WebWorld, a_web_world, done

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebWorld]:
    async with a_web_world(locate(None, tmp_path), tmp_path) as world:
        write_run_info(tmp_path, RunInfo(pid=os.getpid(), url=world.url, mode="dry-run"))
        yield world


async def command(web: WebWorld, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Type a command."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    env = clean | {"PYTHONPATH": str(ROOT / "src"), "MEXC_SNIPER_DATA_DIR": str(web.options.data_dir)}
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "mexc_sniper", *arguments], env=env, input=text,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


async def wrote(web: WebWorld, *entries: LedgerEntry) -> None:
    web.engine.write(*entries)
    await web.engine.flush()


def heard(web: WebWorld) -> list[tuple[Verb, dict[str, object]]]:
    return [(command.verb, command.arguments) for command in web.engine.heard]


async def test_trades_and_positions_and_attention_are_listed_for_people_and_scripts(web: WebWorld) -> None:
    await wrote(
        web,
        TradeChanged(trade=a_trade(symbol="[red]HOSTILE\x1b[0mUSDT")),
        PositionChanged(position=a_position()),
        AttentionChanged(attention=an_attention()),
    )
    for words, key, shown in (
        (["trades"], "trades", "HOSTILE"),
        (["positions"], "positions", "ALPHAUSDT"),
        (["attention"], "attention", "in_doubt:1"),
    ):
        human, script = await command(web, *words), await command(web, *words, "--json")
        assert (human.returncode, script.returncode) == (0, 0), human.stderr + script.stderr
        assert shown in human.stdout
        assert "\x1b[0m" not in human.stdout
        assert len(json.loads(script.stdout)[key]) == 1


async def test_buy_tells_what_became_of_it(web: WebWorld) -> None:
    def fill(asked: Command) -> CommandResult:
        trade = a_trade(command_id=CommandId(asked.id))
        web.engine.write(TradeChanged(trade=trade))
        return done(asked, result={"tradeId": trade.id})

    web.engine.answer = fill

    ran = await command(web, "buy", "ALPHAUSDT", "20")

    assert ran.returncode == 0, ran.stderr
    assert "filled, dry-run" in ran.stdout
    assert heard(web) == [(Verb.EXECUTE_TRADE, {"symbol": "ALPHAUSDT", "quoteQty": "20"})]


async def test_a_live_buy_is_asked_for_first(web: WebWorld) -> None:
    status = TradingStatus(state=TradingState.ACTIVE, armed_until_ns=web.clock.wall_ns() + 10**12)
    await wrote(web, TradingChanged(status=status))

    ran = await command(web, "buy", "ALPHAUSDT", "20", text="n\n")

    assert ran.returncode == 1
    assert "live" in ran.stdout + ran.stderr
    assert web.engine.heard == []


async def test_a_refused_buy_ends_with_1_and_the_reason(web: WebWorld) -> None:
    web.engine.answer = lambda asked: done(
        asked, status=CommandStatus.REFUSED, code="above_max_trade", message="Above the limit.", http_status=409
    )

    ran = await command(web, "buy", "ALPHAUSDT", "20")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Above the limit." in ran.stderr


SIMPLE: list[tuple[list[str], Verb, dict[str, object]]] = [
    (["close", "P1"], Verb.CLOSE_POSITION, {"positionId": "P1"}),
    (["cancel", "msp0001"], Verb.CANCEL_ORDER, {"clientOrderId": "msp0001"}),
    (["reject", "T1"], Verb.REJECT_TRADE, {"tradeId": "T1"}),
    (
        ["attention", "resolve", "foreign:币", "mark"],
        Verb.RESOLVE_ATTENTION,
        {"id": "foreign:币", "resolution": "mark"},
    ),
    (["disarm"], Verb.DISARM, {}),
    (["arm", "30", "--confirm", "LIVE"], Verb.ARM, {"minutes": 30}),
    (["resume", "--yes", "--reason", "fixed"], Verb.RESUME, {"reason": "fixed"}),
    (["pause"], Verb.KILL, {"action": "pause", "reason": ""}),
    (["pause", "--cancel"], Verb.KILL, {"action": "cancel", "reason": ""}),
    (["flatten", "--yes", "--reason", "drill"], Verb.KILL, {"action": "flatten", "reason": "drill"}),
]


@pytest.mark.parametrize(("words", "verb", "arguments"), SIMPLE, ids=lambda value: str(value)[:30])
async def test_a_command_reaches_the_engine_with_its_arguments(
    web: WebWorld, words: list[str], verb: Verb, arguments: dict[str, object]
) -> None:
    ran = await command(web, *words)

    assert ran.returncode == 0, ran.stderr
    assert heard(web) == [(verb, arguments)]


async def test_a_wrong_word_arms_and_resumes_nothing(web: WebWorld) -> None:
    assert (await command(web, "arm", "30", text="live\n")).returncode == 1
    assert (await command(web, "resume", text="yes\n")).returncode == 1
    assert web.engine.heard == []


async def test_flatten_stops_entries_before_it_asks(web: WebWorld) -> None:
    ran = await command(web, "flatten", text="n\n")

    assert ran.returncode == 1
    assert web.engine.heard == []
    assert (web.options.data_dir / FILE_NAME).read_text().startswith("pause\t")


async def test_stopping_without_a_web_process_sets_the_latch_and_says_what_is_known(tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(ROOT / "src"), "MEXC_SNIPER_DATA_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "mexc_sniper", "pause"], env=env, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert ran.returncode == 3
    assert "latch is set (pause)" in " ".join(ran.stderr.split())
    assert (tmp_path / FILE_NAME).read_text().startswith("pause\t")


async def test_config_set_sends_typed_values_and_tells_every_wrong_field(web: WebWorld) -> None:
    def adopt(asked: Command) -> CommandResult:
        config = TradeConfig.model_validate(TradeConfig().model_dump(by_alias=True) | asked.arguments["config"])
        web.engine.write(
            ConfigChanged(version=ConfigVersion(version=2, created_ns=ns(0), actor=asked.actor, config=config))
        )
        return done(asked, result={"version": 2})

    web.engine.answer = adopt
    words = ["tradeUsdt=25.50", "maxOpenPositions=3", "autoTrade=false", 'quoteAssets=["USDT"]', "entryType=capped"]

    ran = await command(web, "config", "set", *words, "--version", "1")

    assert ran.returncode == 0, ran.stderr
    assert heard(web)[0] == (
        Verb.UPDATE_CONFIG,
        {
            "version": 1,
            "config": {
                "tradeUsdt": "25.50", "maxOpenPositions": 3, "autoTrade": False, "quoteAssets": ["USDT"],
                "entryType": "capped",
            },
        },
    )  # fmt: skip
    web.engine.answer = lambda asked: done(
        asked, status=CommandStatus.REFUSED, code="invalid_config", message="Not changed.", http_status=422,
        result={"fields": {"tradeUsdt": "too much", "maxTradeUsdt": "too little"}},
    )  # fmt: skip
    refused = await command(web, "config", "set", "tradeUsdt=1000")
    assert refused.returncode == 1
    assert "config.tradeUsdt: too much" in refused.stderr
    assert "config.maxTradeUsdt: too little" in refused.stderr


async def test_a_change_without_a_value_is_wrong_usage(web: WebWorld) -> None:
    ran = await command(web, "config", "set", "tradeUsdt")

    assert ran.returncode == 2
    assert web.engine.heard == []
