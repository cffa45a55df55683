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


BOT_PREFIX = "ms"
"""The first two characters of every order of ours; a foreign order with it means a second copy is running."""


def intent_id(cause: str, leg: int) -> IntentId:
    """Derive the id of a decision from its cause (listing, position or command id) and leg: 14 hex digits."""
    digest = blake2b(f"{cause}\x00{leg}".encode(), digest_size=7).hexdigest()
    return IntentId(digest)


def position_of(intent: IntentId) -> PositionId:
    """Name the position that a decision to enter opens with its first fill."""
    return PositionId(f"P{intent}")


def client_order_id(account: str, epoch: int, intent: IntentId, leg: int, attempt: int) -> ClientOrderId:
    """Write a self-describing order id (RELIABILITY 3.3): bot 2, account 1, epoch 4, intent 14, leg 1, attempt 1.

    23 letters and digits; the venue takes at most 32. The same decision gives the same id after a restart.

    Raises:
        ValueError: leg or attempt outside 0…35, epoch outside 0…36^4-1.
    """
    if not (0 <= leg < 36 and 0 <= attempt < 36 and 0 <= epoch < 36**4):
        raise ValueError(f"out of range: epoch {epoch}, leg {leg}, attempt {attempt}")
    return ClientOrderId(f"{BOT_PREFIX}{account[0]}{_base36(epoch):0>4}{intent}{_base36(leg)}{_base36(attempt)}")


def is_ours(client_order_id: str) -> bool:
    """Tell whether an order id has our form, whichever copy of the program wrote it."""
    return len(client_order_id) == 23 and client_order_id.startswith(BOT_PREFIX) and client_order_id.isalnum()


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if number == 0:
            return digits
