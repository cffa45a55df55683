"""symbol/offline (REFERENCE 1.5): suspended and delisted symbols, the opposite of a listing."""

from mexc_sniper.core.values import Symbol
from mexc_sniper.model.events import OfflineRead, SourceName
from mexc_sniper.model.listing import OfflineSymbol
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.names import offline_symbols
from mexc_sniper.venues.mexc.sources.reading import Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint


class OfflineReader(Reader):
    """Hands on rows that are new or differ from the last answer."""

    source = SourceName.OFFLINE
    endpoint = Endpoint.OFFLINE
    official = True

    def __init__(self) -> None:
        self._rows: dict[Symbol, OfflineSymbol] = {}

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        rows = {row.symbol: row for row in offline_symbols(body)}
        yield
        changed = tuple(row for symbol, row in rows.items() if self._rows.get(symbol) != row)
        self._rows = rows
        event = OfflineRead(stamp=Stamp(None, wall_ns, mono_ns), changed=changed)
        return Reading((event,), None, "", {"symbols": len(rows)})
