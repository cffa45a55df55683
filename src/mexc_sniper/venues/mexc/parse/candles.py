"""klines (REFERENCE 1.5): rows of eight, prices as text, open time in ms; newest or oldest first is not promised."""

import msgspec

from mexc_sniper.core.errors import ProtocolError
from mexc_sniper.core.values import price_from_text, quantity_from_text
from mexc_sniper.model.market import Candle
from mexc_sniper.venues.mexc.parse.text import Bad, Code, Number, accept, decode, ns_or_none


class _Error(msgspec.Struct):
    code: Code = None
    msg: str | None = None


_rows = msgspec.json.Decoder(list[list[Number]] | _Error)


def candles(body: bytes, interval_s: int) -> tuple[Candle, ...]:
    """Read candles of a width in seconds, oldest first; an empty list is an answer too.

    Raises:
        ProtocolError: a row is short or malformed.
        VenueError: the body is an error answer.
    """
    answer = decode(_rows, body, "klines")
    if isinstance(answer, _Error):
        accept(answer.code, answer.msg)
        raise ProtocolError("klines: the answer is no list")
    try:
        return tuple(sorted((_candle(row, interval_s) for row in answer), key=lambda candle: candle.open_time_ns))
    except ValueError as error:
        raise ProtocolError(f"klines: {error}") from None


def _candle(row: list[Number], interval_s: int) -> Candle:
    if len(row) < 6:
        raise Bad(f"a row of {len(row)} values")
    opened_at = ns_or_none(row[0])
    texts = [value for value in row[1:6] if isinstance(value, str)]
    if opened_at is None or len(texts) != 5:
        raise Bad("a row without its time or with numbers that are not text")
    opening, high, low, close = map(price_from_text, texts[:4])
    return Candle(opened_at, opening, high, low, close, quantity_from_text(texts[4]), interval_s)
