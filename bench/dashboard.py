"""What the dashboard costs and how late it is: first page, event to table row, the web process's CPU per page.

    PYTHONPATH=src:. python bench/dashboard.py [--seconds 10] [--clients 5] [--no-browser]

A web process of its own over a real ledger; this script is the engine's writer. An event's clock starts when it is
handed to the ledger's writer and stops when its row is in the page's DOM, so commit, tail, socket and painting are in.
Bars (issue "Operate everything from the dashboard"): first page ≤ 300 kB compressed and painted ≤ 500 ms on loopback;
event → DOM p99 ≤ 300 ms at 10 a second; at 100 a second the page never stands still for more than 300 ms; a page that
does not read slows no other.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from tests.web.world import ShiftedClock, StandInEngine, a_listing
from websockets.asyncio.client import connect

from mexc_sniper.ledger import locate, migrations
from mexc_sniper.model.config import ConfigVersion, TradeConfig
from mexc_sniper.model.entries import ConfigChanged, ListingChanged, MonitorChanged
from mexc_sniper.model.health import MonitorState, MonitorStatus

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "mexc_sniper" / "web" / "static"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
START_S = 30.0
KB_BAR, PAINT_BAR_MS, ROW_BAR_MS, STILL_BAR_MS = 300, 500, 300, 300
console = Console()

WATCH = """() => {
  window.__rows = {};
  window.__still = 0;
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    for (const link of document.querySelectorAll('main a[href*="/listings/L"]')) {
      const key = link.getAttribute('href').split('/').pop();
      if (!(key in window.__rows)) window.__rows[key] = now();
    }
  };
  new MutationObserver(look).observe(document.querySelector('main'), {subtree: true, childList: true});
  let last = performance.now();
  setInterval(() => {
    const at = performance.now();
    window.__still = Math.max(window.__still, at - last);
    last = at;
  }, 10);
  look();
}"""


def quantile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)] if ordered else float("nan")


@dataclass
class Bars:
    """What was measured beside what is allowed."""

    table: Table = field(default_factory=lambda: Table("measured", "value", "bar", ""))
    passed: bool = True

    def add(self, what: str, value: str, bar: str = "", *, holds: bool | None = None) -> None:
        """Add a line; ``holds`` None: a figure without a bar."""
        self.passed &= holds is not False
        self.table.add_row(what, value, bar, "" if holds is None else "ok" if holds else "MISSED")


class World:
    """A web process of its own, and the writer that stands for the engine."""

    def __init__(
        self, data_dir: Path, url: str, web: psutil.Process, engine: StandInEngine, clock: ShiftedClock
    ) -> None:
        self.url, self.web, self.engine, self.clock = url, web, engine, clock
        self.token = (data_dir / "token").read_text().strip()
        self.host = url.removeprefix("http://")
        self.number = 0

    def sign_in_link(self) -> str:
        """Return a fresh one-time link."""
        request = urllib.request.Request(  # noqa: S310 - a loopback address of our own
            f"{self.url}/auth/link", method="POST", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return f"{self.url}/login#token={json.loads(answer.read())['token']}"

    async def pour(self, per_second: int, seconds: float) -> dict[str, float]:
        """Write listings at a steady pace; returns when each was handed over, ms of the wall clock, by id."""
        handed: dict[str, float] = {}
        begin = time.monotonic()
        for i in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, begin + i / per_second - time.monotonic()))
            self.number += 1
            now = self.clock.wall_ns()
            made = a_listing(f"BENCH{self.number}USDT", number=self.number)
            listing = replace(made, listed_at_ns=now, detected_at_ns=now)
            handed[listing.id] = now / 1e6
            self.engine.write(ListingChanged(listing=listing))
        return handed

    async def cpu(self, per_second: int, seconds: float) -> float:
        """Percent of a core the web process takes while events pour."""
        before = self.web.cpu_times()
        began = time.monotonic()
        if per_second:
            await self.pour(per_second, seconds)
        else:
            await asyncio.sleep(seconds)
        after = self.web.cpu_times()
        return (after.user + after.system - before.user - before.system) / (time.monotonic() - began) * 100

    @asynccontextmanager
    async def pages(self, many: int, *, reading: bool = True) -> AsyncIterator[None]:
        """Open live pages without a browser; ``reading`` False: they take nothing out of their sockets."""
        readers = [asyncio.create_task(self._page(reading=reading)) for _ in range(many)]
        await asyncio.sleep(1.0)
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _page(self, *, reading: bool) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        while True:
            with suppress(Exception):
                async with connect(f"ws://{self.host}/live", max_size=None, additional_headers=headers) as page:
                    if reading:
                        async for _ in page:
                            pass
                    else:
                        page.transport.pause_reading()
                        await asyncio.sleep(3_600)
            await asyncio.sleep(0.2)


@asynccontextmanager
async def a_world(data_dir: Path) -> AsyncIterator[World]:
    """Run it all on a fresh data directory."""
    data_dir.mkdir(mode=0o700)
    location = locate(None, data_dir)
    await asyncio.to_thread(migrations.upgrade, location)
    clock = ShiftedClock()
    engine = StandInEngine(location, clock)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    environment |= {"MEXC_SNIPER_WEB__READS_PER_MINUTE": "1000000", "PYTHONPATH": str(ROOT / "src")}
    arguments = [sys.executable, "-m", "mexc_sniper", "web", "--data-dir", str(data_dir), "--port", str(port)]
    with (data_dir / "web.log").open("wb") as log:
        web = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log)
        try:
            await engine.start()
            now = clock.wall_ns()
            running = MonitorState(status=MonitorStatus.RUNNING, wanted=True, started_at_ns=now, last_event_ns=now)
            config = ConfigVersion(version=1, created_ns=now, actor="bench", config=TradeConfig())
            engine.write(MonitorChanged(state=running), ConfigChanged(version=config))
            await engine.flush()
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(_until_up, url, web, data_dir / "web.log")
            yield World(data_dir, url, psutil.Process(web.pid), engine, clock)
        finally:
            await engine.stop()
            web.terminate()
            web.wait(15)


def _until_up(url: str, web: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2):  # noqa: S310
            return
        if web.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the web process did not start:\n{log.read_text(errors='replace')[-2000:]}")


async def first_page(browser: Any, world: World, bars: Bars) -> Any:
    """Sign in and time a cold load of the overview; returns the page."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(world.sign_in_link())
    await page.get_by_role("button", name="monitoring").wait_for()
    paints = []
    for _ in range(5):
        watch = await context.new_cdp_session(page)
        await watch.send("Network.enable")
        await watch.send("Network.clearBrowserCache")
        sizes: list[float] = []
        watch.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        await page.goto(f"{world.url}/dashboard/", wait_until="load")
        await page.get_by_role("heading", name="Live listings").wait_for()
        drawn, requests = sum(sizes) / 1000, len(sizes)
        await page.wait_for_timeout(3_000)
        with_idle = sum(sizes) / 1000
        paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9")
        paints.append(paint)
        await watch.detach()
    size = f"{drawn:.0f} kB in {requests} requests; {with_idle:.0f} kB once the other pages are there"
    bars.add("first page, compressed", size, f"≤ {KB_BAR} kB", holds=with_idle <= KB_BAR)
    paint = quantile(paints, 0.5)
    text = f"{paint:.0f} ms (of five, {min(paints):.0f} to {max(paints):.0f})"
    bars.add("first contentful paint, cold, median", text, f"≤ {PAINT_BAR_MS} ms", holds=paint <= PAINT_BAR_MS)
    return page


