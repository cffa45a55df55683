"""The whole program as an operator starts it: the exchange simulator and ``mexc-sniper run`` beside it."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.support.canary import pass_canary

ROOT = Path(__file__).resolve().parents[2]
START_S = 40.0
END_S = 15.0
SCENARIO = "quiet"
"""Lists nothing by itself: what a test sees, it caused."""


class Refused(Exception):
    """The API answered with an HTTP error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        with contextlib.suppress(ValueError):
            self.error: dict[str, Any] = json.loads(text[text.index("{") :])


def eventually(what: str, probe: Callable[[], Any], *, deadline_s: float = 15.0) -> Any:
    """Ask until the answer is truthy; refused connections count as "not yet"."""
    end = time.monotonic() + deadline_s
    while True:
        with contextlib.suppress(OSError):
            answer = probe()
            if answer:
                return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(0.05)


class Bot:
    """One running program on a data directory of its own."""

    def __init__(
        self, *, process: subprocess.Popen[bytes], data_dir: Path, sim_url: str, environment: dict[str, str]
    ) -> None:
        self._process = process
        self._environment = environment
        self._data_dir = data_dir
        self._sim_url = sim_url
        self.url = eventually("the program is ready", self._ready, deadline_s=START_S)

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        return self._process.pid

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The supervisor that runs now, or ran last."""
        return self._process

    def stop_program(self) -> None:
        """End the program as its operator would; the simulator stays."""
        _end(self._process)

    def start_program(self) -> None:
        """Start it again on the same data directory and wait until it is ready."""
        self._process = start_program(self._data_dir, self._environment)
        self.url = eventually("the program is ready again", self._ready, deadline_s=START_S)

    def _ready(self) -> str | None:
        if self._process.poll() is not None:
            raise AssertionError(f"the program ended with {self._process.returncode}:\n{self.log()}")
        path = self._data_dir / "run.json"
        if not path.is_file():
            return None
        url = str(json.loads(path.read_text())["url"])
        self.url = url
        return url if self.api("GET", "/health").get("engineAlive") else None

    def log(self) -> str:
        """Return the end of everything the program said."""
        return (self._data_dir / "terminal.log").read_text(errors="replace")[-6000:]

    def api(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """Call the API with the token of the data directory; an HTTP refusal raises. ``key``: Idempotency-Key."""
        token = (self._data_dir / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", **({} if key is None else {"Idempotency-Key": key})}
        return _http(method, self.url + path, body, headers)

    def sim(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the simulator's control API."""
        return _http(method, self._sim_url + path, body, {})

    def sign_in_link(self) -> str:
        """Return a fresh one-time link, as ``mexc-sniper user link`` prints it."""
        return f"{self.url}/login#token={self.api('POST', '/auth/link')['token']}"

    def set_monitor(self, wanted: bool) -> None:
        """Start or stop the monitor and wait until the first baseline is there.

        Its first names may come from the web's table; a coin listed before exchangeInfo was learned too is no news.
        """
        self.api("POST", "/monitor/start" if wanted else "/monitor/stop")
        if wanted:
            eventually("the baseline is learned", lambda: self.api("GET", "/monitor/status")["baselineLearnedAt"])
        else:
            eventually("stopped", lambda: self.api("GET", "/monitor/status")["status"] == "stopped")

    def inject(self, symbol: str) -> None:
        """Make a test listing."""
        self.api("POST", "/listings/inject", {"symbol": symbol})

    @property
    def data_dir(self) -> Path:
        return self._data_dir

    def ended(self, within_s: float) -> int:
        """Wait until the program ends by itself; returns its exit code."""
        return self._process.wait(within_s)

    def command(self, *arguments: str, text: str = "", timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line beside the program, with the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "mexc_sniper", *arguments], env=self._environment, input=text,
            capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def web_process(self) -> psutil.Process | None:
        """Return the web child of the supervisor; None while there is none."""
        return self._child("web")

    def engine_process(self) -> psutil.Process | None:
        """Return the engine child of the supervisor; None while there is none."""
        return self._child("engine")

    def _child(self, name: str) -> psutil.Process | None:
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if name in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None


@contextlib.contextmanager
def running_bot(
    data_dir: Path,
    *,
    symbols: int = 200,
    settings: dict[str, str] | None = None,
    sim_arguments: tuple[str, ...] = (),
    canary: bool = True,
) -> Iterator[Bot]:
    """Run the simulator and the program against it; both end with the block, whatever happened.

    Args:
        settings: further environment settings of the program, such as the address of a database.
        canary: whether the key, if there is one, has its canary behind it.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    python = [sys.executable, "-m"]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")},
        "PYTHONPATH": str(ROOT / "src"),
    }
    with contextlib.ExitStack() as stack:
        simulator = subprocess.Popen(
            [
                *python,
                "mexc_sim",
                "--port",
                "0",
                "--scenario",
                SCENARIO,
                "--seed",
                "1",
                "--symbols",
                str(symbols),
                *sim_arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=stack.enter_context((data_dir / "sim.log").open("wb")),
            env=environment,
        )
        stack.callback(_end, simulator)
        assert simulator.stdout is not None
        line = simulator.stdout.readline()
        assert line, (data_dir / "sim.log").read_text()
        where = json.loads(line)
        environment |= {
            "MEXC_SNIPER_VENUE__REST_URL": where["restUrl"],
            "MEXC_SNIPER_VENUE__WS_URL": where["wsUrl"],
            "MEXC_SNIPER_VENUE__WEB_URL": where["webUrl"],
            "MEXC_SNIPER_ENVIRONMENT": "test",
            "MEXC_SNIPER_DATA_DIR": str(data_dir),
            "MEXC_SNIPER_MONITOR__CALENDAR_INTERVAL_MS": "2000",
            **(settings or {}),
        }
        if canary:
            pass_canary(environment)
        program = start_program(data_dir, environment)
        bot = None
        try:
            bot = Bot(process=program, data_dir=data_dir, sim_url=where["restUrl"], environment=environment)
            yield bot
        finally:
            _end(program if bot is None else bot.process)


def start_program(data_dir: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start ``mexc-sniper run``; what it says is appended to terminal.log."""
    with (data_dir / "terminal.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mexc_sniper", "run", "--data-dir", str(data_dir), "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_S)
    if process.stdout is not None:
        process.stdout.close()


def _http(method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - a loopback address of our own
        url, data=data, method=method, headers={"Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(error.code, f"{method} {url}: {error.read().decode(errors='replace')}") from None
    return json.loads(text) if text else None
