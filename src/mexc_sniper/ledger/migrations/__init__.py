"""The ledger's schema, up and down, the same on SQLite and PostgreSQL.

Two chains of revisions: ``ledger`` (the engine's tables) and ``inbox`` (the web process's). On SQLite each has its
file, on PostgreSQL both are in the one database; each keeps its revision in a table of its own. A migration is one
transaction and migrating processes wait for each other.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text

from mexc_sniper.core.clock import ClockReader, SystemClock, iso_from_ns
from mexc_sniper.core.errors import ConfigError, SniperError
from mexc_sniper.ledger.connections import is_there, sql_engine, sqlite_connect
from mexc_sniper.ledger.faults import fault_of, sqlite_fault
from mexc_sniper.ledger.location import LedgerLocation

_HERE = Path(__file__).parent
_POSTGRES_LOCK = 0x6D78736D  # "mxsm"; any constant of our own
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Chain:
    name: str
    head: str
    version_table: str

    def path(self, location: LedgerLocation) -> Path | None:
        if not location.is_sqlite:
            return None
        return location.sqlite.ledger if self.name == "ledger" else location.sqlite.inbox


LEDGER = _Chain("ledger", "l0003", "ledger_schema")
INBOX = _Chain("inbox", "i0002", "inbox_schema")
"""The revisions this build knows; written down so that a start that has nothing to migrate need not load Alembic."""


def current(location: LedgerLocation) -> dict[str, str | None]:
    """Return the revision of ``ledger`` and ``inbox``; None where there is no schema yet.

    Raises:
        ConfigError, StoreError: when the ledger cannot be opened.
    """
    return {chain.name: _revision(location, chain) for chain in (LEDGER, INBOX)}


def upgrade(location: LedgerLocation, *, clock: ClockReader | None = None) -> None:
    """Bring both chains to this build's revision; a SQLite file with older tables is copied to ``backups/`` first.

    Raises:
        ConfigError: when the schema is newer than this build, or the ledger cannot be opened by these settings.
        StoreError: when the database does not answer or the disk refuses.
    """
    for chain in (LEDGER, INBOX):
        upgrade_chain(location, chain, clock=clock)


def upgrade_chain(location: LedgerLocation, chain: _Chain, *, clock: ClockReader | None = None) -> None:
    """Bring one chain to this build's revision; see `upgrade`."""
    before = _revision(location, chain)
    if before == chain.head:
        return
    _refuse_newer(location, chain, before)
    path = chain.path(location)
    if before is not None and path is not None:
        _backup(path, before, clock or SystemClock())
    _run(location, chain, chain.head, up=True)
    _log.info("ledger_migrated", chain=chain.name, ledger=location.describe(), was=before, now=chain.head)


def downgrade(location: LedgerLocation, revision: str, *, clock: ClockReader | None = None) -> None:
    """Take tables back to ``revision`` (``l…`` for the ledger, ``i…`` for the inbox, ``base`` for nothing at all).

    Raises:
        ConfigError: when no such revision exists, or the schema is newer than this build.
        StoreError: when the database does not answer or the disk refuses.
    """
    chains = [chain for chain in (LEDGER, INBOX) if revision == "base" or revision in _revisions(chain)]
    if not chains:
        known = ", ".join(sorted(_revisions(LEDGER) | _revisions(INBOX)))
        raise ConfigError(f"There is no schema revision {revision!r}; this build knows base, {known}.")
    for chain in chains:
        before = _revision(location, chain)
        if before is None:
            continue
        _refuse_newer(location, chain, before)
        path = chain.path(location)
        if path is not None:
            _backup(path, before, clock or SystemClock())
        _run(location, chain, revision, up=False)


def require_current(location: LedgerLocation, chain: _Chain) -> None:
    """Refuse a schema that is not this build's.

    Raises:
        ConfigError: when it is older (the mend is to migrate), missing or newer.
    """
    found = _revision(location, chain)
    _refuse_newer(location, chain, found)
    if found != chain.head:
        raise ConfigError(
            f"The ledger {location.describe()} has the schema {found or 'of nobody'}, this build needs {chain.head}; "
            "run: mexc-sniper db upgrade"
        )


def _revision(location: LedgerLocation, chain: _Chain) -> str | None:
    path = chain.path(location)
    if path is not None and not is_there(path):
        return None
    engine = sql_engine(location, path, pooled=False)
    try:
        with engine.connect() as connection:
            return _read_revision(connection, chain)
    except SniperError:
        raise
    except Exception as fault:
        raise fault_of(fault, location, path) from fault
    finally:
        engine.dispose()


def _read_revision(connection: Connection, chain: _Chain) -> str | None:
    if not inspect(connection).has_table(chain.version_table):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {chain.version_table}")).scalar()  # noqa: S608
    return None if found is None else str(found)


def _refuse_newer(location: LedgerLocation, chain: _Chain, found: str | None) -> None:
    if found is None or found == chain.head or found in _revisions(chain):
        return
    raise ConfigError(
        f"The ledger {location.describe()} has the schema {found}, newer than this build ({chain.head}); "
        "install the version that wrote it, or restore an older copy from the directory backups."
    )


def _revisions(chain: _Chain) -> set[str]:
    return {file.stem.split("_")[0] for file in (_HERE / chain.name).glob("[li][0-9]*_*.py")}


def _run(location: LedgerLocation, chain: _Chain, revision: str, *, up: bool) -> None:
    from alembic import command  # loaded only when there is something to migrate
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(_HERE / chain.name).replace("%", "%%"))
    path = chain.path(location)
    engine = sql_engine(location, path, mode="rw", pooled=False)
    try:
        with engine.begin() as connection:
            if not location.is_sqlite:
                connection.execute(text("SET LOCAL statement_timeout = 0"))  # a new index may take its time
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
            config.attributes["connection"] = connection
            config.attributes["version_table"] = chain.version_table
            if up and _read_revision(connection, chain) == chain.head:
                return  # another process was faster
            (command.upgrade if up else command.downgrade)(config, revision)
    except SniperError:
        raise
    except Exception as fault:
        raise fault_of(fault, location, path) from fault
    finally:
        engine.dispose()


def _backup(path: Path, revision: str, clock: ClockReader) -> Path:
    stamp = iso_from_ns(clock.wall_ns()).replace("-", "").replace(":", "").replace(".", "")
    target = path.parent / "backups" / f"{path.stem}-{revision}-{stamp}.db"
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with closing(sqlite_connect(path, mode="rw")) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as fault:
        raise sqlite_fault(fault, target) from fault
    except OSError as fault:
        raise ConfigError(
            f"No copy of {path} could be made before migrating ({fault.strerror}); "
            f"make {target.parent} writable and start again."
        ) from fault
    _log.info("ledger_backed_up", file=str(target))
    return target
