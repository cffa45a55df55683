"""How late the operator is: from the venue's frame or answer to the row in ``GET /listings`` and in a browser's page.

    python -m bench.listing_latency [--scheduled 40] [--surprises 20] [--burst 50] [--no-browser]

The whole product over real sockets: simulator with 2,000 symbols, engine, ledger, web process, Chromium. The rod is
the simulator's own stamp of the moment it handed the frame (or answer) to the socket; all clocks are one machine's.
Bars (issue "See every listing"): API p99 ≤ 250 ms, page p99 ≤ 500 ms, surprise seen p50 ≤ 1.5 s, 50 in a second.
"""

import argparse
import contextlib
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from tests.support.program import Bot, running_bot

console = Console()
POLL_S = 0.004
UNHURRIED = {"MEXC_SNIPER_WEB__READS_PER_MINUTE": "1000000"}
"""The watch reads far more often than any client should."""
GIVE_UP_S = 30.0
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--no-sandbox",
]

WATCH_ROWS = """() => {
  window.__seen = {};
  const look = () => {
    const now = performance.timeOrigin + performance.now();
    for (const link of document.querySelectorAll('a[href*="/listings/"]')) {
      const row = link.closest('tr') ?? link;
      const text = row.textContent;
      const key = link.getAttribute('href').split('/').pop();
      if (!(key in window.__seen)) window.__seen[key] = {row: now};
      if (!window.__seen[key].open && /\\bopen\\b/i.test(text)) window.__seen[key].open = now;
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
  look();
}"""


class ApiWatch:
    """Polls ``GET /listings`` as fast as it answers and notes when each listing first shows a phase."""

    def __init__(self, bot: Bot, data_dir: Path) -> None:
        where = urlsplit(bot.url)
        self._address = (where.hostname or "127.0.0.1", where.port or 80)
        self._token = (data_dir / "token").read_text().strip()
        self.seen: dict[str, dict[str, int]] = {}
        self.ids: dict[str, str] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        headers = {"Authorization": f"Bearer {self._token}"}
        while not self._stop.is_set():
            connection.request("GET", "/listings?limit=100", headers=headers)
            answer = json.loads(connection.getresponse().read())
            now_ns = time.time_ns()
            for row in answer["listings"]:
                phases = self.seen.setdefault(row["symbol"], {})
                phases.setdefault("row", now_ns)
                if row["phase"] == "open":
                    phases.setdefault("open", now_ns)
                self.ids[row["symbol"]] = row["id"]
                self.rows[row["symbol"]] = row
            time.sleep(POLL_S)
        connection.close()


def until(holds: Callable[[], bool], what: str, *, within_s: float = GIVE_UP_S) -> None:
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"not within {within_s} s: {what}")
        time.sleep(0.02)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def opening_stamp(stamps: dict[str, int]) -> int | None:
    """The first frame that shows trading: quote or trade, whichever left first."""
    return min((stamps[step] for step in ("quote", "trade") if step in stamps), default=None)


@contextlib.contextmanager
def browser_page(bot: Bot, wanted: bool) -> Iterator[Any]:
    if not wanted:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(bot.sign_in_link())
        page.get_by_role("navigation").first.wait_for()
        page.evaluate(WATCH_ROWS)
        yield page
        browser.close()


