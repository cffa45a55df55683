"""``mexc-sniper panic`` as an operator types it: no engine, no web process, a simulator in the venue's place."""

import hmac
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mexc_sniper.app.instance import InstanceLock
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.location import locate
from mexc_sniper.model.latch import FILE_NAME
from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "mx0simulatorkey00001", "simulator-secret-not-a-secret-0001"
OURS = "msl0001abcdefabcdef1200"
SYMBOL = "SOLUSDT"


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(symbols=30) as process:
        yield process


def signed(simulator: SimulatorProcess, method: str, path: str, **params: Any) -> Any:
    """Speak to the venue as the owner of the key does by hand."""
    params = {"timestamp": int(time.time() * 1000), **params}
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())
    signature = hmac.new(SECRET.encode(), query.encode(), "sha256").hexdigest()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{simulator.rest_url}{path}?{query}&signature={signature}",
        method=method,
        headers={"X-MEXC-APIKEY": KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def rest(simulator: SimulatorProcess, name: str, price: str = "10") -> None:
    """Leave a limit order resting far below the market."""
    signed(
        simulator, "POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", quantity="1", price=price,
        newClientOrderId=name,
    )  # fmt: skip


def hold(simulator: SimulatorProcess, amount: str = "50") -> str:
    """Buy some coins; returns how many are free."""
    signed(
        simulator, "POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="MARKET", quoteOrderQty=amount,
        newClientOrderId="msl0001abcdefabcdef1211",
    )  # fmt: skip
    return free(simulator, "SOL")


def free(simulator: SimulatorProcess, asset: str) -> str:
    return str(simulator.get("/sim/balances")["balances"].get(asset, {"free": "0"})["free"])


def open_orders(simulator: SimulatorProcess) -> list[str]:
    return [order["clientOrderId"] for order in signed(simulator, "GET", "/api/v3/openOrders")]


def panic(
    simulator: SimulatorProcess | None, data_dir: Path, *arguments: str, text: str = "", **env: str
) -> tuple[int, dict[str, Any], str]:
    """Run the command; returns exit code, its JSON, and what it told people."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    url = "http://127.0.0.1:9" if simulator is None else simulator.rest_url
    settings = {
        "MEXC_SNIPER_DATA_DIR": str(data_dir),
        "MEXC_SNIPER_VENUE__REST_URL": url,
        "MEXC_SNIPER_VENUE__WS_URL": f"ws{url.removeprefix('http')}/ws",
        "MEXC_SNIPER_VENUE__WEB_URL": url,
        "MEXC_SNIPER_VENUE__API_KEY": KEY,
        "MEXC_SNIPER_VENUE__API_SECRET": SECRET,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "mexc_sniper", "panic", "--json", *arguments],
        env=clean | {"PYTHONPATH": str(ROOT / "src")} | settings | env,
        input=text, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert SECRET not in ran.stdout + ran.stderr
    assert KEY not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else {}, ran.stderr


def latch(data_dir: Path) -> str:
    return (data_dir / FILE_NAME).read_text().split("\t")[0]


def test_panic_sets_the_latch_cancels_our_orders_and_leaves_others_alone(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    rest(simulator, OURS)
    rest(simulator, "msl0001abcdefabcdef1201", price="11")
    rest(simulator, "byhand1", price="12")
    coins = hold(simulator)

    code, report, _ = panic(simulator, tmp_path)

    assert code == 0, report
    assert latch(tmp_path) == "cancel"
    assert sorted(report["canceled"]) == [OURS, "msl0001abcdefabcdef1201"]
    assert report["foreignOrders"] == 1
    assert open_orders(simulator) == ["byhand1"]
    assert free(simulator, "SOL") == coins, "without --flatten nothing is sold"


def test_panic_sells_named_coins_after_a_typed_word_and_writes_the_sale_down_first(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    coins = hold(simulator)

    code, report, told = panic(simulator, tmp_path, "--flatten", "--symbol", SYMBOL, text="SELL\n")

    assert code == 0, report
    assert latch(tmp_path) == "cancel"
    assert f"{coins} SOL" in told
    assert [(sale["symbol"], sale["quantity"]) for sale in report["sold"]] == [(SYMBOL, coins)]
    assert float(free(simulator, "SOL")) == 0
    record = json.loads((tmp_path / "panic.jsonl").read_text())
    assert record["intent"]["client_order_id"] == report["sold"][0]["order"]
    assert report["sold"][0]["order"].startswith("mslzzzz")


@pytest.mark.parametrize("word", ["", "no\n", "sell\n"])
def test_panic_without_the_typed_word_sells_nothing(simulator: SimulatorProcess, tmp_path: Path, word: str) -> None:
    coins = hold(simulator)

    code, report, _ = panic(simulator, tmp_path, "--flatten", "--symbol", SYMBOL, text=word)

    assert code == 1
    assert "as you said" in report["problems"][0]
    assert free(simulator, "SOL") == coins
    assert latch(tmp_path) == "cancel", "no engine sells at its next start what was not confirmed here"


def test_panic_to_flatten_without_ledger_or_names_sells_nothing_it_does_not_know(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    coins = hold(simulator)

    code, report, _ = panic(simulator, tmp_path, "--flatten", "--confirm", "SELL")

    assert code == 1
    assert "--symbol" in report["problems"][0]
    assert free(simulator, "SOL") == coins


def test_panic_never_sells_more_than_is_there_and_names_what_it_cannot_sell(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    code, report, _ = panic(
        simulator, tmp_path, "--flatten", "--symbol", SYMBOL, "--symbol", "NOSUCHUSDT", "--confirm", "SELL"
    )

    assert code == 1
    assert report["sold"] == []
    assert any("too little" in problem for problem in report["problems"])
    assert any("NOSUCHUSDT" in problem for problem in report["problems"])


def test_panic_beside_a_running_engine_needs_force_and_the_latch_is_set_anyway(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    rest(simulator, OURS)
    engine = InstanceLock(tmp_path, name="engine.lock")
    engine.acquire()
    try:
        code, report, _ = panic(simulator, tmp_path)
        assert code == 1
        assert "--force" in report["problems"][0]
        assert report["reachedVenue"] is False
        assert latch(tmp_path) == "cancel"
        assert open_orders(simulator) == [OURS]

        code, report, _ = panic(simulator, tmp_path, "--force")
        assert code == 0, report
        assert open_orders(simulator) == []
    finally:
        engine.release()


def test_panic_keeps_an_engine_from_starting_meanwhile_and_lets_go_after(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    code, _, _ = panic(simulator, tmp_path)
    assert code == 0
    after = InstanceLock(tmp_path, name="engine.lock")
    after.acquire()
    after.release()


def test_panic_with_the_venue_out_of_reach_says_so_and_the_latch_stands(tmp_path: Path) -> None:
    code, report, _ = panic(None, tmp_path)

    assert code == 1
    assert "could not be reached" in report["problems"][0]
    assert latch(tmp_path) == "cancel"


def test_panic_with_a_refused_key_says_what_the_venue_says(simulator: SimulatorProcess, tmp_path: Path) -> None:
    code, report, _ = panic(simulator, tmp_path, MEXC_SNIPER_VENUE__API_SECRET="wrong-secret-of-this-test")

    assert code == 1
    assert "could not be read" in report["problems"][0]


def test_panic_without_a_key_sets_the_latch_and_has_nothing_to_cancel(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    code, report, _ = panic(simulator, tmp_path, MEXC_SNIPER_VENUE__API_KEY="", MEXC_SNIPER_VENUE__API_SECRET="")

    assert code == 0, report
    assert "no API key" in report["note"].replace("No", "no")
    assert latch(tmp_path) == "cancel"


def test_panic_works_with_a_ledger_that_is_no_database(simulator: SimulatorProcess, tmp_path: Path) -> None:
    rest(simulator, OURS)
    migrations.upgrade(locate(None, tmp_path))
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 1000)

    code, report, told = panic(simulator, tmp_path)

    assert code == 0, report
    assert "ledger cannot be read" in told
    assert open_orders(simulator) == []
