"""Which sources exist."""

from mexc_sniper.venues.mexc.sources.announcements import AnnouncementsReader
from mexc_sniper.venues.mexc.sources.calendar import CalendarReader
from mexc_sniper.venues.mexc.sources.completeness import Census
from mexc_sniper.venues.mexc.sources.exchange_info import ExchangeInfoReader
from mexc_sniper.venues.mexc.sources.offline import OfflineReader
from mexc_sniper.venues.mexc.sources.reading import Reader
from mexc_sniper.venues.mexc.sources.symbol_lists import DefaultSymbolsReader, SelfSymbolsReader
from mexc_sniper.venues.mexc.sources.web_symbols import WebSymbolsReader


def readers(*, with_key: bool, with_web: bool) -> list[Reader]:
    """Make fresh readers of all sources that can be asked, sharing one census."""
    census = Census()
    found: list[Reader] = [
        DefaultSymbolsReader(census),
        ExchangeInfoReader(census),
        AnnouncementsReader(),
        OfflineReader(),
    ]
    if with_key:
        found.append(SelfSymbolsReader(census))
    if with_web:
        found += [CalendarReader(), WebSymbolsReader(census)]
    return found