async def rows(
    page: Any, world: World, bars: Bars, per_second: int, seconds: float, what: str, *, row_bar: bool
) -> None:
    """Pour and read out of the page when each row was there."""
    await page.goto(f"{world.url}/dashboard/")
    await page.get_by_role("heading", name="Live listings").wait_for()
    await page.wait_for_timeout(1_500)
    await page.evaluate(WATCH)
    handed = await world.pour(per_second, seconds)
    await page.wait_for_timeout(1_500)
    seen: dict[str, float] = await page.evaluate("window.__rows")
    still: float = await page.evaluate("window.__still")
    late = [seen[key] - at for key, at in handed.items() if key in seen]
    missing = len(handed) - len(late)
    p99 = quantile(late, 0.99)
    text = f"p50 {quantile(late, 0.5):.0f}, p99 {p99:.0f}, longest {max(late, default=float('nan')):.0f} ms"
    if missing:
        text += f"; {missing} of {len(handed)} fell out of the table's 100 rows before a repaint"
    holds = (p99 <= ROW_BAR_MS and not missing) if row_bar else None
    bars.add(f"event → row, {what}", text, f"p99 ≤ {ROW_BAR_MS} ms" if row_bar else "", holds=holds)
    bars.add(f"longest standstill, {what}", f"{still:.0f} ms", f"≤ {STILL_BAR_MS} ms", holds=still <= STILL_BAR_MS)


