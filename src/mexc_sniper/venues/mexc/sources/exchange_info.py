"""exchangeInfo: only rows that differ from the previous answer are read; 5 MB cost a few ms (bench/decode.py)."""

import contextlib

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import InstrumentsRead, SourceName
from mexc_sniper.model.instrument import Instrument, InstrumentStatus
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.exchange_info import head_time, instrument, name_of, split, tail_of
from mexc_sniper.venues.mexc.sources.completeness import Census, Completeness
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint

SLICE_ROWS = 50
"""Rows read before other work may go first: a millisecond or two."""
_BEGINNING = 64
"""Bytes of a row that tell it from the others: ``{"symbol":"`` and the symbol (REFERENCE 1.6)."""
_UNREAD_SHARE = 0.01
_UNREAD_FLOOR = 3
_UNKNOWN_STATUS_SHARE = 0.2
_UNKNOWN_STATUS_FLOOR = 20


class _Rows:
    """The rows of the last complete answer, in its order, as bytes: compared, never hashed (5 MB)."""

    def __init__(self, rows: list[bytes], names: list[Symbol]) -> None:
        self._rows = rows
        self._names = names
        self._places: dict[bytes, int] | None = None
        self._next = 0

    def rewind(self) -> None:
        """Begin to compare another answer."""
        self._next = 0

    def unchanged(self, row: bytes) -> Symbol | None:
        """Return the symbol of a row that stood in the last answer just so, None for any other."""
        place = self._next
        if place >= len(self._rows) or self._rows[place] != row:
            place = self._place_of(row)
            if place < 0 or self._rows[place] != row:
                return None
        self._next = place + 1
        return self._names[place]

    def _place_of(self, row: bytes) -> int:
        """Where a row that begins like this one stood; rows begin with their symbol, so no name need be read.

        A wrong place costs only time: the whole row is compared.
        """
        if self._places is None:
            self._places = {known[:_BEGINNING]: place for place, known in enumerate(self._rows)}
        return self._places.get(row[:_BEGINNING], -1)


class ExchangeInfoReader(Reader):
    """Remembers the last complete answer."""

    source = SourceName.EXCHANGE_INFO
    endpoint = Endpoint.EXCHANGE_INFO
    official = True

    def __init__(self, census: Census) -> None:
        self._completeness = Completeness(self.source, census)
        self._rows = _Rows([], [])
        self._tail = b""
        self._names: frozenset[Symbol] = frozenset()

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        same = head_time(body, self._tail)
        if same is not None:
            return self._reading(Stamp(same[0], wall_ns, mono_ns), (), "")
        server_ns, rows = split(body)
        self._completeness.check(len(rows))
        yield
        kept: list[bytes] = []
        names: list[Symbol] = []
        changed: list[Instrument] = []
        unread: list[str] = []
        unread_names: set[Symbol] = set()
        self._rows.rewind()
        for row in rows:
            symbol = self._rows.unchanged(row)
            if symbol is None:
                if (len(changed) + len(unread)) % SLICE_ROWS == 0:
                    yield
                try:
                    read = instrument(row)
                except ProtocolError as error:  # asked again next time; one bad row must not hide the others
                    unread.append(str(error))
                    with contextlib.suppress(ProtocolError):
                        unread_names.add(name_of(row))
                    continue
                changed.append(read)
                symbol = read.symbol
            kept.append(row)
            names.append(symbol)
        _canary(len(rows), changed, unread)
        self._rows = _Rows(kept, names)
        self._tail = b"" if unread else tail_of(body)
        self._names = frozenset(names) | unread_names
        trouble = f"{len(unread)} of {len(rows)} rows cannot be read: {unread[0]}" if unread else ""
        return self._reading(Stamp(server_ns, wall_ns, mono_ns), tuple(changed), trouble)

    def _reading(self, stamp: Stamp, changed: tuple[Instrument, ...], trouble: str) -> Reading:
        event = InstrumentsRead(stamp=stamp, changed=changed, names=self._names)
        return Reading((event,), stamp.ts_event_ns, trouble, {"symbols": len(self._names)})


def _canary(rows: int, changed: list[Instrument], unread: list[str]) -> None:
    """Refuse an answer in another schema as a whole: it would read as a mass of changes."""
    if len(unread) > max(_UNREAD_FLOOR, _UNREAD_SHARE * rows):
        raise Incomplete(f"{len(unread)} of {rows} rows are in another schema: {unread[0]}")
    strange = sum(read.status is InstrumentStatus.UNKNOWN for read in changed)
    if strange > max(_UNKNOWN_STATUS_FLOOR, _UNKNOWN_STATUS_SHARE * rows) or 0 < strange == rows:
        raise Incomplete(f"{strange} of {rows} rows have a status word this version does not know")
