"""Commands on who may sign in: user link, password, remove, list, sessions; token list, new, revoke.

Passwords are written straight into the database: the terminal of the machine is the way that always works, also
before the first start and with the web process down.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

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
    print_json,
    read_settings,
    show,
)
from mexc_sniper.app.instance import prepare_data_dir
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.clock import SystemClock
from mexc_sniper.core.errors import ConfigError

if TYPE_CHECKING:
    from mexc_sniper.ledger.inbox import WebInbox

user_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the page.")
app.add_typer(user_app, name="user")
token_app = typer.Typer(no_args_is_help=True, help="Tokens for scripts, with only the scopes they need.")
app.add_typer(token_app, name="token")

Name = Annotated[str, typer.Argument(help="Whose password.")]


@user_app.command("link")
def user_link(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Print a fresh one-time link to the page."""
    link = client_of(read_settings(config, data_dir, demo=demo)).login_link()
    show({"link": link}, as_json=as_json, human=lambda: out.print(plain(link), soft_wrap=True))


@user_app.command("password")
def user_password(
    name: Name = "operator",
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input, for scripts.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Set a password. From then on the page asks for it again before arming, resuming and raising limits.

    All browsers of that name are signed out. Works whether the program runs or not.

    Example:

      mexc-sniper user password
    """
    from mexc_sniper.web.auth.passwords import Passwords, weakness

    if not name.isprintable() or not 1 <= len(name) <= 32:
        raise ConfigError("a name has 1 to 32 printable characters")
    settings = read_settings(config, data_dir, demo=demo)
    password = sys.stdin.readline().rstrip("\n") if stdin else _typed()
    if problem := weakness(password):
        raise ConfigError(f"the password {problem}")
    passwords = Passwords()
    try:
        hashed = asyncio.run(passwords.hash(password))
    finally:
        passwords.close()
    with _inbox(settings) as inbox:
        inbox.set_password_hash(name, hashed, SystemClock().wall_ns())
        ended = inbox.end_sessions(actor=name)
    _told({"name": name, "sessionsEnded": ended}, f"The password of {name} is set.", as_json=as_json)


@user_app.command("remove")
def user_remove(
    name: Name = "operator",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Take a password away and sign that name out; links go on working."""
    settings = read_settings(config, data_dir, demo=demo)
    with _inbox(settings) as inbox:
        if not inbox.remove_account(name):
            fail(f"{name} has no password", Exit.FAILED)
        ended = inbox.end_sessions(actor=name)
    _told({"name": name, "sessionsEnded": ended}, f"{name} has no password any more.", as_json=as_json)


@user_app.command("list")
def user_list(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """List who has a password."""
    with _inbox(read_settings(config, data_dir, demo=demo)) as inbox:
        names = inbox.account_names()

    def human() -> None:
        for name in names:
            out.print(plain(name))
        if not names:
            out.print("Nobody has a password; the page is reached by one-time links.")

    show({"users": names}, as_json=as_json, human=human)


@user_app.command("logout")
def user_logout(
    name: Annotated[str | None, typer.Argument(help="Whose browsers; all when left out.", show_default=False)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Sign browsers out at once."""
    with _inbox(read_settings(config, data_dir, demo=demo)) as inbox:
        ended = inbox.end_sessions(actor=name)
    _told({"sessionsEnded": ended}, f"{ended} signed out.", as_json=as_json)


@token_app.command("list")
def token_list(
    data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False
) -> None:
    """List tokens, oldest first; their secrets are not kept."""
    answer = client_of(read_settings(config, data_dir, demo=demo)).get("/auth/tokens")

    def human() -> None:
        if not answer["tokens"]:
            out.print("No token was made.")
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("Id", "Name", "Scopes", "Made (UTC)", "Ends", "Last used"):
            table.add_column(column, overflow="ellipsis", no_wrap=True)
        for row in answer["tokens"]:
            table.add_row(
                plain(row["id"]), plain(row["name"]), plain(" ".join(row["scopes"])), moment(row["createdAt"]),
                moment(row["expiresAt"] or "never"), moment(row["lastUsedAt"] or "never"),
            )  # fmt: skip
        out.print(table)

    show(answer, as_json=as_json, human=human)


@token_app.command("new")
def token_new(
    name: Annotated[str, typer.Argument(help="What it is for, such as prometheus.")],
    scope: Annotated[list[str], typer.Option(help="read, control or kill; may be repeated.")],
    days: Annotated[int | None, typer.Option(help="Ends after so many days.", min=1, max=3650)] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Make a token; its secret is shown this once.

    Example:

      mexc-sniper token new prometheus --scope read --days 365
    """
    body = {"name": name, "scopes": scope} | ({} if days is None else {"expiresInDays": days})
    answer = client_of(read_settings(config, data_dir, demo=demo)).post("/auth/tokens", body)
    show(answer, as_json=as_json, human=lambda: out.print(plain(answer["token"]), soft_wrap=True))


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="Its id (mexc-sniper token list).")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Take a token back; it stops working at once."""
    from urllib.parse import quote

    client_of(read_settings(config, data_dir, demo=demo)).delete(f"/auth/tokens/{quote(token, safe='')}")
    _told({"id": token}, f"The token {token} is revoked.", as_json=as_json)


def _told(answer: dict[str, object], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        out.print(plain(text))


def _typed() -> str:
    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to type a password at: give it with --stdin")
    first: str = typer.prompt("Password (at least 12 characters)", hide_input=True, err=True)
    if typer.prompt("The same again", hide_input=True, err=True) != first:
        err.print("The two were not the same.")
        raise SystemExit(int(Exit.USAGE))
    return first


@contextmanager
def _inbox(settings: Settings) -> "Iterator[WebInbox]":
    from mexc_sniper.ledger.inbox import WebInbox
    from mexc_sniper.ledger.location import locate

    prepare_data_dir(settings.data_dir)
    inbox = WebInbox(locate(settings.database.url, settings.data_dir))
    try:
        yield inbox
    finally:
        inbox.close()
