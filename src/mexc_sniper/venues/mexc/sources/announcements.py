"""The official announcements (REFERENCE 3.2): new, text only, and how fast a post appears nobody knows."""

from collections.abc import Mapping
from typing import ClassVar

from mexc_sniper.model.events import AnnouncementsRead, SourceName
from mexc_sniper.model.market import Stamp
from mexc_sniper.venues.mexc.parse.announcements import announcements
from mexc_sniper.venues.mexc.sources.reading import Reader, Reading, Steps
from mexc_sniper.venues.mexc.urls import Endpoint

_REMEMBERED = 1000


class AnnouncementsReader(Reader):
    """Hands on each listing post once."""

    source = SourceName.ANNOUNCEMENTS
    endpoint = Endpoint.ANNOUNCEMENTS
    official = True
    parameters: ClassVar[Mapping[str, str]] = {"language": "en-US", "page": "1", "limit": "20"}

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], None] = {}

    def read(self, body: bytes, wall_ns: int, mono_ns: int) -> Steps:
        posts = announcements(body)
        yield
        fresh = []
        for post in posts:
            key = (post.url, post.title)
            if post.assets and key not in self._seen:
                fresh.append(post)
            self._seen[key] = None
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if not fresh:
            return Reading((), None, "", {"posts": len(posts)})
        event = AnnouncementsRead(stamp=Stamp(None, wall_ns, mono_ns), posts=tuple(fresh))
        return Reading((event,), None, "", {"posts": len(posts)})
