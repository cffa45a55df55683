"""From the engine's entries to rows and numbered events; pure, so a batch can be repeated as it was."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mexc_sniper.ledger.audit import AuditChain
from mexc_sniper.ledger.codec import column_text, folded, int64, int64_or_none, storable, to_json
from mexc_sniper.ledger.memory import FillKey, ListedTimes, Memory
from mexc_sniper.ledger.statements import Row, Write
from mexc_sniper.ledger.trading_rows import TRADING_ROWS, is_paper_money, trading_ref
from mexc_sniper.model.entries import (
    BarsRecorded,
    CalendarChanged,
    CommandFinished,
    ComponentChanged,
    ComponentFigures,
    ConfigChanged,
    FillRecorded,
    LedgerEntry,
    ListingChanged,
    MonitorChanged,
    MonitorProgressed,
    SignalReceived,
    SymbolsLearned,
)
from mexc_sniper.model.listing import KnownSymbol, Listing


@dataclass
class Batch:
    """One transaction: rows by table, and the numbers of its events (none: ``last_seq`` is ``first_seq`` - 1)."""

    first_seq: int
    last_seq: int
    durable: bool = False
    entries: int = 0
    rows: dict[Write, list[Row]] = field(default_factory=dict)

    def add(self, write: Write, row: Row) -> None:
        self.rows.setdefault(write, []).append(row)


class RowMaker:
    """Turns entries into batches, giving every event the next number."""

    def __init__(
        self,
        *,
        last_seq: int,
        times: ListedTimes,
        fills: set[FillKey] | None = None,
        audit: AuditChain | None = None,
    ) -> None:
        self.last_seq = last_seq
        self._times = times
        self._fills = set() if fills is None else fills
        self._audit = audit or AuditChain()

    @classmethod
    def after(cls, memory: Memory) -> "RowMaker":
        """Go on after what is written."""
        return cls(
            last_seq=memory.last_seq,
            times=memory.times,
            fills=memory.fills,
            audit=AuditChain(memory.audit, memory.config_version),
        )

    def batch(self, groups: Iterable[Sequence[LedgerEntry]], *, ts_ns: int) -> Batch:
        """Make one transaction of everything in ``groups``; ``ts_ns`` is the wall time its events carry."""
        batch = Batch(first_seq=self.last_seq + 1, last_seq=self.last_seq)
        for group in groups:
            for entry in group:
                self._add(batch, entry, ts_ns)
        self.last_seq = batch.last_seq
        return batch

    def _add(self, batch: Batch, entry: LedgerEntry, ts_ns: int) -> None:
        seq = batch.last_seq + 1
        try:
            entry, payload, rows = self._encoded(entry, seq)
        except UnicodeEncodeError:
            entry, payload, rows = self._encoded(storable(entry), seq)
        batch.entries += 1
        if isinstance(entry, FillRecorded) and not self._is_new(rows[0][1]):
            return  # told before: no second row, and no event that would count it twice
        for write, row in rows:
            batch.add(write, row)
        if rows:
            line = self._audit.row(entry, ts_ns, rows[0][1]["body"])
            if line is not None:
                batch.add(Write.AUDIT, line)
        if entry.event is not None:
            ref = column_text(_ref(entry))
            batch.add(Write.EVENT, {"seq": seq, "ts_ns": ts_ns, "kind": entry.event, "ref": ref, "payload": payload})
            batch.last_seq = seq
        batch.durable = batch.durable or entry.durable or is_paper_money(entry)

    def _is_new(self, fill: Row) -> bool:
        key = (fill["account"], fill["client_order_id"], fill["trade_id"])
        if key in self._fills:
            return False
        self._fills.add(key)
        return True

    def _encoded(self, entry: LedgerEntry, seq: int) -> tuple[LedgerEntry, str, list[tuple[Write, Row]]]:
        if isinstance(entry, ListingChanged):
            settled = self._times.settle(entry.listing)
            if settled is not entry.listing:
                entry = ListingChanged(listing=settled)
        payload = "" if entry.event is None else to_json(entry)
        return entry, payload, _ROWS[type(entry)](entry, seq)


def _ref(entry: LedgerEntry) -> str:
    """What an event is about: the listing's, command's or component's own id."""
    match entry:
        case ListingChanged(listing=listing):
            return listing.id
        case SignalReceived(listing_id=listing_id):
            return listing_id
        case CalendarChanged(listing_id=listing_id):
            return listing_id or entry.entry.coin_id or entry.entry.asset
        case ComponentChanged(component=component) | ComponentFigures(component=component):
            return component.name
        case CommandFinished(result=result):
            return result.id
        case ConfigChanged(version=version):
            return str(version.version)
        case MonitorChanged() | MonitorProgressed() | SymbolsLearned() | BarsRecorded():
            return ""
        case _:
            return trading_ref(entry)


