"""From the frame that opens a listing to the order's bytes at the venue, the whole bot beside a floor and ccxt.pro.

    python -m bench.tick_to_trade [--quick | --browsers] [--rounds 60]

Everything runs as its user runs it: the simulator (wss and https on loopback), ``mexc-sniper run`` in live mode with
its risk checks, journal and ledger, and two contenders in processes of their own (`bench/contenders`). All are
measured from outside, in one run and in turn: from the instant at which the venue handed the first frame of a new
pair to the socket to the instant at which it had read the order's bytes. Nothing of the bot is touched or patched.

"prepared" is the bot as it comes: an announced entry lies signed and journaled before its pair opens. "unprepared" is
the same bot with ``orders.prepare`` off: everything at the first frame. Each is raced against both contenders.
"at T" are entries timed by the operator: how long after the announced instant their bytes were handed to the socket.

The machine must be quiet: where the floor's own median is above 0.6 ms the run is void, whatever it shows (as root,
``nice -n -15`` in front helps). "warm": frames arrived within the last milliseconds; "cold": none for a second.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.support.canary import pass_canary
from tests.support.certificates import Certificates, make_certificates
from tests.support.program import ROOT, Bot, Refused, eventually
from tests.support.simulator import SimulatorProcess

from mexc_sim.core.account import DEFAULT_KEY, DEFAULT_SECRET

console = Console()
CONFIG = {
    "autoTrade": True, "maxOpenPositions": 1000, "maxPositionUsdt": "100000", "maxDailySpendUsdt": "100000",
    "maxTradesPerHour": 10000, "takeProfit": [], "maxHoldMinutes": 600, "maxSignalAgeMs": 30000,
}  # fmt: skip
SETTINGS = {
    "MEXC_SNIPER_MODE": "live",
    "MEXC_SNIPER_VENUE__API_KEY": DEFAULT_KEY,
    "MEXC_SNIPER_VENUE__API_SECRET": DEFAULT_SECRET,
    "MEXC_SNIPER_HARD_CAPS__MAX_POSITION_USDT": "100000",
    "MEXC_SNIPER_WEB__READS_PER_MINUTE": "1000000",
    "MEXC_SNIPER_WEB__COMMANDS_PER_MINUTE": "100000",
    "MEXC_SNIPER_MONITOR__CALENDAR_INTERVAL_MS": "2000",
}
ORDERS = "/api/v3/order"
RATE, BURST = 5, 5
QUIET_FLOOR_US = 600
QUIET_S, ROUND_S = 1.0, 0.35
APART_S = 4.0
"""Between two listings of the bot's: each costs a sixth of the request budget, and none may wait for it."""
LATER_MS = 5
TIMED_IN_S, TIMED_APART_S = 12, 1.6


