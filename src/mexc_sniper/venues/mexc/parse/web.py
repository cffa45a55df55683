"""The unofficial pages' JSON: listing calendar and symbolsV2 (REFERENCE 3.3). No contract: rows fail one by one."""

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import Symbol
from mexc_sniper.model.listing import CalendarEntry, WebSymbol
from mexc_sniper.venues.mexc.parse.text import (
    Bad,
    Code,
    Number,
    accept,
    asset_of,
    decode,
    free_text,
    ns_or_none,
    symbol_of,
)


class _Coin(msgspec.Struct, rename="camel"):
    vcoin_id: str
    vcoin_name: str
    vcoin_name_full: str | None = None
    first_open_time: Number = None
    zone: str | int | None = None


class _Coins(msgspec.Struct, rename="camel"):
    new_coins: list[msgspec.Raw] | None = None


class _Calendar(msgspec.Struct):
    data: _Coins | None = None
    code: Code = None
    msg: str | None = None


class _WebRow(msgspec.Struct):
    id: str
    vn: str
    cd: str | None = None
    fn: str | None = None
    fne: str | None = None
    ca: str | None = None
    ot: Number = None
    sts: Number = None
    st: Number = None
    tt: Number = None


class _WebData(msgspec.Struct):
    symbols: dict[str, list[msgspec.Raw]] | None = None


class _Web(msgspec.Struct):
    data: _WebData | None = None
    code: Code = None
    msg: str | None = None


_calendar = msgspec.json.Decoder(_Calendar)
_coin = msgspec.json.Decoder(_Coin)
_web = msgspec.json.Decoder(_Web)
_web_row = msgspec.json.Decoder(_WebRow)


def calendar(body: bytes) -> tuple[tuple[CalendarEntry, ...], int]:
    """Read the calendar; returns its lines and how many lines could not be read.

    Raises:
        ProtocolError: not the known shape, or not one readable line among several.
        VenueError: the body is an error answer.
    """
    answer = decode(_calendar, body, "calendar")
    accept(answer.code, answer.msg)
    if answer.data is None or answer.data.new_coins is None:
        raise ProtocolError("calendar: the answer has no list of new coins")
    entries: list[CalendarEntry] = []
    unread = 0
    for raw in answer.data.new_coins:
        try:
            entries.append(_entry(decode(_coin, raw, "calendar line")))
        except (Bad, ProtocolError):
            unread += 1
    if unread and not entries:
        raise ProtocolError(f"calendar: none of {unread} lines can be read")
    return tuple(entries), unread


def _entry(coin: _Coin) -> CalendarEntry:
    if not coin.vcoin_id:
        raise Bad("no coin id")
    return CalendarEntry(
        coin_id=free_text(coin.vcoin_id),
        asset=asset_of(coin.vcoin_name),
        full_name=free_text(coin.vcoin_name_full),
        opens_at_ns=ns_or_none(coin.first_open_time),
        zone=free_text(str(coin.zone)) if coin.zone is not None else "",
    )


def split_symbols(body: bytes) -> list[tuple[str, bytes]]:
    """Cut symbolsV2 into (quote currency, row) pairs, unread.

    Raises:
        ProtocolError: not an object keyed by quote currency.
        VenueError: the body is an error answer.
    """
    answer = decode(_web, body, "symbolsV2")
    accept(answer.code, answer.msg)
    if answer.data is None or answer.data.symbols is None:
        raise ProtocolError("symbolsV2: the answer has no symbols")
    return [(quote, bytes(row)) for quote, rows in answer.data.symbols.items() for row in rows]


def web_symbol(quote: str, row: bytes) -> tuple[Symbol, WebSymbol]:
    """Read one row of symbolsV2; returns it with its symbol (ticker + quote).

    Raises:
        ProtocolError: a required field is missing or no name.
    """
    read = decode(_web_row, row, "symbolsV2 row")
    try:
        symbol = symbol_of(read.vn + quote)
        value = WebSymbol(
            symbol_id=free_text(read.id),
            coin_id=free_text(read.cd),
            base=asset_of(read.vn),
            quote=asset_of(quote),
            full_name=free_text(read.fne or read.fn),
            contract_address=free_text(read.ca),
            opens_at_ns=ns_or_none(read.ot),
            status_codes="/".join("" if code is None else str(code)[:20] for code in (read.sts, read.st, read.tt)),
        )
    except Bad as error:
        raise ProtocolError(f"symbolsV2 row: {error}") from None
    return symbol, value
