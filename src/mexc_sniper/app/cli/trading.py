"""Commands on trades and positions: trades, positions, buy, close, cancel, confirm, reject, attention."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    app,
    client_of,
    moment,
    out,
    plain,
    read_settings,
    show,
)
from mexc_sniper.app.client import ApiClient

TRADE_DEADLINE_S = 10.0
"""A manual trade is answered within five seconds of its own."""

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="Rows to show, newest first.")]

_COLOUR = {"filled": "green", "partially_filled": "green", "rejected": "red", "failed": "red", "in_doubt": "bold red"}

attention_app = typer.Typer(invoke_without_command=True, help="List and resolve what needs a person.")
app.add_typer(attention_app, name="attention")


@app.command()
def trades(
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(min=0, help="Rows to skip.")] = 0,
    mode: Annotated[str | None, typer.Option(help="dry-run or live.", show_default=False)] = None,
    status: Annotated[str | None, typer.Option(help="Such as filled or rejected.", show_default=False)] = None,
    symbol: Annotated[str | None, typer.Option(help="Exactly this pair.", show_default=False)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List trades, denials and refusals, newest first."""
    query = {"limit": limit, "offset": offset, "mode": mode, "status": status, "symbol": symbol}
    answer = _client(config, data_dir, demo).get("/trade/history", query)

    def human() -> None:
        if not answer["trades"]:
            out.print("No trade yet.")
            return
        table = _table("Id", "Time (UTC)", "Mode", "Symbol", "Side", "Status", "Quote", "Price", "P&L", "Order", "Why")
        for row in answer["trades"]:
            colour = _COLOUR.get(row["status"], "yellow")
            trip = row["roundTripMs"]
            table.add_row(
                plain(row["id"]), moment(row["createdAt"]), plain(row["mode"]), f"[bold]{plain(row['symbol'])}[/bold]",
                plain(row["side"]), f"[{colour}]{plain(row['status'])}[/{colour}]", plain(row["quoteQty"]),
                plain(row["avgPrice"] or "-"), plain(row["pnl"] or "-"), "-" if trip is None else f"{trip:,.0f} ms",
                plain(row["reasonText"] or row["role"]),
            )  # fmt: skip
        out.print(table)
        out.print(f"[dim]{len(answer['trades'])} of {answer['total']}[/dim]")

    show(answer, as_json=as_json, human=human)


