"""defaultSymbols and selfSymbols: the cheapest official polls, weight 1 (REFERENCE 1.3)."""

from mexc_sniper.model.events import SourceName, TradableNamesRead
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.names import tradable_names
from mexc_sniper.venues.mexc.sources.completeness import Census, Completeness
from mexc_sniper.venues.mexc.sources.reading import Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint


class _NamesReader(Reader):
    official = True

    def __init__(self, completeness: Completeness) -> None:
        self._completeness = completeness

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        answered_ns, names = tradable_names(body)
        self._completeness.check(len(names))
        yield
        event = TradableNamesRead(stamp=Stamp(answered_ns, wall_ns, mono_ns), source=self.source, names=names)
        return Reading((event,), answered_ns, "", {"symbols": len(names)})


class DefaultSymbolsReader(_NamesReader):
    """The symbols every API key may trade."""

    source = SourceName.DEFAULT_SYMBOLS
    endpoint = Endpoint.DEFAULT_SYMBOLS

    def __init__(self, census: Census) -> None:
        super().__init__(Completeness(self.source, census))


class SelfSymbolsReader(_NamesReader):
    """The symbols this key may trade; needs a key. An empty list is a true answer."""

    source = SourceName.SELF_SYMBOLS
    endpoint = Endpoint.SELF_SYMBOLS

    def __init__(self, census: Census) -> None:
        super().__init__(Completeness(self.source, census, may_be_empty=True))
