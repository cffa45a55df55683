"""A tape back to events, through the very readers that made them live.

Not on a tape, hence not replayed: states of sources, the measured clock offset, and what our own timing decided.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs

from mexc_sniper.core.errors import VenueError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import CandlesRead, Event
from mexc_sniper.model.market import Stamp
from mexc_sniper.tape.format import TapeRecord
from mexc_sniper.venues.mexc.interpret import FrameInterpreter
from mexc_sniper.venues.mexc.sources.age import CandlePair
from mexc_sniper.venues.mexc.sources.catalogue import readers
from mexc_sniper.venues.mexc.sources.reading import Reader, finish
from mexc_sniper.venues.mexc.tap import RawKind
from mexc_sniper.venues.mexc.urls import Endpoint


class Replay:
    """One pass over a tape; counts what could not be read, as the live source would have."""

    def __init__(self) -> None:
        self.unread = 0
        """Frames and answers the parsers refused."""
        self._frames = FrameInterpreter()
        self._readers: dict[str, Reader] = {
            reader.endpoint.label: reader for reader in readers(with_key=True, with_web=True)
        }
        self._pairs: dict[str, CandlePair] = {}

    def events(self, records: Iterable[TapeRecord]) -> Iterator[Event]:
        """Yield the events of the records, in order."""
        for record in records:
            try:
                yield from self._events_of(record)
            except VenueError:
                self.unread += 1

    def _events_of(self, record: TapeRecord) -> tuple[Event, ...]:
        if record.kind is RawKind.BINARY_FRAME:
            reading = self._frames.read(record.connection, record.payload, record.wall_ns, record.mono_ns)
            return () if reading.event is None else (reading.event,)
        if record.kind is RawKind.CLOSED:
            self._frames.forget_connection(record.connection)
        elif record.kind is RawKind.ANSWER:
            name, _, query = record.label.partition("?")
            if name == Endpoint.KLINES.label:
                return self._candles(record, query)
            if (reader := self._readers.get(name)) is not None:
                return finish(reader.read(record.payload, record.wall_ns, record.mono_ns)).events
        return ()

    def _candles(self, record: TapeRecord, query: str) -> tuple[Event, ...]:
        asked = parse_qs(query)
        symbol, interval = asked.get("symbol", [""])[0], asked.get("interval", [""])[0]
        pair = self._pairs.setdefault(symbol, CandlePair())
        pair.take(interval, record.payload)
        if not pair.complete:
            return ()
        del self._pairs[symbol]
        stamp = Stamp(None, record.wall_ns, record.mono_ns)
        return (CandlesRead(stamp=stamp, symbol=Symbol(symbol), candles=pair.oldest()),)
