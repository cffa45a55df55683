"""A real web process for tests: uvicorn on a loopback port, a real ledger, and a stand-in for the engine's loop."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from mexc_sniper.core.clock import NS_PER_S, SystemClock
from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.values import Asset, Symbol
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.inbox import EngineInbox
from mexc_sniper.ledger.live import LiveStore
from mexc_sniper.ledger.location import LedgerLocation, locate
from mexc_sniper.ledger.writer import LedgerWriter
from mexc_sniper.model.commands import Command, CommandResult, CommandStatus
from mexc_sniper.model.entries import CommandFinished, LedgerEntry, ListingChanged
from mexc_sniper.model.listing import (
    ListedAtBasis,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    SignalKind,
    Source,
)
from mexc_sniper.model.market import Stamp
from mexc_sniper.web.app import create_app
from mexc_sniper.web.options import WebOptions
from mexc_sniper.web.server import listen, make_server
from tests.builders import ns

DEADLINE_S = 10.0


class ShiftedClock(SystemClock):
    """The machine's clocks, moved ahead by hand: hours pass at once, waiting stays real."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def wall_ns(self) -> int:
        return super().wall_ns() + self.ahead_ns

    def mono_ns(self) -> int:
        return super().mono_ns() + self.ahead_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, mono_ns: int, *, exact: bool = False) -> None:
        await asyncio.sleep(max(0, mono_ns - self.mono_ns()) / NS_PER_S)

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.ahead_ns += int(seconds * NS_PER_S)


def a_listing(symbol: str = "ALPHAUSDT", *, number: int = 1, seconds: float = 0.0, **changed: Any) -> Listing:
    """A listing seen ``seconds`` after T0; ``number`` makes its id."""
    listing = Listing(
        id=ListingId(f"L{number:015x}"),
        symbol=Symbol(symbol),
        base=Asset(symbol.removesuffix("USDT") or symbol),
        quote=Asset("USDT"),
        kind=ListingKind.NEW,
        phase=Phase.SIGNALED,
        outcome=Outcome.PENDING,
        source=Source.MEXC_REST_API,
        first_signal=SignalKind.EXCHANGE_INFO_ROW,
        listed_at_ns=ns(seconds),
        listed_at_basis=ListedAtBasis.FIRST_SEEN,
        detected_at_ns=ns(seconds),
    )
    return msgspec.structs.replace(listing, **changed)


def a_signal(
    symbol: str = "ALPHAUSDT", *, kind: SignalKind = SignalKind.FIRST_TRADE, seconds: float = 0.0
) -> ListingSignal:
    stamp = Stamp(ns(seconds) - 40_000_000, ns(seconds), int(seconds * NS_PER_S))
    return ListingSignal(symbol=Symbol(symbol), kind=kind, stamp=stamp, evidence="trade 1.5", lag_ns=40_000_000)


