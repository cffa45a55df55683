"""The exchange simulator as a real process on a real port, for any test that needs a venue."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.support.certificates import Certificates

_SOURCE = Path(__file__).resolve().parents[2] / "src"


class SimulatorError(AssertionError):
    """The simulator did not start or refused a control request."""


class SimulatorProcess:
    """`python -m mexc_sim` as a subprocess; a context manager.

    Attributes are known once it is started: ``port``, ``rest_url``, ``ws_url``, ``web_url``.
    """

    def __init__(
        self,
        *arguments: str,
        scenario: str | Path = "quiet",
        seed: int = 1,
        symbols: int | None = None,
        port: int = 0,
        ip_weight: int | None = None,
        latency_ms: float = 0.0,
        tls: Certificates | None = None,
        start_deadline_s: float = 30.0,
    ) -> None:
        self._command = [sys.executable, "-m", "mexc_sim", "--scenario", str(scenario), "--seed", str(seed)]
        self._command += ["--port", str(port)]
        if symbols is not None:
            self._command += ["--symbols", str(symbols)]
        if ip_weight is not None:
            self._command += ["--ip-weight", str(ip_weight)]
        if latency_ms:
            self._command += ["--latency-ms", str(latency_ms)]
        if tls is not None:
            self._command += ["--tls", str(tls.certificate), str(tls.key)]
        self._command += arguments
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls.client_context()))
        self._opener = urllib.request.build_opener(*handlers)
        self._start_deadline_s = start_deadline_s
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.rest_url = self.ws_url = self.web_url = ""

    @property
    def pid(self) -> int:
        """Process id of the running simulator."""
        assert self._process is not None, "the simulator is not started"
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait for its ready line."""
        environment = os.environ | {"PYTHONPATH": f"{_SOURCE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment
        )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], self._start_deadline_s)
        line = self._process.stdout.readline() if readable else ""
        if not line:
            self._log.seek(0)
            told = self._log.read()
            self.stop()
            raise SimulatorError(f"no ready line from {' '.join(self._command)}: {told}")
        ready = json.loads(line)
        self.port = ready["port"]
        self.rest_url, self.ws_url, self.web_url = ready["restUrl"], ready["wsUrl"], ready["webUrl"]
        return self

    def stop(self, *, deadline_s: float = 5.0) -> int:
        """End it politely, then firmly; returns its exit code."""
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(deadline_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(deadline_s)
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()
        self._process = None
        return process.returncode

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def get(self, path: str) -> Any:
        """GET a path of any kind (``/sim/...``, ``/api/v3/...``) and decode its JSON."""
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST to the control API and decode its JSON."""
        return self._call("POST", path, body or {})

    def delete(self, path: str) -> Any:
        """DELETE at the control API and decode its JSON."""
        return self._call("DELETE", path, None)

    def orders(self, *, symbol: str | None = None, client_order_id: str | None = None) -> list[dict[str, Any]]:
        """``GET /sim/orders``: every order the exchange accepted, with arrival, fills and present state."""
        wanted = {"symbol": symbol, "clientOrderId": client_order_id}
        query = urllib.parse.urlencode({name: text for name, text in wanted.items() if text is not None})
        return list(self.get(f"/sim/orders?{query}")["orders"])

    def requests(self, path: str, *, method: str | None = None) -> list[dict[str, Any]]:
        """``GET /sim/requests``: requests to a path with the clocks at which their bytes had been read."""
        query = urllib.parse.urlencode({"path": path} | ({} if method is None else {"method": method}))
        return list(self.get(f"/sim/requests?{query}")["requests"])

    def list_symbol(self, **listing: Any) -> dict[str, Any]:
        """``POST /sim/listings``: begin a listing; answers symbol, ids and planned times (ns)."""
        answer = self.post("/sim/listings", listing)
        assert isinstance(answer, dict)
        return answer

    def stamps(self, symbol: str) -> dict[str, int]:
        """Wall ns at which each life-cycle step of a symbol was first handed to a socket."""
        answer = self.get("/sim/stamps?symbol=" + urllib.request.quote(symbol))
        return dict(answer["stamps"])

    def wait_for_stamp(self, symbol: str, step: str, *, deadline_s: float = 10.0) -> int:
        """Wait until a step was handed to some socket; returns its wall ns."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            stamp = self.stamps(symbol).get(step)
            if stamp is not None:
                return stamp
            time.sleep(0.02)
        raise SimulatorError(f"{symbol}: step {step!r} was not handed to a socket within {deadline_s} s")

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.rest_url + path, data=data, method=method)  # noqa: S310 - loopback
        try:
            with self._opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise SimulatorError(f"{method} {path}: {error.code} {error.read().decode()}") from error


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    """A quiet exchange with 200 pairs; import this fixture into a conftest to use it."""
    with SimulatorProcess(symbols=200) as process:
        yield process
