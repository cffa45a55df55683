"""What all commands share: the application object, options, exit codes, and how results and errors are shown."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mexc_sniper.app.client import ApiClient, Unreachable
from mexc_sniper.app.instance import read_run_info
from mexc_sniper.app.paths import demo_data_dir
from mexc_sniper.app.redaction import escape_control
from mexc_sniper.app.settings import Settings
from mexc_sniper.app.settings_load import Role, load_settings


class Exit(IntEnum):
    """Exit codes of every command; scripts may rely on them."""

    OK = 0
    FAILED = 1
    """Refused by the program or the venue, or a check of doctor failed."""
    USAGE = 2
    """Wrong command line, setting, file or directory; another try needs another input."""
    UNREACHABLE = 3
    """The web process or the engine does not answer."""
    INTERRUPTED = 130


EPILOG = (
    "Exit codes: 0 done · 1 refused or failed · 2 wrong usage, setting or file · "
    "3 engine or web process unreachable · 130 interrupted"
)

app = typer.Typer(
    name="mexc-sniper",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="See every new spot listing on MEXC the moment it exists, and trade it under limits.\n\n"
    "Begin with [bold]mexc-sniper demo[/bold]: the whole product against the bundled exchange simulator, "
    "without keys or internet. Then [bold]mexc-sniper doctor[/bold] and [bold]mexc-sniper run[/bold] watch "
    "MEXC itself.",
)

out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where ledger, logs and the token live.", show_default=False)
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default ./mexc-sniper.toml.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Demo = Annotated[bool, typer.Option("--demo", help="Speak to the running demo.")]


def read_settings(
    config: Path | None,
    data_dir: Path | None,
    *,
    demo: bool = False,
    role: Role = Role.CLIENT,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """Load settings with the options of the command line on top."""
    chosen = data_dir or (demo_data_dir() if demo else None)
    return load_settings(flags={"data_dir": chosen, **(flags or {})}, role=role, config=config)


def client_of(settings: Settings) -> ApiClient:
    """Return a client of the instance that runs on these settings' data directory."""
    return ApiClient.of_data_dir(settings.data_dir, token=settings.web.token, certificate=settings.web.tls_cert_file)


def at_simulator(settings: Settings) -> Settings:
    """Point settings at the running demo's simulator.

    Raises:
        Unreachable: when no demo runs on their data directory.
    """
    info = read_run_info(settings.data_dir)
    if info is None or not info.sim_url:
        raise Unreachable(f"no demo runs on the data directory {settings.data_dir}: start one with 'mexc-sniper demo'")
    url = info.sim_url
    venue = {"rest_url": url, "ws_url": f"ws{url.removeprefix('http')}/ws", "web_url": url}
    return settings.model_copy(update={"venue": settings.venue.model_copy(update=venue)})


def show(answer: Mapping[str, Any], *, as_json: bool, human: Callable[[], None]) -> None:
    """Print an answer as JSON on stdout or, for people, by ``human``."""
    if as_json:
        print_json(answer)
    else:
        human()


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while the block lasts; the block tells how much of how much is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield tell


def print_json(answer: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2, default=str) + "\n")


def plain(text: object) -> str:
    """Make any text of the venue harmless for a terminal: no control characters, no markup."""
    return escape(escape_control(str(text)))


def moment(iso: object) -> str:
    """Shorten an ISO time of the API to ``11-22 13:01:27.553``."""
    text = str(iso or "-")
    return plain(text[5:].rstrip("Z").replace("T", " ") if len(text) > 20 else text)


def fail(message: str, code: Exit) -> NoReturn:
    """End the command with one sentence on stderr."""
    err.print(f"[bold red]mexc-sniper:[/bold red] {plain(message)}")
    raise SystemExit(int(code))


def is_debug() -> bool:
    """Tell whether tracebacks are wanted (``--debug``)."""
    return os.environ.get("_MEXC_SNIPER_DEBUG") == "1"
