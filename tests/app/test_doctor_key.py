"""What doctor says of an API key, and its canary, as an operator types it; a simulator in the venue's place."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mexc_sniper.app.instance import InstanceLock
from mexc_sniper.model.canary import FILE_NAME, decode_canaries
from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "mx0simulatorkey00001", "simulator-secret-not-a-secret-0001"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=30, ip_weight=100_000) as process:
        yield process


def doctor(simulator: SimulatorProcess, data_dir: Path, *arguments: str, **env: str) -> tuple[int, dict[str, Any]]:
    """Run it; returns the exit code and the findings by name."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    settings = {
        "MEXC_SNIPER_DATA_DIR": str(data_dir),
        "MEXC_SNIPER_WEB__PORT": "0",
        "MEXC_SNIPER_VENUE__REST_URL": simulator.rest_url,
        "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url,
        "MEXC_SNIPER_VENUE__WEB_URL": simulator.web_url,
        "MEXC_SNIPER_VENUE__API_KEY": KEY,
        "MEXC_SNIPER_VENUE__API_SECRET": SECRET,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "mexc_sniper", "doctor", "--json", *arguments],
        env=clean | {"PYTHONPATH": str(ROOT / "src")} | settings | env,
        input="", capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert SECRET not in ran.stdout + ran.stderr
    assert KEY not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, {finding["name"]: finding for finding in json.loads(ran.stdout)}


def key(simulator: SimulatorProcess, name: str, *rights: str) -> dict[str, str]:
    secret = f"secret-of-{name}-{'x' * 20}"
    simulator.post("/sim/keys", {"key": name, "secret": secret, "rights": list(rights)})
    return {"MEXC_SNIPER_VENUE__API_KEY": name, "MEXC_SNIPER_VENUE__API_SECRET": secret}


READ = ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ")


def test_a_trading_key_is_fit(simulator: SimulatorProcess, tmp_path: Path) -> None:
    _, findings = doctor(simulator, tmp_path)

    assert findings["api key"]["verdict"] in ("ok", "warn")
    assert "sees no withdrawals" in findings["api key"]["detail"]


BAD_KEYS = [
    ("readonly", READ, "SPOT_DEAL_WRITE"),
    ("rich", (*READ, "SPOT_DEAL_WRITE", "SPOT_WITHDRAW_READ"), "withdrawal"),
]


@pytest.mark.parametrize(("name", "rights", "told"), BAD_KEYS)
def test_a_key_with_the_wrong_rights_fails_in_live_mode_and_warns_in_dry_run(
    simulator: SimulatorProcess, tmp_path: Path, name: str, rights: tuple[str, ...], told: str
) -> None:
    env = key(simulator, name, *rights)

    code, live = doctor(simulator, tmp_path, **env, MEXC_SNIPER_MODE="live")
    _, dry_run = doctor(simulator, tmp_path, **env)

    assert code == 1
    assert live["api key"]["verdict"] == "fail"
    assert told in live["api key"]["mend"]
    assert dry_run["api key"]["verdict"] == "warn"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("MEXC_SNIPER_VENUE__API_SECRET", "wrong-secret-of-this-test", "API_SECRET"),
        ("MEXC_SNIPER_VENUE__API_KEY", "mx0nobodyknowsthiskey", "API_KEY"),
    ],
)
def test_a_refused_key_is_one_clear_answer(
    simulator: SimulatorProcess, tmp_path: Path, variable: str, value: str, told: str
) -> None:
    code, findings = doctor(simulator, tmp_path, MEXC_SNIPER_MODE="live", **{variable: value})

    assert code == 1
    assert told in findings["api key"]["mend"]


def test_dry_run_needs_no_key_and_live_does(simulator: SimulatorProcess, tmp_path: Path) -> None:
    none = {"MEXC_SNIPER_VENUE__API_KEY": "", "MEXC_SNIPER_VENUE__API_SECRET": ""}

    assert doctor(simulator, tmp_path, **none)[1]["api key"]["verdict"] == "ok"
    assert doctor(simulator, tmp_path, **none, MEXC_SNIPER_MODE="live")[1]["api key"]["verdict"] == "fail"


def test_the_canary_buys_sells_and_measures_and_writes_its_orders_down(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    simulator.post("/sim/book", {"symbol": "MXUSDT", "bids": [["3.09", "5000"]], "asks": [["3.10", "5000"]]})
    before = simulator.get("/sim/balances")["balances"]["MX"]

    _, findings = doctor(simulator, tmp_path, "--canary", "--confirm", "CANARY")

    assert findings["canary"]["verdict"] == "ok", findings["canary"]
    assert "buy filled" in findings["canary"]["detail"]
    assert "sell filled" in findings["canary"]["detail"]
    written = [json.loads(line) for line in (tmp_path / "canary.jsonl").read_text().splitlines()]
    assert [line["intent"]["side"] for line in written] == ["buy", "sell"]
    assert float(simulator.get("/sim/balances")["balances"]["MX"]["free"]) <= float(before["free"]) + 0.01
    (kept,) = decode_canaries((tmp_path / FILE_NAME).read_bytes())
    assert (kept.symbol, kept.passed, kept.problems) == ("MXUSDT", True, ())


def test_the_canary_without_its_word_or_beside_an_engine_sends_nothing(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    before = len(simulator.get("/sim/orders")["orders"])

    _, unconfirmed = doctor(simulator, tmp_path, "--canary")
    engine = InstanceLock(tmp_path, name="engine.lock")
    engine.acquire()
    code, beside = doctor(simulator, tmp_path, "--canary", "--confirm", "CANARY")
    engine.release()

    assert unconfirmed["canary"]["detail"] == "not sent, as you said"
    assert (code, beside["canary"]["verdict"]) == (1, "fail")
    assert len(simulator.get("/sim/orders")["orders"]) == before


def test_the_canary_is_held_to_our_own_limits(simulator: SimulatorProcess, tmp_path: Path) -> None:
    simulator.post("/sim/book", {"symbol": "MXUSDT", "bids": [["1", "5000"]], "asks": [["3.10", "5000"]]})

    code, findings = doctor(simulator, tmp_path, "--canary", "--confirm", "CANARY")

    assert (code, findings["canary"]["verdict"]) == (1, "fail")
    assert "Bid and ask are too far apart" in findings["canary"]["mend"]
    (kept,) = decode_canaries((tmp_path / FILE_NAME).read_bytes())
    assert not kept.passed
