"""One engine without its page, life after life, at one simulator: started, traded with, killed, and looked through.

Every check reads what the engine left (ledger and journal) and what the venue recorded; nothing asks the engine.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import psycopg

from mexc_sniper.core.clock import NS_PER_S, SystemClock
from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import ClientOrderId, is_ours
from mexc_sniper.journal import GrantLimits
from mexc_sniper.ledger import LedgerReader, locate
from mexc_sniper.ledger.inbox import WebInbox
from mexc_sniper.model.account import Account
from mexc_sniper.model.commands import Verb
from mexc_sniper.model.order import WITHOUT_TRACE, OrderStatus
from tests.journal.builders import ids, look
from tests.support.canary import pass_canary
from tests.support.simulator import SimulatorProcess
from tests.support.trader import LIVE

ROOT = Path(__file__).resolve().parents[2]
ORDER = "/api/v3/order"
CAPS = {"MEXC_SNIPER_HARD_CAPS__MAX_TRADE_USDT": "500", "MEXC_SNIPER_HARD_CAPS__MAX_POSITION_USDT": "100000"}
LIMITS = GrantLimits(notional_per_entry=Decimal(500), notional=Decimal(100_000))
CONFIG: dict[str, Any] = {
    "autoTrade": True, "dryRunEntries": False, "tradeUsdt": "20", "maxTradeUsdt": "100", "maxPositionUsdt": "100000",
    "maxOpenPositions": 1000, "maxDailySpendUsdt": "1000000", "dailyLossLimitUsdt": "1000000",
    "maxDrawdownUsdt": "1000000", "maxConsecutiveLosses": 1000, "maxTradesPerHour": 10_000,
    "cooldownPerSymbolMinutes": 600, "maxHoldMinutes": 600, "stopLossPct": "90", "trailingStopPct": "0",
    "maxSignalAgeMs": 600_000, "takeProfit": [{"gainPct": "3", "sharePct": "100"}],
}  # fmt: skip
EQUAL_WITHIN_S = 15.0
READY_WITHIN_S = 10.0


class Nursery:
    """Forks engines that have their imports behind them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )
        self._hear()

    def start(self, argv: list[str], env: dict[str, str], log: Path) -> int:
        """Start one life; returns its process id."""
        return int(self._ask({"argv": argv, "env": env, "log": str(log)})["pid"])

    def reap(self, pid: int) -> int:
        """Wait for its end; returns its exit code, negative for a signal."""
        return int(self._ask({"reap": pid})["code"])

    def close(self) -> None:
        """End it; lives it started go on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Life:
    """One engine process."""

    pid: int
    fresh: bool
    """Started by a new interpreter, as the supervisor does it; otherwise forked from the nursery."""
    started_ns: int
    seen: int
    """The last of its ledger's events that was looked at; first the last one before it."""
    reconciled_s: float | None = None
    rules: bool = False
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Found:
    """What the checks of all lives added up to."""

    violations: list[str] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)
    """Process start to "reconciled with the venue", lives from a new interpreter."""
    ready_forked_s: list[float] = field(default_factory=list)
    equal_s: list[float] = field(default_factory=list)
    """Process start to "every order and holding as the venue has it"."""
    posts: int = 0
    orders: int = 0
    sent_and_unknown_to_ledger: int = 0
    """Orders that only the journal knew when the engine was dead: what it is there for."""
    in_doubt: int = 0


