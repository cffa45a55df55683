"""Orders and cancels as the bytes of one HTTP request (REFERENCE 1.2, 1.7): all in the query, an empty body."""

from urllib.parse import urlsplit

from mexc_sniper.core.errors import ConfigError, InvariantError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import Symbol, text_from_decimal
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderIntent
from mexc_sniper.venues.mexc.signer import Prefix, Signer
from mexc_sniper.venues.mexc.signing import Credentials, query_text

RECV_WINDOW_MS = 5_000
MAX_RECV_WINDOW_MS = 60_000
_ORDER = b"POST /api/v3/order?"
_CANCEL = b"DELETE /api/v3/order?"
_SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}


class Draft:
    """A request in which only the timestamp and the signature are missing."""

    __slots__ = ("_head", "_prefix", "_tail")

    def __init__(self, head: bytes, prefix: Prefix, tail: bytes) -> None:
        self._head = head
        self._prefix = prefix
        self._tail = tail

    def sign(self, timestamp_ms: int) -> bytes:
        """Return the whole request, to be written at once."""
        stamp = b"%d" % timestamp_ms
        return b"".join((self._head, stamp, b"&signature=", self._prefix.sign(stamp).encode(), self._tail))


class RequestMaker:
    """Writes requests for one venue address and one key."""

    def __init__(self, rest_url: str, credentials: Credentials, *, recv_window_ms: int = RECV_WINDOW_MS) -> None:
        """``recv_window_ms``: how long the venue may take the request after its timestamp, at most 60,000.

        Raises:
            ConfigError: a window out of range, an address with a path, or a key that cannot stand in a header.
        """
        if not 0 < recv_window_ms <= MAX_RECV_WINDOW_MS:
            raise ConfigError(f"recvWindow must be 1 to {MAX_RECV_WINDOW_MS} ms: {recv_window_ms}")
        parts = urlsplit(rest_url)
        if parts.path not in ("", "/") or not parts.hostname:
            raise ConfigError(f"MEXC_SNIPER_VENUE__REST_URL is {rest_url!r}; orders need an address without a path")
        key = credentials.api_key
        if not (key.isascii() and key.isprintable() and key.strip() == key and key):
            raise ConfigError("MEXC_SNIPER_VENUE__API_KEY holds characters that no API key has; copy it again")
        self.recv_window_ms = recv_window_ms
        self._signer = Signer(credentials)
        # httptools gives no reader for compressed bodies and none is asked for.
        self._tail = (
            f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nX-MEXC-APIKEY: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 0\r\nAccept: application/json\r\n"
            "User-Agent: mexc-sniper\r\n\r\n"
        ).encode()
        self.ping = (
            f"GET /api/v3/ping HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: mexc-sniper\r\n\r\n"
        ).encode()

    def order(self, intent: OrderIntent) -> Draft:
        """Write the order of an intent.

        Raises:
            InvariantError: the intent asks for something the venue's order cannot say.
        """
        parameters = {"symbol": intent.symbol, "side": _side(intent), "type": intent.type.value}
        if (intent.quantity is None) == (intent.quote_quantity is None):
            raise InvariantError(f"{intent.client_order_id}: exactly one of quantity and quote quantity is due")
        if intent.quantity is not None:
            parameters["quantity"] = text_from_decimal(intent.quantity)
        elif intent.quote_quantity is not None:
            parameters["quoteOrderQty"] = text_from_decimal(intent.quote_quantity)
        if intent.price is not None:
            parameters["price"] = text_from_decimal(intent.price)
        parameters["newClientOrderId"] = intent.client_order_id
        return self._draft(_ORDER, parameters)

    def cancel(self, symbol: Symbol, client_order_id: ClientOrderId, venue_order_id: VenueOrderId | None) -> Draft:
        """Write the cancel of an order, by the venue's id where it is known (a client id may name two orders)."""
        parameters = {"symbol": str(symbol)}
        if venue_order_id:
            parameters["orderId"] = venue_order_id
        else:
            parameters["origClientOrderId"] = client_order_id
        return self._draft(_CANCEL, parameters)

    def _draft(self, start: bytes, parameters: dict[str, str]) -> Draft:
        known = f"{query_text({**parameters, 'recvWindow': str(self.recv_window_ms)})}&timestamp=".encode()
        return Draft(start + known, self._signer.prefix(known), self._tail)


def _side(intent: OrderIntent) -> str:
    try:
        return _SIDES[intent.side]
    except KeyError:
        raise InvariantError(f"{intent.client_order_id}: an order needs a side") from None