async def browse(world: World, bars: Bars, seconds: float) -> None:
    """Everything that needs a browser."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0, args=FLAGS
        )
        try:
            page = await first_page(browser, world, bars)
            await rows(page, world, bars, 10, seconds, "10 a second", row_bar=True)
            await rows(page, world, bars, 100, seconds, "100 a second", row_bar=False)
            async with world.pages(1, reading=False):
                await rows(page, world, bars, 10, seconds, "10 a second beside a page that does not read", row_bar=True)
            heap = await page.evaluate("performance.memory?.usedJSHeapSize ?? 0")
            bars.add("page's heap after all that", f"{heap / 1e6:.0f} MB")
        finally:
            await browser.close()


async def frames(world: World, bars: Bars, per_second: int, seconds: float) -> None:
    """Read at a socket when each event is there: what the page's figures hold besides the browser's own time."""
    seen: dict[str, float] = {}
    headers = {"Authorization": f"Bearer {world.token}"}
    async with connect(f"ws://{world.host}/live", max_size=None, additional_headers=headers) as page:

        async def read() -> None:
            async for message in page:
                frame = json.loads(message)
                if frame.get("kind") == "listing_changed":
                    seen[frame["data"]["id"]] = world.clock.wall_ns() / 1e6

        reading = asyncio.create_task(read())
        await asyncio.sleep(1.0)
        handed = await world.pour(per_second, seconds)
        await asyncio.sleep(1.0)
        reading.cancel()
    late = [seen[key] - at for key, at in handed.items() if key in seen]
    text = f"p50 {quantile(late, 0.5):.0f}, p99 {quantile(late, 0.99):.0f} ms, {len(handed) - len(late)} lost"
    bars.add(f"event → frame at a socket, {per_second} a second", text, "none lost", holds=len(late) == len(handed))


async def costs(world: World, bars: Bars, seconds: float, clients: int) -> None:
    """The web process's CPU, alone and with pages."""
    for per_second in (0, 10, 100):
        alone = await world.cpu(per_second, seconds)
        async with world.pages(clients):
            crowded = await world.cpu(per_second, seconds)
        each = (crowded - alone) / clients
        text = f"{alone:.1f} % alone, {crowded:.1f} % with {clients} pages: {each:.2f} % a page"
        bars.add(f"web process at {per_second} events a second", text)
    bars.add("web process, memory", f"{world.web.memory_info().rss / 1e6:.0f} MB")


async def measure(options: argparse.Namespace) -> bool:
    """Run everything; True when every bar holds."""
    bars = Bars()
    with tempfile.TemporaryDirectory() as folder:
        async with a_world(Path(folder) / "data") as world:
            if options.no_browser or CHROMIUM is None or not (STATIC / "index.html").is_file():
                console.print("No browser figures: Chromium or the built page is missing, or they were not wanted.")
            else:
                await browse(world, bars, options.seconds)
            for per_second in (10, 100):
                await frames(world, bars, per_second, options.seconds)
            await costs(world, bars, options.seconds, options.clients)
    console.print(bars.table)
    return bars.passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each figure is measured (default 10)")
    parser.add_argument("--clients", type=int, default=5, help="pages for the CPU figures (default 5)")
    parser.add_argument("--no-browser", action="store_true", help="leave the page out")
    return 0 if asyncio.run(measure(parser.parse_args())) else 1


if __name__ == "__main__":
    raise SystemExit(main())
