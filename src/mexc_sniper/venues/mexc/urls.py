"""Paths of the venue and their weights (REFERENCE 1.3, 1.5, 3.2, 3.3)."""

from enum import Enum, StrEnum

REST_URL = "https://api.mexc.com"
WS_URL = "wss://wbs-api.mexc.com/ws"
WEB_URL = "https://www.mexc.com"


class Host(StrEnum):
    """Which of the venue's hosts serves a path."""

    API = "api"
    WEB = "web"


class Endpoint(Enum):
    """One path: host, path, weight per call, deadline (s), largest body (bytes), needs a signature."""

    TIME = (Host.API, "/api/v3/time", 1, 2.0, 4_096, False)
    EXCHANGE_INFO = (Host.API, "/api/v3/exchangeInfo", 25, 15.0, 64 << 20, False)
    DEFAULT_SYMBOLS = (Host.API, "/api/v3/defaultSymbols", 1, 3.0, 4 << 20, False)
    SELF_SYMBOLS = (Host.API, "/api/v3/selfSymbols", 1, 3.0, 4 << 20, True)
    OFFLINE = (Host.API, "/api/v3/symbol/offline", 10, 5.0, 8 << 20, False)
    DEPTH = (Host.API, "/api/v3/depth", 3, 5.0, 256 << 10, False)
    KLINES = (Host.API, "/api/v3/klines", 1, 3.0, 1 << 20, False)
    ANNOUNCEMENTS = (Host.API, "/api/v3/announcements", 1, 5.0, 2 << 20, False)
    ORDER = (Host.API, "/api/v3/order", 2, 3.0, 256 << 10, True)
    ORDER_TEST = (Host.API, "/api/v3/order/test", 1, 5.0, 256 << 10, True)
    OPEN_ORDERS = (Host.API, "/api/v3/openOrders", 3, 5.0, 4 << 20, True)
    ALL_ORDERS = (Host.API, "/api/v3/allOrders", 10, 5.0, 8 << 20, True)
    MY_TRADES = (Host.API, "/api/v3/myTrades", 10, 5.0, 4 << 20, True)
    ACCOUNT = (Host.API, "/api/v3/account", 10, 5.0, 4 << 20, True)
    UID = (Host.API, "/api/v3/uid", 1, 3.0, 64 << 10, True)
    LISTEN_KEY = (Host.API, "/api/v3/userDataStream", 1, 5.0, 64 << 10, True)
    WITHDRAW_HISTORY = (Host.API, "/api/v3/capital/withdraw/history", 1, 5.0, 4 << 20, True)
    WITHDRAW_ADDRESS = (Host.API, "/api/v3/capital/withdraw/address", 10, 5.0, 4 << 20, True)
    TRANSFERS = (Host.API, "/api/v3/capital/transfer", 1, 5.0, 4 << 20, True)
    CALENDAR = (Host.WEB, "/api/operation/new_coin_calendar", 0, 5.0, 8 << 20, False)
    WEB_SYMBOLS = (Host.WEB, "/api/platform/spot/market-v2/web/symbolsV2", 0, 10.0, 64 << 20, False)

    def __init__(
        self, host: Host, path: str, weight: int, deadline_s: float, max_body_bytes: int, signed: bool
    ) -> None:
        self.host = host
        self.path = path
        self.weight = weight
        self.deadline_s = deadline_s
        self.max_body_bytes = max_body_bytes
        self.signed = signed

    @property
    def gap_s(self) -> float:
        """Seconds that must lie between two calls, whatever the weight says: GET account is limited to two a second
        (REFERENCE 1.3). The tenth above half a second is for calls that take longer to arrive than the next one:
        exactly two a second draws a 429 as soon as one of them is late, and a 429 stops every other read too."""
        return 0.6 if self is Endpoint.ACCOUNT else 0.0

    @property
    def number(self) -> int:
        """Its place in this list, from 1."""
        return list(Endpoint).index(self) + 1

    @property
    def label(self) -> str:
        """The name used in metrics and on the tape."""
        return self.name.lower()
