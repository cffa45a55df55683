"""The whole program as an operator starts it: `mexc-sniper run` against the simulator, real processes throughout."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mexc_sniper.app.client import ApiClient, ApiError
from mexc_sniper.app.instance import read_run_info
from tests.support.postgres import database
from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "mx0planted-key-of-this-test", "planted-secret-of-this-test"


def eventually(condition: Callable[[], Any], *, deadline_s: float = 30.0) -> Any:
    expires = time.monotonic() + deadline_s
    while True:
        if value := condition():
            return value
        assert time.monotonic() < expires, "it did not happen in time"
        time.sleep(0.05)


class Running:
    """One `mexc-sniper run` and what is known about it."""

    def __init__(self, data_dir: Path, simulator: SimulatorProcess, *arguments: str, **env: str) -> None:
        self.data_dir = data_dir
        self.output = data_dir.parent / "terminal.txt"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
        self.env = clean | {
            "PYTHONPATH": str(ROOT / "src"),
            "MEXC_SNIPER_DATA_DIR": str(data_dir),
            "MEXC_SNIPER_WEB__PORT": "0",
            "MEXC_SNIPER_VENUE__REST_URL": simulator.rest_url,
            "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url,
            "MEXC_SNIPER_VENUE__WEB_URL": simulator.web_url,
            "MEXC_SNIPER_VENUE__API_KEY": KEY,
            "MEXC_SNIPER_VENUE__API_SECRET": SECRET,
            **env,
        }
        command = [sys.executable, "-m", "mexc_sniper", *(arguments or ("run",))]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, env=self.env, stdout=output, stderr=output)
        try:
            eventually(lambda: self._ready() or self.process.poll() is not None)
            assert self.process.poll() is None
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise AssertionError(self.output.read_text()) from None

    def _ready(self) -> bool:
        info = read_run_info(self.data_dir)
        return info is not None and info.pid == self.process.pid and "#token=" in self.output.read_text()

    @property
    def api(self) -> ApiClient:
        return ApiClient.of_data_dir(self.data_dir)

    def child(self, name: str) -> psutil.Process | None:
        for child in psutil.Process(self.process.pid).children():
            try:
                if name in child.cmdline():
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mexc_sniper", *arguments], env=self.env, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    running = SimulatorProcess(symbols=50)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def running(tmp_path: Path, simulator: SimulatorProcess) -> Iterator[Running]:
    program = Running(tmp_path / "data", simulator)
    yield program
    if program.process.poll() is None:
        program.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, simulator: SimulatorProcess) -> Iterator[Running]:
    """A run for the tests that leave it as they found it."""
    program = Running(tmp_path_factory.mktemp("shared") / "data", simulator)
    yield program
    program.end()


def test_first_run_starts_stopped_and_start_inject_list_stop_work_from_the_terminal(running: Running) -> None:
    assert running.api.get("/monitor/status")["status"] == "stopped"
    refused = running.command("inject", "TESTUSDT")
    assert refused.returncode == 1
    assert "stopped" in refused.stderr
    assert running.command("start").returncode == 0
    eventually(lambda: running.api.get("/monitor/status")["baselineSize"] > 0)
    assert running.command("inject", "TESTUSDT").returncode == 0
    rows = json.loads(running.command("listings", "--json").stdout)["listings"]
    assert [row["symbol"] for row in rows] == ["TESTUSDT"]
    status = running.command("status", "--json")
    assert status.returncode == 0
    assert json.loads(status.stdout)["monitor"]["wanted"] is True
    assert running.command("stop").returncode == 0
    assert running.api.get("/monitor/status")["wanted"] is False


def test_killed_engine_and_killed_web_come_back_with_everything_they_knew(running: Running) -> None:
    assert running.command("start").returncode == 0
    eventually(lambda: running.api.get("/monitor/status")["baselineSize"] > 0)
    assert running.command("inject", "KEPTUSDT").returncode == 0
    for name in ("engine", "web"):
        victim = running.child(name)
        assert victim is not None
        victim.kill()
        eventually(lambda name=name, old=victim.pid: (child := running.child(name)) and child.pid != old)
        eventually(lambda: _alive(running))
    status = running.api.get("/monitor/status")
    assert status["wanted"] is True
    assert status["baselineSize"] > 0
    assert [row["symbol"] for row in running.api.get("/listings")["listings"]] == ["KEPTUSDT"]


@pytest.mark.postgres
def test_run_on_postgresql_keeps_everything_over_a_killed_engine(tmp_path: Path, simulator: SimulatorProcess) -> None:
    with database() as url:
        program = Running(tmp_path / "data", simulator, MEXC_SNIPER_DATABASE__URL=url)
        try:
            assert program.command("start").returncode == 0
            eventually(lambda: program.api.get("/monitor/status")["baselineSize"] > 0)
            assert program.command("inject", "KEPTUSDT").returncode == 0
            victim = program.child("engine")
            assert victim is not None
            victim.kill()
            eventually(lambda: (child := program.child("engine")) and child.pid != victim.pid)
            eventually(lambda: program.command("inject", "NEXTUSDT").returncode == 0)
            symbols = [row["symbol"] for row in program.api.get("/listings")["listings"]]
            assert symbols == ["NEXTUSDT", "KEPTUSDT"]
        finally:
            assert program.end() == 0
        assert not list(program.data_dir.glob("*.db"))


def test_demo_starts_running_and_shows_a_new_listing_within_a_minute(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    program = Running(tmp_path / "data", simulator, "demo", "--data-dir", str(tmp_path / "data"))
    try:
        assert program.api.get("/monitor/status")["wanted"] is True
        eventually(lambda: program.api.get("/calendar")["entries"])
        opened = eventually(
            lambda: [
                row
                for row in program.api.get("/listings")["listings"]
                if row["kind"] == "new" and row["phase"] == "open" and row["firstTradeAt"]
            ],
            deadline_s=60,
        )
        assert opened[0]["detectionLagMs"] is not None
    finally:
        assert program.end() == 0


def test_second_run_on_the_same_data_directory_is_refused_and_harms_nothing(shared: Running) -> None:
    second = shared.command("run")
    assert second.returncode == 2
    assert str(shared.process.pid) in second.stderr
    assert str(shared.data_dir) in second.stderr
    assert shared.api.get("/health")["engineAlive"] is True


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_polite_signal_ends_all_processes_with_code_zero(running: Running, how: signal.Signals) -> None:
    children = psutil.Process(running.process.pid).children()
    assert len(children) == 2
    assert running.end(how) == 0
    assert not psutil.wait_procs(children, timeout=0.5)[1]
    assert read_run_info(running.data_dir) is None


def test_killed_supervisor_takes_its_children_along_and_the_next_run_starts(
    running: Running, simulator: SimulatorProcess
) -> None:
    children = psutil.Process(running.process.pid).children()
    running.end(signal.SIGKILL)
    assert not psutil.wait_procs(children, timeout=15)[1]
    again = Running(running.data_dir, simulator)
    assert again.end() == 0


def test_venue_secret_reaches_the_engine_alone_and_no_file_or_terminal(running: Running) -> None:
    assert running.command("start").returncode == 0
    eventually(lambda: running.api.get("/monitor/status")["baselineSize"] > 0)
    engine, web = running.child("engine"), running.child("web")
    assert engine is not None
    assert web is not None
    for process in (engine, web):
        assert SECRET not in " ".join(process.cmdline())
    assert SECRET not in web.environ().values()
    assert KEY not in web.environ().values()
    running.end()
    kept = [path for path in [running.output, *running.data_dir.rglob("*")] if path.is_file()]
    assert any(path.name == "engine.log" for path in kept)
    for path in kept:
        raw = path.read_bytes()
        assert SECRET.encode() not in raw, path
        assert KEY.encode() not in raw, path


def test_files_of_a_run_are_for_their_owner_alone(shared: Running) -> None:
    for path in [shared.data_dir, *shared.data_dir.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_one_time_link_signs_in_once(shared: Running) -> None:
    link = shared.command("user", "link").stdout.strip()
    token = link.partition("#token=")[2]
    assert token
    anonymous = ApiClient(shared.api.url)
    anonymous.post("/auth/session", {"token": token})
    with pytest.raises(ApiError) as caught:
        anonymous.post("/auth/session", {"token": token})
    assert caught.value.code == "login_token_invalid"


def _alive(running: Running) -> bool:
    try:
        return bool(running.api.get("/health")["engineAlive"])
    except Exception:
        return False
