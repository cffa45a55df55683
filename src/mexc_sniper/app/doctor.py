"""``mexc-sniper doctor``: checks what a run depends on, each with what to do about it."""

import http.client
import json
import shutil
import socket
import ssl
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mexc_sniper.app.backup import backup_sets, made_at_ns
from mexc_sniper.app.finding import Finding
from mexc_sniper.app.finding import Verdict as Verdict
from mexc_sniper.app.instance import prepare_data_dir, read_run_info
from mexc_sniper.app.nightly import backup_dir
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_MS, ClockReader
from mexc_sniper.core.errors import SniperError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.accounts import AccountStore
from mexc_sniper.ledger.channels import ChannelStore
from mexc_sniper.ledger.location import locate
from mexc_sniper.ledger.reader import LedgerReader
from mexc_sniper.web.options import require_password

CALL_DEADLINE_S = 5.0
CLOCK_PROBES = 5
LARGEST_UNCERTAINTY_MS = 250
"""Above it the program trusts its clock for nothing (DESIGN 4.1)."""
WORRYING_OFFSET_MS = 1000
LEAST_DISK_MB = 200
COMFORTABLE_DISK_MB = 1024
OLD_BACKUP_H = 49


def examine(settings: Settings, clock: ClockReader) -> Iterator[tuple[str, Callable[[], Finding]]]:
    """Yield each check with its name, cheap ones first; calling it runs it and never raises a `SniperError`."""
    yield "python", _python
    yield (
        "settings",
        lambda: Finding(
            name="settings", verdict=Verdict.OK, detail=f"mode {settings.mode}, environment {settings.environment}"
        ),
    )
    yield "data directory", _guarded("data directory", lambda: _data_dir(settings.data_dir))
    yield "disk space", _guarded("disk space", lambda: _disk(settings.data_dir))
    yield "database", _guarded("database", lambda: _database(settings))
    yield "backup", _guarded("backup", lambda: _backup(settings, clock))
    yield "page address", _guarded("page address", lambda: _page_address(settings))
    yield "sign-in", _guarded("sign-in", lambda: _sign_in(settings))
    yield "notifications", _guarded("notifications", lambda: _notifications(settings))
    yield "venue", _guarded("venue", lambda: _venue(settings, clock))
    yield "venue clock", _guarded("venue clock", lambda: _venue_clock(settings, clock))
    yield "venue stream", _guarded("venue stream", lambda: _stream(settings))
    from mexc_sniper.app.key_doctor import KeyDoctor  # loads the venue's libraries

    keys = KeyDoctor(settings)
    yield "api key", _guarded("api key", keys.key)
    yield "balance", _guarded("balance", keys.balance)


def _guarded(name: str, check: Callable[[], Finding]) -> Callable[[], Finding]:
    def run() -> Finding:
        try:
            return check()
        except SniperError as error:
            text, _, mend = str(error).partition(": ")
            return Finding(name=name, verdict=Verdict.FAIL, detail=text, mend=mend)

    return run


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(name="python", verdict=Verdict.OK, detail=f"{version} on {sys.platform}")


def _data_dir(path: Path) -> Finding:
    prepare_data_dir(path)
    loose = path.stat().st_mode & 0o077
    return Finding(
        name="data directory",
        verdict=Verdict.WARN if loose else Verdict.OK,
        detail=f"{path} is writable" + (", and other users of this machine can look into it" if loose else ""),
        mend=f"run 'chmod 700 {path}'" if loose else "",
    )


def _disk(path: Path) -> Finding:
    free_mb = shutil.disk_usage(path).free // 1_000_000
    verdict = Verdict.FAIL if free_mb < LEAST_DISK_MB else Verdict.WARN if free_mb < COMFORTABLE_DISK_MB else Verdict.OK
    return Finding(
        name="disk space",
        verdict=verdict,
        detail=f"{free_mb:,} MB free under {path}",
        mend="" if verdict is Verdict.OK else "free some space or move the data directory",
    )


