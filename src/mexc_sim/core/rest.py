"""The public REST endpoints (REFERENCE 1.5, 1.6, 3.2)."""

from typing import Any

from mexc_sim.core.candles import INTERVAL_MS
from mexc_sim.core.market import Market
from mexc_sim.core.replies import Ask, Refusal, Reply, Route, reply, whole_number
from mexc_sim.core.world import World, encode


class MarketData:
    """Public market endpoints over the world's state."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> dict[str, Route]:
        """Path -> route; weights are those of REFERENCE 1.3 (2026)."""
        return {
            "/api/v3/ping": Route("ping", self._ping, 1),
            "/api/v3/time": Route("time", self._time, 1),
            "/api/v3/defaultSymbols": Route("defaultSymbols", self._default_symbols, 1),
            "/api/v3/symbol/offline": Route("symbolOffline", self._offline, 10),
            "/api/v3/exchangeInfo": Route("exchangeInfo", self._exchange_info, 25),
            "/api/v3/depth": Route("depth", self._depth, 3),
            "/api/v3/trades": Route("trades", self._trades, 5),
            "/api/v3/aggTrades": Route("aggTrades", self._agg_trades, 1),
            "/api/v3/klines": Route("klines", self._klines, 1),
            "/api/v3/avgPrice": Route("avgPrice", self._avg_price, 1),
            "/api/v3/ticker/24hr": Route("ticker24hr", self._ticker_24hr, 25),
            "/api/v3/ticker/price": Route("tickerPrice", self._ticker_price, 10),
            "/api/v3/ticker/bookTicker": Route("tickerBookTicker", self._book_ticker, 10),
            "/api/v3/announcements": Route("announcements", self._announcements, 1, rate=(5, 2)),
            # Futures list, empty: spot clients such as ccxt read it while loading markets.
            "/api/v1/contract/detail": Route("contractDetail", self._contracts, 0),
        }

    def _ping(self, _ask: Ask) -> Reply:
        return reply({})

    def _time(self, _ask: Ask) -> Reply:
        return reply({"serverTime": self._world.now_ms})

    def _contracts(self, _ask: Ask) -> Reply:
        return reply({"success": True, "code": 0, "data": []})

    def _default_symbols(self, ask: Ask) -> Reply:
        names = [m.symbol for m in self._world.markets.values() if m.in_default_symbols and m.symbol not in ask.hidden]
        body = {"code": 0, "msg": "success", "timestamp": self._world.now_ms, "data": names}
        return reply(body, self._world.stamps.carried("default", hidden=ask.hidden))

    def _offline(self, ask: Ask) -> Reply:
        rows: list[dict[str, Any]] = []
        for line in self._world.offline:
            if line.symbol in ask.hidden:
                continue
            row: dict[str, Any] = {"symbol": line.symbol, "state": line.state}
            if line.offline_ms is not None:
                row["offlineTime"] = line.offline_ms
            rows.append(row)
        return reply({"data": rows}, self._world.stamps.carried("offline", hidden=ask.hidden))

    def _exchange_info(self, ask: Ask) -> Reply:
        world = self._world
        single = ask.params.get("symbol")
        wanted = [single] if single else [name for name in ask.params.get("symbols", "").split(",") if name]
        if wanted:
            markets = [m for m in (world.markets.get(name) for name in wanted) if m is not None and m.in_exchange_info]
            if len(markets) < len(wanted):
                raise Refusal(-1121, "Invalid symbol.")
            rows = b",".join(world.row_bytes(m) for m in markets if m.symbol not in ask.hidden)
            carries = tuple(
                item for m in markets for item in world.stamps.carried("row", "flag", only=m.symbol, hidden=ask.hidden)
            )
        elif ask.hidden:
            visible = (m for m in world.markets.values() if m.in_exchange_info and m.symbol not in ask.hidden)
            rows = b",".join(world.row_bytes(m) for m in visible)
            carries = world.stamps.carried("row", "flag", hidden=ask.hidden)
        else:
            rows = world.all_rows_bytes()
            carries = world.stamps.carried("row", "flag")
        head = b'{"timezone":"CST","serverTime":%d,"rateLimits":[],"exchangeFilters":[],"symbols":[' % world.now_ms
        return Reply(b"".join((head, rows, b"]}")), carries)

    def _market(self, ask: Ask) -> Market:
        market = self._world.known(ask.params.get("symbol"))
        if market is None or market.symbol in ask.hidden:
            raise Refusal(-1121, "Invalid symbol.")
        return market

    def _depth(self, ask: Ask) -> Reply:
        market = self._market(ask)
        limit = whole_number(ask, "limit", 100, low=1, high=5_000) or 100
        self._world.wake(market)
        return reply(
            {
                "lastUpdateId": market.book.version,
                "bids": self._levels(market, is_bid=True, limit=limit),
                "asks": self._levels(market, is_bid=False, limit=limit),
                "timestamp": self._world.now_ms,
            }
        )

    def _levels(self, market: Market, *, is_bid: bool, limit: int) -> list[list[str]]:
        return [
            [market.price_text(price, padded=True), market.quantity_text(quantity, padded=True)]
            for price, quantity in market.book.levels(is_bid=is_bid, limit=limit)
        ]

    def _trades(self, ask: Ask) -> Reply:
        market = self._market(ask)
        limit = whole_number(ask, "limit", 500, low=1, high=1_000) or 500
        newest_first = list(market.trades)[::-1][:limit]
        return reply(
            [
                {
                    "id": None,
                    "price": market.price_text(trade.price),
                    "qty": market.quantity_text(trade.quantity),
                    "quoteQty": market.turnover_text(trade.price * trade.quantity),
                    "time": trade.time_ms,
                    "isBuyerMaker": not trade.taker_buys,
                    "isBestMatch": True,
                    "tradeType": "BID" if trade.taker_buys else "ASK",
                }
                for trade in newest_first
            ]
        )

    def _agg_trades(self, ask: Ask) -> Reply:
        market = self._market(ask)
        start = whole_number(ask, "startTime", None)
        end = whole_number(ask, "endTime", None)
        if (start is None) != (end is None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        limit = whole_number(ask, "limit", 500, low=1, high=1_000) or 500
        wanted = [t for t in reversed(market.trades) if start is None or end is None or start <= t.time_ms <= end]
        return reply(
            [
                {
                    "a": None,
                    "f": None,
                    "l": None,
                    "p": market.price_text(trade.price),
                    "q": market.quantity_text(trade.quantity),
                    "T": trade.time_ms,
                    "m": not trade.taker_buys,
                    "M": True,
                }
                for trade in wanted[:limit]
            ]
        )

    def _klines(self, ask: Ask) -> Reply:
        market = self._market(ask)
        interval = ask.params.get("interval", "")
        if interval not in INTERVAL_MS:
            raise Refusal(33333, "parameter interval wrong")
        start = whole_number(ask, "startTime", None)
        end = whole_number(ask, "endTime", None)
        limit = whole_number(ask, "limit", 500, low=1, high=500) or 500
        now_ms = self._world.now_ms
        return reply(market.candles.rows(interval, start, min(now_ms, end if end is not None else now_ms), limit))

    def _avg_price(self, ask: Ask) -> Reply:
        market = self._market(ask)
        since = self._world.now_ms - 300_000
        recent = [trade for trade in market.trades if trade.time_ms >= since]
        volume = sum(trade.quantity for trade in recent)
        turnover = sum(trade.price * trade.quantity for trade in recent)
        price = turnover // volume if volume else market.last or 0
        return reply({"mins": 5, "price": market.price_text(price)})

    def _ticker_24hr(self, ask: Ask) -> Reply:
        return self._ticker(ask, self._day_row)

    def _ticker_price(self, ask: Ask) -> Reply:
        return self._ticker(ask, lambda m: {"symbol": m.symbol, "price": m.price_text(m.last or 0)})

    def _book_ticker(self, ask: Ask) -> Reply:
        return self._ticker(ask, lambda m: {"symbol": m.symbol, **self._top_fields(m)})

    def _ticker(self, ask: Ask, row: Any) -> Reply:
        if ask.params.get("symbol"):  # only the singular filters (REFERENCE trap 34)
            return reply(row(self._market(ask)))
        shown = (
            m for m in self._world.markets.values()
            if m.in_exchange_info and (m.last is not None or m.quoting) and m.symbol not in ask.hidden
        )  # fmt: skip
        return Reply(encode([row(market) for market in shown]))

    def _top_fields(self, market: Market) -> dict[str, str]:
        bid, ask = market.top(is_bid=True), market.top(is_bid=False)
        return {
            "bidPrice": market.price_text(bid[0]) if bid else "0",
            "bidQty": market.quantity_text(bid[1]) if bid else "0",
            "askPrice": market.price_text(ask[0]) if ask else "0",
            "askQty": market.quantity_text(ask[1]) if ask else "0",
        }

    def _day_row(self, market: Market) -> dict[str, Any]:
        day, last = market.day, market.last or 0
        opened = day.open if day else last
        change = last - opened
        now_ms = self._world.now_ms
        return {
            "symbol": market.symbol,
            "priceChange": market.price_text(change),
            "priceChangePercent": f"{change / opened:.4f}" if opened else "0",
            "prevClosePrice": market.price_text(opened),
            "lastPrice": market.price_text(last),
            **self._top_fields(market),
            "openPrice": market.price_text(opened),
            "highPrice": market.price_text(day.high if day else last),
            "lowPrice": market.price_text(day.low if day else last),
            "volume": market.quantity_text(day.volume if day else 0),
            "quoteVolume": market.turnover_text(day.turnover if day else 0),
            "openTime": now_ms - 20_000,  # seconds, not a day, before closeTime: as recorded (REFERENCE 1.5)
            "closeTime": now_ms,
            "count": None,
        }

    def _announcements(self, ask: Ask) -> Reply:
        limit = whole_number(ask, "limit", 20, low=1) or 20
        page = whole_number(ask, "page", 1, low=1) or 1
        if limit > 100 or limit % 5:
            raise Refusal(33333, "limit must be a multiple of 5 or 10 and at most 100")
        posts = [post for post in reversed(self._world.posts) if post.symbol not in ask.hidden or not post.symbol]
        chosen = posts[(page - 1) * limit : page * limit]
        details = [
            {"title": post.title, "url": post.url, "language": "EN", "postTime": post.posted_ms} for post in chosen
        ]
        body = {"code": 0, "data": [{"details": details, "totalPage": str(-(-len(posts) // limit) or 1)}], "msg": ""}
        return reply(body, self._world.stamps.carried("announcement", hidden=ask.hidden))
