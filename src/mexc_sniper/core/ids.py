"""Identifiers. Those of the engine are derived, not drawn, so a replay and a restart give the same ones."""

from hashlib import blake2b
from typing import NewType

ListingId = NewType("ListingId", str)
"""One opening episode of a symbol."""

CommandId = NewType("CommandId", str)
"""One operator action; drawn by the web process or CLI that made it."""


def listing_id(symbol: str, episode: int) -> ListingId:
    """Derive the id of the ``episode``-th listing (0, 1, …) of a symbol: ``L`` and 15 hex digits."""
    digest = blake2b(f"{symbol}\x00{episode}".encode(), digest_size=8).hexdigest()
    return ListingId(f"L{digest[:15]}")
