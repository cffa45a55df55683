"""Everything that is read from the ledger, on one connection and so in one consistent moment."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.core.ids import ListingId
from mexc_sniper.core.values import Symbol
from mexc_sniper.ledger.codec import column_text, folded, from_json
from mexc_sniper.ledger.tables import (
    bars,
    calendar,
    command_results,
    components,
    config_versions,
    events,
    known_symbols,
    listings,
    monitor,
    signals,
)
from mexc_sniper.ledger.trading_view import TradingView
from mexc_sniper.model.commands import CommandResult
from mexc_sniper.model.config import ConfigVersion
from mexc_sniper.model.entries import CalendarChanged
from mexc_sniper.model.health import Component, MonitorState
from mexc_sniper.model.listing import (
    KnownSymbol,
    Listing,
    ListingKind,
    ListingSignal,
    Outcome,
    Phase,
    Source,
)
from mexc_sniper.model.market import Bar
from mexc_sniper.model.restored import Restored, RestoredCalendarLine

_HOUR_NS = 3_600 * NS_PER_S
_ANSWERS_NS = 31 * 24 * _HOUR_NS
"""A day longer than the inbox looks back for commands that never expire, so that none is carried out twice."""


class LedgerEvent(msgspec.Struct, frozen=True):
    """One numbered event; ``payload`` is the JSON of the entry (`codec.entry_from_event` reads it)."""

    seq: int
    ts_ns: int
    kind: str
    payload: bytes


class LedgerView(TradingView):
    """The queries. Get one from `LedgerReader.snapshot`; every answer then belongs to the same moment."""

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
        """Return a page of listings, newest detection first, and how many there are in all.

        Args:
            limit: rows of the page.
            offset: rows to skip.
            source: only those whose first word came by this channel.
            since_ns: only those detected at this wall time or later.
            phase: only those in this phase.
            outcome: only those with this outcome.
            kind: only those that turned out to be this.
            text: only those whose symbol, assets or full name contain it, whatever the case.
        """
        wanted: list[ColumnElement[bool]] = []
        if source is not None:
            wanted.append(listings.c.source == source.value)
        if since_ns is not None:
            wanted.append(listings.c.detected_at_ns >= since_ns)
        if phase is not None:
            wanted.append(listings.c.phase == phase.value)
        if outcome is not None:
            wanted.append(listings.c.outcome == outcome.value)
        if kind is not None:
            wanted.append(listings.c.kind == kind.value)
        if text:
            wanted.append(listings.c.search.contains(folded(text), autoescape=True))
        page = (
            select(listings.c.body)
            .where(*wanted)
            .order_by(listings.c.detected_at_ns.desc(), listings.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        total = self._count(select(func.count()).select_from(listings).where(*wanted))
        return self._all(page, Listing), total

    def listing(self, listing_id: ListingId) -> Listing | None:
        """Return one listing, None if there is none."""
        return self._one(select(listings.c.body).where(listings.c.id == column_text(listing_id)), Listing)

    def signals(self, listing_id: ListingId, *, limit: int = 1_000) -> list[ListingSignal]:
        """Return a listing's timeline, oldest first."""
        return self._all(
            select(signals.c.body)
            .where(signals.c.listing_id == column_text(listing_id))
            .order_by(signals.c.seq)
            .limit(limit),
            ListingSignal,
        )

    def bars(self, symbol: Symbol, *, from_ns: int, to_ns: int, limit: int = 3_000) -> list[Bar]:
        """Return a symbol's bars that begin within a span of the venue's time, oldest first."""
        return self._all(
            select(bars.c.body)
            .where(bars.c.symbol == column_text(symbol), bars.c.open_ns >= from_ns, bars.c.open_ns < to_ns)
            .order_by(bars.c.open_ns, bars.c.interval_s)
            .limit(limit),
            Bar,
        )

    def calendar(
        self, *, from_ns: int | None = None, limit: int, offset: int = 0, withdrawn: bool = False
    ) -> tuple[list[CalendarChanged], int]:
        """Return a page of the calendar and the number of lines in all: soonest first, "to be determined" last.

        Args:
            from_ns: leave out what opened before this wall time.
            limit: lines of the page.
            offset: lines to skip.
            withdrawn: include lines the venue took back.
        """
        wanted: list[ColumnElement[bool]] = []
        if not withdrawn:
            wanted.append(calendar.c.withdrawn.is_(False))
        if from_ns is not None:
            wanted.append(or_(calendar.c.opens_at_ns.is_(None), calendar.c.opens_at_ns >= from_ns))
        page = (
            select(calendar.c.body)
            .where(*wanted)
            .order_by(calendar.c.opens_at_ns.is_(None), calendar.c.opens_at_ns, calendar.c.line)
            .limit(limit)
            .offset(offset)
        )
        total = self._count(select(func.count()).select_from(calendar).where(*wanted))
        return self._all(page, CalendarChanged), total

    def components(self) -> list[Component]:
        """Return the state of every part, by name."""
        return self._all(select(components.c.body).order_by(components.c.name), Component)

    def monitor(self) -> MonitorState | None:
        """Return the monitor's state; None before the engine has ever run."""
        return self._one(select(monitor.c.body), MonitorState)

    def config(self, version: int | None = None) -> ConfigVersion | None:
        """Return one configuration version, by default the current one; None if there is none."""
        rows = select(config_versions.c.body).order_by(config_versions.c.version.desc()).limit(1)
        if version is not None:
            rows = rows.where(config_versions.c.version == version)
        return self._one(rows, ConfigVersion)

    def config_history(self, *, limit: int, offset: int = 0) -> tuple[list[ConfigVersion], int]:
        """Return a page of configuration versions, newest first, and how many there are."""
        page = select(config_versions.c.body).order_by(config_versions.c.version.desc()).limit(limit).offset(offset)
        return self._all(page, ConfigVersion), self._count(select(func.count()).select_from(config_versions))

    def command_result(self, command_id: str) -> CommandResult | None:
        """Return the engine's answer to a command; None while there is none."""
        return self._one(
            select(command_results.c.body).where(command_results.c.id == column_text(command_id)), CommandResult
        )

    def known_symbols(self) -> list[KnownSymbol]:
        """Return the whole baseline."""
        return self._all(select(known_symbols.c.body), KnownSymbol)

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        return self._count(select(func.coalesce(func.max(events.c.seq), 0)))

    def first_seq(self) -> int:
        """Return the number of the oldest event kept, 0 if there is none; older ones have been deleted."""
        return self._count(select(func.coalesce(func.min(events.c.seq), 0)))

    def events(self, after: int, limit: int) -> list[LedgerEvent]:
        """Return up to ``limit`` events numbered above ``after``, in order."""
        page = _event_columns().where(events.c.seq > after).order_by(events.c.seq).limit(limit)
        return [_event(row) for row in self._db.execute(page)]

    def before(self, event: LedgerEvent) -> LedgerEvent | None:
        """Return the last event of the same kind about the same thing before ``event``; None if it is the first."""
        ref = select(events.c.ref).where(events.c.seq == event.seq).scalar_subquery()
        earlier = (
            _event_columns()
            .where(events.c.ref == ref, events.c.seq < event.seq, events.c.kind == event.kind)
            .order_by(events.c.seq.desc())
            .limit(1)
        )
        row = self._db.execute(earlier).one_or_none()
        return None if row is None else _event(row)

    def history(self, ref: str, limit: int = 1_000) -> list[LedgerEvent]:
        """Return the events about one listing, component or command (by its id or name), in order."""
        page = _event_columns().where(events.c.ref == column_text(ref)).order_by(events.c.seq).limit(limit)
        return [_event(row) for row in self._db.execute(page)]

    def restored(self, now_ns: int) -> Restored:
        """Return everything the engine's state needs to go on; see `Restored`."""
        watched = and_(
            listings.c.kind != ListingKind.INJECTED.value,
            or_(listings.c.outcome == Outcome.PENDING.value, listings.c.opened_at_ns >= now_ns - _HOUR_NS),
        )
        lines = self._all(select(calendar.c.body), CalendarChanged)
        finished = self._db.execute(
            select(command_results.c.body).where(command_results.c.finished_ns >= now_ns - _ANSWERS_NS)
        )
        restored = Restored(
            symbols=tuple(self.known_symbols()),
            listings=tuple(
                self._all(select(listings.c.body).where(watched).order_by(listings.c.detected_at_ns), Listing)
            ),
            calendar=tuple(_calendar_lines(lines)),
            monitor=self.monitor(),
            config=self.config(),
            finished_commands=frozenset(from_json(row[0], CommandResult).id for row in finished),
            listings_detected=self._count(
                select(func.count()).select_from(listings).where(listings.c.kind == ListingKind.NEW.value)
            ),
        )
        return self._with_trading(restored, now_ns)


def _calendar_lines(lines: Iterable[CalendarChanged]) -> Iterable[RestoredCalendarLine]:
    for line in lines:
        yield RestoredCalendarLine(
            entry=line.entry, first_seen_ns=line.first_seen_ns, schedule=line.schedule, withdrawn=line.withdrawn
        )


def _event_columns() -> Select[int, int, str, str]:
    return select(events.c.seq, events.c.ts_ns, events.c.kind, events.c.payload)


def _event(row: Row[int, int, str, str]) -> LedgerEvent:
    seq, ts_ns, kind, payload = row
    return LedgerEvent(seq, ts_ns, kind, payload.encode())
