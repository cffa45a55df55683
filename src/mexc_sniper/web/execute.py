"""A manual buy: given to the engine as a command, followed until its first outcome is known (DESIGN 7)."""

import asyncio
from collections.abc import Mapping
from typing import Any

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import TradeId
from mexc_sniper.model.commands import Command, CommandResult, Verb
from mexc_sniper.model.trading import Trade, TradeStatus
from mexc_sniper.ports import Clock
from mexc_sniper.web.auth.principal import Principal
from mexc_sniper.web.commands import Commander, done_or_refusal, silent
from mexc_sniper.web.live import Hub
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.store import Store


class Executor:
    """Gives one command that leads to a trade and waits for what becomes of it."""

    def __init__(self, options: WebOptions, commander: Commander, store: Store, hub: Hub, clock: Clock) -> None:
        self._wait_s = options.trade_wait_s
        self._commander = commander
        self._store = store
        self._hub = hub
        self._clock = clock

    async def execute(
        self, verb: Verb, arguments: Mapping[str, Any], caller: Principal, key: str | None
    ) -> tuple[Command, Trade]:
        """Give the command and return it with its trade, still ``pending`` if no outcome is known in time.

        Raises:
            ApiError: the engine's refusal; 503 ``engine_unavailable`` when it is gone or silent.
        """
        command = await self._commander.give(verb, arguments, caller, key)
        deadline_ns = self._clock.mono_ns() + round(self._wait_s * NS_PER_S)
        with self._hub.following(command.id) as outcome:
            result = await self._commander.answer(command, self._wait_s)
            if result is not None:
                done_or_refusal(result)
            trade = outcome.trade or await self._written(result)
            while trade is None or trade.status is TradeStatus.PENDING:
                outcome.news.clear()
                left_s = (deadline_ns - self._clock.mono_ns()) / NS_PER_S
                try:
                    async with asyncio.timeout(max(0.0, left_s)):
                        await outcome.news.wait()
                except TimeoutError:
                    break
                trade = outcome.trade
            trade = outcome.trade or trade
        if trade is None:
            raise silent(command)
        return command, trade

    async def _written(self, result: CommandResult | None) -> Trade | None:
        """Read the trade a result names: a request that is repeated finds it in the ledger alone."""
        trade_id = None if result is None else result.result.get("tradeId")
        if not isinstance(trade_id, str):
            return None
        try:
            return await self._store.read(lambda reader: reader.trade(TradeId(trade_id)))
        except StoreError:
            return None
