"""A real PostgreSQL server of our own, started at the first need and ended with the test run.

Tests that use it carry the marker ``postgres``. `database` gives each test a fresh database of its own:

    from tests.support.postgres import database, shared_server

    @pytest.mark.postgres
    def test_…():
        with database() as url: …
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

USER = "sniper"
PASSWORD = "only-for-tests"
_START_S = 20.0
_numbers = count(1)


def server_programs() -> Path | None:
    """The directory of ``initdb`` and ``postgres``; None where PostgreSQL is not installed."""
    candidates = [Path(name).parent for name in [shutil.which("initdb")] if name]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    candidates += [Path("/usr/local/pgsql/bin"), Path("/opt/homebrew/bin")]
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


class PostgresServer:
    """One server on a loopback port, run by an ordinary user (it refuses root). ``fsync`` off unless asked for."""

    def __init__(self, programs: Path, *, fsync: bool = False) -> None:
        self._programs = programs
        self._fsync = fsync
        self._run_as = _ordinary_user()
        # A short path of its own: the socket's name must fit and every parent must be open to the ordinary user.
        self.directory = Path(tempfile.mkdtemp(prefix="mxs-pg-", dir="/tmp"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        password_file = self.directory / "password"
        password_file.write_text(PASSWORD)
        if self._run_as is not None:
            for path in (self.directory, password_file):
                os.chown(path, self._run_as, -1)
        self._call(
            "initdb",
            *("--pgdata", str(self.data), "--username", USER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        )

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
            "fsync": "on" if self._fsync else "off",
            "max_connections": "60",
            "log_min_messages": "fatal",
        }
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", str(self.data), "-p", str(self.port)),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._run_as,
                cwd=self.directory,
                start_new_session=True,
            )
        expires = monotonic() + _START_S
        while True:
            try:
                self.administer().close()
                return
            except psycopg.OperationalError:
                if monotonic() > expires or self._process.poll() is not None:
                    raise
                sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT is "fast", SIGQUIT is "immediate" (a crash of the server)."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)

    def remove(self) -> None:
        """End the server and delete its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def administer(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection that may create databases."""
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5)

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            user=self._run_as,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@cache
def shared_server() -> PostgresServer:
    """The run's one server; skips the test where PostgreSQL is not installed (a failure on the build machine)."""
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, postgres) are not installed")
    server = PostgresServer(programs)
    atexit.register(server.remove)
    server.start()
    return server


@contextmanager
def database(*, template: str = "template0") -> Iterator[str]:
    """The address of a fresh database on the shared server, empty or a copy of ``template``, dropped afterwards."""
    server = shared_server()
    name = f"ledger_{os.getpid()}_{next(_numbers)}"
    with closing(server.administer()) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template}")
    try:
        yield server.url(name)
    finally:
        with closing(server.administer()) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _ordinary_user() -> int | None:
    """Root may not run PostgreSQL: the id of a user who may; None when we are one ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise RuntimeError("running as root, and there is no user postgres or nobody to run PostgreSQL as")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