class Course:
    """The simulator and who runs at it."""

    def __init__(self, sim: SimulatorProcess, certificates: Certificates) -> None:
        self.sim = sim
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")},
            "PYTHONPATH": str(ROOT / "src"), "SSL_CERT_FILE": str(certificates.authority),
        }  # fmt: skip
        self._number = 0
        self.reserved: list[str] = []
        sim.post("/sim/balances", {"USDT": "1000000"})

    def list_quietly(self, opens_in_s: float = 4) -> str:
        """A new pair, announced for a moment from now, that nobody quotes until `quote`."""
        self._number += 1
        base = f"T{self._number}{int(time.time()) % 100000}"
        now = dict.fromkeys(("calendarInS", "rowInS", "flagInS", "defaultInS", "apiOpenInS"), 0)
        spec = {"base": base, "openPrice": 1.0, "openInS": opens_in_s, "quoteInS": "never", "tradeInS": "never", **now}
        return str(self.sim.list_symbol(**spec)["symbol"])

    def list_unseen(self) -> str:
        """A pair that was there before the bot started and that no calendar names: it is no news to the bot, which
        neither watches nor enters it when a contender's turn comes and it is quoted."""
        self._number += 1
        base = f"C{self._number}{int(time.time()) % 100000}"
        ever = {"openInS": 0, "rowInS": 0, "flagInS": 0, "defaultInS": 0, "apiOpenInS": 0, "calendarInS": "never"}
        spec = {"base": base, "openPrice": 1.0, "quoteInS": "never", "tradeInS": "never", **ever}
        return str(self.sim.list_symbol(**spec)["symbol"])

    def quote(self, symbol: str, ask: str = "1.0000") -> None:
        """Make this the whole book; the first time it opens the pair."""
        bid = f"{float(ask) - 0.01:.4f}"
        levels = {"bids": [[bid, "1000"]], "asks": [[ask, "1000"]]}
        # A little later, so that the venue has nothing else to do when the order comes.
        self.sim.post("/sim/book", {"symbol": symbol, "delayMs": LATER_MS, **levels})

    def subscribed(self, symbol: str) -> bool:
        """Whether somebody listens to the best bid and ask of a pair."""
        return f"@{symbol}" in json.dumps(self.sim.get("/sim/state"))

    def arrival_ns(self, symbol: str) -> int | None:
        """When the first order for a pair had been read."""
        found = self.sim.requests(ORDERS, method="POST")
        return next((int(one["wallNs"]) for one in found if one["params"].get("symbol") == symbol), None)

    def time(self, symbol: str, *, warm_by: str | None) -> float:
        """Open a pair; returns µs to the order's arrival."""
        if warm_by is None:
            time.sleep(QUIET_S)
        else:
            for step in range(20):
                self.quote(warm_by, f"1.0{step % 2}00")
                time.sleep(0.005)
        self.quote(symbol)
        time.sleep(0.1)  # a question now would stand in the order's way at the simulator
        arrived = eventually(f"an order for {symbol}", lambda: self.arrival_ns(symbol), deadline_s=5)
        left = self.sim.stamps(symbol)["quote"]
        self.sim.delete("/sim/requests")
        return float(arrived - left) / 1_000


class Contender:
    """One client in a process of its own, on pairs the bot knows and does not look at."""

    def __init__(self, course: Course, script: str) -> None:
        self._course = course
        self._last: str | None = None
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "bench" / "contenders" / script), course.sim.rest_url, course.sim.ws_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=course.environment,
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def round(self, warm: bool) -> float:
        """One pair."""
        symbol = self._course.reserved.pop()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{symbol}\n")
        self._process.stdin.flush()
        self._expect("ready")
        eventually("subscribed", lambda: self._course.subscribed(symbol))
        took = self._course.time(symbol, warm_by=self._last if warm else None)
        self._expect("sent")
        self._last = symbol
        return took

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != word:
            raise SystemExit(f"{self._process.args!r}: {line!r} instead of {word!r}")


