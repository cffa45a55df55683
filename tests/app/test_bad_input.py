"""Bad input at the terminal: one clear sentence naming the thing and the mend, a fixed exit code, no traceback."""

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def sniper(*arguments: str, data_dir: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    return subprocess.run(
        [sys.executable, "-m", "mexc_sniper", *arguments],
        env={**clean, "PYTHONPATH": str(ROOT / "src"), "MEXC_SNIPER_DATA_DIR": str(data_dir), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in lines[0]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_unknown_setting_ends_with_two_and_the_nearest_name(data_dir: Path) -> None:
    done = sniper("run", data_dir=data_dir, MEXC_SNIPER_VENUE__REST_ULR="https://api.mexc.com")
    assert_one_sentence(done, 2, "MEXC_SNIPER_VENUE__REST_ULR", "MEXC_SNIPER_VENUE__REST_URL")
    assert not data_dir.exists()


def test_bad_venue_address_ends_with_two_and_names_the_variable(data_dir: Path) -> None:
    done = sniper("run", data_dir=data_dir, MEXC_SNIPER_VENUE__REST_URL="api.mexc.com")
    assert_one_sentence(done, 2, "MEXC_SNIPER_VENUE__REST_URL", "https://")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "sqlite://", "postgresql://localhost"])
def test_bad_database_address_ends_with_two_and_names_the_variable(data_dir: Path, url: str) -> None:
    assert_one_sentence(sniper("run", data_dir=data_dir, MEXC_SNIPER_DATABASE__URL=url), 2, "MEXC_SNIPER_DATABASE__URL")


def test_database_file_that_is_none_ends_with_two_and_stays_as_it_was(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    (data_dir / "ledger.db").write_bytes(b"this is no database" * 100)
    done = sniper("db", "current", data_dir=data_dir)
    assert_one_sentence(done, 2, "ledger.db")
    assert (data_dir / "ledger.db").read_bytes() == b"this is no database" * 100


def test_port_in_use_ends_with_two_and_names_the_flag(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_one_sentence(sniper("run", "--port", port, data_dir=data_dir), 2, port, "--port")


def test_data_directory_that_cannot_be_written_ends_with_two(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    done = sniper("run", data_dir=path / "below")
    assert_one_sentence(done, 2, str(path / "below"), "--data-dir")


def test_page_open_to_a_network_is_refused(data_dir: Path) -> None:
    everywhere = "0.0.0.0"  # noqa: S104
    assert_one_sentence(sniper("run", "--host", everywhere, data_dir=data_dir), 2, "127.0.0.1")


@pytest.mark.parametrize(
    "arguments", [["status"], ["start"], ["stop"], ["inject", "XUSDT"], ["listings"], ["calendar"]]
)
def test_command_without_a_running_program_ends_with_three(data_dir: Path, arguments: list[str]) -> None:
    assert_one_sentence(sniper(*arguments, data_dir=data_dir), 3, "mexc-sniper run")


def test_missing_settings_file_ends_with_two(data_dir: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    assert_one_sentence(sniper("doctor", "--config", missing, data_dir=data_dir), 2, missing)


def test_unknown_command_ends_with_two(data_dir: Path) -> None:
    done = sniper("launch", data_dir=data_dir)
    assert done.returncode == 2
    assert "launch" in done.stderr


def test_unreachable_venue_is_named_by_doctor_which_ends_with_one(data_dir: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        venue = f"127.0.0.1:{closed.getsockname()[1]}"
        done = sniper(
            "doctor", "--json", data_dir=data_dir,
            MEXC_SNIPER_VENUE__REST_URL=f"http://{venue}", MEXC_SNIPER_VENUE__WS_URL=f"ws://{venue}/ws",
            MEXC_SNIPER_WEB__PORT="0",
        )  # fmt: skip
    assert done.returncode == 1
    assert venue in done.stdout
    assert "venue.rest_url" in done.stdout


def test_backup_never_overwrites_and_needs_a_ledger(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    assert_one_sentence(sniper("db", "backup", str(target), data_dir=data_dir), 2, "no ledger")
    assert sniper("db", "upgrade", data_dir=data_dir).returncode == 0
    assert sniper("db", "backup", str(target), data_dir=data_dir).returncode == 0
    with sqlite3.connect(target) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
    assert target.stat().st_mode & 0o077 == 0
    assert_one_sentence(sniper("db", "backup", str(target), data_dir=data_dir), 2, "exists already")


@pytest.mark.parametrize("content", [b"", b"not a tape at all", b"\x00" * 4096])
def test_corrupt_tape_ends_with_one_and_names_the_file(data_dir: Path, tmp_path: Path, content: bytes) -> None:
    tape = tmp_path / "broken.tape"
    tape.write_bytes(content)
    assert_one_sentence(sniper("replay", str(tape), data_dir=data_dir), 1, "broken.tape")


def test_corrupt_scenario_ends_with_two_and_names_the_file(data_dir: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "broken.toml"
    scenario.write_text("[[listings]\n")
    done = sniper("sim", "--port", "0", "--scenario", str(scenario), data_dir=data_dir)
    assert_one_sentence(done, 2, "broken.toml")


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    """Every command pays for what is loaded here; stopping must not wait for a database's library."""
    heavy = "('sqlalchemy', 'alembic', 'fastapi', 'uvicorn', 'aiohttp', 'apprise', 'argon2', 'picows')"
    code = f"import sys, mexc_sniper.app.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
