"""The WebSocket side: subscriptions, acknowledgements, connection rules and pushes (REFERENCE 2.1-2.3)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec import DecodeError, json

from mexc_sim.core import frames
from mexc_sim.core.channels import Channel, Kind, parse_channel
from mexc_sim.core.faults import Faults, spoil_frame
from mexc_sim.core.feeds import Feed
from mexc_sim.core.listen_keys import ListenKeys
from mexc_sim.core.market import Market, Trade
from mexc_sim.core.messages import Carried, Close, Frame
from mexc_sim.core.timers import NS_PER_S
from mexc_sim.core.world import World

_FRAME_KINDS = ("drop", "delay", "duplicate", "reorder", "corrupt", "unknown_fields", "text")
_STEP_OF = {Kind.TOP: "quote", Kind.TOP_BATCH: "quote", Kind.LEVELS: "quote", Kind.DEPTH: "quote",
            Kind.DEALS: "trade", Kind.KLINE: "trade", Kind.MINI: "mini"}  # fmt: skip


@dataclass(slots=True)
class Connection:
    """One client's WebSocket."""

    id: int
    opened_ns: int
    live: dict[str, None] = field(default_factory=dict)
    """Channels that push; at most the allowed number."""
    dead: dict[str, None] = field(default_factory=dict)
    """Channels acknowledged beyond the allowed number: they never push (REFERENCE trap 30)."""
    flow_ns: int = 0
    second_ns: int = 0
    in_second: int = 0
    frozen: bool = False
    """Half-open: it stays, says nothing and hears nothing."""
    listen_key: str | None = None
    """What its private channels hang on; when it dies they fall silent (REFERENCE trap 33)."""


