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


def symbol_channels(symbol: Symbol) -> tuple[str, str, str]:
    """The channels of a watched symbol: best bid/ask and trades at the fastest pace, and 20 levels a side.

    The levels come whole, so they need no snapshot and no bookkeeping of versions (REFERENCE 2.5).
    """
    return (
        f"spot@public.aggre.bookTicker.v3.api.pb@10ms@{symbol}",
        f"spot@public.aggre.deals.v3.api.pb@10ms@{symbol}",
        f"spot@public.limit.depth.v3.api.pb@{symbol}@20",
    )


def symbol_in(channel: str) -> str:
    """Return the symbol a channel's name carries: last but for the levels, which end with their number."""
    parts = channel.split("@")
    return parts[-2] if ".limit.depth." in channel and len(parts) > 2 else parts[-1]


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
