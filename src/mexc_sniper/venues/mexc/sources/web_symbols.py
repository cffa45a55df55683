"""symbolsV2 of the web pages (REFERENCE 3.3): pair level, before or at the opening, without any promise."""

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import SourceName, WebSymbolsRead
from mexc_sniper.model.listing import WebSymbol
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.web import split_symbols, web_symbol
from mexc_sniper.venues.mexc.sources.completeness import Census, Completeness
from mexc_sniper.venues.mexc.sources.exchange_info import SLICE_ROWS
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint

_UNREAD_SHARE = 0.05


class WebSymbolsReader(Reader):
    """Remembers the rows of the last complete answer as bytes."""

    source = SourceName.WEB_SYMBOLS
    endpoint = Endpoint.WEB_SYMBOLS
    official = False

    def __init__(self, census: Census) -> None:
        self._completeness = Completeness(self.source, census)
        self._rows: dict[tuple[str, bytes], Symbol] = {}

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        rows = split_symbols(body)
        self._completeness.check(len(rows))
        yield
        known = self._rows
        kept: dict[tuple[str, bytes], Symbol] = {}
        changed: list[WebSymbol] = []
        unread = 0
        for number, (quote, row) in enumerate(rows):
            if (symbol := known.get((quote, row))) is not None:
                kept[quote, row] = symbol
                continue
            if number % SLICE_ROWS == 0:
                yield
            try:
                symbol, read = web_symbol(quote, row)
            except ProtocolError:
                unread += 1
            else:
                kept[quote, row] = symbol
                changed.append(read)
        if unread > max(3, _UNREAD_SHARE * len(rows)) or not kept:
            raise Incomplete(f"{unread} of {len(rows)} rows are in another schema")
        self._rows = kept
        event = WebSymbolsRead(
            stamp=Stamp(None, wall_ns, mono_ns), changed=tuple(changed), names=frozenset(kept.values())
        )
        trouble = f"{unread} of {len(rows)} rows cannot be read" if unread else ""
        return Reading((event,), None, trouble, {"symbols": len(event.names)})
