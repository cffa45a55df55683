"""The account, the listen key and the key's owner as REST tells them (REFERENCE 1.9)."""

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import MalformedNumber
from mexc_sniper.model.account import Account, Balance
from mexc_sniper.venues.mexc.parse.orders import decimal_of, id_of
from mexc_sniper.venues.mexc.parse.text import Bad, Code, Number, accept, asset_of, decode


class _Row(msgspec.Struct):
    asset: str
    free: Number = None
    locked: Number = None


class _Account(msgspec.Struct, rename="camel"):
    balances: list[_Row] | None = None
    can_trade: bool | None = None
    code: Code = None
    msg: str | None = None


class _ListenKey(msgspec.Struct, rename="camel"):
    listen_key: str | None = None
    code: Code = None
    msg: str | None = None


class _ListenKeys(msgspec.Struct, rename="camel"):
    listen_key: list[str] | None = None
    code: Code = None
    msg: str | None = None


class _Uid(msgspec.Struct):
    uid: str | int | None = None
    code: Code = None
    msg: str | None = None


_account = msgspec.json.Decoder(_Account)
_listen_key = msgspec.json.Decoder(_ListenKey)
_listen_keys = msgspec.json.Decoder(_ListenKeys)
_uid = msgspec.json.Decoder(_Uid)


class AccountRead(msgspec.Struct, frozen=True):
    """What GET account says; ``can_trade`` is the account's, not the key's right (RELIABILITY 4.2)."""

    balances: tuple[Balance, ...]
    can_trade: bool


def account_of(body: bytes, account: Account) -> AccountRead:
    """Read GET account.

    Raises:
        ProtocolError: not the promised shape; an unreadable row hides none of the others silently.
        VenueError: the body is an error answer.
    """
    read = decode(_account, body, "account")
    accept(read.code, read.msg)
    if read.balances is None:
        raise ProtocolError("account: the answer has no balances")
    balances = []
    try:
        for row in read.balances:
            free, locked = decimal_of(row.free), decimal_of(row.locked)
            if free is None or locked is None or free < 0 or locked < 0:
                raise Bad(f"balance of {row.asset[:20]!r}")
            balances.append(Balance(account, asset_of(row.asset), free, locked))
    except (Bad, MalformedNumber) as error:
        raise ProtocolError(f"account: {error}") from None
    return AccountRead(tuple(balances), read.can_trade is not False)


def listen_key_of(body: bytes) -> str:
    """Read a listen key, which goes into an address as it is.

    Raises:
        ProtocolError: none in it, or one with characters no key has.
        VenueError: the body is an error answer.
    """
    read = decode(_listen_key, body, "listen key")
    accept(read.code, read.msg)
    key = read.listen_key or ""
    if not _is_listen_key(key):
        raise ProtocolError("listen key: the answer holds none")
    return key


def listen_keys_of(body: bytes) -> tuple[str, ...]:
    """Read the list of the account's listen keys; what can be none is left out.

    Raises:
        ProtocolError: no list.
        VenueError: the body is an error answer.
    """
    read = decode(_listen_keys, body, "listen keys")
    accept(read.code, read.msg)
    if read.listen_key is None:
        raise ProtocolError("listen keys: the answer holds no list")
    return tuple(filter(_is_listen_key, read.listen_key))


def _is_listen_key(text: str) -> bool:
    return 8 <= len(text) <= 200 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def uid_of(body: bytes) -> str:
    """Read the number of the account the key belongs to.

    Raises:
        ProtocolError: none in it.
        VenueError: the body is an error answer.
    """
    read = decode(_uid, body, "uid")
    accept(read.code, read.msg)
    try:
        return id_of(read.uid, "uid")
    except Bad as error:
        raise ProtocolError(f"uid: {error}") from None
