"""Orders and cancels as the bytes of one HTTP request (REFERENCE 1.2, 1.7): all in the query, an empty body."""

from functools import lru_cache
from urllib.parse import quote, urlsplit

from mexc_sniper.core.errors import ConfigError, InvariantError
from mexc_sniper.core.ids import ClientOrderId, VenueOrderId
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.market import Side
from mexc_sniper.model.order import OrderIntent
from mexc_sniper.venues.mexc.signer import Prefix, Signer
from mexc_sniper.venues.mexc.signing import UNRESERVED, Credentials

RECV_WINDOW_MS = 5_000
MAX_RECV_WINDOW_MS = 60_000
MAX_CLIENT_ID = 32
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
        self._window = f"&recvWindow={recv_window_ms}&timestamp="
        self._signer = Signer(credentials)
        self._tail = (
            f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nX-MEXC-APIKEY: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 0\r\nAccept: application/json\r\n"
            "User-Agent: mexc-sniper\r\n\r\n"
        ).encode()
        self.ping = (
            f"GET /api/v3/ping HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: mexc-sniper\r\n\r\n"
        ).encode()

    def order(self, intent: OrderIntent) -> Draft:
        """Write the order of an intent, to be signed later.

        Raises:
            InvariantError: the intent asks for something the venue's order cannot say.
        """
        return self._draft(_ORDER, self._order_text(intent))

    def order_now(self, intent: OrderIntent, timestamp_ms: int) -> bytes:
        """Write and sign the order of an intent at once.

        Raises:
            InvariantError: as `order`.
        """
        text = f"{self._order_text(intent)}{timestamp_ms}".encode()
        return b"".join((_ORDER, text, b"&signature=", self._signer.sign(text).encode(), self._tail))

    def _order_text(self, intent: OrderIntent) -> str:
        """The query up to the timestamp. Only a symbol may need escapes: all else is made of safe characters."""
        client_order_id = intent.client_order_id
        if not (client_order_id.isascii() and client_order_id.isalnum() and len(client_order_id) <= MAX_CLIENT_ID):
            raise InvariantError(f"{client_order_id!r} is no client order id: at most 32 letters and digits")
        if intent.quote_quantity is None:
            if intent.quantity is None:
                raise InvariantError(f"{client_order_id}: a quantity is due, in base or in quote")
            amount = f"quantity={intent.quantity:f}"
        elif intent.quantity is None:
            amount = f"quoteOrderQty={intent.quote_quantity:f}"
        else:
            raise InvariantError(f"{client_order_id}: a quantity in base and one in quote")
        price = "" if intent.price is None else f"&price={intent.price:f}"
        return (
            f"symbol={_escaped(intent.symbol)}&side={_side(intent)}&type={intent.type.value}&{amount}{price}"
            f"&newClientOrderId={client_order_id}{self._window}"
        )

    def cancel(self, symbol: Symbol, client_order_id: ClientOrderId, venue_order_id: VenueOrderId | None) -> Draft:
        """Write the cancel of an order, by the venue's id where it is known (a client id may name two orders)."""
        name = f"orderId={_escaped(venue_order_id)}" if venue_order_id else f"origClientOrderId={client_order_id}"
        return self._draft(_CANCEL, f"symbol={_escaped(symbol)}&{name}{self._window}")

    def _draft(self, start: bytes, text: str) -> Draft:
        known = text.encode()
        return Draft(start + known, self._signer.prefix(known), self._tail)


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    """Percent-encode as `query_text` does, once for each symbol."""
    return quote(text, safe=UNRESERVED)


def _side(intent: OrderIntent) -> str:
    try:
        return _SIDES[intent.side]
    except KeyError:
        raise InvariantError(f"{intent.client_order_id}: an order needs a side") from None
