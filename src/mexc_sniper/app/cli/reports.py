"""Commands that read the ledger as a whole or follow it: report, export, events, audit."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as RichTable

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
    print_json,
    progress_bar,
    read_settings,
    show,
)
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import SystemClock, iso_from_ns
from mexc_sniper.reports.export import Table, rows, write

if TYPE_CHECKING:
    from mexc_sniper.ledger.reader import LedgerReader

FOLLOW_EVERY_S = 0.2


@app.command()
def report(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Last UTC days, today included.")] = 1,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Sum up the last days: listings seen and how late, trades, results, delays. Needs no running program.

    Example:

      mexc-sniper report --days 7
    """
    from mexc_sniper.reports.summary import summarise

    with _reader(read_settings(config, data_dir, demo=demo)) as reader, err.status("Reading …"):
        answer = summarise(reader, days=days, now_ns=SystemClock().wall_ns())
    show(answer, as_json=as_json, human=lambda: _print_report(answer))


@app.command()
def export(
    table: Annotated[Table, typer.Argument(help="What to take along.")],
    target: Annotated[Path, typer.Argument(help="A new file; .csv or .jsonl.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Write a table of the ledger to a file, newest first. Needs no running program.

    Example:

      mexc-sniper export trades trades-2026.csv
    """
    with _reader(read_settings(config, data_dir, demo=demo)) as reader, progress_bar("Reading") as tell:
        count = write(target, rows(reader, table, tell=tell))
    answer = {"table": table.value, "file": str(target), "rows": count}
    show(answer, as_json=as_json, human=lambda: out.print(f"{plain(target)}: {count:,} rows"))


@app.command()
def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The last so many.")] = 20,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as trade_changed.", show_default=False)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest numbered events, oldest first; with --json one JSON object a line.

    Example:

      mexc-sniper events --follow --kind trade_changed
    """
    with _reader(read_settings(config, data_dir, demo=demo)) as reader:
        after = max(0, reader.last_seq() - limit)
        while True:
            found = reader.events(after, 500)
            for event in found:
                after = event.seq
                if kind is None or event.kind == kind:
                    _print_event(event.seq, event.ts_ns, event.kind, event.payload, as_json=as_json)
            if not found:
                if not follow:
                    return
                _pause()


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows to show, newest first.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Rows to skip.")] = 0,
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain; needs no running program.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """List who did what and what came of it, or check that nobody changed the list."""
    settings = read_settings(config, data_dir, demo=demo)
    if verify:
        with _reader(settings) as reader, err.status("Checking the chain …"):
            broken, head = reader.verify_audit(), reader.audit_head()
        if as_json:
            print_json({"whole": broken is None, "brokenAt": broken, "rows": head.number, "hash": head.hash})
        elif broken is None:
            out.print(f"The chain of {head.number:,} rows is whole; its head is {head.hash}", soft_wrap=True)
        if broken is not None:
            fail(f"row {broken} of the audit is missing or was changed after it was written", Exit.FAILED)
        return
    answer = client_of(settings).get("/audit", {"limit": limit, "offset": offset})

    def human() -> None:
        listed = RichTable(box=None, pad_edge=False, header_style="dim")
        for column in ("Row", "Time (UTC)", "Who", "What", "Result", "Detail"):
            listed.add_column(column, overflow="ellipsis", no_wrap=True)
        for row in answer["entries"]:
            listed.add_row(
                plain(row["number"]), moment(row["at"]), plain(row["who"]), plain(row["what"]), plain(row["result"]),
                plain(row["detail"]),
            )  # fmt: skip
        out.print(listed)

    show(answer, as_json=as_json, human=human)


def _print_event(seq: int, ts_ns: int, kind: str, payload: bytes, *, as_json: bool) -> None:
    at = iso_from_ns(ts_ns)
    if as_json:
        sys.stdout.write(json.dumps({"seq": seq, "at": at, "kind": kind, "data": json.loads(payload)}) + "\n")
        sys.stdout.flush()
    else:
        out.print(f"[dim]{seq:>8}[/dim]  {moment(at)}  [bold]{plain(kind)}[/bold]  {plain(payload.decode()[:160])}")


def _pause() -> None:
    threading.Event().wait(FOLLOW_EVERY_S)


def _print_report(answer: dict[str, Any]) -> None:
    listings = answer["listings"]
    out.print(f"[bold]{plain(answer['since'])} … {plain(answer['until'])}[/bold]")
    out.print(f"Listings: {listings['seen']} seen, {listings['new']} new {_counts(listings['outcomes'])}")
    if lag := listings["detectionLagMs"]:
        out.print(f"Detection lag: {_ms(lag)}")
    for name, account in answer["accounts"].items():
        out.print(
            f"[bold]{plain(name)}[/bold]: {account['positionsClosed']} positions closed, {account['won']} with a gain, "
            f"result {plain(account['realizedPnl'])} {_counts(account['trades'])}"
        )
        for stage, figures in account["latencyMs"].items():
            if figures:
                out.print(f"  {plain(stage.replace('_', ' ')):<14} {_ms(figures)}")
    head = answer["auditHead"]
    out.print(f"[dim]Audit chain: row {head['number']}, {head['hash']}[/dim]", soft_wrap=True)


def _counts(counts: dict[str, int]) -> str:
    return plain(f"({', '.join(f'{name} {count}' for name, count in counts.items())})") if counts else ""


def _ms(figures: dict[str, float]) -> str:
    return (
        f"p50 {figures['p50']:,.1f} · p95 {figures['p95']:,.1f} · p99 {figures['p99']:,.1f} · "
        f"max {figures['max']:,.1f} ms of {figures['count']:,.0f}"
    )


@contextmanager
def _reader(settings: Settings) -> "Iterator[LedgerReader]":
    from mexc_sniper.ledger.location import locate
    from mexc_sniper.ledger.reader import LedgerReader

    reader = LedgerReader(locate(settings.database.url, settings.data_dir))
    try:
        yield reader
    finally:
        reader.close()
