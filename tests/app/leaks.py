"""Twelve secrets in, none out: a run in which everything goes wrong, and a search of all it left behind.

``python -m tests.app.leaks --seconds 600`` is the long run; `test_planted_secrets.py` is the short one of the suite.
The program runs live against the exchange simulator, with its logs at their most talkative.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import psutil
from websockets.asyncio.client import connect

from mexc_sniper.app.instance import read_run_info
from mexc_sniper.reports.export import Table
from tests.notify.servers import an_http_service
from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
ODD = "+/=&%~'\\"
"""Characters that every encoding writes in its own way."""
FAULTS = ("server_error", "not_json", "forbidden", "truncate", "reset", "empty", "rate_limit")
READY_S = 60.0
SEED = 1


def drawn(name: str, *, odd: str = ODD) -> str:
    return f"{name}{odd}{secrets.token_urlsafe(18)}"


@dataclass
class Planted:
    """The secrets by name; drawn anew for each run, so that no pattern of the code can know them."""

    values: dict[str, str] = field(default_factory=dict)

    def forms(self) -> dict[str, str]:
        """Every form that must not be found, with what it is."""
        found = {}
        for name, value in self.values.items():
            raw = value.encode()
            for form, text in {
                "raw": value,
                "percent": quote(value, safe=""),
                "percent plus": quote_plus(value),
                "base64": base64.b64encode(raw).decode().rstrip("="),
                "repr": repr(value)[1:-1],
                "hex": raw.hex(),
            }.items():
                found[text] = f"{name} ({form})"
        return found


class Places:
    """Everything that was said or left behind, searched for every form."""

    def __init__(self, planted: Planted) -> None:
        self._planted = planted
        self.searched: dict[str, int] = {}
        self.leaks: list[str] = []

    def look(self, place: str, said: bytes | str) -> None:
        raw = said.encode(errors="replace") if isinstance(said, str) else said
        kind = place.partition(" ")[0]
        self.searched[kind] = self.searched.get(kind, 0) + len(raw)
        for form, what in self._planted.forms().items():
            at = raw.find(form.encode())
            if at >= 0:
                around = raw[max(0, at - 80) : at + 20]
                self.leaks.append(f"{place}: {what} after {around!r}")


@dataclass
class Run:
    """The program under search."""

    data_dir: Path
    simulator: SimulatorProcess
    planted: Planted
    places: Places
    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    cookie: str = ""
    csrf: str = ""

    @property
    def url(self) -> str:
        info = read_run_info(self.data_dir)
        assert info is not None
        return info.url

    def ask(self, method: str, path: str, body: Any = None, *, quiet: bool = False, **headers: str) -> Any:
        """Send one request and search answer and headers; ``quiet`` where it shows a secret by right."""
        sent = {"Content-Type": "application/json", **headers}
        sent.setdefault("Authorization", f"Bearer {self.planted.values['web token']}")
        if not sent["Authorization"]:
            del sent["Authorization"]
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=raw, method=method, headers=sent)  # noqa: S310
        answer: HTTPResponse | urllib.error.HTTPError
        text = b""
        try:
            answer = urllib.request.urlopen(request, timeout=20)  # noqa: S310
        except urllib.error.HTTPError as refused:
            answer = refused
        except OSError:
            return None
        with answer, contextlib.suppress(TimeoutError):
            text = answer.read()
        if not quiet:
            self.places.look(f"answer {method} {path.partition('?')[0]}", text + str(answer.headers).encode())
        with contextlib.suppress(ValueError):
            return json.loads(text)
        return None

    def page(self) -> dict[str, str]:
        """The headers of the signed-in page."""
        return {"Cookie": self.cookie, "Origin": self.url, "X-CSRF-Token": self.csrf, "Authorization": ""}

    def command(self, *arguments: str) -> None:
        """Run a command of the command line and search what it says."""
        ran = subprocess.run(
            [sys.executable, "-m", "mexc_sniper", *arguments], env=self.environment, capture_output=True, input=b"",
            timeout=90, check=False,
        )  # fmt: skip
        self.places.look(f"command {arguments[0]}", ran.stdout + ran.stderr)


@contextlib.contextmanager
def a_run(folder: Path, hook_port: int) -> Iterator[Run]:
    """Start simulator and program with every secret in its place."""
    planted = Planted(
        {
            "api key": f"mx0{secrets.token_hex(14)}",
            "api secret": drawn("venue"),
            "web token": drawn("bearer"),
            "password": drawn("correct horse"),
            "mistyped password": drawn("wrong staple"),
            "webhook path": drawn("hook", odd="_-"),
            "webhook password": drawn("pass"),
            "heartbeat path": drawn("beat", odd="_-"),
        }
    )
    values = planted.values
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    hook = f"json://user:{quote(values['webhook password'], safe='')}@127.0.0.1:{hook_port}/{values['webhook path']}/"
    with SimulatorProcess(symbols=60, ip_weight=100_000) as simulator:
        simulator.post("/sim/keys", {"key": values["api key"], "secret": values["api secret"]})
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")},
            "PYTHONPATH": str(ROOT / "src"),
            "MEXC_SNIPER_DATA_DIR": str(data_dir),
            "MEXC_SNIPER_MODE": "live",
            "MEXC_SNIPER_ENVIRONMENT": "leaks",
            "MEXC_SNIPER_FIRST_CONFIG": "demo",
            "MEXC_SNIPER_LOG__LEVEL": "debug",
            "MEXC_SNIPER_WEB__PORT": "0",
            "MEXC_SNIPER_WEB__COMMANDS_PER_MINUTE": "10000",
            "MEXC_SNIPER_VENUE__REST_URL": simulator.rest_url,
            "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url,
            "MEXC_SNIPER_VENUE__WEB_URL": simulator.web_url,
            "MEXC_SNIPER_VENUE__API_KEY": values["api key"],
            "MEXC_SNIPER_VENUE__API_SECRET": values["api secret"],
            "MEXC_SNIPER_WEB__TOKEN": values["web token"],
            "MEXC_SNIPER_NOTIFY__CHANNELS__HOOK": hook,
            "MEXC_SNIPER_NOTIFY__HEARTBEAT_URL": f"http://127.0.0.1:{hook_port}/{values['heartbeat path']}",
            "MEXC_SNIPER_NOTIFY__HEARTBEAT_SECONDS": "5",
        }
        for number in range(200):  # the simulator draws them by this rule; none is known before it is used
            values[f"listen key {number}"] = sha256(f"listen:{SEED}:{number}".encode()).hexdigest()
        with (folder / "terminal.txt").open("wb") as terminal:
            process = subprocess.Popen(
                [sys.executable, "-m", "mexc_sniper", "run"], env=environment, stdout=terminal, stderr=terminal
            )
            try:
                run = Run(data_dir, simulator, planted, Places(planted), process, environment)
                ends = time.monotonic() + READY_S
                while "#token=" not in (folder / "terminal.txt").read_text(errors="replace"):
                    assert process.poll() is None, (folder / "terminal.txt").read_text(errors="replace")
                    assert time.monotonic() < ends, (folder / "terminal.txt").read_text(errors="replace")
                    time.sleep(0.1)
                yield run
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def use(run: Run) -> None:
    """Use every secret as it is meant: sign in, make a token, change the password, trade."""
    values = run.planted.values
    link = run.ask("POST", "/auth/link", {}, quiet=True)
    values["unused link"] = link["token"]
    used = run.ask("POST", "/auth/link", {}, quiet=True)["token"]
    body = json.dumps({"token": used}).encode()
    request = urllib.request.Request(  # noqa: S310
        run.url + "/auth/session", data=body, headers={"Content-Type": "application/json", "Origin": run.url}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        run.cookie = str(answer.headers["set-cookie"]).split(";")[0]
        run.csrf = json.loads(answer.read())["csrfToken"]
    values["session"] = run.cookie.partition("=")[2]
    made = run.ask("POST", "/auth/tokens", {"name": "script", "scopes": ["read"]}, quiet=True)
    values["api token"] = made["token"]
    ran = subprocess.run(
        [sys.executable, "-m", "mexc_sniper", "user", "password", "alice", "--stdin"], env=run.environment,
        input=values["password"].encode() + b"\n", capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    run.places.look("command user", ran.stdout + ran.stderr)
    for user, word in (("alice", "mistyped password"), ("operator", "password"), ("alice", "password")):
        run.ask("POST", "/auth/session", {"user": user, "password": values[word]}, Authorization="", quiet=True)
    run.ask("POST", "/notifications/hook/test", {})


def misuse(run: Run) -> None:
    """Put secrets where they do not belong, as people and broken scripts do."""
    values = run.planted.values
    for word in ("web token", "password", "api secret", "session", "api token"):
        text = values[word]
        run.ask("GET", f"/listings?token={quote(text, safe='')}")
        run.ask("GET", f"/{quote(text, safe='')}")
        run.ask("POST", "/auth/session", {"token": text}, Authorization="")
        run.ask("POST", "/auth/session", {"password": text, text: text}, Authorization="")
        run.ask("POST", "/auth/session", b'{"password": "' + text.encode(), Authorization="")
        run.ask("POST", "/auth/step-up", {"password": text}, **run.page())
        run.ask("PUT", "/config", {"config": {"tradeUsdt": text}})
        run.ask("POST", "/trade/execute", {"symbol": "MXUSDT", "quoteQty": text})
        run.ask("GET", "/listings", Authorization=f"Basic {base64.b64encode(text.encode()).decode()}")
        run.ask("GET", "/listings", **{"Idempotency-Key": text.encode("ascii", "replace").decode()})
    run.ask("GET", "/listings", Authorization=f"Bearer {values['unused link']}")


def provoke(run: Run, seconds: float) -> None:
    """Let the venue fail in every way while there is trading, and kill what can be killed."""
    ends = time.monotonic() + seconds
    for target in ("all", "private"):
        with contextlib.suppress(Exception):
            run.simulator.post("/sim/limits/forgive", {"target": target})
    number = 0
    while time.monotonic() < ends:
        for kind in FAULTS:
            with contextlib.suppress(Exception):
                run.simulator.post("/sim/faults", {"target": "all", "kind": kind, "probability": 0.3, "forS": 2})
            run.ask("POST", "/arm", {"confirm": "LIVE", "minutes": 5})
            run.ask("POST", "/trade/execute", {"symbol": "MXUSDT", "quoteQty": "20"})
            with contextlib.suppress(Exception):
                run.simulator.post("/sim/stream/cut", {})
            time.sleep(0.3)
            if time.monotonic() > ends:
                break
        number += 1
        for child in psutil.Process(run.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if number == 1 and "engine" in child.cmdline():
                    child.send_signal(signal.SIGKILL)
    with contextlib.suppress(Exception):
        run.simulator.post("/sim/keys", {"key": run.planted.values["api key"], "rights": []})
    time.sleep(1)


async def read_live(run: Run) -> None:
    headers = {"Authorization": f"Bearer {run.planted.values['web token']}"}
    async with connect(f"ws{run.url.removeprefix('http')}/live", additional_headers=headers, max_size=None) as socket:
        async with asyncio.timeout(10):
            for _ in range(3):
                run.places.look("live frame", await socket.recv())


def read_everything(run: Run) -> None:
    """Ask every path, export every table, and run the commands that tell something."""
    contract = json.loads((ROOT / "openapi.json").read_text())
    for path, item in contract["paths"].items():
        if "get" in item and path != "/events":  # a stream without end; the events are searched in the database
            run.ask("GET", path.split("{")[0] + ("x" if "{" in path else ""))
    for path in ("/auth/session", "/auth/tokens", "/notifications", "/health"):
        run.ask("GET", path, **run.page())
    run.ask("GET", "/config/history?limit=500")
    run.ask("GET", "/audit?limit=500&verify=true")
    run.ask("GET", "/trade/history?limit=500")
    asyncio.run(read_live(run))
    folder = run.data_dir.parent
    targets = [folder / f"{table.value}{('.csv', '.jsonl')[number % 2]}" for number, table in enumerate(Table)]
    commands = [("export", target.stem, str(target)) for target in targets]
    commands += [("db", "backup", str(folder / "copy.db")), ("doctor", "--json"), ("status", "--json")]
    commands += [("token", "list"), ("notifications",), ("--debug", "buy", "NOSUCHUSDT", "20", "--yes")]
    with ThreadPoolExecutor(2) as pool:  # they mostly wait for their own start
        list(pool.map(lambda arguments: run.command(*arguments), commands))
    for target in targets:
        run.places.look(f"export {target.name}", target.read_bytes())


def dump(run: Run, folder: Path) -> None:
    """Search logs, databases as SQL and as bytes, and every other file that was left behind."""
    for database in [*run.data_dir.rglob("*.db"), folder / "copy.db"]:
        with contextlib.closing(sqlite3.connect(database)) as db:
            run.places.look(f"dump {database.name}", "\n".join(db.iterdump()))
    for path in sorted(run.data_dir.rglob("*")):
        if path.is_file():
            kind = "log" if "logs" in path.parts else "file"
            run.places.look(f"{kind} {path.name}", path.read_bytes())
    first_lines = (folder / "terminal.txt").read_bytes()
    run.places.look("log terminal.txt", first_lines)


async def search(folder: Path, seconds: float) -> Places:
    """Run, provoke and search; returns where was searched and what was found."""
    async with an_http_service() as hook:

        def work() -> Places:
            with a_run(folder, hook.port) as run:
                for step in (use, misuse):
                    step(run)
                provoke(run, seconds)
                hook.status = 500  # from now on the channel fails, and says why
                run.ask("POST", "/notifications/hook/test", {})
                read_everything(run)
            dump(run, folder)
            return run.places

        return await asyncio.to_thread(work)


def main() -> int:
    """Run the long search; returns 0 when nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    with tempfile.TemporaryDirectory() as folder:
        places = asyncio.run(search(Path(folder), parser.parse_args().seconds))
    for kind, size in sorted(places.searched.items()):
        sys.stdout.write(f"{kind:<10} {size:>12,} bytes searched\n")
    for leak in places.leaks:
        sys.stdout.write(f"LEAK {leak}\n")
    sys.stdout.write(f"{len(places.leaks)} leaks\n")
    return 1 if places.leaks else 0


if __name__ == "__main__":
    raise SystemExit(main())
