"""Channel names, control texts and the split of channels over connections (REFERENCE 2.1 to 2.3)."""

from collections.abc import Iterable

import msgspec

from mexc_sniper.core.values import Symbol

MAX_PER_CONNECTION = 30
"""The 31st subscription is silently dead (REFERENCE 5, trap 30)."""
TICKERS = "spot@public.miniTickers.v3.api.pb@UTC+8"
PING = '{"method":"PING"}'
MAX_PER_REQUEST = 10
"""Channels in one request, so that one refusal leaves the others alone."""


def symbol_channels(symbol: Symbol) -> tuple[str, str]:
    """The two channels of a watched symbol: best bid/ask and trades, at the fastest pace."""
    return (
        f"spot@public.aggre.bookTicker.v3.api.pb@10ms@{symbol}",
        f"spot@public.aggre.deals.v3.api.pb@10ms@{symbol}",
    )


def subscribe_text(channels: Iterable[str], request_id: int) -> str:
    """The request that starts channels."""
    return _request("SUBSCRIPTION", channels, request_id)


def unsubscribe_text(channels: Iterable[str], request_id: int) -> str:
    """The request that ends channels."""
    return _request("UNSUBSCRIPTION", channels, request_id)


def _request(method: str, channels: Iterable[str], request_id: int) -> str:
    return msgspec.json.encode({"method": method, "params": list(channels), "id": request_id}).decode()


def has_room(used: int, wanted: int) -> bool:
    """Whether a connection with ``used`` channels can take ``wanted`` more."""
    return used + wanted <= MAX_PER_CONNECTION
