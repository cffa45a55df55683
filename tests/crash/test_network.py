"""Every way a network goes wrong, on every line the engine has: REST and orders, both streams, the database.

While it lasts the engine is asked to enter a coin and the coin reaches its take profit. Whatever comes of that: one
POST per client order id, no order that the engine does not know, and soon after the network is well again all orders,
fills and holdings as the venue has them (RELIABILITY I1, I3, I7). ``CRASH_FULL=1`` (`make crash`) takes every pair of
line and fault, otherwise each line and each fault is taken at least once.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mexc_sniper.core.errors import StoreError
from tests.crash.lane import Lane
from tests.support.postgres import database, shared_server
from tests.support.simulator import SimulatorProcess
from tests.support.tcp_proxy import Faults, TcpProxy

PRIVATE = b"listenKey"
FAULTS: dict[str, Faults] = {
    "latency": Faults(latency_s=0.15, jitter_s=0.2),
    "stall": Faults(stalled=True),
    "reset": Faults(),  # and every connection is cut, again and again
    "cut": Faults(cut_after=700),
    "corrupt": Faults(corrupt_every=400, up=False),
    "slow": Faults(bytes_per_s=3_000),
    "refused": Faults(refused=True),
    "unanswered": Faults(swallow_answers=True),  # orders and commits arrive, and nobody hears of it
}
LINES = ("rest", "public", "private", "database")
PAIRS = [(line, kind) for line in LINES for kind in FAULTS]
if os.environ.get("CRASH_FULL") != "1":
    PAIRS = [pair for n, pair in enumerate(PAIRS) if n % len(FAULTS) % len(LINES) == n // len(FAULTS)]
    assert {line for line, _ in PAIRS} == set(LINES)
    assert {kind for _, kind in PAIRS} == set(FAULTS)
LASTS_S = 3.0
WELL_AGAIN_WITHIN_S = 60.0


@dataclass
class Wired:
    """An engine all of whose lines go through proxies."""

    lane: Lane
    rest: TcpProxy
    stream: TcpProxy
    database: TcpProxy

    def spoil(self, line: str, kind: str) -> None:
        """Begin a fault on one line."""
        wanted = Faults(**vars(FAULTS[kind]))
        if line == "private":
            wanted.only = PRIVATE
        if line == "public":
            wanted.unless = PRIVATE
        proxy = {"rest": self.rest, "database": self.database}.get(line, self.stream)
        proxy.faults = wanted
        if kind in ("reset", "cut", "refused"):
            proxy.cut(only=wanted.only, unless=wanted.unless)

    def calm(self) -> None:
        """Let the network be well."""
        for proxy in (self.rest, self.stream, self.database):
            proxy.calm()

    def last(self, line: str, kind: str, seconds: float) -> None:
        """Let a fault go on for a while."""
        end = time.monotonic() + seconds
        proxy = {"rest": self.rest, "database": self.database}.get(line, self.stream)
        while time.monotonic() < end:
            time.sleep(0.25)
            if kind == "reset":
                proxy.cut(only=proxy.faults.only, unless=proxy.faults.unless)


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """One live engine on PostgreSQL for all tests; the venue's request weight is no matter here."""
    port = shared_server().port
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(database())
        simulator = stack.enter_context(SimulatorProcess(symbols=20, ip_weight=100_000))
        at_venue = ("127.0.0.1", simulator.port)
        proxies = [TcpProxy(at_venue), TcpProxy(at_venue), TcpProxy(("127.0.0.1", port))]
        for proxy in proxies:
            stack.callback(proxy.close)
        rest, stream, store = proxies
        settings = {
            "MEXC_SNIPER_VENUE__REST_URL": f"http://127.0.0.1:{rest.port}",
            "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url.replace(str(simulator.port), str(stream.port)),
            "MEXC_SNIPER_DATABASE__URL": url.replace(f":{port}/", f":{store.port}/"),
        }
        lane = stack.enter_context(
            Lane(tmp_path_factory.mktemp("wired") / "data", simulator, database=url, settings=settings)
        )
        lane.prepare()
        yield Wired(lane, rest, stream, store)


@pytest.mark.postgres
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("line", "kind"), PAIRS)
def test_engine_comes_through(wired: Wired, line: str, kind: str) -> None:
    lane = wired.lane
    if not lane.alive:
        lane.start(fresh=True)
        assert lane.wait_reconciled() is not None, lane.told()
    began = time.time_ns()
    symbol = lane.list_coin()
    lane.wait_until(lambda: symbol in lane.coins_like("pending"), within_s=15)
    lane.simulator.delete("/sim/requests")
    before = len(lane.found.violations)
    wired.spoil(line, kind)
    try:
        lane.quote(symbol, "0.9900", "1.0000")
        wired.last(line, kind, LASTS_S / 2)
        lane.quote(symbol, "1.0500", "1.0600")
        wired.last(line, kind, LASTS_S / 2)
    finally:
        wired.calm()
    _soon_equal(wired, symbol)
    posts = [one["params"]["newClientOrderId"] for one in lane.posts() if one["wallNs"] >= began]
    assert len(posts) == len(set(posts)), "I1: a client order id was posted twice"
    lane.check_orders()
    assert lane.found.violations[before:] == []


@pytest.mark.postgres
@pytest.mark.timeout(240)
def test_engine_comes_through_a_frozen_database_server(wired: Wired) -> None:
    """Its sockets still acknowledge: only a deadline of our own notices."""
    lane = wired.lane
    if not lane.alive:
        lane.start(fresh=True)
        assert lane.wait_reconciled() is not None, lane.told()
    symbol = lane.list_coin()
    lane.wait_until(lambda: symbol in lane.coins_like("pending"), within_s=15)
    lane.simulator.delete("/sim/requests")
    with contextlib.closing(shared_server().administer()) as admin:
        rows = admin.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'mexc-sniper'").fetchall()
    frozen = [int(str(row[0])) for row in rows]
    assert frozen
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        lane.quote(symbol, "0.9900", "1.0000")
        time.sleep(2 * LASTS_S)
    finally:
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    _soon_equal(wired, symbol)
    names = [one["params"]["newClientOrderId"] for one in lane.posts()]
    assert len(names) == len(set(names))


def _soon_equal(wired: Wired, symbol: str) -> None:
    """The network is well: within a minute everything is as the venue has it, and what is held can be sold."""
    lane = wired.lane
    end = time.monotonic() + WELL_AGAIN_WITHIN_S
    differs, turn = "never compared", 0
    while time.monotonic() < end:
        if not lane.alive:  # it may give up: start-up is the recovery path, as the supervisor does it
            if lane.life is not None:
                lane.kill()
            lane.start(fresh=True)
        turn += 1
        lane.quote(symbol, f"1.05{turn % 90 + 10}", f"1.06{turn % 90 + 10}")  # a book is told when it changes
        with contextlib.suppress(StoreError):
            differs = lane.differs()
            if not differs:
                return
        time.sleep(0.25)
    raise AssertionError(f"I7: {WELL_AGAIN_WITHIN_S:g} s after the network was well: {differs}\n{lane.told()[-1500:]}")
