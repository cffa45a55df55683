"""Trading with the whole program at the simulator: arming, steered listings, and both order logs side by side."""

import contextlib
from collections.abc import Iterator
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
OURS = "ms"
"""Order ids of the program begin with it."""


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

    def kill(self, action: str = "cancel") -> dict[str, Any]:
        """Stop trading."""
        answer: dict[str, Any] = self.bot.api("POST", "/kill-switch", {"action": action, "reason": "test"})
        return answer

    # ------------------------------------------------------------------ the market

    def list_quietly(self, base: str, **more: Any) -> str:
        """List a coin that nobody trades yet: its first quote is the test's. Returns the symbol."""
        wanted = {"base": base, "quoteInS": "never", "tradeInS": "never", **more}
        symbol = str(self.bot.sim("POST", "/sim/listings", wanted)["symbol"])
        eventually(f"{symbol} is seen", lambda: self.listing(symbol))
        return symbol

    def quote(self, symbol: str, bid: str, ask: str, size: str = "1000") -> None:
        """Make this the whole book."""
        self.bot.sim("POST", "/sim/book", {"symbol": symbol, "bids": [[bid, size]], "asks": [[ask, size]]})

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


@contextlib.contextmanager
def trading_bot(
    data_dir: Path, *, live: bool, symbols: int = 60, settings: dict[str, str] | None = None
) -> Iterator[Trader]:
    """Run the program with its monitor started; live: armed and with automatic entries."""
    chosen = {**COMMON, **(LIVE if live else {}), **(settings or {})}
    with running_bot(data_dir, symbols=symbols, settings=chosen) as bot:
        trader = Trader(bot)
        bot.set_monitor(True)
        if live:
            trader.arm()
            trader.configure(autoTrade=True)
        yield trader