class Lane:
    """A context manager; everything it started ends with it."""

    def __init__(
        self,
        directory: Path,
        simulator: SimulatorProcess,
        *,
        database: str | None = None,
        nursery: Nursery | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.data_dir = directory
        self.simulator = simulator
        self.found = Found()
        self.location = locate(database, directory)
        self.reader = LedgerReader(self.location)
        self._nursery = nursery
        self._posted: dict[str, int] = {}
        self._orders_of_intent: dict[str, str] = {}
        self._coins: dict[str, None] = {}  # traded, and not yet seen sold and settled
        self._number = 0
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")},
            "PYTHONPATH": str(ROOT / "src"),
            "MEXC_SNIPER_VENUE__REST_URL": simulator.rest_url,
            "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url,
            "MEXC_SNIPER_VENUE__WEB_URL": simulator.web_url,
            "MEXC_SNIPER_ENVIRONMENT": "test",
            "MEXC_SNIPER_DATA_DIR": str(directory),
            **LIVE,
            **CAPS,
            **({} if database is None else {"MEXC_SNIPER_DATABASE__URL": database}),
            **(settings or {}),  # last: a proxy may stand in front of any of these
        }
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pass_canary(self._env)
        self.life: Life | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.life is not None:
            self.kill()
        self.reader.close()

    # ------------------------------------------------------------------ lives

    def start(self, *, fresh: bool) -> Life:
        """Start an engine: from a new interpreter, or from the nursery."""
        after = self.last_seq()
        log = self.data_dir / "terminal.log"
        if fresh or self._nursery is None:
            started = time.time_ns()
            with log.open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "mexc_sniper", "engine"],
                    env=self._env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                )  # fmt: skip
            self.life = Life(process.pid, True, started, after, process=process)
        else:
            started = time.time_ns()
            self.life = Life(self._nursery.start(["engine"], self._env, log), False, started, after)
        return self.life

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End the engine; returns how it ended."""
        life = self.life
        assert life is not None
        self.life = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(life.pid, number)
        if life.process is not None:
            return life.process.wait(20)
        assert self._nursery is not None
        return self._nursery.reap(life.pid)

    @property
    def alive(self) -> bool:
        """Whether the engine runs."""
        if self.life is None:
            return False
        if self.life.process is not None:
            return self.life.process.poll() is None
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{self.life.pid}/stat").read_text()
            return stat.rsplit(")", 1)[1].split()[0] != "Z"
        return False

    def wait_reconciled(self, *, within_s: float = 60.0) -> float | None:
        """Wait until this life's records were equal to the venue's; returns the seconds since it was started, None
        when it ended or did not come to that."""
        life = self.life
        assert life is not None
        if life.reconciled_s is None:
            self.wait_until(lambda: self._hear(life).reconciled_s is not None, within_s=within_s)
            if life.reconciled_s is not None:
                (self.found.ready_s if life.fresh else self.found.ready_forked_s).append(life.reconciled_s)
        return life.reconciled_s

    def wait_rules(self, *, within_s: float = 20.0) -> bool:
        """Wait until this life has read the venue's rules, without which nothing is entered; at the usual request
        weight that waits for what the lives before it spent."""
        life = self.life
        assert life is not None
        return self.wait_until(lambda: self._hear(life).rules, within_s=within_s)

    def _hear(self, life: Life) -> Life:
        """Read the events of a life that are new."""
        with contextlib.suppress(StoreError):
            for event in self.reader.events(life.seen, 500):
                life.seen = event.seq
                if event.kind == "trading_changed" and json.loads(event.payload)["status"]["reconciled"]:
                    life.reconciled_s = life.reconciled_s or (event.ts_ns - life.started_ns) / NS_PER_S
                if event.kind == "component_changed":
                    component = json.loads(event.payload)["component"]
                    life.rules |= component["name"] == "source.exchange_info" and component["status"] == "ok"
        return life

    def last_seq(self) -> int:
        """The number of the ledger's last event; 0 while there is none."""
        with contextlib.suppress(StoreError):
            return self.reader.last_seq()
        return 0

    # ------------------------------------------------------------------ the operator and the market

    def command(self, verb: Verb, arguments: dict[str, Any], *, within_s: float = 20.0) -> dict[str, Any]:
        """Give one command by the inbox, as the page does, again until it is done."""
        inbox = WebInbox(self.location)
        end = time.monotonic() + within_s
        said = ""
        try:
            while time.monotonic() < end:
                command = inbox.put(verb, arguments, "test", None, SystemClock().wall_ns())
                until = time.monotonic() + 5
                while time.monotonic() < until:
                    result = None
                    with contextlib.suppress(StoreError):
                        result = self.reader.command_result(command.id)
                    if result is not None:
                        break
                    time.sleep(0.02)
                if result is not None and result.status.value == "done":
                    return result.result
                said = str(result)
                time.sleep(0.1)
        finally:
            inbox.close()
        raise AssertionError(f"{verb} is not done within {within_s} s: {said}\n{self.told()}")

    def prepare(self) -> None:
        """Let a first life learn its configuration, its permission to trade and the pairs there are."""
        self.simulator.post("/sim/balances", {"USDT": "1000000"})
        self.start(fresh=True)
        assert self.wait_reconciled() is not None, self.told()
        self.command(Verb.UPDATE_CONFIG, {"config": CONFIG, "confirm": True})
        self.command(Verb.START_MONITOR, {})
        self.arm()
        assert self.wait_until(self._knows_the_market, within_s=30), self.told()

    def _knows_the_market(self) -> bool:
        """What is listed from now on is new to the engine."""
        monitor = self.reader.monitor()
        return monitor is not None and {"exchange_info", "default_symbols"} <= set(monitor.learned_sources)

    def arm(self) -> None:
        """Permit live entries for hours."""
        self.command(Verb.ARM, {"minutes": 240})

    def told(self) -> str:
        """The end of what the engine said."""
        log = self.data_dir / "terminal.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def list_coin(self) -> str:
        """List a coin that nobody trades yet; returns its symbol."""
        self._number += 1
        wanted = {"base": f"KILL{self._number}", "quoteInS": "never", "tradeInS": "never", "openPrice": 1.0}
        return str(self.simulator.list_symbol(**wanted)["symbol"])

    @property
    def coins(self) -> tuple[str, ...]:
        """Coins that were quoted and are not yet seen sold and settled, oldest first."""
        return tuple(self._coins)

    def quote(self, symbol: str, bid: str, ask: str) -> None:
        """Make this the whole book."""
        self._coins[symbol] = None
        self.simulator.post("/sim/book", {"symbol": symbol, "bids": [[bid, "1000"]], "asks": [[ask, "1000"]]})

    def coins_like(self, outcome: str) -> list[str]:
        """Symbols of open listings with this outcome, newest first: ``pending`` ones are entered at their first quote,
        ``missed`` ones opened while no engine looked."""
        with contextlib.suppress(StoreError):
            found = self.reader.listings(limit=60)[0]
            return [one.symbol for one in found if one.phase.value == "open" and one.outcome.value == outcome]
        return []

    def posts(self) -> list[dict[str, Any]]:
        """Order requests of this life so far."""
        return self.simulator.requests(ORDER, method="POST")

    def wait_until(self, what: Any, *, within_s: float) -> bool:
        """Ask until it is so, the engine has died, or the time is over."""
        end = time.monotonic() + within_s
        while time.monotonic() < end and self.alive:
            if what():
                return True
            time.sleep(0.01)
        return False

    # ------------------------------------------------------------------ the checks

    def _wrong(self, text: str) -> None:
        self.found.violations.append(text)

    def check_dead(self, *, began_ns: int) -> None:
        """Check what a dead engine left: I1 and I3 by the venue's record, I7 by the order of its requests, and the
        ledger's integrity. ``began_ns``: wall clock at the start of that life."""
        time.sleep(0.03)  # bytes that had left are still on their way to the venue
        self._one_post_per_id(began_ns)
        self.check_orders()
        self._ledger_is_whole()

    def _one_post_per_id(self, began_ns: int) -> None:
        compared_ns: int | None = None
        for request in self.simulator.get("/sim/requests")["requests"]:
            if request["wallNs"] < began_ns:
                continue
            if request["path"] == "/api/v3/openOrders" and compared_ns is None:
                compared_ns = request["wallNs"]
            if request["path"] != ORDER or request["method"] != "POST":
                continue
            name = request["params"].get("newClientOrderId", "")
            self.found.posts += 1
            self._posted[name] = self._posted.get(name, 0) + 1
            if self._posted[name] > 1:
                self._wrong(f"I1: {name} was posted {self._posted[name]} times")
            if not is_ours(name):
                self._wrong(f"I1: a POST without an id of ours: {name!r}")
            if request["params"].get("side") == "BUY" and compared_ns is None:
                self._wrong(f"I7: entry {name} left before open orders were asked for in its life")
        self.simulator.delete("/sim/requests")

    def _venue_orders(self) -> list[dict[str, Any]]:
        """Ours for the coins that are not over; asking for all of them would grow with every life."""
        return [one for symbol in self._coins for one in self.simulator.orders(symbol=symbol)]

    def check_orders(self) -> None:
        """Check that every order at the venue is known here (I3), and that no decision has two (I1)."""
        in_journal = ids(look(self.data_dir / "journal", LIMITS))
        for venue in self._venue_orders():
            name = venue["clientOrderId"]
            self._one_order_per_intent(venue)
            if self._order(name) is None:
                if name not in in_journal:
                    self._wrong(f"I3: {name} ({venue['symbol']}) is at the venue; journal and ledger do not know it")
                self.found.sent_and_unknown_to_ledger += 1

    def _one_order_per_intent(self, venue: dict[str, Any]) -> None:
        """The epoch is part of an id: a decision sent again by a later life would have another one."""
        name = venue["clientOrderId"]
        intent = name[7:]  # intent, leg, attempt
        if self._orders_of_intent.setdefault(intent, name) != name:
            self._wrong(f"I1: {self._orders_of_intent[intent]} and {name} are the same decision")
        if venue["side"] == "BUY":
            coin = f"entry of {venue['symbol']}"
            if self._orders_of_intent.setdefault(coin, name) != name:
                self._wrong(f"I1: {venue['symbol']} was entered by {self._orders_of_intent[coin]} and {name}")

    def _order(self, name: str) -> Any:
        return self.reader.order(Account.LIVE, ClientOrderId(name))

    def _ledger_is_whole(self) -> None:
        sql = "SELECT count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) FROM events"
        if self.location.is_sqlite:
            # The file as a start after the kill opens it: the log is recovered, then everything is looked through.
            with contextlib.closing(sqlite3.connect(self.location.sqlite.ledger, timeout=5)) as db:
                verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
                count, low, high = db.execute(sql).fetchone()
            if verdict != "ok":
                self._wrong(f"integrity: {verdict}")
        else:
            address = self.location.postgres.set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(address, connect_timeout=10) as db:
                row = db.execute(sql).fetchone()
            assert row is not None
            count, low, high = (int(value) for value in row)
        if count and (low, high) != (1, count):
            self._wrong(f"integrity: {count} events are numbered {low} to {high}")

    def check_alive(self, *, since_ns: int | None = None) -> None:
        """Check that a life came to agree with the venue, all orders and holdings, within its seconds: of its start, or
        of ``since_ns`` (wall clock), when what had failed under it was back."""
        life = self.life
        assert life is not None
        took = self.wait_reconciled()
        if took is None:
            self._wrong(f"I7: not reconciled within 60 s: {self.told()[-600:]}")
            return
        if took > EQUAL_WITHIN_S:
            self._wrong(f"I7: reconciled after {took:.1f} s")
        differs = "never compared"
        began_ns = since_ns or life.started_ns
        while (since := (time.time_ns() - began_ns) / NS_PER_S) < EQUAL_WITHIN_S + 30:
            differs = self.differs()
            if not differs:
                self.found.equal_s.append(since)
                if since > EQUAL_WITHIN_S:
                    self._wrong(f"I7: equal with the venue only after {since:.1f} s")
                return
            time.sleep(0.05)
        self._wrong(f"I7: not equal with the venue after {EQUAL_WITHIN_S + 30:.0f} s: {differs}")

    def differs(self) -> str:
        """What is not as the venue has it, in words; a coin that is sold and settled is not looked at again."""
        sold: list[str] = []
        for venue in self._venue_orders():
            name = venue["clientOrderId"]
            order = self._order(name)
            if order is None:
                return f"{name} is not in the ledger"
            if order.filled_quote != Decimal(venue["cummulativeQuoteQty"]):
                return f"{name}: filled {order.filled_quote}, at the venue {venue['cummulativeQuoteQty']}"
            if order.status is not OrderStatus.FILLED if venue["status"] == "FILLED" else not order.terminal:
                return f"{name} is {order.status}, at the venue {venue['status']}"
            if venue["side"] == "SELL" and venue["status"] == "FILLED":
                sold.append(venue["symbol"])
        balances = self.simulator.get("/sim/balances")["balances"]
        held_now = self.reader.positions(open_only=True, limit=1000)[0]
        for position in held_now:
            held = balances.get(position.base, {"free": "0", "locked": "0"})
            there = Decimal(held["free"]) + Decimal(held["locked"])
            if position.account is Account.LIVE and there != position.quantity:
                return f"{position.base}: {position.quantity}, at the venue {there}"
        still_held = {position.symbol for position in held_now}
        for symbol in sold:
            if symbol not in still_held:
                self._coins.pop(symbol, None)
        return ""

    def check_the_end(self) -> None:
        """Check, with an engine alive, that every intent came to an end and nothing waits for a person."""
        everything = self.simulator.orders()
        self._coins = {one["symbol"]: None for one in everything}
        differs = self.differs()
        if differs:
            self._wrong(f"at the end: {differs}")
        at_venue = {one["clientOrderId"] for one in everything}
        self.found.orders = len(at_venue)
        offset = 0
        while True:
            orders, total = self.reader.orders(limit=500, offset=offset)
            for order in orders:
                name = order.intent.client_order_id
                if order.intent.account is not Account.LIVE:
                    continue
                if order.status is OrderStatus.IN_DOUBT:
                    self.found.in_doubt += 1
                elif order.status in WITHOUT_TRACE and name in at_venue:
                    self._wrong(f"at the end: {name} is {order.status} and at the venue")
                elif order.status not in WITHOUT_TRACE and order.settled and name not in at_venue:
                    self._wrong(f"at the end: {name} is {order.status} and not at the venue")
            offset += len(orders)
            if offset >= total or not orders:
                break
        for attention in self.reader.attention():
            self._wrong(f"at the end: {attention.kind} {attention.text}")