async def eventually(check: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(deadline_s):
        while not check():
            await asyncio.sleep(0.005)


Answering = Callable[[Command], CommandResult | None]


def done(command: Command, **changed: Any) -> CommandResult:
    """What an engine answers to a command it carried out."""
    result = CommandResult(
        id=command.id,
        verb=command.verb,
        actor=command.actor,
        status=CommandStatus.DONE,
        finished_ns=command.created_ns + 1_000_000,
    )
    return msgspec.structs.replace(result, **changed)


class StandInEngine:
    """Writes the real ledger, reads the real inbox, beats the real heartbeat; decides nothing."""

    def __init__(self, location: LedgerLocation, clock: ShiftedClock) -> None:
        self.writer = LedgerWriter(location, clock)
        self.live = LiveStore(location, clock)
        self.heard: list[Command] = []
        self.answer: Answering = done
        self.beats = True
        self._inbox = EngineInbox(location, clock)
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.writer.start()
        self.live.start()
        self._tasks = [asyncio.create_task(self._inbox.run(self._hear)), asyncio.create_task(self._beat())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.live.aclose()
        self.live.close_reader()
        await self.writer.aclose()

    def write(self, *entries: LedgerEntry) -> None:
        self.writer.append(entries)

    async def flush(self) -> None:
        await self.writer.flush(deadline_s=DEADLINE_S)

    async def list(self, *listings: Listing) -> None:
        """Write listings and wait until they are in the ledger."""
        self.write(*(ListingChanged(listing=listing) for listing in listings))
        await self.flush()

    def _hear(self, command: Command) -> None:
        self.heard.append(command)
        result = self.answer(command)
        if result is not None:
            self.write(CommandFinished(result=result))

    async def _beat(self) -> None:
        while self.beats:
            beat = {"wall_ns": self._clock.wall_ns(), "pid": 1, "loop_lag_ms": 0.1}
            self.live.put("heartbeat", msgspec.json.encode(beat))
            await asyncio.sleep(0.1)


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The error's code."""
        assert set(self.body) == {"code", "message", "details"}, self.body
        return str(self.body["code"])


@dataclass
class WebWorld:
    """One running web process and ways to talk to it."""

    app: FastAPI
    url: str
    clock: ShiftedClock
    options: WebOptions
    location: LedgerLocation
    engine: StandInEngine
    token: str
    http: aiohttp.ClientSession
    csrf: str = ""
    cookie: str = ""
    sockets: list[ClientConnection] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    async def call(self, method: str, path: str, *, bearer: str | None = "full", **sent: Any) -> Answer:
        """Send one request; ``bearer`` full: the token with every scope, None: no token."""
        headers = {**sent.pop("headers", {})}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {self.token if bearer == 'full' else bearer}"
        async with self.http.request(method, self.url + path, headers=headers, allow_redirects=False, **sent) as got:
            streams = got.content_type == "text/event-stream"
            raw = b"" if streams else await got.read()
            is_json = bool(raw) and got.content_type == "application/json"
            lowered = {name.lower(): value for name, value in got.headers.items()}
            return Answer(got.status, msgspec.json.decode(raw) if is_json else raw, lowered)

    async def get(self, path: str, **sent: Any) -> Answer:
        return await self.call("GET", path, **sent)

    async def post(self, path: str, json: Any = None, **sent: Any) -> Answer:
        return await self.call("POST", path, **({} if json is None else {"json": json}), **sent)

    async def sign_in(self) -> Answer:
        """Sign in as a browser does; later calls with `browser` headers carry the session."""
        token, _ = await self.app.state.services.auth.issue_login_token()
        answer = await self.post(
            "/auth/session",
            {"token": token},
            bearer=None,
            headers={"Origin": self.url, "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status == 200, answer.body
        self.csrf = answer.body["csrfToken"]
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    def browser(self, **changed: str | None) -> dict[str, str]:
        """The headers of the signed-in page; None takes one away."""
        headers: dict[str, str | None] = {
            "Cookie": self.cookie,
            "Origin": self.url,
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": self.csrf,
        }
        headers.update({name.replace("_", "-"): value for name, value in changed.items()})
        return {name: value for name, value in headers.items() if value is not None}

    async def mark(self, symbol: str, *, bid: str | None, last: str | None) -> None:
        """Let the engine tell a price, and wait until it is told."""
        key = f"mark:{symbol}"
        mark = {"last": last, "bid": bid, "ask": None, "ts_ns": self.clock.wall_ns()}
        self.engine.live.put(key, msgspec.json.encode(mark))
        await eventually(lambda: key in self.engine.live.get_all())

    async def socket(self, **sent: Any) -> ClientConnection:
        """Open a live page with the full token, or with ``additional_headers`` of your own."""
        sent.setdefault("additional_headers", {"Authorization": f"Bearer {self.token}"})
        opened = await connect(f"ws://{self.host}/live", max_size=None, compression=None, **sent)
        self.sockets.append(opened)
        return opened


async def frame(socket: ClientConnection, *, deadline_s: float = DEADLINE_S) -> dict[str, Any]:
    """The next frame of a live page."""
    async with asyncio.timeout(deadline_s):
        return msgspec.json.decode(await socket.recv())


async def event(socket: ClientConnection) -> dict[str, Any]:
    """The next numbered event, skipping marks, status and beats."""
    while (got := await frame(socket))["type"] in ("marks", "status", "beat"):
        pass
    return got


_TEMPLATE = tempfile.TemporaryDirectory(prefix="mexc-sniper-migrated-")


def migrate(location: LedgerLocation) -> None:
    """Give a ledger its tables; on SQLite copied from one made once, which is quicker."""
    if not location.is_sqlite:
        migrations.upgrade(location)
        return
    made = locate(None, Path(_TEMPLATE.name))
    if not made.sqlite.ledger.exists():
        migrations.upgrade(made)
    location.sqlite.ledger.parent.mkdir(parents=True, exist_ok=True)
    for name in ("ledger", "inbox"):
        shutil.copyfile(getattr(made.sqlite, name), getattr(location.sqlite, name))


@asynccontextmanager
async def a_web_world(
    location: LedgerLocation,
    data_dir: Path,
    *,
    migrated: bool = True,
    engine_runs: bool = True,
    **changed: Any,
) -> AsyncIterator[WebWorld]:
    """Run a web process, and beside it an engine that does what it is told."""
    clock = ShiftedClock()
    options = replace(WebOptions(data_dir=data_dir, port=0, trade_wait_s=0.5), **changed)
    if migrated:
        await asyncio.to_thread(migrate, location)
    engine = StandInEngine(location, clock)
    app = create_app(options, location=location, clock=clock)
    token = options.token or (data_dir / "token").read_text().strip()
    with contextlib.closing(listen(options)) as listener:
        port = listener.getsockname()[1]
        server = make_server(app, options)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await eventually(lambda: server.started or serving.done())
            if migrated and engine_runs:
                await engine.start()
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
                world = WebWorld(app, f"http://127.0.0.1:{port}", clock, options, location, engine, token, http)
                if migrated and engine_runs:
                    await until_alive(world)
                yield world
                for socket in world.sockets:
                    await socket.close()
        finally:
            server.should_exit = True
            await serving
            if migrated and engine_runs:
                await engine.stop()


async def until_alive(world: WebWorld) -> None:
    """Wait until the web process sees the engine's heartbeat."""
    async with asyncio.timeout(DEADLINE_S):
        while not (await world.get("/health")).body["engineAlive"]:
            await asyncio.sleep(0.02)
