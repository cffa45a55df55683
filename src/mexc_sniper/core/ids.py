"""Identifiers. Those of the engine are derived, not drawn, so a replay and a restart give the same ones."""

from hashlib import blake2b
from typing import NewType

ListingId = NewType("ListingId", str)
"""One opening episode of a symbol."""

CommandId = NewType("CommandId", str)
"""One operator action; drawn by the web process or CLI that made it."""

IntentId = NewType("IntentId", str)
"""One decision to trade; its attempts share it."""

ClientOrderId = NewType("ClientOrderId", str)
"""Our name of an order at the venue: at most 32 letters and digits (REFERENCE 1.7)."""

VenueOrderId = NewType("VenueOrderId", str)
"""The venue's name of an order: opaque text."""

PositionId = NewType("PositionId", str)
"""One holding from its first fill to its end."""

TradeId = NewType("TradeId", str)
"""One row of the operator's view: one decision and what came of it."""


def listing_id(symbol: str, episode: int | str) -> ListingId:
    """Derive the id of a symbol's listing: ``L`` and 15 hex digits.

    ``episode`` counts the symbol's listings (0, 1, …); an injected one carries its command's id instead, so that
    a test never takes a number from a real listing.
    """
    digest = blake2b(f"{symbol}\x00{episode}".encode(), digest_size=8).hexdigest()
    return ListingId(f"L{digest[:15]}")
