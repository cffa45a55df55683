"""Who may sign in, as an operator types it: passwords before the first start, tokens and channels beside a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mexc_sniper.ledger.inbox import WebInbox
from mexc_sniper.ledger.location import locate
from tests.app.test_bad_input import ROOT, assert_one_sentence, sniper
from tests.support.program import running_bot

PASSWORD = "correct horse battery staple"


def typed(text: str, *arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEXC_SNIPER_")}
    return subprocess.run(
        [sys.executable, "-m", "mexc_sniper", *arguments], input=text, capture_output=True, text=True, timeout=60,
        env={**clean, "PYTHONPATH": str(ROOT / "src"), "MEXC_SNIPER_DATA_DIR": str(data_dir)}, check=False,
    )  # fmt: skip


def test_a_password_can_be_set_before_anything_ever_ran_and_taken_away(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    done = typed(f"{PASSWORD}\n", "user", "password", "--stdin", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    inbox = WebInbox(locate(None, data_dir))
    assert (inbox.password_hash("operator") or "").startswith("$argon2id$")
    inbox.close()
    assert json.loads(sniper("user", "list", "--json", data_dir=data_dir).stdout) == {"users": ["operator"]}
    assert sniper("user", "remove", data_dir=data_dir).returncode == 0
    assert_one_sentence(sniper("user", "remove", data_dir=data_dir), 1, "has no password")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_ends_with_two_and_says_what_is_missing(tmp_path: Path, password: str) -> None:
    done = typed(f"{password}\n", "user", "password", "--stdin", data_dir=tmp_path)
    assert done.returncode == 2
    assert "must h" in done.stderr
    assert password not in done.stderr


def test_without_a_terminal_the_password_must_come_by_stdin(tmp_path: Path) -> None:
    assert_one_sentence(typed("", "user", "password", data_dir=tmp_path), 2, "--stdin")


def test_a_page_open_to_a_network_without_a_password_does_not_start(tmp_path: Path) -> None:
    done = sniper("run", "--host", "0.0.0.0", data_dir=tmp_path / "data")  # noqa: S104
    assert_one_sentence(done, 2, "MEXC_SNIPER_WEB__TLS_CERT_FILE")


def test_completion_of_the_shell_is_there() -> None:
    program = Path(sys.executable).with_name("mexc-sniper")
    if not program.is_file():
        pytest.skip("the program is not installed beside this Python")
    done = subprocess.run(
        [str(program), "--show-completion", "bash"], capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "_MEXC_SNIPER_COMPLETE" in done.stdout


@pytest.mark.timeout(240)
def test_tokens_channels_and_what_was_done_beside_a_running_program(tmp_path: Path) -> None:
    channel = {"MEXC_SNIPER_NOTIFY__CHANNELS__HOOK": "json://127.0.0.1:9/hook"}
    with running_bot(tmp_path / "bot", symbols=30, settings=channel) as bot:
        made = bot.command("token", "new", "prometheus", "--scope", "read", "--days", "7", "--json")
        assert made.returncode == 0, made.stderr
        token = json.loads(made.stdout)
        assert "prometheus" in bot.command("token", "list").stdout
        assert bot.command("token", "revoke", token["id"]).returncode == 0
        assert json.loads(bot.command("token", "list", "--json").stdout) == {"tokens": []}

        listed = json.loads(bot.command("notifications", "--json").stdout)
        assert [(row["id"], row["kind"]) for row in listed["channels"]] == [("hook", "webhook")]
        assert listed["notifierRunning"] is True
        quiet = bot.command("notifications", "set", "hook", "--quiet", "22:00-07:00", "--zone", "Europe/Berlin")
        assert quiet.returncode == 0, quiet.stderr
        failed = bot.command("notifications", "test", "hook", "--json")
        assert failed.returncode == 1
        assert json.loads(failed.stdout)["ok"] is False

        bot.set_monitor(True)
        events = bot.command("events", "--limit", "50", "--json").stdout.splitlines()
        assert "command_finished" in {json.loads(line)["kind"] for line in events}
        assert json.loads(bot.command("audit", "--verify", "--json").stdout)["whole"] is True
        assert "start_monitor" in bot.command("audit").stdout
        assert json.loads(bot.command("report", "--json").stdout)["listings"]["new"] == 0
        refused = bot.command("db", "restore", str(tmp_path))
        assert refused.returncode == 2
        assert "already uses the data directory" in refused.stderr
