"""Commands that start processes: run, demo, sim, engine, web, notify."""

import asyncio
import os
import socket
import sys
from typing import Annotated

import typer

from mexc_sniper.app.banner import Terminal
from mexc_sniper.app.children import PARENT_PID_ENV, ChildEnded
from mexc_sniper.app.cli.common import ConfigFile, DataDir, Exit, app, err, fail, read_settings
from mexc_sniper.app.hardening import die_with_parent, forbid_dumps
from mexc_sniper.app.instance import InstanceLock, claim_data_dir, prepare_data_dir
from mexc_sniper.app.logging import configure_logging
from mexc_sniper.app.paths import demo_data_dir
from mexc_sniper.app.process_env import forget_secrets_in_environment
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role
from mexc_sniper.app.supervisor import RunPlan, Supervisor, listen
from mexc_sniper.runtime.clock import LoopClock

Port = Annotated[int | None, typer.Option("--port", help="Port of the page (default 8787).", min=0, max=65535)]
Host = Annotated[str | None, typer.Option("--host", help="Address the page listens on (default 127.0.0.1).")]


@app.command()
def run(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Watch MEXC: engine and web process, supervised. The very first run starts stopped: press Start on the page.

    Examples:

      mexc-sniper run

      mexc-sniper run --port 9000 --data-dir /srv/sniper
    """
    flags = {"web.host": host, "web.port": port}
    settings = read_settings(config, data_dir, role=Role.SUPERVISOR, flags=flags)
    _supervise(RunPlan(settings=settings, config=config))


@app.command()
def demo(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    scenario: Annotated[str, typer.Option(help="Scenario of the simulator: a name or a file.")] = "demo",
    seed: Annotated[int, typer.Option(help="Seed of the simulator's randomness.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo recorded.")] = False,
) -> None:
    """Show the whole product against the bundled exchange simulator: no keys, no internet, nothing at risk.

    A scheduled listing opens within the first half minute, others come as a surprise.

    Examples:

      mexc-sniper demo

      mexc-sniper demo --fresh --port 9000
    """
    fixed = {"mode": "dry-run", "environment": "demo", "first_config": "demo", "database.url": ""}
    settings = read_settings(
        config,
        data_dir or demo_data_dir(),
        role=Role.SUPERVISOR,
        flags={"web.host": host, "web.port": port, **fixed},
    )
    keyless = settings.venue.model_copy(update={"api_key": None, "api_secret": None})
    settings = settings.model_copy(update={"venue": keyless})
    _supervise(RunPlan(settings=settings, config=config, demo_scenario=scenario, seed=seed), fresh=fresh)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def sim(context: typer.Context) -> None:
    """Run the exchange simulator alone; its own --help tells more."""
    _follow_supervisor()
    from mexc_sim.cli import main as simulator  # its own package and process; only this command loads it

    raise SystemExit(simulator(context.args))


@app.command()
def engine(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Run the engine process alone, as under systemd or in a container."""
    supervised = _follow_supervisor()
    forbid_dumps()
    settings = read_settings(config, data_dir, role=Role.ENGINE)
    forget_secrets_in_environment()
    prepare_data_dir(settings.data_dir)
    lock = InstanceLock(settings.data_dir, name="engine.lock")
    lock.acquire()
    secrets = [secret.reveal() for secret in (settings.venue.api_key, settings.venue.api_secret) if secret]
    _log(settings, "engine", secrets, supervised=supervised)
    from mexc_sniper.app.bootstrap import run_engine_process

    run_engine_process(settings)


@app.command()
def web(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    fd: Annotated[int | None, typer.Option("--fd", hidden=True)] = None,
) -> None:
    """Run the web process alone: page, API, metrics. Any number may run beside one engine."""
    supervised = _follow_supervisor()
    settings = read_settings(config, data_dir, role=Role.WEB, flags={"web.host": host, "web.port": port})
    forget_secrets_in_environment()
    prepare_data_dir(settings.data_dir)
    _log(settings, "web", [settings.web.token.reveal()] if settings.web.token else [], supervised=supervised)
    from mexc_sniper.app.bootstrap import run_web_process

    listener = listen(settings.web.host, settings.web.port) if fd is None else socket.socket(fileno=fd)
    run_web_process(settings, listener=listener)


@app.command()
def notify(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Run the notifier alone: it tells the configured channels what happens. One per instance."""
    supervised = _follow_supervisor()
    forbid_dumps()
    settings = read_settings(config, data_dir, role=Role.NOTIFY)
    forget_secrets_in_environment()
    prepare_data_dir(settings.data_dir)
    lock = InstanceLock(settings.data_dir, name="notify.lock")
    lock.acquire()
    from mexc_sniper.app.bootstrap import notify_secrets, run_notify_process

    _log(settings, "notify", sorted(notify_secrets(settings)), supervised=supervised)
    run_notify_process(settings)


def _follow_supervisor() -> bool:
    parent = os.environ.pop(PARENT_PID_ENV, None)
    if parent is None:
        return False
    die_with_parent(int(parent))
    return True


def _log(
    settings: Settings, process: str, secrets: list[str], *, supervised: bool, quiet_level: str = "warning"
) -> None:
    os.umask(0o077)
    quiet = supervised and sys.stderr.isatty()  # the terminal belongs to the supervisor's panel; the file has it all
    configure_logging(
        settings.log,
        process=process,
        log_dir=settings.data_dir / "logs",
        secrets=secrets,
        terminal_level=quiet_level if quiet else None,
    )


def _supervise(plan: RunPlan, *, fresh: bool = False) -> None:
    from mexc_sniper.app.bootstrap import prepare_start, web_options  # heavy, and not needed by other commands

    settings = plan.settings
    web_options(settings).check()
    forbid_dumps()
    prepare_data_dir(settings.data_dir)
    lock = InstanceLock(settings.data_dir)
    lock.acquire()
    claim_data_dir(settings.data_dir, demo=plan.demo_scenario is not None, fresh=fresh)
    forget_secrets_in_environment()
    with listen(settings.web.host, settings.web.port) as listener:
        keys = (settings.venue.api_key, settings.venue.api_secret, settings.web.token, settings.notify.heartbeat_url)
        secrets = [secret.reveal() for secret in (*keys, *settings.notify.channels.values()) if secret]
        _log(settings, "supervisor", secrets, supervised=True, quiet_level="critical")
        prepare_start(settings)
        with Terminal(settings, demo=plan.demo_scenario is not None) as terminal:
            supervisor = Supervisor(
                plan,
                LoopClock(),
                listener=listener,
                on_step=terminal.step,
                on_ready=terminal.ready,
                on_trouble=terminal.trouble,
            )
            try:
                asyncio.run(supervisor.run())
            except ChildEnded as error:
                fail(str(error), Exit.USAGE)
            finally:
                lock.release()
    err.print("mexc-sniper has stopped; nothing of it runs any more.")
