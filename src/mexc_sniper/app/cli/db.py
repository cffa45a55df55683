"""Commands for the ledger: db current, upgrade, downgrade, backup, restore."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mexc_sniper.app.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Demo,
    app,
    out,
    plain,
    print_json,
    progress_bar,
    read_settings,
)
from mexc_sniper.app.instance import InstanceLock, prepare_data_dir
from mexc_sniper.app.settings import Settings
from mexc_sniper.core.errors import ConfigError

if TYPE_CHECKING:
    from mexc_sniper.ledger.location import LedgerLocation

db_app = typer.Typer(no_args_is_help=True, help="Look after the ledger. Runs upgrade it by themselves.")
app.add_typer(db_app, name="db")


@db_app.command()
def current(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Show where the ledger is and which schema it has."""
    from mexc_sniper.ledger import migrations

    settings = read_settings(config, data_dir, demo=demo)
    location = _location(settings)
    if as_json:
        print_json({"location": location.describe(), **migrations.current(location)})
    else:
        _print_revision(location)


@db_app.command()
def upgrade(data_dir: DataDir = None, config: ConfigFile = None, demo: Demo = False) -> None:
    """Bring the ledger to this version's schema; a SQLite file is backed up first."""
    from mexc_sniper.ledger import migrations

    settings = read_settings(config, data_dir, demo=demo)
    with _alone(settings):
        location = _location(settings)
        migrations.upgrade(location)
        _print_revision(location)


@db_app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="A revision, or 'base' for an empty ledger.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the ledger back to an older schema; rows the older one cannot hold are lost."""
    from mexc_sniper.ledger import migrations

    settings = read_settings(config, data_dir, demo=demo)
    location = _location(settings)
    if not yes:
        typer.confirm(f"Rows that {revision} cannot hold are lost in {location.describe()}. Go on?", abort=True)
    with _alone(settings):
        migrations.downgrade(location, revision)
        _print_revision(location)


@db_app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The file to write; must not exist yet.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite ledger while it is in use; for PostgreSQL use pg_dump.

    Example:

      mexc-sniper db backup /safe/ledger-monday.db
    """
    from mexc_sniper.app.backup import backup_ledger

    settings = read_settings(config, data_dir, demo=demo)
    with progress_bar("Copying") as tell:
        size = backup_ledger(_location(settings), target, tell=tell)
    if as_json:
        print_json({"file": str(target), "bytes": size})
    else:
        out.print(f"{plain(target)}: {size:,} bytes, checked")


@db_app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A directory of `backups/nightly`, or a file of `db backup`.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into a data directory that has no ledger, check it whole, bring it to this version's schema.

    Nothing is overwritten, and it refuses while a program runs there. A restored ledger knows no order newer than
    itself: read docs/operating.md before you start it in live mode.

    Example:

      mexc-sniper db restore ~/.local/state/mexc-sniper/backups/nightly/20261130T030000Z --data-dir /srv/restored
    """
    from mexc_sniper.app.backup import restore as put_back
    from mexc_sniper.core.clock import SystemClock

    settings = read_settings(config, data_dir)
    if not _location(settings).is_sqlite:
        raise ConfigError("database.url is set: restore PostgreSQL with pg_restore, or leave the setting out")
    with _alone(settings), progress_bar("Copying") as tell:
        done = put_back(source, settings.data_dir, SystemClock(), tell=tell)
    answer = {
        "ledgerBytes": done.ledger_bytes, "inbox": done.inbox, "schema": done.schema, "auditRows": done.audit_rows,
    }  # fmt: skip
    if as_json:
        print_json(answer)
        return
    out.print(
        f"{plain(settings.data_dir)}: {done.ledger_bytes:,} bytes, schema {plain(done.schema)}, "
        f"{done.audit_rows:,} audit rows, all checked" + ("" if done.inbox else "; sign-ins start anew")
    )


def _location(settings: Settings) -> "LedgerLocation":
    from mexc_sniper.ledger.location import locate

    return locate(settings.database.url, settings.data_dir)


def _print_revision(location: "LedgerLocation") -> None:
    from mexc_sniper.ledger import migrations

    schemas = ", ".join(f"{name} {revision or 'empty'}" for name, revision in migrations.current(location).items())
    out.print(f"{plain(location.describe())}: {plain(schemas)}", soft_wrap=True)


class _alone:  # noqa: N801  # reads as a word: with _alone(settings)
    """Hold the data directory, so that no engine writes meanwhile."""

    def __init__(self, settings: Settings) -> None:
        prepare_data_dir(settings.data_dir)
        self._locks = (InstanceLock(settings.data_dir), InstanceLock(settings.data_dir, name="engine.lock"))

    def __enter__(self) -> None:
        for lock in self._locks:
            lock.acquire()

    def __exit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.release()
