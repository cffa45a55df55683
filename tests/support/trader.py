"""Trading with the whole program at the simulator: arming, steered listings, and both order logs side by side."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET
from tests.support.program import Bot, Refused, eventually, running_bot

LIVE = {
    "MEXC_SNIPER_MODE": "live",
    "MEXC_SNIPER_VENUE__API_KEY": DEFAULT_KEY,
    "MEXC_SNIPER_VENUE__API_SECRET": DEFAULT_SECRET,
}
COMMON = {"MEXC_SNIPER_FIRST_CONFIG": "demo", "MEXC_SNIPER_WEB__COMMANDS_PER_MINUTE": "1000"}
MUCH_WEIGHT = ("--ip-weight", "100000")
"""Tests start engines in quick succession and cannot wait for the budget; `tests.crash` runs at the usual weight."""


class Trader:
    """A running program, and the market it trades in, which moves when the test says so."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot

    # ------------------------------------------------------------------ the operator

    def arm(self, minutes: int = 30) -> None:
        """Permit live entries as soon as orders and balances were compared with the venue."""

        said: list[str] = []

        def armed() -> bool:
            try:
                self.bot.api("POST", "/arm", {"confirm": "LIVE", "minutes": minutes})
            except Refused as refusal:
                said.append(str(refusal))
                return False
            return True

        try:
            eventually("live entries are armed", armed, deadline_s=45)
        except AssertionError as late:
            raise AssertionError(f"{late}; {said[-1:]}\n{self.bot.log()}") from None

    def configure(self, **changes: Any) -> int:
        """Change the configuration; returns the new version."""
        answer = self.bot.api("PUT", "/config", {"config": changes, "confirm": True})
        return int(answer["version"])

    def buy(self, symbol: str, amount: str = "20", *, key: str | None = None) -> dict[str, Any]:
        """Enter by hand."""
        body = {"symbol": symbol, "quoteQty": amount}
        answer: dict[str, Any] = self.bot.api("POST", "/trade/execute", body, key=key)
        return answer

    def refusal(self, symbol: str, amount: str = "20") -> Refused:
        """Enter by hand and return the refusal that comes instead."""
        try:
            answer = self.buy(symbol, amount)
        except Refused as refused:
            return refused
        raise AssertionError(f"bought: {answer}")

    def kill(self, action: str = "cancel") -> dict[str, Any]:
        """Stop trading."""
        answer: dict[str, Any] = self.bot.api("POST", "/kill-switch", {"action": action, "reason": "test"})
        return answer

    def restart_engine(self, meanwhile: Callable[[], Any] = lambda: None) -> None:
        """Kill the engine and wait for the one that the supervisor starts; ``meanwhile`` happens while nobody watches.

        The dead one's heartbeat counts for three seconds more, so the next one's own is waited for.
        """
        engine = self.bot.engine_process()
        assert engine is not None, "no engine runs"
        engine.kill()
        engine.wait(10)
        ended_at = datetime.now(UTC)
        meanwhile()

        def is_later(written: str | None) -> bool:
            return written is not None and datetime.fromisoformat(written) > ended_at

        def alive() -> bool:
            status, health = self.bot.api("GET", "/monitor/status"), self.bot.api("GET", "/health")
            return is_later(status["startedAt"]) and is_later(health["engineHeartbeatAt"])

        eventually("another engine lives", alive, deadline_s=60)

    # ------------------------------------------------------------------ the market

    def list_quietly(self, base: str, **more: Any) -> str:
        """List a coin that nobody trades yet: its first quote is the test's. Returns the symbol."""
        wanted = {"base": base, "quoteInS": "never", "tradeInS": "never", **more}
        symbol = str(self.bot.sim("POST", "/sim/listings", wanted)["symbol"])
        eventually(f"{symbol} is open and its rules are read", lambda: self._is_known(symbol), deadline_s=30)
        return symbol

    def _is_known(self, symbol: str) -> bool:
        listing = self.listing(symbol)
        if listing is None or listing["phase"] != "open":
            return False
        return any(source["kind"] == "exchange_info_row" for source in listing["sources"])

    def quote(self, symbol: str, bid: str, ask: str, size: str = "1000") -> None:
        """Make this the whole book."""
        self.bot.sim("POST", "/sim/book", {"symbol": symbol, "bids": [[bid, size]], "asks": [[ask, size]]})

    def open_market(self, base: str) -> str:
        """List a coin with a deep book of 0.99 to 1.00 that nobody else trades; returns the symbol."""
        symbol = self.list_quietly(base, openPrice=1.0)
        eventually("no gate is closed", lambda: self.trading()["gates"] == [], deadline_s=30)
        self.quote(symbol, "0.9900", "1.0000")
        return symbol

    def trade_at(self, symbol: str, price: str) -> None:
        """Let strangers trade: the last price moves."""
        self.bot.sim("POST", "/sim/trade", {"symbol": symbol, "price": price, "quantity": "1", "side": "SELL"})

    # ------------------------------------------------------------------ what came of it

    def listing(self, symbol: str) -> dict[str, Any] | None:
        """Return the listing of a symbol."""
        found = self.bot.api("GET", f"/listings?text={quote(symbol)}")["listings"]
        return next((item for item in found if item["symbol"] == symbol), None)

    def trades(self, symbol: str, **wanted: str) -> list[dict[str, Any]]:
        """Return the trades of a symbol, oldest first."""
        found = self.bot.api("GET", f"/trade/history?limit=100&symbol={quote(symbol)}")["trades"]
        return [item for item in reversed(found) if all(item[key] == value for key, value in wanted.items())]

    def detail(self, trade_id: str) -> dict[str, Any]:
        """Return a trade with its orders, fills and position."""
        answer: dict[str, Any] = self.bot.api("GET", f"/trade/{trade_id}")
        return answer

    def position(self, symbol: str) -> dict[str, Any] | None:
        """Return the newest position in a symbol, closed or not."""
        found = self.bot.api("GET", "/positions?open=false&limit=100")["positions"]
        return next((item for item in found if item["symbol"] == symbol), None)

    def order(self, symbol: str) -> dict[str, Any] | None:
        """Return the newest order of a symbol."""
        found = self.orders(symbol)
        return found[-1] if found else None

    def order_is(self, symbol: str, *status: str, deadline_s: float = 40.0) -> dict[str, Any]:
        """Wait until the newest order of a symbol has one of these states."""

        def reached() -> Any:
            order = self.order(symbol)
            return order is not None and order["status"] in status and order

        order: dict[str, Any] = eventually(f"{symbol} is {status}", reached, deadline_s=deadline_s)
        return order

    def holds(self, symbol: str, quantity: str, *, deadline_s: float = 30.0) -> dict[str, Any]:
        """Wait until the position in a symbol has this quantity."""

        def held() -> Any:
            position = self.position(symbol)
            return position is not None and Decimal(position["quantity"]) == Decimal(quantity) and position

        position: dict[str, Any] = eventually(f"{quantity} {symbol} are held", held, deadline_s=deadline_s)
        return position

    def orders(self, symbol: str) -> list[dict[str, Any]]:
        """Return what the ledger says about a symbol's orders, oldest first."""
        found = self.bot.api("GET", f"/orders?limit=200&symbol={quote(symbol)}")["orders"]
        return list(reversed(found))

    def venue_orders(self, symbol: str | None = None) -> list[dict[str, Any]]:
        """Return what the venue says, in order of arrival."""
        path = "/sim/orders" if symbol is None else f"/sim/orders?symbol={quote(symbol)}"
        found: list[dict[str, Any]] = self.bot.sim("GET", path)["orders"]
        return found

    def posts(self, symbol: str | None = None) -> list[dict[str, Any]]:
        """Return the order requests that reached the venue, accepted or not, in order of arrival."""
        found = self.bot.sim("GET", "/sim/requests?path=/api/v3/order&method=POST")["requests"]
        return [one for one in found if symbol in (None, one["params"].get("symbol"))]

    def sweep_soon(self) -> None:
        """Bring the next comparison with the venue forward: it comes every 30 s and with each new private stream."""
        self.bot.sim("POST", "/sim/stream/cut", {})

    def attention(self) -> list[dict[str, Any]]:
        """Return what waits for a person."""
        found: list[dict[str, Any]] = self.bot.api("GET", "/attention")["attention"]
        return found

    def trading(self) -> dict[str, Any]:
        """Return what is allowed now."""
        found: dict[str, Any] = self.bot.api("GET", "/risk/metrics")["trading"]
        return found

    def holdings(self, asset: str) -> Decimal:
        """Return what the venue's account holds of an asset, free or not."""
        held = self.bot.sim("GET", "/sim/balances")["balances"].get(asset, {"free": "0", "locked": "0"})
        return Decimal(held["free"]) + Decimal(held["locked"])


def by_hand_only(trader: Trader) -> None:
    """Let nothing be entered but by hand, with wide limits and without an exit that would come by itself."""
    trader.configure(
        autoTrade=False,
        dryRunEntries=False,
        maxPositionUsdt="2000",
        maxOpenPositions=500,
        maxDailySpendUsdt="100000",
        maxTradesPerHour=1000,
        maxHoldMinutes=600,
        stopLossPct="90",
        cooldownPerSymbolMinutes=0,
    )


@contextlib.contextmanager
def trading_bot(
    data_dir: Path,
    *,
    live: bool,
    symbols: int = 60,
    settings: dict[str, str] | None = None,
    sim_arguments: tuple[str, ...] = (),
    armed: bool = True,
    canary: bool = True,
) -> Iterator[Trader]:
    """Run the program with its monitor started; live: armed and with automatic entries."""
    chosen = {**COMMON, **(LIVE if live else {}), **(settings or {})}
    with running_bot(
        data_dir, symbols=symbols, settings=chosen, sim_arguments=(*MUCH_WEIGHT, *sim_arguments), canary=canary
    ) as bot:
        trader = Trader(bot)
        bot.set_monitor(True)
        if live and armed:
            trader.arm()
            trader.configure(autoTrade=True)
        yield trader
