"""Commands that need no running program: doctor, record, replay."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    Exit,
    app,
    at_simulator,
    err,
    moment,
    out,
    plain,
    print_json,
    read_settings,
)
from mexc_sniper.app.hardening import forbid_dumps
from mexc_sniper.app.logging import configure_logging
from mexc_sniper.app.process_env import forget_secrets_in_environment
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role
from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import SniperError

if TYPE_CHECKING:
    from mexc_sniper.app.finding import Finding

_MARK = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[bold red]FAIL[/bold red]"}


@app.command()
def doctor(
    canary: Annotated[
        bool, typer.Option("--canary", help="Also buy and sell a tiny amount, with real money, and measure it.")
    ] = False,
    symbol: Annotated[str, typer.Option(help="The canary's pair; a liquid one.")] = "MXUSDT",
    confirm: Annotated[str, typer.Option(help="CANARY, for scripts; otherwise it is asked.")] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Check everything a run depends on, each with what to do about it. Ends with 1 when a check failed.

    Nothing is changed, but for --canary, which trades about the minimum order: it reads the settings, the data
    directory, the database, the newest backup, the notification channels, the venue's public clock and, with a key,
    what the key may do and what it could spend.
    """
    from mexc_sniper.app.doctor import Verdict, examine

    forbid_dumps()
    settings = read_settings(config, data_dir, demo=demo, role=Role.DOCTOR)
    forget_secrets_in_environment()
    keys = (settings.venue.api_key, settings.venue.api_secret, settings.notify.heartbeat_url)
    secrets = [secret.reveal() for secret in (*keys, *settings.notify.channels.values()) if secret]
    configure_logging(settings.log, process="doctor", log_dir=None, secrets=secrets, terminal_level="error")
    if demo:
        settings = at_simulator(settings)
    findings = []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
        task = progress.add_task("Checking", total=None)
        for name, check in examine(settings, SystemClock()):
            progress.update(task, description=f"Checking {name} …")
            finding = check()
            findings.append(finding)
            if not as_json:
                _print_finding(finding)
    if canary:
        findings.append(_sing(settings, symbol, confirm))
        if not as_json:
            _print_finding(findings[-1])
    if as_json:
        print_json([vars(finding) for finding in findings])
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise SystemExit(int(Exit.FAILED))


def _print_finding(finding: "Finding") -> None:
    line = f"{_MARK[finding.verdict.value]}  {plain(finding.name):<15} {plain(finding.detail)}"
    mend = f"\n            [bold]{plain(finding.mend)}[/bold]" if finding.mend else ""
    out.print(line + mend, soft_wrap=True)


def _sing(settings: Settings, symbol: str, confirm: str) -> "Finding":
    from mexc_sniper.app.canary import NAME, finding_of, run_canary
    from mexc_sniper.app.finding import Finding, Verdict

    word = confirm
    if not word:
        err.print(f"Buys and sells a few USDT of {plain(symbol)} with real money. Type CANARY to do it: ", end="")
        word = sys.stdin.readline().strip()
    if word != "CANARY":
        return Finding(name=NAME, verdict=Verdict.WARN, detail="not sent, as you said")
    try:
        return finding_of(run_canary(settings, symbol))
    except SniperError as error:
        return Finding(name=NAME, verdict=Verdict.FAIL, detail=str(error))


@app.command()
def record(
    tape: Annotated[Path, typer.Argument(help="The file to write; must not exist yet.")],
    seconds: Annotated[float | None, typer.Option(help="Stop after this long; default: until Ctrl-C.", min=0.1)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Keep everything the venue says, raw, on a tape that `replay` can read through the same parsers.

    Example:

      mexc-sniper record morning.tape --seconds 600
    """
    from mexc_sniper.app.recording import record_tape

    settings = read_settings(config, data_dir, demo=demo, role=Role.ENGINE)
    if demo:
        settings = at_simulator(settings)
    configure_logging(settings.log, process="record", log_dir=None, secrets=(), terminal_level="error")
    _show_summary(record_tape(settings, tape, seconds=seconds, console=err), as_json)


@app.command()
def replay(
    tape: Annotated[Path, typer.Argument(help="A tape made by `record`.")],
    as_json: AsJson = False,
) -> None:
    """Read a tape through the parsers and the engine: counts by kind and the listings found.

    Example:

      mexc-sniper replay morning.tape
    """
    from mexc_sniper.app.recording import replay_tape

    _show_summary(replay_tape(tape, console=err), as_json)


def _show_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        if name == "listings":
            out.print(f"{'listings':<12} {len(value)}")
            for row in value:
                out.print(
                    f"  {plain(row['symbol']):<16} {plain(row['kind']):<14} {plain(row['phase']):<10} "
                    f"{moment(row['detectedAt'])}"
                )
        elif value is not None:
            text = ", ".join(f"{key} {count:,}" for key, count in value.items()) if isinstance(value, dict) else value
            out.print(f"{plain(name):<12} {plain(text)}", soft_wrap=True)
