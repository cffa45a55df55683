"""``mexc-sniper run``: keeps the engine, the web process, the notifier and, for the demo, the simulator alive."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from mexc_sniper.app.children import Child, ChildEnded, ChildSpec, own_command
from mexc_sniper.app.client import ApiClient, ApiError, Unreachable
from mexc_sniper.app.instance import RunInfo, remove_run_info, write_run_info
from mexc_sniper.app.process_env import child_environment, simulator_environment
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role
from mexc_sniper.core.errors import ConfigError, SniperError
from mexc_sniper.ports import Clock

log = structlog.get_logger(__name__)

READY_DEADLINE_S = 60.0
SIMULATOR_DEADLINE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What the terminal shows once everything answers."""

    url: str
    login_url: str
    """One-time link; empty when the web process could not make one."""
    sim_url: str = ""


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What one supervised run consists of."""

    settings: Settings
    config: Path | None = None
    demo_scenario: str | None = None
    """A simulator scenario: the run is a demo and starts monitoring by itself."""
    seed: int = 1


class Supervisor:
    """Starts the children in order, tells when they are ready, restarts them, ends them in reverse order."""

    def __init__(
        self,
        plan: RunPlan,
        clock: Clock,
        *,
        listener: socket.socket,
        on_step: Callable[[str], None],
        on_ready: Callable[[Ready], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._listener = listener
        self._on_step = on_step
        self._on_ready = on_ready
        self._on_trouble = on_trouble
        self._children: list[Child] = []
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """End the run cleanly; callable from a signal handler."""
        self._stop.set()

    async def run(self) -> None:
        """Run until a signal arrives or a child can never run.

        Raises:
            ChildEnded: when a child refuses to run.
            SniperError: when nothing answers in time.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.request_stop)
        settings = self._plan.settings
        try:
            port = int(self._listener.getsockname()[1])
            settings = settings.model_copy(update={"web": settings.web.model_copy(update={"port": port})})
            await self._supervise(settings)
        finally:
            remove_run_info(settings.data_dir)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _supervise(self, settings: Settings) -> None:
        watchers: list[asyncio.Task[None]] = []
        stopped = asyncio.create_task(self._stop.wait())
        try:
            sim_url = ""
            if self._plan.demo_scenario is not None:
                self._on_step("Starting the exchange simulator")
                simulator, sim_urls = await self._start_simulator(self._plan.demo_scenario)
                watchers.append(simulator)
                sim_url = sim_urls["restUrl"]
                settings = _pointed_at(settings, sim_urls)
            self._on_step("Starting the engine and the web process")
            config = str(self._plan.config) if self._plan.config else None
            engine = ChildSpec(
                name="engine",
                argv=own_command("engine"),
                env=child_environment(settings, Role.ENGINE, config=config),
            )
            web = ChildSpec(
                name="web",
                argv=own_command("web", "--fd", str(self._listener.fileno())),
                env=child_environment(settings, Role.WEB, config=config),
                pass_fds=(self._listener.fileno(),),
            )
            watchers += [self._watch(engine), self._watch(web)]
            if settings.notify.configured:
                notify_env = child_environment(settings, Role.NOTIFY, config=config)
                watchers.append(self._watch(ChildSpec(name="notify", argv=own_command("notify"), env=notify_env)))
            if settings.backup.enabled:
                from mexc_sniper.app.nightly import nightly  # loads the database's library

                watchers.append(
                    asyncio.create_task(
                        nightly(settings, self._clock, on_trouble=self._on_trouble), name="nightly backup"
                    )
                )
            ready = asyncio.create_task(self._become_ready(settings, sim_url))
            pending: set[asyncio.Task[Any]] = {stopped, ready, *watchers}
            while pending and not stopped.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            ready.cancel()
        finally:
            stopped.cancel()
            self._on_step("Stopping")
            for child in reversed(self._children):
                await child.stop()
            for task in watchers:
                task.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)

    def _watch(self, spec: ChildSpec) -> asyncio.Task[None]:
        child = Child(spec, self._clock, on_trouble=self._on_trouble)
        self._children.append(child)
        return asyncio.create_task(child.keep_alive(), name=f"supervise {spec.name}")

    async def _start_simulator(self, scenario: str) -> tuple[asyncio.Task[None], dict[str, str]]:
        with listen("127.0.0.1", 0) as probe:
            port = int(probe.getsockname()[1])  # the same port after a restart, so that the engine finds it again
        first_line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        argv = own_command("sim", "--port", str(port), "--scenario", scenario, "--seed", str(self._plan.seed))
        spec = ChildSpec(
            name="simulator", argv=argv, env=simulator_environment(), first_line=first_line,
            log_file=self._plan.settings.data_dir / "logs" / "simulator.log",
        )  # fmt: skip
        watcher = self._watch(spec)
        either: set[asyncio.Future[Any]] = {watcher, first_line}
        await asyncio.wait(either, timeout=SIMULATOR_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        if watcher.done():
            watcher.result()
        if not first_line.done():
            raise SniperError(
                f"the exchange simulator did not become ready; see {self._plan.settings.data_dir / 'logs'}"
            )
        urls: dict[str, str] = json.loads(first_line.result())
        return watcher, urls

    async def _become_ready(self, settings: Settings, sim_url: str) -> None:
        client = ApiClient.of_data_dir(
            settings.data_dir,
            url=_local_url(settings),
            token=settings.web.token,
            certificate=settings.web.tls_cert_file,
        )
        deadline = self._clock.mono_ns() + int(READY_DEADLINE_S * 1e9)
        while True:
            try:
                health = await asyncio.to_thread(client.get, "/health")
                if health.get("engineAlive"):
                    break
            except (ApiError, Unreachable):
                pass
            if self._clock.mono_ns() > deadline:
                raise SniperError(
                    f"engine and web did not become ready within {READY_DEADLINE_S:g} s: "
                    f"the logs in {settings.data_dir / 'logs'} tell why"
                )
            await self._clock.sleep(0.1)
        write_run_info(
            settings.data_dir,
            RunInfo(
                pid=os.getpid(), url=_local_url(settings), mode=settings.mode,
                demo=self._plan.demo_scenario is not None, sim_url=sim_url,
            ),
        )  # fmt: skip
        if self._plan.demo_scenario is not None:
            self._on_step("Starting the monitor")
            await asyncio.to_thread(client.post, "/monitor/start", {})
        login = ""
        with contextlib.suppress(ApiError, Unreachable):
            login = await asyncio.to_thread(client.login_link)
        self._on_ready(Ready(url=_local_url(settings), login_url=login, sim_url=sim_url))
        log.info("ready", url=_local_url(settings), mode=settings.mode, data_dir=str(settings.data_dir))


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket of the page; it outlives every restart of the web process.

    Raises:
        ConfigError: when the address is in use, not ours, or not allowed.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        mend = "stop the program that uses it or choose another with --port" if port else "correct web.host"
        raise ConfigError(f"cannot listen on {host} port {port} ({error.strerror or error}): {mend}") from None
    return listener


def _local_url(settings: Settings) -> str:
    host = settings.web.host
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    scheme = "http" if settings.web.tls_cert_file is None else "https"
    return f"{scheme}://{shown}:{settings.web.port}"


def _pointed_at(settings: Settings, sim: dict[str, str]) -> Settings:
    venue = settings.venue.model_copy(
        update={"rest_url": sim["restUrl"], "ws_url": sim["wsUrl"], "web_url": sim["webUrl"]}
    )
    return settings.model_copy(update={"venue": venue})


__all__ = ["ChildEnded", "Ready", "RunPlan", "Supervisor", "listen"]
