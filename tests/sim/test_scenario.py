"""Scenario files and the command: what is bundled works, what is wrong is named in one sentence."""

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mexc_sim.cli import main
from mexc_sim.scenario import ScenarioError, bundled_names, load_scenario, parse_scenario
from tests.sim.venue import Venue, get
from tests.support.simulator import SimulatorProcess


def test_bundled_scenarios_are_the_promised_ones():
    assert set(bundled_names()) == {"quiet", "demo", "burst", "faulty"}


@pytest.mark.parametrize("name", ["quiet", "burst"])
def test_still_scenario_lists_nothing_by_itself(name):
    venue = Venue(load_scenario(name))
    before = venue.json("/api/v3/defaultSymbols")["data"]
    venue.advance(600)
    assert venue.json("/api/v3/defaultSymbols")["data"] == before
    assert len(before) > 1_850


def test_demo_waits_for_the_first_request_and_then_keeps_going_for_half_an_hour():
    venue = Venue(load_scenario("demo"))
    venue.advance(100)
    assert venue.json("/sim/state")["scriptBeganNs"] is None
    calendar = venue.json("/api/operation/new_coin_calendar")["data"]["newCoins"]
    assert {"KOVARI", "VESTARO"} <= {coin["vcoinName"] for coin in calendar}
    opened = []
    for _ in range(60):
        venue.advance(30)
        opened.append(venue.json("/sim/state")["symbolsInExchangeInfo"])
    assert opened[-1] > opened[0] + 25
    kinds = {life["kind"] for life in venue.json("/sim/listings")["listings"]}
    assert kinds == {
        "new", "relist", "second_quote", "renamed", "returned", "look_alike", "postponed", "tbd", "withdrawn",
    }  # fmt: skip
    assert venue.json("/api/v3/klines?symbol=云雀茶USDT&interval=1m")


def test_scenario_in_a_tiny_universe_skips_what_cannot_be_and_plays_the_rest():
    venue = Venue(replace(load_scenario("demo"), symbols=2))
    venue.json("/api/v3/defaultSymbols")
    venue.advance(60)
    state = venue.json("/sim/state")
    assert state["scriptSkipped"] > 0
    assert state["symbolsInExchangeInfo"] == 2 + 3  # KOVARI, LUMIRA and the relisted OBELO


def test_faulty_scenario_spoils_answers_and_recovers():
    venue = Venue(load_scenario("faulty"))
    statuses = set()
    for _ in range(200):
        statuses.add(venue.ask(get("/api/operation/new_coin_calendar")).status)
        statuses.add(venue.ask(get("/api/v3/time")).status)
        venue.advance(1)
    assert {200, 403, 502} <= statuses


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("title = ", 1, "TOML"),
        ('titel = "x"', 1, "titel"),
        ('title = "x"\n\n[universe]\nsymbols = "many"', 4, "symbols"),
        ("[rules]\nipWait = 3", 2, "ipWait"),
        ('[rules]\nminiTickers = "none"', 2, "miniTickers"),
        ('begins = "now"', 1, "begins"),
        ("[[listing]]\nrowInS = 1\n[[listing]]\nrowInn = 1", 3, "rowInn"),
        ('[[listing]]\nkind = "nova"', 1, "nova"),
        ('[[fault]]\ntarget = "time"\nkind = "explode"', 1, "explode"),
        ("[[cut]]\nin = 3", 1, "'in'"),
        ("[[cut]]\ninS = -3", 1, "inS"),
        ("[[listing]]\ntimes = 0", 1, "times"),
        ("[rules\nidleS = 1", 1, "TOML"),
        ('[[fault]]\ntarget = "time"\nkind = "hang"\nforS = inf', 1, "forS"),
        ("[[listing]]\nrowInS = nan", 1, "rowInS"),
        ("listing = 3", 1, "listing"),
        ("universe = 3", 1, "universe"),
    ],
)
def test_wrong_scenario_is_refused_naming_file_line_and_key(text, line, named):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "mine.toml")
    sentence = str(caught.value)
    assert "mine.toml" in sentence
    assert named in sentence
    assert f"line {line}" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"[[listing]", b"x" * 1_100_000])
def test_unusable_scenario_file_ends_the_command_with_code_two(tmp_path: Path, capsys, content):
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    assert main(["--scenario", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "mine.toml" in printed.err


def test_taken_port_ends_the_command_with_code_two_and_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--symbols", "5"]) == 2
    printed = capsys.readouterr()
    assert str(port) in printed.err
    assert "--port" in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--symbols", "0"], ["--nonsense"], ["--port", "-1"]])
def test_wrong_argument_ends_the_command_with_code_two(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""


def test_help_shows_how_to_list_something(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "/sim/listings" in capsys.readouterr().out


def test_command_prints_one_ready_line_and_ends_cleanly_on_sigterm():
    process = SimulatorProcess(symbols=20).start()
    assert process.rest_url == f"http://127.0.0.1:{process.port}"
    assert process.get("/api/v3/ping") == {}
    assert process.stop() == 0


async def test_command_ends_cleanly_while_requests_hang():
    process = SimulatorProcess(symbols=20).start()
    process.post("/sim/faults", {"target": "time", "kind": "hang"})
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    while process.get("/sim/state")["requests"].get("time") != 1:
        await asyncio.sleep(0.01)
    assert process.stop() == 0
    writer.close()


def test_module_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "mexc_sim", "--scenario", "no-such-thing"],
        capture_output=True, text=True, timeout=30, check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )  # fmt: skip
    assert done.returncode == 2
    assert "no-such-thing" in done.stderr
    assert json.dumps(done.stdout) == '""'
