"""Commands that speak to the running program: status, start, stop, inject, listings, calendar, config."""

import json
from typing import Annotated, Any

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
    fail,
    moment,
    out,
    plain,
    print_json,
    read_settings,
    show,
)
from mexc_sniper.app.client import ApiClient
from mexc_sniper.core.errors import ConfigError

config_app = typer.Typer(
    no_args_is_help=True, help="Read and change the trade configuration; every change is a numbered version."
)
app.add_typer(config_app, name="config")

_STATUS_COLOUR = {"ok": "green", "running": "green", "degraded": "yellow", "unavailable": "dim", "stopped": "dim"}


@app.command()
def status(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Show what runs, how it is, and what the sources say. Ends with 3 when the engine does not answer."""
    client = _client(config, data_dir, demo)
    health, monitor = client.get("/health"), client.get("/monitor/status")

    def human() -> None:
        out.print(
            f"[bold]{_coloured(health['status'])}[/bold]  version {plain(health['version'])}, "
            f"{plain(health['mode'])}, {plain(health['environment'])}, {plain(client.url)}/dashboard"
        )
        out.print(
            f"Monitor {_coloured(monitor['status'])}, {monitor['listingsDetected']} listings, "
            f"{monitor['baselineSize']} known symbols, up {monitor['uptimeSeconds']:.0f} s"
        )
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Part", "State", "Last event", "Detail"):
            table.add_column(column, overflow="fold")
        for part in health["components"]:
            table.add_row(
                plain(part["name"]), _coloured(part["status"]), moment(part["lastEventAt"]), plain(part["detail"])
            )
        out.print(table)

    show({"health": health, "monitor": monitor}, as_json=as_json, human=human)
    if not health.get("engineAlive"):
        fail("the engine does not answer: its log tells why", Exit.UNREACHABLE)


@app.command()
def start(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Start monitoring; stays so over restarts. Starting twice changes nothing."""
    _command(_client(config, data_dir, demo), "/monitor/start", {}, as_json, "Monitoring is on.")


@app.command()
def stop(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Stop monitoring; stays so over restarts. Stopping twice changes nothing."""
    _command(_client(config, data_dir, demo), "/monitor/stop", {}, as_json, "Monitoring is off.")


@app.command()
def inject(
    symbol: Annotated[str, typer.Argument(help="Any symbol, such as TESTUSDT; it is marked as a test.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Inject a test listing and see it travel the whole way to the page.

    Example:

      mexc-sniper inject TESTUSDT
    """
    text = f"{symbol} was injected as a test listing."
    _command(_client(config, data_dir, demo), "/listings/inject", {"symbol": symbol}, as_json, text)


@app.command()
def listings(
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows to show, newest first.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Rows to skip.")] = 0,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List what was seen, newest first."""
    answer = _client(config, data_dir, demo).get("/listings", {"limit": limit, "offset": offset})

    def human() -> None:
        if not answer["listings"]:
            out.print("No listing seen yet.")
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Symbol", "Kind", "Phase", "Outcome", "Listed (UTC)", "Detected (UTC)", "Lag", "First signal"):
            table.add_column(column, overflow="ellipsis", no_wrap=True)
        for row in answer["listings"]:
            lag = row["detectionLagMs"]
            table.add_row(
                f"[bold]{plain(row['symbol'])}[/bold]", plain(row["kind"]), plain(row["phase"]),
                plain(row["reason"] or row["outcome"]), moment(row["listedAt"]), moment(row["detectedAt"]),
                "-" if lag is None else f"{lag:,.0f} ms", plain(row["firstSignal"]),
            )  # fmt: skip
        out.print(table)
        out.print(f"[dim]{len(answer['listings'])} of {answer['total']}[/dim]")

    show(answer, as_json=as_json, human=human)


@app.command()
def calendar(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """List announced openings, soonest first."""
    answer = _client(config, data_dir, demo).get("/calendar")

    def human() -> None:
        if not answer["entries"]:
            out.print("Nothing is announced.")
        for row in answer["entries"]:
            moved = f" [yellow](moved {len(row['schedule']) - 1} times)[/yellow]" if len(row["schedule"]) > 1 else ""
            gone = " [dim](withdrawn)[/dim]" if row["withdrawn"] else ""
            when = plain(row["opensAt"] or "to be determined")
            out.print(f"{when}  [bold]{plain(row['asset'])}[/bold]  {plain(row['fullName'])}{moved}{gone}")

    show(answer, as_json=as_json, human=human)


@config_app.command("show")
def config_show(
    data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False
) -> None:
    """Show the configuration version in force."""
    answer = _client(config, data_dir, demo).get("/config")

    def human() -> None:
        out.print(f"Version {answer['version']}, {plain(answer['updatedAt'])}, by {plain(answer['updatedBy'])}")
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, value in answer["config"].items():
            table.add_row(plain(name), plain(value))
        out.print(table)

    show(answer, as_json=as_json, human=human)


@config_app.command("history")
def config_history(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List configuration versions, newest first."""
    answer = _client(config, data_dir, demo).get("/config/history", {"limit": limit})

    def human() -> None:
        for row in answer["versions"]:
            out.print(f"{row['version']:>5}  {plain(row['updatedAt'])}  {plain(row['updatedBy'])}")

    show(answer, as_json=as_json, human=human)


@config_app.command("set")
def config_set(
    changes: Annotated[list[str], typer.Argument(help="name=value, such as tradeUsdt=25 autoTrade=false.")],
    version: Annotated[
        int | None, typer.Option(help="Refuse when this is not the version in force.", show_default=False)
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Yes, such a raise is meant.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Change the trade configuration: a new version, checked as a whole, or nothing.

    Examples:

      mexc-sniper config set tradeUsdt=25 maxOpenPositions=3

      mexc-sniper config set 'takeProfit=[{"gainPct": "25", "sharePct": "50"}]'
    """
    body: dict[str, Any] = {"config": dict(_change(text) for text in changes)}
    if version is not None:
        body["version"] = version
    if confirm:
        body["confirm"] = True
    answer = _client(config, data_dir, demo).put("/config", body)
    show(answer, as_json=as_json, human=lambda: out.print(f"Version {answer['version']} is in force."))


@config_app.command("rollback")
def config_rollback(
    version: Annotated[int, typer.Argument(help="The version whose content becomes the newest one.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="Yes, such a raise is meant.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Make an old version the newest one; it is checked like any change."""
    body: dict[str, Any] = {"version": version} | ({"confirm": True} if confirm else {})
    answer = _client(config, data_dir, demo).post("/config/rollback", body)
    show(answer, as_json=as_json, human=lambda: out.print(f"Version {answer['version']} is in force."))


def _change(text: str) -> tuple[str, Any]:
    """Read ``name=value``; a value is JSON where it can be read as such, else text. Decimals stay text."""
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise ConfigError(f"{text!r} is no change: write name=value, such as tradeUsdt=25")
    try:
        return name.strip(), json.loads(value, parse_float=str, parse_constant=str)
    except ValueError:
        return name.strip(), value


def _client(config: Any, data_dir: Any, demo: bool) -> ApiClient:
    return client_of(read_settings(config, data_dir, demo=demo))


def _command(client: ApiClient, path: str, body: dict[str, Any], as_json: bool, done: str) -> None:
    answer = client.post(path, body)
    if as_json:
        print_json(answer)
    else:
        out.print(plain(done))


def _coloured(state: object) -> str:
    colour = _STATUS_COLOUR.get(str(state), "red")
    return f"[{colour}]{plain(state)}[/{colour}]"
