"""Is an answer the whole list? A cut list would make known symbols vanish and come back as news (FIELD 7, trap 3)."""

from mexc_sniper.model.events import SourceName
from mexc_sniper.venues.mexc.sources.reading import Incomplete, Unconfirmed

_AGREE = 0.02
_LOST = 0.20
_LOST_FLOOR = 5
_GAINED = 0.25
_GAINED_FLOOR = 200
"""Fifty listings in a second are believed; hundreds at once are another list, not news."""
_CENSUS_FLOOR = 200


class Census:
    """How many names each source's last complete answer held; sources of one venue cannot differ wildly."""

    def __init__(self) -> None:
        self.sizes: dict[SourceName, int] = {}

    def doubt(self, source: SourceName, size: int) -> str:
        """Say why a first answer of this size cannot be complete; empty when it may be."""
        if source is SourceName.EXCHANGE_INFO:
            other, share = self.sizes.get(SourceName.DEFAULT_SYMBOLS, 0), 0.8
        elif source is SourceName.DEFAULT_SYMBOLS:
            other, share = self.sizes.get(SourceName.EXCHANGE_INFO, 0), 0.4
        else:
            return ""
        if other >= _CENSUS_FLOOR and size < share * other:
            return f"{size} names while another source has {other}"
        return ""


class Completeness:
    """Judges the sizes of one source's answers, one after the other."""

    def __init__(self, source: SourceName, census: Census, *, may_be_empty: bool = False) -> None:
        self._source = source
        self._census = census
        self._may_be_empty = may_be_empty
        self._first: int | None = None
        self._size: int | None = None

    def check(self, size: int) -> None:
        """Accept an answer of ``size`` names or say why not.

        The first must be confirmed by a second of about the same size; later ones may not lose a fifth or gain
        hundreds. What was accepted before stays the measure until the next run.

        Raises:
            Unconfirmed: the very first answer.
            Incomplete: it cannot be the whole list.
        """
        if size == 0 and not self._may_be_empty:
            raise Incomplete("the list is empty")
        if self._size is None:
            self._check_first(size)
        else:
            lost, gained = self._size - size, size - self._size
            if lost > max(_LOST_FLOOR, _LOST * self._size):
                raise Incomplete(f"{size} names, the last complete answer had {self._size}; taken for a cut list")
            if gained > max(_GAINED_FLOOR, _GAINED * self._size) and not self._may_be_empty:
                raise Incomplete(
                    f"{size} names, the last complete answer had {self._size}; taken for another list, "
                    "restart the monitor to accept it"
                )
        self._size = size
        self._census.sizes[self._source] = size

    def _check_first(self, size: int) -> None:
        if doubt := self._census.doubt(self._source, size):
            raise Incomplete(doubt)
        first, self._first = self._first, size
        if first is None or abs(first - size) > max(3, _AGREE * first):
            raise Unconfirmed(f"{size} names, waiting for a second answer to agree")
