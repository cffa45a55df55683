"""One instance per data directory; demo data and real data never mix."""

import subprocess
import sys
from pathlib import Path

import pytest

from mexc_sniper.app.instance import (
    InstanceLock,
    RunInfo,
    claim_data_dir,
    prepare_data_dir,
    read_run_info,
    write_run_info,
)
from mexc_sniper.core.errors import ConfigError

_HOLD = """
import sys
from pathlib import Path
from mexc_sniper.app.instance import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_second_instance_is_refused_naming_process_and_directory_until_the_first_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(ConfigError) as caught:
                InstanceLock(tmp_path).acquire()
            assert str(holder.pid) in str(caught.value)
            assert str(tmp_path) in str(caught.value)
        finally:
            holder.kill()
    lock = InstanceLock(tmp_path)
    lock.acquire()
    lock.release()


def test_run_info_of_a_dead_process_counts_as_not_running(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    write_run_info(tmp_path, RunInfo(pid=gone.pid, url="http://127.0.0.1:1", mode="dry-run"))
    assert read_run_info(tmp_path) is None


def test_data_dir_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    prepare_data_dir(path)
    assert path.stat().st_mode & 0o077 == 0


def test_data_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(ConfigError, match="data directory"):
        prepare_data_dir(path)


def test_demo_refuses_a_directory_with_a_real_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"real")
    with pytest.raises(ConfigError, match="real ledger"):
        claim_data_dir(tmp_path, demo=True, fresh=True)
    assert (tmp_path / "ledger.db").read_bytes() == b"real"


def test_run_refuses_the_directory_of_a_demo(tmp_path: Path) -> None:
    claim_data_dir(tmp_path, demo=True)
    with pytest.raises(ConfigError, match="belongs to the demo"):
        claim_data_dir(tmp_path, demo=False)


def test_fresh_demo_removes_only_what_a_run_writes(tmp_path: Path) -> None:
    claim_data_dir(tmp_path, demo=True)
    for name in ("ledger.db", "ledger.db-wal", "inbox.db", "token", "mine.txt"):
        (tmp_path / name).write_text("x")
    claim_data_dir(tmp_path, demo=True, fresh=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".demo", "mine.txt"]