def measure(bot: Bot, watch: ApiWatch, page: Any, options: argparse.Namespace) -> bool:
    table = Table(title="Venue's frame or answer → row", caption="ms; n, median, p99, worst against its bar")
    for column in ("what", "n", "p50", "p99", "max", "bar", ""):
        table.add_column(column, justify="left" if column == "what" else "right")
    passed = True

    def report(what: str, values: list[float], bar: str, holds: bool) -> None:
        nonlocal passed
        passed &= holds
        figures = [f"{f(values):,.1f}" for f in (median, lambda v: quantile(v, 0.99), max)] if values else ["–"] * 3
        table.add_row(what, str(len(values)), *figures, bar, "ok" if holds else "MISSED")

    with Progress(console=console, transient=True) as progress:
        step = progress.add_task("scheduled openings", total=options.scheduled)
        scheduled = []
        for number in range(options.scheduled):
            answer = bot.sim(
                "POST", "/sim/listings", {"base": f"SCHED{number}", "calendarInS": 0, "openInS": 14 + number * 0.35}
            )
            scheduled.append(answer["symbol"])
        for symbol in scheduled:
            until(lambda s=symbol: "open" in watch.seen.get(s, {}), f"{symbol} opens in the API", within_s=60)
            progress.advance(step)

        step = progress.add_task("surprises", total=options.surprises)
        surprises = []
        for number in range(options.surprises):
            answer = bot.sim("POST", "/sim/listings", {"base": f"SURPR{number}", "openInS": 0.1})
            surprises.append(answer)
            until(lambda s=answer["symbol"]: s in watch.seen, f"{answer['symbol']} is seen")
            time.sleep(0.13)
            progress.advance(step)

        step = progress.add_task("burst", total=options.burst)
        before = time.monotonic()
        answer = bot.sim("POST", "/sim/listings", {"count": options.burst, "spreadS": 1})
        burst = [item["symbol"] for item in answer["listings"]]
        until(lambda: all(symbol in watch.seen for symbol in burst), "the whole burst is seen")
        burst_s = time.monotonic() - before
        progress.update(step, completed=options.burst)
    time.sleep(1.5)

    stamps = {symbol: bot.sim("GET", f"/sim/stamps?symbol={symbol}")["stamps"] for symbol in scheduled}
    to_api, to_page = [], []
    dom = page.evaluate("() => window.__seen") if page is not None else {}
    for symbol in scheduled:
        left_ns = opening_stamp(stamps[symbol])
        assert left_ns is not None, f"{symbol} never opened at the venue"
        to_api.append((watch.seen[symbol]["open"] - left_ns) / 1e6)
        if (mark := dom.get(watch.ids[symbol], {}).get("open")) is not None:
            to_page.append(mark - left_ns / 1e6)
    report("opening of a scheduled listing → API", to_api, "p99 ≤ 250", quantile(to_api, 0.99) <= 250)
    if page is not None:
        enough = len(to_page) >= 0.95 * len(scheduled)
        report("opening of a scheduled listing → page", to_page, "p99 ≤ 500", enough and quantile(to_page, 0.99) <= 500)

    first_api, seen_after = [], []
    for answer in surprises:
        symbol = answer["symbol"]
        steps = bot.sim("GET", f"/sim/stamps?symbol={symbol}")["stamps"]
        first_api.append((watch.seen[symbol]["row"] - min(steps.values())) / 1e6)
        seen_after.append((watch.seen[symbol]["row"] - answer["times"]["quote"]) / 1e6)
    report("surprise: first answer or frame → API", first_api, "p99 ≤ 250", quantile(first_api, 0.99) <= 250)
    report("surprise: opening → API (polls included)", seen_after, "p50 ≤ 1500", median(seen_after) <= 1500)

    rows = bot.api("GET", "/listings?limit=500")["listings"]
    twice = len(rows) - len({row["symbol"] for row in rows})
    complete = sum(row["symbol"] in set(burst) for row in rows)
    console.print(table)
    burst_ok = complete == options.burst and twice == 0
    console.print(
        f"burst: {complete} of {options.burst} rows in {burst_s:.2f} s, {twice} twice {'ok' if burst_ok else 'MISSED'}"
    )
    return passed and burst_ok


def engine_process(bot: Bot) -> psutil.Process:
    for child in psutil.Process(bot.pid).children(recursive=True):
        if "engine" in child.cmdline():
            return child
    raise SystemExit("no engine process")


def idle(bot: Bot, seconds: float) -> bool:
    engine = engine_process(bot)
    before = engine.cpu_times()
    time.sleep(seconds)
    after = engine.cpu_times()
    share = (after.user + after.system - before.user - before.system) / seconds * 100
    rss = engine.memory_info().rss / 1e6
    holds = rss <= 150 and share <= 5
    console.print(
        f"engine idle with 2,000 symbols: {rss:.0f} MB (bar 150), {share:.1f} % of a core (bar 5) "
        f"{'ok' if holds else 'MISSED'}"
    )
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scheduled", type=int, default=40, help="scheduled openings to time (default 40)")
    parser.add_argument("--surprises", type=int, default=20, help="unannounced listings to time (default 20)")
    parser.add_argument("--burst", type=int, default=50, help="listings within one second (default 50)")
    parser.add_argument("--idle-s", type=float, default=20.0, help="how long to watch the idle engine (default 20)")
    parser.add_argument("--no-browser", action="store_true", help="leave the page out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        with running_bot(data_dir, symbols=2000, settings=UNHURRIED) as bot:
            bot.set_monitor(True)
            time.sleep(3)
            total = bot.api("GET", "/listings")["total"]
            console.print(f"first start with 2,000 symbols: {total} listings {'ok' if total == 0 else 'MISSED'}")
            passed = total == 0 and idle(bot, options.idle_s)
            with browser_page(bot, not options.no_browser) as page:
                watch = ApiWatch(bot, data_dir)
                try:
                    passed &= measure(bot, watch, page, options)
                finally:
                    watch.stop()
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
