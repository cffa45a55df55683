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

from mexc_sniper.app.finding import Finding
from mexc_sniper.app.finding import Verdict as Verdict
from mexc_sniper.app.instance import prepare_data_dir, read_run_info
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import NS_PER_MS, ClockReader
from mexc_sniper.core.errors import SniperError
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.location import locate

CALL_DEADLINE_S = 5.0
CLOCK_PROBES = 5
LARGEST_UNCERTAINTY_MS = 250
"""Above it the program trusts its clock for nothing (DESIGN 4.1)."""
WORRYING_OFFSET_MS = 1000
LEAST_DISK_MB = 200
COMFORTABLE_DISK_MB = 1024


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
    yield "page address", _guarded("page address", lambda: _page_address(settings))
    yield "venue", _guarded("venue", lambda: _venue(settings, clock))
    yield "venue clock", _guarded("venue clock", lambda: _venue_clock(settings, clock))
    yield "venue stream", _guarded("venue stream", lambda: _stream(settings))
    yield "api key", _guarded("api key", lambda: _key(settings))


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
    state = f"schema {revision}" if revision else "empty; the first run builds it"
    return Finding(name="database", verdict=Verdict.OK, detail=f"{location.describe()}: {state}")


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


def _key(settings: Settings) -> Finding:
    from mexc_sniper.app.key_doctor import check_api_key  # loads the venue's libraries

    return check_api_key(settings)


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
