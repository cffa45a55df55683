"""Which of the venue's order ids are ours: answers and pushes do not always name our own id (REFERENCE 1.7)."""

from mexc_sniper.core.ids import ClientOrderId, VenueOrderId

MAX_KNOWN = 20_000


class KnownOrders:
    """The latest orders, by the venue's id; the oldest are forgotten beyond a bound."""

    def __init__(self) -> None:
        self._client_ids: dict[VenueOrderId, ClientOrderId] = {}

    def remember(self, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> None:
        """Note the venue's id of an order of ours."""
        self._client_ids[venue_order_id] = client_order_id
        if len(self._client_ids) > MAX_KNOWN:
            self._client_ids.pop(next(iter(self._client_ids)))

    def client_id_of(self, client_order_id: ClientOrderId, venue_order_id: VenueOrderId) -> ClientOrderId:
        """Return the client id as the venue named it, or as remembered; empty for a stranger's order without one."""
        return client_order_id or self._client_ids.get(venue_order_id, ClientOrderId(""))
