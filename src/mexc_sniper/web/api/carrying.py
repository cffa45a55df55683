"""What the paths of the API share: paging, names, and handing a command to the engine."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Header, Path, Query, Request

from mexc_sniper.core.values import MalformedNumber, decimal_from_text
from mexc_sniper.model.commands import Verb
from mexc_sniper.web import convert
from mexc_sniper.web.routing import principal
from mexc_sniper.web.services import services
from mexc_sniper.web.views import CommandView

IdempotencyKey = Annotated[
    str | None, Header(description="The same key leads to the same command and the same answer.")
]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
SymbolFilter = Annotated[str | None, Query(min_length=1, max_length=64, description="Exactly this symbol.")]


async def carry_out(request: Request, verb: Verb, arguments: Mapping[str, Any], key: str | None) -> CommandView:
    """Hand a command to the engine and show its answer.

    Raises:
        ApiError: as `Commander.carry_out`.
    """
    result = await services(request).commander.carry_out(verb, arguments, principal(request), key)
    return convert.command_view(result)


def visible_name(value: str) -> str:
    """Any script is legal in a name (REFERENCE: Chinese coins exist); blanks and control characters are not.

    Raises:
        ValueError: for those.
    """
    if any(c.isspace() or ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in value):
        raise ValueError("must not hold blanks or control characters")
    return value


def amount(value: object) -> Decimal:
    """Read an amount of money: plain decimal text, or a JSON number written without an exponent.

    Raises:
        ValueError: for anything else, zero, below zero, or more than eight digits behind the point.
    """
    return _positive(value, digits=8)


def price(value: object) -> Decimal:
    """Read a price, as `amount`; new coins cost fractions of a millionth, so up to 18 digits behind the point.

    Raises:
        ValueError: as `amount`.
    """
    return _positive(value, digits=18)


def _positive(value: object, *, digits: int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is no number")
    try:
        number = decimal_from_text(value if isinstance(value, str) else str(value))
    except MalformedNumber:
        raise ValueError('is no plain decimal number, such as "20" or "12.5"') from None
    if number <= 0:
        raise ValueError("must be above zero")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -digits:
        raise ValueError(f"has more than {digits} digits behind the point")
    return number
