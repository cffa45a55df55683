"""The unofficial web endpoints (REFERENCE 3.3): calendar, symbolsV2, announcement sections. No contract, no limits."""

import re
from datetime import UTC, datetime
from typing import Any

from mexc_sim.core.instrument import coin_id
from mexc_sim.core.market import Market
from mexc_sim.core.replies import Ask, Reply, Route, reply
from mexc_sim.core.world import World

CALENDAR_PATH = "/api/operation/new_coin_calendar"
SYMBOLS_PATH = "/api/platform/spot/market-v2/web/symbolsV2"
_SECTION = re.compile(r"/help/announce/api/[A-Za-z-]+/section/\d+/articles")


class WebPages:
    """What the exchange's web pages fetch."""

    def __init__(self, world: World) -> None:
        self._world = world

    def route(self, path: str) -> Route | None:
        """The route of a path, None when it is no web endpoint."""
        calendar, symbols, articles = self.routes()
        if path == CALENDAR_PATH:
            return calendar
        if path == SYMBOLS_PATH:
            return symbols
        return articles if _SECTION.fullmatch(path) else None

    def routes(self) -> tuple[Route, Route, Route]:
        """Calendar, symbols and announcement sections."""
        return (
            Route("calendar", self._calendar),
            Route("symbolsV2", self._symbols),
            Route("helpAnnouncements", self._articles),
        )

    def _calendar(self, ask: Ask) -> Reply:
        coins = [
            {
                "vcoinId": line.coin_id,
                "vcoinName": line.base,
                "vcoinNameFull": line.full_name,
                "firstOpenTime": line.opens_ms,
                "zone": line.zone,
                "introductionEn": f"{line.full_name} is an invented coin of the exchange simulator.",
                "introductionCn": "",
            }
            for line in self._world.calendar
            if line.symbol not in ask.hidden
        ]
        return reply({"data": {"newCoins": coins}}, self._world.stamps.carried("calendar", hidden=ask.hidden))

    def _symbols(self, ask: Ask) -> Reply:
        by_quote: dict[str, list[dict[str, Any]]] = {"USDT": [], "USDC": []}
        for market in self._world.markets.values():
            if market.in_web_symbols and market.symbol not in ask.hidden:
                by_quote.setdefault(market.instrument.quote, []).append(self._row(market))
        return reply({"data": {"symbols": by_quote}}, self._world.stamps.carried("web_row", hidden=ask.hidden))

    def _row(self, market: Market) -> dict[str, Any]:
        coin = market.instrument
        return {
            "id": coin.symbol_id,
            "mcd": coin_id(coin.quote),
            "cd": coin.coin_id,
            "vn": coin.base,
            "fn": coin.full_name,
            "srt": 0,
            "sts": 2 if market.in_exchange_info else 1,
            "tp": 0,
            "in": "",
            "ot": market.web_open_ms,
            "cp": list(coin.plates),
            "ci": list(coin.plate_ids),
            "ps": coin.price_scale,
            "qs": coin.quantity_scale,
            "cdm": 0,
            "st": 2 if market.in_exchange_info else 1,
            "dst": 1,
            "tt": 4 if market.trading else 1,
            "ca": coin.contract,
            "fne": coin.full_name,
        }

    def _articles(self, ask: Ask) -> Reply:
        results = [
            {"id": post.number, "title": post.title, "createdAt": _iso(post.posted_ms)}
            for post in reversed(self._world.posts)
            if not post.symbol or post.symbol not in ask.hidden
        ]
        return reply({"msg": "success", "data": {"results": results[:20]}})


def _iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