def listing_row(listing: Listing) -> Row:
    """The columns of one listing."""
    words = f"{listing.symbol} {listing.base} {listing.quote} {listing.full_name}"
    return {
        "id": column_text(listing.id),
        "symbol": column_text(listing.symbol),
        "kind": listing.kind.value,
        "phase": listing.phase.value,
        "outcome": listing.outcome.value,
        "reason": None if listing.reason is None else listing.reason.value,
        "source": listing.source.value,
        "listed_at_ns": int64(listing.listed_at_ns),
        "detected_at_ns": int64(listing.detected_at_ns),
        "opened_at_ns": int64_or_none(listing.opened_at_ns),
        "search": folded(words),
        "body": to_json(listing),
    }


def symbol_row(known: KnownSymbol) -> Row:
    """The columns of one line of the baseline."""
    return {
        "symbol": column_text(known.symbol),
        "first_seen_ns": int64(known.first_seen_ns),
        "absent_since_ns": int64_or_none(known.absent_since_ns),
        "body": to_json(known),
    }


def _signal(entry: SignalReceived, seq: int) -> list[tuple[Write, Row]]:
    signal = entry.signal
    row = {
        "seq": seq,
        "listing_id": column_text(entry.listing_id),
        "kind": signal.kind.value,
        "ts_recv_ns": int64(signal.stamp.ts_recv_ns),
        "lag_ns": int64_or_none(signal.lag_ns),
        "body": to_json(signal),
    }
    return [(Write.SIGNAL, row)]


def calendar_line(entry: CalendarChanged) -> str:
    """The key of a calendar line; the venue's coin id, or the asset where it gives none."""
    return column_text(f"id:{entry.entry.coin_id}" if entry.entry.coin_id else f"asset:{entry.entry.asset}")


def _calendar(entry: CalendarChanged, _seq: int) -> list[tuple[Write, Row]]:
    row = {
        "line": calendar_line(entry),
        "first_seen_ns": int64(entry.first_seen_ns),
        "opens_at_ns": int64_or_none(entry.entry.opens_at_ns),
        "withdrawn": entry.withdrawn,
        "listing_id": None if entry.listing_id is None else column_text(entry.listing_id),
        "body": to_json(entry),
    }
    return [(Write.CALENDAR, row)]


def _component(entry: ComponentChanged | ComponentFigures, _seq: int) -> list[tuple[Write, Row]]:
    return [(Write.COMPONENT, {"name": column_text(entry.component.name), "body": to_json(entry.component)})]


def _monitor(entry: MonitorChanged | MonitorProgressed, _seq: int) -> list[tuple[Write, Row]]:
    return [(Write.MONITOR, {"id": 1, "body": to_json(entry.state)})]


def _bars(entry: BarsRecorded, _seq: int) -> list[tuple[Write, Row]]:
    return [
        (
            Write.BAR,
            {
                "symbol": column_text(bar.symbol),
                "interval_s": bar.interval_s,
                "open_ns": int64(bar.open_ns),
                "body": to_json(bar),
            },
        )
        for bar in entry.bars
    ]


def _config(entry: ConfigChanged, _seq: int) -> list[tuple[Write, Row]]:
    version = entry.version
    row = {
        "version": version.version,
        "created_ns": int64(version.created_ns),
        "actor": column_text(version.actor),
        "body": to_json(version),
    }
    return [(Write.CONFIG, row)]


def _result(entry: CommandFinished, _seq: int) -> list[tuple[Write, Row]]:
    result = entry.result
    row = {"id": column_text(result.id), "finished_ns": int64(result.finished_ns), "body": to_json(result)}
    return [(Write.RESULT, row)]


_ROWS: dict[type[Any], Callable[[Any, int], list[tuple[Write, Row]]]] = {
    ListingChanged: lambda entry, _: [(Write.LISTING, listing_row(entry.listing))],
    SignalReceived: _signal,
    SymbolsLearned: lambda entry, _: [(Write.SYMBOL, symbol_row(known)) for known in entry.symbols],
    CalendarChanged: _calendar,
    ComponentChanged: _component,
    ComponentFigures: _component,
    MonitorChanged: _monitor,
    MonitorProgressed: _monitor,
    BarsRecorded: _bars,
    CommandFinished: _result,
    ConfigChanged: _config,
    **TRADING_ROWS,
}
