"""Commands on notification channels: list, test, set."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    Exit,
    app,
    client_of,
    err,
    fail,
    moment,
    out,
    plain,
    read_settings,
    show,
)

TEST_DEADLINE_S = 30.0

notifications_app = typer.Typer(invoke_without_command=True, help="How people are told; the settings name channels.")
app.add_typer(notifications_app, name="notifications")


@notifications_app.callback()
def notifications(
    context: typer.Context,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List the channels and how each does."""
    if context.invoked_subcommand is not None:
        return
    answer = client_of(read_settings(config, data_dir, demo=demo)).get("/notifications")

    def human() -> None:
        if not answer["channels"]:
            out.print("No channel is configured; docs/operating.md tells how.")
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Id", "Kind", "On", "Last sent (UTC)", "Quiet", "Trouble"):
            table.add_column(column, overflow="ellipsis", no_wrap=True)
        for row in answer["channels"]:
            quiet = row["quietHours"]
            table.add_row(
                plain(row["id"]), plain(row["kind"]), "yes" if row["enabled"] else "no", moment(row["lastSentAt"]),
                plain(f"{quiet['start']}-{quiet['end']} {quiet['zone']}" if quiet else "-"), plain(row["lastError"]),
            )  # fmt: skip
        out.print(table)
        if not answer["notifierRunning"]:
            err.print("[bold red]The notifier does not run.[/bold red]")

    show(answer, as_json=as_json, human=human)


@notifications_app.command("test")
def notifications_test(
    channel: Annotated[str, typer.Argument(help="Its id.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Send a test message and tell what the service answered."""
    client = client_of(read_settings(config, data_dir, demo=demo))
    with err.status("Waiting for the service …"):
        answer = client.post(f"/notifications/{quote(channel, safe='')}/test", {}, deadline_s=TEST_DEADLINE_S)
    show(answer, as_json=as_json, human=lambda: out.print(plain(answer["detail"])))
    if not answer["ok"]:
        fail(f"{channel} did not take the test message", Exit.FAILED)


@notifications_app.command("set")
def notifications_set(
    channel: Annotated[str, typer.Argument(help="Its id.")],
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is told anything.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Exactly these kinds; may be repeated.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Such as 22:00-07:00, or none.", show_default=False)] = None,
    zone: Annotated[str, typer.Option(help="Of the quiet hours.")] = "UTC",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Choose what a channel is told.

    Example:

      mexc-sniper notifications set phone --quiet 22:00-07:00 --zone Europe/Berlin
    """
    body: dict[str, Any] = {}
    if on is not None:
        body["enabled"] = on
    if event:
        body["events"] = event
    if quiet is not None:
        start, _, end = quiet.partition("-")
        body["quietHours"] = None if quiet == "none" else {"start": start, "end": end, "zone": zone}
    answer = client_of(read_settings(config, data_dir, demo=demo)).put(
        f"/notifications/{quote(channel, safe='')}", body
    )
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(channel)} is told: {plain(answer['events'])}"))
