"""The one table from what the venue answered to what the caller may do (REFERENCE 1.3, 1.4, 1.10)."""

from mexc_sniper.core.errors import (
    AuthFailed,
    ClockSkew,
    FirewallBlocked,
    NotTradable,
    RateLimited,
    Refused,
    UnknownRefusal,
    VenueError,
    VenueUnavailable,
)
from mexc_sniper.core.reasons import Reason

BY_CODE: dict[int, type[VenueError]] = {
    **dict.fromkeys((429,), RateLimited),
    **dict.fromkeys((500, 503, 504, 20002, 11444), VenueUnavailable),
    **dict.fromkeys((700003, 10073), ClockSkew),
    **dict.fromkeys((401, 403, 602, 10001, 10015, 10072, 700001, 700002, 700006, 700007, 140001, 140002), AuthFailed),
    **dict.fromkeys((10098, 60005, 70011), AuthFailed),  # risk control and barred accounts: a person is needed
    **dict.fromkeys((-1121, 10007, 26, 30000, 30001, 30014, 30016, 30020, 30021), NotTradable),
    **dict.fromkeys((30018, 30019, 30041, 30051, 30028), NotTradable),
    **dict.fromkeys((-1128, -2011, -2013, 22222, 30026, 400, 33333, 44444), Refused),
    **dict.fromkeys((700004, 700005, 700008, 700013, 10095, 10096, 10097, 10102), Refused),
    **dict.fromkeys((10101, 30002, 30003, 30004, 30005, 30010, 30025, 30027, 30029, 30032, 30087), Refused),
}
"""Business codes. 400 and 500 occur as business codes too (REFERENCE 5, trap 23)."""

REASON_BY_CODE: dict[int, Reason] = {
    **dict.fromkeys((-1121, 26, 30000, 30014, 30021, 11444), Reason.NOT_ONLINE),
    **dict.fromkeys((10007, 30016), Reason.NOT_OPEN_TO_API),
    **dict.fromkeys((30020, 70011), Reason.API_CLOSED),
    **dict.fromkeys((30018, 30019, 30041, 30051), Reason.MARKET_ORDERS_CLOSED),
    **dict.fromkeys((10101, 30004, 30005), Reason.INSUFFICIENT_BALANCE),
    **dict.fromkeys((700003, 10073), Reason.CLOCK_UNCERTAIN),
    429: Reason.VENUE_BANNED,
    30001: Reason.ONE_SIDED,
    30002: Reason.BELOW_MINIMUM,
    30010: Reason.NO_REFERENCE_PRICE,
    30025: Reason.NO_BOOK,
    30087: Reason.OUTSIDE_PRICE_BAND,
    **dict.fromkeys((602, 10072, 10098, 60005, 700001, 700002, 700006, 700007), Reason.KEY_REFUSED),
}
"""Why an order was refused; every other code is VENUE_REFUSED, and code and text are kept beside it."""

REFUSED_FOR_GOOD = frozenset({11444})
"""Codes of an unavailable venue that nevertheless promise that no order exists (REFERENCE 1.10)."""

UNKNOWN_ORDER_CODES = frozenset({-2011, -2013, 22222})
"""The venue knows no such order; which one a query gives is unverified (REFERENCE 1.7)."""

_MARKET_WORDS = ("market", "市价")
"""30018 has two meanings; only a text that speaks of market orders is about them."""

INVALID_SYMBOL_CODES = frozenset({-1121, 30014, 30021})
"""The venue knows no such symbol."""

BY_STATUS: dict[int, type[VenueError]] = {
    401: AuthFailed,
    403: FirewallBlocked,
    418: RateLimited,
    429: RateLimited,
}

_ACCEPTED_CODES = (None, 0, 200)


def fault_of(
    status: int, code: int | None, text: str, *, is_json: bool, retry_after_s: float | None = None
) -> VenueError | None:
    """Return the error an answer means, or None when it is a success.

    Args:
        status: HTTP status.
        code: business code of the body, None when it carries none.
        text: the venue's own words, kept in the error.
        is_json: whether the body was JSON; an HTML page with any status is the firewall or a maintenance page.
        retry_after_s: what ``Retry-After`` said.
    """
    kind = _kind(status, code, is_json=is_json)
    if code == 30018 and kind is NotTradable and not is_about_market_orders(text):
        kind = AuthFailed  # "this account cannot place orders for now, contact support"
    if kind is None:
        return None
    said = f" (code {code})" if code not in _ACCEPTED_CODES else ""
    return kind(f"HTTP {status}{said}: {text[:200]!r}", code=code, http_status=status, retry_after_s=retry_after_s)


def reason_of(code: int | None, text: str) -> Reason:
    """Return why the venue refused an order, in our words."""
    if code == 30018 and not is_about_market_orders(text):
        return Reason.KEY_REFUSED  # "this account cannot place orders for now, contact support"
    return Reason.VENUE_REFUSED if code is None else REASON_BY_CODE.get(code, Reason.VENUE_REFUSED)


def is_about_market_orders(text: str) -> bool:
    """Tell the two meanings of 30018 apart (REFERENCE 1.10)."""
    lower = text.lower()
    return any(word in lower for word in _MARKET_WORDS)


def _kind(status: int, code: int | None, *, is_json: bool) -> type[VenueError] | None:
    if status in (418, 429):
        return RateLimited
    if status >= 500:  # "not to be read as failure" (D25): whatever the body says
        return VenueUnavailable
    if not is_json:
        return FirewallBlocked
    if code in _ACCEPTED_CODES and status < 300:
        return None
    if code is not None:
        if code in BY_CODE:
            return BY_CODE[code]
        if 500 < code < 600:  # a gateway's status in the place of a code
            return VenueUnavailable
        if 730001 <= code <= 730707:  # sub-account and key management
            return AuthFailed
    if status < 300 or code not in _ACCEPTED_CODES:
        return UnknownRefusal
    return BY_STATUS.get(status, UnknownRefusal)
