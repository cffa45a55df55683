"""Commands that need no running program: doctor, record, replay."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    Exit,
    app,
    err,
    out,
    plain,
    print_json,
    read_settings,
)
from mexc_sniper.app.settings_load import Role
from mexc_sniper.core.clock import SystemClock

_MARK = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[bold red]FAIL[/bold red]"}


@app.command()
def doctor(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Check everything a run depends on, each with what to do about it. Ends with 1 when a check failed.

    Nothing is changed: it reads the settings, the data directory, the database, and the venue's public clock.
    """
    from mexc_sniper.app.doctor import Verdict, examine

    settings = read_settings(config, data_dir, demo=demo, role=Role.CLIENT)
    findings = []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as progress:
        task = progress.add_task("Checking", total=None)
        for name, check in examine(settings, SystemClock()):
            progress.update(task, description=f"Checking {name} …")
            finding = check()
            findings.append(finding)
            if not as_json:
                line = f"{_MARK[finding.verdict.value]}  {plain(finding.name):<15} {plain(finding.detail)}"
                mend = f"\n            [bold]{plain(finding.mend)}[/bold]" if finding.mend else ""
                out.print(line + mend, soft_wrap=True)
    if as_json:
        print_json([vars(finding) for finding in findings])
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise SystemExit(int(Exit.FAILED))


@app.command()
def record(
    tape: Annotated[Path, typer.Argument(help="The file to write; must not exist yet.")],
    seconds: Annotated[float | None, typer.Option(help="Stop after this long; default: until Ctrl-C.", min=0.1)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
) -> None:
    """Keep everything the venue says, raw, on a tape that `replay` can read through the same parsers.

    Example:

      mexc-sniper record morning.tape --seconds 600
    """
    from mexc_sniper.app.recording import record_tape

    record_tape(read_settings(config, data_dir, demo=demo, role=Role.ENGINE), tape, seconds=seconds, console=err)


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

    summary = replay_tape(tape, console=err)
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        out.print(f"{plain(name):<22} {plain(value)}")
