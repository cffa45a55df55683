"""Where a ledger lives: three SQLite files side by side, or one PostgreSQL database."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from mexc_sniper.core.errors import ConfigError

SETTING = "MEXC_SNIPER_DATABASE__URL"
"""The setting every message about the address of the ledger names."""

_EXAMPLES = "sqlite:////var/lib/mexc-sniper/ledger.db or postgresql://user:password@host:5432/name"


@dataclass(frozen=True)
class SqliteFiles:
    """The three files; one process writes each (DESIGN 2): the engine ledger and live, the web process inbox."""

    ledger: Path
    inbox: Path
    live: Path


@dataclass(frozen=True)
class LedgerLocation:
    """A ledger's address. Exactly one of ``files`` and ``url`` is set.

    Attributes:
        files: the SQLite files.
        url: the PostgreSQL address with its password; never printed (`describe` is what may be shown).
    """

    files: SqliteFiles | None = None
    url: URL | None = field(default=None, repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.files is not None

    @property
    def sqlite(self) -> SqliteFiles:
        """The files of a SQLite ledger."""
        if self.files is None:
            raise TypeError("this ledger lives in PostgreSQL")
        return self.files

    @property
    def postgres(self) -> URL:
        """The address of a PostgreSQL ledger."""
        if self.url is None:
            raise TypeError("this ledger lives in SQLite files")
        return self.url

    def describe(self) -> str:
        """Name the ledger for a message or a log line, without its password."""
        if self.files is not None:
            return str(self.files.ledger)
        return self.postgres.set(drivername="postgresql").render_as_string(hide_password=True)


def locate(url: str | None, data_dir: Path) -> LedgerLocation:
    """Find the ledger an address names; None or empty means SQLite files in ``data_dir``.

    A relative SQLite path is relative to ``data_dir``, so that the place does not depend on where the program was
    started. ``ledger.db`` has ``inbox.db`` and ``live.db`` beside it; ``name.db`` has ``name-inbox.db`` and
    ``name-live.db``. Nothing is opened or created.

    Raises:
        ConfigError: when the address is none that can hold a ledger; the text never contains a password.
    """
    if not url:
        return _beside(data_dir / "ledger.db")
    if not re.match(r"[a-z0-9+]+://", url):
        raise ConfigError(f"{SETTING} is no database address; write one such as {_EXAMPLES}")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"{SETTING} cannot be read as an address; write one such as {_EXAMPLES}") from None
    if parsed.drivername == "sqlite":
        return _sqlite(parsed, data_dir)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if not parsed.database:
            raise ConfigError(f"{SETTING} names no database; add it after the last slash: postgresql://host/name")
        return LedgerLocation(url=parsed.set(drivername="postgresql+psycopg"))
    raise ConfigError(f"{SETTING} has the scheme {parsed.drivername!r}, which is not supported; use {_EXAMPLES}")


def _sqlite(parsed: URL, data_dir: Path) -> LedgerLocation:
    if parsed.host or parsed.query:
        raise ConfigError(
            f"{SETTING} is no plain file address; SQLite takes a path only: sqlite:///relative or sqlite:////absolute"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError(
            f"{SETTING} names no file; engine and web share the ledger, so it cannot live in memory: use {_EXAMPLES}"
        )
    path = data_dir / os.path.expanduser(parsed.database)
    if path.is_dir():
        raise ConfigError(f"{SETTING} names the directory {path}; add a file name, such as {path / 'ledger.db'}")
    return _beside(path)


def _beside(ledger: Path) -> LedgerLocation:
    prefix = "" if ledger.name == "ledger.db" else f"{ledger.stem}-"
    return LedgerLocation(
        files=SqliteFiles(
            ledger=ledger, inbox=ledger.with_name(f"{prefix}inbox.db"), live=ledger.with_name(f"{prefix}live.db")
        )
    )