@app.command()
def positions(
    limit: Limit = 50,
    every: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List what is held, with its value at what buyers pay now."""
    query = {"limit": limit, "open": "false" if every else "true"}
    answer = _client(config, data_dir, demo).get("/positions", query)

    def human() -> None:
        if not answer["positions"]:
            out.print("Nothing is held.")
            return
        table = _table("Id", "Opened (UTC)", "Mode", "Symbol", "Status", "Left", "Entry", "Now", "P&L", "Stop")
        for row in answer["positions"]:
            gain = row["unrealizedPnl"] if row["open"] else row["realizedPnl"]
            share = f" ({row['unrealizedPct']} %)" if row["unrealizedPct"] is not None else ""
            state = row["manualExitNeeded"] or row["status"]
            table.add_row(
                plain(row["id"]), moment(row["openedAt"]), plain(row["mode"]), f"[bold]{plain(row['symbol'])}[/bold]",
                plain(state), plain(row["quantity"]), plain(row["entryPrice"] or "-"), plain(row["markPrice"] or "-"),
                plain(f"{gain or '-'}{share}"),
                plain((row["plan"] or {}).get("stopPrice") or "-"),
            )  # fmt: skip
        out.print(table)

    show(answer, as_json=as_json, human=human)


@app.command()
def buy(
    symbol: Annotated[str, typer.Argument(help="The pair, such as EXAMPLEUSDT.")],
    amount: Annotated[str, typer.Argument(help="How much of the quote currency to spend, such as 20.")],
    yes: Yes = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Buy by hand, through the same risk checks as every entry: live while armed, otherwise dry-run.

    Example:

      mexc-sniper buy EXAMPLEUSDT 20
    """
    client = _client(config, data_dir, demo)
    if not yes and client.get("/risk/metrics")["trading"]["armed"]:
        typer.confirm(f"Buy {symbol} for {amount}, live?", abort=True)
    answer = client.post("/trade/execute", {"symbol": symbol, "quoteQty": amount}, deadline_s=TRADE_DEADLINE_S)
    show(answer, as_json=as_json, human=lambda: _print_executed(answer))


@app.command("time-entry")
def time_entry(
    symbol: Annotated[str, typer.Argument(help="The announced pair, such as EXAMPLEUSDT.")],
    cap: Annotated[str | None, typer.Option(help="The most to pay for one coin, such as 0.05.")] = None,
    offset_ms: Annotated[int, typer.Option(help="Milliseconds after (or, negative, before) the announced time.")] = 0,
    off: Annotated[bool, typer.Option("--off", help="Take it back.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Enter a listing at its announced time itself, without waiting for a price.

    Without this a listing is entered at its first quote or trade. With it an order that pays at most the cap is sent
    at the announced time, whatever the pair then trades at; on paper unless armed.

    Example:

      mexc-sniper time-entry EXAMPLEUSDT --cap 0.05
    """
    if off == (cap is not None):
        raise typer.BadParameter("give either --cap with the most to pay, or --off")
    client = _client(config, data_dir, demo)
    found = [
        row for row in client.get("/listings", {"text": symbol, "outcome": "pending"})["listings"]
        if row["symbol"] == symbol
    ]  # fmt: skip
    if not found:
        raise typer.BadParameter(f"{symbol} is not announced, or is decided already (mexc-sniper listings)")
    path = f"/listings/{_segment(found[0]['id'])}/timed-entry"
    answer = client.put(path, {"capPrice": cap, "offsetMs": offset_ms})
    when = found[0]["scheduledFor"]
    told = (
        f"{symbol} is entered at its first quote or trade." if off
        else f"{symbol} is entered at {moment(when) if when else 'its announced time'} for at most {cap} a coin."
    )  # fmt: skip
    show(answer, as_json=as_json, human=lambda: out.print(plain(told)))


@app.command()
def close(
    position: Annotated[str, typer.Argument(help="Id of the position (mexc-sniper positions).")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Sell all of a position at market."""
    answer = _client(config, data_dir, demo).post(f"/positions/{_segment(position)}/close", {})
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(position)}: the sell order is on its way."))


@app.command()
def cancel(
    order: Annotated[str, typer.Argument(help="Client order id (orders of a trade: mexc-sniper trades --json).")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Cancel one order; `pause --cancel` cancels every entry order and stops entries."""
    answer = _client(config, data_dir, demo).post(f"/orders/{_segment(order)}/cancel", {})
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(order)}: the cancel is on its way."))


@app.command()
def confirm(
    trade: Annotated[str, typer.Argument(help="Id of a trade with the status high_value_pending.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Enter a high-value trade live; every check but its age is made anew."""
    client = _client(config, data_dir, demo)
    answer = client.post(f"/trade/{_segment(trade)}/confirm", {}, deadline_s=TRADE_DEADLINE_S)
    show(answer, as_json=as_json, human=lambda: _print_executed(answer))


@app.command()
def reject(
    trade: Annotated[str, typer.Argument(help="Id of a trade with the status high_value_pending.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Leave a high-value trade on paper."""
    answer = _client(config, data_dir, demo).post(f"/trade/{_segment(trade)}/reject", {})
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(trade)} stays a dry-run trade."))


@attention_app.callback()
def attention(
    context: typer.Context,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List what needs a person: differences to the venue, unknown outcomes, coins that cannot be sold."""
    if context.invoked_subcommand is not None:
        return
    answer = _client(config, data_dir, demo).get("/attention")

    def human() -> None:
        if not answer["attention"]:
            out.print("Nothing needs you.")
        for row in answer["attention"]:
            where = f"{plain(row['mode'])} {plain(row['symbol'] or '')}"
            out.print(
                f"[bold]{plain(row['id'])}[/bold]  {where}  since {moment(row['raisedAt'])}\n  {plain(row['text'])}"
            )

    show(answer, as_json=as_json, human=human)


@attention_app.command("resolve")
def attention_resolve(
    item: Annotated[str, typer.Argument(help="Its id (mexc-sniper attention).")],
    resolution: Annotated[
        str, typer.Argument(help="adopt: take the venue's word into our books; ignore: leave them; mark: done by hand.")
    ],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Say how one of them ends."""
    client = _client(config, data_dir, demo)
    answer = client.post(f"/attention/{_segment(item)}/resolve", {"resolution": resolution})
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(item)} is resolved: {plain(resolution)}."))


def _print_executed(answer: dict[str, Any]) -> None:
    trade = answer["trade"]
    colour = _COLOUR.get(answer["status"], "yellow")
    text = f"[{colour}]{plain(answer['status'])}[/{colour}], {plain(answer['mode'])}: "
    if trade["avgPrice"] is not None:
        text += f"{plain(trade['baseQty'])} {plain(trade['symbol'])} at {plain(trade['avgPrice'])}, "
        text += f"{plain(trade['quoteQty'])} spent"
    else:
        text += plain(trade["reasonText"] or "no outcome yet; `mexc-sniper trades` tells it")
    out.print(f"{text}  [dim]{plain(trade['id'])}[/dim]")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    return table


def _segment(text: str) -> str:
    return quote(text, safe="")


def _client(config: Any, data_dir: Any, demo: bool) -> ApiClient:
    return client_of(read_settings(config, data_dir, demo=demo))
