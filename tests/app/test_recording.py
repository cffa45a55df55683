"""`record` and `replay`: what the venue said comes back through the same parsers and engine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulator import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    running = SimulatorProcess(symbols=50)
    running.start()
    yield running
    running.stop()


def a_recording(simulator: SimulatorProcess, tape: Path, *arguments: str) -> "subprocess.Popen[str]":
    env = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "MEXC_SNIPER_DATA_DIR": str(tape.parent),
        "MEXC_SNIPER_VENUE__REST_URL": simulator.rest_url,
        "MEXC_SNIPER_VENUE__WS_URL": simulator.ws_url,
        "MEXC_SNIPER_VENUE__WEB_URL": simulator.web_url,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mexc_sniper", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def finished(process: "subprocess.Popen[str]", code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    return out, err


def replayed(simulator: SimulatorProcess, tape: Path) -> dict[str, Any]:
    out, _ = finished(a_recording(simulator, tape, "replay", str(tape), "--json"))
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_recorded_listing_is_found_again_by_replay_and_twice_the_same(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    tape = tmp_path / "one.tape"
    recording = a_recording(simulator, tape, "record", str(tape), "--seconds", "8", "--json")
    simulator.post("/sim/listings", {"base": "TAPED", "calendarInS": 3, "openInS": 4})
    live = json.loads(finished(recording)[0])
    assert live["dropped"] == 0
    first = replayed(simulator, tape)
    assert [row["symbol"] for row in first["listings"]] == ["TAPEDUSDT"]
    assert [row["symbol"] for row in live["listings"]] == ["TAPEDUSDT"]
    assert first["truncatedAt"] is None
    assert sum(first["records"].values()) == live["records"]
    assert replayed(simulator, tape) == first


def test_tape_cut_in_its_last_record_is_read_up_to_there(simulator: SimulatorProcess, tmp_path: Path) -> None:
    tape = tmp_path / "cut.tape"
    finished(a_recording(simulator, tape, "record", str(tape), "--seconds", "2"))
    whole = replayed(simulator, tape)
    tape.write_bytes(tape.read_bytes()[:-3])
    cut = replayed(simulator, tape)
    assert cut["truncatedAt"] is not None
    assert sum(cut["records"].values()) == sum(whole["records"].values()) - 1


def test_recording_never_overwrites_a_tape(simulator: SimulatorProcess, tmp_path: Path) -> None:
    tape = tmp_path / "mine.tape"
    tape.write_bytes(b"precious")
    _, err = finished(a_recording(simulator, tape, "record", str(tape), "--seconds", "1"), code=1)
    assert "mine.tape" in err
    assert tape.read_bytes() == b"precious"
