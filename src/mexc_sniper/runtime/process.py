"""The engine process's inside: prepares the interpreter for low latency and runs the loop until told to stop."""

import asyncio
import gc
import sys
from collections.abc import Callable

from mexc_sniper.engine.engine import Engine
from mexc_sniper.model.config import TradeConfig
from mexc_sniper.model.limits import HardCaps
from mexc_sniper.model.restored import Restored
from mexc_sniper.ports import Clock, CommandInbox, Ledger, LiveFigures, MarketGateway
from mexc_sniper.runtime.loop import EngineLoop
from mexc_sniper.runtime.trading_parts import TradingParts

SWITCH_INTERVAL_S = 0.0005
"""How long a busy thread may keep the loop waiting; the default 5 ms put 3 ms into the loop's p99 (DESIGN 9)."""


async def run_engine(
    *,
    ledger: Ledger,
    inbox: CommandInbox,
    gateway: MarketGateway,
    figures: LiveFigures,
    clock: Clock,
    restored: Restored,
    stop: asyncio.Event,
    force_running: bool = False,
    on_ready: Callable[[], None] | None = None,
    on_loop: Callable[[EngineLoop], None] | None = None,
    trading: TradingParts | None = None,
    caps: HardCaps | None = None,
    first_config: TradeConfig | None = None,
) -> None:
    """Run the engine on parts that are ready to use; the caller owns and closes them.

    Args:
        ledger, inbox, gateway, figures, clock: the world, as ports.
        restored: what the ledger held when it was opened.
        stop: set it to end cleanly (SIGTERM).
        force_running: listen whatever was wanted before (the demo).
        on_ready: called once commands are being received.
        trading: accounts and what sends their orders; None: the engine only watches.
        caps: bounds of the settings file that no configuration can exceed.
        first_config: version 1 of the configuration where the ledger holds none.
        on_loop: called with the loop before it runs, so that a failing part can end it (`EngineLoop.fail`).

    Raises:
        Exception: whatever ended a part of the engine; the process should end too, start-up is the recovery path.
    """
    loop = EngineLoop(
        engine=Engine(caps, first_config),
        ledger=ledger,
        inbox=inbox,
        gateway=gateway,
        figures=figures,
        clock=clock,
        trading=trading,
    )
    if on_loop is not None:
        on_loop(loop)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # what is loaded by now lives until the end; scanning it again costs pauses of 24 ms (DESIGN 9)
    await loop.run(restored, stop=stop, force_running=force_running, on_ready=on_ready)