class Streams:
    """All connections and channels."""

    def __init__(
        self, world: World, faults: Faults, out: Callable[[Frame | Close], None], listen_keys: ListenKeys
    ) -> None:
        self._listen_keys = listen_keys
        self._world = world
        self._faults = faults
        self._out = out
        self._connections: dict[int, Connection] = {}
        self._feeds: dict[str, Feed] = {}
        self._by_symbol: dict[str, list[Feed]] = {}
        self._mini_items: dict[str, tuple[int, bytes]] = {}
        self.counts: Counter[str] = Counter()

    # -- connections ------------------------------------------------------------------------------------------

    def open(self, connection: int, listen_key: str | None = None) -> None:
        """A handshake succeeded; its three clocks begin to run. A dead listen key is told and hung up on."""
        now, rules = self._world.timers.now_ns, self._world.rules
        client = self._connections[connection] = Connection(connection, now, flow_ns=now)
        self.counts["opened"] += 1
        if listen_key is not None:
            if not self._listen_keys.enter(listen_key):
                self._out(Frame(connection, "Invalid listen key"))
                self._end(client)
                return
            client.listen_key = listen_key
        timers = self._world.timers
        timers.after(int(rules.no_subscription_s * NS_PER_S), lambda _: self._check_subscribed(client))
        timers.after(int(rules.idle_s * NS_PER_S), lambda _: self._check_idle(client))
        timers.after(int(rules.connection_life_s * NS_PER_S), lambda _: self._end(client))

    def closed(self, connection: int) -> None:
        """The client's socket is gone."""
        client = self._connections.pop(connection, None)
        if client is not None:
            for name in list(client.live):
                self._leave(client, name)
            if client.listen_key is not None:
                self._listen_keys.leave(client.listen_key)

    def text(self, connection: int, text: str) -> None:
        """One text frame of a client."""
        client = self._connections.get(connection)
        if client is None or client.frozen:
            return
        if self._too_many(client):
            self._end(client)
            return
        try:
            message = json.decode(text)
        except DecodeError:
            self._say(client, 0, "msg format invalid")
            return
        if not isinstance(message, dict):
            self._say(client, 0, "msg format invalid")
            return
        number = message.get("id", 0)
        number = number if isinstance(number, int) and not isinstance(number, bool) else 0
        method = str(message.get("method", "")).upper()
        if method == "PING":
            client.flow_ns = self._world.timers.now_ns
            self._say(client, 0, "PONG")
        elif method in ("SUBSCRIPTION", "UNSUBSCRIPTION"):
            params = message.get("params")
            names = [name for name in params if isinstance(name, str)] if isinstance(params, list) else []
            if method == "SUBSCRIPTION":
                self._subscribe(client, names, number)
            else:
                self._unsubscribe(client, names, number)
        else:
            self._say(client, number, "no method")

    def cut(self) -> int:
        """Drop every socket at once; returns how many."""
        victims = list(self._connections.values())
        for client in victims:
            self._end(client, abort=True)
        return len(victims)

    def freeze(self) -> int:
        """Make every present socket half-open for good; returns how many."""
        for client in self._connections.values():
            client.frozen = True
        return len(self._connections)

    def is_frozen(self, connection: int) -> bool:
        """Whether a socket is half-open on purpose."""
        client = self._connections.get(connection)
        return client is not None and client.frozen

    def view(self) -> list[dict[str, Any]]:
        """Connections for the control API."""
        return [
            {"id": c.id, "subscriptions": list(c.live), "deadSubscriptions": list(c.dead), "frozen": c.frozen}
            for c in self._connections.values()
        ]

    # -- subscriptions ----------------------------------------------------------------------------------------

    def _subscribe(self, client: Connection, names: list[str], number: int) -> None:
        channels = [parse_channel(name) for name in names]
        refused = [
            name
            for name, channel in zip(names, channels, strict=True)
            if channel is None or not self._allowed(client, channel)
        ]
        if self._faults.strike_stream(",".join(names), self._world.timers.now_ns, ("reject",)):
            refused = names
        if refused or not names:
            # One bad name refuses the whole request; full-width colon, double and trailing blank as measured.
            text = f"Not Subscribed successfully! [{','.join(refused)}].  Reason： Blocked! "
            self._say(client, number, text)
            self.counts["rejected"] += 1
            return
        for channel in channels:
            if channel is not None:
                self._join(client, channel)
        if not self._faults.strike_stream(",".join(names), self._world.timers.now_ns, ("no_ack",)):
            self._say(client, number, ",".join(names))

    def _allowed(self, client: Connection, channel: Channel) -> bool:
        if channel.kind is Kind.PRIVATE:
            return client.listen_key is not None
        known = not channel.symbol or self._world.known(channel.symbol) is not None
        return known or self._world.rules.unknown_symbols == "accept"

    def _unsubscribe(self, client: Connection, names: list[str], number: int) -> None:
        done = []
        for name in names:
            if name in client.live:
                del client.live[name]
                self._leave(client, name)
                done.append(name)
            elif name in client.dead:
                del client.dead[name]
                done.append(name)
        self._say(client, number, ",".join(done) or "no subscription")
        if not client.live:
            wait = int(self._world.rules.no_subscription_s * NS_PER_S)
            self._world.timers.after(wait, lambda _: self._check_subscribed(client))

    def _join(self, client: Connection, channel: Channel) -> None:
        if channel.name in client.live:
            return
        if len(client.live) >= self._world.rules.subscriptions_per_connection:
            client.dead[channel.name] = None
            self.counts["dead_subscriptions"] += 1
            return
        client.live[channel.name] = None
        if channel.kind is Kind.PRIVATE:
            return
        feed = self._feeds.get(channel.name)
        if feed is None:
            feed = self._feeds[channel.name] = Feed(channel, self._world.timers, self._flush)
            self._by_symbol.setdefault(channel.symbol, []).append(feed)
            market = self._world.markets.get(channel.symbol)
            if market is not None:
                feed.version = market.book.version
                self.attach(market)
        feed.subscribers[client.id] = None
        if channel.kind in (Kind.KLINE, Kind.MINI, Kind.MINI_ALL):
            feed.start_clock()

    def attach(self, market: Market) -> None:
        """Listen to a market if someone is subscribed to it; called again when a symbol comes into being."""
        if self._by_symbol.get(market.symbol) and market.listener is None:
            market.listener = self
            self._world.watch(market)

    def _leave(self, client: Connection, name: str) -> None:
        feed = self._feeds.get(name)
        if feed is None:
            return
        feed.subscribers.pop(client.id, None)
        if feed.subscribers:
            return
        feed.stop()
        del self._feeds[name]
        others = self._by_symbol[feed.channel.symbol]
        others.remove(feed)
        if not others:
            del self._by_symbol[feed.channel.symbol]
            market = self._world.markets.get(feed.channel.symbol)
            if market is not None and market.listener is not None:
                market.listener = None
                self._world.unwatch(market.symbol)

    # -- what markets tell (MarketListener) -------------------------------------------------------------------

    def book_changed(self, market: Market) -> None:
        changed, market.book.changed = market.book.changed, {}
        top = (market.top(is_bid=True), market.top(is_bid=False))
        for feed in self._by_symbol.get(market.symbol, ()):
            match feed.channel.kind:
                case Kind.TOP | Kind.TOP_BATCH if top != feed.last_top:
                    feed.last_top = top
                    feed.want()
                case Kind.DEPTH if changed:
                    feed.levels.update(changed)
                    feed.want()
                case Kind.LEVELS if changed:
                    feed.want()
                case _:
                    pass

    def traded(self, market: Market, trade: Trade) -> None:
        for feed in self._by_symbol.get(market.symbol, ()):
            if feed.channel.kind is Kind.DEALS:
                feed.trades.append(trade)
                feed.want()
            elif feed.channel.kind in (Kind.KLINE, Kind.MINI):
                feed.dirty = True

    # -- pushes -----------------------------------------------------------------------------------------------

    def _flush(self, feed: Feed) -> None:
        channel, now_ms = feed.channel, self._world.now_ms
        payload: bytes | None
        if channel.kind is Kind.MINI_ALL:
            payload, carries = self._mini_tickers(feed, now_ms)
        else:
            market = self._world.markets.get(channel.symbol)
            if market is None:
                return
            payload = self._encode(feed, market, now_ms)
            step = _STEP_OF[channel.kind]
            carries = ((market.symbol, step),) if self._world.stamps.awaits(market.symbol, step) else ()
        if payload:
            self._push(feed, payload, carries)

    def _encode(self, feed: Feed, market: Market, now_ms: int) -> bytes | None:
        channel = feed.channel
        match channel.kind:
            case Kind.DEALS:
                trades, feed.trades = feed.trades, []
                return frames.deals(channel, market, trades, now_ms) if trades else None
            case Kind.TOP:
                return frames.top(channel, market, now_ms)
            case Kind.TOP_BATCH:
                return frames.top_batch(channel, market, now_ms)
            case Kind.DEPTH:
                changed, feed.levels = feed.levels, {}
                first, feed.version = feed.version + 1, market.book.version
                return frames.depth(channel, market, changed, first, feed.version, now_ms)
            case Kind.LEVELS:
                return frames.levels(channel, market, now_ms)
            case Kind.KLINE:
                return frames.kline(channel, market, now_ms) if feed.take_dirty() else None
            case _:
                return frames.mini(channel, market, now_ms) if market.last is not None else None

    def _mini_tickers(self, feed: Feed, now_ms: int) -> tuple[bytes, tuple[Carried, ...]]:
        only_changed = self._world.rules.mini_tickers == "changed"
        items: list[bytes] = []
        carries: list[Carried] = []
        for market in self._world.markets.values():
            if market.last is None or not (market.in_exchange_info or market.trading):
                continue
            symbol, trades = market.symbol, market.trade_count
            if only_changed and feed.told.get(symbol, 0) == trades:
                continue
            feed.told[symbol] = trades
            cached = self._mini_items.get(symbol)
            if cached is None or cached[0] != trades:
                cached = self._mini_items[symbol] = (trades, frames.framed_item(market))
            items.append(cached[1])
            if self._world.stamps.awaits(symbol, "mini"):
                carries.append((symbol, "mini"))
        return (frames.mini_all(feed.channel, items, now_ms) if items else b""), tuple(carries)

    def _push(self, feed: Feed, payload: bytes, carries: tuple[Carried, ...]) -> None:
        for number in feed.subscribers:
            self._push_to(self._connections[number], feed.channel.name, payload, carries)

    def push_private(self, channel: str, payload: bytes) -> None:
        """Tell every socket with a living listen key that subscribed to a private channel."""
        for client in list(self._connections.values()):
            if channel in client.live and self._listen_keys.is_alive(client.listen_key or ""):
                self._push_to(client, channel, payload, ())

    def _push_to(self, client: Connection, channel: str, payload: bytes, carries: tuple[Carried, ...]) -> None:
        if client.frozen:
            return
        now = self._world.timers.now_ns
        struck = self._faults.strike_stream(channel, now, _FRAME_KINDS)
        if not struck:
            client.flow_ns = now
            self._out(Frame(client.id, payload, carries))
            return
        for delay_ns, data in spoil_frame(payload, client.id, struck):
            told = carries if data == payload else ()
            if delay_ns:
                self._world.timers.after(delay_ns, lambda _, d=data, t=told: self._late(client, d, t))  # type: ignore[misc]
            else:
                self._out(Frame(client.id, data, told))

    def _late(self, client: Connection, data: bytes | str, carries: tuple[Carried, ...]) -> None:
        if client.id in self._connections and not client.frozen:
            self._out(Frame(client.id, data, carries))

    def _say(self, client: Connection, number: int, message: str) -> None:
        self._out(Frame(client.id, json.encode({"id": number, "code": 0, "msg": message}).decode()))

    # -- connection rules -------------------------------------------------------------------------------------

    def _too_many(self, client: Connection) -> bool:
        now = self._world.timers.now_ns
        if now - client.second_ns >= NS_PER_S:
            client.second_ns, client.in_second = now, 0
        client.in_second += 1
        return client.in_second > self._world.rules.socket_requests_per_s

    def _check_subscribed(self, client: Connection) -> None:
        if not client.live:
            self._end(client)

    def _check_idle(self, client: Connection) -> None:
        if client.id not in self._connections:
            return
        allowed_ns = int(self._world.rules.idle_s * NS_PER_S)
        due_ns = client.flow_ns + allowed_ns
        if due_ns <= self._world.timers.now_ns:
            self._end(client)
        else:
            self._world.timers.at(due_ns, lambda _: self._check_idle(client))

    def _end(self, client: Connection, *, abort: bool = False) -> None:
        if client.id not in self._connections or (client.frozen and not abort):
            return
        self.counts["ended"] += 1
        self._out(Close(client.id, abort=abort))
        self.closed(client.id)