def _database(settings: Settings) -> Finding:
    location = locate(settings.database.url, settings.data_dir)
    revision = migrations.current(location)["ledger"]
    if not revision:
        return Finding(
            name="database", verdict=Verdict.OK, detail=f"{location.describe()}: empty; the first run builds it"
        )
    if revision != migrations.LEDGER.head:
        return Finding(
            name="database", verdict=Verdict.WARN, detail=f"{location.describe()}: schema {revision}",
            mend=f"the next run brings it to {migrations.LEDGER.head}; a newer one than this needs the newer program",
        )  # fmt: skip
    reader = LedgerReader(location)
    try:
        broken, head = reader.verify_audit(), reader.audit_head()
    finally:
        reader.close()
    if broken is not None:
        return Finding(
            name="database", verdict=Verdict.FAIL, detail=f"the audit chain is broken at row {broken}",
            mend="somebody changed the ledger after it was written: compare it with a backup",
        )  # fmt: skip
    detail = f"{location.describe()}: schema {revision}, {head.number:,} audit rows whole"
    return Finding(name="database", verdict=Verdict.OK, detail=detail)


def _backup(settings: Settings, clock: ClockReader) -> Finding:
    location = locate(settings.database.url, settings.data_dir)
    if not location.is_sqlite:
        return Finding(name="backup", verdict=Verdict.OK, detail="PostgreSQL: yours, by pg_dump")
    if not location.sqlite.ledger.is_file():
        return Finding(name="backup", verdict=Verdict.OK, detail="no ledger to copy yet")
    if not settings.backup.enabled:
        return Finding(
            name="backup", verdict=Verdict.WARN, detail="switched off", mend="set backup.enabled, or copy it yourself"
        )
    made = backup_sets(backup_dir(settings))
    if not made:
        return Finding(
            name="backup", verdict=Verdict.WARN, detail=f"none in {backup_dir(settings)} yet",
            mend="`mexc-sniper run` makes one every night; `mexc-sniper db backup FILE` makes one now",
        )  # fmt: skip
    age_h = (clock.wall_ns() - made_at_ns(made[-1], clock)) / 3_600e9
    old = age_h > OLD_BACKUP_H
    return Finding(
        name="backup",
        verdict=Verdict.WARN if old else Verdict.OK,
        detail=f"{len(made)} in {backup_dir(settings)}, the newest {age_h:.0f} h old",
        mend="logs/supervisor.log tells why no newer one was made" if old else "",
    )


def _sign_in(settings: Settings) -> Finding:
    from mexc_sniper.app.bootstrap import web_options

    options = web_options(settings)
    options.check()
    location = locate(settings.database.url, settings.data_dir)
    accounts: list[str] = []
    if not location.is_sqlite or location.sqlite.inbox.is_file():
        store = AccountStore(location)
        try:
            accounts = store.account_names()
        finally:
            store.close()
    require_password(options, accounts)
    if accounts:
        return Finding(name="sign-in", verdict=Verdict.OK, detail=f"by password ({', '.join(accounts)}) or link")
    live = settings.mode == "live"
    return Finding(
        name="sign-in",
        verdict=Verdict.WARN if live else Verdict.OK,
        detail="by one-time link; no password is asked before arming",
        mend="set one with `mexc-sniper user password`" if live else "",
    )


def _notifications(settings: Settings) -> Finding:
    if not settings.notify.configured:
        live = settings.mode == "live"
        return Finding(
            name="notifications",
            verdict=Verdict.WARN if live else Verdict.OK,
            detail="no channel is configured",
            mend="name one in [notify.channels]: docs/operating.md, Notifications" if live else "",
        )
    from mexc_sniper.notify.channel import Sender  # loads the messengers' library

    kinds = [
        f"{name} ({Sender(name, address.reveal()).kind})" for name, address in sorted(settings.notify.channels.items())
    ]
    if settings.notify.heartbeat_url is not None:
        kinds.append("outside heartbeat")
    failing = _failing_channels(settings)
    return Finding(
        name="notifications",
        verdict=Verdict.WARN if failing else Verdict.OK,
        detail=", ".join(kinds),
        mend=f"{'; '.join(failing)}. Try one with `mexc-sniper notifications test NAME`" if failing else "",
    )


