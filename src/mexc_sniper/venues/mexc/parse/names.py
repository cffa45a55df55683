"""The short lists: defaultSymbols, selfSymbols and symbol/offline (REFERENCE 1.5, 1.9), and the server's time."""

import contextlib

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.listing import OfflineSymbol
from mexc_sniper.venues.mexc.parse.text import Bad, Code, Number, accept, decode, ns_or_none, symbol_of, whole


class _Names(msgspec.Struct):
    data: list[str] | None = None
    timestamp: Number = None
    code: Code = None
    msg: str | None = None


class _OfflineRow(msgspec.Struct, rename="camel"):
    symbol: str
    state: Number = None
    status: Number = None  # the name one client uses for it (REFERENCE 1.5)
    offline_time: Number = None


class _Offline(msgspec.Struct):
    data: list[_OfflineRow] | None = None
    code: Code = None
    msg: str | None = None


class _Time(msgspec.Struct, rename="camel"):
    server_time: Number = None
    code: Code = None
    msg: str | None = None


_names = msgspec.json.Decoder(_Names)
_offline = msgspec.json.Decoder(_Offline)
_time = msgspec.json.Decoder(_Time)


def tradable_names(body: bytes) -> tuple[int | None, frozenset[Symbol]]:
    """Read defaultSymbols or selfSymbols: the answer's own time (ns, None if absent) and all names.

    A text that can be no symbol is left out; it must not hide the others.

    Raises:
        ProtocolError: not the promised shape, or no text in it is a symbol.
        VenueError: the body is an error answer.
    """
    answer = decode(_names, body, "symbol list")
    accept(answer.code, answer.msg)
    if answer.data is None:
        raise ProtocolError("symbol list: the answer has no data")
    names: set[Symbol] = set()
    for text in answer.data:
        with contextlib.suppress(Bad):
            names.add(symbol_of(text))
    if answer.data and not names:
        raise ProtocolError(f"symbol list: none of {len(answer.data)} texts is a symbol")
    return ns_or_none(answer.timestamp), frozenset(names)


def offline_symbols(body: bytes) -> tuple[OfflineSymbol, ...]:
    """Read symbol/offline.

    Raises:
        ProtocolError: not the promised shape.
        VenueError: the body is an error answer.
    """
    answer = decode(_offline, body, "symbol/offline")
    accept(answer.code, answer.msg)
    if answer.data is None:
        raise ProtocolError("symbol/offline: the answer has no data")
    try:
        return tuple(
            OfflineSymbol(
                symbol=symbol_of(row.symbol),
                state=whole(row.state if row.state is not None else row.status),
                offline_time_ns=ns_or_none(row.offline_time),
            )
            for row in answer.data
        )
    except Bad as error:
        raise ProtocolError(f"symbol/offline: {error}") from None


def server_time(body: bytes) -> int:
    """Read ``/time``; returns the venue's UNIX time in ns (a whole number of milliseconds).

    Raises:
        ProtocolError: no time in it.
        VenueError: the body is an error answer.
    """
    answer = decode(_time, body, "server time")
    accept(answer.code, answer.msg)
    if (time_ns := ns_or_none(answer.server_time)) is None:
        raise ProtocolError("server time: the answer names none")
    return time_ns
