"""Values to the ledger's JSON text and back.

The JSON is the truth of a row. It escapes control characters, so NUL passes PostgreSQL inside it; the columns beside
it go through `column_text` and `int64`, which can lose nothing that is ever read back. A lone surrogate is no text at
all (it cannot be written as UTF-8): `storable` replaces it by U+FFFD rather than let one name stop the ledger.
"""

from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

from mexc_sniper.model import entries
from mexc_sniper.model.entries import LedgerEntry

T = TypeVar("T")

INT64_MAX = 2**63 - 1


def _encode_other(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise NotImplementedError(f"the ledger cannot write a {type(value).__name__}")


def _decode_other(kind: type[Any], value: object) -> object:
    if issubclass(kind, BaseModel):
        return kind.model_validate(value)
    raise NotImplementedError(f"the ledger cannot read a {kind.__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_encode_other)
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def to_json(value: object) -> str:
    """Write a value as JSON text.

    Raises:
        UnicodeEncodeError: when a text in it holds a lone surrogate; see `storable`.
    """
    return _encoder.encode(value).decode()


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Read what `to_json` wrote.

    Raises:
        msgspec.ValidationError: when the text does not hold a ``kind``.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=_decode_other)
    result: T = decoder.decode(text)
    return result


_ENTRY_BY_EVENT: dict[str, type[Any]] = {
    kind.event: kind
    for kind in (
        entries.ListingChanged,
        entries.SignalReceived,
        entries.CalendarChanged,
        entries.ComponentChanged,
        entries.MonitorChanged,
        entries.CommandFinished,
        entries.ConfigChanged,
        entries.DecisionMade,
        entries.OrderChanged,
        entries.FillRecorded,
        entries.PositionChanged,
        entries.TradeChanged,
        entries.TradingChanged,
        entries.BalancesChanged,
        entries.AttentionChanged,
    )
    if kind.event is not None
}


def entry_from_event(kind: str, payload: bytes) -> LedgerEntry | None:
    """Read the entry an event carries; None for a kind this build does not know (a newer engine wrote it)."""
    entry_type = _ENTRY_BY_EVENT.get(kind)
    if entry_type is None:
        return None
    entry: LedgerEntry = from_json(payload, entry_type)
    return entry


def storable(value: T) -> T:
    """Return ``value`` with every lone surrogate in its texts replaced by U+FFFD."""
    plain = msgspec.to_builtins(value, enc_hook=_encode_other, str_keys=True)
    result: T = msgspec.convert(_clean(plain), type(value), dec_hook=_decode_other)
    return result


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def column_text(text: str) -> str:
    r"""Write a text as a column both databases take: NUL becomes ``\0``, a backslash two, so no two texts meet."""
    if "\x00" not in text and "\\" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\x00", "\\0")


def folded(text: str) -> str:
    """Fold a text for the search column, the same way for needle and haystack."""
    return column_text(text.casefold())


def int64(value: int) -> int:
    """Clamp a number to what a column holds; a venue's absurd time must not stop the ledger."""
    return max(-INT64_MAX, min(INT64_MAX, value))


def int64_or_none(value: int | None) -> int | None:
    """Clamp a number that may be missing."""
    return None if value is None else int64(value)
