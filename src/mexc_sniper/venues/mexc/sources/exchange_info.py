"""exchangeInfo: only rows that differ from the previous answer are read; 5 MB cost a few ms (bench/decode.py)."""

import contextlib

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import InstrumentsRead, SourceName
from mexc_sniper.model.instrument import Instrument, InstrumentStatus
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.exchange_info import instrument, name_of, split
from mexc_sniper.venues.mexc.sources.completeness import Census, Completeness
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint

SLICE_ROWS = 100
"""Rows read before other work may go first: about 2 ms."""
_UNREAD_SHARE = 0.01
_UNREAD_FLOOR = 3
_UNKNOWN_STATUS_SHARE = 0.2
_UNKNOWN_STATUS_FLOOR = 20


class ExchangeInfoReader(Reader):
    """Remembers the rows of the last complete answer as bytes."""

    source = SourceName.EXCHANGE_INFO
    endpoint = Endpoint.EXCHANGE_INFO
    official = True

    def __init__(self, census: Census) -> None:
        self._completeness = Completeness(self.source, census)
        self._rows: dict[bytes, Symbol] = {}

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        server_ns, rows = split(body)
        self._completeness.check(len(rows))
        yield
        known = self._rows
        kept = {row: symbol for row in rows if (symbol := known.get(row)) is not None}
        fresh = [row for row in rows if row not in kept]
        changed: list[Instrument] = []
        unread: list[str] = []
        unread_names: set[Symbol] = set()
        for number, row in enumerate(fresh):
            if number % SLICE_ROWS == 0:
                yield
            try:
                read = instrument(row)
            except ProtocolError as error:  # asked again next time; one bad row must not hide the others
                unread.append(str(error))
                with contextlib.suppress(ProtocolError):
                    unread_names.add(name_of(row))
            else:
                changed.append(read)
                kept[row] = read.symbol
        _canary(len(rows), changed, unread)
        self._rows = kept
        event = InstrumentsRead(
            stamp=Stamp(server_ns, wall_ns, mono_ns),
            changed=tuple(changed),
            names=frozenset(kept.values()) | unread_names,
        )
        trouble = f"{len(unread)} of {len(rows)} rows cannot be read: {unread[0]}" if unread else ""
        return Reading((event,), server_ns, trouble, {"symbols": len(event.names)})


def _canary(rows: int, changed: list[Instrument], unread: list[str]) -> None:
    """Refuse an answer in another schema as a whole: it would read as a mass of changes."""
    if len(unread) > max(_UNREAD_FLOOR, _UNREAD_SHARE * rows):
        raise Incomplete(f"{len(unread)} of {rows} rows are in another schema: {unread[0]}")
    strange = sum(read.status is InstrumentStatus.UNKNOWN for read in changed)
    if strange > max(_UNKNOWN_STATUS_FLOOR, _UNKNOWN_STATUS_SHARE * rows) or 0 < strange == rows:
        raise Incomplete(f"{strange} of {rows} rows have a status word this version does not know")
