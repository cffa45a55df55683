"""The web calendar of listings (REFERENCE 3.3): the best source of the opening time, without any promise."""

from mexc_sniper.model.events import CalendarRead, SourceName
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.web import calendar
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint

_SHRUNK = 0.5
_SHRUNK_TIMES = 3
"""An answer that lost half its lines is believed when it stays so."""


class CalendarReader(Reader):
    """Remembers how long the list was: a calendar cut short would withdraw every announced listing."""

    source = SourceName.CALENDAR
    endpoint = Endpoint.CALENDAR
    official = False

    def __init__(self) -> None:
        self._size = 0
        self._small = 0

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        entries, unread = calendar(body)
        yield
        if len(entries) < _SHRUNK * self._size and self._small < _SHRUNK_TIMES - 1:
            self._small += 1
            raise Incomplete(f"{len(entries)} lines where the last answer had {self._size}")
        self._size = len(entries)
        self._small = 0
        trouble = f"{unread} lines cannot be read" if unread else ""
        event = CalendarRead(stamp=Stamp(None, wall_ns, mono_ns), entries=entries)
        return Reading((event,), None, trouble, {"entries": len(entries)})
