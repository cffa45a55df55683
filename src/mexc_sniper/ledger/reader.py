"""The reading side, for the web process and for a start of the engine. Synchronous; usable from any thread."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mexc_sniper.core.errors import StoreError
from mexc_sniper.core.ids import ListingId
from mexc_sniper.ledger import migrations
from mexc_sniper.ledger.connections import is_there, sql_engine
from mexc_sniper.ledger.faults import LedgerNotReady, fault_of
from mexc_sniper.ledger.location import LedgerLocation
from mexc_sniper.ledger.trading_reader import TradingReader
from mexc_sniper.ledger.view import LedgerEvent, LedgerView
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.entries import CalendarChanged
from mexc_sniper.model.health import Component, MonitorState
from mexc_sniper.model.listing import Listing, ListingKind, ListingSignal, Outcome, Phase, Source
from mexc_sniper.model.restored import Restored


class LedgerReader(TradingReader):
    """Reads the ledger and never writes it. Every method is one read transaction of its own; see `LedgerView` for
    what each returns, and `snapshot` for several that agree.

    Every method raises `LedgerNotReady` (a `StoreError`) while there are no tables yet, and `StoreError` or
    `ConfigError` when the ledger cannot be read.
    """

    def __init__(self, location: LedgerLocation) -> None:
        """Do no I/O."""
        self._location = location
        self._path = location.sqlite.ledger if location.is_sqlite else None
        self._engine: Engine = sql_engine(location, self._path)

    def close(self) -> None:
        """Close idle connections; the reader can still be used and opens new ones."""
        self._engine.dispose()

    def ready(self) -> bool:
        """Whether the ledger exists with this build's tables; False also while the server does not answer."""
        try:
            return migrations.current(self._location)["ledger"] == migrations.LEDGER.head
        except StoreError:
            return False

    @contextmanager
    def snapshot(self) -> Iterator[LedgerView]:
        """One consistent moment: state rows and ``last_seq`` agree, whatever is written meanwhile. Keep it short."""
        if self._path is not None and not is_there(self._path):
            raise LedgerNotReady(f"{self._path} is not there yet; start the engine or run: mexc-sniper db upgrade")
        try:
            with self._engine.connect() as connection, connection.begin():
                yield LedgerView(connection)
        except PoolTimeout as fault:
            raise StoreError(f"The ledger {self._location.describe()} is read by too many at once.") from fault
        except SQLAlchemyError as fault:
            raise fault_of(fault, self._location, self._path) from fault

    def listings(
        self,
        *,
        limit: int,
        offset: int = 0,
        source: Source | None = None,
        since_ns: int | None = None,
        phase: Phase | None = None,
        outcome: Outcome | None = None,
        kind: ListingKind | None = None,
        text: str | None = None,
    ) -> tuple[list[Listing], int]:
        with self.snapshot() as view:
            return view.listings(
                limit=limit,
                offset=offset,
                source=source,
                since_ns=since_ns,
                phase=phase,
                outcome=outcome,
                kind=kind,
                text=text,
            )

    def listing(self, listing_id: ListingId) -> Listing | None:
        with self.snapshot() as view:
            return view.listing(listing_id)

    def signals(self, listing_id: ListingId) -> list[ListingSignal]:
        with self.snapshot() as view:
            return view.signals(listing_id)

    def calendar(
        self, *, from_ns: int | None = None, limit: int, offset: int = 0, withdrawn: bool = False
    ) -> tuple[list[CalendarChanged], int]:
        with self.snapshot() as view:
            return view.calendar(from_ns=from_ns, limit=limit, offset=offset, withdrawn=withdrawn)

    def components(self) -> list[Component]:
        with self.snapshot() as view:
            return view.components()

    def monitor(self) -> MonitorState | None:
        with self.snapshot() as view:
            return view.monitor()

    def config(self, version: int | None = None) -> ConfigVersion | None:
        with self.snapshot() as view:
            return view.config(version)

    def config_history(self, limit: int, offset: int = 0) -> tuple[list[ConfigVersion], int]:
        with self.snapshot() as view:
            return view.config_history(limit=limit, offset=offset)

    def command_result(self, command_id: str) -> CommandResult | None:
        with self.snapshot() as view:
            return view.command_result(command_id)

    def last_seq(self) -> int:
        with self.snapshot() as view:
            return view.last_seq()

    def first_seq(self) -> int:
        with self.snapshot() as view:
            return view.first_seq()

    def events(self, after: int, limit: int) -> list[LedgerEvent]:
        with self.snapshot() as view:
            return view.events(after, limit)

    def history(self, ref: str, limit: int = 1_000) -> list[LedgerEvent]:
        with self.snapshot() as view:
            return view.history(ref, limit)

    def restored(self, now_ns: int) -> Restored:
        """Return what a start of the engine needs, as of one moment."""
        with self.snapshot() as view:
            return view.restored(now_ns)