def _failing_channels(settings: Settings) -> list[str]:
    location = locate(settings.database.url, settings.data_dir)
    if location.is_sqlite and not location.sqlite.inbox.is_file():
        return []
    store = ChannelStore(location)
    try:
        return [f"{row.id}: {row.state.last_error}" for row in store.channels() if row.state.last_error]
    finally:
        store.close()


def _page_address(settings: Settings) -> Finding:
    host, port = settings.web.host, settings.web.port
    info = read_run_info(settings.data_dir)
    if info is not None:
        return Finding(name="page address", verdict=Verdict.OK, detail=f"running at {info.url}")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return Finding(
            name="page address", verdict=Verdict.FAIL, detail=f"{host} port {port}: {error.strerror}",
            mend="stop the program that uses it or choose another with --port",
        )  # fmt: skip
    return Finding(name="page address", verdict=Verdict.OK, detail=f"{host} port {port} is free")


def _venue(settings: Settings, clock: ClockReader) -> Finding:
    url = settings.venue.rest_url
    answer = _call(url, "/api/v3/ping", clock)
    if answer.status != 200:
        return Finding(
            name="venue", verdict=Verdict.FAIL, detail=f"{url} answered with status {answer.status}",
            mend="403 is the venue's firewall: wait, or use another network; else correct venue.rest_url",
        )  # fmt: skip
    return Finding(
        name="venue", verdict=Verdict.OK, detail=f"{settings.venue.rest_url} answers in {answer.took_ms:.0f} ms"
    )


def _venue_clock(settings: Settings, clock: ClockReader) -> Finding:
    offsets, halves = [], []
    for _ in range(CLOCK_PROBES):
        answer = _call(settings.venue.rest_url, "/api/v3/time", clock)
        if answer.status != 200:
            raise SniperError(f"the venue's clock answered with status {answer.status}: try again later")
        try:
            venue_ms = int(json.loads(answer.body)["serverTime"])
        except (ValueError, KeyError, TypeError):
            raise SniperError("the venue's clock did not tell the time: is venue.rest_url right?") from None
        offsets.append(venue_ms - answer.sent_ms - answer.took_ms / 2)
        halves.append(answer.took_ms / 2)
    offset, uncertainty = statistics.median(offsets), min(halves)
    bad = uncertainty > LARGEST_UNCERTAINTY_MS or abs(offset) > WORRYING_OFFSET_MS
    return Finding(
        name="venue clock",
        verdict=Verdict.WARN if bad else Verdict.OK,
        detail=f"venue minus ours {offset:+.0f} ms, ± {uncertainty:.0f} ms",
        mend="switch on time synchronisation (timedatectl set-ntp true)" if bad else "",
    )


def _stream(settings: Settings) -> Finding:
    parts = urlsplit(settings.venue.ws_url)
    secure = parts.scheme == "wss"
    address = (parts.hostname or "", parts.port or (443 if secure else 80))
    try:
        with socket.create_connection(address, timeout=CALL_DEADLINE_S) as plain:
            if secure:
                with ssl.create_default_context().wrap_socket(plain, server_hostname=address[0]):
                    pass
    except OSError as error:
        raise SniperError(
            f"{settings.venue.ws_url} cannot be reached ({error}): check the network or correct venue.ws_url"
        ) from None
    return Finding(name="venue stream", verdict=Verdict.OK, detail=f"{settings.venue.ws_url} accepts connections")


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    sent_ms: float
    """Wall time at which the request left; the connection stood already."""
    took_ms: float


def _call(base: str, path: str, clock: ClockReader) -> _Answer:
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CALL_DEADLINE_S)
    try:
        connection.connect()
        started, sent_ms = clock.mono_ns(), clock.wall_ns() / NS_PER_MS
        connection.request("GET", parts.path + path, headers={"User-Agent": "mexc-sniper doctor"})
        answer = connection.getresponse()
        raw = answer.read(1_000_000)
        return _Answer(answer.status, raw, sent_ms, (clock.mono_ns() - started) / NS_PER_MS)
    except (OSError, http.client.HTTPException) as error:
        raise SniperError(
            f"{base} cannot be reached ({error or type(error).__name__}): check the network or correct venue.rest_url"
        ) from None
    finally:
        connection.close()
