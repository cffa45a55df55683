"""Commands on what may be traded at all: pause, flatten, resume, arm, disarm, panic. Stopping sets the latch first."""

import getpass
import os
import sys
from typing import Annotated, Any

import typer

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    Exit,
    app,
    at_simulator,
    client_of,
    err,
    fail,
    out,
    plain,
    print_json,
    read_settings,
    show,
)
from mexc_sniper.app.client import ApiClient, ApiError, Unreachable
from mexc_sniper.app.hardening import forbid_dumps
from mexc_sniper.app.logging import configure_logging
from mexc_sniper.app.process_env import forget_secrets_in_environment
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role
from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import SniperError, StoreError
from mexc_sniper.model.latch import KillLatch

Reason = Annotated[str, typer.Option(help="Why; it goes into the audit.")]


@app.command()
def pause(
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel entry orders as well.")] = False,
    reason: Reason = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Stop entries; positions keep their exits. Works without the engine: it finds the latch when it starts."""
    _stop(read_settings(config, data_dir, demo=demo), "cancel" if cancel else "pause", reason, as_json)


@app.command()
def flatten(
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Stop entries, cancel orders, sell every position at market, then halt. Entries stop before it asks."""
    settings = read_settings(config, data_dir, demo=demo)
    if not yes:
        _latch(settings, "pause", reason)
        typer.confirm("Entries are stopped. Sell every position at market as well?", abort=True)
    _stop(settings, "flatten", reason, as_json)


@app.command()
def resume(
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Allow entries again, once the engine has compared its records with the venue."""
    client = _client(config, data_dir, demo)
    if not yes and typer.prompt("Type RESUME to allow entries again") != "RESUME":
        fail("nothing was changed", Exit.FAILED)
    answer = client.post("/kill-switch", {"action": "resume", "reason": reason})
    show(answer, as_json=as_json, human=lambda: out.print(plain(answer["message"])))


@app.command()
def arm(
    minutes: Annotated[int, typer.Argument(help="For how long live entries are permitted.", min=1, max=1440)],
    confirm: Annotated[str, typer.Option(help="LIVE, for scripts; otherwise it is asked.")] = "",
    new_account: Annotated[
        bool, typer.Option("--new-account", help="The key is another account's than was armed before, as meant.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Permit live entries for some minutes: real money. Needs live mode, a key that is fit and a passed canary."""
    client = _client(config, data_dir, demo)
    word = confirm or typer.prompt(f"Real money for {minutes} minutes. Type LIVE to arm")
    wanted = {"confirm": word, "minutes": minutes, **({"newAccount": True} if new_account else {})}
    answer = client.post("/arm", wanted)
    show(answer, as_json=as_json, human=lambda: out.print(f"Live entries are armed for {minutes} minutes."))


@app.command()
def disarm(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """End the permission for live entries; live positions keep their exits."""
    answer = _client(config, data_dir, demo).post("/disarm", {})
    show(answer, as_json=as_json, human=lambda: out.print("Live entries are not armed any more."))


@app.command()
def panic(
    flatten: Annotated[bool, typer.Option("--flatten", help="Sell live positions at market as well.")] = False,
    symbol: Annotated[
        list[str] | None, typer.Option(help="With --flatten: sell all of this pair's coin; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Act at the venue although an engine runs.")] = False,
    confirm: Annotated[str, typer.Option(help="SELL, for scripts; otherwise it is asked.")] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Stop without engine, web process and database: set the latch and cancel our orders at the venue itself.

    Examples:

      mexc-sniper panic

      mexc-sniper panic --flatten --symbol EXAMPLEUSDT
    """
    from mexc_sniper.app.panic import PanicPlan, run_panic

    forbid_dumps()
    settings = read_settings(config, data_dir, demo=demo, role=Role.ENGINE)
    forget_secrets_in_environment()
    secrets = [secret.reveal() for secret in (settings.venue.api_key, settings.venue.api_secret) if secret]
    configure_logging(settings.log, process="panic", log_dir=None, secrets=secrets, terminal_level="error")
    if demo:
        settings = at_simulator(settings)
    latch = _latch(settings, "cancel", "panic")  # what is sold is sold here, not by the next engine that starts
    if latch is not None:
        err.print(f"The latch is set ({plain(latch.action)}): no engine on this directory enters any more.")
    plan = PanicPlan(
        flatten=flatten, symbols=tuple(symbol or ()), force=force, latched=latch is not None, actor=_actor("panic")
    )

    def may_sell(sentence: str) -> bool:
        err.print(plain(sentence))
        if confirm:
            return confirm == "SELL"
        err.print("Type SELL to do it: ", end="")
        return sys.stdin.readline().strip() == "SELL"

    report = run_panic(settings, plan, may_sell=may_sell, tell=lambda text: err.print(plain(text)))
    if as_json:
        print_json(report.as_json())
    else:
        out.print(plain(report.sentence()))
    if not report.clean:
        raise SystemExit(int(Exit.FAILED))


def _stop(settings: Settings, action: str, reason: str, as_json: bool) -> None:
    """Latch, then tell the web process; what it cannot pass on, the engine finds in the latch."""
    latch = _latch(settings, action, reason)
    try:
        answer = client_of(settings).post("/kill-switch", {"action": action, "reason": reason})
    except (SniperError, OSError) as error:
        if latch is None:
            raise
        if isinstance(error, ApiError) and error.status < 500:
            raise
        code = Exit.UNREACHABLE if isinstance(error, Unreachable) else Exit.FAILED
        fail(
            f"the latch is set ({latch.action}) and a running engine acts on it, but it could not be told otherwise: "
            f"{error}",
            code,
        )
    show(answer, as_json=as_json, human=lambda: out.print(plain(answer["message"])))


def _latch(settings: Settings, action: str, reason: str) -> KillLatch | None:
    from mexc_sniper.web.latch import set_latch

    latch = KillLatch(action=action, actor=_actor("terminal"), wall_ns=SystemClock().wall_ns(), reason=reason)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return set_latch(settings.data_dir, latch)
    except (StoreError, OSError) as error:
        err.print(f"[bold red]{plain(error)}[/bold red]")
        return None


def _actor(where: str) -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user} ({where})"


def _client(config: Any, data_dir: Any, demo: bool) -> ApiClient:
    return client_of(read_settings(config, data_dir, demo=demo))