class Program:
    """``mexc-sniper run``, armed."""

    def __init__(self, course: Course, stack: ExitStack, data_dir: Path, *, prepare: bool) -> None:
        self.course = course
        self.prepares = prepare
        data_dir.mkdir(mode=0o700, parents=True)
        environment = {
            **course.environment, **SETTINGS,
            "MEXC_SNIPER_VENUE__REST_URL": course.sim.rest_url,
            "MEXC_SNIPER_VENUE__WS_URL": course.sim.ws_url,
            "MEXC_SNIPER_VENUE__WEB_URL": course.sim.web_url,
            "MEXC_SNIPER_DATA_DIR": str(data_dir),
            "MEXC_SNIPER_ORDERS__PREPARE": str(prepare).lower(),
        }  # fmt: skip
        pass_canary(environment)
        process = subprocess.Popen(
            [sys.executable, "-m", "mexc_sniper", "run", "--data-dir", str(data_dir), "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=stack.enter_context((data_dir / "terminal.log").open("wb")),
            env=environment,
        )
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        try:
            self.bot = Bot(process=process, data_dir=data_dir, sim_url="", environment=environment)
        except AssertionError:
            console.print((data_dir / "terminal.log").read_text()[-4000:])
            raise
        self.bot.set_monitor(True)
        eventually("armed", self._arm, deadline_s=30)
        self.bot.api("PUT", "/config", {"config": CONFIG, "confirm": True})
        self.traded: list[str] = []
        self._followed_at = 0.0

    def _arm(self) -> bool:
        with suppress(Refused):
            self.bot.api("POST", "/arm", {"confirm": "LIVE", "minutes": 60})
            return True
        return False

    def follow(self) -> str:
        """A new pair, once the bot is ready for it."""
        time.sleep(max(0.0, self._followed_at + APART_S - time.monotonic()))
        self._followed_at = time.monotonic()
        symbol = self.course.list_quietly()
        self.ready_for(symbol)
        time.sleep(ROUND_S)
        return symbol

    def ready_for(self, symbol: str) -> None:
        """Wait until the bot listens to a pair and knows that it is new (its age probe shares the request budget)."""
        eventually(f"{symbol} is followed", lambda: self.course.subscribed(symbol), deadline_s=60)
        eventually(f"{symbol} is proven", lambda: self._row(symbol).get("kind") == "new", deadline_s=60)
        if self.prepares:
            eventually(f"{symbol} lies ready", lambda: self._row(symbol).get("preparedAt"), deadline_s=10)

    def _row(self, symbol: str) -> dict[str, object]:
        found = self.bot.api("GET", f"/listings?limit=5&text={symbol}")["listings"]
        return next((row for row in found if row["symbol"] == symbol), {})

    def time_entries(self, count: int) -> tuple[list[float], list[float]]:
        """Have announced pairs entered at their instant.

        Returns by how much each trigger missed it, and how long after the trigger the bytes were handed over, µs.
        """
        missed: list[float] = []
        handed: list[float] = []
        while len(missed) < count:
            began = time.monotonic()
            symbols = [self.course.list_quietly(opens_in_s=TIMED_IN_S + TIMED_APART_S * place) for place in range(5)]
            for symbol in symbols:
                self.ready_for(symbol)
                body = {"capPrice": "1.5", "offsetMs": 0}
                self.bot.api("PUT", f"/listings/{self._row(symbol)['id']}/timed-entry", body)
            time.sleep(max(0.0, began + TIMED_IN_S + 5 * TIMED_APART_S + 2 - time.monotonic()))
            rows = self.bot.api("GET", "/trade/history?limit=50&mode=live")["trades"]
            missed += [1_000 * row["sourceLagMs"] for row in rows if row["symbol"] in symbols]
            for symbol in symbols:  # the first attempt: nobody quotes, so the venue is not open and others follow
                first = self.bot.api("GET", f"/orders?limit=10&symbol={symbol}")["orders"][-1]
                handed.append(1_000 * first["tickToTradeMs"])
        return missed, handed

    def round(self, warm: bool) -> float:
        """One listing, entered."""
        symbol = self.follow()
        try:
            took = self.course.time(symbol, warm_by=self.traded[-1] if warm and self.traded else None)
        except AssertionError:
            console.print(self.bot.api("GET", "/listings?limit=1")["listings"])
            console.print(self.bot.api("GET", "/trade/history?limit=1")["trades"])
            raise
        self.traded.append(symbol)
        return took

    def own_figures(self) -> dict[str, list[float]]:
        """What the bot says of itself, µs."""
        rows = self.bot.api("GET", "/trade/history?limit=500&mode=live")["trades"]
        entries = [row for row in rows if row["symbol"] in self.traded and row["role"] == "entry"]
        return {
            name: [1_000 * row[name] for row in entries if row.get(name) is not None]
            for name in ("tickToTradeMs", "roundTripMs")
        }


@contextmanager
def busy_dashboard(program: Program, share: float = 0.4) -> Iterator[Callable[[], float]]:
    """Keep the web process busy for a share of a core, from a process of its own; tells the share reached."""
    bot, stop = program.bot, threading.Event()
    web = bot.web_process()
    assert web is not None
    token = (bot.data_dir / "token").read_text().strip()

    def load() -> None:
        pause = 0.004
        web.cpu_percent()
        while not stop.is_set():
            began = time.monotonic()
            while time.monotonic() - began < 0.5:
                request = urllib.request.Request(  # noqa: S310 - loopback
                    f"{bot.url}/listings?limit=100", headers={"Authorization": f"Bearer {token}"}
                )
                with suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                    answer.read()
                time.sleep(pause)
            shares.append(web.cpu_percent() / 100)
            pause = min(0.5, max(0.001, pause * (shares[-1] + 0.02) / share))

    shares: list[float] = []
    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    time.sleep(4)
    yield lambda: statistics.mean(shares[4:] or [0.0])
    stop.set()
    thread.join()


class Report:
    """Bars and whether they were met."""

    def __init__(self) -> None:
        self.met = True
        self.table = Table(title="Bars")
        for column in ("what", "measured", "bar", ""):
            self.table.add_column(column)

    def bar(self, what: str, measured: str, bar: str, holds: bool) -> None:
        """One bar."""
        self.met &= holds
        self.table.add_row(what, measured, bar, "ok" if holds else "[red]MISSED")


@contextmanager
def busy_browsers(program: Program, count: int = 5) -> Iterator[None]:
    """Have pages open in a real browser and somebody going from view to view in them."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("No Chromium was found: install it, or name it in CHROMIUM.")
    token = program.bot.api("POST", "/auth/link")["token"]
    link = f"{program.bot.url}/login#token={token}"
    with subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "contenders" / "browsers.py"), chromium, link, str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as browsers:  # fmt: skip
        assert browsers.stdin is not None
        assert browsers.stdout is not None
        if browsers.stdout.readline().strip() != "ready":
            raise SystemExit("the browsers did not start")
        time.sleep(3)
        yield
        browsers.stdin.close()


def beside_browsers(program: Program, rounds: int, report: Report) -> dict[str, list[float]]:
    """Entries alone and beside five busy browsers, in turn."""
    took: dict[str, list[float]] = {"bot, warm, alone": [], "bot, warm, five browsers": []}
    for _ in range(2):
        took["bot, warm, alone"] += [program.round(True) for _ in range(rounds // 2)]
        with busy_browsers(program):
            took["bot, warm, five browsers"] += [program.round(True) for _ in range(rounds // 2)]
    alone, beside = (statistics.median(values) for values in took.values())
    change = beside / alone - 1
    report.bar("beside five busy browsers, p50", f"{change:+.0%}", "within 10 %", change <= 0.10)
    return took


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def race(course: Course, program: Program, contenders: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """All in turn, warm and cold."""
    took: dict[str, list[float]] = {}
    for turn in range(rounds + 2):
        for warm in (True, False):
            for name, go in (("bot", program.round), *((name, one.round) for name, one in contenders.items())):
                value = go(warm)
                if turn >= 2:  # first rounds load code and fill caches
                    took.setdefault(f"{name}, {'warm' if warm else 'cold'}", []).append(value)
    return took


def burst(course: Course, program: Program, report: Report, count: int = 50) -> None:
    """Many listings at once: orders leave as the throttle allows, the n-th (n - 5) / rate after the first."""
    time.sleep(2)
    symbols = [program.follow() for _ in range(count)]
    time.sleep(2)
    course.sim.delete("/sim/requests")
    for symbol in symbols:
        course.quote(symbol)
    time.sleep((count - BURST) / RATE + 3)
    arrived = sorted(int(one["wallNs"]) for one in course.sim.requests(ORDERS, method="POST"))
    late = [
        (at - arrived[0]) / 1e6 - max(0, number - BURST) / RATE * 1_000 for number, at in enumerate(arrived, start=1)
    ]
    report.bar(
        f"burst of {count}: all leave",
        f"{len(arrived)} left, the last after {(arrived[-1] - arrived[0]) / 1e9:.2f} s; "
        f"at worst {max(late):.0f} ms past an order's turn",
        f"{count}, the last within {(count - BURST) / RATE:.1f} s + 5 ms", len(arrived) == count and late[-1] <= 5,
    )  # fmt: skip


def stage(
    course: Course, program: Program, contenders: dict[str, Contender], rounds: int, report: Report, *,
    slowest: float, fastest: float,
) -> dict[str, list[float]]:  # fmt: skip
    """Race one kind of bot against everyone and hold it against its bars."""
    kind = "prepared" if program.prepares else "unprepared"
    took = race(course, program, contenders, rounds)
    console.print(distribution(took, kind))
    own = {name: values for name, values in program.own_figures().items() if values}
    console.print(distribution(own, f"{kind}, the bot's own word"))
    for state in ("warm", "cold"):
        bot, floor, ccxt = (statistics.median(took[f"{name}, {state}"]) for name in ("bot", "floor", "ccxt.pro"))
        quiet = floor <= QUIET_FLOOR_US
        report.bar(f"machine is quiet, {kind}, {state}", f"floor {floor:,.0f} µs", f"≤ {QUIET_FLOOR_US}", quiet)
        report.bar(f"bot / floor, {kind}, {state}", f"{bot / floor:.2f}", f"≤ {slowest}", bot / floor <= slowest)
        report.bar(f"ccxt / bot, {kind}, {state}", f"{ccxt / bot:.2f}", f"≥ {fastest}", ccxt / bot >= fastest)
    return took


def distribution(took: dict[str, list[float]], kind: str) -> Table:
    """Percentiles of everyone."""
    table = Table(title=f"{kind}: frame handed to the socket at the venue → order's bytes read there, µs")
    for column in ("who", "n", "p10", "p50", "p90", "p99"):
        table.add_column(column, justify="left" if column == "who" else "right")
    for name, values in took.items():
        figures = (f"{quantile(values, share):,.0f}" for share in (0.1, 0.5, 0.9, 0.99))
        table.add_row(name, str(len(values)), *figures)
    return table


def a_course(certificates: Certificates, stack: ExitStack, rounds: int) -> tuple[Course, dict[str, Contender]]:
    """A new simulator, the contenders at it, and pairs for them."""
    course = Course(
        stack.enter_context(SimulatorProcess(symbols=200, ip_weight=1_000_000, tls=certificates)), certificates
    )
    course.reserved = [course.list_unseen() for _ in range(2 * 2 * (rounds + 2))]
    time.sleep(2)
    contenders = {
        name: Contender(course, script) for name, script in (("floor", "floor.py"), ("ccxt.pro", "ccxt_client.py"))
    }
    for contender in contenders.values():
        stack.callback(contender.close)
    return course, contenders


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="rounds of everyone, warm and cold each (default 40)")
    parser.add_argument("--quick", action="store_true", help="8 rounds, no burst, no busy dashboard")
    parser.add_argument("--browsers", action="store_true", help="only prepared entries beside five busy browsers")
    options = parser.parse_args()
    rounds = 8 if options.quick else options.rounds
    report = Report()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        certificates = make_certificates(Path(folder))
        console.print(f"{rounds} rounds each, warm and cold, in turn; {os.cpu_count()} cores, load {os.getloadavg()}")
        if options.browsers:
            course, _ = a_course(certificates, stack, 0)
            program = Program(course, stack, Path(folder) / "prepared", prepare=True)
            program.round(True)
            console.print(distribution(beside_browsers(program, rounds, report), "prepared"), report.table)
            return 0 if report.met else 1
        with ExitStack() as life:  # an account of its own: coins bought here would be questions to the next bot
            course, contenders = a_course(certificates, life, rounds)
            program = Program(course, life, Path(folder) / "unprepared", prepare=False)
            stage(course, program, contenders, rounds, report, slowest=1.6, fastest=3)
        course, contenders = a_course(certificates, stack, rounds)
        program = Program(course, stack, Path(folder) / "prepared", prepare=True)
        took = stage(course, program, contenders, rounds, report, slowest=1.2, fastest=4.5)
        missed, took["T, trigger to bytes"] = program.time_entries(10 if options.quick else 40)
        took["T missed by"] = missed
        for share, bar in ((0.5, 20), (0.9, 100)):
            late = quantile(missed, share)
            report.bar(f"entry at T missed by, p{share * 100:.0f}", f"{late:,.0f} µs", f"≤ {bar} µs", late <= bar)
        if not options.quick:
            alone = [program.round(True) for _ in range(rounds)]
            with busy_dashboard(program) as reached:
                took["bot, warm, dashboard busy"] = beside = [program.round(True) for _ in range(rounds)]
            for share, bar in ((0.5, 0.10), (0.9, 0.30)):
                change = quantile(beside, share) / quantile(alone, share) - 1
                report.bar(
                    f"dashboard busy {reached():.0%} of a core: p{share * 100:.0f}", f"{change:+.0%}",
                    f"≤ +{bar:.0%}", change <= bar,
                )  # fmt: skip
            took |= beside_browsers(program, rounds, report)
            burst(course, program, report)
        console.print(distribution(took, "prepared and the rest"))
    console.print(report.table)
    return 0 if report.met else 1


if __name__ == "__main__":
    raise SystemExit(main())
