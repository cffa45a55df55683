"""What the writer remembers of what it has written, so that it need not ask the database before each row.

The engine is the ledger's only writer, so memory is enough; a start reads it back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from mexc_sniper.core.clock import NS_PER_S
from mexc_sniper.ledger.audit import AuditHead
from mexc_sniper.ledger.codec import INT64_MAX, column_text, int64
from mexc_sniper.model.listing import Listing

FILLS_REMEMBERED_NS = 31 * 86_400 * NS_PER_S
"""The venue tells executions of the last month (RELIABILITY 2.3, row 56); an older one cannot be told again."""

FillKey = tuple[str, str, str]
"""Account, client order id, trade id, as columns."""

_log = structlog.get_logger()


class ListedTimes:
    """Who holds which (symbol, listed_at); the engine is the only writer, so memory is enough.

    A provisional ``listed_at`` may move onto the instant of another episode of the same symbol. The pair must stay
    unique, and a listing must not be lost over it: the newcomer is written one nanosecond later.
    """

    def __init__(self, held: Iterable[tuple[str, str, int]] = ()) -> None:
        """``held`` are (listing id, symbol, listed_at_ns) of every row in the ledger."""
        self._at: dict[tuple[str, int], str] = {}
        self._of: dict[str, tuple[str, int]] = {}
        for listing_id, symbol, listed_at_ns in held:
            self._hold(listing_id, symbol, listed_at_ns)

    def settle(self, listing: Listing) -> Listing:
        """Return ``listing`` with the first free ``listed_at_ns`` from its own on, and hold it."""
        symbol = column_text(listing.symbol)
        free = int64(listing.listed_at_ns)
        step = 1 if free < INT64_MAX else -1
        while self._at.get((symbol, free), listing.id) != listing.id:
            free += step
        self._hold(listing.id, symbol, free)
        if free == listing.listed_at_ns:
            return listing
        _log.warning("listed_at_moved", symbol=listing.symbol, listing_id=listing.id, listed_at_ns=free)
        return msgspec.structs.replace(listing, listed_at_ns=free)

    def _hold(self, listing_id: str, symbol: str, listed_at_ns: int) -> None:
        before = self._of.get(listing_id)
        if before is not None:
            del self._at[before]
        self._of[listing_id] = (symbol, listed_at_ns)
        self._at[symbol, listed_at_ns] = listing_id


@dataclass(frozen=True)
class Memory:
    """Everything a writer starts with."""

    last_seq: int
    times: ListedTimes
    fills: set[FillKey]
    audit: AuditHead
    config_version: int


def recall(rows: Callable[[str], Sequence[Sequence[Any]]], fills_since_ns: int) -> Memory:
    """Read it back; ``rows`` runs one statement. Fills of orders that are not settled are read whatever their age."""
    heads = rows("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
    fills = rows(
        "SELECT account, client_order_id, trade_id FROM fills WHERE "  # noqa: S608
        f"ts_recv_ns >= {int(fills_since_ns)} OR client_order_id IN "
        "(SELECT client_order_id FROM orders WHERE settled_ns IS NULL)"
    )
    return Memory(
        last_seq=int(rows("SELECT coalesce(max(seq), 0) FROM events")[0][0]),
        times=ListedTimes((row[0], row[1], row[2]) for row in rows("SELECT id, symbol, listed_at_ns FROM listings")),
        fills={(row[0], row[1], row[2]) for row in fills},
        audit=AuditHead(*heads[0]) if heads else AuditHead(),
        config_version=int(rows("SELECT coalesce(max(version), 0) FROM config_versions")[0][0]),
    )
